/* night_changes.c - routes by which nights begin, end, go on, and get jobs. Keeps no state. */
#include "http/api/night_routes.h"

#include "base/arena.h"
#include "base/json.h"
#include "http/body.h"
#include "insight/index/observe.h"
#include "insight/report/learned.h"
#include "jobs/night/inbox.h"
#include "jobs/night/launch.h"
#include "jobs/night/outlook.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* --- Beginning -------------------------------------------------------------------------------- */

/* As the night itself will, when it begins. */
static enum xl_status learn(const struct xl_nights_api *api, struct xl_night_config *config,
                            struct xl_err *err) {
    const struct xl_picture_filter all = {.n_where = 0};
    struct xl_index *index = NULL;
    struct xl_observations *rows = NULL;
    if (!config->learn_from) return XL_OK;
    enum xl_status status = xl_library_take(api->library, &index, err);
    if (!status) status = xl_observe(index, &all, &rows, err);
    if (index) xl_library_give(api->library, index);
    if (!status)
        status = xl_favourites_learn(rows, config->prompts.item, config->prompts.n,
                                     &config->learned, err);
    xl_observe_free(rows);
    return status;
}

/* Read the file and plan its first jobs. *told: what the night would be, the caller's. */
static enum xl_status check_file(struct xl_call *call, struct xl_reply *reply, const char *path,
                                 json_t **told, struct xl_err *err) {
    struct xl_night_config config;
    struct xl_night_outlook outlook;
    enum xl_status status = xl_night_config_load(path, time(NULL), &config, err);
    if (status) return xl_night_config_about(call, reply, path, status, err);
    status = learn(xl_nights_api_of(call), &config, err);
    if (!status) status = xl_night_outlook_read(&config, &outlook, err);
    if (status) {
        status = xl_night_config_about(call, reply, path, status, err);
    } else {
        xl_json_watch();
        *told = xl_night_outlook_describe(&config, &outlook);
        if (!*told) status = xl_fail_nomem(err, "a night", 0);
        xl_night_outlook_deinit(&outlook);
    }
    xl_night_config_deinit(&config);
    return status;
}

static const char *const of_config[] = {"config", NULL};

enum xl_status xl_night_check(struct xl_call *call, struct xl_reply *reply, struct xl_err *err) {
    const char *path = NULL;
    json_t *told = NULL;
    enum xl_status status = xl_body_check(call, reply, of_config, err);
    if (!status) status = xl_night_config_write(call, reply, &path, err);
    if (status) return status;
    status = check_file(call, reply, path, &told, err);
    unlink(path);
    if (status) return status;
    json_object_del(told, "config");
    return xl_reply_json(reply, 200, told, err);
}

/* Nights would take GPUs and jobs from each other. */
static enum xl_status check_alone(struct xl_call *call, struct xl_reply *reply,
                                  struct xl_err *err) {
    const char *const *dirs = NULL;
    int n = 0;
    enum xl_status status =
        xl_nights_list(xl_nights_api_of(call)->dir, &call->arena, &dirs, &n, err);
    for (int i = 0; !status && i < n; i++) {
        bool is_running = false;
        status = xl_night_is_running(dirs[i], &is_running, err);
        if (!status && is_running)
            return xl_reply_refuse(reply, 409, err,
                                   "%s is running; stop it first, or add jobs to it",
                                   xl_night_id(dirs[i]));
    }
    return status;
}

/* config: of a new one; dir: of one to go on with. Its messages go beside its configuration. */
static enum xl_status launch(struct xl_call *call, struct xl_reply *reply, const char *config,
                             const char *dir, struct xl_err *err) {
    const struct xl_nights_api *api = xl_nights_api_of(call);
    char *begun = NULL;
    struct xl_night_launch launch = {.output_dir = api->dir, .config = config, .dir = dir};
    launch.log = dir ? xl_arena_printf(&call->arena, "%s/night.log", dir)
                     : xl_arena_printf(&call->arena, "%s.log", config);
    if (!launch.log) return xl_fail_nomem(err, "a path", 0);
    xl_queue_rest(api->queue);
    enum xl_status status = xl_night_launch(&launch, &begun, err);
    if (status) return status;
    status = begun ? xl_night_reply(reply, dir ? 200 : 201, begun, err)
                   : xl_reply_json(reply, 202, json_pack("{s:n}", "id"), err);
    free(begun);
    return status;
}

