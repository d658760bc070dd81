/* openai.c - rows and errors of OpenAI's API. Keeps no state. */
#include "http/openai/openai.h"

#include "base/json.h"
#include "http/openai/ask.h"

#include <ctype.h>
#include <string.h>

static void put_text(json_t *object, const char *key, const char *text, bool *ok) {
    xl_json_put(object, key, text ? json_string(text) : json_null(), ok);
}

/* {"error": {"message", "type", "param", "code"}}. A name in small letters is one of theirs, which
 * a handler has chosen. */
static json_t *problem_object(const struct xl_problem *problem) {
    const char *type = problem->code == 429   ? "rate_limit_error"
                       : problem->code >= 500 ? "server_error"
                                              : "invalid_request_error";
    const char *code = islower((unsigned char)problem->name[0]) ? problem->name
                       : problem->code == 401                   ? "invalid_api_key"
                       : problem->code == 429                   ? "rate_limit_exceeded"
                                                                : NULL;
    bool ok = true;
    json_t *error = json_object(), *object = json_object();
    xl_json_put(error, "message", xl_json_text(problem->sentence), &ok);
    put_text(error, "type", type, &ok);
    put_text(error, "param", problem->field, &ok);
    put_text(error, "code", code, &ok);
    xl_json_put(object, "error", error, &ok);
    return xl_json_finish(object, ok);
}

static const struct xl_param of_model[] = {{.name = "id", .help = "of the list"}, {.name = NULL}};
static const struct xl_route rows[] = {
    {.method = "POST",
     .pattern = "/v1/images/generations",
     .run = xl_openai_generate,
     .flags = XL_ROUTE_SLOW | XL_ROUTE_JSON,
     .summary = "Have pictures drawn, as OpenAI's API does it",
     .answer = "the pictures; with \"stream\": true server-sent events",
     .answer_type = "application/json text/event-stream",
     .body_schema = xl_openai_generate_schema},
    {.method = "POST",
     .pattern = "/v1/images/edits",
     .run = xl_openai_edit,
     .flags = XL_ROUTE_SLOW | XL_ROUTE_FORM,
     .summary = "Have a picture redrawn, as OpenAI's API does it",
     .answer = "the pictures; with \"stream\": true server-sent events",
     .answer_type = "application/json text/event-stream",
     .body_schema = xl_openai_edit_schema},
    {.method = "GET",
     .pattern = "/v1/models",
     .run = xl_openai_get_models,
     .flags = XL_ROUTE_SLOW,
     .summary = "The models that can draw, as OpenAI's API lists them",
     .answer = "object and data"},
    {.method = "GET",
     .pattern = "/v1/models/{id...}",
     .run = xl_openai_get_model,
     .flags = XL_ROUTE_SLOW | XL_ROUTE_SLASHES,
     .params = of_model,
     .summary = "One of them",
     .answer = "id, object, created and owned_by"},
};

struct xl_route_table xl_openai_table(const struct xl_openai *openai) {
    return (struct xl_route_table){.rows = rows,
                                   .n = sizeof rows / sizeof *rows,
                                   .user = (void *)(uintptr_t)openai,
                                   .prefix = "/v1/",
                                   .problem = problem_object,
                                   .field_code = 400};
}
