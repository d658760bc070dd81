/* lora_names.c - one module, many names. Sources: kohya-ss/sd-scripts (library/sdxl_model_util.py,
 * networks/lora.py), diffusers (loaders/lora_conversion_utils.py and the attention processors that
 * it had before PEFT), PEFT's state dicts, ComfyUI's saved patches. */
#include "model/lora_names.h"

#include <stdio.h>
#include <string.h>

/* ---- sgm ------------------------------------------------------------------------------------ */

struct renaming {
    const char *diffusers, *sgm;
};

static const struct renaming in_resnets[] = {
    {"norm1", "in_layers.0"},  {"conv1", "in_layers.2"},  {"time_emb_proj", "emb_layers.1"},
    {"norm2", "out_layers.0"}, {"conv2", "out_layers.3"}, {"conv_shortcut", "skip_connection"},
};

static const struct renaming outside[] = {
    {"conv_in", "input_blocks.0.0"},
    {"conv_norm_out", "out.0"},
    {"conv_out", "out.2"},
    {"time_embedding.linear_1", "time_embed.0"},
    {"time_embedding.linear_2", "time_embed.2"},
    {"add_embedding.linear_1", "label_emb.0.0"},
    {"add_embedding.linear_2", "label_emb.0.2"},
};

#define N_OF(array) (sizeof(array) / sizeof *(array))

static const char *renamed(const struct renaming *list, size_t n, const char *name) {
    for (size_t i = 0; i < n; i++)
        if (!strcmp(list[i].diffusers, name)) return list[i].sgm;
    return NULL;
}

/* Where a module lies: "down_blocks.1.attentions.0.proj_in" is {'d', 1, "attentions", 0,
 * "proj_in"}. */
struct at {
    char block; /* 'd'own, 'm'iddle, 'u'p */
    int level;
    char kind[16];
    int i;
    const char *rest;
};

static bool locate(const char *module, struct at *at) {
    int n = 0;
    char block[8];
    if (!strncmp(module, "mid_block.", 10)) {
        *at = (struct at){.block = 'm'};
        module += 10;
    } else {
        if (sscanf(module, "%7[a-z]_blocks.%d.%n", block, &at->level, &n) != 2 || !n) return false;
        at->block = block[0];
        module += n;
    }
    n = 0;
    if (sscanf(module, "%15[a-z].%d.%n", at->kind, &at->i, &n) != 2 || !n) return false;
    at->rest = module + n;
    return true;
}

/* The index of the sgm block of resnet i of a level. */
static int sgm_index(const struct xl_unet_config *config, const struct at *at) {
    const struct xl_unet_block *levels = at->block == 'd' ? config->down : config->up;
    int index = at->block == 'd'; /* input_blocks.0 is conv_in */
    for (int level = 0; level < at->level; level++)
        index += levels[level].n_resnets + (at->block == 'd');
    return index + at->i;
}

static const char *in_level(const struct xl_unet_config *config, const struct at *at, int *index,
                            int *sub) {
    const struct xl_unet_block *levels = at->block == 'd' ? config->down : config->up;
    struct at last = *at;
    if (at->level < 0 || at->level >= config->n_blocks) return NULL;
    *index = sgm_index(config, at);
    if (!strcmp(at->kind, "resnets")) {
        *sub = 0;
        return renamed(in_resnets, N_OF(in_resnets), at->rest);
    }
    if (!strcmp(at->kind, "attentions")) {
        *sub = 1;
        return at->rest;
    }
    if (strcmp(at->rest, "conv") != 0) return NULL;
    last.i = levels[at->level].n_resnets - (at->block == 'u');
    *index = sgm_index(config, &last);
    *sub = at->block == 'u' ? 1 + levels[at->level].has_attention : 0;
    return at->block == 'u' ? "conv" : "op";
}

