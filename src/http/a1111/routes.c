/* routes.c - the routes of /sdapi/v1, and how their errors are written. */
#include "http/a1111/parts.h"

#include "base/json.h"

#include <stdlib.h>
#include <string.h>

enum xl_status xl_a1111_new(const struct xl_a1111_params *params, struct xl_a1111 **out,
                            struct xl_err *err) {
    struct xl_a1111 *a1111 = calloc(1, sizeof *a1111);
    if (!a1111) return xl_fail_nomem(err, "an API", sizeof *a1111);
    a1111->params = *params;
    a1111->settings = xl_library_settings(params->library);
    a1111->options = json_object();
    pthread_mutex_init(&a1111->mutex, NULL);
    if (a1111->options) {
        *out = a1111;
        return XL_OK;
    }
    xl_a1111_free(a1111);
    return xl_fail_nomem(err, "an API", 0);
}

void xl_a1111_free(struct xl_a1111 *a1111) {
    if (!a1111) return;
    json_decref(a1111->options);
    pthread_mutex_destroy(&a1111->mutex);
    free(a1111);
}

/* --- Errors ----------------------------------------------------------------------------------- */

static const struct xl_param of_progress[] = {
    {.name = "skip_current_image", .type = XL_PARAM_SWITCH, .help = "without current_image"},
    {.name = NULL}};

/* FastAPI's list of what is wrong with a request. */
static json_t *validation_object(const struct xl_problem *problem) {
    bool is_query = !strcmp(problem->field, of_progress[0].name), ok = true;
    bool has_type = problem->name[0] >= 'a' && problem->name[0] <= 'z';
    json_t *object = json_object(), *list = json_array(), *item = json_object();
    json_t *place = json_array();
    ok = object && list && item && place &&
         !json_array_append_new(place, json_string(is_query ? "query" : "body")) &&
         !json_array_append_new(place, xl_json_text(problem->field));
    xl_json_put(item, "loc", place, &ok);
    xl_json_put(item, "msg", xl_json_text(problem->sentence), &ok);
    xl_json_put(item, "type", json_string(has_type ? problem->name : "value_error"), &ok);
    ok = !json_array_append_new(list, item) && ok;
    xl_json_put(object, "detail", list, &ok);
    return xl_json_finish(object, ok);
}

/* What the program itself raises; others are FastAPI's own. */
static json_t *problem_object(const struct xl_problem *problem) {
    json_t *object = json_object();
    bool ok = object != NULL;
    if (problem->field && problem->code == 422) {
        json_decref(object);
        return validation_object(problem);
    }
    bool is_raised = !strcmp(problem->name, XL_A1111_EXCEPTION);
    if (is_raised) xl_json_put(object, "error", json_string(XL_A1111_EXCEPTION), &ok);
    xl_json_put(object, "detail", xl_json_text(problem->sentence), &ok);
    if (is_raised) xl_json_put(object, "body", json_string(""), &ok);
    if (is_raised) xl_json_put(object, "errors", json_string(""), &ok);
    return xl_json_finish(object, ok);
}

/* --- Rows ------------------------------------------------------------------------------------- */

enum {
    PICTURE_BYTES = 64 << 20, /* of a body with a picture, in base64 */
    TAKES = XL_ROUTE_LAX | XL_ROUTE_JSON | XL_ROUTE_ANY_TYPE,
};

#define ASK(path, handler, more, answer_)                                                          \
    {                                                                                              \
        .method = "GET", .pattern = "/sdapi/v1/" path, .run = handler,                             \
        .flags = XL_ROUTE_LAX | (more), .summary = "As AUTOMATIC1111's web UI has it",             \
        .answer = answer_                                                                          \
    }
#define TELL(path, handler, more, most, answer_)                                                   \
    {                                                                                              \
        .method = "POST", .pattern = "/sdapi/v1/" path, .run = handler, .flags = TAKES | (more),   \
        .body_max = most, .summary = "As AUTOMATIC1111's web UI has it", .answer = answer_         \
    }

