/* slurm.c - sdxl-lab slurm status, cancel, collect: a run that a job array draws. */
#include "cli/cli.h"
#include "cli/shared_run.h"
#include "cli/submit.h"
#include "cli/table.h"

#include "base/file.h"
#include "base/json.h"
#include "jobs/slurm.h"
#include "lab/run/claims.h"
#include "lab/run/runner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is known of a run. */
struct known {
    struct xl_arena arena;
    const char *dir;
    const char *jobs; /* numbers, commas between; "": none */
    const struct xl_slurm_task *tasks;
    int n_tasks, n_waiting, n_working, n_failed;
    struct xl_claims_seen seen;
    int n_cells, n_there;
};

static bool has_failed(const char *state) {
    return !xl_slurm_waits(state) && !xl_slurm_works(state) && strcmp(state, "COMPLETED") != 0 &&
           strcmp(state, "CANCELLED") != 0;
}

/* The numbers in RUN/slurm/jobs. */
static enum xl_status read_jobs(struct known *known, struct xl_err *err) {
    const struct xl_read_rule rule = {1 << 20, XL_EINPUT, XL_EINPUT};
    char *path = xl_path_join(known->dir, XL_SLURM_DIR "/jobs"), *text = NULL;
    struct xl_str numbers = {0};
    size_t n = 0;
    enum xl_status status = path ? XL_OK : xl_fail_nomem(err, "a path", 0);
    if (!status && !xl_file_exists(path))
        status =
            xl_fail(err, XL_EINPUT,
                    "%s: no job was submitted for this run; sdxl-lab resume --on slurm submits "
                    "one",
                    known->dir);
    if (!status) status = xl_file_read(path, rule, &text, &n, err);
    for (const char *line = status ? NULL : text; line && *line;) {
        size_t digits = strspn(line, "0123456789");
        if (digits) xl_str_printf(&numbers, "%s%.*s", numbers.len ? "," : "", (int)digits, line);
        line += strcspn(line, "\n");
        line += *line == '\n';
    }
    if (!status) {
        known->jobs = xl_arena_strdup(&known->arena, numbers.text ? numbers.text : "");
        if (!known->jobs) status = xl_fail_nomem(err, "jobs", 0);
    }
    xl_str_deinit(&numbers);
    free(text);
    free(path);
    return status;
}

static enum xl_status ask_slurm(struct known *known, struct xl_err *err) {
    if (!known->jobs[0]) return XL_OK;
    enum xl_status status =
        xl_slurm_tasks(known->jobs, &known->arena, &known->tasks, &known->n_tasks, err);
    for (int i = 0; !status && i < known->n_tasks; i++) {
        const char *state = known->tasks[i].state;
        known->n_waiting += xl_slurm_waits(state);
        known->n_working += xl_slurm_works(state);
        known->n_failed += has_failed(state);
    }
    return status;
}

/* Open the run as it is, change nothing, and count. tells_page: and show it on the page. */
static enum xl_status count_pictures(struct known *known, const struct xl_settings *given,
                                     bool tells_page, struct xl_err *err) {
    struct xl_settings settings = *given;
    struct xl_sweep sweep;
    struct xl_run_dir dir;
    settings.dry_run = true;
    enum xl_status status = xl_run_dir_open(known->dir, &settings, &sweep, &dir, err);
    if (status) return status;
    const struct xl_run run = {.settings = &settings, .sweep = &sweep, .dir = &dir};
    known->n_cells = dir.n_outcomes;
    for (int i = 0; i < dir.n_outcomes; i++)
        known->n_there += dir.outcomes[i].state == XL_CELL_DONE;
    if (tells_page) status = xl_run_announce(&run, err);
    xl_run_dir_close(&dir);
    xl_sweep_deinit(&sweep);
    return status;
}

static enum xl_status know(struct known *known, const struct xl_settings *settings,
                           struct xl_err *err) {
    *known = (struct known){.dir = settings->arguments[0], .jobs = ""};
    enum xl_status status = read_jobs(known, err);
    if (!status) status = ask_slurm(known, err);
    if (!status) status = xl_claims_see(known->dir, &known->arena, &known->seen, err);
    return status;
}

/* --- status ----------------------------------------------------------------------------------- */

static const char *describe_worker(struct known *known, const struct xl_claims_worker *worker) {
    if (worker->has_left) return "has left";
    return xl_arena_printf(&known->arena, "%s %.0f s ago",
                           worker->is_dead ? "dead, last heard of" : "at work, heard of",
                           worker->silent_s);
}

