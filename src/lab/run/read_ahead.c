/* read_ahead.c - one thread that reads files and keeps nothing. */
#include "lab/run/read_ahead.h"

#include "base/log.h"
#include "sdxl/sdxl.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

struct xl_read_ahead {
    pthread_t thread;
    const struct xl_sweep *sweep;
    int now, next; /* models */
    atomic_bool stops;
};

static bool goes_on(void *user, enum xl_phase phase, int64_t done, int64_t total) {
    struct xl_read_ahead *reading = user;
    (void)phase, (void)done, (void)total;
    return !atomic_load(&reading->stops);
}

static const struct xl_cell *first_cell(const struct xl_sweep *sweep, int model) {
    for (int i = 0; i < sweep->n_cells; i++)
        if (sweep->cells[sweep->order[i]].model == model) return &sweep->cells[sweep->order[i]];
    return NULL;
}

static void *run(void *user) {
    struct xl_read_ahead *reading = user;
    const struct xl_sweep_model *models = reading->sweep->models;
    const struct xl_cell *cell = first_cell(reading->sweep, reading->next);
    struct xl_model_params params;
    struct xl_lora loras[XL_LORAS_MAX];
    struct xl_err err = {0};
    xl_sweep_model_params(&models[reading->next], loras, &params);
    if (models[reading->next].base == models[reading->now].base) params.model = NULL;
    enum xl_status status = xl_model_prefetch(&params, cell ? cell->embeddings : NULL,
                                              cell ? cell->n_embeddings : 0, goes_on, reading,
                                              &err);
    if (status && status != XL_ECANCELLED) xl_info("reading ahead: %s", err.text);
    return NULL;
}

struct xl_read_ahead *xl_read_ahead_begin(const struct xl_sweep *sweep, int now, int next) {
    struct xl_read_ahead *reading = calloc(1, sizeof *reading);
    if (!reading) return NULL;
    reading->sweep = sweep;
    reading->now = now;
    reading->next = next;
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