static const struct xl_route rows[] = {
    {.method = "POST",
     .pattern = "/sdapi/v1/txt2img",
     .run = xl_a1111_txt2img,
     .flags = TAKES | XL_ROUTE_SLOW,
     .summary = "Draw pictures, and wait for them",
     .answer = "images (base64), parameters and info",
     .body_schema = xl_a1111_txt2img_schema},
    {.method = "POST",
     .pattern = "/sdapi/v1/img2img",
     .run = xl_a1111_img2img,
     .flags = TAKES | XL_ROUTE_SLOW,
     .body_max = PICTURE_BYTES,
     .summary = "Draw pictures that begin from another one, and wait for them",
     .answer = "images (base64), parameters and info",
     .body_schema = xl_a1111_img2img_schema},
    TELL("png-info", xl_a1111_png_info, XL_ROUTE_SLOW, PICTURE_BYTES, "info, items, parameters"),
    {.method = "GET",
     .pattern = "/sdapi/v1/progress",
     .run = xl_a1111_progress,
     .flags = XL_ROUTE_LAX,
     .params = of_progress,
     .summary = "How far the call is that is drawn",
     .answer = "progress, eta_relative, state, current_image and textinfo"},
    TELL("interrupt", xl_a1111_interrupt, XL_ROUTE_SLOW, 0, "{}"),
    TELL("skip", xl_a1111_skip, XL_ROUTE_SLOW, 0, "null"),
    ASK("options", xl_a1111_get_options, XL_ROUTE_SLOW, "the options that there are"),
    TELL("options", xl_a1111_set_options, XL_ROUTE_SLOW, 0, "null"),
    ASK("sd-models", xl_a1111_sd_models, XL_ROUTE_SLOW, "the models that can be drawn with"),
    ASK("sd-vae", xl_a1111_sd_vaes, XL_ROUTE_SLOW, "VAEs that have a name"),
    ASK("samplers", xl_a1111_samplers, 0, "samplers"),
    ASK("schedulers", xl_a1111_schedulers, 0, "schedules"),
    ASK("prompt-styles", xl_a1111_styles, XL_ROUTE_SLOW, "style profiles"),
    ASK("loras", xl_a1111_loras, XL_ROUTE_SLOW, "LoRAs that have a name"),
    ASK("embeddings", xl_a1111_embeddings, XL_ROUTE_SLOW, "loaded and skipped"),
    ASK("memory", xl_a1111_memory, XL_ROUTE_SLOW, "ram and cuda"),
    ASK("cmd-flags", xl_a1111_flags, 0, "flags"),
    ASK("scripts", xl_a1111_scripts, 0, "txt2img and img2img: none"),
    ASK("script-info", xl_a1111_nothing, 0, "none"),
    ASK("extensions", xl_a1111_nothing, 0, "none"),
    ASK("upscalers", xl_a1111_nothing, 0, "none"),
    ASK("latent-upscale-modes", xl_a1111_nothing, 0, "none"),
    ASK("hypernetworks", xl_a1111_nothing, 0, "none"),
    ASK("face-restorers", xl_a1111_nothing, 0, "none"),
    ASK("realesrgan-models", xl_a1111_nothing, 0, "none"),
    TELL("refresh-checkpoints", xl_a1111_done, 0, 0,
         "null: lists are read when they are asked for"),
    TELL("refresh-loras", xl_a1111_done, 0, 0, "null, likewise"),
    TELL("refresh-embeddings", xl_a1111_done, 0, 0, "null, likewise"),
    TELL("refresh-vae", xl_a1111_done, 0, 0, "null, likewise"),
    TELL("unload-checkpoint", xl_a1111_done_empty, 0, 0,
         "{}: memory is given back when it is idle"),
    TELL("reload-checkpoint", xl_a1111_done_empty, 0, 0, "{}: it is loaded when it draws"),
};

struct xl_route_table xl_a1111_table(struct xl_a1111 *a1111) {
    return (struct xl_route_table){.rows = rows,
                                   .n = sizeof rows / sizeof *rows,
                                   .user = a1111,
                                   .prefix = "/sdapi/v1/",
                                   .problem = problem_object};
}
