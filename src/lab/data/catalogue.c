/* catalogue.c - the models by name; catalogue_state.c looks whether they are there. */
#include "lab/data/catalogue.h"
#include "base/path.h"
#include "hub/hub.h"
#include "hub/inventory.h"
#include "lab/data/data.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct xl_catalogue {
    struct xl_data data; /* holds every text */
    struct xl_catalogue_model *items;
    struct xl_named *named;
    int n;
};

static const char *const kinds[] = {"pipeline", "single-file", "lora", NULL};

const char *xl_catalogue_kind_name(enum xl_catalogue_kind kind) {
    return kinds[kind];
}

#define AT(field) offsetof(struct xl_catalogue_model, field)
/* The scheduler's choices are filled in when they are known. */
static const struct xl_data_field model_fields[] = {
    {"aliases", XL_DATA_NAMES, AT(aliases), 0, 0, NULL},
    {"repo", XL_DATA_TEXT, AT(repo), 0, 0, NULL},
    {"folder", XL_DATA_TEXT, AT(folder), 0, 0, NULL},
    {"revision", XL_DATA_TEXT, AT(revision), 0, 0, NULL},
    {"kind", XL_DATA_CHOICE, AT(kind), 0, 0, kinds},
    {"file", XL_DATA_TEXT, AT(file), 0, 0, NULL},
    {"base", XL_DATA_TEXT, AT(base), 0, 0, NULL},
    {"weight", XL_DATA_REAL, AT(lora_weight), -10, 10, NULL},
    {"licence", XL_DATA_TEXT, AT(licence), 0, 0, NULL},
    {"licence_note", XL_DATA_TEXT, AT(licence_note), 0, 0, NULL},
    {"commercial", XL_DATA_BOOL, AT(is_commercial), 0, 0, NULL},
    {"width", XL_DATA_INT, AT(width), 64, 16384, NULL},
    {"height", XL_DATA_INT, AT(height), 64, 16384, NULL},
    {"steps", XL_DATA_INT, AT(steps), 1, 1000, NULL},
    {"steps_min", XL_DATA_INT, AT(steps_min), 1, 1000, NULL},
    {"steps_max", XL_DATA_INT, AT(steps_max), 1, 1000, NULL},
    {"guidance", XL_DATA_REAL, AT(guidance), 0, 1000, NULL},
    {"guidance_min", XL_DATA_REAL, AT(guidance_min), 0, 1000, NULL},
    {"guidance_max", XL_DATA_REAL, AT(guidance_max), 0, 1000, NULL},
    {"scheduler", XL_DATA_CHOSEN, AT(scheduler), 0, 0, NULL},
    {"ignores_profile", XL_DATA_BOOL, AT(ignores_profile), 0, 0, NULL},
    {"ignores_negative", XL_DATA_BOOL, AT(ignores_negative), 0, 0, NULL},
    {"about", XL_DATA_TEXT, AT(about), 0, 0, NULL},
    {"tags", XL_DATA_TEXT, AT(tags), 0, 0, NULL},
    {"negative_tags", XL_DATA_TEXT, AT(negative_tags), 0, 0, NULL},
    {0},
};
enum { N_FIELDS = sizeof model_fields / sizeof *model_fields };

static enum xl_status check_sizes(const struct xl_data_entry *entry,
                                  const struct xl_catalogue_model *model, struct xl_err *err) {
    if (!model->width != !model->height)
        return xl_data_fail(entry, model->width ? "width" : "height", err,
                            "width and height go together");
    if (model->width % 8)
        return xl_data_fail(entry, "width", err, "%d is no multiple of 8", model->width);
    if (model->height % 8)
        return xl_data_fail(entry, "height", err, "%d is no multiple of 8", model->height);
    return XL_OK;
}

static enum xl_status check_limits(const struct xl_data_entry *entry,
                                   const struct xl_catalogue_model *model, struct xl_err *err) {
    const struct xl_catalogue_model *m = model;
    bool above = m->steps_max && (m->steps > m->steps_max || m->steps_min > m->steps_max);
    bool below = m->steps && m->steps < m->steps_min;
    if (above || below)
        return xl_data_fail(entry, "steps", err, "outside of steps_min to steps_max");
    /* Comparisons with NAN are false: what nobody said is not outside. */
    if (m->guidance > m->guidance_max || m->guidance < m->guidance_min ||
        m->guidance_min > m->guidance_max)
        return xl_data_fail(entry, "guidance", err, "outside of guidance_min to guidance_max");
    return XL_OK;
}

