/* status.c - statuses by name, and the sentence of a failure. */
#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name, *text;
} statuses[] = {
#define X(name, text) {#name, text},
    XL_STATUS_LIST(X)
#undef X
};

enum { N_STATUSES = sizeof statuses / sizeof *statuses };

static int index_of(enum xl_status status) {
    return (int)status >= 0 && (int)status < N_STATUSES ? (int)status : XL_EINTERNAL;
}

const char *xl_status_text(enum xl_status status) {
    return statuses[index_of(status)].text;
}

const char *xl_status_name(enum xl_status status) {
    return (int)status >= 0 && (int)status < N_STATUSES ? statuses[status].name : "?";
}

/* One line only: a control character in a file name must not reach a terminal or break a log. */
static void make_one_line(char *text) {
    for (char *c = text; *c; c++)
        if ((unsigned char)*c < 32 || *c == 127) *c = '?';
}

enum xl_status xl_fail(struct xl_err *err, enum xl_status status, const char *format, ...) {
    if (!err) return status;
    va_list args;
    va_start(args, format);
    vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    make_one_line(err->text);
    return status;
}

enum xl_status xl_fail_context(struct xl_err *err, enum xl_status status, const char *format, ...) {
    if (!err) return status;
    struct xl_err inner = *err;
    va_list args;
    va_start(args, format);
    int n = vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    if (n >= 0 && (size_t)n < sizeof err->text)
        snprintf(err->text + n, sizeof err->text - (size_t)n, ": %s", inner.text);
    make_one_line(err->text);
    return status;
}

enum xl_status xl_fail_nomem(struct xl_err *err, const char *what, size_t bytes) {
    if (!bytes) return xl_fail(err, XL_ENOMEM, "out of memory for %s", what);
    return xl_fail(err, XL_ENOMEM, "out of memory: %.1f MiB for %s", (double)bytes / 1048576.0,
                   what);
}
