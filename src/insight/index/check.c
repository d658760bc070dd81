/* check.c - rows of logs against records in files. All threads read files, one compares. */
#include "insight/index/check.h"
#include "base/file.h"
#include "base/json.h"
#include "base/str.h"
#include "base/threads.h"
#include "insight/index/columns.h"
#include "insight/index/index_inner.h"
#include "insight/index/record_read.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { AT_ONCE = 64 };

struct check {
    struct xl_index *index;
    struct xl_pool *pool;
    sqlite3_stmt *rows, *row, *name, *text, *put;
    struct xl_record_file files[AT_ONCE];
    int64_t ids[AT_ONCE];
    int n;
    int64_t n_checked;
    struct xl_arena arena; /* of a picture */
};

/* --- One value -------------------------------------------------------------------------------- */

/* The text of an id; NULL: out of memory, or a failure in *status. */
static const char *text_of(struct check *check, sqlite3_stmt *by_id, int64_t id,
                           enum xl_status *status, struct xl_err *err) {
    const char *text = NULL;
    sqlite3_bind_int64(by_id, 1, id);
    if (xl_database_row(&check->index->database, by_id, status, err))
        text = xl_arena_strdup(&check->arena, (const char *)sqlite3_column_text(by_id, 0));
    sqlite3_reset(by_id);
    if (!*status && !text) *status = xl_fail_nomem(err, "a text", 0);
    return text;
}

/* A number as the log has it, and as the record has it; true: they are the same. */
static bool same_number(const struct xl_column *column, sqlite3_stmt *row, int at,
                        const struct xl_log_line_value *value, char log[XL_REAL_MAX],
                        char record[XL_REAL_MAX]) {
    int64_t integer = sqlite3_column_int64(row, at);
    double real = sqlite3_column_double(row, at);
    switch (column->type) {
    case XL_COLUMN_REAL:
        xl_real_text(real, log);
        xl_real_text(value->is.real, record);
        return fabs(real - value->is.real) <= 1e-9 * fmax(1, fabs(real));
    case XL_COLUMN_SEED:
        snprintf(log, XL_REAL_MAX, "%llu", (unsigned long long)integer);
        snprintf(record, XL_REAL_MAX, "%llu", (unsigned long long)value->is.seed);
        return (uint64_t)integer == value->is.seed;
    default:
        snprintf(log, XL_REAL_MAX, "%lld", (long long)integer);
        snprintf(record, XL_REAL_MAX, "%lld", (long long)value->is.integer);
        return integer == value->is.integer;
    }
}

static enum xl_status put(struct check *check, int64_t id, const char *field, const char *log,
                          const char *record, struct xl_err *err) {
    sqlite3_bind_int64(check->put, 1, id);
    sqlite3_bind_text(check->put, 2, field, -1, SQLITE_STATIC);
    sqlite3_bind_text(check->put, 3, log, -1, SQLITE_STATIC);
    sqlite3_bind_text(check->put, 4, record, -1, SQLITE_STATIC);
    return xl_database_step(&check->index->database, check->put, err);
}

/* A column of the row against the record. What only one of them says is no disagreement: logs of
 * the past said less. */
static enum xl_status compare_column(struct check *check, int64_t id, int i,
                                     const struct xl_log_line_value *value, struct xl_err *err) {
    const struct xl_column *column = &xl_columns()->at[i];
    char log_number[XL_REAL_MAX], record_number[XL_REAL_MAX];
    int at = i + 1;
    enum xl_status status = XL_OK;
    size_t n;
    if (!column->field || !value->text.n || sqlite3_column_type(check->row, at) == SQLITE_NULL)
        return XL_OK;
    if (column->type != XL_COLUMN_NAME && column->type != XL_COLUMN_TEXT)
        return same_number(column, check->row, at, value, log_number, record_number)
                   ? XL_OK
                   : put(check, id, column->name, log_number, record_number, err);
    sqlite3_stmt *by_id = column->type == XL_COLUMN_NAME ? check->name : check->text;
    const char *log = text_of(check, by_id, sqlite3_column_int64(check->row, at), &status, err);
    const char *record = status ? NULL : xl_log_line_text(value->text, &check->arena, &n);
    if (!status && !record) status = xl_fail_nomem(err, "a text", 0);
    if (status || !strcmp(log, record)) return status;
    return put(check, id, column->name, log, record, err);
}

/* --- One picture ------------------------------------------------------------------------------ */

static enum xl_status compare(struct check *check, int64_t id, const struct xl_record_file *file,
                              struct xl_err *err) {
    char cell[33] = "";
    enum xl_status status = XL_OK;
    if (file->status) {
        *err = file->err;
        return file->status;
    }
    if (!file->has_record || !file->cell) return XL_OK; /* it says nothing, or is not ours */
    check->n_checked++;
    sqlite3_bind_int64(check->row, 1, id);
    if (xl_database_row(&check->index->database, check->row, &status, err)) {
        const unsigned char *bytes = sqlite3_column_blob(check->row, 0);
        bool has_cell = bytes && sqlite3_column_bytes(check->row, 0) == 16;
        for (int i = 0; has_cell && i < 16; i++) snprintf(cell + 2 * i, 3, "%02x", bytes[i]);
        if (has_cell && strcmp(cell, file->cell) != 0)
            status = put(check, id, "cell", cell, file->cell, err);
        for (int i = 0; i < xl_columns()->n && !status; i++)
            status = compare_column(check, id, i, &file->line->value[i], err);
    }
    sqlite3_reset(check->row);
    xl_arena_deinit(&check->arena);
    return status;
}

