/* outlook.c - the end of a night in words, and its first jobs. */
#include "jobs/night/outlook.h"

#include "base/json.h"
#include "base/str.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

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

static enum xl_status look(const struct xl_night_config *config, struct xl_night_outlook *out,
                           struct xl_err *err) {
    struct xl_night_source *source = NULL;
    struct xl_sweep sweep = {.n_cells = 0};
    struct xl_settings defaults = xl_night_defaults(config);
    bool is_there = true;
    int n_added = 0;
    defaults.arena = NULL;
    enum xl_status status = xl_night_source_open(
        config, config->settings.has_seed ? config->settings.seed : 0, &source, err);
    while (!status && is_there && out->n < XL_NIGHT_FIRST_JOBS) {
        status = xl_night_source_next(source, &out->jobs[out->n], &is_there, err);
        if (!status && is_there) out->n++;
    }
    const struct xl_night_plan plan = {.defaults = &defaults};
    if (!status) status = xl_night_plan_jobs(&plan, out->jobs, out->n, &sweep, &n_added, err);
    if (!status) out->possible = xl_night_source_possible(source);
    if (!status) out->shares = xl_night_source_shares(source);
    if (!status && (!out->possible || !out->shares)) status = xl_fail_nomem(err, "a text", 0);
    xl_night_source_close(source);
    xl_sweep_deinit(&sweep);
    return status;
}

enum xl_status xl_night_outlook_read(const struct xl_night_config *config,
                                     struct xl_night_outlook *out, struct xl_err *err) {
    *out = (struct xl_night_outlook){.end = describe_end(config)};
    enum xl_status status = out->end ? look(config, out, err) : xl_fail_nomem(err, "a text", 0);
    if (status) xl_night_outlook_deinit(out);
    return status;
}

void xl_night_outlook_deinit(struct xl_night_outlook *outlook) {
    for (int i = 0; i < outlook->n; i++) xl_night_job_deinit(&outlook->jobs[i]);
    free(outlook->possible);
    json_decref(outlook->shares);
    free(outlook->end);
    *outlook = (struct xl_night_outlook){.end = NULL};
}

static json_t *describe_jobs(const struct xl_night_outlook *outlook) {
    json_t *list = json_array();
    bool ok = list != NULL;
    for (int i = 0; ok && i < outlook->n; i++)
        ok = !json_array_append(list, outlook->jobs[i].settings);
    return xl_json_finish(list, ok);
}

json_t *xl_night_outlook_describe(const struct xl_night_config *config,
                                  const struct xl_night_outlook *outlook) {
    json_t *object = json_object();
    bool ok = object != NULL;
    xl_json_put(object, "config", xl_json_text(config->absolute), &ok);
    xl_json_put(object, "until", xl_json_text(outlook->end), &ok);
    xl_json_put(object, "prompts", xl_json_text(outlook->possible), &ok);
    xl_json_put(object, "lots", json_incref(outlook->shares), &ok);
    xl_json_put(object, "settings", xl_settings_write_object(&config->settings), &ok);
    xl_json_put(object, "first_jobs", describe_jobs(outlook), &ok);
    return xl_json_finish(object, ok);
}
