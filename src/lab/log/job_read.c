/* job_read.c - reading job logs, ours and the earlier app's, with whatever crashes left in them.
 * Keeps no state; a log may be read while others append. The callback runs on the caller's thread.
 */
#include "base/file.h"
#include "lab/log/job_log.h"
#include "lab/log/job_parse.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    FIRST_BUFFER = 1 << 20,
    MAX_LINE = 16 << 20,
    MAX_BATCH = 1024,    /* lines parsed at once */
    LARGE_LOG = 8 << 20, /* from here on, threads are worth starting */
};

/* ---- Lines ---- */

struct reader {
    const char *path;
    xl_job_line_fn *fn;
    void *user;
    struct xl_job_counts counts;
    int64_t line;
    struct xl_pool *pool;      /* NULL: the log is small */
    struct xl_job_text *batch; /* [MAX_BATCH]; texts are in the window */
    int n_batch;
};

static enum xl_status take_line(struct reader *reader, const struct xl_job_text *line,
                                struct xl_err *err) {
    reader->line++;
    if (!line->n) return XL_OK;
    if (line->object) {
        reader->counts.n_entries++;
        return reader->fn(reader->user, line->object, reader->line, err);
    }
    if (line->no_memory) return xl_fail_nomem(err, reader->path, line->n);
    if (!reader->counts.n_damaged++) reader->counts.first_damaged = reader->line;
    return XL_OK;
}

/* Parse the batch and hand its lines on, in order. */
static enum xl_status take_batch(struct reader *reader, struct xl_err *err) {
    enum xl_status status = XL_OK;
    xl_job_parse(reader->batch, reader->n_batch, reader->pool);
    for (int i = 0; i < reader->n_batch && !status; i++)
        status = take_line(reader, &reader->batch[i], err);
    xl_job_parse_free(reader->batch, reader->n_batch, reader->pool);
    reader->n_batch = 0;
    return status;
}

static enum xl_status add_line(struct reader *reader, const char *text, size_t n,
                               struct xl_err *err) {
    reader->batch[reader->n_batch++] = (struct xl_job_text){.text = text, .n = n};
    return reader->n_batch < MAX_BATCH ? XL_OK : take_batch(reader, err);
}

/* A window on the file: bytes begin .. end of buffer are not yet taken. */
struct window {
    char *buffer;
    size_t capacity, begin, end;
    bool is_skipping; /* inside a line that is too long */
};

/* What stands for a line that is too long: it is no JSON either. */
static enum xl_status add_skipped(struct reader *reader, struct xl_err *err) {
    return add_line(reader, "?", 1, err);
}

/* Take every whole line of the window. Bytes before `searched` hold no newline. */
static enum xl_status take_lines(struct reader *reader, struct window *window, size_t searched,
                                 struct xl_err *err) {
    enum xl_status status = XL_OK;
    while (!status) {
        char *newline = memchr(window->buffer + searched, '\n', window->end - searched);
        if (!newline) break;
        size_t at = (size_t)(newline - window->buffer);
        status = window->is_skipping
                     ? add_skipped(reader, err)
                     : add_line(reader, window->buffer + window->begin, at - window->begin, err);
        window->is_skipping = false;
        window->begin = searched = at + 1;
    }
    return status ? status : take_batch(reader, err);
}

/* Make room behind the bytes that are left: move them to the front, or grow. A line longer than
 * MAX_LINE is thrown away as it comes. */
static enum xl_status make_room(struct window *window, struct xl_err *err) {
    size_t left = window->is_skipping ? 0 : window->end - window->begin;
    if (left) memmove(window->buffer, window->buffer + window->begin, left);
    window->begin = 0;
    window->end = left;
    if (left < window->capacity / 2) return XL_OK;
    if (window->capacity >= MAX_LINE) {
        window->is_skipping = true;
        window->end = 0;
        return XL_OK;
    }
    char *larger = realloc(window->buffer, window->capacity * 2);
    if (!larger) return xl_fail_nomem(err, "a line of a job log", window->capacity * 2);
    window->buffer = larger;
    window->capacity *= 2;
    return XL_OK;
}

