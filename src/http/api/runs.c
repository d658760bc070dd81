/* runs.c - GET runs/ID. Keeps no state: a run is its folder. */
#include "http/api/runs.h"

#include "base/arena.h"
#include "base/file.h"
#include "base/json.h"
#include "http/call.h"
#include "http/reply.h"
#include "lab/run/run_page.h"

#include <string.h>

/* A folder's own name: no hidden one, and nothing that leads out. */
static bool is_run_name(const char *id) {
    return id[0] && id[0] != '.' && !strchr(id, '/');
}

static enum xl_status get_run(struct xl_call *call, struct xl_reply *reply, struct xl_err *err) {
    const char *id = xl_call_text(call, "id");
    const char *dir = xl_arena_printf(&call->arena, "%s/%s", xl_library_dir(call->user), id);
    if (!dir) return xl_fail_nomem(err, "a path", 0);
    json_t *object = NULL;
    struct xl_err why;
    xl_json_watch();
    enum xl_status status = XL_EINPUT;
    if (is_run_name(id) && xl_dir_exists(dir)) status = xl_run_page_read(dir, &object, &why);
    if (status == XL_EINPUT)
        return xl_reply_refuse(reply, 404, err,
                               "there is no run \"%.80s\" in the output directory; GET "
                               "/api/v1/pictures/facets has those of pictures as run_dir",
                               id);
    if (status) return xl_fail(err, status, "%s", why.text);
    bool ok = true;
    xl_json_put(object, "id", xl_json_text(id), &ok);
    return xl_reply_json(reply, 200, xl_json_finish(object, ok), err);
}

static const struct xl_param of_run[] = {
    {.name = "id", .max = 255, .help = "the name of the run's folder"}, {.name = NULL}};

static const struct xl_route rows[] = {
    {"GET", "/api/v1/runs/{id}", get_run, XL_ROUTE_SLOW, 0, of_run,
     "The cells of a run, a sweep or a night: what each was planned as, and what became of it",
     "id, run (title, kind, prompt, fields, axes, state, ...) and cells (id, state, path below the "
     "run, error, seconds, and the keys of the fields)",
     NULL, NULL},
};

struct xl_route_table xl_runs_table(struct xl_library *library) {
    return (struct xl_route_table){
        .rows = rows, .n = sizeof rows / sizeof *rows, .user = library, .prefix = "/api/v1/"};
}
