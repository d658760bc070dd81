/* compare.c - sdxl-lab compare: the same pictures under several values of one setting, drawn and
 * measured; or pictures that are there. */
#include "cli/compare.h"

#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/str.h"
#include "cli/cli.h"
#include "lab/settings/axes.h"

#include <stdlib.h>
#include <string.h>

/* --- What is drawn ---------------------------------------------------------------------------- */

/* Where nobody says what to draw: people, animals, things and places, near and far, bright and
 * dark; of words that the embedded model knows. */
static const char default_prompts[] =
    "prompt=[\"two red boats left of a white lighthouse at sunset\","
    "\"a white cat in a cozy room\","
    "\"a knight in a forest in thick fog\","
    "\"a yellow submarine in a coral reef\","
    "\"a castle in the mountains under a starry sky\","
    "\"a pink birthday cake on a plain background\"]";

static bool is_axis_of(const char *item, const char *name) {
    size_t n = strlen(name);
    return !strncmp(item, name, n) && item[n] == '=';
}

static bool has_axis(const struct xl_settings *settings, const char *name) {
    for (int i = 0; i < settings->sweep.n; i++)
        if (is_axis_of(settings->sweep.item[i], name)) return true;
    return false;
}

/* The path is filled in already: a dollar in it is one. NULL: out of memory */
static const char *axis_of_file(const struct xl_settings *settings) {
    struct xl_str text = {0};
    xl_str_puts(&text, "prompt=@");
    for (const char *c = settings->prompts_file; *c; c++)
        xl_str_puts(&text, *c == '$' ? "$$" : (char[]){*c, 0});
    char *taken = xl_str_take(&text);
    const char *kept = taken ? xl_arena_strdup(settings->arena, taken) : NULL;
    free(taken);
    return kept;
}

/* Prompts and seed where nobody said them: the same command draws the same pictures. */
static enum xl_status fill_in(struct xl_settings *settings, struct xl_err *err) {
    const struct xl_option *sweep = xl_option_find("sweep");
    enum xl_status status = XL_OK;
    if (settings->prompts_file) {
        const char *axis = axis_of_file(settings);
        status = axis ? xl_settings_set(settings, sweep, "--prompts", axis, err)
                      : xl_fail_nomem(err, "an axis", 0);
    } else if (!settings->prompt && !has_axis(settings, "prompt")) {
        status = xl_settings_set(settings, sweep, "--prompts", default_prompts, err);
    }
    if (!status && !xl_settings_is_given(settings, "seed") && !has_axis(settings, "seed"))
        status = xl_settings_set(settings, xl_option_find("seed"), "--seed", "1", err);
    return status;
}

/* --- What is compared ------------------------------------------------------------------------- */

/* The axis that is compared becomes the first. */
static void put_first(struct xl_settings *settings, int i) {
    const char *item = settings->sweep.item[i];
    const struct xl_axis_places *places = settings->sweep_places[i];
    for (; i; i--) {
        settings->sweep.item[i] = settings->sweep.item[i - 1];
        settings->sweep_places[i] = settings->sweep_places[i - 1];
    }
    settings->sweep.item[0] = item;
    settings->sweep_places[0] = places;
}

static enum xl_status refuse_one_value(const char *name, struct xl_err *err) {
    return xl_fail(err, XL_EINVAL,
                   "compare: %s has one value; expected several, as in --dtype f32,bf16", name);
}

/* Whether axis i can be compared along. Errors: also that it has one value, or too many */
static enum xl_status look_at_axis(const struct xl_settings *settings, int i, bool *suits,
                                   struct xl_err *err) {
    struct xl_axis axis;
    enum xl_status status = xl_axis_parse(settings->sweep.item[i], settings->sweep_places[i],
                                          settings->arena, &axis, err);
    if (status) return status;
    *suits = xl_comparison_suits(axis.option);
    if (!*suits || axis.is_all) return XL_OK;
    if (axis.n < 2) return refuse_one_value(axis.option->name, err);
    if (axis.n > XL_COMPARISON_MAX_VALUES)
        return xl_fail(err, XL_EINVAL, "compare: %d values of %s; expected %d at most", axis.n,
                       axis.option->name, XL_COMPARISON_MAX_VALUES);
    return XL_OK;
}