static void read_one(void *user, int64_t task, int worker) {
    struct check *check = user;
    (void)worker;
    xl_record_file_read(&check->files[task]);
}

static enum xl_status take_files(struct check *check, struct xl_err *err) {
    struct xl_err why = {.text = ""};
    enum xl_status status = XL_OK;
    if (check->n) xl_pool_run(check->pool, check->n, read_one, check);
    for (int i = 0; i < check->n; i++) {
        if (!status) status = compare(check, check->ids[i], &check->files[i], &why);
        xl_record_file_deinit(&check->files[i]);
    }
    check->n = 0;
    if (status && err) *err = why;
    return status;
}

/* --- All of them ------------------------------------------------------------------------------ */

static enum xl_status compare_all(struct check *check, struct xl_err *err) {
    struct xl_database *database = &check->index->database;
    enum xl_status status = xl_database_run(database, "DELETE FROM disagreements", err);
    while (xl_database_row(database, check->rows, &status, err)) {
        const char *folder = (const char *)sqlite3_column_text(check->rows, 1);
        const char *name = (const char *)sqlite3_column_text(check->rows, 2);
        check->ids[check->n] = sqlite3_column_int64(check->rows, 0);
        if (!xl_record_file_init(&check->files[check->n], folder, name, 0))
            return xl_fail_nomem(err, "a path", 0);
        if (++check->n == AT_ONCE) status = take_files(check, err);
    }
    return status ? status : take_files(check, err);
}

static enum xl_status prepare(struct check *check, struct xl_err *err) {
    const struct xl_columns *columns = xl_columns();
    struct xl_str row = {0};
    xl_str_puts(&row, "SELECT cell");
    for (int i = 0; i < columns->n; i++) xl_str_printf(&row, ", pictures.%s", columns->at[i].name);
    xl_str_puts(&row, " FROM pictures WHERE id = ?");
    const struct {
        sqlite3_stmt **out;
        const char *text;
    } statements[] = {
        {&check->rows,
         "SELECT pictures.id, text, file FROM pictures JOIN names ON names.id = folder"
         " WHERE log IS NOT NULL ORDER BY pictures.id"},
        {&check->row, row.text},
        {&check->name, "SELECT text FROM names WHERE id = ?"},
        {&check->text, "SELECT text FROM texts WHERE id = ?"},
        {&check->put, "INSERT INTO disagreements VALUES(?, ?, ?, ?)"},
    };
    enum xl_status status = row.failed ? xl_fail_nomem(err, "a query", 0) : XL_OK;
    for (size_t i = 0; i < sizeof statements / sizeof *statements && !status; i++)
        status = xl_database_prepare(&check->index->database, statements[i].text, statements[i].out,
                                     err);
    xl_str_deinit(&row);
    return status;
}

/* With the lock, in a transaction. */
static enum xl_status fill(struct xl_index *index, void *user, struct xl_err *err) {
    int64_t *n_checked = user;
    struct check *check = calloc(1, sizeof *check);
    if (!check) return xl_fail_nomem(err, "a check", sizeof *check);
    check->index = index;
    enum xl_status status = xl_pool_new(index->params.threads, NULL, &check->pool, err);
    if (!status) status = prepare(check, err);
    if (!status) status = compare_all(check, err);
    for (int i = 0; i < check->n; i++) xl_record_file_deinit(&check->files[i]);
    *n_checked = check->n_checked;
    sqlite3_stmt *const all[] = {check->rows, check->row, check->name, check->text, check->put};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) sqlite3_finalize(all[i]);
    xl_pool_free(check->pool);
    xl_arena_deinit(&check->arena);
    free(check);
    return status;
}

static enum xl_status list(struct xl_index *index, json_t *array, struct xl_err *err) {
    struct xl_database *database = &index->database;
    sqlite3_stmt *rows = NULL;
    enum xl_status status = xl_database_prepare(
        database,
        "SELECT text, file, field, disagreements.log, record FROM disagreements JOIN pictures ON"
        " pictures.id = picture JOIN names ON names.id = folder ORDER BY made_at, path_key, field",
        &rows, err);
    while (xl_database_row(database, rows, &status, err)) {
        json_t *object = json_object();
        bool ok = object != NULL;
        char *path = xl_path_join((const char *)sqlite3_column_text(rows, 0),
                                  (const char *)sqlite3_column_text(rows, 1));
        static const char *const keys[] = {"field", "log", "record"};
        xl_json_put(object, "path", path ? xl_json_text(path) : NULL, &ok);
        for (int i = 0; i < 3; i++)
            xl_json_put(object, keys[i],
                        xl_json_text((const char *)sqlite3_column_text(rows, 2 + i)), &ok);
        free(path);
        ok &= !json_array_append_new(array, object);
        if (!ok) status = xl_fail_nomem(err, "disagreements", 0);
    }
    sqlite3_finalize(rows);
    return status;
}

enum xl_status xl_index_check(struct xl_index *index, json_t **out, struct xl_err *err) {
    int64_t n_checked = 0;
    xl_json_watch();
    enum xl_status status = xl_index_write(index, fill, &n_checked, err);
    json_t *array = json_array(), *document = json_object();
    bool ok = array && document;
    if (!status) status = list(index, array, err);
    xl_json_put(document, "checked", json_integer(n_checked), &ok);
    xl_json_put(document, "disagreements", array, &ok);
    document = xl_json_finish(document, ok);
    if (!status && !document) status = xl_fail_nomem(err, "disagreements", 0);
    if (status)
        json_decref(document);
    else
        *out = document;
    return status;
}
