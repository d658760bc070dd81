/* night_check.c - sdxl-lab night check and night keys: what a configuration means, and what may
 * stand in one.
 */
#include "cli/night.h"

#include "base/json.h"
#include "base/str.h"
#include "cli/table.h"
#include "jobs/night/jobs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The first few jobs, decided and planned; of a seed that nobody chose others come. */
enum { SHOWN = 3 };

struct plan_shown {
    struct xl_night_job jobs[SHOWN];
    int n;
    char *possible;
};

static void put_time(struct xl_str *out, double seconds) {
    int minutes = (int)(seconds / 60 + 0.5);
    if (seconds < 120)
        xl_str_printf(out, "%.0f s", seconds);
    else if (minutes % 60)
        xl_str_printf(out, "%d h %02d min", minutes / 60, minutes % 60);
    else
        xl_str_printf(out, "%d h", minutes / 60);
}

/* "500 jobs, 8 h, 07:00 (in 9 h 12 min), 20 GB of pictures: whatever comes first" */
static char *describe_end(const struct xl_night_config *config) {
    struct xl_str text = {0};
    char size[XL_SIZE_TEXT], moment[XL_MOMENT_MAX];
    time_t now = time(NULL), until;
    int n = 0;
    bool is_stopped = config->until && !strcmp(config->until, XL_NIGHT_UNTIL_STOPPED);
    if (config->until_jobs) {
        xl_str_printf(&text, "%d %s", config->until_jobs,
                      xl_plural(config->until_jobs, "job", "jobs"));
        n++;
    }
    if (config->time_limit_s > 0) {
        xl_str_puts(&text, n++ ? ", " : "");
        put_time(&text, config->time_limit_s);
    }
    if (config->until && !is_stopped && !xl_moment_read(config->until, now, &until, NULL)) {
        xl_str_printf(&text, "%s%s (in ", n++ ? ", " : "", xl_moment_text(until, now, moment));
        put_time(&text, difftime(until, now));
        xl_str_puts(&text, ")");
    }
    if (config->disk_budget)
        xl_str_printf(&text, "%s%s of pictures", n++ ? ", " : "",
                      xl_size_text(config->disk_budget, size));
    if (is_stopped) xl_str_puts(&text, "somebody stops it");
    if (!n && !is_stopped)
        xl_str_printf(&text, "its %zu jobs are done", json_array_size(config->jobs));
    if (n > 1) xl_str_puts(&text, ", whatever comes first");
    return xl_str_take(&text);
}

static enum xl_status look(const struct xl_night_config *config, struct plan_shown *shown,
                           struct xl_err *err) {
    struct xl_night_source *source = NULL;
    struct xl_sweep sweep = {.n_cells = 0};
    struct xl_settings defaults = xl_night_defaults(config);
    bool is_there = true;
    int n_added = 0;
    defaults.arena = NULL;
    enum xl_status status = xl_night_source_open(
        config, config->settings.has_seed ? config->settings.seed : 0, &source, err);
    while (!status && is_there && shown->n < SHOWN) {
        status = xl_night_source_next(source, &shown->jobs[shown->n], &is_there, err);
        if (!status && is_there) shown->n++;
    }
    const struct xl_night_plan plan = {.defaults = &defaults};
    if (!status) status = xl_night_plan_jobs(&plan, shown->jobs, shown->n, &sweep, &n_added, err);
    if (!status) shown->possible = xl_night_source_possible(source);
    xl_night_source_close(source);
    xl_sweep_deinit(&sweep);
    return status;
}

static json_t *describe_jobs(const struct plan_shown *shown) {
    json_t *list = json_array();
    bool ok = list != NULL;
    for (int i = 0; ok && i < shown->n; i++) ok = !json_array_append(list, shown->jobs[i].settings);
    return xl_json_finish(list, ok);
}

static enum xl_status print_json(const struct xl_night_config *config,
                                 const struct plan_shown *shown, const char *end,
                                 struct xl_err *err) {
    xl_json_watch();
    json_t *document = json_object();
    bool ok = document != NULL;
    xl_json_put(document, "config", xl_json_text(config->absolute), &ok);
    xl_json_put(document, "until", xl_json_text(end), &ok);
    xl_json_put(document, "prompts", xl_json_text(shown->possible), &ok);
    xl_json_put(document, "settings", xl_settings_write_object(&config->settings), &ok);
    xl_json_put(document, "first_jobs", describe_jobs(shown), &ok);
    document = xl_json_finish(document, ok && !xl_json_ran_out());
    enum xl_status status = xl_print_json(document, err);
    json_decref(document);
    return status;
}