static enum xl_status check_place(const struct xl_data_entry *entry,
                                  const struct xl_catalogue_model *model, struct xl_err *err) {
    bool has_repo = model->repo && model->repo[0], has_folder = model->folder && model->folder[0];
    if (has_repo == has_folder)
        return xl_data_fail(entry, NULL, err, "expected repo (org/name) or folder, %s",
                            has_repo ? "not both" : "found neither");
    if (has_repo && (!strchr(model->repo, '/') || strchr(model->repo, ' ')))
        return xl_data_fail(entry, "repo", err, "\"%.100s\" is no repository (org/name)",
                            model->repo);
    if (model->revision && !model->revision[0])
        return xl_data_fail(entry, "revision", err, "expected a branch, a tag or a commit");
    if (model->kind == XL_KIND_LORA && !(model->base && model->base[0]))
        return xl_data_fail(entry, NULL, err, "a lora needs base: the model that it changes");
    return XL_OK;
}

/* The absolute folder of a model; NULL when it ships with the program and is not here. */
static enum xl_status place_folder(const struct xl_data_entry *entry,
                                   struct xl_catalogue_model *model, struct xl_arena *arena,
                                   struct xl_err *err) {
    const char *given = model->folder;
    struct xl_err why = {0};
    model->repo = given;
    model->is_embedded = !strcmp(model->origin, XL_DATA_BUILT_IN);
    if (model->is_embedded) {
        model->folder = xl_share_find(given, arena);
        return XL_OK;
    }
    enum xl_status status = xl_path_expand(given, arena, &model->folder, &why);
    if (status == XL_EINVAL) return xl_data_fail(entry, "folder", err, "%s", why.text);
    if (status) return xl_fail_nomem(err, "a path", 0);
    if (model->folder[0] != '/') {
        const char *slash = strrchr(model->origin, '/');
        int n = slash ? (int)(slash + 1 - model->origin) : 0;
        model->folder = xl_arena_printf(arena, "%.*s%s", n, model->origin, model->folder);
    }
    return model->folder ? XL_OK : xl_fail_nomem(err, "a path", 0);
}

/* An entry that says nothing. */
static const struct xl_catalogue_model nothing_known = {
    .licence = "unknown",
    .licence_note = "",
    .guidance = XL_NO_GUIDANCE,
    .guidance_min = XL_NO_GUIDANCE,
    .guidance_max = XL_NO_GUIDANCE,
    .lora_weight = 1,
    .about = "",
    .tags = "",
    .negative_tags = "",
};

static enum xl_status read_model(const struct xl_data_entry *entry,
                                 const struct xl_data_field *fields, struct xl_arena *arena,
                                 struct xl_catalogue_model *out, struct xl_err *err) {
    struct xl_catalogue_model model = nothing_known;
    model.key = entry->name;
    model.origin = entry->origin;
    enum xl_status status = xl_data_read(entry, fields, arena, &model, err);
    if (!status) status = check_place(entry, &model, err);
    if (!status) status = check_sizes(entry, &model, err);
    if (!status) status = check_limits(entry, &model, err);
    if (!status && model.folder) status = place_folder(entry, &model, arena, err);
    if (!status) *out = model;
    return status;
}

/* A repository or a folder may be no entry. Nor may be what somebody took out of the list, for what
 * came with it; their own entries are theirs to mend. */
static enum xl_status find_base(const struct xl_catalogue *catalogue,
                                const struct xl_data_entry *entry, struct xl_catalogue_model *model,
                                struct xl_err *err) {
    char near[256];
    model->base_model = xl_catalogue_find(catalogue, model->base);
    if (model->base_model && model->base_model->kind == XL_KIND_LORA)
        return xl_data_fail(entry, "base", err, "\"%.100s\" is a LoRA itself, expected a model",
                            model->base);
    bool is_own = strcmp(model->origin, XL_DATA_BUILT_IN) != 0;
    if (model->base_model || strchr(model->base, '/') || !is_own) return XL_OK;
    xl_catalogue_nearest(catalogue, model->base, near, sizeof near);
    return xl_data_fail(entry, "base", err, "there is no model \"%.100s\"%s%s%s", model->base,
                        near[0] ? "; did you mean " : "", near, near[0] ? "?" : "");
}