enum xl_status xl_night_begin(struct xl_call *call, struct xl_reply *reply, struct xl_err *err) {
    const char *path = NULL;
    json_t *told = NULL;
    enum xl_status status = xl_body_check(call, reply, of_config, err);
    if (!status) status = check_alone(call, reply, err);
    if (!status) status = xl_night_config_write(call, reply, &path, err);
    if (status) return status;
    status = check_file(call, reply, path, &told, err);
    json_decref(told);
    if (!status) status = launch(call, reply, path, NULL, err);
    if (status) unlink(path);
    return status;
}

/* --- Changing --------------------------------------------------------------------------------- */

enum xl_status xl_night_stop(struct xl_call *call, struct xl_reply *reply, struct xl_err *err) {
    static const char *const known[] = {"now", NULL};
    struct xl_night_state state;
    const char *dir = NULL;
    bool is_running = false, now = false;
    enum xl_status status = xl_body_check(call, reply, known, err);
    if (!status) status = xl_body_switch(call, reply, "now", &now, err);
    if (!status) status = xl_night_of_call(call, reply, &dir, &state, &is_running, err);
    if (status) return status;
    if (!is_running)
        status = xl_reply_refuse(reply, 409, err, "nobody works on this night; it is %s",
                                 xl_night_state_name(&state, is_running));
    xl_night_state_deinit(&state);
    if (!status) status = xl_night_ask_stop(dir, now, err);
    return status ? status : xl_night_reply(reply, 200, dir, err);
}

enum xl_status xl_night_resume(struct xl_call *call, struct xl_reply *reply, struct xl_err *err) {
    static const char *const known[] = {NULL};
    struct xl_night_state state;
    const char *dir = NULL;
    bool is_running = false;
    enum xl_status status = xl_body_check(call, reply, known, err);
    if (!status) status = xl_night_of_call(call, reply, &dir, &state, &is_running, err);
    if (status) return status;
    if (is_running || state.phase == XL_NIGHT_DONE)
        status = xl_reply_refuse(
            reply, 409, err, "this night is %s%s%s", is_running ? "running" : "done",
            is_running || !state.why ? "" : ": ", is_running || !state.why ? "" : state.why);
    xl_night_state_deinit(&state);
    if (!status) status = check_alone(call, reply, err);
    return status ? status : launch(call, reply, NULL, dir, err);
}

/* {"jobs": [{SETTINGS}, ...]} */
enum xl_status xl_night_add_jobs(struct xl_call *call, struct xl_reply *reply, struct xl_err *err) {
    static const char *const known[] = {"jobs", NULL};
    struct xl_night_state state;
    const char *dir = NULL;
    bool is_running = false;
    enum xl_status status = xl_body_check(call, reply, known, err);
    if (!status) status = xl_night_of_call(call, reply, &dir, &state, &is_running, err);
    if (status) return status;
    xl_night_state_deinit(&state);
    const json_t *asked = json_object_get(call->json, "jobs");
    size_t n = json_array_size(asked);
    if (!n)
        return xl_reply_about(
            reply, "jobs", xl_fail(err, XL_EINVAL, "jobs: expected a list of objects of settings"));
    json_t *jobs = json_array();
    if (!jobs) status = xl_fail_nomem(err, "jobs", 0);
    for (size_t i = 0; !status && i < n; i++) {
        json_t *job = NULL;
        status = xl_night_job_vet(call, json_array_get(asked, i), &job, err);
        if (status) break;
        if (!xl_night_seed_job(job) || json_array_append(jobs, job))
            status = xl_fail_nomem(err, "jobs", 0);
        json_decref(job);
    }
    if (!status) status = xl_night_ask_add(dir, jobs, err);
    json_decref(jobs);
    if (status) return status;
    return xl_reply_json(reply, 202, json_pack("{s:I}", "added", (json_int_t)n), err);
}