/* The option that was given several values, else the first axis that suits. */
static enum xl_status choose_axis(struct xl_settings *settings, struct xl_err *err) {
    bool suits = false;
    if (settings->n_compared > 1)
        return xl_fail(
            err, XL_EINVAL,
            "compare: one thing at a time, and %d have several values; leave one there and "
            "put the others into --sweep, which draws every combination",
            settings->n_compared);
    int first = settings->n_compared ? settings->compared : 0;
    int end = settings->n_compared ? first + 1 : settings->sweep.n;
    for (int i = first; i < end; i++) {
        enum xl_status status = look_at_axis(settings, i, &suits, err);
        if (status) return status;
        if (suits) return put_first(settings, i), XL_OK;
    }
    if (xl_settings_is_given(settings, "dtype")) return refuse_one_value("--dtype", err);
    return xl_fail(
        err, XL_EINVAL,
        "compare: expected several values of what is compared, as in --dtype f32,bf16 or "
        "--steps 20,30 (pictures of other prompts, seeds or sizes have nothing to be "
        "measured by); or two pictures, two folders, or a run directory");
}

static enum xl_status draw(const struct xl_settings *given, struct xl_err *err) {
    struct xl_settings settings = *given;
    settings.compares = true;
    enum xl_status status = settings.resume ? XL_OK : choose_axis(&settings, err);
    if (!status && !settings.resume) status = fill_in(&settings, err);
    return status ? status : xl_run_and_tell(&settings, err);
}

/* --- What is there ---------------------------------------------------------------------------- */

static bool go_on(void) {
    return !xl_interrupted();
}

enum xl_status xl_compare_run(const struct xl_settings *request, const struct xl_sweep *sweep,
                              const struct xl_run_dir *run, struct xl_comparison *out, int *n_pages,
                              struct xl_err *err) {
    struct xl_comparison comparison;
    enum xl_status status = xl_comparison_of_run(request, sweep, run, &comparison, err);
    if (status) return status;
    status = xl_comparison_measure(&comparison, run->dir, n_pages, go_on, err);
    if (status)
        xl_comparison_deinit(&comparison);
    else
        *out = comparison;
    return status;
}

/* Pictures that are there are measured as they are. */
static enum xl_status check_given(const struct xl_settings *settings, struct xl_err *err) {
    const struct xl_option *option;
    for (int i = 0; (option = xl_option_at(i)); i++) {
        bool is_given = (settings->given & ~settings->from_environment) >> i & 1;
        if (!is_given || option->is_place || !strcmp(option->name, "min-psnr") ||
            (option->commands & XL_FOR_SHOW))
            continue;
        const char *said = settings->n_compared ? "several values of an option" : option->name;
        return xl_fail(err, XL_EINVAL,
                       "%s%s: pictures that are there are measured as they are; leave it out, or "
                       "name no pictures",
                       settings->n_compared ? "" : "--", said);
    }
    return XL_OK;
}

/* Measure, with a sheet where there is room for one: what cannot be written there costs the sheet.
 */
static enum xl_status measure(struct xl_comparison *comparison, const char *dir, bool is_wanted,
                              int *n_pages, struct xl_err *err) {
    struct xl_err why = {0};
    enum xl_status status = xl_comparison_measure(comparison, dir, n_pages, go_on, &why);
    if (status == XL_EDISK && !is_wanted) {
        xl_warn("no sheet: %s", why.text);
        return xl_comparison_measure(comparison, NULL, n_pages, go_on, err);
    }
    return status ? xl_fail(err, status, "%s", why.text) : XL_OK;
}

static enum xl_status report(const struct xl_settings *settings, struct xl_comparison *comparison,
                             const char *dir, int n_pages, struct xl_err *err) {
    bool is_one = comparison->n_rows == 1 && comparison->n_values == 2;
    enum xl_status status = XL_OK, judged = xl_compare_judge(settings, comparison, err);
    if (judged == XL_EINPUT && is_one && !settings->json) return judged; /* the sentence says all */
    struct xl_err why = {0};
    if (settings->json) {
        xl_json_watch();
        json_t *document = xl_compare_describe(comparison, dir, n_pages);
        status = xl_print_json(document, &why);
        json_decref(document);
    } else {
        status = xl_compare_print(comparison, dir, n_pages, &why);
    }
    return status ? xl_fail(err, status, "%s", why.text) : judged;
}

