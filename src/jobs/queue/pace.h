/* pace.h - how long jobs take, from how long the ones before took: seconds a model needs for its
 * evaluations, by the size of the picture. Opens no device and reads no file. Not thread-safe.
 */
#ifndef XL_JOBS_QUEUE_PACE_H
#define XL_JOBS_QUEUE_PACE_H

#include "lab/run/sweep.h"

enum { XL_PACE_MODELS = 32 };

struct xl_pace {
    struct {
        char digest[XL_SHA256_HEX];
        double s_per_cost;
        int n; /* pictures that it was learnt from */
    } models[XL_PACE_MODELS];
    int n_models;
    double s_per_cost; /* of all; 0: nothing was drawn yet */
};

/* What a cell, or all cells of a sweep, cost: evaluations of a million pixels, and decoding. */
double xl_pace_cell(const struct xl_cell *cell);
double xl_pace_sweep(const struct xl_sweep *sweep);

/* A picture of a model took so long. */
void xl_pace_learn(struct xl_pace *pace, const char *digest, double cost, double seconds);

/* Seconds that a cost takes with a model; -1: nobody knows yet. */
double xl_pace_tell(const struct xl_pace *pace, const char *digest, double cost);

#endif