static enum xl_status read_all(struct xl_catalogue *catalogue, struct xl_err *err) {
    struct xl_arena *arena = &catalogue->data.arena;
    struct xl_data_field fields[N_FIELDS];
    int n = catalogue->data.n;
    catalogue->items = xl_arena_alloc(arena, (size_t)n * sizeof *catalogue->items);
    catalogue->named = xl_arena_alloc(arena, (size_t)n * sizeof *catalogue->named);
    const char *const *schedulers = xl_data_schedulers(arena);
    if (!catalogue->items || !catalogue->named || !schedulers)
        return xl_fail_nomem(err, "the catalogue", 0);
    memcpy(fields, model_fields, sizeof fields);
    for (struct xl_data_field *field = fields; field->name; field++)
        if (field->type == XL_DATA_CHOSEN) field->choices = schedulers;
    for (int i = 0; i < n; i++) {
        struct xl_catalogue_model *item = &catalogue->items[catalogue->n];
        enum xl_status status = read_model(&catalogue->data.entries[i], fields, arena, item, err);
        if (status) return status;
        if (item->is_embedded && !item->folder) continue; /* not in this installation */
        catalogue->named[catalogue->n++] =
            (struct xl_named){item->key, item->aliases, item->n_aliases};
    }
    enum xl_status status = XL_OK;
    for (int i = 0, k = 0; !status && i < catalogue->n; i++, k++) {
        struct xl_catalogue_model *item = &catalogue->items[i];
        while (catalogue->data.entries[k].name != item->key) k++; /* it has those left out, too */
        if (item->base) status = find_base(catalogue, &catalogue->data.entries[k], item, err);
    }
    return status;
}

enum xl_status xl_catalogue_load(const char *const *extra_files, int n_extra,
                                 struct xl_catalogue **out, struct xl_err *err) {
    struct xl_data_source source = {"models", xl_data_models, xl_data_models_size, extra_files,
                                    n_extra};
    struct xl_catalogue *catalogue = calloc(1, sizeof *catalogue);
    if (!catalogue) return xl_fail_nomem(err, "the catalogue", 0);
    enum xl_status status = xl_data_load(&source, &catalogue->data, err);
    if (!status) status = read_all(catalogue, err);
    if (status)
        xl_catalogue_free(catalogue);
    else
        *out = catalogue;
    return status;
}

void xl_catalogue_free(struct xl_catalogue *catalogue) {
    if (!catalogue) return;
    xl_data_deinit(&catalogue->data);
    free(catalogue);
}

int xl_catalogue_count(const struct xl_catalogue *catalogue) {
    return catalogue->n;
}

const struct xl_catalogue_model *xl_catalogue_at(const struct xl_catalogue *catalogue, int i) {
    return i >= 0 && i < catalogue->n ? &catalogue->items[i] : NULL;
}

const struct xl_catalogue_model *xl_catalogue_find(const struct xl_catalogue *catalogue,
                                                   const char *name) {
    /* With a slash it is a repository or a path: "./sdxl-turbo" is not "SDXL Turbo". */
    int i = strchr(name, '/') ? -1 : xl_named_find(catalogue->named, catalogue->n, name);
    for (int k = 0; i < 0 && k < catalogue->n; k++)
        if (!strcmp(catalogue->items[k].key, name) || !strcasecmp(catalogue->items[k].repo, name))
            i = k;
    return i < 0 ? NULL : &catalogue->items[i];
}

struct xl_catalogue_model xl_catalogue_unlisted(const char *id, enum xl_catalogue_kind kind) {
    struct xl_catalogue_model model = nothing_known;
    model.key = model.repo = id;
    model.kind = kind;
    model.origin = "cache";
    return model;
}

