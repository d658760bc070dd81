/* insights.c - an analysis of the index and its marks. Keeps no state. */
#include "http/api/insights.h"

#include "base/json.h"
#include "http/call.h"
#include "http/reply.h"
#include "insight/index/observe.h"
#include "insight/index/pictures.h"
#include "insight/report/document.h"
#include "insight/report/plan.h"
#include "insight/report/weights.h"
#include "lab/data/themes.h"

#include <string.h>

enum { BUDGET_MAX = 10000 };

/* Where pictures are: the last one that was asked for. */
struct paths {
    struct xl_index *index;
    json_t *picture;
};

static const char *path_of(void *user, int64_t id) {
    struct paths *paths = user;
    json_decref(paths->picture);
    paths->picture = NULL;
    if (xl_picture_get(paths->index, id, &paths->picture, NULL)) return NULL;
    return json_string_value(json_object_get(paths->picture, "path"));
}

/* What a page needs beside the command's document: the ids of a bundle's pictures, and its settings
 * under the names that jobs have. */
static bool put_for_page(json_t *document, const struct xl_taste *taste) {
    json_t *bundle;
    size_t i;
    bool ok = true;
    json_array_foreach(json_object_get(document, "bundles"), i, bundle) {
        json_t *ids = json_array();
        for (size_t k = 0; ids && k < taste->bundles[i].n_pictures; k++)
            ok = !json_array_append_new(ids, json_integer(taste->bundles[i].pictures[k])) && ok;
        xl_json_put(bundle, "picture_ids", ids, &ok);
        xl_json_put(bundle, "job", xl_plan_job(json_object_get(bundle, "settings"), 0), &ok);
    }
    return ok;
}

static enum xl_status describe(struct xl_index *index, const struct xl_taste *taste, json_t **out,
                               struct xl_err *err) {
    struct paths paths = {index, NULL};
    const struct xl_report_pictures pictures = {path_of, &paths};
    json_t *document = xl_report_document(taste, &pictures);
    document = xl_json_finish(document, document && put_for_page(document, taste));
    json_decref(paths.picture);
    *out = document;
    return document ? XL_OK : xl_fail_nomem(err, "a report", 0);
}

static enum xl_status get_insights(struct xl_call *call, struct xl_reply *reply,
                                   struct xl_err *err) {
    const struct xl_picture_filter all = {.n_where = 0};
    const struct xl_taste_wish wish = {
        .budget = (size_t)xl_call_int(call, "budget", XL_TASTE_BUDGET)};
    struct xl_index *index = NULL;
    struct xl_observations *rows = NULL;
    struct xl_taste taste = {0};
    json_t *document = NULL;
    enum xl_status status = xl_library_take(call->user, &index, err);
    if (!status) status = xl_observe(index, &all, &rows, err);
    if (!status) status = xl_taste_find(rows, &wish, &taste, err);
    if (!status) status = describe(index, &taste, &document, err);
    xl_taste_deinit(&taste);
    xl_observe_free(rows);
    xl_library_give(call->user, index);
    return status ? status : xl_reply_json(reply, 200, document, err);
}

/* --- Prompts that write themselves ------------------------------------------------------------ */

/* One of the list: a path, which loading would take, is none of the network's business. */
static enum xl_status load_theme(struct xl_call *call, struct xl_reply *reply,
                                 struct xl_grammar **out, struct xl_err *err) {
    const char *name = xl_call_text(call, "theme");
    const struct xl_theme *themes = NULL;
    int n = 0;
    enum xl_status status = xl_themes_list(&call->arena, &themes, &n, err);
    for (int i = 0; i < n && !status; i++)
        if (!strcmp(themes[i].name, name)) return xl_theme_load(name, NULL, out, err);
    if (status) return status;
    return xl_reply_about(reply, "theme",
                          xl_fail(err, XL_EINVAL,
                                  "theme: there is no \"%.60s\"; GET /api/v1/themes has the list",
                                  name));
}

static enum xl_status get_weights(struct xl_call *call, struct xl_reply *reply,
                                  struct xl_err *err) {
    const struct xl_picture_filter all = {.n_where = 0};
    struct xl_grammar *grammar = NULL;
    struct xl_index *index = NULL;
    struct xl_observations *rows = NULL;
    json_t *weights = NULL;
    enum xl_status status = load_theme(call, reply, &grammar, err);
    if (!status) status = xl_library_take(call->user, &index, err);
    if (!status) status = xl_observe(index, &all, &rows, err);
    if (index) xl_library_give(call->user, index);
    if (!status) {
        xl_json_watch();
        weights = xl_taste_weights(rows, grammar);
    }
    xl_observe_free(rows);
    xl_grammar_free(grammar);
    return status ? status : xl_reply_json(reply, 200, weights, err);
}

/* --- Rows ------------------------------------------------------------------------------------- */

static const struct xl_param params[] = {{.name = "budget",
                                          .type = XL_PARAM_INT,
                                          .min = 1,
                                          .max = BUDGET_MAX,
                                          .help = "pictures of the next sweep; 120"},
                                         {.name = NULL}};
static const struct xl_param weights_params[] = {
    {.name = "theme", .max = 100, .is_required = true, .help = "a name of GET themes"},
    {.name = NULL}};
static const struct xl_route rows[] = {
    {.method = "GET",
     .pattern = "/api/v1/insights",
     .run = get_insights,
     .flags = XL_ROUTE_SLOW,
     .params = params,
     .summary = "What is loved, and what to make next",
     .answer = "as `sdxl-lab favorites --json` has it; bundles also picture_ids and job, their "
               "settings as a job has them"},
    {.method = "GET",
     .pattern = "/api/v1/insights/weights",
     .run = get_weights,
     .flags = XL_ROUTE_SLOW,
     .params = weights_params,
     .summary = "How much more, or less, entries of a theme count because of what is loved",
     .answer =
         "weights: of each list the factor of each entry that a prompt had, 0.25 to 4; a file "
         "of this is what --learn-from takes"},
};

struct xl_route_table xl_insights_table(struct xl_library *library) {
    return (struct xl_route_table){
        .rows = rows, .n = sizeof rows / sizeof *rows, .user = library, .prefix = "/api/v1/"};
}
