/* filter_sql.c - filters in SQL. Names are few: they are compared here and not by SQLite. */
#include "insight/index/filter_sql.h"
#include "insight/index/columns.h"

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

static enum xl_status put_number(const struct xl_column *column,
                                 const struct xl_picture_where *where, struct xl_str *out,
                                 struct xl_err *err) {
    char *end, number[XL_REAL_MAX];
    if (column->type == XL_COLUMN_REAL) {
        double value = strtod(where->value, &end);
        if (end == where->value || *end) return not_a_value(where, "a number", err);
        xl_real_text(value, number);
        xl_str_printf(out, "abs(%s - %s) < 1e-9", column->name, number);
        return XL_OK;
    }
    unsigned long long value = strtoull(where->value, &end, 10);
    if (end == where->value || *end || where->value[0] == '-')
        return not_a_value(where, "a whole number", err);
    xl_str_printf(out, "%s = %lld", column->name, (long long)value);
    return XL_OK;
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
    if (column->type != XL_COLUMN_NAME) return put_number(column, where, out, err);
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
    if (!status && out->failed) status = xl_fail_nomem(err, "a query", 0);
    return status;
}
