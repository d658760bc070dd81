/* night.c - sdxl-lab night and night resume: from a file that says what a night is to be, to its
 * report in the morning.
 */
#include "cli/night.h"

#include "base/file.h"
#include "base/log.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

extern const char xl_night_demo[]; /* examples/night-demo.yaml */
extern const size_t xl_night_demo_size;

/* GPUs, a device and workers answer one question, who draws: flags that say so answer all of it. */
static void override_who_draws(struct xl_settings *settings, const struct xl_settings *given) {
    struct xl_settings usual;
    bool says_gpus = xl_settings_is_given(given, "gpus");
    bool says_others = xl_settings_is_given(given, "device") ||
                       xl_settings_is_given(given, "workers");
    xl_settings_default(&usual);
    if (says_gpus && !says_others) {
        settings->device = usual.device;
        settings->workers = usual.workers;
    } else if (says_others && !says_gpus) {
        settings->gpus = usual.gpus;
    }
}

enum xl_status xl_night_open_config(const struct xl_settings *given, const char *path,
                                    struct xl_night_config *out, struct xl_err *err) {
    enum xl_status status = xl_night_config_load(path, time(NULL), out, err);
    if (status) return status;
    override_who_draws(&out->settings, given);
    xl_settings_override(&out->settings, given, XL_FOR_NIGHT);
    out->settings.dry_run = out->settings.json = false; /* of the command, not of the night */
    return XL_OK;
}

enum xl_status xl_night_meant(const struct xl_settings *given, const char *what, char **dir,
                              struct xl_err *err) {
    enum xl_status status = xl_night_find(given->output_dir, what, false, dir, err);
    if (status || *dir) return status;
    return xl_fail(err, XL_EINPUT,
                   "%s: there is no night%s%s; --output-dir or the folder of one says "
                   "where it is",
                   given->output_dir, what ? " of " : "", what ? what : "");
}

/* --- Drawing ---------------------------------------------------------------------------------- */

/* dir: to go on with; NULL: a new one. */
static enum xl_status draw(const struct xl_settings *given, const struct xl_night_config *config,
                           const char *dir, struct xl_err *err) {
    struct xl_night_params params = {.config = config, .settings = &config->settings, .dir = dir};
    enum xl_night_phase phase;
    struct xl_err why = {0};
    char *drawn = NULL;
    xl_night_follow_init(&params.follow, given);
    enum xl_status status = xl_night_run(&params, &drawn, &phase, err);
    xl_night_follow_end();
    enum xl_status told = drawn ? xl_night_tell_report(given, drawn, &why) : XL_OK;
    free(drawn);
    return status || !told ? status : xl_fail(err, told, "%s", why.text);
}

static enum xl_status run_config(const struct xl_settings *given, const char *path,
                                 struct xl_err *err) {
    struct xl_night_config config;
    char *dir = NULL;
    enum xl_status status = xl_night_open_config(given, path, &config, err);
    if (status) return status;
    bool is_here = !given->dry_run && !config.settings.on && !config.settings.print;
    if (is_here && !given->is_new)
        status = xl_night_find(config.settings.output_dir, path, true, &dir, err);
    if (!status) status = xl_night_learn(&config, dir, err);
    if (!status && given->dry_run)
        status = xl_night_print_plan(given, &config, err);
    else if (!status && is_here)
        status = draw(given, &config, dir, err);
    else if (!status)
        status = xl_night_submit(&config, err);
    free(dir);
    xl_night_config_deinit(&config);
    return status;
}

/* The demonstration is a file like any other, for whoever wants to look at it or change it. */
static enum xl_status run_demo(const struct xl_settings *given, struct xl_err *err) {
    char *path = xl_path_join(given->output_dir, "night-demo.yaml");
    enum xl_status status = path ? xl_dir_create(given->output_dir, err)
                                 : xl_fail_nomem(err, "a path", 0);
    if (!status && !xl_file_exists(path))
        status = xl_file_replace(path, xl_night_demo, xl_night_demo_size, err);
    if (!status) status = run_config(given, path, err);
    free(path);
    return status;
}

static enum xl_status night(const struct xl_settings *given, struct xl_err *err) {
    if (given->is_demo && given->n_arguments)
        return xl_fail(err, XL_EINVAL, "--demo has a configuration of its own; leave %s out",
                       given->arguments[0]);
    if (given->is_demo) return run_demo(given, err);
    if (!given->n_arguments)
        return xl_fail(err, XL_EINVAL,
                       "expected the file of a configuration, or --demo; night keys says what is "
                       "in one");
    return run_config(given, given->arguments[0], err);
}

/* The night says itself which configuration it has. */
static enum xl_status resume(const struct xl_settings *given, struct xl_err *err) {
    struct xl_night_config config;
    struct xl_night_state state;
    char *dir = NULL;
    const char *what = given->n_arguments ? given->arguments[0] : NULL;
    enum xl_status status = xl_night_meant(given, what, &dir, err);
    if (!status) status = xl_night_state_read(dir, &state, err);
    if (status) {
        free(dir);
        return status;
    }
    if (state.phase == XL_NIGHT_DONE)
        status = xl_fail(err, XL_EINVAL, "%s: this night is done (%s); night %s begins another one",
                         dir, state.why ? state.why : "", state.config);
    if (!status) status = xl_night_open_config(given, state.config, &config, err);
    if (!status) {
        status = xl_night_learn(&config, dir, err);
        if (!status)
            status = given->dry_run ? xl_night_print_plan(given, &config, err)
                                    : draw(given, &config, dir, err);
        xl_night_config_deinit(&config);
    }
    xl_night_state_deinit(&state);
    free(dir);
    return status;
}

const struct xl_command xl_command_night = {
    .name = "night",
    .link = "auto_night_runner",
    .link_is_group = true,
    .summary = "draw all night: prompts that write themselves, on every idle GPU",
    .usage = "[OPTIONS]",
    .positional = "[CONFIG]",
    .words = XL_COMPLETE_FILE,
    .commands = XL_FOR_NIGHT,
    .epilogue =
        "A night that was killed or stopped goes on where it was when the same file is given "
        "again: each job is drawn once. Ctrl-C or SIGTERM ends it after the pictures at hand; a "
        "second one at once.\nnight keys lists what a configuration may say, night check CONFIG "
        "what one means; docs/NIGHT.md is about all of it.",
    .run = night,
};

const struct xl_command xl_command_night_resume = {
    .name = "night resume",
    .summary = "go on with a night that was stopped or killed",
    .usage = "[OPTIONS]",
    .positional = "[NIGHT]",
    .words = XL_COMPLETE_DIR,
    .commands = XL_FOR_NIGHT,
    .epilogue = "NIGHT is its folder, or the file of its configuration; without it, the newest in "
                "--output-dir.",
    .run = resume,
};