/* What is made of a folder of the cache; false: nothing that draws. */
static bool kind_of(enum xl_hub_folder_kind folder, enum xl_catalogue_kind *out) {
    switch (folder) {
    case XL_HUB_FOLDER_SDXL:
        *out = XL_KIND_PIPELINE;
        return true;
    case XL_HUB_FOLDER_SINGLE_FILES:
        *out = XL_KIND_SINGLE_FILE;
        return true;
    case XL_HUB_FOLDER_LORA:
        *out = XL_KIND_LORA;
        return true;
    default:
        return false;
    }
}

enum xl_status xl_catalogue_cached(const struct xl_catalogue *catalogue, bool with_loras,
                                   struct xl_arena *arena, const struct xl_catalogue_model **out,
                                   int *n, struct xl_err *err) {
    struct xl_hub_scan scan = {NULL, 0};
    enum xl_status status = xl_hub_scan(arena, &scan, err);
    if (status) return status;
    struct xl_catalogue_model *models =
        xl_arena_alloc(arena, (size_t)(scan.n + 1) * sizeof *models);
    if (!models) return xl_fail_nomem(err, "the models of the cache", 0);
    *n = 0;
    for (int k = XL_KIND_PIPELINE; k <= (with_loras ? XL_KIND_LORA : XL_KIND_SINGLE_FILE); k++)
        for (int i = 0; i < scan.n; i++) {
            enum xl_catalogue_kind kind;
            const char *id = scan.found[i].id;
            if (!kind_of(scan.found[i].is.kind, &kind) || (int)kind != k) continue;
            if (xl_catalogue_has_repository(catalogue, id)) continue;
            models[(*n)++] = xl_catalogue_unlisted(id, kind);
        }
    *out = models;
    return XL_OK;
}

const struct xl_catalogue_model *xl_catalogue_base(const struct xl_catalogue_model *model) {
    return model->kind == XL_KIND_LORA ? model->base_model : model;
}

/* A model of the catalogue, called by its repository, too. */
static bool add_known(const struct xl_catalogue *catalogue, int i, struct xl_arena *arena,
                      struct xl_named *out) {
    const struct xl_named *known = &catalogue->named[i];
    const char **aliases = xl_arena_alloc(arena, (size_t)(known->n_aliases + 1) * sizeof *aliases);
    const char *repo = catalogue->items[i].repo, *slash = strrchr(repo, '/');
    if (!aliases) return false;
    for (int k = 0; k < known->n_aliases; k++) aliases[k] = known->aliases[k];
    aliases[known->n_aliases] = slash ? slash + 1 : repo;
    *out = (struct xl_named){known->name, aliases, known->n_aliases + 1};
    return true;
}

/* A repository of the cache, called by its name without the organisation, too. */
static bool add_cached(const char *id, struct xl_arena *arena, struct xl_named *out) {
    const char **alias = xl_arena_alloc(arena, sizeof *alias);
    const char *slash = strrchr(id, '/');
    if (!alias) return false;
    *alias = slash ? slash + 1 : id;
    *out = (struct xl_named){id, alias, 1};
    return true;
}

bool xl_catalogue_has_repository(const struct xl_catalogue *catalogue, const char *id) {
    for (int i = 0; i < catalogue->n; i++)
        if (!strcasecmp(catalogue->items[i].repo, id)) return true;
    return false;
}

char *xl_catalogue_nearest(const struct xl_catalogue *catalogue, const char *name, char *out,
                           size_t size) {
    struct xl_arena arena = {0};
    struct xl_hub_repositories cached = {NULL, 0};
    const char *slash = strrchr(name, '/');
    int n = 0;
    out[0] = 0;
    /* Without memory for it the cache is left out: this is only a hint. */
    if (xl_hub_repositories(&arena, &cached, NULL)) cached.n = 0;
    struct xl_named *all =
        xl_arena_alloc(&arena, (size_t)(catalogue->n + cached.n + 1) * sizeof *all);
    for (int i = 0; all && i < catalogue->n; i++) n += add_known(catalogue, i, &arena, &all[n]);
    for (int i = 0; all && i < cached.n; i++)
        if (!xl_catalogue_has_repository(catalogue, cached.id[i]))
            n += add_cached(cached.id[i], &arena, &all[n]);
    xl_named_nearest(all, n, slash ? slash + 1 : name, out, size);
    xl_arena_deinit(&arena);
    return out;
}
