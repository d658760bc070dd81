/* facts.c - GET info, options and the lists. Keeps no state: lists are read when they are asked
 * for, so that a model that was downloaded is there. */
#include "http/api/facts.h"

#include "base/clock.h"
#include "base/json.h"
#include "http/reply.h"
#include "http/server.h"
#include "lab/data/describe.h"
#include "lab/data/named_list.h"
#include "sampler/sampler.h"

#include <stdio.h>
#include <unistd.h>

/* {KEY: list} */
static enum xl_status reply_list(struct xl_reply *reply, const char *key, json_t *list,
                                 struct xl_err *err) {
    json_t *document = json_object();
    bool ok = document && list;
    xl_json_put(document, key, list, &ok);
    return xl_reply_json(reply, 200, xl_json_finish(document, ok), err);
}

static bool append(json_t *list, json_t *item) {
    return list && item && !json_array_append_new(list, item);
}

/* --- The server ------------------------------------------------------------------------------- */

static enum xl_status get_info(struct xl_call *call, struct xl_reply *reply, struct xl_err *err) {
    const struct xl_facts *facts = call->user;
    json_t *object = json_object();
    bool ok = object != NULL;
    xl_json_put(object, "name", json_string("sdxl-lab"), &ok);
    xl_json_put(object, "version", json_string(XL_VERSION), &ok);
    xl_json_put(object, "api", json_integer(1), &ok);
    xl_json_put(object, "instance", xl_json_text(facts->settings->instance), &ok);
    xl_json_put(object, "prefix", xl_json_text(call->prefix), &ok);
    xl_json_put(object, "pid", json_integer(getpid()), &ok);
    xl_json_put(object, "uptime_s", json_integer((json_int_t)(xl_now_s() - facts->started_at)),
                &ok);
    return xl_reply_json(reply, 200, xl_json_finish(object, ok), err);
}

/* --- Options ---------------------------------------------------------------------------------- */

static const char *type_name(enum xl_option_type type) {
    static const char *const names[] = {
        [XL_OPTION_STRING] = "text", [XL_OPTION_INT] = "integer",   [XL_OPTION_REAL] = "number",
        [XL_OPTION_SEED] = "seed",   [XL_OPTION_CHOICE] = "choice", [XL_OPTION_SWITCH] = "switch",
        [XL_OPTION_LIST] = "list"};
    return names[type];
}

/* The list that an option's values are names of, at /api/v1/LIST. */
static const char *list_of(enum xl_completion completion) {
    switch (completion) {
    case XL_COMPLETE_MODEL:
        return "models";
    case XL_COMPLETE_PROFILE:
        return "profiles";
    case XL_COMPLETE_PRESET:
        return "presets";
    case XL_COMPLETE_SCHEDULER:
        return "schedulers";
    case XL_COMPLETE_LORA:
        return "loras";
    case XL_COMPLETE_EMBEDDING:
        return "embeddings";
    default:
        return NULL;
    }
}

json_t *xl_option_object(const struct xl_option *option) {
    char key[64];
    json_t *object = json_object(), *choices = option->choices ? json_array() : NULL;
    bool ok = object != NULL;
    snprintf(key, sizeof key, "%s", option->name);
    for (char *c = key; *c; c++)
        if (*c == '-') *c = '_';
    for (int i = 0; option->choices && option->choices[i]; i++)
        ok = append(choices, json_string(option->choices[i])) && ok;
    bool is_number = option->type == XL_OPTION_INT || option->type == XL_OPTION_REAL;
    bool is_int = option->type == XL_OPTION_INT;
    xl_json_put(object, "name", json_string(option->name), &ok);
    xl_json_put(object, "key", json_string(key), &ok);
    xl_json_put(object, "type", json_string(type_name(option->type)), &ok);
    if (is_number)
        xl_json_put(object, "min",
                    is_int ? json_integer((json_int_t)option->min) : json_real(option->min), &ok);
    if (is_number)
        xl_json_put(object, "max",
                    is_int ? json_integer((json_int_t)option->max) : json_real(option->max), &ok);
    if (choices) xl_json_put(object, "choices", choices, &ok);
    if (list_of(option->completion))
        xl_json_put(object, "list", json_string(list_of(option->completion)), &ok);
    xl_json_put(object, "default", xl_json_text(option->fallback), &ok);
    xl_json_put(object, "help", json_string(option->help), &ok);
    xl_json_put(object, "group", json_string(option->group), &ok);
    xl_json_put(object, "is_axis", json_boolean(option->is_axis), &ok);
    return xl_json_finish(object, ok);
}

static enum xl_status get_options(struct xl_call *call, struct xl_reply *reply,
                                  struct xl_err *err) {
    const struct xl_option *option;
    json_t *list = json_array();
    (void)call;
    bool ok = list != NULL;
    for (int i = 0; (option = xl_option_at(i)) && ok; i++)
        if (option->commands & XL_FOR_API) ok = append(list, xl_option_object(option));
    return reply_list(reply, "options", xl_json_finish(list, ok), err);
}

/* --- Lists ------------------------------------------------------------------------------------ */

