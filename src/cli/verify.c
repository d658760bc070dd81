/* verify.c - sdxl-lab verify: is each of these pictures what its record says? */
#include "cli/cli.h"

#include "base/json.h"
#include "base/str.h"
#include "base/text_width.h"
#include "lab/run/verify.h"
#include "lab/run/verify_list.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How many pictures there are of each finding. */
struct tally {
    int n[XL_N_FINDINGS];
    int n_items, n_bad; /* of those that end the command with an error */
};

/* What a finding ends the command with. In a folder other pictures may lie, too. */
static enum xl_status status_of(enum xl_finding finding, bool is_found) {
    if (finding == XL_NOT_OURS && is_found) return XL_OK;
    return xl_finding_row(finding)->status;
}

static bool has_pixels(enum xl_finding finding) {
    return finding == XL_SAME || finding == XL_NEAR || finding == XL_DIFFERENT;
}

/* --- One picture ------------------------------------------------------------------------------ */

static json_t *describe(const struct xl_verify_item *item, const struct xl_verdict *verdict) {
    json_t *object = json_object();
    bool ok = object != NULL, is_compared = has_pixels(verdict->finding);
    xl_json_put(object, "path", xl_json_text(item->path), &ok);
    xl_json_put(object, "finding", json_string(xl_finding_row(verdict->finding)->name), &ok);
    xl_json_put(object, "same", json_boolean(verdict->finding == XL_SAME), &ok);
    if (item->lacks) xl_json_put(object, "cell", xl_json_text(item->lacks), &ok);
    if (is_compared && isfinite(verdict->psnr))
        xl_json_put(object, "psnr", json_real(verdict->psnr), &ok);
    if (verdict->notice) xl_json_put(object, "notice", xl_json_text(verdict->notice), &ok);
    if (!is_compared && verdict->why.text[0])
        xl_json_put(object, "error", xl_json_text(verdict->why.text), &ok);
    return xl_json_finish(object, ok);
}

static void put_words(struct xl_str *line, const struct xl_verify_item *item,
                      const struct xl_verdict *verdict) {
    const char *path = item->path, *why = verdict->why.text;
    bool names_path = !strncmp(why, path, strlen(path));
    xl_str_printf(line, "%-9s  ", xl_finding_row(verdict->finding)->word);
    if (!has_pixels(verdict->finding) && why[0] && names_path)
        xl_str_puts(line, why);
    else if (!has_pixels(verdict->finding))
        xl_str_printf(line, "%s%s%s", path, why[0] ? ": " : "", why);
    else if (verdict->finding == XL_SAME)
        xl_str_puts(line, path);
    else if (verdict->psnr < 0)
        xl_str_printf(line, "%s: another size", path);
    else
        xl_str_printf(line, "%s: %.1f dB", path, verdict->psnr);
    if (verdict->notice) xl_str_printf(line, " (%s)", verdict->notice);
}

static void print(struct xl_progress *progress, const struct xl_verify_item *item,
                  const struct xl_verdict *verdict) {
    struct xl_str line = {0};
    put_words(&line, item, verdict);
    char *text = xl_str_take(&line);
    if (text) xl_text_tame(text);
    xl_progress_print(progress, text ? text : item->path);
    free(text);
}

static void say_missing(const struct xl_verify_item *item, struct xl_verdict *verdict) {
    verdict->finding = XL_MISSING;
    xl_fail(&verdict->why, XL_EINPUT, "%s: no picture of %s is there", item->path, item->lacks);
}

/* pictures: NULL where lines are printed. */
static enum xl_status look_at(struct xl_verifier *verifier, const struct xl_verify_item *item,
                              struct xl_progress *progress, json_t *pictures,
                              enum xl_finding *finding, struct xl_err *err) {
    struct xl_verdict verdict = {0};
    enum xl_status status = XL_OK;
    if (item->lacks)
        say_missing(item, &verdict);
    else
        status = xl_verify(verifier, item->path, &verdict, err);
    xl_json_watch();
    if (!status && !pictures) print(progress, item, &verdict);
    if (!status && pictures && json_array_append_new(pictures, describe(item, &verdict)))
        status = xl_fail_nomem(err, "the JSON document", 0);
    *finding = verdict.finding;
    free(verdict.notice);
    return status;
}

/* --- All of them ------------------------------------------------------------------------------ */

