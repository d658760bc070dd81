/* job_parse.c - lines of a job log as JSON, a whole batch at once: parsing is most of the cost of
 * reading a log, and one line has nothing to do with the next. */
#include "lab/log/job_parse.h"
#include "base/str.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_DIGITS = 18, LINES_A_TASK = 64 };

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

/* ---- Batches ---- */

static void parse_line(struct xl_job_text *line) {
    while (line->n && strchr(" \t\r", line->text[line->n - 1]) && line->text[line->n - 1])
        line->n--;
    if (!line->n) return;
    json_error_t error;
    json_t *value = json_loadb(line->text, line->n, 0, &error);
    line->no_memory = !value && json_error_code(&error) == json_error_out_of_memory;
    if (!value && line->text[0] == '{' && line->text[line->n - 1] == '}')
        value = parse_repaired(line->text, line->n);
    if (json_is_object(value))
        line->object = value;
    else
        json_decref(value);
}

static void free_line(struct xl_job_text *line) {
    json_decref(line->object);
    line->object = NULL;
}

/* A batch and what is done to each of its lines. */
struct work {
    struct xl_job_text *lines;
    int n;
    void (*each)(struct xl_job_text *line);
};

static void do_task(void *user, int64_t task, int worker) {
    const struct work *work = user;
    (void)worker;
    int end = (int)(task + 1) * LINES_A_TASK;
    for (int i = (int)task * LINES_A_TASK; i < end && i < work->n; i++) work->each(&work->lines[i]);
}

static void do_all(struct work work, struct xl_pool *pool) {
    int n_tasks = (work.n + LINES_A_TASK - 1) / LINES_A_TASK;
    if (pool)
        xl_pool_run(pool, n_tasks, do_task, &work);
    else
        for (int i = 0; i < n_tasks; i++) do_task(&work, i, 0);
}

void xl_job_parse(struct xl_job_text *lines, int n, struct xl_pool *pool) {
    do_all((struct work){lines, n, parse_line}, pool);
}

void xl_job_parse_free(struct xl_job_text *lines, int n, struct xl_pool *pool) {
    do_all((struct work){lines, n, free_line}, pool);
}
