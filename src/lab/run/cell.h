/* cell.h - a cell: everything that decides the pixels of one picture, and its name.
 *
 * A cell's id is a hash of the model's weights, the prompt after its profile, sampler, size, steps,
 * guidance, seed, strength, precision and program: the same id, the same picture. It stands
 * in the picture's record, in the job log and in run.json, so a finished picture is known by what
 * it holds and not by what its file is called.
 */
#ifndef XL_LAB_CELL_H
#define XL_LAB_CELL_H

#include "base/arena.h"

#include <jansson.h>

enum { XL_CELL_ID_DIGITS = 32 };

struct xl_cell {
    int index; /* in the order that was asked for */
    int model; /* index into the models of the sweep */
    int job;   /* cells of one job differ in nothing but the seed */
    char id[XL_CELL_ID_DIGITS + 1];

    const char *profile;                            /* "None (raw)", "Watercolor", "A + B" */
    const char *prompt, *negative;                  /* as asked; negative NULL: omitted */
    const char *styled_prompt, *effective_negative; /* after the profile; negative may be NULL */
    int width, height;                              /* as asked */
    int steps;
    double guidance, guidance_rescale;
    const char *scheduler;
    uint64_t seed;
    int rng;                /* enum xl_rng */
    const char *init_image; /* NULL: txt2img */
    const char *init_digest;
    double strength;
    int vae_tile;
};

/* Fill in cell->id. identity: a digest of what decides pixels on the side of model and program.
 * Errors: XL_ENOMEM */
enum xl_status xl_cell_identify(struct xl_cell *cell, const char *identity,
                                struct xl_err *err) XL_CHECKED;

/* To and from an object of run.json. write: NULL when out of memory, caller: json_decref. read:
 * texts are kept in the arena; `name` opens every sentence. Errors: XL_EINPUT a key is missing or
 * has another type */
json_t *xl_cell_write(const struct xl_cell *cell);
enum xl_status xl_cell_read(const json_t *object, const char *name, struct xl_arena *arena,
                            struct xl_cell *out, struct xl_err *err) XL_CHECKED;

/* Whether two cells can be drawn together: all that a batch shares is equal. */
bool xl_cell_fits(const struct xl_cell *a, const struct xl_cell *b);

#endif
