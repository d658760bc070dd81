/* lora_facts.c - a LoRA's file held against the modules of the models that it may be for. */
#include "lab/data/lora_facts.h"

#include "base/json.h"
#include "hub/classify.h"
#include "lab/data/data.h"
#include "model/lora_map.h"
#include "model/sdxl.h"

#include <math.h>
#include <string.h>

/* A model that is known without looking for one. */
struct known {
    const char *name;
    struct xl_unet_config unet;
    struct xl_clip_config text, text_2;
};

/* A file on its way. */
struct looking {
    const struct xl_lora_file *file;
    struct xl_arena *arena;
    struct xl_lora_facts *facts;
};

static enum xl_status nomem(struct xl_err *err) {
    return xl_fail_nomem(err, "what is told of a LoRA", 0);
}

/* Why a file is refused, without its name, which is known here. */
static const char *reason(struct xl_arena *arena, const char *path, const char *sentence) {
    size_t n = strlen(path);
    bool is_named = !strncmp(sentence, path, n) && !strncmp(sentence + n, ": ", 2);
    return xl_arena_strdup(arena, is_named ? sentence + n + 2 : sentence);
}

/* --- Ranks ------------------------------------------------------------------------------------ */

static void widen(struct xl_lora_span *span, double value) {
    if (!(span->most > 0) || value < span->least) span->least = value;
    if (value > span->most) span->most = value;
}

static void measure(const struct looking *looking) {
    struct xl_lora_facts *facts = looking->facts;
    facts->n_modules = xl_lora_file_count(looking->file);
    for (int i = 0; i < facts->n_modules; i++) {
        const struct xl_lora_module *module = xl_lora_file_at(looking->file, i);
        if (!module->rank) continue;
        widen(&facts->rank, (double)module->rank);
        widen(&facts->alpha, fabs(module->scale) * (double)module->rank);
    }
}

/* --- Models ----------------------------------------------------------------------------------- */

static void set_sdxl(struct known *out) {
    *out = (struct known){"SDXL", xl_sdxl_unet, xl_sdxl_text, xl_sdxl_text_2};
}

static enum xl_status load_config(const char *dir, const char *part, struct xl_arena *arena,
                                  json_t **out, const char **path, struct xl_err *err) {
    *path = xl_arena_printf(arena, "%s/%s/config.json", dir, part);
    return *path ? xl_json_load(*path, out, err) : nomem(err);
}

static enum xl_status read_text(const char *dir, const char *part, struct xl_arena *arena,
                                struct xl_clip_config *out, struct xl_err *err) {
    json_t *root = NULL;
    const char *path;
    enum xl_status status = load_config(dir, part, arena, &root, &path, err);
    if (!status) status = xl_clip_config_read((struct xl_json){root, path}, out, err);
    json_decref(root);
    return status;
}

/* The model that ships with the program, for the LoRAs that do. Errors: XL_EMODEL it is not there
 */
static enum xl_status set_tiny(struct xl_arena *arena, struct known *out, struct xl_err *err) {
    json_t *root = NULL;
    const char *dir = xl_share_find("models/lab-tiny-xl", arena), *path;
    if (!dir) return xl_fail(err, XL_EMODEL, "Lab Tiny XL is not there");
    *out = (struct known){.name = "Lab Tiny XL"};
    enum xl_status status = load_config(dir, "unet", arena, &root, &path, err);
    if (!status) status = xl_unet_config_read((struct xl_json){root, path}, &out->unet, err);
    json_decref(root);
    if (!status) status = read_text(dir, "text_encoder", arena, &out->text, err);
    if (!status) status = read_text(dir, "text_encoder_2", arena, &out->text_2, err);
    return status;
}

/* --- Whether it fits -------------------------------------------------------------------------- */

