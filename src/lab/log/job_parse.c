/* job_parse.c - lines of a job log as JSON, a whole batch at once: parsing is most of the cost of
 * reading a log, and one line has nothing to do with the next. */
#include "lab/log/job_parse.h"
#include "base/json_scan.h"
#include "base/str.h"

#include <stdlib.h>
#include <string.h>

enum { LINES_A_TASK = 64 };

/* ---- What Python writes and JSON does not have ---- */

/* Copy a string. Halves of surrogate pairs, NUL and what is no UTF-8 become U+FFFD. */
static void repair_string(struct xl_str *out, struct xl_span string) {
    for (size_t i = 0; i < string.n;) {
        int32_t code;
        size_t n = xl_json_char(string.at + i, string.n - i, &code);
        if (code == 0 || code == XL_JSON_NO_UTF8 || code == XL_JSON_HALF_PAIR)
            xl_str_puts(out, XL_REPLACEMENT);
        else
            xl_str_append(out, string.at + i, n);
        i += n;
    }
}

/* Copy a token. A word for a number that JSON has not becomes null, one of more digits than fit
 * becomes a string. */
static void repair_token(struct xl_str *out, struct xl_span token) {
    enum xl_json_word word = *token.at == '"' ? XL_WORD_PLAIN : xl_json_word(token);
    const char *quote = word == XL_WORD_LARGE ? "\"" : "";
    xl_str_puts(out, quote);
    if (*token.at == '"')
        repair_string(out, token);
    else if (word == XL_WORD_NAN || word == XL_WORD_INFINITE)
        xl_str_puts(out, "null");
    else
        xl_str_append(out, token.at, token.n);
    xl_str_puts(out, quote);
    xl_str_puts(out, " "); /* what was apart stays apart */
}

static json_t *parse_repaired(const char *text, size_t n) {
    struct xl_str out = {0};
    struct xl_scan scan = xl_scan_text("", text, n);
    struct xl_span token;
    while ((token = xl_scan_token(&scan)).n) repair_token(&out, token);
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
