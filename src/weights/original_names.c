/* original_names.c - the tables and the grammar of names. Nothing is found by searching inside a
 * name: it is read from its beginning, part by part, so that no name is taken for another. */
#include "weights/original_names.h"
#include "weights/safetensors.h"

#include <stdio.h>
#include <string.h>

/* Two names of a module: the first implementation's, diffusers'. */
struct xl_original_words {
    const char *from, *to;
};

/* --- Reading a name ----------------------------------------------------------------------------
 */

/* Take `word` from the beginning of *at. */
static bool take(const char **at, const char *word) {
    size_t n = strlen(word);
    if (strncmp(*at, word, n)) return false;
    *at += n;
    return true;
}

/* Take a number as the names have it, without leading zeros, and the dot behind it. */
static bool take_index(const char **at, int *index) {
    const char *digits = *at;
    size_t n = strspn(digits, "0123456789");
    if (!n || n > 3 || (n > 1 && digits[0] == '0') || digits[n] != '.') return false;
    *index = 0;
    for (size_t i = 0; i < n; i++) *index = 10 * *index + (digits[i] - '0');
    *at += n + 1;
    return true;
}

/* The module that `at` begins with, and what is behind its dot. */
static const char *look_up(const struct xl_original_words *words, const char *at,
                           const char **leaf) {
    for (; words->from; words++) {
        size_t n = strlen(words->from);
        if (strncmp(at, words->from, n) || at[n] != '.' || !at[n + 1]) continue;
        *leaf = at + n + 1;
        return words->to;
    }
    return NULL;
}

/* "PLACE.MODULE.LEAF" by a table. place: "" for none */
static bool put(char out[XL_ORIGINAL_NAME], const char *place,
                const struct xl_original_words *words, const char *rest) {
    const char *leaf, *module = look_up(words, rest, &leaf);
    if (!module) return false;
    snprintf(out, XL_ORIGINAL_NAME, "%s%s%s.%s", place, *place ? "." : "", module, leaf);
    return true;
}

/* --- UNet --------------------------------------------------------------------------------------
 */

static const struct xl_original_words unet_modules[] = {{"time_embed.0", "time_embedding.linear_1"},
                                                        {"time_embed.2", "time_embedding.linear_2"},
                                                        {"label_emb.0.0", "add_embedding.linear_1"},
                                                        {"label_emb.0.2", "add_embedding.linear_2"},
                                                        {"input_blocks.0.0", "conv_in"},
                                                        {"out.0", "conv_norm_out"},
                                                        {"out.2", "conv_out"},
                                                        {NULL, NULL}};
static const struct xl_original_words unet_resnet[] = {{"in_layers.0", "norm1"},
                                                       {"in_layers.2", "conv1"},
                                                       {"emb_layers.1", "time_emb_proj"},
                                                       {"out_layers.0", "norm2"},
                                                       {"out_layers.3", "conv2"},
                                                       {"skip_connection", "conv_shortcut"},
                                                       {NULL, NULL}};
static const struct xl_original_words unet_down[] = {{"op", "conv"}, {NULL, NULL}};
static const struct xl_original_words unet_up[] = {{"conv", "conv"}, {NULL, NULL}};

static bool has(const struct xl_weights *file, const char *prefix, const char *blocks, int i,
                const char *rest) {
    char name[XL_ORIGINAL_NAME];
    const char *at = name;
    snprintf(name, sizeof name, "%s%s.%d.%s", prefix, blocks, i, rest);
    return xl_weights_find(file, at) || xl_weights_why_not(file, at);
}

void xl_original_read_levels(const struct xl_weights *file, const char *prefix,
                             struct xl_original_levels *out) {
    int level = 0;
    *out = (struct xl_original_levels){0};
    for (int i = 1; level < XL_ORIGINAL_LEVELS; i++) {
        struct xl_original_level *down = &out->down[level];
        bool is_down = has(file, prefix, "input_blocks", i, "0.op.weight");
        if (!is_down && !has(file, prefix, "input_blocks", i, "0.in_layers.0.weight")) break;
        down->has_sampler = is_down;
        down->n_layers += !is_down;
        level += is_down;
    }
    level = 0;
    for (int i = 0; level < XL_ORIGINAL_LEVELS; i++) {
        struct xl_original_level *up = &out->up[level];
        if (!has(file, prefix, "output_blocks", i, "0.in_layers.0.weight")) break;
        up->n_layers++;
        bool is_alone = has(file, prefix, "output_blocks", i, "1.conv.weight");
        up->has_sampler = is_alone || has(file, prefix, "output_blocks", i, "2.conv.weight");
        up->has_attention = !is_alone;
        level += up->has_sampler;
    }
}

