/* night_submit.c - night --on slurm: all jobs of a night planned here as one run directory, which a
 * cluster's tasks draw.
 */
#include "cli/night.h"
#include "cli/submit.h"

#include "base/log.h"
#include "jobs/night/jobs.h"

#include <stdlib.h>
#include <string.h>

/* What a night on this machine looks after while it draws; tasks of a cluster do not. */
static bool is_looked_after(const struct xl_night_key *key) {
    return strcmp(key->group, "What is drawn") != 0 && strcmp(key->name, "until_jobs") != 0;
}

static void tell_what_is_left_out(const struct xl_night_config *config) {
    const struct xl_night_key *key;
    struct xl_str names = {0};
    for (int i = 0; (key = xl_night_key_at(i)); i++)
        if (is_looked_after(key) && json_object_get(config->root, key->name))
            xl_str_printf(&names, "%s%s", names.len ? ", " : "", key->name);
    if (names.text)
        xl_warn("%s: tasks of a cluster do not keep to %s; --time says how long each may run",
                config->path, names.text);
    xl_str_deinit(&names);
}

/* How many jobs there are to plan. Errors: XL_EINPUT there is no end of them */
static enum xl_status count_jobs(const struct xl_night_config *config, int *out,
                                 struct xl_err *err) {
    bool ends = config->jobs && !config->prompts.n &&
                !xl_settings_is_given(&config->settings, "prompt");
    *out = config->until_jobs ? config->until_jobs : (int)json_array_size(config->jobs);
    if (config->until_jobs || ends) return XL_OK;
    return xl_fail(err, XL_EINPUT,
                   "%s: until_jobs: is missing; what a cluster draws is planned beforehand, so it "
                   "must be said how many jobs",
                   config->path);
}

/* A job that cannot be planned is left out. */
static void refused(void *user, const char *name, const struct xl_err *why) {
    (void)user, (void)name;
    xl_warn("%s", why->text);
}

static enum xl_status plan(const struct xl_night_config *config, const struct xl_settings *defaults,
                           int n, struct xl_sweep *sweep, struct xl_err *err) {
    struct xl_night_plan plan = {.defaults = defaults, .n = n, .refused = refused};
    struct xl_night_planned planned = {0};
    enum xl_status status = xl_night_source_open(config, xl_night_seed(config), &plan.source, err);
    if (!status) status = xl_night_plan(&plan, sweep, &planned, err);
    if (!status && !planned.n_added)
        status = xl_fail(err, XL_EINPUT, "%s: it makes no job", config->path);
    xl_night_source_close(plan.source);
    return status;
}

enum xl_status xl_night_submit(const struct xl_night_config *config, struct xl_err *err) {
    struct xl_settings defaults = xl_night_defaults(config);
    struct xl_sweep sweep = {0};
    struct xl_run_dir dir;
    int n = 0;
    enum xl_status status = xl_submit_check(&config->settings, err);
    if (!status) status = count_jobs(config, &n, err);
    if (status) return status;
    tell_what_is_left_out(config);
    status = plan(config, &defaults, n, &sweep, err);
    if (!status) status = xl_run_dir_create(&defaults, &sweep, &dir, err);
    if (!status) {
        status = xl_submit(&config->settings, &sweep, &dir, err);
        xl_run_dir_close(&dir);
    }
    xl_sweep_deinit(&sweep);
    return status;
}
