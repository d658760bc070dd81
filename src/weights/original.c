/* original.c - which tensors of a file make a component, and as what. */
#include "weights/original.h"
#include "weights/original_names.h"
#include "weights/safetensors.h"

#include "base/arena.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct selection {
    const struct xl_weights *file;
    enum xl_original component;
    const char *prefix;
    bool is_plain; /* behind the prefix the names are diffusers' already */
    bool is_short; /* but for their beginning, "text_model." */
    struct xl_original_unet unet;
    int n_levels; /* of the VAE */
    struct xl_arena arena;
    struct xl_weights_pick *picks;
    int n;
};

static bool has(const struct xl_weights *file, const char *prefix, const char *name) {
    char full[XL_ORIGINAL_NAME];
    const char *at = full;
    snprintf(full, sizeof full, "%s%s", prefix, name);
    return xl_weights_find(file, at) || xl_weights_why_not(file, at);
}

/* --- What the file calls the component ---------------------------------------------------------
 */

/* A VAE stands under one of three prefixes; "" is a file of nothing else. */
static bool find_vae(struct selection *s) {
    static const char *const prefixes[] = {"first_stage_model.", "vae.", ""};
    size_t i = 0, n = sizeof prefixes / sizeof *prefixes;
    while (i < n && !has(s->file, prefixes[i], "decoder.conv_in.weight")) i++;
    if (i == n) return false;
    s->prefix = prefixes[i];
    s->is_plain = has(s->file, s->prefix, "decoder.up_blocks.0.resnets.0.norm1.weight");
    for (char name[64]; s->n_levels < XL_ORIGINAL_LEVELS; s->n_levels++) {
        snprintf(name, sizeof name, "decoder.up.%d.block.0.norm1.weight", s->n_levels);
        if (!has(s->file, s->prefix, name)) break;
    }
    return s->is_plain || s->n_levels;
}

static enum xl_status find(struct selection *s, const char *label, struct xl_err *err) {
    static const struct {
        const char *prefix, *mark, *other_mark;
    } marks[] = {
        [XL_ORIGINAL_UNET] = {"model.diffusion_model.", "input_blocks.0.0.weight", ""},
        [XL_ORIGINAL_VAE] = {"first_stage_model.", "decoder.conv_in.weight", ""},
        [XL_ORIGINAL_TEXT] = {"conditioner.embedders.0.transformer.",
                              "text_model.embeddings.token_embedding.weight",
                              "embeddings.token_embedding.weight"},
        [XL_ORIGINAL_TEXT_2] = {"conditioner.embedders.1.model.", "token_embedding.weight", ""},
    };
    const char *prefix = marks[s->component].prefix, *mark = marks[s->component].mark;
    s->prefix = prefix;
    s->is_plain = s->component == XL_ORIGINAL_TEXT;
    bool is_there = s->component == XL_ORIGINAL_VAE
                        ? find_vae(s)
                        : has(s->file, prefix, mark) ||
                              has(s->file, prefix, marks[s->component].other_mark);
    if (!is_there)
        return xl_fail(err, XL_EFORMAT, "%s: holds no %s: there is no tensor \"%s%s\"",
                       xl_weights_path(s->file), label, prefix, mark);
    s->is_short = s->is_plain && s->component == XL_ORIGINAL_TEXT && !has(s->file, prefix, mark);
    if (s->component == XL_ORIGINAL_UNET) {
        struct xl_original_levels levels;
        xl_original_read_levels(s->file, prefix, &levels);
        xl_original_unet_init(&levels, &s->unet);
    }
    return XL_OK;
}

/* --- Its tensors -------------------------------------------------------------------------------
 */