static enum xl_status sort_modules(const struct looking *looking, const struct xl_lora_map *map,
                                   struct xl_err *err) {
    struct xl_lora_facts *facts = looking->facts;
    facts->unmatched =
        xl_arena_alloc(looking->arena, ((size_t)facts->n_modules + 1) * sizeof *facts->unmatched);
    if (!facts->unmatched) return nomem(err);
    for (int i = 0; i < facts->n_modules; i++) {
        const char *name = xl_lora_file_at(looking->file, i)->name;
        enum xl_lora_part part;
        if (xl_lora_map_find(map, name, &part)) {
            facts->n_in_part[part]++;
            continue;
        }
        const char *copy = xl_arena_strdup(looking->arena, name);
        if (!copy) return nomem(err);
        facts->unmatched[facts->n_unmatched++] = copy;
    }
    return XL_OK;
}

/* Errors: XL_EFORMAT it does not, and why; XL_ENOMEM */
static enum xl_status try_model(const struct looking *looking, const struct known *model,
                                struct xl_err *err) {
    const struct xl_lora_use use = {.file = looking->file, .text_scale = 1, .unet_scale = 1};
    const struct xl_lora_configs configs = {&model->unet, &model->text, &model->text_2};
    struct xl_lora_count count;
    struct xl_lora_map *map = NULL;
    enum xl_status status = xl_lora_map_new(configs, &map, err);
    if (!status) status = xl_lora_map_apply(map, &use, &count, err);
    if (!status && !count.n_applied)
        status = xl_fail(err, XL_EFORMAT,
                         "none of its %d modules is one of %s; the first is \"%s\"",
                         count.n_unmatched, model->name, count.first_unmatched);
    if (!status) status = sort_modules(looking, map, err);
    if (!status) looking->facts->fits = model->name;
    xl_lora_map_free(map);
    return status;
}

/* SDXL first: what it says is the reason where neither fits. */
static enum xl_status try_models(const struct looking *looking, struct xl_err *err) {
    struct known model;
    struct xl_err why = {0};
    set_sdxl(&model);
    enum xl_status status = try_model(looking, &model, &why);
    if (status == XL_EFORMAT) {
        looking->facts->why_not =
            reason(looking->arena, xl_lora_file_path(looking->file), why.text);
        if (!looking->facts->why_not) return nomem(err);
        status = set_tiny(looking->arena, &model, &why);
        if (!status) status = try_model(looking, &model, &why);
    }
    if (status == XL_ENOMEM) return xl_fail(err, status, "%s", why.text);
    if (looking->facts->fits) looking->facts->why_not = NULL;
    return XL_OK;
}

static enum xl_status look(const char *path, struct xl_arena *arena, struct xl_lora_facts *facts,
                           struct xl_err *err) {
    struct xl_err why = {0};
    struct xl_lora_file *file = NULL;
    enum xl_status status = xl_lora_file_open(path, &file, &why);
    const struct looking looking = {file, arena, facts};
    if (status == XL_ENOMEM) return xl_fail(err, status, "%s", why.text);
    if (!status) measure(&looking);
    if (facts->is.need)
        facts->why_not = xl_arena_printf(arena, "this is %s; %s", facts->is.what, facts->is.need);
    else if (status)
        facts->why_not = reason(arena, path, why.text);
    else
        status = try_models(&looking, err);
    xl_lora_file_close(file);
    if (status == XL_ENOMEM) return status;
    return facts->fits || facts->why_not ? XL_OK : nomem(err);
}

enum xl_status xl_lora_facts_read(const char *path, struct xl_arena *arena,
                                  struct xl_lora_facts *out, struct xl_err *err) {
    struct xl_lora_facts facts = {0};
    enum xl_status status = xl_hub_classify_file(path, arena, &facts.is, err);
    if (!status && facts.is.kind != XL_FILE_LORA)
        status = xl_hub_refuse_file(path, &facts.is, "a LoRA", err);
    if (!status) status = look(path, arena, &facts, err);
    if (!status) *out = facts;
    return status;
}