static enum xl_status print_workers(struct known *known, struct xl_err *err) {
    static const char *const heading[] = {"PROCESS", "HOST", "DONE", "FAILED", "IN HAND", ""};
    struct xl_table table = {.n_columns = 6, .spared = {3, 4}};
    if (!known->seen.n) return XL_OK;
    printf("\n");
    xl_table_add(&table, heading, XL_COLOR_BOLD);
    for (int i = 0; i < known->seen.n; i++) {
        const struct xl_claims_worker *worker = &known->seen.workers[i];
        char numbers[3][16];
        snprintf(numbers[0], sizeof numbers[0], "%d", worker->n_done);
        snprintf(numbers[1], sizeof numbers[1], "%d", worker->n_failed);
        snprintf(numbers[2], sizeof numbers[2], "%d", worker->n_in_hand);
        const char *what = describe_worker(known, worker);
        const char *const cells[] = {worker->instance, worker->process.host, numbers[0],
                                     numbers[1],       numbers[2],           what ? what : ""};
        xl_table_add(&table, cells, worker->is_dead ? XL_COLOR_YELLOW : XL_COLOR_NONE);
    }
    return xl_table_print(&table, 0, err);
}

/* Why a task waits, or which ones did not do well: the first that says so. */
static const char *reason_of(const struct known *known, bool (*is_it)(const char *state)) {
    for (int i = 0; i < known->n_tasks; i++)
        if (is_it(known->tasks[i].state)) return known->tasks[i].reason;
    return "";
}

static void print_advice(const struct known *known) {
    bool is_busy = known->n_waiting || known->n_working || known->seen.n_at_work;
    if (known->n_failed && !known->seen.n && !known->n_there)
        printf("         no task has begun: does every node see %s, and have sdxl-lab?\n",
               known->dir);
    if (known->n_working && known->seen.n && !known->seen.n_at_work)
        printf("         Slurm believes that tasks run, but none of their processes lives: slurm "
               "cancel, "
               "and go on\n");
    if (is_busy) return;
    if (known->n_there < known->n_cells)
        printf("go on    sdxl-lab resume --on slurm %s\n", known->dir);
    else if (known->seen.n)
        printf("collect  sdxl-lab slurm collect %s\n", known->dir);
}

static enum xl_status print_status(struct known *known, struct xl_err *err) {
    printf("pictures %d of %d there", known->n_there, known->n_cells);
    if (known->seen.n_in_hand) printf(", %d in hand", known->seen.n_in_hand);
    if (known->seen.n_failed) printf(", %d failed", known->seen.n_failed);
    printf("\njob      %s: %d at work, %d waiting", known->jobs, known->n_working,
           known->n_waiting);
    if (known->n_waiting) printf(" (%s)", reason_of(known, xl_slurm_waits));
    if (known->n_failed) printf(", %d failed", known->n_failed);
    printf("\nlogs     %s/" XL_SLURM_DIR "\n", known->dir);
    print_advice(known);
    return print_workers(known, err);
}

static json_t *list_workers(const struct known *known) {
    json_t *list = json_array();
    bool ok = list != NULL;
    for (int i = 0; i < known->seen.n; i++) {
        const struct xl_claims_worker *worker = &known->seen.workers[i];
        json_t *object = json_object();
        const char *state = worker->has_left ? "left" : worker->is_dead ? "dead" : "working";
        xl_json_put(object, "instance", xl_json_text(worker->instance), &ok);
        xl_json_put(object, "host", xl_json_text(worker->process.host), &ok);
        xl_json_put(object, "pid", json_integer(worker->process.pid), &ok);
        xl_json_put(object, "state", json_string(state), &ok);
        xl_json_put(object, "silent_s", json_real(worker->silent_s), &ok);
        xl_json_put(object, "done", json_integer(worker->n_done), &ok);
        xl_json_put(object, "failed", json_integer(worker->n_failed), &ok);
        xl_json_put(object, "in_hand", json_integer(worker->n_in_hand), &ok);
        ok &= !json_array_append_new(list, object);
    }
    return xl_json_finish(list, ok);
}

static json_t *list_tasks(const struct known *known) {
    json_t *list = json_array();
    bool ok = list != NULL;
    for (int i = 0; i < known->n_tasks; i++) {
        const struct xl_slurm_task *task = &known->tasks[i];
        json_t *object = json_object();
        xl_json_put(object, "id", xl_json_text(task->id), &ok);
        xl_json_put(object, "state", xl_json_text(task->state), &ok);
        xl_json_put(object, "node", xl_json_text(task->node[0] ? task->node : NULL), &ok);
        xl_json_put(object, "reason", xl_json_text(task->reason), &ok);
        ok &= !json_array_append_new(list, object);
    }
    return xl_json_finish(list, ok);
}

