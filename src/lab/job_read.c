/* job_read.c - reading job logs, ours and the earlier app's, with whatever crashes left in them.
 * Keeps no state; a log may be read while others append. */
#include "base/file.h"
#include "base/str.h"
#include "lab/job_log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FIRST_BUFFER = 1 << 20, MAX_LINE = 16 << 20, MAX_DIGITS = 18 };

/* ---- What Python writes and JSON does not have ---- */

static bool is_hex4(const char *text, size_t n) {
    for (size_t i = 0; i < 4; i++)
        if (i >= n || !strchr("0123456789abcdefABCDEF", text[i]) || !text[i]) return false;
    return true;
}

/* The value of \uXXXX at text, or -1. */
static long escaped_unit(const char *text, size_t n) {
    if (n < 6 || text[0] != '\\' || text[1] != 'u' || !is_hex4(text + 2, n - 2)) return -1;
    char digits[5] = {text[2], text[3], text[4], text[5], 0};
    return strtol(digits, NULL, 16);
}

/* Copy one character or escape of a string; returns how many bytes of text it took. Halves of
 * surrogate pairs, NUL and what is no UTF-8 become U+FFFD. */
static size_t repair_character(struct xl_str *out, const char *text, size_t n) {
    static const char replacement[] = "\xEF\xBF\xBD";
    if (text[0] != '\\') {
        int length = xl_utf8_len(text, n);
        xl_str_append(out, length ? text : replacement, length ? (size_t)length : 3);
        return length ? (size_t)length : 1;
    }
    long unit = escaped_unit(text, n), next = unit < 0 ? -1 : escaped_unit(text + 6, n - 6);
    bool is_pair = unit >= 0xD800 && unit < 0xDC00 && next >= 0xDC00 && next < 0xE000;
    bool is_bad = unit == 0 || (unit >= 0xD800 && unit < 0xE000 && !is_pair);
    size_t taken = unit < 0 ? 2 : is_pair ? 12 : 6;
    if (taken > n) taken = n;
    if (is_bad)
        xl_str_append(out, replacement, 3);
    else
        xl_str_append(out, text, taken);
    return taken;
}

/* Copy a word outside of strings: a number beyond 64 bits becomes a string, a word for a number
 * that JSON has not becomes null. */
static size_t repair_word(struct xl_str *out, const char *text, size_t n) {
    static const char *const words[] = {"NaN", "Infinity", "-Infinity"};
    for (int i = 0; i < 3; i++) {
        if (n < strlen(words[i]) || memcmp(text, words[i], strlen(words[i]))) continue;
        xl_str_puts(out, "null");
        return strlen(words[i]);
    }
    size_t length = 0, digits = 0;
    bool is_integer = true;
    while (length < n && text[length] && strchr("+-.0123456789eE", text[length])) {
        bool is_digit = text[length] >= '0' && text[length] <= '9';
        digits += is_digit;
        is_integer = is_integer && (is_digit || (length == 0 && text[0] == '-'));
        length++;
    }
    bool is_large = is_integer && digits > MAX_DIGITS;
    if (!length) length = 1;
    if (is_large) xl_str_puts(out, "\"");
    xl_str_append(out, text, length);
    if (is_large) xl_str_puts(out, "\"");
    return length;
}

static json_t *parse_repaired(const char *text, size_t n) {
    struct xl_str out = {0};
    bool is_string = false;
    for (size_t i = 0; i < n;) {
        if (text[i] == '"') {
            is_string = !is_string;
            xl_str_append(&out, text + i++, 1);
        } else {
            i += is_string ? repair_character(&out, text + i, n - i)
                           : repair_word(&out, text + i, n - i);
        }
    }
    json_t *value = out.failed ? NULL : json_loadb(out.text ? out.text : "", out.len, 0, NULL);
    xl_str_deinit(&out);
    return value;
}

/* ---- Lines ---- */

struct reader {
    const char *path;
    xl_job_line_fn *fn;
    void *user;
    struct xl_job_counts counts;
    int64_t line;
};

