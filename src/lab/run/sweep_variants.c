/* sweep_variants.c - models with another VAE or with LoRAs: which ones a cell asks for, and the
 * model of the sweep that this makes.
 */
#include "lab/run/sweep_plan.h"

#include "base/json.h"
#include "engine/lora_json.h"
#include "hub/hub.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- As it is opened -------------------------------------------------------------------------- */

void xl_sweep_model_params(const struct xl_sweep_model *model, struct xl_lora *loras,
                           struct xl_model_params *out) {
    xl_model_params_default(out);
    out->model = model->id;
    out->revision = model->commit ? model->commit : model->revision;
    out->vae = model->vae;
    out->n_loras = model->n_loras;
    out->loras = loras;
    for (int i = 0; i < model->n_loras; i++) {
        const struct xl_sweep_lora *lora = &model->loras[i];
        loras[i] = (struct xl_lora){lora->file, lora->text_scale, lora->unet_scale};
    }
}

const struct xl_sweep_lora *xl_sweep_lora_changed(const struct xl_sweep_model *model) {
    for (int i = 0; i < model->n_loras; i++) {
        char digest[XL_SHA256_HEX];
        const struct xl_sweep_lora *lora = &model->loras[i];
        if (xl_hub_file_digest(lora->file, digest, NULL) || strcmp(digest, lora->digest) != 0)
            return lora;
    }
    return NULL;
}

/* --- As JSON ---------------------------------------------------------------------------------- */

static json_t *describe(const struct xl_sweep_model *model) {
    json_t *list = json_array();
    bool ok = list != NULL;
    for (int i = 0; i < model->n_loras; i++) {
        const struct xl_sweep_lora *lora = &model->loras[i];
        const struct xl_lora_info info = {.name = lora->name,
                                          .digest = lora->digest,
                                          .text_scale = lora->text_scale,
                                          .unet_scale = lora->unet_scale};
        json_t *object = xl_lora_json(&info);
        xl_json_put(object, "file", xl_json_text(lora->file), &ok);
        ok &= !json_array_append_new(list, object);
    }
    return xl_json_finish(list, ok);
}

void xl_sweep_variant_put(json_t *object, const struct xl_sweep_model *model, bool *ok) {
    if (model->vae) xl_json_put(object, "vae_id", xl_json_text(model->vae), ok);
    if (model->n_loras) xl_json_put(object, "loras", describe(model), ok);
}

static enum xl_status read_lora(const json_t *object, const char *name, struct xl_arena *arena,
                                struct xl_sweep_lora *out, struct xl_err *err) {
    const struct xl_json json = {object, name};
    const char *texts[3] = {NULL}, *const keys[3] = {"name", "file", "digest"};
    enum xl_status status = XL_OK;
    for (int i = 0; !status && i < 3; i++) {
        status = xl_json_string(json, keys[i], &texts[i], err);
        if (!status && !texts[i])
            status = xl_fail(err, XL_EINPUT, "%s: a LoRA has no \"%s\"", name, keys[i]);
        if (!status && !(texts[i] = xl_arena_strdup(arena, texts[i])))
            status = xl_fail_nomem(err, "a LoRA", 0);
    }
    *out = (struct xl_sweep_lora){texts[0], texts[1], texts[2], 1, 1};
    if (!status) status = xl_json_double(json, "text_scale", -1e6, 1e6, &out->text_scale, err);
    if (!status) status = xl_json_double(json, "unet_scale", -1e6, 1e6, &out->unet_scale, err);
    return status == XL_EFORMAT ? XL_EINPUT : status;
}

enum xl_status xl_sweep_variant_read(const json_t *object, const char *name, struct xl_arena *arena,
                                     struct xl_sweep_model *model, struct xl_err *err) {
    const json_t *list = json_object_get(object, "loras");
    const char *vae = json_string_value(json_object_get(object, "vae_id"));
    size_t n = json_array_size(list);
    if (n > XL_LORAS_MAX)
        return xl_fail(err, XL_EINPUT, "%s: a model has %zu LoRAs, at most %d", name, n,
                       XL_LORAS_MAX);
    struct xl_sweep_lora *loras = n ? xl_arena_alloc(arena, n * sizeof *loras) : NULL;
    model->vae = vae ? xl_arena_strdup(arena, vae) : NULL;
    if ((n && !loras) || (vae && !model->vae)) return xl_fail_nomem(err, "a model", 0);
    enum xl_status status = XL_OK;
    for (size_t i = 0; !status && i < n; i++)
        status = read_lora(json_array_get(list, i), name, arena, &loras[i], err);
    model->loras = loras;
    model->n_loras = (int)n;
    return status;
}

