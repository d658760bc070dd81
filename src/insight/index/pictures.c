/* pictures.c - rows of the index as JSON. Ids of texts are looked up as they are needed. */
#include "insight/index/pictures.h"
#include "base/file.h"
#include "base/json.h"
#include "base/moment.h"
#include "insight/index/columns.h"
#include "insight/index/filter_sql.h"
#include "insight/index/picture_find.h"
#include "lab/log/job_parse.h"
#include "lab/past/past.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- A row ------------------------------------------------------------------------------------ */

/* What a query for rows selects, in this order: these, then every column. */
enum {
    AT_ID,
    AT_MADE,
    AT_FOLDER,
    AT_FILE,
    AT_CELL,
    AT_LOVED,
    AT_RATING,
    AT_REJECTED,
    AT_TRASHED,
    AT_KEY,
    AT_LOG,
    AT_LINE,
    AT_COLUMNS
};

struct reader {
    struct xl_index *index;
    sqlite3_stmt *rows, *name, *text;
};

static void put_select(struct xl_str *out, const char *join) {
    const struct xl_columns *columns = xl_columns();
    xl_str_puts(out, "SELECT pictures.id, made_at, folder, file, pictures.cell,"
                     " ifnull(loved, 0), ifnull(rating, 0), ifnull(rejected, 0),"
                     " ifnull(trashed, 0), path_key, log, line");
    for (int i = 0; i < columns->n; i++) xl_str_printf(out, ", pictures.%s", columns->at[i].name);
    xl_str_printf(out, " FROM pictures %s loves ON loves.picture = pictures.id", join);
}

static enum xl_status prepare(struct reader *reader, struct xl_index *index, const char *query,
                              struct xl_err *err) {
    *reader = (struct reader){.index = index};
    struct xl_database *database = &index->database;
    enum xl_status status = xl_database_prepare(database, query, &reader->rows, err);
    if (!status)
        status = xl_database_prepare(database, "SELECT text FROM names WHERE id = ?", &reader->name,
                                     err);
    if (!status)
        status = xl_database_prepare(database, "SELECT text FROM texts WHERE id = ?", &reader->text,
                                     err);
    return status;
}

static void deinit(struct reader *reader) {
    sqlite3_finalize(reader->rows);
    sqlite3_finalize(reader->name);
    sqlite3_finalize(reader->text);
}

/* The text of an id as JSON. */
static json_t *look_up(struct reader *reader, sqlite3_stmt *by_id, int64_t id,
                       enum xl_status *status, struct xl_err *err) {
    json_t *value = NULL;
    sqlite3_bind_int64(by_id, 1, id);
    if (xl_database_row(&reader->index->database, by_id, status, err))
        value = xl_json_text((const char *)sqlite3_column_text(by_id, 0));
    sqlite3_reset(by_id);
    return value ? value : json_null();
}

static json_t *column_value(struct reader *reader, int i, enum xl_status *status,
                            struct xl_err *err) {
    sqlite3_stmt *rows = reader->rows;
    int at = AT_COLUMNS + i;
    switch (xl_columns()->at[i].type) {
    case XL_COLUMN_NAME:
        return look_up(reader, reader->name, sqlite3_column_int64(rows, at), status, err);
    case XL_COLUMN_TEXT:
        return look_up(reader, reader->text, sqlite3_column_int64(rows, at), status, err);
    case XL_COLUMN_INT:
        return json_integer(sqlite3_column_int64(rows, at));
    case XL_COLUMN_REAL:
        return json_real(sqlite3_column_double(rows, at));
    case XL_COLUMN_SEED:
        return xl_json_seed((uint64_t)sqlite3_column_int64(rows, at));
    }
    return NULL;
}

