/* slurm.c - a command at a time. Keeps no state. */
#include "jobs/slurm.h"

#include "base/command.h"

#include <stdio.h>
#include <string.h>

static const double LIMIT_S = 60;

/* One line of what a command complains of. */
static const char *first_line(struct xl_str *text) {
    if (!text->text || !text->len) return "it says nothing";
    text->text[strcspn(text->text, "\n")] = 0;
    return text->text;
}

/* *code 0, or not: then complaint says why. Errors: XL_ESCHEDULER there is no such command, or it
 * does not answer */
static enum xl_status ask(const char *const *argv, struct xl_str *out, struct xl_str *complaint,
                          int *code, struct xl_err *err) {
    enum xl_status status = xl_command_read(argv, LIMIT_S, out, complaint, code, err);
    if (!status && *code == 127)
        status = xl_fail(err, XL_ESCHEDULER,
                         "there is no %s on this machine; run this where Slurm's commands are "
                         "installed",
                         argv[0]);
    else if (!status && *code < 0)
        status = xl_fail(err, XL_ESCHEDULER, "%s did not answer within %.0f s", argv[0], LIMIT_S);
    return status;
}

/* Names of partitions, a line each; "lab" is in "lab\ngpu\n". *known: the same with commas. */
static bool has_line(const char *text, const char *wanted, struct xl_str *known) {
    bool is_there = false;
    for (const char *line = text; *line;) {
        size_t n = strcspn(line, "\n");
        is_there |= n == strlen(wanted) && !strncmp(line, wanted, n);
        xl_str_printf(known, "%s%.*s", known->len ? ", " : "", (int)n, line);
        line += n + (line[n] == '\n');
    }
    return is_there;
}

/* "a,b": Slurm takes whichever is free first. */
static enum xl_status check_partitions(const char *there, const char *wanted, struct xl_err *err) {
    struct xl_str known = {0};
    enum xl_status status = XL_OK;
    while (!status && *wanted) {
        char name[128];
        size_t n = strcspn(wanted, ",");
        int length = n < sizeof name - 1 ? (int)n : (int)sizeof name - 1;
        memcpy(name, wanted, (size_t)length);
        name[length] = 0;
        xl_str_deinit(&known);
        if (!has_line(there, name, &known))
            status = xl_fail(err, XL_EINVAL, "--partition: Slurm has no \"%s\"; there are: %s",
                             name, known.text ? known.text : "none");
        wanted += n + (wanted[n] == ',');
    }
    xl_str_deinit(&known);
    return status;
}

enum xl_status xl_slurm_check(const char *partition, struct xl_err *err) {
    const char *const version[] = {"sbatch", "--version", NULL};
    const char *const partitions[] = {"sinfo", "--noheader", "--format=%R", NULL};
    struct xl_str out = {0}, complaint = {0};
    int code = 0;
    enum xl_status status = ask(version, &out, &complaint, &code, err);
    if (!status && code)
        status =
            xl_fail(err, XL_ESCHEDULER, "Slurm is not set up here: %s", first_line(&complaint));
    xl_str_deinit(&out);
    if (!status) status = ask(partitions, &out, &complaint, &code, err);
    if (!status && code)
        status = xl_fail(err, XL_ESCHEDULER, "Slurm does not answer: %s", first_line(&complaint));
    if (!status && partition) status = check_partitions(out.text ? out.text : "", partition, err);
    xl_str_deinit(&out);
    xl_str_deinit(&complaint);
    return status;
}

enum xl_status xl_slurm_submit(const char *script, struct xl_arena *arena, const char **job,
                               struct xl_err *err) {
    const char *const argv[] = {"sbatch", "--parsable", script, NULL};
    struct xl_str out = {0}, complaint = {0};
    int code = 0;
    enum xl_status status = ask(argv, &out, &complaint, &code, err);
    size_t n = out.text ? strspn(out.text, "0123456789") : 0;
    if (!status && (code || !n))
        status = xl_fail(err, XL_ESCHEDULER, "Slurm refuses the job: %s", first_line(&complaint));
    if (!status) {
        *job = xl_arena_strndup(arena, out.text, n);
        if (!*job) status = xl_fail_nomem(err, "a job's number", 0);
    }
    xl_str_deinit(&out);
    xl_str_deinit(&complaint);
    return status;
}

/* --- Tasks ------------------------------------------------------------------------------------ */

static bool read_task(char *line, struct xl_slurm_task *task) {
    const char **const cells[] = {&task->id, &task->state, &task->node, &task->reason};
    char *rest = line;
    for (int i = 0; i < 4; i++) {
        *cells[i] = strsep(&rest, "|");
        if (!*cells[i]) return false;
    }
    return true;
}

enum xl_status xl_slurm_tasks(const char *jobs, struct xl_arena *arena,
                              const struct xl_slurm_task **tasks, int *n, struct xl_err *err) {
    const char *which = xl_arena_printf(arena, "--jobs=%s", jobs);
    const char *const argv[] = {"squeue",       "--noheader",           "--array", which,
                                "--states=all", "--format=%i|%T|%N|%r", NULL};
    struct xl_str out = {0}, complaint = {0};
    int code = 0, n_lines = 0;
    *n = 0;
    enum xl_status status = which ? ask(argv, &out, &complaint, &code, err)
                                  : xl_fail_nomem(err, "a command", 0);
    bool is_forgotten = complaint.text && strstr(complaint.text, "Invalid job id");
    if (!status && code && !is_forgotten)
        status = xl_fail(err, XL_ESCHEDULER, "Slurm does not answer: %s", first_line(&complaint));
    char *text = xl_arena_strdup(arena, out.text ? out.text : "");
    for (const char *at = text; at && *at; at++) n_lines += *at == '\n';
    struct xl_slurm_task *list = xl_arena_alloc(arena, ((size_t)n_lines + 1) * sizeof *list);
    if (!status && (!text || !list)) status = xl_fail_nomem(err, "tasks", 0);
    for (char *line; !status && !code && (line = strsep(&text, "\n"));)
        if (*n <= n_lines && read_task(line, &list[*n])) ++*n;
    *tasks = list;
    xl_str_deinit(&out);
    xl_str_deinit(&complaint);
    return status;
}

bool xl_slurm_waits(const char *state) {
    return !strcmp(state, "PENDING") || !strcmp(state, "REQUEUED") || !strcmp(state, "SUSPENDED");
}

bool xl_slurm_works(const char *state) {
    return !strcmp(state, "RUNNING") || !strcmp(state, "COMPLETING") ||
           !strcmp(state, "CONFIGURING");
}

enum xl_status xl_slurm_cancel(const char *jobs, struct xl_err *err) {
    char copy[4096];
    snprintf(copy, sizeof copy, "%s", jobs);
    enum xl_status status = XL_OK;
    for (char *rest = copy, *job; !status && (job = strsep(&rest, ","));) {
        const char *const argv[] = {"scancel", job, NULL};
        struct xl_str out = {0}, complaint = {0};
        int code = 0;
        status = ask(argv, &out, &complaint, &code, err);
        bool is_forgotten = complaint.text && strstr(complaint.text, "Invalid job id");
        if (!status && code && !is_forgotten)
            status = xl_fail(err, XL_ESCHEDULER, "job %s cannot be cancelled: %s", job,
                             first_line(&complaint));
        xl_str_deinit(&out);
        xl_str_deinit(&complaint);
    }
    return status;
}