/* What is called block `i`, part `part` of a way, is called layer `layer` of a kind in a level. */
struct place {
    const char *original, *diffusers; /* the way: "input", "down" */
    int i, part, level, layer;
};

static void add_place(struct xl_original_unet *unet, const struct place *place, const char *kind,
                      const struct xl_original_words *modules) {
    if (unet->n == XL_ORIGINAL_PLACES) return;
    struct xl_original_place *out = &unet->place[unet->n++];
    snprintf(out->original, sizeof out->original, "%s_blocks.%d.%d", place->original, place->i,
             place->part);
    snprintf(out->diffusers, sizeof out->diffusers, "%s_blocks.%d.%s.%d", place->diffusers,
             place->level, kind, place->layer);
    out->modules = modules;
}

/* A resnet and the transformer behind it. */
static void add_layer(struct xl_original_unet *unet, struct place place, bool has_attention) {
    add_place(unet, &place, "resnets", unet_resnet);
    place.part = 1;
    if (has_attention) add_place(unet, &place, "attentions", NULL);
}

static void add_down(struct xl_original_unet *unet, const struct xl_original_level *down) {
    struct place at = {"input", "down", 1, 0, 0, 0};
    for (; at.level < XL_ORIGINAL_LEVELS; at.level++) {
        for (at.layer = 0; at.layer < down[at.level].n_layers; at.layer++, at.i++)
            add_layer(unet, at, true);
        at.layer = 0;
        if (!down[at.level].has_sampler) return;
        add_place(unet, &at, "downsamplers", unet_down);
        at.i++;
    }
}

/* The way up: what makes the picture larger is one more part of a level's last block. */
static void add_up(struct xl_original_unet *unet, const struct xl_original_level *up) {
    struct place at = {"output", "up", 0, 0, 0, 0};
    for (; at.level < XL_ORIGINAL_LEVELS; at.level++) {
        const struct xl_original_level *level = &up[at.level];
        for (at.layer = 0; at.layer < level->n_layers; at.layer++, at.i++)
            add_layer(unet, at, level->has_attention);
        if (!level->has_sampler) return;
        struct place sampler = {"output", "up", at.i - 1, 1 + level->has_attention, at.level, 0};
        add_place(unet, &sampler, "upsamplers", unet_up);
    }
}

void xl_original_unet_init(const struct xl_original_levels *levels, struct xl_original_unet *out) {
    static const struct xl_original_place fixed[] = {
        {"", "", unet_modules},
        {"middle_block.0", "mid_block.resnets.0", unet_resnet},
        {"middle_block.1", "mid_block.attentions.0", NULL},
        {"middle_block.2", "mid_block.resnets.1", unet_resnet},
    };
    memcpy(out->place, fixed, sizeof fixed);
    out->n = sizeof fixed / sizeof *fixed;
    add_down(out, levels->down);
    add_up(out, levels->up);
}

/* What is behind a place and its dot; NULL: the name is not of that place. */
static const char *behind(const char *place, const char *name) {
    size_t n = strlen(place);
    if (!n) return name;
    return !strncmp(name, place, n) && name[n] == '.' ? name + n + 1 : NULL;
}

bool xl_original_unet_name(const struct xl_original_unet *unet, const char *name,
                           char out[XL_ORIGINAL_NAME]) {
    for (const struct xl_original_place *at = unet->place; at < unet->place + unet->n; at++) {
        const char *rest = behind(at->original, name);
        if (!rest) continue;
        if (at->modules && put(out, at->diffusers, at->modules, rest)) return true;
        if (at->modules) continue;
        snprintf(out, XL_ORIGINAL_NAME, "%s.%s", at->diffusers, rest);
        return true;
    }
    return false;
}

bool xl_original_unet_module(const struct xl_original_unet *unet, const char *module,
                             char out[XL_ORIGINAL_NAME]) {
    for (const struct xl_original_place *at = unet->place; at < unet->place + unet->n; at++) {
        const char *rest = behind(at->diffusers, module);
        const struct xl_original_words *words = at->modules;
        if (!rest) continue;
        while (words && words->to && strcmp(words->to, rest) != 0) words++;
        if (words && !words->to) continue;
        snprintf(out, XL_ORIGINAL_NAME, "%s%s%s", at->original, *at->original ? "." : "",
                 words ? words->from : rest);
        return true;
    }
    return false;
}

/* --- VAE ---------------------------------------------------------------------------------------
 */

static const struct xl_original_words vae_modules[] = {
    {"conv_in", "conv_in"}, {"conv_out", "conv_out"}, {"norm_out", "conv_norm_out"}, {NULL, NULL}};
static const struct xl_original_words vae_resnet[] = {{"norm1", "norm1"},
                                                      {"conv1", "conv1"},
                                                      {"norm2", "norm2"},
                                                      {"conv2", "conv2"},
                                                      {"nin_shortcut", "conv_shortcut"},
                                                      {NULL, NULL}};