static bool translate(const struct selection *s, const char *name, char out[XL_ORIGINAL_NAME],
                      enum xl_original_form *form) {
    *form = XL_ORIGINAL_WHOLE;
    if (s->is_plain)
        return snprintf(out, XL_ORIGINAL_NAME, "%s%s", s->is_short ? "text_model." : "", name) > 0;
    switch (s->component) {
    case XL_ORIGINAL_UNET:
        return xl_original_unet_name(&s->unet, name, out);
    case XL_ORIGINAL_VAE:
        return xl_original_vae_name(s->n_levels, name, out);
    case XL_ORIGINAL_TEXT:
        break;
    case XL_ORIGINAL_TEXT_2:
        return xl_original_text_name(name, out, form);
    }
    return false;
}

static enum xl_status add(struct selection *s, struct xl_weights_pick pick, struct xl_err *err) {
    pick.name = xl_arena_strdup(&s->arena, pick.name);
    if (!pick.name) return xl_fail_nomem(err, "the names of tensors", 0);
    s->picks[s->n++] = pick;
    return XL_OK;
}

/* The three that a fused tensor holds, one below the other. format: with "%s" */
static enum xl_status add_fused(struct selection *s, struct xl_weights_pick pick,
                                const char *format, struct xl_err *err) {
    static const char *const which[] = {"q", "k", "v"};
    const char *mark = strstr(format, "%s");
    int64_t rows = pick.tensor && pick.tensor->shape.rank ? pick.tensor->shape.dim[0] : 0;
    enum xl_status status = XL_OK;
    if (pick.tensor && (!rows || rows % 3))
        return xl_fail(err, XL_EFORMAT,
                       "%s: tensor \"%s\" has %lld rows, expected three times as many as there are "
                       "channels",
                       xl_weights_path(s->file), pick.tensor->name, (long long)rows);
    for (int i = 0; !status && i < 3; i++) {
        char name[XL_ORIGINAL_NAME];
        snprintf(name, sizeof name, "%.*s%s%s", (int)(mark - format), format, which[i], mark + 2);
        pick.name = name;
        pick.n_rows = rows / 3;
        pick.first_row = i * pick.n_rows;
        status = add(s, pick, err);
    }
    return status;
}

/* A tensor of the file, or one that was left out and why. */
static enum xl_status consider(struct selection *s, const char *file_name,
                               const struct xl_tensor *tensor, const char *why,
                               struct xl_err *err) {
    char name[XL_ORIGINAL_NAME];
    enum xl_original_form form;
    size_t n = strlen(s->prefix);
    if (strncmp(file_name, s->prefix, n)) return XL_OK;
    if (!translate(s, file_name + n, name, &form)) return XL_OK;
    struct xl_weights_pick pick = {.name = name, .tensor = tensor, .why = why};
    if (form == XL_ORIGINAL_FUSED) return add_fused(s, pick, name, err);
    pick.is_turned = form == XL_ORIGINAL_TURNED;
    return add(s, pick, err);
}

static enum xl_status gather(struct selection *s, struct xl_err *err) {
    int n = xl_weights_count(s->file), n_all = n;
    const struct xl_left_out *left_out = xl_weights_left_out(s->file);
    for (const struct xl_left_out *at = left_out; at; at = at->next) n_all++;
    s->picks = calloc(3 * (size_t)n_all + 1, sizeof *s->picks);
    if (!s->picks) return xl_fail_nomem(err, "a list of tensors", 0);
    enum xl_status status = XL_OK;
    for (int i = 0; !status && i < n; i++) {
        const struct xl_tensor *tensor = xl_weights_at(s->file, i);
        status = consider(s, tensor->name, tensor, NULL, err);
    }
    for (const struct xl_left_out *at = left_out; !status && at; at = at->next)
        status = consider(s, at->name, NULL, at->why, err);
    return status;
}

enum xl_status xl_original_select(struct xl_weights *file, enum xl_original component,
                                  const char *label, struct xl_weights **out, struct xl_err *err) {
    struct selection s = {.file = file, .component = component};
    enum xl_status status = find(&s, label, err);
    if (!status) status = gather(&s, err);
    if (!status) status = xl_weights_select(file, label, s.picks, s.n, out, err);
    free(s.picks);
    xl_arena_deinit(&s.arena);
    return status;
}
