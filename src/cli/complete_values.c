/* complete_values.c - values that are names: profiles, models, sizes, samplers. */
#include "cli/complete.h"

#include "lab/data/catalogue.h"
#include "lab/data/loras.h"
#include "lab/data/presets.h"
#include "lab/data/profiles.h"
#include "lab/data/themes.h"
#include "sampler/sampler.h"

#include <string.h>

/* The last " + " of a stack of profiles, NULL when there is none. */
static const char *last_plus(const char *text) {
    const char *found = NULL;
    while ((text = strstr(text, " + "))) found = text, text += 3;
    return found;
}

/* A name, or after " + " another one. */
static void offer_profiles(const struct xl_value_place *place, struct xl_candidates *out) {
    struct xl_profiles *profiles = NULL;
    const char *prefix = place->prefix, *plus = last_plus(out->typed + strlen(prefix));
    if (xl_profiles_load(place->profile_files, place->n_profile_files, &profiles, NULL)) return;
    const char *stack =
        plus ? xl_arena_strndup(&out->arena, out->typed, (size_t)(plus + 3 - out->typed)) : NULL;
    for (int i = 0; i < xl_profiles_count(profiles); i++) {
        const struct xl_profile *profile = xl_profiles_at(profiles, i);
        const char *about = profile->about[0] ? profile->about : profile->prompt;
        xl_candidate_add(out, prefix, profile->name, about, true);
        if (stack && !strstr(stack, profile->name))
            xl_candidate_add(out, stack, profile->name, about, true);
    }
    xl_profiles_free(profiles);
}

/* Keys; repositories once a slash is typed; folders where the word looks like a path. */
static void offer_models(const struct xl_value_place *place, struct xl_candidates *out) {
    struct xl_catalogue *catalogue = NULL;
    const char *typed = out->typed + strlen(place->prefix);
    bool has_slash = strchr(typed, '/');
    out->wants_dirs = has_slash || typed[0] == '.' || typed[0] == '~';
    if (xl_catalogue_load(place->model_files, place->n_model_files, &catalogue, NULL)) return;
    for (int i = 0; i < xl_catalogue_count(catalogue); i++) {
        const struct xl_catalogue_model *model = xl_catalogue_at(catalogue, i);
        xl_candidate_add(out, place->prefix, model->key, model->about, true);
        if (has_slash && model->repo)
            xl_candidate_add(out, place->prefix, model->repo, model->key, false);
    }
    xl_catalogue_free(catalogue);
}

static void offer_presets(const struct xl_value_place *place, struct xl_candidates *out) {
    struct xl_presets *presets = NULL;
    if (xl_presets_load(&presets, NULL)) return;
    for (int i = 0; i < xl_presets_count(presets); i++) {
        const struct xl_preset *preset = xl_presets_at(presets, i);
        const char *about = xl_arena_printf(&out->arena, "%dx%d%s%s", preset->width, preset->height,
                                            preset->about[0] ? ", " : "", preset->about);
        xl_candidate_add(out, place->prefix, preset->name, about, true);
    }
    xl_presets_free(presets);
}

static void offer_files(const struct xl_value_place *place, const struct xl_named_files *files,
                        struct xl_candidates *out) {
    for (int i = 0; i < files->n; i++)
        xl_candidate_add(out, place->prefix, files->list[i].name, files->list[i].folder, false);
}

/* Names; files as well. */
static void offer_loras(const struct xl_value_place *place, struct xl_candidates *out) {
    struct xl_loras *loras = xl_loras_new();
    struct xl_named_files files;
    out->wants_files = true;
    if (loras && !xl_loras_list(loras, &files, NULL)) offer_files(place, &files, out);
    xl_loras_free(loras);
}

static void offer_embeddings(const struct xl_value_place *place, struct xl_candidates *out) {
    struct xl_named_files files;
    out->wants_files = true;
    if (!xl_named_files_list(XL_NAMED_EMBEDDINGS, &out->arena, &files, NULL))
        offer_files(place, &files, out);
}

static void offer_vaes(const struct xl_value_place *place, struct xl_candidates *out) {
    struct xl_named_files files;
    out->wants_files = true;
    if (!xl_named_files_list(XL_NAMED_VAES, &out->arena, &files, NULL))
        offer_files(place, &files, out);
}

static void offer_themes(const struct xl_value_place *place, struct xl_candidates *out) {
    const struct xl_theme *themes;
    int n;
    out->wants_files = true;
    if (xl_themes_list(&out->arena, &themes, &n, NULL)) return;
    for (int i = 0; i < n; i++)
        xl_candidate_add(out, place->prefix, themes[i].name, themes[i].path, true);
}

void xl_complete_values(const struct xl_value_place *place, struct xl_candidates *out) {
    const char *name;
    switch (place->kind) {
    case XL_COMPLETE_NOTHING:
    case XL_COMPLETE_AXIS:
        return;
    case XL_COMPLETE_FILE:
        out->wants_files = true;
        return;
    case XL_COMPLETE_DIR:
        out->wants_dirs = true;
        return;
    case XL_COMPLETE_MODEL:
        offer_models(place, out);
        return;
    case XL_COMPLETE_LORA:
        offer_loras(place, out);
        xl_candidate_add(out, place->prefix, "none", NULL, false);
        return;
    case XL_COMPLETE_LORA_FILE:
        offer_loras(place, out);
        return;
    case XL_COMPLETE_EMBEDDING:
        offer_embeddings(place, out);
        return;
    case XL_COMPLETE_THEME:
        offer_themes(place, out);
        return;
    case XL_COMPLETE_VAE:
        offer_vaes(place, out);
        xl_candidate_add(out, place->prefix, "none", NULL, false);
        return;
    case XL_COMPLETE_PROFILE:
        offer_profiles(place, out);
        return;
    case XL_COMPLETE_PRESET:
        offer_presets(place, out);
        return;
    case XL_COMPLETE_SCHEDULER:
        for (int i = 0; (name = xl_scheduler_list(i)); i++)
            xl_candidate_add(out, place->prefix, name, NULL, false);
        return;
    }
}
