/* read_ahead.c - one thread that reads a model and keeps nothing. */
#include "lab/run/read_ahead.h"

#include "base/log.h"
#include "sdxl/sdxl.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

struct xl_read_ahead {
    pthread_t thread;
    const struct xl_sweep_model *model;
    atomic_bool stops;
};

static bool goes_on(void *user, enum xl_phase phase, int64_t done, int64_t total) {
    struct xl_read_ahead *reading = user;
    (void)phase, (void)done, (void)total;
    return !atomic_load(&reading->stops);
}

static void *run(void *user) {
    struct xl_read_ahead *reading = user;
    struct xl_model_params params;
    struct xl_lora loras[XL_LORAS_MAX];
    struct xl_err err = {0};
    xl_sweep_model_params(reading->model, loras, &params);
    enum xl_status status = xl_model_prefetch(&params, goes_on, reading, &err);
    if (status && status != XL_ECANCELLED) xl_info("reading ahead: %s", err.text);
    return NULL;
}

struct xl_read_ahead *xl_read_ahead_begin(const struct xl_sweep_model *model) {
    struct xl_read_ahead *reading = calloc(1, sizeof *reading);
    if (!reading) return NULL;
    reading->model = model;
    if (!pthread_create(&reading->thread, NULL, run, reading)) return reading;
    free(reading);
    return NULL;
}

void xl_read_ahead_end(struct xl_read_ahead *reading) {
    if (!reading) return;
    atomic_store(&reading->stops, true);
    pthread_join(reading->thread, NULL);
    free(reading);
}
