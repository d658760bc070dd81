/* past_comfy.c - ComfyUI's graphs: {ID: {"class_type", "inputs": {NAME: value or [ID, slot]}}}.
 *
 * What a picture was made with is spread over nodes, whose classes people invent. So a value is
 * looked for by the name of an input, from the sampler up along the links, the nearest first. Each
 * search visits a node once: circles end, and a graph of n links costs n steps.
 * Source: ComfyUI, the format that "Save (API Format)" and SaveImage write. */
#include "lab/past/past.h"

#include "base/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEEPEST = 100, MOST_NODES = 20000, MOST_SAMPLERS = 32 };

struct search {
    const json_t *graph;
    json_t *seen; /* {ID: true} */
    bool failed;
};

static const json_t *inputs_of(const json_t *node) {
    return json_object_get(node, "inputs");
}

static const char *class_of(const json_t *node) {
    const char *name = json_string_value(json_object_get(node, "class_type"));
    return name ? name : "";
}

/* The node that a link comes from; NULL: it is no link, or was followed before. */
static const json_t *follow(struct search *search, const json_t *link) {
    const json_t *id = json_array_get(link, 0);
    char number[32];
    const char *key = json_string_value(id);
    if (json_is_integer(id)) {
        snprintf(number, sizeof number, "%" JSON_INTEGER_FORMAT, json_integer_value(id));
        key = number;
    }
    if (!key || json_array_size(link) != 2 || json_object_get(search->seen, key)) return NULL;
    search->failed |= json_object_set_new(search->seen, key, json_true()) != 0;
    return json_object_get(search->graph, key);
}

/* The nearest node, from this one up, whose class has a word in its name, or, with key, that has
 * such an input as a value. */
static const json_t *climb(struct search *search, const json_t *node, const char *word,
                           const char *const *keys, int depth) {
    const char *name;
    json_t *value;
    if (!node || depth > DEEPEST) return NULL;
    if (word && strstr(class_of(node), word)) return node;
    for (int i = 0; keys && keys[i]; i++) {
        const json_t *found = json_object_get(inputs_of(node), keys[i]);
        if (found && !json_is_array(found) && !json_is_object(found) && !json_is_null(found))
            return found;
    }
    json_object_foreach((json_t *)inputs_of(node), name, value) {
        const json_t *found = climb(search, follow(search, value), word, keys, depth + 1);
        if (found) return found;
    }
    return NULL;
}

static const json_t *find(const json_t *graph, const json_t *node, const char *word,
                          const char *const *keys) {
    struct search search = {.graph = graph, .seen = json_object()};
    const json_t *found = search.seen ? climb(&search, node, word, keys, 0) : NULL;
    json_decref(search.seen);
    return found;
}

/* A value of the node, or, where it is a link, of what is above that. */
static const json_t *value_of(const json_t *graph, const json_t *node, const char *const *keys) {
    return find(graph, node, NULL, keys);
}

/* What an input of the node, or of one above, is linked to. */
static const json_t *linked(const json_t *graph, const json_t *node, const char *input) {
    static const char *const guider[] = {"guider", "basic_pipe", "pipe", NULL};
    struct search search = {.graph = graph, .seen = json_object()};
    const json_t *link = json_object_get(inputs_of(node), input);
    for (int i = 0; search.seen && !link && guider[i]; i++)
        link = json_object_get(
            inputs_of(follow(&search, json_object_get(inputs_of(node), guider[i]))), input);
    const json_t *found = link && search.seen ? follow(&search, link) : NULL;
    json_decref(search.seen);
    return found;
}

/* --- Texts ------------------------------------------------------------------------------------ */

static void add_text(struct xl_past *past, const json_t *graph, const char *key,
                     const json_t *from) {
    static const char *const keys[] = {"text",  "text_g",   "text_l",        "prompt", "string",
                                       "value", "positive", "wildcard_text", NULL};
    const json_t *node = find(graph, from, "CLIPTextEncode", NULL);
    const json_t *text = value_of(graph, node ? node : from, keys);
    if (json_is_string(text)) xl_past_add(past, key, json_string_value(text));
}

/* --- Models ----------------------------------------------------------------------------------- */

