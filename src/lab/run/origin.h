/* origin.h - where the model, its LoRAs, embeddings and the init image of a picture lie on this
 * machine.
 *
 * A picture can be given to anybody, so its record names no places that say whose they are: a
 * repository and its commit, or a folder, of which only the last part where it is somebody's own;
 * the names of LoRAs, embeddings and an init image and their digests. The places are in what stays
 * at home: run.json in or above the picture's folder, and the job logs there. Options (--model,
 * --lora,
 * --vae,
 * --init-image) come first.
 */
#ifndef XL_LAB_ORIGIN_H
#define XL_LAB_ORIGIN_H

#include "lab/data/lora_text.h"
#include "lab/settings/settings.h"

struct xl_origin {
    const char *model, *revision;       /* as xl_model_open takes them; revision may be NULL */
    bool is_known;                      /* false: nothing is there by that name */
    const char *vae;                    /* as xl_model_open takes it; NULL: the model's own */
    struct xl_lora loras[XL_LORAS_MAX]; /* those of the record, in its order */
    int n_loras;
    const char *missing; /* the name of a LoRA whose file, by its digest, is nowhere; NULL: none */
    const char *embedding_files;   /* as a cell has them; NULL: none, or one is missing */
    const char *missing_embedding; /* the word of one whose file is nowhere; NULL: none */
    const char *init_image;        /* NULL: it was drawn from nothing */
};

struct xl_origins; /* opaque: what was read of folders */

/* NULL: out of memory */
struct xl_origins *xl_origins_new(const struct xl_settings *settings);
void xl_origins_free(struct xl_origins *origins);

/* path: of the picture; record: in the present format. Texts live in the arena, or in the record.
 * What cannot be found is named as the record does. Errors: XL_ENOMEM */
enum xl_status xl_origin_find(struct xl_origins *origins, const char *path, const json_t *record,
                              struct xl_arena *arena, struct xl_origin *out,
                              struct xl_err *err) XL_CHECKED;

#endif
