/* lora_names.c - one module, many names. Sources: kohya-ss/sd-scripts (library/sdxl_model_util.py,
 * networks/lora.py), diffusers (loaders/lora_conversion_utils.py and the attention processors that
 * it had before PEFT), PEFT's state dicts, ComfyUI's saved patches. */
#include "model/lora_names.h"

#include <stdio.h>
#include <string.h>

#define N_OF(array) (sizeof(array) / sizeof *(array))

void xl_unet_original(const struct xl_unet_config *config, struct xl_original_unet *out) {
    struct xl_original_levels levels = {0};
    for (int i = 0; i < config->n_blocks; i++) {
        const struct xl_unet_block *down = &config->down[i], *up = &config->up[i];
        bool has_next = i + 1 < config->n_blocks;
        levels.down[i] = (struct xl_original_level){down->n_resnets, has_next, down->has_attention};
        levels.up[i] = (struct xl_original_level){up->n_resnets, has_next, up->has_attention};
    }
    xl_original_unet_init(&levels, out);
}

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

static void tell_unet(struct telling *telling, const struct xl_original_unet *unet,
                      const char *module) {
    char other[XL_ORIGINAL_NAME];
    tell(telling, "lora_unet_", module, true);
    tell(telling, "lycoris_", module, true);
    tell(telling, "unet.", module, false);
    tell(telling, "", module, false);
    if (old_name(module, other)) {
        tell(telling, "unet.", other, false);
        tell(telling, "", other, false);
    }
    if (!xl_original_unet_module(unet, module, other)) return;
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

bool xl_lora_names(enum xl_lora_part part, const struct xl_original_unet *unet, const char *module,
                   xl_lora_name_fn *add, void *user) {
    static const char prefix[] = "text_model.";
    struct telling telling = {add, user, true};
    if (part == XL_LORA_UNET) {
        tell_unet(&telling, unet, module);
        return telling.ok;
    }
    tell_text(&telling, part == XL_LORA_TEXT_2, module);
    /* transformers has dropped this one. */
    if (!strncmp(module, prefix, sizeof prefix - 1))
        tell_text(&telling, part == XL_LORA_TEXT_2, module + sizeof prefix - 1);
    return telling.ok;
}