bool xl_unet_sgm_name(const struct xl_unet_config *config, const char *module,
                      char out[XL_LORA_NAME]) {
    struct at at = {0};
    const char *rest = renamed(outside, N_OF(outside), module);
    if (rest) {
        snprintf(out, XL_LORA_NAME, "%s", rest);
        return true;
    }
    if (!locate(module, &at)) return false;
    if (at.block == 'm') {
        bool is_resnet = !strcmp(at.kind, "resnets");
        rest = is_resnet ? renamed(in_resnets, N_OF(in_resnets), at.rest) : at.rest;
        int index = is_resnet ? 2 * at.i : 2 * at.i + 1;
        if (rest) snprintf(out, XL_LORA_NAME, "middle_block.%d.%s", index, rest);
        return rest != NULL;
    }
    int index, sub;
    rest = in_level(config, &at, &index, &sub);
    if (!rest) return false;
    snprintf(out, XL_LORA_NAME, "%s_blocks.%d.%d.%s", at.block == 'd' ? "input" : "output", index,
             sub, rest);
    return true;
}

/* ---- All names ------------------------------------------------------------------------------ */

struct telling {
    xl_lora_name_fn *add;
    void *user;
    bool ok;
};

static void tell(struct telling *telling, const char *prefix, const char *module, bool is_flat) {
    char name[2 * XL_LORA_NAME];
    int n = snprintf(name, sizeof name, "%s", prefix);
    snprintf(name + n, sizeof name - (size_t)n, "%s", module);
    for (char *c = name + n; is_flat && *c; c++)
        if (*c == '.') *c = '_';
    telling->ok = telling->ok && telling->add(telling->user, name);
}

/* Projections of attention had names of their own: "attn1.to_q" was "attn1.processor.to_q_lora",
 * "self_attn.q_proj" "self_attn.to_q_lora". False: it is none. */
static bool old_name(const char *module, char out[XL_LORA_NAME]) {
    static const struct {
        const char *end, *old;
    } ends[] = {
        {".to_q", ".processor.to_q_lora"},
        {".to_k", ".processor.to_k_lora"},
        {".to_v", ".processor.to_v_lora"},
        {".to_out.0", ".processor.to_out_lora"},
        {".self_attn.q_proj", ".self_attn.to_q_lora"},
        {".self_attn.k_proj", ".self_attn.to_k_lora"},
        {".self_attn.v_proj", ".self_attn.to_v_lora"},
        {".self_attn.out_proj", ".self_attn.to_out_lora"},
    };
    size_t n = strlen(module);
    for (size_t i = 0; i < N_OF(ends); i++) {
        size_t n_end = strlen(ends[i].end);
        if (n < n_end || strcmp(module + n - n_end, ends[i].end) != 0) continue;
        snprintf(out, XL_LORA_NAME, "%.*s%s", (int)(n - n_end), module, ends[i].old);
        return true;
    }
    return false;
}

static void tell_unet(struct telling *telling, const struct xl_unet_config *config,
                      const char *module) {
    char other[XL_LORA_NAME];
    tell(telling, "lora_unet_", module, true);
    tell(telling, "lycoris_", module, true);
    tell(telling, "unet.", module, false);
    tell(telling, "", module, false);
    if (old_name(module, other)) {
        tell(telling, "unet.", other, false);
        tell(telling, "", other, false);
    }
    if (!xl_unet_sgm_name(config, module, other)) return;
    tell(telling, "lora_unet_", other, true);
    tell(telling, "diffusion_model.", other, false);
}

static void tell_text(struct telling *telling, bool is_second, const char *module) {
    char other[XL_LORA_NAME];
    const char *peft = is_second ? "text_encoder_2." : "text_encoder.";
    tell(telling, is_second ? "lora_te2_" : "lora_te1_", module, true);
    if (!is_second) tell(telling, "lora_te_", module, true);
    tell(telling, peft, module, false);
    tell(telling,
         is_second ? "text_encoders.clip_g.transformer." : "text_encoders.clip_l.transformer.",
         module, false);
    if (old_name(module, other)) tell(telling, peft, other, false);
}

bool xl_lora_names(enum xl_lora_part part, const struct xl_unet_config *config, const char *module,
                   xl_lora_name_fn *add, void *user) {
    static const char prefix[] = "text_model.";
    struct telling telling = {add, user, true};
    if (part == XL_LORA_UNET) {
        tell_unet(&telling, config, module);
        return telling.ok;
    }
    tell_text(&telling, part == XL_LORA_TEXT_2, module);
    /* transformers has dropped this one. */
    if (!strncmp(module, prefix, sizeof prefix - 1))
        tell_text(&telling, part == XL_LORA_TEXT_2, module + sizeof prefix - 1);
    return telling.ok;
}
