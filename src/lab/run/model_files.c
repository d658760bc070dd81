/* model_files.c - from a model's name to its files. Keeps no state. */
#include "lab/run/model_files.h"

#include "lab/data/catalogue.h"
#include "text/clip_vocab.h"

#include <string.h>

struct place {
    const char *model, *revision; /* as xl_hub_resolve takes them */
};

/* Where a model of the catalogue is. place->model NULL: it is not there, state->why says why. */
static enum xl_status place_of(const struct xl_catalogue_model *entry, struct xl_arena *arena,
                               struct place *place, struct xl_catalogue_status *state,
                               struct xl_err *err) {
    enum xl_status status = xl_catalogue_state(entry, NULL, arena, state, err);
    place->model = NULL;
    if (status || !state->location) return status;
    const struct xl_catalogue_model *base = state->lora ? xl_catalogue_base(entry) : entry;
    place->model = xl_arena_strdup(arena, state->location);
    if (!place->revision && base && base->revision)
        place->revision = xl_arena_strdup(arena, base->revision);
    return place->model ? XL_OK : xl_fail_nomem(err, "a model", 0);
}

/* The first of the catalogue that is there. */
static enum xl_status first_place(const struct xl_catalogue *catalogue, struct xl_arena *arena,
                                  struct place *place, struct xl_err *err) {
    struct xl_catalogue_status state;
    enum xl_status status = XL_OK;
    for (int i = 0; i < xl_catalogue_count(catalogue) && !status; i++) {
        struct place found = *place;
        status = place_of(xl_catalogue_at(catalogue, i), arena, &found, &state, err);
        if (status || state.state != XL_MODEL_READY) continue;
        *place = found;
        return XL_OK;
    }
    if (status) return status;
    return xl_fail(err, XL_EMODEL,
                   "no model was named, and none of the known ones is there; expected a name of "
                   "sdxl-lab models list");
}

/* Names that the catalogue does not have are repositories, folders and files. */
static enum xl_status find_place(const struct xl_settings *settings, struct xl_arena *arena,
                                 struct place *place, struct xl_err *err) {
    struct xl_catalogue *catalogue;
    struct xl_catalogue_status state;
    const char *name = settings->model && settings->model[0] ? settings->model : NULL;
    *place = (struct place){NULL, settings->revision};
    enum xl_status status =
        xl_catalogue_load(settings->model_files.item, settings->model_files.n, &catalogue, err);
    if (status) return status;
    const struct xl_catalogue_model *entry = name ? xl_catalogue_find(catalogue, name) : NULL;
    if (!name)
        status = first_place(catalogue, arena, place, err);
    else if (entry)
        status = place_of(entry, arena, place, &state, err);
    else
        place->model = name;
    if (!status && !place->model) status = xl_fail(err, XL_EMODEL, "%s: %s", entry->key, state.why);
    xl_catalogue_free(catalogue);
    return status;
}

enum xl_status xl_model_files(const struct xl_settings *settings, struct xl_arena *arena,
                              struct xl_pipeline_files *files, struct xl_err *err) {
    struct xl_snapshot snapshot;
    struct place place;
    enum xl_status status = find_place(settings, arena, &place, err);
    if (!status) status = xl_hub_resolve(place.model, place.revision, arena, &snapshot, err);
    return status ? status : xl_hub_pipeline(&snapshot, "", arena, files, err);
}

enum xl_status xl_model_tokenizers(const struct xl_pipeline_files *files,
                                   struct xl_tokenizer *tokenizers[2], struct xl_err *err) {
    struct xl_tokenizer *first;
    enum xl_status status =
        xl_tokenizer_open_or_clip(files->tokenizer_dir, XL_CLIP_PAD_END, &first, err);
    if (status) return status;
    status =
        xl_tokenizer_open_or_clip(files->tokenizer_2_dir, XL_CLIP_PAD_ZERO, &tokenizers[1], err);
    if (status)
        xl_tokenizer_close(first);
    else
        tokenizers[0] = first;
    return status;
}
