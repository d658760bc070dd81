/* prompt_routes.c - the routes about prompts, and what they share. */
#include "http/api/prompt_parts.h"

#include <stdlib.h>

enum { TEXT_MAX = 128 << 10, TYPED_MAX = 1024, MOST = 50 };

enum xl_status xl_prompt_api_new(const struct xl_settings *settings, struct xl_queue *queue,
                                 struct xl_library *library, struct xl_prompt_api **out,
                                 struct xl_err *err) {
    struct xl_prompt_api *api = calloc(1, sizeof *api);
    if (!api) return xl_fail_nomem(err, "the routes of prompts", sizeof *api);
    api->settings = settings;
    api->queue = queue;
    api->library = library;
    pthread_mutex_init(&api->mutex, NULL);
    *out = api;
    return XL_OK;
}

void xl_prompt_api_free(struct xl_prompt_api *api) {
    if (!api) return;
    free(api->encoders.name);
    for (int t = 0; t < 2; t++) xl_tokenizer_close(api->encoders.tokenizers[t]);
    xl_arena_deinit(&api->names.arena);
    pthread_mutex_destroy(&api->mutex);
    free(api);
}

static const struct xl_param of_complete[] = {
    {.name = "text",
     .max = TYPED_MAX,
     .is_required = true,
     .help = "the prompt up to the caret, or the end of it"},
    {.name = "limit", .type = XL_PARAM_INT, .min = 1, .max = MOST, .help = "of items; 12"},
    {.name = NULL}};
static const struct xl_route rows[] = {
    {.method = "POST",
     .pattern = "/api/v1/tokens",
     .run = xl_prompt_post_tokens,
     .flags = XL_ROUTE_SLOW | XL_ROUTE_JSON,
     .body_max = TEXT_MAX,
     .summary = "How many tokens a prompt has for the text encoders of a model, and where it is "
                "cut: {\"settings\": {\"prompt\", \"negative\", \"model\", \"profile\", ...}}",
     .answer = "limit (tokens of a chunk), syntax, prompt and negative: text (with the profile's "
               "words), tokens, chunks, cut, encoders, cut_at (characters of what was typed that "
               "fit; null: all do)"},
    {.method = "GET",
     .pattern = "/api/v1/complete",
     .run = xl_prompt_get_complete,
     .flags = XL_ROUTE_SLOW,
     .params = of_complete,
     .summary = "What a prompt may go on with: profiles, LoRAs (<lora:...>), embeddings, wildcards "
                "(__...__), and words of earlier prompts",
     .answer =
         "items: kind, name, text (what goes into the prompt), about, and from: the character "
         "of the text that it takes the place of, and of all behind it"},
};

struct xl_route_table xl_prompt_table(struct xl_prompt_api *api) {
    return (struct xl_route_table){
        .rows = rows, .n = sizeof rows / sizeof *rows, .user = api, .prefix = "/api/v1/"};
}
