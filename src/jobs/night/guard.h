/* guard.h - what a night may do now, from what is known: limits, quiet hours, room on the disk.
 * Facts go in, a verdict comes out; nothing is kept, and no clock is asked.
 */
#ifndef XL_JOBS_NIGHT_GUARD_H
#define XL_JOBS_NIGHT_GUARD_H

#include "jobs/night/config.h"

enum xl_night_verdict {
    XL_NIGHT_MAY_DRAW,
    XL_NIGHT_WAITS, /* nothing new is begun; workers stay warm */
    XL_NIGHT_RESTS, /* and workers end, GPUs are given back */
    XL_NIGHT_ENDS   /* with the pictures at hand */
};

struct xl_night_facts {
    time_t now;            /* what the clock shows; it may have been set meanwhile */
    time_t until;          /* 0: no time */
    double bound_s;        /* the night lasts no longer, 0: as long as it likes: the time from its
                              beginning to its end, by which a clock that was set back does not make
                              it longer */
    double elapsed_s;      /* that it ran, whatever the clock showed */
    int64_t bytes;         /* of its pictures */
    int64_t free_bytes;    /* where they go; -1: not known */
    double pause_s;        /* how much longer it pauses after failures; 0: not at all */
    const char *pause_why; /* the last failure */
};

/* why: a sentence of what is not XL_NIGHT_MAY_DRAW, into out. */
enum { XL_NIGHT_WHY = 400 };
enum xl_night_verdict xl_night_judge(const struct xl_night_config *config,
                                     const struct xl_night_facts *facts, char why[XL_NIGHT_WHY]);

/* --- One GPU ---------------------------------------------------------------------------------- */

/* Whether a GPU is too hot to go on, as it was before and with what it shows now (-1: not known):
 * from max_temperature on, until 5 degrees below. */
bool xl_night_is_hot(const struct xl_night_config *config, bool was_hot, int temperature);

/* How many of n GPUs may draw, of those that did, at that power of all together (-1: not known):
 * one fewer where it is too much, one more where there is room for one like the others. */
int xl_night_share_power(const struct xl_night_config *config, int n_drawing, int n,
                         double power_w);

#endif