static json_t *path_of(struct reader *reader, enum xl_status *status, struct xl_err *err) {
    json_t *folder =
        look_up(reader, reader->name, sqlite3_column_int64(reader->rows, AT_FOLDER), status, err);
    const char *text = json_string_value(folder);
    char *path =
        xl_path_join(text ? text : "", (const char *)sqlite3_column_text(reader->rows, AT_FILE));
    json_t *value = path ? xl_json_text(path) : NULL;
    free(path);
    json_decref(folder);
    return value;
}

static void put_cell(json_t *object, sqlite3_stmt *rows, bool *ok) {
    char id[33] = "";
    const unsigned char *bytes = sqlite3_column_blob(rows, AT_CELL);
    if (!bytes || sqlite3_column_bytes(rows, AT_CELL) != 16) return;
    for (int i = 0; i < 16; i++) snprintf(id + 2 * i, 3, "%02x", bytes[i]);
    xl_json_put(object, "cell", json_string(id), ok);
}

/* The row that the reader is at. */
static enum xl_status row_object(struct reader *reader, json_t **out, struct xl_err *err) {
    const struct xl_columns *columns = xl_columns();
    sqlite3_stmt *rows = reader->rows;
    char made[32];
    enum xl_status status = XL_OK;
    xl_json_watch();
    json_t *object = json_object();
    bool ok = object != NULL;
    xl_json_put(object, "id", json_integer(sqlite3_column_int64(rows, AT_ID)), &ok);
    xl_json_put(object, "path", path_of(reader, &status, err), &ok);
    int64_t moment = sqlite3_column_int64(rows, AT_MADE);
    xl_moment_write(moment, made);
    if (moment) xl_json_put(object, "made_at", json_string(made), &ok);
    put_cell(object, rows, &ok);
    xl_json_put(object, "loved", json_boolean(sqlite3_column_int(rows, AT_LOVED)), &ok);
    xl_json_put(object, "rating", json_integer(sqlite3_column_int(rows, AT_RATING)), &ok);
    if (sqlite3_column_int(rows, AT_REJECTED)) xl_json_put(object, "rejected", json_true(), &ok);
    if (sqlite3_column_int(rows, AT_TRASHED)) xl_json_put(object, "trashed", json_true(), &ok);
    for (int i = 0; i < columns->n && !status; i++)
        if (sqlite3_column_type(rows, AT_COLUMNS + i) != SQLITE_NULL)
            xl_json_put(object, columns->at[i].name, column_value(reader, i, &status, err), &ok);
    object = xl_json_finish(object, ok);
    if (!status && !object) status = xl_fail_nomem(err, "a picture of the index", 0);
    if (status)
        json_decref(object);
    else
        *out = object;
    return status;
}

/* --- Pages ------------------------------------------------------------------------------------ */

/* Where a page ended: RATING.MADE_AT.PATH_KEY. */
struct place {
    long long rating, made_at, key;
};

static enum xl_status read_place(const char *text, struct place *out, struct xl_err *err) {
    int n = 0;
    if (sscanf(text, "%lld.%lld.%lld%n", &out->rating, &out->made_at, &out->key, &n) == 3 &&
        !text[n])
        return XL_OK;
    return xl_fail(err, XL_EINVAL, "\"%.60s\" is where no page ended; take \"next\" of a page",
                   text);
}

static enum xl_status put_query(struct xl_index *index, const struct xl_picture_filter *filter,
                                int n, const char *after, struct xl_str *out, struct xl_err *err) {
    static const char *const orders[] = {
        [XL_NEWEST_FIRST] = " ORDER BY made_at DESC, path_key DESC",
        [XL_OLDEST_FIRST] = " ORDER BY made_at, path_key",
        [XL_BEST_FIRST] = " ORDER BY rating DESC, made_at DESC, path_key DESC",
    };
    struct place place;
    put_select(out, filter->sort == XL_BEST_FIRST ? "JOIN" : "LEFT JOIN");
    size_t before = out->len;
    enum xl_status status = xl_filter_sql(index, filter, out, err);
    if (!status && after) status = read_place(after, &place, err);
    if (!status && after) {
        xl_str_puts(out, out->len > before ? " AND " : " WHERE ");
        if (filter->sort == XL_BEST_FIRST)
            xl_str_printf(out, "(rating, made_at, path_key) < (%lld, %lld, %lld)", place.rating,
                          place.made_at, place.key);
        else
            xl_str_printf(out, "(made_at, path_key) %c (%lld, %lld)",
                          filter->sort == XL_OLDEST_FIRST ? '>' : '<', place.made_at, place.key);
    }
    xl_str_printf(out, "%s LIMIT %d", orders[filter->sort], n + 1);
    return !status && out->failed ? xl_fail_nomem(err, "a query", 0) : status;
}

