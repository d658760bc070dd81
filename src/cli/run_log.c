/* run_log.c - appending to logs of jobs, and looking at their ends. Keeps no state. */
#include "cli/run_log.h"
#include "cli/shell_line.h"

#include "base/clock.h"
#include "base/file.h"
#include "jobs/container.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TAIL = 256 << 10 };

enum xl_status xl_run_log_open(const char *path, int *fd, off_t *end, struct xl_err *err) {
    *fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0666);
    if (*fd < 0) return xl_fail(err, XL_EDISK, "%s: cannot be written: %s", path, strerror(errno));
    *end = lseek(*fd, 0, SEEK_END);
    return XL_OK;
}

void xl_run_log_note(int fd, const char *format, ...) {
    char text[1024], when[21];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    xl_iso8601_utc(when);
    dprintf(fd, "=== %s %s\n", when, text); /* a full disk is the job's to tell */
}

/* The end of the file, from `from` on at most. NULL: it cannot be read */
static char *read_tail(const char *path, off_t from) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char *text = fd < 0 ? NULL : malloc(TAIL + 1);
    off_t end = fd < 0 ? 0 : lseek(fd, 0, SEEK_END);
    if (end - from > TAIL) from = end - TAIL;
    ssize_t n = text ? pread(fd, text, TAIL, from) : -1;
    if (fd >= 0) close(fd);
    if (text) text[n > 0 ? n : 0] = 0;
    return text;
}

/* What follows `beginning` in the last line that begins so. NULL: none does */
static const char *last_line(const char *text, const char *beginning, struct xl_arena *arena) {
    const char *found = NULL;
    size_t n = strlen(beginning);
    for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n')
        if (!strncmp(line, beginning, n)) found = line + n;
    return found ? xl_arena_strndup(arena, found, strcspn(found, "\r\n")) : NULL;
}

/* The last line that a program wrote, whatever it says: an engine of containers, most often. */
static const char *last_words(const char *text, struct xl_arena *arena) {
    const char *found = "";
    for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n')
        if (*line != '\n' && strncmp(line, "=== ", 4) != 0) found = line;
    return xl_arena_strndup(arena, found, strcspn(found, "\r\n"));
}

static bool has_run(const char *dir, const char *output, struct xl_arena *arena) {
    size_t n = strlen(XL_CONTAINER_OUTPUT);
    bool is_inside = !strncmp(dir, XL_CONTAINER_OUTPUT, n) && dir[n] == '/';
    const char *here = xl_arena_printf(arena, "%s/run.json", dir);
    const char *there = xl_arena_printf(arena, "%s%s/run.json", output, is_inside ? dir + n : "");
    return (here && xl_file_exists(here)) || (is_inside && there && xl_file_exists(there));
}

/* A picture lies in its run's directory, or in a model's folder there. */
static const char *run_of_last_picture(const char *text, const char *output,
                                       struct xl_arena *arena) {
    char *dir = NULL;
    for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
        size_t n = strcspn(line, "\r\n");
        if (n > 4 && !strncmp(line + n - 4, ".png", 4)) dir = xl_arena_strndup(arena, line, n);
    }
    for (int level = 0; dir && level < 2; level++) {
        char *slash = strrchr(dir, '/');
        if (!slash) return NULL;
        *slash = 0;
        if (has_run(dir, output, arena)) return dir;
    }
    return NULL;
}

void xl_run_log_read(const char *path, off_t from, const char *output, struct xl_arena *arena,
                     const char **error, const char **run_dir) {
    char *text = read_tail(path, from);
    struct xl_shell_line words = {.n = 0};
    const char *line = text ? last_line(text, "go on    sdxl-lab resume ", arena) : NULL;
    *error = text ? last_line(text, "sdxl-lab: error: ", arena) : NULL;
    *run_dir = NULL;
    if (text && !*error) *error = last_words(text, arena);
    if (!*error) *error = "";
    if (line && xl_shell_line_read(line, "", &words)) {
        if (words.n == 1 && words.words[0][0]) *run_dir = xl_arena_strdup(arena, words.words[0]);
        xl_shell_line_deinit(&words);
    }
    if (text && !*run_dir) *run_dir = run_of_last_picture(text, output, arena);
    free(text);
}