static enum xl_status look_at_run(const struct xl_settings *settings, struct xl_err *err) {
    struct xl_settings request = *settings;
    struct xl_sweep sweep;
    struct xl_run_dir run;
    struct xl_comparison comparison = {.n_rows = 0};
    int n_pages = 0;
    request.dry_run = true; /* nothing in it is changed */
    enum xl_status status = xl_run_dir_open(settings->arguments[0], &request, &sweep, &run, err);
    if (status) return status;
    status = xl_comparison_of_run(&request, &sweep, &run, &comparison, err);
    if (!status) status = measure(&comparison, run.dir, false, &n_pages, err);
    if (!status) status = report(settings, &comparison, run.dir, n_pages, err);
    xl_comparison_deinit(&comparison);
    xl_run_dir_close(&run);
    xl_sweep_deinit(&sweep);
    return status;
}

static enum xl_status look_at_files(const struct xl_settings *settings, struct xl_err *err) {
    struct xl_comparison comparison = {.n_rows = 0};
    int i = xl_option_index(xl_option_find("output-dir")), n_pages = 0;
    bool is_wanted = (settings->given & ~settings->from_environment) >> i & 1;
    const char *dir = is_wanted ? settings->output_dir : NULL;
    enum xl_status status =
        xl_comparison_of_files(settings->arguments[0], settings->arguments[1], &comparison, err);
    if (!status && dir) status = xl_dir_create(dir, err);
    if (!status) status = measure(&comparison, dir, is_wanted, &n_pages, err);
    if (!status) status = report(settings, &comparison, dir, n_pages, err);
    xl_comparison_deinit(&comparison);
    return status;
}

static enum xl_status compare(const struct xl_settings *settings, struct xl_err *err) {
    int n = settings->n_arguments;
    if (!n) return draw(settings, err);
    if (n > 2)
        return xl_fail(
            err, XL_EINVAL,
            "compare: %d names; expected two pictures, two folders, or one run directory", n);
    if (n == 1 && !xl_dir_exists(settings->arguments[0]))
        return xl_fail(err, XL_EINVAL,
                       "compare: \"%.60s\" alone: expected two pictures, two folders, or one run "
                       "directory; what to draw is said by --prompt or --prompts",
                       settings->arguments[0]);
    enum xl_status status = check_given(settings, err);
    if (status) return status;
    return n == 1 ? look_at_run(settings, err) : look_at_files(settings, err);
}

const struct xl_command xl_command_compare = {
    .name = "compare",
    .summary = "how far pictures are apart: drawn under several values of one setting, or there "
               "already",
    .usage = "[--dtype A,B | --OPTION A,B...] [OPTIONS]",
    .positional = "[PICTURE|DIR...]",
    .words = XL_COMPLETE_FILE,
    .commands = XL_FOR_GENERATE | XL_FOR_COMPARE,
    .compares = true,
    .epilogue =
        "An option that can be an axis takes several values here, --dtype f32,bf16 or --scheduler "
        "euler,dpmpp-2m: the same prompts and seeds are drawn with each, and measured against the "
        "first; of dtypes, against the most exact one. The pictures are a run like any other, "
        "which "
        "resume goes on with; compare_01.png in it shows them side by side with their "
        "differences.\n"
        "Two pictures, or two folders with pictures of the same names (or of the same requests), "
        "are "
        "measured as they are, and so is a run directory; --output-dir says where to put a sheet "
        "of "
        "them.\n"
        "PSNR in dB, SSIM (1: equal) and GMSD (0: equal). With --json, an object: compared, "
        "reference, values (median, worst, seconds, verdict), pictures, sheet; of what was drawn, "
        "as "
        "the member comparison beside generate's.\n"
        "docs/COMPARE.md says what the numbers mean. Exit codes: 3 also where a picture lies "
        "further "
        "than --min-psnr.",
    .run = compare,
};
