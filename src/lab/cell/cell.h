/* cell.h - a cell: one picture as it was asked for, and its name.
 *
 * A cell's id names what was asked: a hash of the model's digest and of every field that decides
 * pixels. It stands in the picture's record, in the job log and in run.json, so a finished picture
 * is known by what it holds and not by what its file is called. How a picture was computed
 * (program, device, instruction set, precision that "auto" chose) is not in it: that is `drawn_by`
 * of its record.
 *
 * cell_fields.h has a row for each field. Whatever goes over all fields goes over those rows.
 */
#ifndef XL_LAB_CELL_H
#define XL_LAB_CELL_H

#include "base/arena.h"
#include "lab/settings/settings.h"

#include <jansson.h>

enum { XL_CELL_ID_DIGITS = 32 };

/* Of run.json and lines of the job log. 1: one name for what was asked and how it was computed;
 * still read. Records have a number of their own. */
enum { XL_FORMAT = 2 };

struct xl_cell {
    int index; /* in the order that was asked for */
    int model; /* index into the models of the sweep */
    int job;   /* cells of one job differ in nothing but the seed */
    char id[XL_CELL_ID_DIGITS + 1];
    const char
        *tag; /* what differs in its run and no other part of its file's name says; NULL: none */

    const char *model_key; /* what people call the model */
    const char *lora; /* those that were asked for beside the prompt's, "glass:0.8 + turbo": names
                         without places; NULL: none. The model's digest has what they do */
    const char *vae;  /* likewise; NULL: the model's own */
    const char *profile;           /* "None (raw)", "Watercolor", "A + B" */
    const char *prompt, *negative; /* as asked; negative NULL: omitted */
    /* What a generator made them of; NULL: they were asked for as they stand. */
    const char *prompt_template, *negative_template;
    const char *styled_prompt, *effective_negative; /* after the profile; negative may be NULL */
    int width, height;                              /* as asked */
    int steps;
    double guidance, guidance_rescale;
    const char *scheduler;
    uint64_t seed;
    enum xl_rng rng;
    enum xl_precision precision; /* as asked */
    enum xl_prompt_syntax prompt_syntax;
    int clip_skip; /* 0: the model's own */
    /* Textual inversions that stand in its texts, NULL without any: "glow, wave", in the order of
     * their bytes; their files' SHA-256, "0a..., 1b..."; and, where they are known, their files, a
     * line each. xl_cell_settle_embeddings reads the three into the list. */
    const char *embedding, *embedding_digests, *embedding_files;
    const struct xl_embedding *embeddings; /* [n_embeddings] */
    int n_embeddings;
    const char *init_image; /* NULL: txt2img */
    const char *init_digest;
    double strength;
    int vae_tile;
#ifdef XL_CELL_TEST_FIELD /* tests/field adds one here, and a row */
    double test_field;
#endif
};

/* Fill in every field that has an option of its name. What the settings do not say, profile, model
 * or catalogue may: that is for the caller. Strings are borrowed. */
void xl_cell_from_settings(struct xl_cell *cell, const struct xl_settings *settings);

/* Fill in cell->id. digest: of the model. Errors: XL_ENOMEM */
enum xl_status xl_cell_identify(struct xl_cell *cell, const char *digest,
                                struct xl_err *err) XL_CHECKED;

/* Fill in cell->embeddings from the texts, where files are known. In the arena; name opens the
 * sentence. Errors: XL_EINPUT texts that do not go together; XL_ENOMEM */
enum xl_status xl_cell_settle_embeddings(struct xl_cell *cell, const char *name,
                                         struct xl_arena *arena, struct xl_err *err) XL_CHECKED;

/* "img2img" where there is a picture to start from, "txt2img" otherwise. */
const char *xl_cell_mode(const struct xl_cell *cell);

/* To and from an object of run.json. write: NULL when out of memory (within xl_json_watch), caller:
 * json_decref. read: texts are kept in the arena; `name` opens every sentence.
 * Errors: XL_EINPUT a key is missing or has another type; XL_ENOMEM */
json_t *xl_cell_write(const struct xl_cell *cell);
enum xl_status xl_cell_read(const json_t *object, const char *name, struct xl_arena *arena,
                            struct xl_cell *out, struct xl_err *err) XL_CHECKED;

/* The same for what was drawn, as it stands in answers: the id as "cell", without the cell's place
 * in a run, and what memory may have changed as "requested_width", ... */
json_t *xl_cell_write_drawn(const struct xl_cell *cell);

/* The same as it stands in records, which others get: no paths are in it. */
json_t *xl_cell_write_shared(const struct xl_cell *cell);

/* The request of a cell; pictures: one, filled in. The init image is left to the caller. Strings
 * are borrowed. */
void xl_cell_request(const struct xl_cell *cell, struct xl_request *request,
                     struct xl_picture *picture);

/* Read a picture to start from, and its digest: of the same bytes. Errors: XL_EINPUT unreadable;
 * XL_ENOMEM */
enum xl_status xl_init_read(const char *path, struct xl_image *image, const char **digest,
                            struct xl_arena *arena, struct xl_err *err) XL_CHECKED;

/* The picture that a cell starts from. Errors: XL_EINPUT unreadable, or not the picture any more
 * that the cell names; XL_ENOMEM */
enum xl_status xl_cell_load_init(const struct xl_cell *cell, struct xl_image *out,
                                 struct xl_err *err) XL_CHECKED;

/* Whether two cells can be drawn together: all that a batch shares is equal. */
bool xl_cell_fits(const struct xl_cell *a, const struct xl_cell *b);

/* The order of drawing n cells: order[n] is filled in with their indices. What costs most to change
 * changes least; texts come in the order of asking. Errors: XL_ENOMEM */
enum xl_status xl_cells_sort(const struct xl_cell *cells, int n, int *order,
                             struct xl_err *err) XL_CHECKED;

#endif
