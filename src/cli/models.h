/* models.h - what the models commands have in common: which model a word means. */
#ifndef XL_CLI_MODELS_H
#define XL_CLI_MODELS_H

#include "cli/cli.h"
#include "hub/inventory.h"
#include "lab/data/catalogue.h"

/* A model that somebody named. */
struct xl_models_target {
    const char *name;                       /* for people: a key, a repository, a path */
    const struct xl_catalogue_model *entry; /* of the catalogue; NULL: it has none */
    struct xl_snapshot snapshot;            /* dir NULL: a file */
    const char *file;                       /* the path of a file; NULL: a folder */
};

/* By key or alias, repository id, "org/name:FILE", folder or file. In the arena. Errors: those of
 * xl_hub_resolve (XL_EMODEL not cached: says what would fetch it); XL_EINVAL no such name (the
 * nearest is suggested) */
enum xl_status xl_models_find(const struct xl_catalogue *catalogue, const char *name,
                              const char *revision, struct xl_arena *arena,
                              struct xl_models_target *out, struct xl_err *err) XL_CHECKED;

/* The command that fetches a model, as a shell takes it: sdxl-lab models download "SDXL Base 1.0".
 * In the arena; NULL: out of memory */
const char *xl_models_download(const char *name, struct xl_arena *arena);

/* "7.1 GB", "170 MB", "613 bytes" into out; returns out. */
enum { XL_BYTES_MAX = 24 };
char *xl_bytes_text(int64_t bytes, char out[XL_BYTES_MAX]);

/* "  name       text" on standard output, tamed; nothing where there is no text. */
void xl_models_print_field(const char *name, const char *text);

#endif
