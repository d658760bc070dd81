/* night_check.c - sdxl-lab night check and night keys: what a configuration means, and what may
 * stand in one.
 */
#include "cli/night.h"

#include "base/json.h"
#include "base/str.h"
#include "cli/table.h"
#include "jobs/night/outlook.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static enum xl_status print_json(const struct xl_night_config *config,
                                 const struct xl_night_outlook *outlook, struct xl_err *err) {
    xl_json_watch();
    json_t *document = xl_night_outlook_describe(config, outlook);
    if (xl_json_ran_out()) document = xl_json_finish(document, false);
    enum xl_status status = xl_print_json(document, err);
    json_decref(document);
    return status;
}

struct share {
    const char *value;
    double of;
};

static int by_share(const void *a, const void *b) {
    double x = ((const struct share *)a)->of, y = ((const struct share *)b)->of;
    return (x < y) - (x > y);
}

/* What of one setting comes how often, the most likely first. */
static void print_setting(const char *setting, const json_t *shares) {
    enum { MOST = 5 };
    struct share list[XL_NIGHT_TEXTS_MAX];
    struct xl_str text = {0};
    const char *value;
    json_t *of;
    int n = 0;
    json_object_foreach((json_t *)shares, value, of) if (n < XL_NIGHT_TEXTS_MAX)
        list[n++] = (struct share){value, json_real_value(of)};
    qsort(list, (size_t)n, sizeof *list, by_share);
    for (int i = 0; i < n && i < MOST && list[i].of > 0; i++)
        xl_str_printf(&text, "%s%s %.0f %%", i ? ", " : "", list[i].value, 100 * list[i].of);
    printf("%-9s ", setting);
    xl_print_lines(0, "", text.text ? text.text : "", XL_COLOR_NONE);
    xl_str_deinit(&text);
}

/* Where favourites draw the lots. */
static void print_shares(const struct xl_night_config *config, const json_t *shares) {
    const char *setting;
    json_t *of_setting;
    if (config->learned && !json_is_object(json_object_get(config->learned, "lots")))
        printf("lots      nothing is loved yet: all are as likely\n");
    json_object_foreach((json_t *)shares, setting, of_setting) print_setting(setting, of_setting);
}

static void print_text(const struct xl_night_config *config,
                       const struct xl_night_outlook *outlook) {
    char size[XL_SIZE_TEXT];
    const struct xl_settings *settings = &config->settings;
    xl_print_lines(0, "until     ", outlook->end, XL_COLOR_NONE);
    if (outlook->possible[0]) xl_print_lines(0, "prompts   ", outlook->possible, XL_COLOR_NONE);
    print_shares(config, outlook->shares);
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
    for (int i = 0; i < outlook->n; i++) {
        char *job = xl_json_dump(outlook->jobs[i].settings, JSON_COMPACT);
        if (job) xl_print_lines(0, i ? "          " : "first     ", job, XL_COLOR_DIM);
        free(job);
    }
    if (!settings->has_seed)
        printf("          (another seed each night: seed says which, and then what comes is "
               "known)\n");
}

enum xl_status xl_night_print_plan(const struct xl_settings *given,
                                   const struct xl_night_config *config, struct xl_err *err) {
    struct xl_night_outlook outlook;
    enum xl_status status = xl_night_outlook_read(config, &outlook, err);
    if (status) return status;
    if (given->json)
        status = print_json(config, &outlook, err);
    else
        print_text(config, &outlook);
    xl_night_outlook_deinit(&outlook);
    return status;
}

static enum xl_status check(const struct xl_settings *given, struct xl_err *err) {
    struct xl_night_config config;
    enum xl_status status = xl_night_open_config(given, given->arguments[0], &config, err);
    if (status) return status;
    status = xl_night_learn(&config, NULL, err);
    if (!status) status = xl_night_print_plan(given, &config, err);
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
