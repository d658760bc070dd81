/* night_ask.c - sdxl-lab night status, stop and add: about a night that runs, here or elsewhere. */
#include "cli/night.h"

#include "base/file.h"
#include "base/json.h"
#include "base/path.h"
#include "base/str.h"
#include "base/yaml.h"
#include "cli/table.h"
#include "jobs/night/config.h"
#include "jobs/night/inbox.h"
#include "jobs/night/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *first_argument(const struct xl_settings *given) {
    return given->n_arguments ? given->arguments[0] : NULL;
}

/* --- status ----------------------------------------------------------------------------------- */

/* A night, and whether somebody works on it. */
struct seen {
    char *dir;
    struct xl_night_state state;
    bool is_running;
};

static enum xl_status see(const struct xl_settings *given, struct seen *out, struct xl_err *err) {
    *out = (struct seen){.dir = NULL};
    enum xl_status status = xl_night_meant(given, first_argument(given), &out->dir, err);
    if (!status) status = xl_night_state_read(out->dir, &out->state, err);
    if (!status) status = xl_night_is_running(out->dir, &out->is_running, err);
    return status;
}

static void forget(struct seen *seen) {
    xl_night_state_deinit(&seen->state);
    free(seen->dir);
}

static enum xl_status print_json(const struct seen *seen, struct xl_err *err) {
    struct xl_arena arena = {0};
    json_t *document = NULL;
    bool ok = true;
    char *path = xl_path_join(seen->dir, "night.json");
    enum xl_status status = path ? xl_json_load(path, &document, err)
                                 : xl_fail_nomem(err, "a path", 0);
    if (!status) {
        xl_json_watch();
        xl_json_put(document, "dir", xl_json_text(xl_path_absolute(seen->dir, &arena)), &ok);
        xl_json_put(document, "is_running", json_boolean(seen->is_running), &ok);
        xl_json_put(document, "state",
                    json_string(xl_night_state_name(&seen->state, seen->is_running)), &ok);
        status = ok ? xl_print_json(document, err) : xl_fail_nomem(err, "a document", 0);
    }
    json_decref(document);
    xl_arena_deinit(&arena);
    free(path);
    return status;
}

static enum xl_status print_workers(const json_t *workers, struct xl_err *err) {
    struct xl_table table = {.n_columns = 5};
    size_t i;
    json_t *worker;
    xl_table_add(&table, (const char *const[]){"worker", "name", "pictures", "degrees", "state"},
                 XL_COLOR_BOLD);
    json_array_foreach((json_t *)workers, i, worker) {
        char pictures[24] = "", degrees[24] = "", number[24];
        const char *label = json_string_value(json_object_get(worker, "worker"));
        const char *name = json_string_value(json_object_get(worker, "name"));
        const char *state = json_string_value(json_object_get(worker, "state"));
        json_int_t temperature = json_integer_value(json_object_get(worker, "temperature"));
        snprintf(number, sizeof number, "GPU %d",
                 (int)json_integer_value(json_object_get(worker, "index")));
        bool is_gpu = json_object_get(worker, "index") != NULL;
        if (label)
            snprintf(pictures, sizeof pictures, "%lld",
                     (long long)json_integer_value(json_object_get(worker, "pictures")));
        if (temperature > 0) snprintf(degrees, sizeof degrees, "%lld", (long long)temperature);
        xl_table_add(&table,
                     (const char *const[]){is_gpu  ? number
                                           : label ? label
                                                   : "-",
                                           name ? name : "", pictures, degrees, state ? state : ""},
                     XL_COLOR_NONE);
    }
    return xl_table_print(&table, 0, err);
}

static enum xl_status print_text(const struct seen *seen, struct xl_err *err) {
    const struct xl_night_state *state = &seen->state;
    char size[XL_SIZE_TEXT], span[XL_SPAN_TEXT];
    enum { EVENTS = 5 };
    printf("%s  %s", seen->dir, xl_night_state_name(&seen->state, seen->is_running));
    printf("%s%s\n", state->why ? ": " : "", state->why ? state->why : "");
    printf("%d drawn, %d failed, %d planned and not drawn; %s; it ran %s\n", state->n_done,
           state->n_failed, state->n_waiting, xl_size_text(state->bytes, size),
           xl_span_text(state->elapsed_s, span));
    enum xl_status status = XL_OK;
    if (seen->is_running) {
        printf("\n");
        status = print_workers(state->workers, err);
    }
    size_t n = json_array_size(state->events);
    if (n) printf("\n");
    for (size_t i = n > EVENTS ? n - EVENTS : 0; i < n; i++) {
        const json_t *event = json_array_get(state->events, i);
        xl_print_lines(0, "", json_string_value(json_object_get(event, "at")), XL_COLOR_DIM);
        xl_print_lines(2, "", json_string_value(json_object_get(event, "text")), XL_COLOR_NONE);
    }
    return status;
}

static enum xl_status status_command(const struct xl_settings *given, struct xl_err *err) {
    struct seen seen;
    enum xl_status status = see(given, &seen, err);
    if (!status) status = given->json ? print_json(&seen, err) : print_text(&seen, err);
    forget(&seen);
    return status;
}