static const struct xl_original_words vae_attention[] = {
    {"norm", "group_norm"},   {"q", "to_q"}, {"k", "to_k"}, {"v", "to_v"},
    {"proj_out", "to_out.0"}, {NULL, NULL}};
static const struct xl_original_words vae_down[] = {{"downsample.conv", "downsamplers.0.conv"},
                                                    {NULL, NULL}};
static const struct xl_original_words vae_up[] = {{"upsample.conv", "upsamplers.0.conv"},
                                                  {NULL, NULL}};
static const struct xl_original_words vae_quant[] = {
    {"quant_conv", "quant_conv"}, {"post_quant_conv", "post_quant_conv"}, {NULL, NULL}};

static bool put_vae_middle(char out[XL_ORIGINAL_NAME], const char *half, const char *at) {
    char place[64];
    bool is_attention = take(&at, "attn_1.");
    int block = is_attention ? 1 : 0;
    if (!is_attention && (!take(&at, "block_") || !take_index(&at, &block))) return false;
    if (block < 1 || block > 2) return false;
    snprintf(place, sizeof place, "%s.mid_block.%s.%d", half,
             is_attention ? "attentions" : "resnets", block - 1);
    return put(out, place, is_attention ? vae_attention : vae_resnet, at);
}

/* at: behind "encoder.down." or "decoder.up." */
static bool put_vae_level(char out[XL_ORIGINAL_NAME], bool is_decoder, int n_levels,
                          const char *at) {
    char place[64];
    int level, block;
    if (!take_index(&at, &level)) return false;
    if (is_decoder) level = n_levels - 1 - level;
    if (level < 0) return false;
    int n = snprintf(place, sizeof place, "%s_blocks.%d",
                     is_decoder ? "decoder.up" : "encoder.down", level);
    if (!take(&at, "block.")) return put(out, place, is_decoder ? vae_up : vae_down, at);
    if (!take_index(&at, &block)) return false;
    snprintf(place + n, sizeof place - (size_t)n, ".resnets.%d", block);
    return put(out, place, vae_resnet, at);
}

bool xl_original_vae_name(int n_levels, const char *name, char out[XL_ORIGINAL_NAME]) {
    const char *at = name;
    if (put(out, "", vae_quant, at)) return true;
    bool is_decoder = take(&at, "decoder.");
    if (!is_decoder && !take(&at, "encoder.")) return false;
    const char *half = is_decoder ? "decoder" : "encoder";
    if (put(out, half, vae_modules, at)) return true;
    if (take(&at, "mid.")) return put_vae_middle(out, half, at);
    if (!take(&at, is_decoder ? "up." : "down.")) return false;
    return put_vae_level(out, is_decoder, n_levels, at);
}

/* --- The second text encoder -------------------------------------------------------------------
 */

static const struct xl_original_words text_modules[] = {
    {"token_embedding", "text_model.embeddings.token_embedding"},
    {"ln_final", "text_model.final_layer_norm"},
    {"text_projection", "text_projection"}, /* as a layer it is not turned */
    {NULL, NULL}};
static const struct xl_original_words text_layer[] = {
    {"ln_1", "layer_norm1"}, {"ln_2", "layer_norm2"},   {"attn.out_proj", "self_attn.out_proj"},
    {"mlp.c_fc", "mlp.fc1"}, {"mlp.c_proj", "mlp.fc2"}, {NULL, NULL}};

bool xl_original_text_name(const char *name, char out[XL_ORIGINAL_NAME],
                           enum xl_original_form *form) {
    const char *at = name;
    char place[64];
    int layer;
    *form = XL_ORIGINAL_WHOLE;
    if (!strcmp(name, "positional_embedding")) {
        snprintf(out, XL_ORIGINAL_NAME, "text_model.embeddings.position_embedding.weight");
        return true;
    }
    if (!strcmp(name, "text_projection")) {
        *form = XL_ORIGINAL_TURNED;
        snprintf(out, XL_ORIGINAL_NAME, "text_projection.weight");
        return true;
    }
    if (put(out, "", text_modules, at)) return true;
    if (!take(&at, "transformer.resblocks.") || !take_index(&at, &layer)) return false;
    snprintf(place, sizeof place, "text_model.encoder.layers.%d", layer);
    if (strcmp(at, "attn.in_proj_weight") && strcmp(at, "attn.in_proj_bias"))
        return put(out, place, text_layer, at);
    *form = XL_ORIGINAL_FUSED;
    snprintf(out, XL_ORIGINAL_NAME, "%s.self_attn.%%s_proj.%s", place,
             at + (sizeof "attn.in_proj_" - 1));
    return true;
}
