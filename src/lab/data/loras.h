/* loras.h - LoRAs, textual inversions and VAEs by what people call them. Looked for in this order:
 *
 *   a file     what begins with '/', '.', '~' or '$', or is there by that path
 *   a name     in the folders of folders.h
 *   a repository of the cache: "org/name", "org/name:FILE.safetensors"
 *   a name     of a file at the top of a repository of the cache
 *
 * Folders and the cache are read when they are first needed, each file's digest once.
 */
#ifndef XL_LAB_LORAS_H
#define XL_LAB_LORAS_H

#include "base/arena.h"
#include "base/sha256.h"
#include "lab/data/folders.h"

struct xl_lora_place {
    const char *name; /* of the file, without its ending */
    const char *said; /* short, as people say it: a repository as it is, of a path the name */
    const char *path; /* from the root */
    char digest[XL_SHA256_HEX];
};

struct xl_loras; /* opaque; for one thread */

/* NULL: out of memory */
struct xl_loras *xl_loras_new(void);
/* The same for textual inversions: their folders, and digests that are SHA-256. */
struct xl_loras *xl_embeddings_new(void);
void xl_loras_free(struct xl_loras *loras);

/* Where the file is, whatever is in it; *path lives as long as loras. Errors: as below, but for
 * what headers say */
enum xl_status xl_loras_locate(struct xl_loras *loras, const char *said, const char **path,
                               struct xl_err *err) XL_CHECKED;

/* *out lives as long as loras. Errors: XL_EMODEL it is nowhere (the nearest names are told), or a
 * repository has several; XL_EFORMAT no .safetensors file, or by its header none of the kind for
 * SDXL (a textual inversion's numbers are checked, too); XL_EINPUT it cannot be read, or
 * folders.yaml is wrong; XL_ENOMEM */
enum xl_status xl_loras_find(struct xl_loras *loras, const char *said,
                             const struct xl_lora_place **out, struct xl_err *err) XL_CHECKED;

/* The file of a name that has a digest, or begins with those digits; name NULL: of any name. NULL:
 * there is none. */
const struct xl_lora_place *xl_loras_find_digest(struct xl_loras *loras, const char *name,
                                                 const char *digest);

/* What xl_model_open takes as another VAE, in the arena: a file by name, else as it is said (what
 * is a path is one from the root). *said: short, for people. Errors: XL_EINPUT folders.yaml;
 * XL_ENOMEM */
enum xl_status xl_vae_find(const char *text, struct xl_arena *arena, const char **vae,
                           const char **said, struct xl_err *err) XL_CHECKED;

/* All LoRAs that have a name, those of folders first, then of the cache. Errors: as above */
enum xl_status xl_loras_list(struct xl_loras *loras, struct xl_named_files *out,
                             struct xl_err *err) XL_CHECKED;

/* Whether a word is a path for certain: it begins with '/', '.', '~' or '$'. */
bool xl_is_path_word(const char *text);

#endif
