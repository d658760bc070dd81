/* easel.h - a painter at work in a run: shares one after the other, each down the out-of-memory
 * ladder. One thread an easel.
 */
#ifndef XL_LAB_EASEL_H
#define XL_LAB_EASEL_H

#include "lab/run/writer.h"

#include <pthread.h>
#include <stdatomic.h>

enum { XL_MAX_SIZES = 32 };

/* The rung that fitted a size of the model at hand. */
struct xl_fitting {
    int width, height;
    struct xl_rung rung;
};

/* The group that was drawn last: one like it needs no new plan, its memory is held. */
struct xl_precedent {
    const struct xl_cell *cell; /* NULL: none */
    struct xl_rung rung;
    int n;
    double flops;
};

struct xl_easel {
    const struct xl_run *run;
    struct xl_work *work;
    struct xl_writer *writer;
    atomic_int *shown;    /* the easel whose progress is reported: the one that began last */
    atomic_bool *is_told; /* that what draws is not what drew the pictures that are there */
    struct xl_painter *painter;
    int number;
    struct xl_claimant claimant; /* as whom it takes cells, in a run that others draw, too */
    pthread_t thread;
    int model;            /* at hand; -1: none */
    int unit;             /* its sides are multiples of it */
    struct xl_group next; /* what the painter was told to expect */
    struct xl_fitting fittings[XL_MAX_SIZES];
    int n_fittings;
    struct xl_precedent precedent;
};

/* Draw until there is nothing left or the run stops. user: a struct xl_easel with its first seven
 * members filled in and model -1. Returns NULL: a thread's function. */
void *xl_easel_run(void *user);

#endif