static enum xl_status print_document(json_t *pictures, const struct tally *tally,
                                     struct xl_err *err) {
    xl_json_watch();
    json_t *document = json_object(), *counts = json_object();
    bool ok = document && counts;
    for (int f = 0; f < XL_N_FINDINGS; f++)
        xl_json_put(counts, xl_finding_row(f)->name, json_integer(tally->n[f]), &ok);
    xl_json_put(document, "pictures", json_incref(pictures), &ok);
    xl_json_put(document, "counts", counts, &ok);
    document = xl_json_finish(document, ok);
    enum xl_status status = xl_print_json(document, err);
    json_decref(document);
    return status;
}

static void print_tally(const struct tally *tally) {
    const char *separator = "\n";
    for (int f = 0; f < XL_N_FINDINGS; f++) {
        if (!tally->n[f]) continue;
        printf("%s%s %d", separator, xl_finding_row(f)->word, tally->n[f]);
        separator = ", ";
    }
    printf("%s\n", tally->n_items ? "" : "no pictures there");
}

/* Pixels that differ weigh more than what could not be tried, that more than a slip. */
static enum xl_status judge(const struct tally *tally, enum xl_status worst, struct xl_err *err) {
    int n_other = tally->n[XL_DIFFERENT] + tally->n[XL_DAMAGED];
    int n = tally->n_items - tally->n[XL_SHEET];
    if (!worst) return XL_OK;
    const char *pictures = xl_plural(n, "picture", "pictures");
    if (n_other)
        return xl_fail(err, worst, "%d of %d %s not what %s", n_other, n,
                       xl_plural(n, "picture is", "pictures are"),
                       xl_plural(n, "its record says", "their records say"));
    return xl_fail(err, worst, "%d of %d %s could not be verified", tally->n_bad, n, pictures);
}

static enum xl_status worse(enum xl_status a, enum xl_status b) {
    static const enum xl_status order[] = {XL_EPARTIAL, XL_EMODEL, XL_EINPUT};
    for (size_t i = 0; i < sizeof order / sizeof *order; i++)
        if (a == order[i] || b == order[i]) return order[i];
    return XL_OK;
}

static enum xl_status verify_all(const struct xl_settings *settings,
                                 const struct xl_verify_list *list, struct xl_verifier *verifier,
                                 struct xl_progress *progress, struct xl_err *err) {
    struct tally tally = {.n_items = list->n};
    json_t *pictures = settings->json ? json_array() : NULL;
    enum xl_status status = XL_OK, worst = XL_OK;
    if (settings->json && !pictures) status = xl_fail_nomem(err, "the JSON document", 0);
    for (int i = 0; !status && i < list->n; i++) {
        enum xl_finding finding;
        status = look_at(verifier, &list->items[i], progress, pictures, &finding, err);
        if (status) break;
        tally.n[finding]++;
        enum xl_status ends = status_of(finding, list->items[i].is_found);
        tally.n_bad += ends != XL_OK;
        worst = worse(worst, ends);
    }
    xl_progress_end(progress);
    if (!status && settings->json) status = print_document(pictures, &tally, err);
    if (!status && !settings->json && list->n != 1) print_tally(&tally);
    json_decref(pictures);
    return status ? status : judge(&tally, worst, err);
}

static enum xl_status verify(const struct xl_settings *settings, struct xl_err *err) {
    struct xl_progress progress;
    struct xl_verifier *verifier = NULL;
    struct xl_verify_list list = {.n = 0};
    xl_progress_init(&progress, settings->quiet);
    enum xl_status status =
        xl_verifier_new(settings, xl_progress_update, &progress, &verifier, err);
    for (int i = 0; !status && i < settings->n_arguments; i++)
        status = xl_verify_list_add(&list, settings->arguments[i], err);
    if (!status) status = verify_all(settings, &list, verifier, &progress, err);
    xl_progress_end(&progress);
    xl_verifier_free(verifier);
    xl_verify_list_deinit(&list);
    return status;
}

const struct xl_command xl_command_verify = {
    .name = "verify",
    .summary = "draw pictures again from their records and compare the pixels",
    .usage = "[OPTIONS]",
    .positional = "FILE|DIR...",
    .words = XL_COMPLETE_FILE,
    .commands = XL_FOR_VERIFY,
    .epilogue =
        "Of a folder, every PNG file in and below it; of a run, also what it lacks. The program's "
        "own contact sheets are passed over.\n"
        "Each picture is one of: same; near (the pixels differ as roundings do, and what computes "
        "them is another); DIFFERENT (other pixels); damaged; not drawn (memory was short); no "
        "model; no init (the picture that it started from is not here or was changed); missing; "
        "not ours (no record in it); sheet.\n"
        "Exit codes: 3 one is DIFFERENT, damaged or not drawn; else 5 a model is not here; else 2 "
        "one is missing, not ours (but for those in a folder) or lacks its init image; else 0.",
    .run = verify,
};
