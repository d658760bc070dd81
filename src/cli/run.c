/* run.c - sdxl-lab run: what is asked for is checked before anything waits, and what came of it is
 * told.
 */
#include "cli/cli.h"
#include "cli/run_jobs.h"

#include "base/file.h"
#include "base/json.h"
#include "base/path.h"
#include "base/str.h"
#include "lab/settings/gpus_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The command behind the "--" is read as it will be, so that a slip is not found after an hour. */
static enum xl_status check_command(const struct xl_settings *settings, struct xl_arena *arena,
                                    struct xl_err *err) {
    int n = settings->n_arguments, n_words;
    const struct xl_command *command;
    struct xl_settings job;
    bool help = false;
    char **argv = xl_arena_alloc(arena, ((size_t)n + 2) * sizeof *argv);
    if (!argv) return xl_fail_nomem(err, "a command", 0);
    argv[0] = (char *)"sdxl-lab";
    for (int i = 0; i < n; i++) argv[i + 1] = (char *)settings->arguments[i];
    enum xl_status status = xl_command_find(n + 1, argv, &command, &n_words, err);
    if (status) return status;
    if (!(command->commands & (XL_FOR_GENERATE | XL_FOR_RESUME | XL_FOR_VERIFY)))
        return xl_fail(err, XL_EINVAL,
                       "run: \"%s\" draws nothing; expected generate, resume, compare or verify "
                       "behind the --",
                       command->name);
    xl_settings_default(&job);
    job.arena = arena;
    status = xl_args_parse(command, n - n_words, argv + 1 + n_words, &job, &help, err);
    if (!status && job.gpus && strcasecmp(job.gpus, "none") != 0)
        status = xl_fail(err, XL_EINVAL, "run: --gpus stands before the --: run finds the GPUs");
    return status;
}

/* Without a command the job's settings come from the environment. */
static enum xl_status check_environment(struct xl_err *err) {
    bool is_headless = false;
    enum xl_status status = xl_environment_is_headless(&is_headless, err);
    if (status || is_headless) return status;
    return xl_fail(err, XL_EINVAL,
                   "run: say what: sdxl-lab run -- generate --prompt TEXT ..., or set PROMPT; see "
                   "sdxl-lab run --help");
}

/* Whether a program of this name is where programs are looked for. */
static bool is_installed(const char *name) {
    const char *path = getenv("PATH");
    char file[4096];
    for (const char *at = path ? path : ""; *at; at += *at == ':') {
        int n = (int)strcspn(at, ":");
        snprintf(file, sizeof file, "%.*s/%s", n, at, name);
        if (n && !access(file, X_OK)) return true;
        at += n;
    }
    return false;
}

static enum xl_status check_engine(const struct xl_settings *settings, struct xl_err *err) {
    const char *engine = xl_option_find("container")->choices[settings->container];
    if (!settings->container && xl_settings_is_given(settings, "container-image"))
        return xl_fail(err, XL_EINVAL, "--container-image: say --container, too");
    if (!settings->container || is_installed(engine)) return XL_OK;
    return xl_fail(err, XL_EINVAL, "--container %s: there is no program %s here", engine, engine);
}

static enum xl_status check(const struct xl_settings *settings, struct xl_arena *arena,
                            struct xl_err *err) {
    struct xl_gpus_said said = {.most = 1};
    enum xl_status status = settings->n_arguments ? check_command(settings, arena, err)
                                                  : check_environment(err);
    if (!status) status = check_engine(settings, err);
    if (!status && settings->gpus) status = xl_gpus_text_read(settings->gpus, &said, err);
    if (!status && !said.most)
        status = xl_fail(err, XL_EINVAL, "--gpus none: run is for GPUs; run the command itself");
    return status;
}

/* --- Telling ---------------------------------------------------------------------------------- */

static enum xl_status print_document(const struct xl_run_result *result, struct xl_err *err) {
    json_t *document = json_object();
    bool ok = document != NULL;
    xl_json_put(document, "done", json_integer(result->n_done), &ok);
    xl_json_put(document, "failed", json_integer(result->n_failed), &ok);
    xl_json_put(document, "stopped", json_integer(result->n_stopped), &ok);
    xl_json_put(document, "jobs", json_incref(result->jobs), &ok);
    document = xl_json_finish(document, ok);
    enum xl_status status = document ? xl_print_json(document, err)
                                     : xl_fail_nomem(err, "a document", 0);
    json_decref(document);
    return status;
}

static void print_summary(const struct xl_run_result *result) {
    printf("\n%d %s done", result->n_done, xl_plural(result->n_done, "job", "jobs"));
    if (result->n_failed) printf(", %d failed", result->n_failed);
    if (result->n_stopped) printf(", %d stopped before the end", result->n_stopped);
    printf("\n");
}

/* The status whose exit code this is. */
static enum xl_status status_of(int code) {
    for (int i = 1; xl_status_name((enum xl_status)i)[0] != '?'; i++)
        if (xl_exit_code_of((enum xl_status)i) == code) return (enum xl_status)i;
    return XL_EPARTIAL;
}

static enum xl_status run(const struct xl_settings *settings, struct xl_err *err) {
    struct xl_arena arena = {0};
    struct xl_run_result result = {.jobs = NULL};
    const char **words =
        xl_arena_alloc(&arena, ((size_t)settings->n_arguments + 1) * sizeof *words);
    const char *output = xl_path_absolute(settings->output_dir, &arena);
    enum xl_status status = words && output ? XL_OK : xl_fail_nomem(err, "a command", 0),
                   told = XL_OK;
    for (int i = 0; !status && i < settings->n_arguments; i++) words[i] = settings->arguments[i];
    if (!status) status = check(settings, &arena, err);
    if (!status) status = xl_dir_create(output, err);
    if (!status) {
        const struct xl_run_jobs jobs = {settings, words, output};
        status = xl_run_jobs(&jobs, &result, err);
        struct xl_err ignored;
        if (settings->json)
            told = print_document(&result, status ? &ignored : err);
        else
            print_summary(&result);
    }
    if (!status && result.n_failed)
        status = xl_fail(err, status_of(result.first_code), "%d of %d %s failed; the first: %s",
                         result.n_failed, result.n_failed + result.n_done,
                         xl_plural(result.n_failed + result.n_done, "job", "jobs"), result.first);
    json_decref(result.jobs);
    xl_arena_deinit(&arena);
    return status ? status : told;
}

const struct xl_command xl_command_run = {
    .name = "run",
    .summary = "run a command on GPUs that nobody uses, again and again",
    .usage = "",
    .positional = "[OPTIONS] [-- COMMAND...]",
    .commands = XL_FOR_RUN,
    .epilogue =
        "Waits for an idle GPU, locks it, runs sdxl-lab COMMAND with that GPU alone "
        "(CUDA_VISIBLE_DEVICES), as a process or in a container, and begins anew until it has run "
        "--repeat times; several at once where --gpus asks for several (without it, one). Without "
        "--wait "
        "it waits as long as it takes. Without a COMMAND, the "
        "settings of the environment are drawn (HEADLESS, PROMPT). Each GPU has a log, "
        "run_INSTANCE-gpuN.log in --output-dir.\nSIGINT, SIGTERM and SIGUSR1 (end with the "
        "pictures at hand) are passed on. docs/GPUS.md has more.",
    .run = run,
};
