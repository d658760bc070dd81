/* past_json.c - records that are one JSON object, each told by keys that no other program writes.
 *
 * Sources: what InvokeAI 2 to 5, SwarmUI 0.6 to 0.9, Fooocus 2.2 to 2.5, NovelAI and Draw Things
 * write into their pictures. */
#include "lab/past/past.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Members under A1111's words. */
struct word {
    const char *key, *word;
};

static void add_words(struct xl_past *past, const json_t *object, const struct word *words) {
    for (; words->key; words++)
        xl_past_add_json(past, words->word, json_object_get(object, words->key));
}

static void add_lora(struct xl_past *past, const json_t *name, const json_t *weight) {
    char text[512], number[32] = "";
    if (!json_is_string(name)) return;
    if (json_is_string(weight))
        snprintf(number, sizeof number, ": %.20s", json_string_value(weight));
    else if (json_is_number(weight))
        snprintf(number, sizeof number, ": %g", json_number_value(weight));
    snprintf(text, sizeof text, "%.400s%s", json_string_value(name), number);
    xl_past_add(past, XL_PAST_LORA, text);
}

/* "name" of newer versions, "model_name" of older ones, or the text itself. */
static const json_t *name_of(const json_t *model) {
    const json_t *name = json_object_get(model, "name");
    if (!name) name = json_object_get(model, "model_name");
    return name ? name : model;
}

/* --- InvokeAI --------------------------------------------------------------------------------- */

static void read_invoke(struct xl_past *past, const json_t *object) {
    static const struct word words[] = {{"positive_prompt", XL_PAST_PROMPT},
                                        {"negative_prompt", XL_PAST_NEGATIVE},
                                        {"steps", XL_PAST_STEPS},
                                        {"scheduler", XL_PAST_SAMPLER},
                                        {"cfg_scale", XL_PAST_GUIDANCE},
                                        {"cfg_rescale_multiplier", XL_PAST_RESCALE},
                                        {"seed", XL_PAST_SEED},
                                        {"strength", XL_PAST_STRENGTH},
                                        {"init_image", "Init image"},
                                        {"positive_style_prompt", "Style prompt"},
                                        {"refiner_model", "Refiner"},
                                        {"app_version", XL_PAST_VERSION},
                                        {NULL, NULL}};
    size_t i;
    json_t *lora;
    past->source = "InvokeAI";
    add_words(past, object, words);
    xl_past_add_size(past, json_object_get(object, "width"), json_object_get(object, "height"));
    xl_past_add_json(past, XL_PAST_MODEL, name_of(json_object_get(object, "model")));
    xl_past_add_json(past, XL_PAST_VAE, name_of(json_object_get(object, "vae")));
    json_array_foreach(json_object_get(object, "loras"), i, lora) {
        const json_t *model = json_object_get(lora, "model");
        if (!model) model = json_object_get(lora, "lora");
        add_lora(past, name_of(model), json_object_get(lora, "weight"));
    }
}

/* Version 2: {"app_id", "model_weights", "image": {"prompt": [{"prompt"}], ...}}. */
static void read_old_invoke(struct xl_past *past, const json_t *object) {
    static const struct word words[] = {
        {"steps", XL_PAST_STEPS}, {"sampler", XL_PAST_SAMPLER},   {"cfg_scale", XL_PAST_GUIDANCE},
        {"seed", XL_PAST_SEED},   {"strength", XL_PAST_STRENGTH}, {NULL, NULL}};
    const json_t *image = json_object_get(object, "image");
    const json_t *prompt = json_object_get(image, "prompt");
    if (json_is_array(prompt)) prompt = json_object_get(json_array_get(prompt, 0), "prompt");
    past->source = "InvokeAI";
    xl_past_add_json(past, XL_PAST_PROMPT, prompt);
    add_words(past, image, words);
    xl_past_add_size(past, json_object_get(image, "width"), json_object_get(image, "height"));
    xl_past_add_json(past, XL_PAST_MODEL, json_object_get(object, "model_weights"));
    xl_past_add_json(past, XL_PAST_VERSION, json_object_get(object, "app_version"));
}

/* --- SwarmUI ---------------------------------------------------------------------------------- */

/* A layer counted from the end, -2, as A1111's clip skip, 2. */
static void add_layer(struct xl_past *past, const json_t *layer) {
    json_int_t n = json_integer_value(layer);
    if (n >= 0) return;
    json_t *skip = json_integer(-n);
    xl_past_add_json(past, XL_PAST_CLIP_SKIP, skip);
    json_decref(skip);
}