static void count_damaged(struct reader *reader) {
    if (!reader->counts.n_damaged++) reader->counts.first_damaged = reader->line;
}

static enum xl_status take_line(struct reader *reader, const char *text, size_t n,
                                struct xl_err *err) {
    reader->line++;
    while (n && strchr(" \t\r", text[n - 1]) && text[n - 1]) n--;
    if (!n) return XL_OK;
    json_error_t error;
    json_t *object = json_loadb(text, n, 0, &error);
    if (!object && json_error_code(&error) == json_error_out_of_memory)
        return xl_fail_nomem(err, reader->path, n);
    if (!object && text[0] == '{' && text[n - 1] == '}') object = parse_repaired(text, n);
    if (!json_is_object(object)) {
        json_decref(object);
        count_damaged(reader);
        return XL_OK;
    }
    reader->counts.n_entries++;
    enum xl_status status = reader->fn(reader->user, object, reader->line, err);
    json_decref(object);
    return status;
}

/* A window on the file: bytes begin .. end of buffer are not yet taken. */
struct window {
    char *buffer;
    size_t capacity, begin, end;
    bool is_skipping; /* inside a line that is too long */
};

/* Take every whole line of the window. Bytes before `searched` hold no newline. */
static enum xl_status take_lines(struct reader *reader, struct window *window, size_t searched,
                                 struct xl_err *err) {
    enum xl_status status = XL_OK;
    while (!status) {
        char *from = window->buffer + searched;
        char *newline = memchr(from, '\n', window->end - searched);
        if (!newline) break;
        size_t at = (size_t)(newline - window->buffer);
        if (window->is_skipping) {
            reader->line++;
            count_damaged(reader);
        } else {
            status = take_line(reader, window->buffer + window->begin, at - window->begin, err);
        }
        window->is_skipping = false;
        window->begin = searched = at + 1;
    }
    return status;
}

/* Make room behind the bytes that are left: move them to the front, or grow. A line longer than
 * MAX_LINE is thrown away as it comes. */
static enum xl_status make_room(struct window *window, struct xl_err *err) {
    size_t left = window->end - window->begin;
    if (window->is_skipping) left = 0;
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
    if (window->is_skipping) {
        reader->line++;
        count_damaged(reader);
        return XL_OK;
    }
    /* The last line may lack its newline and be whole all the same. */
    size_t left = window->end - window->begin;
    return left ? take_line(reader, window->buffer + window->begin, left, err) : XL_OK;
}

enum xl_status xl_job_log_read(const char *path, xl_job_line_fn *fn, void *user,
                               struct xl_job_counts *counts, struct xl_err *err) {
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0) return xl_fail(err, XL_EINPUT, "%s: cannot open: %s", path, strerror(errno));
    struct reader reader = {.path = path, .fn = fn, .user = user};
    struct window window = {.buffer = malloc(FIRST_BUFFER), .capacity = FIRST_BUFFER};
    struct stat st;
    enum xl_status status = XL_OK;
    if (!window.buffer)
        status = xl_fail_nomem(err, path, FIRST_BUFFER);
    else if (fstat(fd, &st) || !S_ISREG(st.st_mode))
        status = xl_fail(err, XL_EINPUT, "%s: not a regular file", path);
    else
        status = read_lines(&reader, fd, &window, err);
    close(fd);
    free(window.buffer);
    if (!status && counts) *counts = reader.counts;
    return status;
}

bool xl_job_seed(const json_t *value, uint64_t *seed) {
    if (json_is_integer(value)) {
        json_int_t number = json_integer_value(value);
        if (number < 0) return false;
        *seed = (uint64_t)number;
        return true;
    }
    if (json_is_real(value)) {
        double number = json_real_value(value);
        if (!(number >= 0 && number < 9007199254740992.0)) return false;
        if (number != floor(number)) return false;
        *seed = (uint64_t)number;
        return true;
    }
    const char *text = json_string_value(value);
    if (!text || !*text || strspn(text, "0123456789") != strlen(text)) return false;
    errno = 0;
    unsigned long long number = strtoull(text, NULL, 10);
    if (errno) return false;
    *seed = number;
    return true;
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