/* --- What a cell asks for --------------------------------------------------------------------- */

static enum xl_status need_loras(struct xl_sweep_plan *plan, struct xl_err *err) {
    if (!plan->loras) plan->loras = xl_loras_new();
    return plan->loras ? XL_OK : xl_fail_nomem(err, "LoRAs", 0);
}

/* The LoRAs on their way: each file once, its scales added up. */
struct loras {
    struct xl_sweep_lora item[XL_LORAS_MAX];
    int n;
};

static enum xl_status add(struct loras *loras, const struct xl_sweep_lora *lora,
                          struct xl_err *err) {
    int i = 0;
    while (i < loras->n && strcmp(loras->item[i].digest, lora->digest) != 0) i++;
    if (i == XL_LORAS_MAX)
        return xl_fail(err, XL_EINVAL, "more than %d LoRAs for one picture", XL_LORAS_MAX);
    if (i == loras->n) {
        loras->item[loras->n++] = *lora;
        return XL_OK;
    }
    loras->item[i].text_scale += lora->text_scale;
    loras->item[i].unet_scale += lora->unet_scale;
    return XL_OK;
}

static enum xl_status add_said(struct xl_sweep_plan *plan, const struct xl_lora_list *said,
                               struct loras *loras, struct xl_err *err) {
    enum xl_status status = said->n ? need_loras(plan, err) : XL_OK;
    for (int i = 0; !status && i < said->n; i++) {
        const struct xl_lora_place *file = NULL;
        status = xl_loras_find(plan->loras, said->item[i].name, &file, err);
        if (status) break;
        struct xl_arena *arena = &plan->sweep->arena; /* run.json has them when the plan is gone */
        struct xl_sweep_lora lora = {xl_arena_strdup(arena, file->name),
                                     xl_arena_strdup(arena, file->path),
                                     xl_arena_strdup(arena, file->digest), said->item[i].text_scale,
                                     said->item[i].unet_scale};
        if (!lora.name || !lora.file || !lora.digest) return xl_fail_nomem(err, "a LoRA", 0);
        status = add(loras, &lora, err);
    }
    return status;
}

static int by_digest(const void *a, const void *b) {
    return strcmp(((const struct xl_sweep_lora *)a)->digest,
                  ((const struct xl_sweep_lora *)b)->digest);
}

/* What does nothing is left out; the order is one, for sums of roundings depend on it. */
static void settle(struct loras *loras) {
    int n = 0;
    for (int i = 0; i < loras->n; i++)
        if (loras->item[i].text_scale != 0 || loras->item[i].unet_scale != 0)
            loras->item[n++] = loras->item[i];
    loras->n = n;
    qsort(loras->item, (size_t)n, sizeof *loras->item, by_digest);
}

/* Each name as it is shown. user: the plan */
static enum xl_status shorten(void *user, const char *name, const char **to, struct xl_err *err) {
    struct xl_sweep_plan *plan = user;
    const struct xl_lora_place *file = NULL;
    enum xl_status status = need_loras(plan, err);
    if (!status) status = xl_loras_find(plan->loras, name, &file, err);
    if (!status) *to = file->said;
    return status;
}

/* What --lora says, as the cell shows it: "glass:0.8 + turbo". */
static enum xl_status show_loras(struct xl_sweep_plan *plan, const struct xl_settings *settings,
                                 const char **out, struct xl_err *err) {
    struct xl_arena *arena = &plan->sweep->arena;
    const char *shown = NULL;
    for (int i = 0; i < settings->loras.n; i++) {
        const char *one = NULL;
        enum xl_status status =
            xl_lora_text_rename(settings->loras.item[i], shorten, plan, arena, &one, err);
        if (status) return status;
        if (!one[0] || !strcmp(one, "none")) continue;
        shown = shown ? xl_arena_printf(arena, "%s + %s", shown, one) : one;
        if (!shown) return xl_fail_nomem(err, "a LoRA", 0);
    }
    *out = shown;
    return XL_OK;
}

