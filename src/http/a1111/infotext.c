/* infotext.c - the text "parameters" as that program's parser gives it. Keeps no state.
 * Source: AUTOMATIC1111 stable-diffusion-webui, modules/infotext_utils.py. */
#include "http/a1111/parts.h"

#include "base/json.h"
#include "image/infotext.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What it fills in where a text does not say it: JSON. */
static const struct {
    const char *key, *value;
} otherwise[] = {
    {"Clip skip", "\"1\""},
    {"Hires resize-1", "0"},
    {"Hires resize-2", "0"},
    {"Hires sampler", "\"Use same sampler\""},
    {"Hires schedule type", "\"Use same scheduler\""},
    {"Schedule type", "\"Automatic\""},
    {"Schedule max sigma", "0"},
    {"Schedule min sigma", "0"},
    {"Schedule rho", "0"},
    {"RNG", "\"GPU\""},
    {"Mask mode", "\"Inpaint masked\""},
    {"Cache FP16 weight for LoRA", "false"},
    {"Emphasis", "\"Original\""},
    {"Refiner switch at", "1.0"},
};

/* "512x768" as two members. */
static bool put_pair(json_t *object, const char *key, const char *value) {
    unsigned width, height;
    char name[80];
    int n = 0;
    bool ok = true;
    bool is_size = value[0] >= '0' && value[0] <= '9' &&
                   sscanf(value, "%9ux%9u%n", &width, &height, &n) == 2 && !value[n];
    for (int i = 1; is_size && i <= 2; i++) {
        snprintf(name, sizeof name, "%.60s-%d", key, i);
        const char *x = strchr(value, 'x');
        xl_json_put(object, name,
                    i == 1 ? json_stringn(value, (size_t)(x - value)) : json_string(x + 1), &ok);
    }
    if (!is_size) xl_json_put(object, key, xl_json_text(value), &ok);
    return ok;
}

json_t *xl_a1111_infotext_pairs(const char *text) {
    struct xl_arena arena = {0};
    struct xl_infotext info;
    json_t *object = json_object();
    bool ok = object && !xl_infotext_parse(text, &arena, &info, NULL);
    if (ok) {
        xl_json_put(object, "Prompt", xl_json_text(info.prompt), &ok);
        xl_json_put(object, "Negative prompt", xl_json_text(info.negative), &ok);
    }
    for (int i = 0; ok && i < info.n_pairs; i++)
        ok = put_pair(object, info.pairs[i].key, info.pairs[i].value);
    for (size_t i = 0; ok && text[0] && i < sizeof otherwise / sizeof *otherwise; i++)
        if (!json_object_get(object, otherwise[i].key))
            xl_json_put(object, otherwise[i].key,
                        json_loads(otherwise[i].value, JSON_DECODE_ANY, NULL), &ok);
    xl_arena_deinit(&arena);
    return xl_json_finish(object, ok);
}

json_t *xl_a1111_infotext_fields(const char *text) {
    static const struct {
        const char *key, *field, *option; /* of these one is NULL */
    } rows[] = {
        {"Prompt", "prompt", NULL},
        {"Negative prompt", "negative_prompt", NULL},
        {"Steps", "steps", NULL},
        {"Sampler", "sampler_name", NULL},
        {"Schedule type", "scheduler", NULL},
        {"CFG scale", "cfg_scale", NULL},
        {"Seed", "seed", NULL},
        {"Size-1", "width", NULL},
        {"Size-2", "height", NULL},
        {"Denoising strength", "denoising_strength", NULL},
        {"Model hash", NULL, "sd_model_checkpoint"},
        {"VAE", NULL, "sd_vae"},
        {"RNG", NULL, "randn_source"},
    };
    json_t *pairs = xl_a1111_infotext_pairs(text), *fields = json_object();
    json_t *options = json_object();
    bool ok = pairs && fields && options;
    for (size_t i = 0; ok && i < sizeof rows / sizeof *rows; i++) {
        json_t *value = json_object_get(pairs, rows[i].key);
        if (value)
            xl_json_put(rows[i].field ? fields : options,
                        rows[i].field ? rows[i].field : rows[i].option, json_incref(value), &ok);
    }
    xl_json_put(fields, "override_settings", options, &ok);
    json_decref(pairs);
    return xl_json_finish(fields, ok);
}