static enum xl_status print_document(const struct known *known, struct xl_err *err) {
    xl_json_watch();
    json_t *document = json_object();
    bool ok = document != NULL;
    xl_json_put(document, "run_dir", xl_json_text(known->dir), &ok);
    xl_json_put(document, "jobs", xl_json_text(known->jobs), &ok);
    xl_json_put(document, "pictures", json_integer(known->n_cells), &ok);
    xl_json_put(document, "there", json_integer(known->n_there), &ok);
    xl_json_put(document, "in_hand", json_integer(known->seen.n_in_hand), &ok);
    xl_json_put(document, "failed", json_integer(known->seen.n_failed), &ok);
    xl_json_put(document, "tasks", list_tasks(known), &ok);
    xl_json_put(document, "workers", list_workers(known), &ok);
    document = xl_json_finish(document, ok && !xl_json_ran_out());
    enum xl_status status = document ? xl_print_json(document, err)
                                     : xl_fail_nomem(err, "a document", 0);
    json_decref(document);
    return status;
}

static enum xl_status show_status(const struct xl_settings *settings, struct xl_err *err) {
    struct known known;
    enum xl_status status = know(&known, settings, err);
    if (!status) status = count_pictures(&known, settings, false, err);
    if (!status) status = settings->json ? print_document(&known, err) : print_status(&known, err);
    xl_arena_deinit(&known.arena);
    return status;
}

/* --- cancel ----------------------------------------------------------------------------------- */

static enum xl_status cancel(const struct xl_settings *settings, struct xl_err *err) {
    struct known known;
    enum xl_status status = know(&known, settings, err);
    int n = known.n_waiting + known.n_working;
    if (!status && n) status = xl_slurm_cancel(known.jobs, err);
    if (!status && settings->json) {
        xl_json_watch();
        json_t *document = json_object();
        bool ok = document != NULL;
        xl_json_put(document, "cancelled", json_integer(n), &ok);
        document = xl_json_finish(document, ok && !xl_json_ran_out());
        status = document ? xl_print_json(document, err) : xl_fail_nomem(err, "a document", 0);
        json_decref(document);
    } else if (!status) {
        printf(n ? "%d %s of job %s cancelled\n" : "nothing of the run waits or is at work\n", n,
               xl_plural(n, "task", "tasks"), known.jobs);
    }
    xl_arena_deinit(&known.arena);
    return status;
}

/* --- collect ---------------------------------------------------------------------------------- */

/* While tasks are at work the page is brought up to date and nothing else. */
static enum xl_status collect(const struct xl_settings *settings, struct xl_err *err) {
    struct xl_arena arena = {0};
    struct xl_claims_seen seen;
    const char *dir = settings->arguments[0];
    enum xl_status status = xl_claims_see(dir, &arena, &seen, err);
    int n_at_work = status ? 0 : seen.n_at_work;
    xl_arena_deinit(&arena);
    if (status) return status;
    if (!n_at_work) return xl_shared_run_collect(dir, settings, err);
    struct known known = {.dir = dir, .jobs = ""};
    status = count_pictures(&known, settings, true, err);
    if (status) return status;
    return xl_fail(
        err, XL_EYIELD,
        "%s: %d %s at work, and %d of %d pictures are there; the page shows them, collect "
        "again when the rest is drawn",
        dir, n_at_work, xl_plural(n_at_work, "task is", "tasks are"), known.n_there, known.n_cells);
}

const struct xl_command xl_command_slurm_status = {
    .name = "slurm status",
    .summary = "how far a run is that a job array draws, and which of its tasks live",
    .usage = "[OPTIONS]",
    .positional = "RUN_DIR",
    .words = XL_COMPLETE_DIR,
    .commands = XL_FOR_SLURM,
    .epilogue =
        "A run is submitted by generate --on slurm, or again by resume --on slurm. docs/SLURM.md "
        "has more.",
    .run = show_status,
};

const struct xl_command xl_command_slurm_cancel = {
    .name = "slurm cancel",
    .summary = "cancel what waits or is at work of a run; what is drawn stays",
    .usage = "[OPTIONS]",
    .positional = "RUN_DIR",
    .words = XL_COMPLETE_DIR,
    .commands = XL_FOR_SLURM,
    .epilogue = "Tasks finish the pictures at hand if Slurm gives them the time (KillWait).",
    .run = cancel,
};

const struct xl_command xl_command_slurm_collect = {
    .name = "slurm collect",
    .summary = "bring page, sheets and logs of a run to what its tasks have drawn",
    .usage = "[OPTIONS]",
    .positional = "RUN_DIR",
    .words = XL_COMPLETE_DIR,
    .commands = XL_FOR_SLURM,
    .epilogue =
        "The last task to end does that by itself; after tasks that were killed, do it here. Ends "
        "with 3 where pictures are missing or failed, and with 75 while tasks are at work.",
    .run = collect,
};
