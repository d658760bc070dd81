/* pace.h - how long jobs take, from how long the ones before took: seconds a model needs for its
 * evaluations, by the size of the picture. Opens no device and reads no file. Not thread-safe.
 */
#ifndef XL_JOBS_QUEUE_PACE_H
#define XL_JOBS_QUEUE_PACE_H

#include "lab/run/sweep.h"

enum { XL_PACE_ROWS = 128 };

/* Of a model and a size. */
struct xl_pace_row {
    char digest[XL_SHA256_HEX];
    int64_t pixels;
    double s_per_cost;
    int n; /* pictures that it was learnt from */
};

struct xl_pace {
    struct xl_pace_row rows[XL_PACE_ROWS];
    int n_rows;
    double s_per_cost; /* of all; 0: nothing was drawn yet */
};

/* What a cell, or all cells of a sweep, cost: evaluations of a million pixels, and decoding. */
double xl_pace_cell(const struct xl_cell *cell);
double xl_pace_sweep(const struct xl_sweep *sweep);

/* A picture of a model took so long. */
void xl_pace_learn(struct xl_pace *pace, const char *digest, int64_t pixels, double cost,
                   double seconds);

/* Seconds that a cost takes with a model, at this size or the nearest that is known (pixels 0: the
 * one that most is known of); -1: nobody knows yet. */
double xl_pace_tell(const struct xl_pace *pace, const char *digest, int64_t pixels, double cost);

/* Of all cells of a sweep, each with its model and size. */
double xl_pace_tell_sweep(const struct xl_pace *pace, const struct xl_sweep *sweep);

#endif