static void read_swarm(struct xl_past *past, const json_t *params) {
    static const struct word words[] = {{"prompt", XL_PAST_PROMPT},
                                        {"negativeprompt", XL_PAST_NEGATIVE},
                                        {"steps", XL_PAST_STEPS},
                                        {"sampler", XL_PAST_SAMPLER},
                                        {"scheduler", XL_PAST_SCHEDULE},
                                        {"cfgscale", XL_PAST_GUIDANCE},
                                        {"seed", XL_PAST_SEED},
                                        {"model", XL_PAST_MODEL},
                                        {"vae", XL_PAST_VAE},
                                        {"initimagecreativity", XL_PAST_STRENGTH},
                                        {"refinermodel", "Refiner"},
                                        {"swarm_version", XL_PAST_VERSION},
                                        {NULL, NULL}};
    const json_t *loras = json_object_get(params, "loras");
    const json_t *weights = json_object_get(params, "loraweights");
    past->source = "SwarmUI";
    add_words(past, params, words);
    xl_past_add_size(past, json_object_get(params, "width"), json_object_get(params, "height"));
    add_layer(past, json_object_get(params, "clipstopatlayer"));
    for (size_t i = 0; i < json_array_size(loras); i++)
        add_lora(past, json_array_get(loras, i), json_array_get(weights, i));
}

/* --- Fooocus ---------------------------------------------------------------------------------- */

static void read_fooocus(struct xl_past *past, const json_t *object) {
    static const struct word words[] = {{"prompt", XL_PAST_PROMPT},
                                        {"negative_prompt", XL_PAST_NEGATIVE},
                                        {"steps", XL_PAST_STEPS},
                                        {"sampler", XL_PAST_SAMPLER},
                                        {"scheduler", XL_PAST_SCHEDULE},
                                        {"guidance_scale", XL_PAST_GUIDANCE},
                                        {"seed", XL_PAST_SEED},
                                        {"base_model", XL_PAST_MODEL},
                                        {"base_model_hash", XL_PAST_HASH},
                                        {"clip_skip", XL_PAST_CLIP_SKIP},
                                        {"styles", "Styles"},
                                        {"performance", "Performance"},
                                        {"sharpness", "Sharpness"},
                                        {"version", XL_PAST_VERSION},
                                        {NULL, NULL}};
    const char *resolution = json_string_value(json_object_get(object, "resolution"));
    size_t i;
    json_t *lora;
    int width, height;
    past->source = "Fooocus";
    add_words(past, object, words);
    if (resolution && sscanf(resolution, "(%6d, %6d)", &width, &height) == 2) {
        char text[32];
        snprintf(text, sizeof text, "%dx%d", width, height);
        xl_past_add(past, XL_PAST_SIZE, text);
    }
    json_array_foreach(json_object_get(object, "loras"), i, lora)
        add_lora(past, json_array_get(lora, 0), json_array_get(lora, 1));
}

/* --- NovelAI, Draw Things --------------------------------------------------------------------- */

static void read_novel(struct xl_past *past, const json_t *object) {
    static const struct word words[] = {{"prompt", XL_PAST_PROMPT},
                                        {"uc", XL_PAST_NEGATIVE},
                                        {"steps", XL_PAST_STEPS},
                                        {"sampler", XL_PAST_SAMPLER},
                                        {"noise_schedule", XL_PAST_SCHEDULE},
                                        {"scale", XL_PAST_GUIDANCE},
                                        {"cfg_rescale", XL_PAST_RESCALE},
                                        {"seed", XL_PAST_SEED},
                                        {"strength", XL_PAST_STRENGTH},
                                        {NULL, NULL}};
    past->source = "NovelAI";
    add_words(past, object, words);
    xl_past_add_size(past, json_object_get(object, "width"), json_object_get(object, "height"));
    xl_past_add_json(past, XL_PAST_MODEL, json_object_get(past->raw, "Source"));
}

static void read_draw_things(struct xl_past *past, const json_t *object) {
    static const struct word words[] = {
        {"c", XL_PAST_PROMPT},          {"uc", XL_PAST_NEGATIVE},
        {"steps", XL_PAST_STEPS},       {"sampler", XL_PAST_SAMPLER},
        {"scale", XL_PAST_GUIDANCE},    {"seed", XL_PAST_SEED},
        {"size", XL_PAST_SIZE},         {"model", XL_PAST_MODEL},
        {"strength", XL_PAST_STRENGTH}, {NULL, NULL}};
    size_t i;
    json_t *lora;
    past->source = "Draw Things";
    add_words(past, object, words);
    json_array_foreach(json_object_get(object, "lora"), i, lora)
        add_lora(past, json_object_get(lora, "model"), json_object_get(lora, "weight"));
}

/* ---------------------------------------------------------------------------------------------- */

static bool has(const json_t *object, const char *key) {
    return json_object_get(object, key) != NULL;
}

bool xl_past_read_json(struct xl_past *past, const char *keyword, const json_t *object) {
    const json_t *swarm = json_object_get(object, "sui_image_params");
    if (json_is_object(swarm))
        read_swarm(past, swarm);
    else if (!strcmp(keyword, "invokeai_metadata") ||
             (has(object, "positive_prompt") && has(object, "generation_mode")))
        read_invoke(past, object);
    else if (!strcmp(keyword, "sd-metadata") || (has(object, "app_id") && has(object, "image")))
        read_old_invoke(past, object);
    else if (has(object, "base_model") && has(object, "guidance_scale"))
        read_fooocus(past, object);
    else if (has(object, "uc") && has(object, "prompt") && has(object, "scale"))
        read_novel(past, object);
    else if (has(object, "c") && has(object, "uc") && has(object, "sampler"))
        read_draw_things(past, object);
    else
        return false;
    return past->n > 0;
}