/* --- stop ------------------------------------------------------------------------------------- */

static enum xl_status stop(const struct xl_settings *given, struct xl_err *err) {
    struct seen seen;
    enum xl_status status = see(given, &seen, err);
    if (!status && !seen.is_running)
        status = xl_fail(err, XL_EINPUT, "%s: nobody works on this night; it is %s", seen.dir,
                         xl_night_state_name(&seen.state, seen.is_running));
    if (!status) status = xl_night_ask_stop(seen.dir, given->now, err);
    if (!status && !given->json && !given->quiet)
        printf("%s ends %s\n", seen.dir, given->now ? "at once" : "after the pictures at hand");
    forget(&seen);
    return status;
}

/* --- add -------------------------------------------------------------------------------------- */

/* --seed counts on from job to job. */
static bool add_job(json_t *jobs, json_t *job, const struct xl_settings *given) {
    bool ok = job != NULL;
    const json_t *sweep = json_object_get(job, "sweep");
    bool has_seed = json_object_get(job, "seed") || json_object_get(sweep, "seed");
    if (ok && given->has_seed && !has_seed)
        xl_json_put(job, "seed", xl_json_seed(given->seed + json_array_size(jobs)), &ok);
    return ok && xl_night_seed_job(job) && !json_array_append(jobs, job);
}

/* One map of settings, or a list of them. */
static enum xl_status add_file(json_t *jobs, const char *path, const struct xl_settings *given,
                               struct xl_err *err) {
    struct xl_yaml_places places = {0};
    struct xl_arena arena = {0};
    json_t *root = NULL;
    enum xl_status status = xl_yaml_load(path, &places, &root, err);
    size_t n = json_is_array(root) ? json_array_size(root) : 1;
    for (size_t i = 0; !status && i < n; i++) {
        json_t *job = json_is_array(root) ? json_array_get(root, i) : root;
        const struct xl_settings_part part = {.name = path, .object = job, .places = &places};
        struct xl_settings trial;
        xl_settings_default(&trial);
        trial.arena = &arena;
        status = xl_settings_read_part(&trial, &part, &arena, err);
        if (!status && !add_job(jobs, job, given)) status = xl_fail_nomem(err, "jobs", 0);
    }
    json_decref(root);
    xl_yaml_places_deinit(&places);
    xl_arena_deinit(&arena);
    return status == XL_EINVAL ? XL_EINPUT : status;
}

static enum xl_status add_prompt(json_t *jobs, const char *prompt, const struct xl_settings *given,
                                 struct xl_err *err) {
    json_t *job = json_object();
    bool ok = job != NULL;
    xl_json_put(job, "prompt", xl_json_text(prompt), &ok);
    ok = ok && add_job(jobs, job, given);
    json_decref(job);
    return ok ? XL_OK : xl_fail_nomem(err, "a job", 0);
}

static enum xl_status add(const struct xl_settings *given, struct xl_err *err) {
    char *dir = NULL;
    json_t *jobs = json_array();
    if (!given->n_arguments && !given->jobs_file)
        return json_decref(jobs), xl_fail(err, XL_EINVAL, "expected a prompt, or --jobs-file FILE");
    enum xl_status status = jobs ? XL_OK : xl_fail_nomem(err, "jobs", 0);
    if (!status) status = xl_night_meant(given, given->night, &dir, err);
    if (!status && given->jobs_file) status = add_file(jobs, given->jobs_file, given, err);
    for (int i = 0; !status && i < given->n_arguments; i++)
        status = add_prompt(jobs, given->arguments[i], given, err);
    if (!status) status = xl_night_ask_add(dir, jobs, err);
    int n = (int)json_array_size(jobs);
    if (!status && !given->quiet && !given->json)
        printf("%d %s for %s\n", n, xl_plural(n, "job", "jobs"), dir);
    json_decref(jobs);
    free(dir);
    return status;
}

const struct xl_command xl_command_night_status = {
    .name = "night status",
    .summary = "how far a night is, who draws, and what happened",
    .usage = "[OPTIONS]",
    .positional = "[NIGHT]",
    .words = XL_COMPLETE_DIR,
    .commands = XL_FOR_NIGHT_ASK,
    .epilogue = "NIGHT is its folder, or the file of its configuration; without it, the newest in "
                "--output-dir.",
    .run = status_command,
};

const struct xl_command xl_command_night_stop = {
    .name = "night stop",
    .summary = "end a night that runs, after the pictures at hand or --now",
    .usage = "[OPTIONS]",
    .positional = "[NIGHT]",
    .words = XL_COMPLETE_DIR,
    .commands = XL_FOR_NIGHT_ASK,
    .epilogue = "It may run on another machine that sees the same folder. night resume goes on "
                "with it.",
    .run = stop,
};

const struct xl_command xl_command_night_add = {
    .name = "night add",
    .summary = "add prompts or jobs to a night: they are drawn next",
    .usage = "[OPTIONS]",
    .positional = "[PROMPT...]",
    .commands = XL_FOR_NIGHT_ADD,
    .epilogue = "Added to a night that does not run, they come first when it goes on.",
    .run = add,
};
