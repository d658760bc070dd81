/* filter_sql.c - filters in SQL. Names are few: they are compared here and not by SQLite. */
#include "insight/index/filter_sql.h"
#include "insight/index/columns.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void begin_condition(struct xl_str *out, bool *is_first) {
    xl_str_puts(out, *is_first ? " WHERE " : " AND ");
    *is_first = false;
}

/* --- Names ------------------------------------------------------------------------------------ */

static const char *last_part(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

enum match { NO_MATCH, PART, WHOLE };

static enum match match_name(const char *name, const char *value, bool is_path) {
    if (!strcasecmp(name, value)) return WHOLE;
    if (is_path && !strcmp(last_part(name), last_part(value))) return WHOLE;
    return strcasestr(name, value) ? PART : NO_MATCH;
}

/* Append the ids of names that are the value or, where none is, that it is a part of. */
static enum xl_status put_names(struct xl_index *index, const char *value, bool is_path,
                                struct xl_str *out, struct xl_err *err) {
    sqlite3_stmt *rows = NULL;
    struct xl_str whole = {0}, part = {0};
    enum xl_status status =
        xl_database_prepare(&index->database, "SELECT id, text FROM names", &rows, err);
    while (xl_database_row(&index->database, rows, &status, err)) {
        long long id = sqlite3_column_int64(rows, 0);
        const char *text = (const char *)sqlite3_column_text(rows, 1);
        enum match match = text ? match_name(text, value, is_path) : NO_MATCH;
        struct xl_str *to = match == WHOLE ? &whole : &part;
        if (match != NO_MATCH) xl_str_printf(to, "%s%lld", to->len ? "," : "", id);
    }
    sqlite3_finalize(rows);
    const struct xl_str *found = whole.len ? &whole : &part;
    xl_str_puts(out, found->len ? found->text : "");
    out->failed |= whole.failed || part.failed;
    xl_str_deinit(&whole);
    xl_str_deinit(&part);
    return status;
}

/* --- Columns ---------------------------------------------------------------------------------- */

static enum xl_status not_a_value(const struct xl_picture_where *where, const char *expected,
                                  struct xl_err *err) {
    return xl_fail(err, XL_EINVAL, "%s: \"%.60s\" is no value of it; expected %s", where->column,
                   where->value, expected);
}

static enum xl_status put_size(const struct xl_picture_where *where, struct xl_str *out,
                               struct xl_err *err) {
    char *end;
    long width = strtol(where->value, &end, 10);
    long height = *end == 'x' ? strtol(end + 1, &end, 10) : 0;
    if (width <= 0 || height <= 0 || *end) return not_a_value(where, "WIDTHxHEIGHT", err);
    xl_str_printf(out, "width = %ld AND height = %ld", width, height);
    return XL_OK;
}

enum order { EQUAL, ABOVE, AT_LEAST, BELOW, AT_MOST };
static const char *const order_signs[] = {"=", ">", ">=", "<", "<="};

/* A column's value against a number: one of at most two that a text says. */
struct comparison {
    enum order order;
    const char *number;
    size_t n;
};

/* "30", ">20", ">=20", "<40", "<=40", "20..40". How many they are. */
static int read_comparisons(const char *text, struct comparison out[2]) {
    const char *dots = strstr(text, "..");
    if (dots) {
        out[0] = (struct comparison){AT_LEAST, text, (size_t)(dots - text)};
        out[1] = (struct comparison){AT_MOST, dots + 2, strlen(dots + 2)};
        return 2;
    }
    bool is_above = text[0] == '>', is_below = text[0] == '<';
    bool is_or_equal = (is_above || is_below) && text[1] == '=';
    text += (is_above || is_below) + is_or_equal;
    out[0] = (struct comparison){is_above   ? is_or_equal ? AT_LEAST : ABOVE
                                 : is_below ? is_or_equal ? AT_MOST : BELOW
                                            : EQUAL,
                                 text, strlen(text)};
    return 1;
}

/* Real numbers that were written and read again are the same to a billionth. */
static bool put_real(const char *column, enum order order, const char *digits, struct xl_str *out) {
    static const char *const forms[] = {
        [EQUAL] = "abs(%s - (%s)) < 1e-9",  [ABOVE] = "(%s - (%s)) > 1e-9",
        [AT_LEAST] = "(%s - (%s)) > -1e-9", [BELOW] = "(%s - (%s)) < -1e-9",
        [AT_MOST] = "(%s - (%s)) < 1e-9",
    };
    char *end, number[XL_REAL_MAX];
    double value = strtod(digits, &end);
    if (digits[strspn(digits, "0123456789.-+eE")] || end == digits || *end || !isfinite(value))
        return false;
    xl_real_text(value, number);
    xl_str_printf(out, forms[order], column, number);
    return true;
}

/* Seeds have no sign; SQLite's numbers have one: those with it come last. */
static bool put_whole(const struct xl_column *column, enum order order, const char *digits,
                      struct xl_str *out) {
    char *end;
    errno = 0;
    unsigned long long value = strtoull(digits, &end, 10);
    bool is_seed = column->type == XL_COLUMN_SEED;
    if (digits[strspn(digits, "0123456789")] || end == digits || errno) return false;
    if (!is_seed && value > INT64_MAX) return false;
    if (is_seed && order != EQUAL)
        xl_str_printf(out, "(%s < 0, %s) %s (%d, %lld)", column->name, column->name,
                      order_signs[order], value > INT64_MAX, (long long)value);
    else
        xl_str_printf(out, "%s %s %lld", column->name, order_signs[order], (long long)value);
    return true;
}

static enum xl_status put_number(const struct xl_column *column,
                                 const struct xl_picture_where *where, struct xl_str *out,
                                 struct xl_err *err) {
    struct comparison comparisons[2];
    int n = read_comparisons(where->value, comparisons);
    bool is_real = column->type == XL_COLUMN_REAL;
    for (int i = 0; i < n; i++) {
        const struct comparison *one = &comparisons[i];
        char digits[64];
        bool is_fine = one->n && one->n < sizeof digits;
        snprintf(digits, sizeof digits, "%.*s", (int)one->n, one->number);
        if (i) xl_str_puts(out, " AND ");
        if (is_fine)
            is_fine = is_real ? put_real(column->name, one->order, digits, out)
                              : put_whole(column, one->order, digits, out);
        if (is_fine) continue;
        return not_a_value(where,
                           is_real ? "a number, >5, >=5, <5, <=5 or 5..7.5"
                                   : "a whole number, >20, >=20, <20, <=20 or 20..40",
                           err);
    }
    return XL_OK;
}

static bool is_number(const struct xl_column *column) {
    return column->type == XL_COLUMN_INT || column->type == XL_COLUMN_REAL ||
           column->type == XL_COLUMN_SEED;
}

enum xl_status xl_filter_check(const struct xl_picture_where *where, struct xl_err *err) {
    struct xl_str text = {0};
    int i = xl_column_find(where->column);
    const struct xl_column *column = i < 0 ? NULL : &xl_columns()->at[i];
    enum xl_status status = XL_OK;
    if (column && is_number(column)) status = put_number(column, where, &text, err);
    xl_str_deinit(&text);
    return status;
}

static enum xl_status put_where(struct xl_index *index, const struct xl_picture_where *where,
                                struct xl_str *out, struct xl_err *err) {
    if (!strcmp(where->column, "size")) return put_size(where, out, err);
    bool is_run = !strcmp(where->column, "run");
    int i = xl_column_find(is_run ? "run_dir" : where->column);
    if (i < 0) return xl_fail(err, XL_EINVAL, "\"%.60s\" is no column", where->column);
    const struct xl_column *column = &xl_columns()->at[i];
    if (column->type == XL_COLUMN_TEXT)
        return xl_fail(err, XL_EINVAL, "%s: pictures cannot be told by it", where->column);
    if (is_number(column)) return put_number(column, where, out, err);
    if (!strcasecmp(where->value, "none")) { /* no LoRA, the model's own VAE */
        xl_str_printf(out, "(%s IS NULL OR %s IN (", column->name, column->name);
        enum xl_status status = put_names(index, where->value, is_run, out, err);
        xl_str_puts(out, "))");
        return status;
    }
    xl_str_printf(out, "%s IN (", column->name);
    enum xl_status status = put_names(index, where->value, is_run, out, err);
    xl_str_puts(out, ")");
    return status;
}

const struct xl_filter_key *xl_filter_key_at(int i) {
    static const struct xl_filter_key keys[] = {
        {"model", "model_key"}, {"profile", "profile"},   {"scheduler", "scheduler"},
        {"lora", "lora"},       {"vae", "vae"},           {"size", "size"},
        {"steps", "steps"},     {"guidance", "guidance"}, {"seed", "seed"},
        {"run", "run"},
    };
    enum { N = sizeof keys / sizeof *keys };
    _Static_assert(N <= (int)XL_FILTER_KEYS_MAX, "whoever has one value of each has room");
    return i >= 0 && i < N ? &keys[i] : NULL;
}

static void put_having(enum xl_picture_having having, const char *what, struct xl_str *out,
                       bool *is_first) {
    if (having == XL_HAVING_OR_NOT) return;
    begin_condition(out, is_first);
    xl_str_printf(out, "pictures.id %s (SELECT picture FROM loves WHERE %s)",
                  having == XL_HAVING ? "IN" : "NOT IN", what);
}

/* Each word is one that no prompt has; pictures without a prompt have none. */
static enum xl_status put_excluded(struct xl_index *index, const char *words, struct xl_str *out,
                                   bool *is_first, struct xl_err *err) {
    enum xl_status status = XL_OK;
    while (*words && !status) {
        char word[256];
        size_t n = strcspn(words, " \t\n");
        snprintf(word, sizeof word, "%.*s", (int)n, words);
        if (n) {
            begin_condition(out, is_first);
            xl_str_puts(out, "(prompt IS NULL OR prompt NOT IN (");
            status = xl_text_search(index, word, out, err);
            xl_str_puts(out, "))");
        }
        words += n + (words[n] != 0);
    }
    return status;
}

enum xl_status xl_filter_sql(struct xl_index *index, const struct xl_picture_filter *filter,
                             struct xl_str *out, struct xl_err *err) {
    bool is_first = true;
    enum xl_status status = XL_OK;
    for (size_t i = 0; i < filter->n_where && !status; i++) {
        begin_condition(out, &is_first);
        status = put_where(index, &filter->where[i], out, err);
    }
    if (filter->since) {
        begin_condition(out, &is_first);
        xl_str_printf(out, "made_at >= %lld", (long long)filter->since);
    }
    if (filter->until) {
        begin_condition(out, &is_first);
        xl_str_printf(out, "made_at <= %lld", (long long)filter->until);
    }
    if (filter->only_loved || filter->min_rating) {
        begin_condition(out, &is_first);
        xl_str_printf(out,
                      "pictures.id IN (SELECT picture FROM loves WHERE"
                      " loved >= %d AND rating >= %d)",
                      filter->only_loved, filter->min_rating);
    }
    put_having(filter->trashed, "trashed", out, &is_first);
    put_having(filter->rejected, "rejected", out, &is_first);
    put_having(filter->judged, "(loved OR rating OR rejected)", out, &is_first);
    if (!status && filter->text && filter->text[0]) {
        begin_condition(out, &is_first);
        xl_str_puts(out, "prompt IN (");
        status = xl_text_search(index, filter->text, out, err);
        xl_str_puts(out, ")");
    }
    if (!status && filter->exclude)
        status = put_excluded(index, filter->exclude, out, &is_first, err);
    if (!status && out->failed) status = xl_fail_nomem(err, "a query", 0);
    return status;
}