/* In a negative prompt a LoRA would change the model as well, which nobody means. */
static enum xl_status clean_negative(struct xl_sweep_plan *plan, struct xl_cell *cell,
                                     struct xl_err *err) {
    static const char LINE[] = "a LoRA in the negative prompt changes nothing: it is left out\n";
    struct xl_str *notices = &plan->sweep->notices;
    if (!xl_lora_tags_are_in(cell->effective_negative)) return XL_OK;
    if (!notices->text || !strstr(notices->text, LINE)) xl_str_puts(notices, LINE);
    return xl_lora_tags_take(cell->effective_negative, &plan->sweep->arena,
                             &cell->effective_negative, NULL, err);
}

static enum xl_status collect(struct xl_sweep_plan *plan, const struct xl_settings *settings,
                              struct xl_cell *cell, struct loras *out, struct xl_err *err) {
    const struct xl_sweep_model *base = &plan->sweep->models[cell->model];
    struct xl_arena *arena = &plan->sweep->arena;
    struct xl_lora_list asked = {.n = 0}, tags = {.n = 0};
    char said[XL_SAY_MAX];
    enum xl_status status = XL_OK;
    out->n = 0;
    for (int i = 0; !status && i < base->n_loras; i++) status = add(out, &base->loras[i], err);
    for (int i = 0; !status && i < settings->loras.n; i++)
        status = xl_lora_text_read(settings->loras.item[i], arena, &asked, err);
    if (!status) status = add_said(plan, &asked, out, err);
    if (status) return xl_fail_context(err, status, "%s", xl_settings_say(settings, "lora", said));
    status = xl_lora_tags_take(cell->styled_prompt, arena, &cell->styled_prompt, &tags, err);
    if (!status) status = add_said(plan, &tags, out, err);
    if (status) return xl_fail_context(err, status, "prompt");
    settle(out);
    return clean_negative(plan, cell, err);
}

static bool is_vae(const char *text) {
    return text && text[0] && strcmp(text, "none") != 0;
}

static enum xl_status find_vae(const struct xl_sweep_plan *plan, const struct xl_settings *settings,
                               const char **vae, const char **said, struct xl_err *err) {
    *vae = *said = NULL;
    if (!is_vae(settings->vae)) return XL_OK;
    enum xl_status status = xl_vae_find(settings->vae, &plan->sweep->arena, vae, said, err);
    char name[XL_SAY_MAX];
    return status ? xl_fail_context(err, status, "%s", xl_settings_say(settings, "vae", name))
                  : XL_OK;
}

enum xl_status xl_sweep_variant_first_vae(const struct xl_sweep_plan *plan, const char **vae,
                                          struct xl_err *err) {
    const struct xl_axis *axis = xl_sweep_axis_of(plan, "vae");
    const char *said;
    for (int i = 0; axis && i < axis->n; i++)
        if (is_vae(axis->values[i]))
            return xl_vae_find(axis->values[i], &plan->sweep->arena, vae, &said, err);
    return find_vae(plan, plan->settings, vae, &said, err);
}

/* --- The model that this makes ---------------------------------------------------------------- */

static bool is_same(const struct xl_sweep_model *model, const struct loras *loras,
                    const char *vae) {
    bool is_vae = model->vae && vae ? !strcmp(model->vae, vae) : model->vae == vae;
    if (!is_vae || model->n_loras != loras->n) return false;
    for (int i = 0; i < loras->n; i++) {
        const struct xl_sweep_lora *a = &model->loras[i], *b = &loras->item[i];
        if (strcmp(a->digest, b->digest) != 0 || a->text_scale != b->text_scale ||
            a->unet_scale != b->unet_scale)
            return false;
    }
    return true;
}