static enum xl_status read_page(struct reader *reader, int n, json_t *list, char *next, size_t size,
                                struct xl_err *err) {
    struct place place = {0};
    enum xl_status status = XL_OK;
    while (xl_database_row(&reader->index->database, reader->rows, &status, err)) {
        if ((int)json_array_size(list) == n) {
            snprintf(next, size, "%lld.%lld.%lld", place.rating, place.made_at, place.key);
            break;
        }
        json_t *object = NULL;
        place = (struct place){sqlite3_column_int64(reader->rows, AT_RATING),
                               sqlite3_column_int64(reader->rows, AT_MADE),
                               sqlite3_column_int64(reader->rows, AT_KEY)};
        status = row_object(reader, &object, err);
        if (!status && json_array_append_new(list, object))
            status = xl_fail_nomem(err, "a page of pictures", 0);
    }
    return status;
}

static enum xl_status try_page(struct xl_index *index, const struct xl_picture_filter *filter,
                               int n, const char *after, json_t **out, struct xl_err *err) {
    struct reader reader = {.index = index};
    struct xl_str query = {0};
    char next[80] = "";
    json_t *list = json_array(), *page = json_object();
    bool ok = list && page;
    enum xl_status status = put_query(index, filter, n, after, &query, err);
    if (!status) status = prepare(&reader, index, query.text, err);
    if (!status) status = read_page(&reader, n, list, next, sizeof next, err);
    deinit(&reader);
    xl_str_deinit(&query);
    xl_json_put(page, "pictures", list, &ok);
    xl_json_put(page, "next", next[0] ? json_string(next) : json_null(), &ok);
    page = xl_json_finish(page, ok);
    if (!status && !page) status = xl_fail_nomem(err, "a page of pictures", 0);
    if (status)
        json_decref(page);
    else
        *out = page;
    return status;
}

enum xl_status xl_pictures_page(struct xl_index *index, const struct xl_picture_filter *filter,
                                int n, const char *after, json_t **out, struct xl_err *err) {
    enum xl_status status = try_page(index, filter, n, after, out, err);
    return xl_index_mended(index, status, err) ? try_page(index, filter, n, after, out, err)
                                               : status;
}

/* --- One picture ------------------------------------------------------------------------------ */

/* A line of a log; NULL: it is not there any more. */
static json_t *read_log_line(const char *path, int64_t offset) {
    enum { MOST = 16 << 20 };
    size_t capacity = 64 << 10, n = 0;
    char *text = NULL, *newline = NULL;
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    for (ssize_t got = fd < 0 ? 0 : 1; got > 0 && !newline && capacity <= MOST; capacity *= 2) {
        char *larger = realloc(text, capacity);
        if (!larger) break;
        text = larger;
        got = pread(fd, text + n, capacity - n, offset + (int64_t)n);
        newline = got > 0 ? memchr(text + n, '\n', (size_t)got) : NULL;
        if (got > 0) n += (size_t)got;
    }
    if (fd >= 0) close(fd);
    struct xl_job_text line = {.text = text, .n = newline ? (size_t)(newline - text) : n};
    if (text) xl_job_parse(&line, 1, NULL);
    json_t *object = json_incref(line.object);
    xl_job_parse_free(&line, 1, NULL);
    free(text);
    return object;
}

