/* pace.h - how long jobs take, from how long the ones before took: seconds that a kind of device
 * needs for a model's evaluations, by precision and size of the picture. Opens no device and reads
 * no file. Not thread-safe.
 */
#ifndef XL_JOBS_QUEUE_PACE_H
#define XL_JOBS_QUEUE_PACE_H

#include "lab/run/sweep.h"

enum { XL_PACE_ROWS = 256, XL_PACE_DEVICE = 96 };

/* What decides how long an evaluation takes. */
struct xl_pace_key {
    const char *device; /* its kind: the name of a GPU, or "CPU"; "": of any GPU */
    const char *digest; /* of the model */
    int precision;      /* enum xl_precision, as asked for; -1: any */
    int64_t pixels;     /* 0: any, best the size that most is known of */
};

struct xl_pace_row {
    char device[XL_PACE_DEVICE];
    char digest[XL_SHA256_HEX];
    int precision;
    int64_t pixels;
    double s_per_cost;
    int n; /* pictures that it was learnt from */
};

struct xl_pace {
    struct xl_pace_row rows[XL_PACE_ROWS]; /* the one that was added last, last */
    int n_rows;
};

/* What a cell, or all cells of a sweep, cost: evaluations of a million pixels, and decoding. */
double xl_pace_cell(const struct xl_cell *cell);
double xl_pace_sweep(const struct xl_sweep *sweep);

/* What a cell of a sweep asks of a kind of device; its texts are theirs. */
struct xl_pace_key xl_pace_key_of(const char *device, const struct xl_sweep *sweep,
                                  const struct xl_cell *cell);

/* A picture took so long. One of a device without a name teaches nothing. */
void xl_pace_learn(struct xl_pace *pace, const struct xl_pace_key *key, double cost,
                   double seconds);

/* Seconds that a cost takes on a kind of device: with this model at this precision and the nearest
 * size that is known; at another precision; with the mean of all that this kind has drawn. -1: it
 * has drawn nothing yet. */
double xl_pace_tell(const struct xl_pace *pace, const struct xl_pace_key *key, double cost);

/* Of all cells of a sweep, each with its model, precision and size, one after the other. */
double xl_pace_tell_sweep(const struct xl_pace *pace, const char *device,
                          const struct xl_sweep *sweep);

#endif
