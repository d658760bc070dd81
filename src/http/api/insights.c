/* insights.c - an analysis of the index and its marks. Keeps no state. */
#include "http/api/insights.h"

#include "base/json.h"
#include "http/call.h"
#include "http/reply.h"
#include "insight/index/observe.h"
#include "insight/index/pictures.h"
#include "insight/report/document.h"
#include "insight/report/plan.h"

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

static const struct xl_param params[] = {{.name = "budget",
                                          .type = XL_PARAM_INT,
                                          .min = 1,
                                          .max = BUDGET_MAX,
                                          .help = "pictures of the next sweep; 120"},
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
};

struct xl_route_table xl_insights_table(struct xl_library *library) {
    return (struct xl_route_table){
        .rows = rows, .n = sizeof rows / sizeof *rows, .user = library, .prefix = "/api/v1/"};
}