static json_t *read_record(const char *path) {
    struct xl_past past = {.n = 0};
    json_t *record = NULL;
    if (path && !xl_past_load(&past, path, NULL))
        record = json_incref(past.record ? past.record : past.raw);
    xl_past_deinit(&past);
    return record;
}

static enum xl_status put_record(struct reader *reader, json_t *object, struct xl_err *err) {
    struct xl_database *database = &reader->index->database;
    sqlite3_stmt *log = NULL;
    json_t *record = NULL;
    bool ok = true, has_log = sqlite3_column_type(reader->rows, AT_LOG) != SQLITE_NULL;
    enum xl_status status =
        xl_database_prepare(database, "SELECT path FROM logs WHERE id = ?", &log, err);
    if (status) return status;
    sqlite3_bind_int64(log, 1, sqlite3_column_int64(reader->rows, AT_LOG));
    if (!has_log)
        record = read_record(json_string_value(json_object_get(object, "path")));
    else if (xl_database_row(database, log, &status, err))
        record = read_log_line((const char *)sqlite3_column_text(log, 0),
                               sqlite3_column_int64(reader->rows, AT_LINE));
    sqlite3_finalize(log);
    xl_json_put(object, "record", record ? record : json_null(), &ok);
    return status || ok ? status : xl_fail_nomem(err, "a record", 0);
}

static enum xl_status put_marked_at(struct xl_index *index, int64_t id, json_t *object,
                                    struct xl_err *err) {
    int64_t at = 0;
    char text[32];
    bool ok = true;
    enum xl_status status = xl_database_number(
        &index->database, "SELECT max(marked_at) FROM marks WHERE picture = ?", id, &at, err);
    if (status || !at) return status;
    xl_moment_write(at, text);
    xl_json_put(object, "marked_at", json_string(text), &ok);
    return ok ? XL_OK : xl_fail_nomem(err, "a picture of the index", 0);
}

static enum xl_status try_get(struct xl_index *index, int64_t id, json_t **out,
                              struct xl_err *err) {
    struct reader reader = {.index = index};
    struct xl_str query = {0};
    json_t *object = NULL;
    put_select(&query, "LEFT JOIN");
    xl_str_puts(&query, " WHERE pictures.id = ?");
    enum xl_status status = query.failed ? xl_fail_nomem(err, "a query", 0)
                                         : prepare(&reader, index, query.text, err);
    xl_str_deinit(&query);
    if (!status) sqlite3_bind_int64(reader.rows, 1, id);
    if (xl_database_row(&index->database, reader.rows, &status, err)) {
        status = row_object(&reader, &object, err);
        if (!status) status = put_marked_at(index, id, object, err);
        if (!status) status = put_record(&reader, object, err);
    } else if (!status) {
        status = xl_fail(err, XL_EINPUT, "the index has no picture %lld", (long long)id);
    }
    deinit(&reader);
    if (status)
        json_decref(object);
    else
        *out = object;
    return status;
}

enum xl_status xl_picture_get(struct xl_index *index, int64_t id, json_t **out,
                              struct xl_err *err) {
    enum xl_status status = try_get(index, id, out, err);
    return xl_index_mended(index, status, err) ? try_get(index, id, out, err) : status;
}

enum xl_status xl_picture_of_mark(struct xl_index *index, const struct xl_marked *mark, int64_t *id,
                                  struct xl_err *err) {
    struct xl_picture_find find;
    enum xl_status status =
        xl_picture_find_prepare(&find, &index->database, index->output_dir, err);
    if (!status) status = xl_picture_find(&find, mark, id, err);
    xl_picture_find_deinit(&find);
    return status;
}

enum xl_status xl_picture_of_file(struct xl_index *index, const char *path, int64_t *id,
                                  struct xl_err *err) {
    struct xl_mark_file file;
    enum xl_status status = xl_mark_file_read(path, &file, err);
    return status ? status : xl_picture_of_mark(index, &file.is, id, err);
}
