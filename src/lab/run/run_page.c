/* run_page.c - index.html and cells.js of a run directory. Keeps no state: what is shown is in the
 * two files. web/run/ has the page itself, which is part of the program. */
#include "lab/run/run_page.h"
#include "base/file.h"
#include "base/json.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

extern const char xl_run_page_html[], xl_run_page_css[], xl_run_page_js[];

/* ---- The page ---- */

/* Append text up to a mark and return what comes behind the mark. */
static const char *append_until(struct xl_str *out, const char *text, const char *mark) {
    const char *at = strstr(text, mark);
    if (!at) return text;
    xl_str_append(out, text, (size_t)(at - text));
    return at + strlen(mark);
}

static enum xl_status write_html(const char *dir, struct xl_err *err) {
    struct xl_str html = {0};
    const char *rest = append_until(&html, xl_run_page_html, "{{style}}");
    xl_str_puts(&html, xl_run_page_css);
    rest = append_until(&html, rest, "{{script}}");
    xl_str_puts(&html, xl_run_page_js);
    xl_str_puts(&html, rest);
    size_t n = html.len;
    char *text = xl_str_take(&html), *path = xl_path_join(dir, "index.html");
    enum xl_status status = text && path ? xl_file_replace(path, text, n, err)
                                         : xl_fail_nomem(err, "the page of a run", 0);
    free(text);
    free(path);
    return status;
}

/* ---- The data ---- */

static double wall_clock(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* A statement: name(value); or name(value,when); on a line of its own. ASCII only, so that no
 * browser can read it in another encoding. Out of memory is sticky in `out`. */
static void append_call(struct xl_str *out, const char *name, const json_t *value, double when) {
    char *json = xl_json_dump(value, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_ENCODE_ANY);
    if (!json) {
        out->failed = true;
        return;
    }
    xl_str_puts(out, name);
    xl_str_puts(out, "(");
    xl_str_puts(out, json);
    if (when > 0) xl_str_printf(out, ",%.3f", when);
    xl_str_puts(out, ");\n");
    free(json);
}

static void append_cells(struct xl_str *out, const json_t *cells, double when) {
    size_t i;
    const json_t *cell;
    json_array_foreach((json_t *)cells, i, cell) append_call(out, "cell", cell, when);
}

enum xl_status xl_run_page_begin(const char *dir, const json_t *run, const json_t *cells,
                                 struct xl_err *err) {
    enum xl_status status = write_html(dir, err);
    if (status) return status;
    struct xl_str data = {0};
    append_call(&data, "run", run, 0);
    append_cells(&data, cells, 0);
    xl_str_printf(&data, "begun(%.3f);\n", wall_clock());
    size_t n = data.len;
    char *text = xl_str_take(&data), *path = xl_path_join(dir, "cells.js");
    status = text && path ? xl_file_replace(path, text, n, err)
                          : xl_fail_nomem(err, "the page of a run", n);
    free(text);
    free(path);
    return status;
}

/* Where the last whole line ends: a statement that was torn off would spoil the whole script. */
static off_t end_of_lines(int fd, off_t size) {
    char piece[4096];
    while (size > 0) {
        size_t n = size < (off_t)sizeof piece ? (size_t)size : sizeof piece;
        if (pread(fd, piece, n, size - (off_t)n) != (ssize_t)n) return -1;
        for (size_t i = n; i > 0; i--)
            if (piece[i - 1] == '\n') return size - (off_t)(n - i);
        size -= (off_t)n;
    }
    return 0;
}

/* Append all or nothing: 0, or an errno. */
static int append_whole(int fd, const char *text, size_t n) {
    struct stat st;
    if (fstat(fd, &st)) return errno;
    off_t end = end_of_lines(fd, st.st_size);
    if (end < 0 || (end < st.st_size && ftruncate(fd, end))) return errno;
    ssize_t done;
    do done = write(fd, text, n);
    while (done < 0 && errno == EINTR);
    if (done == (ssize_t)n) return 0;
    int why = done < 0 ? errno : ENOSPC;
    (void)!ftruncate(fd, end); /* if that fails the next append tries again */
    return why;
}

static enum xl_status append_data(const char *dir, struct xl_str *data, struct xl_err *err) {
    size_t n = data->len;
    char *text = xl_str_take(data), *path = xl_path_join(dir, "cells.js");
    if (!text || !path) {
        free(text);
        free(path);
        return xl_fail_nomem(err, "the page of a run", n);
    }
    /* Created when somebody has removed it: a page with holes is better than a run that stops. */
    int flags = O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    int fd = open(path, flags, 0666);
    int why = fd < 0 ? errno : append_whole(fd, text, n);
    if (fd >= 0) close(fd);
    enum xl_status status = XL_OK;
    if (why) status = xl_fail(err, XL_EDISK, "%s: cannot write: %s", path, strerror(why));
    free(text);
    free(path);
    return status;
}

enum xl_status xl_run_page_update(const char *dir, const json_t *cells, struct xl_err *err) {
    struct xl_str data = {0};
    append_cells(&data, cells, wall_clock());
    return append_data(dir, &data, err);
}

enum xl_status xl_run_page_end(const char *dir, const json_t *summary, struct xl_err *err) {
    struct xl_str data = {0};
    append_call(&data, "run", summary, 0);
    return append_data(dir, &data, err);
}
