/* lora_alpha.c - "unet.lora_alpha", "unet.alpha_pattern", "unet.use_rslora" and the same of the
 * text encoders. Source: diffusers (loaders/lora_base.py), PEFT (LoraConfig, get_pattern_key). */
#include "weights/lora_alpha.h"

#include "weights/metadata.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum xl_status xl_lora_alphas_read(const char *path, int fd, json_t **out, struct xl_err *err) {
    struct xl_arena arena = {0};
    struct xl_st_metadata metadata;
    *out = NULL;
    enum xl_status status = xl_safetensors_metadata(path, fd, &arena, &metadata, err);
    const char *text = NULL;
    if (!status) text = xl_st_metadata_find(&metadata, "lora_adapter_metadata");
    if (text) status = xl_json_parse(path, text, strlen(text), out, err);
    xl_arena_deinit(&arena);
    return status;
}

/* Whether a key of a pattern means this module: the end of its name, or all of it after "^". */
static bool is_meant(const char *key, const char *module) {
    if (*key == '^') return !strcmp(key + 1, module);
    size_t n_key = strlen(key), n = strlen(module);
    if (n < n_key || strcmp(module + n - n_key, key) != 0) return false;
    return n == n_key || module[n - n_key - 1] == '.';
}

static const json_t *member(const json_t *alphas, const char *part, const char *name) {
    char key[64];
    snprintf(key, sizeof key, "%s.%s", part, name);
    return json_object_get(alphas, key);
}

double xl_lora_alphas_scale(const json_t *alphas, const char *module, int64_t rank) {
    static const char *const parts[] = {"unet", "text_encoder", "text_encoder_2"};
    const char *part = NULL, *rest = module;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        size_t n = strlen(parts[i]);
        if (strncmp(module, parts[i], n) != 0 || module[n] != '.') continue;
        part = parts[i];
        rest = module + n + 1;
    }
    if (!alphas || !part || rank < 1) return 1;
    const json_t *alpha = member(alphas, part, "lora_alpha"), *value;
    const char *key;
    json_t *pattern = (json_t *)member(alphas, part, "alpha_pattern");
    json_object_foreach(pattern, key, value) if (is_meant(key, rest)) alpha = value;
    if (!json_is_number(alpha) || json_number_value(alpha) == 0) return 1;
    bool is_rooted = json_is_true(member(alphas, part, "use_rslora"));
    return json_number_value(alpha) / (is_rooted ? sqrt((double)rank) : (double)rank);
}