/* From the sampler up along "model": LoRAs, then the checkpoint. */
static void add_models(struct xl_past *past, const json_t *graph, const json_t *sampler) {
    static const char *const names[] = {"ckpt_name", "unet_name", "base_ckpt_name", "model_name",
                                        NULL};
    struct search search = {.graph = graph, .seen = json_object()};
    const json_t *node = follow(&search, json_object_get(inputs_of(sampler), "model"));
    if (!node) node = linked(graph, sampler, "model");
    for (int i = 0; search.seen && node && i < DEEPEST; i++) {
        const json_t *inputs = inputs_of(node), *lora = json_object_get(inputs, "lora_name");
        const json_t *weight = json_object_get(inputs, "strength_model");
        if (json_is_string(lora)) {
            char text[512];
            snprintf(text, sizeof text, json_is_number(weight) ? "%s: %g" : "%s",
                     json_string_value(lora), json_number_value(weight));
            xl_past_add(past, XL_PAST_LORA, text);
        }
        const json_t *above = follow(&search, json_object_get(inputs, "model"));
        if (!above) break;
        node = above;
    }
    json_decref(search.seen);
    xl_past_add_json(past, XL_PAST_MODEL, value_of(graph, node ? node : sampler, names));
}

/* --- The sampler ------------------------------------------------------------------------------ */

static bool is_sampler(const json_t *node) {
    const char *name = class_of(node);
    bool is_one = strstr(name, "KSampler") || strstr(name, "SamplerCustom");
    return is_one && !strstr(name, "Select") && json_is_object(inputs_of(node));
}

/* The one that begins: what it starts from comes from no other sampler. */
static const json_t *choose(const json_t *graph, int *n) {
    const char *id;
    json_t *node;
    const json_t *first = NULL, *begins = NULL;
    *n = 0;
    json_object_foreach((json_t *)graph, id, node) {
        if (!is_sampler(node)) continue;
        if (!(*n)++) first = node;
        if (begins || *n > MOST_SAMPLERS) continue;
        const json_t *latent = linked(graph, node, "latent_image");
        if (latent && !is_sampler(latent) && !find(graph, latent, "KSampler", NULL)) begins = node;
    }
    return begins ? begins : first;
}

static void add_size(struct xl_past *past, const json_t *graph, const json_t *sampler) {
    const json_t *latent = linked(graph, sampler, "latent_image");
    const json_t *empty = find(graph, latent, "EmptyLatent", NULL);
    static const char *const width[] = {"width", NULL}, *const height[] = {"height", NULL};
    if (empty)
        xl_past_add_size(past, value_of(graph, empty, width), value_of(graph, empty, height));
}

static void add_strength(struct xl_past *past, const json_t *graph, const json_t *sampler) {
    static const char *const denoise[] = {"denoise", NULL}, *const image[] = {"image", NULL};
    const json_t *value = value_of(graph, sampler, denoise);
    if (json_is_number(value) && json_number_value(value) < 1)
        xl_past_add_json(past, XL_PAST_STRENGTH, value);
    const json_t *load = find(graph, linked(graph, sampler, "latent_image"), "LoadImage", NULL);
    if (load) xl_past_add_json(past, "Init image", value_of(graph, load, image));
}

static void add_clip_skip(struct xl_past *past, const json_t *graph, const json_t *sampler) {
    static const char *const stop[] = {"stop_at_clip_layer", NULL};
    const json_t *value = value_of(graph, linked(graph, sampler, "positive"), stop);
    if (!json_is_integer(value) || json_integer_value(value) >= 0) return;
    json_t *skip = json_integer(-json_integer_value(value));
    xl_past_add_json(past, XL_PAST_CLIP_SKIP, skip);
    json_decref(skip);
}

bool xl_past_read_comfy(struct xl_past *past, const json_t *graph) {
    static const char *const seed[] = {"seed", "noise_seed", "value", NULL};
    static const char *const steps[] = {"steps", NULL}, *const cfg[] = {"cfg", "guidance", NULL};
    static const char *const sampler_name[] = {"sampler_name", "sampler", NULL};
    static const char *const scheduler[] = {"scheduler", NULL};
    int n = 0;
    if (json_object_size(graph) > MOST_NODES) return false;
    const json_t *sampler = choose(graph, &n);
    if (!sampler) return false;
    add_text(past, graph, XL_PAST_PROMPT, linked(graph, sampler, "positive"));
    add_text(past, graph, XL_PAST_NEGATIVE, linked(graph, sampler, "negative"));
    xl_past_add_json(past, XL_PAST_STEPS, value_of(graph, sampler, steps));
    xl_past_add_json(past, XL_PAST_SAMPLER, value_of(graph, sampler, sampler_name));
    xl_past_add_json(past, XL_PAST_SCHEDULE, value_of(graph, sampler, scheduler));
    xl_past_add_json(past, XL_PAST_GUIDANCE, value_of(graph, sampler, cfg));
    xl_past_add_json(past, XL_PAST_SEED, value_of(graph, sampler, seed));
    add_size(past, graph, sampler);
    add_strength(past, graph, sampler);
    add_models(past, graph, sampler);
    add_clip_skip(past, graph, sampler);
    if (n > 1) {
        char text[32];
        snprintf(text, sizeof text, "%d", n);
        xl_past_add(past, "Samplers", text);
    }
    return true;
}