static enum xl_status read_lines(struct reader *reader, int fd, struct window *window,
                                 struct xl_err *err) {
    for (;;) {
        enum xl_status status = make_room(window, err);
        if (status) return status;
        size_t before = window->end;
        ssize_t got = read(fd, window->buffer + before, window->capacity - before);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0)
            return xl_fail(err, XL_EINPUT, "%s: cannot read: %s", reader->path, strerror(errno));
        if (got == 0) break;
        window->end += (size_t)got;
        status = take_lines(reader, window, before, err);
        if (status) return status;
    }
    /* The last line may lack its newline and be whole all the same. */
    size_t left = window->end - window->begin;
    enum xl_status status = XL_OK;
    if (window->is_skipping)
        status = add_skipped(reader, err);
    else if (left)
        status = add_line(reader, window->buffer + window->begin, left, err);
    return status ? status : take_batch(reader, err);
}

enum xl_status xl_job_log_read(const char *path, xl_job_line_fn *fn, void *user,
                               struct xl_job_counts *counts, struct xl_err *err) {
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0) return xl_fail(err, XL_EINPUT, "%s: cannot open: %s", path, strerror(errno));
    struct reader reader = {.path = path, .fn = fn, .user = user};
    struct window window = {.buffer = malloc(FIRST_BUFFER), .capacity = FIRST_BUFFER};
    reader.batch = malloc(MAX_BATCH * sizeof *reader.batch);
    struct stat st;
    enum xl_status status = XL_OK;
    if (!window.buffer || !reader.batch)
        status = xl_fail_nomem(err, path, FIRST_BUFFER);
    else if (fstat(fd, &st) || !S_ISREG(st.st_mode))
        status = xl_fail(err, XL_EINPUT, "%s: not a regular file", path);
    else if (st.st_size >= LARGE_LOG)
        status = xl_pool_new(0, NULL, &reader.pool, err);
    if (!status) status = read_lines(&reader, fd, &window, err);
    close(fd);
    xl_pool_free(reader.pool);
    free(reader.batch);
    free(window.buffer);
    if (!status && counts) *counts = reader.counts;
    return status;
}

/* ---- Which logs there are ---- */

static bool is_log_name(const char *name) {
    static const char begin[] = "jobs", end[] = ".log";
    size_t n = strlen(name);
    return n >= sizeof begin + sizeof end - 2 && !strncmp(name, begin, sizeof begin - 1) &&
           !strcmp(name + n - (sizeof end - 1), end);
}

static int is_log(const struct dirent *entry) {
    return is_log_name(entry->d_name);
}

enum xl_status xl_job_log_list(const char *dir, struct xl_job_logs *out, struct xl_err *err) {
    struct dirent **entries = NULL;
    int n = scandir(dir, &entries, is_log, alphasort);
    if (n < 0 && errno == ENOMEM) return xl_fail_nomem(err, dir, 0);
    if (n < 0 && errno != ENOENT)
        return xl_fail(err, XL_EINPUT, "%s: cannot list: %s", dir, strerror(errno));
    struct xl_job_logs logs = {0};
    bool failed = n > 0 && !(logs.paths = calloc((size_t)n, sizeof *logs.paths));
    for (int i = 0; i < n; i++) {
        char *path = failed ? NULL : xl_path_join(dir, entries[i]->d_name);
        free(entries[i]);
        if (!path)
            failed = true;
        else if (xl_file_exists(path))
            logs.paths[logs.n++] = path;
        else
            free(path);
    }
    free(entries);
    if (failed) {
        xl_job_logs_free(&logs);
        return xl_fail_nomem(err, dir, 0);
    }
    *out = logs;
    return XL_OK;
}

void xl_job_logs_free(struct xl_job_logs *logs) {
    if (!logs) return;
    for (int i = 0; i < logs->n; i++) free(logs->paths[i]);
    free(logs->paths);
    *logs = (struct xl_job_logs){0};
}
