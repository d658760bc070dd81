/* early.c - the UNet and the VAE's decoder of a drawing, compiled on a thread of their own while
 * the drawing's texts are encoded: where a device compiles beside its runs, a first picture waits
 * for the longer of the two instead of both.
 *
 * What is made belongs to the drawing until the thread that draws takes it. Where memory is short
 * nothing is made here: the drawing does so itself, one part after the other.
 */
#include "engine/engine.h"

#include <stdlib.h>

enum { N_PARTS = 2 };

enum state { WANTED, MADE, FAILED, TAKEN };

struct xl_early {
    struct xl_drawing *drawing;
    pthread_t thread;
    atomic_bool is_given_up;
    struct xl_stage *stages[N_PARTS]; /* in the order of making; NULL: it is not wanted */
    enum state states[N_PARTS];       /* under the device's mutex */
};

/* --- The thread ------------------------------------------------------------------------------- */

static void end(struct xl_early *early, int i, enum state state) {
    struct xl_device *device = early->drawing->device;
    pthread_mutex_lock(&device->mutex);
    early->states[i] = state;
    pthread_cond_broadcast(&device->changed);
    pthread_mutex_unlock(&device->mutex);
}

/* A failure is told by whoever makes the part again. */
static void make(struct xl_early *early, int i) {
    struct xl_err unheard = {0};
    enum xl_status status =
        atomic_load(&early->is_given_up)
            ? XL_ECANCELLED
            : xl_stage_make_aside(early->drawing, early->stages[i], &early->is_given_up, &unheard);
    end(early, i, status ? FAILED : MADE);
}

static void *run(void *user) {
    struct xl_early *early = user;
    for (int i = 0; i < N_PARTS; i++)
        if (early->stages[i] &&
            xl_stage_expect(early->drawing, early->stages[i], &(struct xl_err){0}))
            end(early, i, FAILED);
    for (int i = 0; i < N_PARTS; i++)
        if (early->stages[i] && early->states[i] == WANTED) make(early, i);
    return NULL;
}

/* --- The drawing ------------------------------------------------------------------------------ */

static void free_early(struct xl_early *early) {
    for (int i = 0; i < N_PARTS; i++)
        if (early->states[i] != TAKEN) xl_stage_free(early->stages[i]);
    free(early);
}

/* Want what is not there already. Returns whether anything is. */
static bool choose_parts(struct xl_early *early) {
    static const enum xl_part parts[N_PARTS] = {XL_PART_UNET, XL_PART_VAE_DECODER};
    struct xl_drawing *drawing = early->drawing;
    bool any = false;
    for (int i = 0; i < N_PARTS; i++) {
        struct xl_part_key key = xl_drawing_part(drawing, parts[i]);
        bool suits = parts[i] != XL_PART_VAE_DECODER || xl_drawing_is_whole(drawing);
        if (!suits || xl_stage_find(drawing->resident, &key)) continue;
        struct xl_stage *stage = early->stages[i] = calloc(1, sizeof *stage);
        if (stage) stage->key = key;
        any |= stage != NULL;
    }
    return any;
}

void xl_early_begin(struct xl_drawing *drawing) {
    struct xl_early *early = drawing->device->prepares ? calloc(1, sizeof *early) : NULL;
    if (!early) return;
    early->drawing = drawing;
    if (choose_parts(early) && !pthread_create(&early->thread, NULL, run, early))
        drawing->early = early;
    else
        free_early(early);
}

/* Which of them a part is, still to be taken; -1: none */
static int find(const struct xl_early *early, enum xl_part part) {
    for (int i = 0; early && i < N_PARTS; i++)
        if (early->stages[i] && early->stages[i]->key.part == part && early->states[i] != TAKEN)
            return i;
    return -1;
}

bool xl_early_has(const struct xl_drawing *drawing, enum xl_part part) {
    struct xl_device *device = drawing->device;
    pthread_mutex_lock(&device->mutex);
    int i = find(drawing->early, part);
    bool has = i >= 0 && drawing->early->states[i] != FAILED;
    pthread_mutex_unlock(&device->mutex);
    return has;
}

/* Waits while it is being made, and asks meanwhile whether to go on. */
struct xl_stage *xl_early_take(struct xl_drawing *drawing, enum xl_part part) {
    struct xl_early *early = drawing->early;
    struct xl_device *device = drawing->device;
    const struct xl_resident *resident = drawing->resident;
    struct xl_stage *taken = NULL;
    bool goes_on = true;
    pthread_mutex_lock(&device->mutex);
    int i = find(early, part);
    while (i >= 0 && goes_on && early->states[i] == WANTED) {
        xl_device_wait_a_moment(device);
        pthread_mutex_unlock(&device->mutex);
        goes_on = xl_drawing_progress(drawing, XL_PHASE_LOAD, atomic_load(&resident->load_done),
                                      resident->load_total);
        pthread_mutex_lock(&device->mutex);
    }
    if (i >= 0 && early->states[i] == MADE) {
        taken = early->stages[i];
        early->states[i] = TAKEN;
    }
    pthread_mutex_unlock(&device->mutex);
    if (!goes_on) xl_early_end(drawing);
    return taken;
}

void xl_early_end(struct xl_drawing *drawing) {
    struct xl_early *early = drawing->early;
    if (!early) return;
    drawing->early = NULL;
    atomic_store(&early->is_given_up, true);
    pthread_join(early->thread, NULL);
    free_early(early);
}
