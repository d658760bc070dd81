/* verify.c - sdxl-lab verify: is each of these pictures what its record says? */
#include "cli/cli.h"

#include "base/json.h"
#include "base/str.h"
#include "lab/run/verify.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* One line or one object about a picture. */
static json_t *describe(const char *path, const struct xl_verdict *verdict, const char *error) {
    json_t *object = json_object();
    bool ok = object != NULL;
    xl_json_put(object, "path", xl_json_text(path), &ok);
    xl_json_put(object, "same", json_boolean(!error && verdict->likeness == XL_SAME), &ok);
    if (!error)
        xl_json_put(object, "likeness", json_string(xl_likeness_name(verdict->likeness)), &ok);
    if (!error && isfinite(verdict->psnr))
        xl_json_put(object, "psnr", json_real(verdict->psnr), &ok);
    if (!error && verdict->notice)
        xl_json_put(object, "notice", xl_json_text(verdict->notice), &ok);
    if (error) xl_json_put(object, "error", xl_json_text(error), &ok);
    return xl_json_finish(object, ok);
}

static enum xl_status add(json_t *pictures, const char *path, const struct xl_verdict *verdict,
                          const char *error, struct xl_err *err) {
    xl_json_watch();
    int failed = json_array_append_new(pictures, describe(path, verdict, error));
    return failed || xl_json_ran_out() ? xl_fail_nomem(err, "the JSON document", 0) : XL_OK;
}

static enum xl_status print_document(json_t *pictures, int n_other, struct xl_err *err) {
    xl_json_watch();
    json_t *document = json_object();
    bool ok = document != NULL;
    xl_json_put(document, "pictures", json_incref(pictures), &ok);
    xl_json_put(document, "not_same", json_integer(n_other), &ok);
    document = xl_json_finish(document, ok);
    enum xl_status status = xl_print_json(document, err);
    json_decref(document);
    return status;
}

static void print(struct xl_progress *progress, const char *path, const struct xl_verdict *verdict,
                  const char *error) {
    struct xl_str line = {0};
    if (error)
        xl_str_printf(&line, "error      %s", error);
    else if (verdict->likeness == XL_SAME)
        xl_str_printf(&line, "same       %s", path);
    else if (verdict->psnr < 0)
        xl_str_printf(&line, "DIFFERENT  %s: another size", path);
    else
        xl_str_printf(&line, "%s  %s: %.1f dB",
                      verdict->likeness == XL_NEAR ? "near     " : "DIFFERENT", path,
                      verdict->psnr);
    if (!error && verdict->notice) xl_str_printf(&line, " (%s)", verdict->notice);
    char *text = xl_str_take(&line);
    xl_progress_print(progress, text ? text : path);
    free(text);
}

static enum xl_status verify(const struct xl_settings *settings, struct xl_err *err) {
    struct xl_progress progress;
    struct xl_verifier *verifier = NULL;
    json_t *pictures = json_array();
    int n_other = 0;
    xl_progress_init(&progress, settings->quiet);
    enum xl_status status =
        xl_verifier_new(settings, xl_progress_update, &progress, &verifier, err);
    for (int i = 0; !status && i < settings->n_arguments; i++) {
        const char *path = settings->arguments[i];
        struct xl_verdict verdict = {0};
        struct xl_err why = {0};
        enum xl_status one = xl_verify(verifier, path, &verdict, &why);
        if (one == XL_ECANCELLED)
            status = xl_fail(err, one, "%s", why.text);
        else if (settings->json)
            status = add(pictures, path, &verdict, one ? why.text : NULL, err);
        else
            print(&progress, path, &verdict, one ? why.text : NULL);
        n_other += one || verdict.likeness == XL_DIFFERENT;
        free(verdict.notice);
    }
    xl_progress_end(&progress);
    xl_verifier_free(verifier);
    if (!status && settings->json) status = print_document(pictures, n_other, err);
    json_decref(pictures);
    if (!status && n_other)
        status = xl_fail(err, XL_EPARTIAL, "%d of %d pictures are not what their records say",
                         n_other, settings->n_arguments);
    return status;
}

const struct xl_command xl_command_verify = {
    .name = "verify",
    .summary = "draw pictures again from their records and compare the pixels",
    .usage = "[OPTIONS]",
    .positional = "PNG...",
    .words = XL_COMPLETE_FILE,
    .commands = XL_FOR_VERIFY,
    .epilogue = "Exit codes: 0 all the same, 3 some are not, 2 wrong usage.",
    .run = verify,
};
