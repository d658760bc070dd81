/* choose.h - whose picture a free device draws next. A pure function of what is waiting.
 *
 * Jobs that are to be next come first, in their order. Then clients take turns: the one that had
 * the fewest seconds of devices lately, its jobs in the order of the queue. A job whose model the
 * device has at hand may be drawn instead, of whichever client: a model takes longer to load than
 * many a picture to draw. But nobody is passed over like that for longer than a bound.
 */
#ifndef XL_JOBS_QUEUE_CHOOSE_H
#define XL_JOBS_QUEUE_CHOOSE_H

#include <stdbool.h>

/* A job that has something to draw. */
struct xl_contender {
    bool is_next;
    bool is_warm;    /* its model is the one that the device has at hand */
    double served_s; /* that its client had of all devices lately */
    double passed_s; /* since it was first passed over for the sake of a model; 0: it was not */
};

/* candidates: [n] in the order of the queue. patience_s: how long one may be passed over. *passed:
 * who was, -1: nobody. Returns which; -1: there is none. */
int xl_choose(const struct xl_contender *candidates, int n, double patience_s, int *passed);

/* What is left of seconds that were counted passed_s seconds ago: half of them after ten minutes.
 */
double xl_choose_fade(double served_s, double passed_s);

#endif