/* Behind the models that are there. */
static enum xl_status append(struct xl_sweep_plan *plan, const struct xl_sweep_model *model,
                             struct xl_err *err) {
    struct xl_sweep *sweep = plan->sweep;
    enum xl_status status = xl_sweep_models_grow(plan, err);
    if (!status) sweep->models[sweep->n_models++] = *model;
    return status;
}

static enum xl_status make_variant(struct xl_sweep_plan *plan, int base, const struct loras *loras,
                                   const char *vae, struct xl_err *err) {
    struct xl_sweep *sweep = plan->sweep;
    struct xl_sweep_model variant = sweep->models[base];
    size_t bytes = (size_t)loras->n * sizeof *loras->item;
    struct xl_sweep_lora *kept = xl_arena_alloc(&sweep->arena, bytes + 1);
    struct xl_model *open = NULL;
    struct xl_err why = {0};
    if (!kept) return xl_fail_nomem(err, "LoRAs", bytes);
    memcpy(kept, loras->item, bytes);
    variant.base = base;
    variant.open = NULL;
    variant.digest[0] = 0;
    variant.vae = vae;
    variant.loras = kept;
    variant.n_loras = loras->n;
    enum xl_status status = xl_sweep_model_look_at(&sweep->arena, &variant, &open, &why);
    xl_model_close(open);
    bool is_all = plan->model_axis && plan->model_axis->is_all;
    if (status && is_all && status != XL_ENOMEM)
        return xl_sweep_model_leave_out(sweep, &sweep->models[base], why.text, err);
    if (status) return xl_fail(err, status, "%s", why.text);
    return append(plan, &variant, err);
}

/* The model has no VAE of its own, and no other is asked for. */
static enum xl_status refuse_own_vae(struct xl_sweep_plan *plan, struct xl_sweep_model *base,
                                     struct xl_err *err) {
    struct xl_sweep_model own = *base;
    struct xl_model *open = NULL;
    struct xl_err why = {0};
    own.vae = NULL;
    enum xl_status status = xl_sweep_model_look_at(&plan->sweep->arena, &own, &open, &why);
    xl_model_close(open);
    bool is_all = plan->model_axis && plan->model_axis->is_all;
    if (status && is_all && status != XL_ENOMEM)
        return xl_sweep_model_leave_out(plan->sweep, base, why.text, err);
    return status ? xl_fail(err, status, "%s", why.text) : XL_OK;
}

enum xl_status xl_sweep_variant_choose(struct xl_sweep_plan *plan,
                                       const struct xl_settings *settings, struct xl_cell *cell,
                                       struct xl_err *err) {
    struct xl_sweep *sweep = plan->sweep;
    struct loras loras;
    const char *vae = NULL;
    int base = cell->model;
    if (sweep->models[base].skipped) return XL_OK; /* its cells are dropped */
    enum xl_status status = collect(plan, settings, cell, &loras, err);
    if (!status) status = find_vae(plan, settings, &vae, &cell->vae, err);
    if (!status) status = show_loras(plan, settings, &cell->lora, err);
    if (status) return status;
    if (!vae && sweep->models[base].vae) {
        status = refuse_own_vae(plan, &sweep->models[base], err);
        if (status || sweep->models[base].skipped) return status;
    }
    for (int m = 0; m < sweep->n_models; m++) {
        if (sweep->models[m].base != base || !is_same(&sweep->models[m], &loras, vae)) continue;
        cell->model = m;
        return XL_OK;
    }
    status = make_variant(plan, base, &loras, vae, err);
    if (!status && !sweep->models[base].skipped) cell->model = sweep->n_models - 1;
    return status;
}

/* --- Values of axes --------------------------------------------------------------------------- */

enum xl_status xl_sweep_variant_check_lora(struct xl_sweep_plan *plan, const char *text,
                                           struct xl_err *err) {
    struct xl_lora_list said = {.n = 0};
    struct loras loras = {.n = 0};
    enum xl_status status = xl_lora_text_read(text, &plan->sweep->arena, &said, err);
    return status ? status : add_said(plan, &said, &loras, err);
}

enum xl_status xl_sweep_variant_check_vae(struct xl_sweep_plan *plan, const char *text,
                                          struct xl_err *err) {
    const char *vae, *said;
    return xl_vae_find(text, &plan->sweep->arena, &vae, &said, err);
}