static void print_text(const struct xl_night_config *config, const struct plan_shown *shown,
                       const char *end) {
    char size[XL_SIZE_TEXT];
    const struct xl_settings *settings = &config->settings;
    xl_print_lines(0, "until     ", end, XL_COLOR_NONE);
    if (shown->possible[0]) xl_print_lines(0, "prompts   ", shown->possible, XL_COLOR_NONE);
    if (config->jobs) printf("jobs      %zu of its own first\n", json_array_size(config->jobs));
    if (settings->gpus)
        printf("on        GPUs: %s\n", settings->gpus);
    else if (settings->workers || !strcmp(settings->device, "cpu"))
        printf("on        the CPU, %d %s\n", settings->workers ? settings->workers : 1,
               settings->workers > 1 ? "workers" : "worker");
    else
        printf("on        every idle GPU, or the CPU where there is none\n");
    xl_print_lines(0, "to        ", settings->output_dir, XL_COLOR_NONE);
    for (int i = 0; i < config->n_quiet; i++) printf("quiet     %s\n", config->quiet_texts.item[i]);
    printf("pauses    with less than %s free", xl_size_text(config->min_free, size));
    if (config->max_temperature) printf(", a GPU above %d degrees", config->max_temperature);
    if (config->max_power_w > 0) printf(", above %g W", config->max_power_w);
    printf("\n");
    for (int i = 0; i < shown->n; i++) {
        char *job = xl_json_dump(shown->jobs[i].settings, JSON_COMPACT);
        if (job) xl_print_lines(0, i ? "          " : "first     ", job, XL_COLOR_DIM);
        free(job);
    }
    if (!settings->has_seed)
        printf("          (another seed each night: seed says which, and then what comes is "
               "known)\n");
}

enum xl_status xl_night_print_plan(const struct xl_settings *given,
                                   const struct xl_night_config *config, struct xl_err *err) {
    struct plan_shown shown = {.n = 0};
    char *end = describe_end(config);
    enum xl_status status = end ? look(config, &shown, err) : xl_fail_nomem(err, "a text", 0);
    if (!status && !shown.possible) status = xl_fail_nomem(err, "a text", 0);
    if (!status && given->json)
        status = print_json(config, &shown, end, err);
    else if (!status)
        print_text(config, &shown, end);
    for (int i = 0; i < shown.n; i++) xl_night_job_deinit(&shown.jobs[i]);
    free(shown.possible);
    free(end);
    return status;
}

static enum xl_status check(const struct xl_settings *given, struct xl_err *err) {
    struct xl_night_config config;
    enum xl_status status = xl_night_open_config(given, given->arguments[0], &config, err);
    if (status) return status;
    status = xl_night_print_plan(given, &config, err);
    xl_night_config_deinit(&config);
    return status;
}

/* A row of Markdown each: docs/NIGHT.md has what this prints. */
static enum xl_status print_keys(const struct xl_settings *given, struct xl_err *err) {
    const struct xl_night_key *key;
    const char *group = "";
    (void)given;
    (void)err;
    for (int i = 0; (key = xl_night_key_at(i)); i++) {
        if (strcmp(group, key->group) != 0) {
            group = key->group;
            printf("%s| **%s** | | |\n", i ? "" : "| key | value | |\n|---|---|---|\n", group);
        }
        printf("| `%s` | ", key->name);
        for (const char *c = key->argument; *c; c++) printf(*c == '|' ? "\\|" : "%c", *c);
        printf(" | %s", key->help);
        if (key->fallback) printf("; default: %s", key->fallback);
        printf(" |\n");
    }
    return XL_OK;
}

const struct xl_command xl_command_night_check = {
    .name = "night check",
    .summary = "say what a night would be, and what is wrong with its configuration",
    .usage = "[OPTIONS]",
    .positional = "CONFIG",
    .words = XL_COMPLETE_FILE,
    .commands = XL_FOR_NIGHT,
    .epilogue = "Nothing is drawn and nothing is made; the first jobs are planned, so that a model "
                "that is not there is told now.",
    .run = check,
};

const struct xl_command xl_command_night_keys = {
    .name = "night keys",
    .summary = "what the configuration of a night may say",
    .usage = "[OPTIONS]",
    .commands = XL_FOR_NIGHT_ASK,
    .epilogue = "Beside these keys it may have every setting of a job file (docs/HEADLESS.md), as "
                "the default of its jobs.",
    .run = print_keys,
};