static enum xl_status get_models(struct xl_call *call, struct xl_reply *reply, struct xl_err *err) {
    const struct xl_facts *facts = call->user;
    const struct xl_list *files = &facts->settings->model_files;
    struct xl_catalogue *catalogue = NULL;
    struct xl_model_found *found = NULL;
    int n = 0;
    enum xl_status status = xl_catalogue_load(files->item, files->n, &catalogue, err);
    if (!status) status = xl_models_found(catalogue, &call->arena, &found, &n, err);
    json_t *list = json_array();
    bool ok = list != NULL;
    for (int i = 0; i < n && !status && ok; i++)
        ok = append(list, xl_model_object(found[i].model, &found[i].state));
    list = xl_json_finish(list, ok);
    if (!status)
        status = reply_list(reply, "models", list, err);
    else
        json_decref(list);
    xl_catalogue_free(catalogue);
    return status;
}

static enum xl_status get_profiles(struct xl_call *call, struct xl_reply *reply,
                                   struct xl_err *err) {
    const struct xl_facts *facts = call->user;
    const struct xl_list *files = &facts->settings->profile_files;
    struct xl_profiles *profiles = NULL;
    enum xl_status status = xl_profiles_load(files->item, files->n, &profiles, err);
    if (status) return status;
    json_t *list = json_array();
    bool ok = list != NULL;
    for (int i = 0; i < xl_profiles_count(profiles) && ok; i++)
        ok = append(list, xl_profile_object(xl_profiles_at(profiles, i)));
    xl_profiles_free(profiles);
    return reply_list(reply, "profiles", xl_json_finish(list, ok), err);
}

static enum xl_status get_presets(struct xl_call *call, struct xl_reply *reply,
                                  struct xl_err *err) {
    struct xl_presets *presets = NULL;
    (void)call;
    enum xl_status status = xl_presets_load(&presets, err);
    if (status) return status;
    json_t *list = json_array();
    bool ok = list != NULL;
    for (int i = 0; i < xl_presets_count(presets) && ok; i++)
        ok = append(list, xl_preset_object(xl_presets_at(presets, i)));
    xl_presets_free(presets);
    return reply_list(reply, "presets", xl_json_finish(list, ok), err);
}

static enum xl_status get_schedulers(struct xl_call *call, struct xl_reply *reply,
                                     struct xl_err *err) {
    const char *name;
    json_t *list = json_array();
    (void)call;
    bool ok = list != NULL;
    for (int i = 0; (name = xl_scheduler_list(i)) && ok; i++) {
        json_t *object = json_object();
        xl_json_put(object, "name", json_string(name), &ok);
        ok = append(list, object) && ok;
    }
    return reply_list(reply, "schedulers", xl_json_finish(list, ok), err);
}

static enum xl_status get_named(struct xl_reply *reply, enum xl_named_kind kind,
                                struct xl_err *err) {
    struct xl_named_list list = {.n = 0};
    enum xl_status status = xl_named_list_read(kind, &list, err);
    if (!status)
        status = reply_list(reply, xl_named_kind_name(kind), xl_named_list_array(&list), err);
    xl_named_list_deinit(&list);
    return status;
}

static enum xl_status get_loras(struct xl_call *call, struct xl_reply *reply, struct xl_err *err) {
    (void)call;
    return get_named(reply, XL_NAMED_LORAS, err);
}

static enum xl_status get_embeddings(struct xl_call *call, struct xl_reply *reply,
                                     struct xl_err *err) {
    (void)call;
    return get_named(reply, XL_NAMED_EMBEDDINGS, err);
}

/* --- Rows ------------------------------------------------------------------------------------- */

#define LIST(path, run_, summary_, answer_)                                                        \
    {                                                                                              \
        .method = "GET", .pattern = "/api/v1/" path, .run = run_, .flags = XL_ROUTE_SLOW,          \
        .summary = summary_, .answer = answer_                                                     \
    }

static const struct xl_route rows[] = {
    {.method = "GET",
     .pattern = "/api/v1/info",
     .run = get_info,
     .summary = "Which server this is",
     .answer = "name, version, instance, prefix, pid and uptime_s"},
    {.method = "GET",
     .pattern = "/api/v1/options",
     .run = get_options,
     .summary = "What the settings of a job may be",
     .answer = "options: name, key, type, min, max, choices, list, default, help, group, is_axis"},
    LIST("models", get_models, "The models that have a name here, and whether they are there",
         "models, as `sdxl-lab models list --json` has them"),
    LIST("profiles", get_profiles, "The style profiles",
         "profiles, as `sdxl-lab profiles list --json` has them"),
    LIST("presets", get_presets, "Sizes by name",
         "presets, as `sdxl-lab presets list --json` has them"),
    {.method = "GET",
     .pattern = "/api/v1/schedulers",
     .run = get_schedulers,
     .summary = "The samplers",
     .answer = "schedulers, each with its name"},
    LIST("loras", get_loras, "The LoRAs that have a name here",
         "loras, as `sdxl-lab loras list --json` has them"),
    LIST("embeddings", get_embeddings, "The textual inversions that have a name here",
         "embeddings, as `sdxl-lab embeddings list --json` has them"),
};

struct xl_route_table xl_facts_table(const struct xl_facts *facts) {
    return (struct xl_route_table){.rows = rows,
                                   .n = sizeof rows / sizeof *rows,
                                   .user = (void *)(uintptr_t)facts,
                                   .prefix = "/api/v1/"};
}
