/* picture_order.c - ids and sizes of all pictures of a filter, and a picture by its cell. */
#include "insight/index/filter_sql.h"
#include "insight/index/pictures.h"
#include "insight/index/rows.h"

#include <stdlib.h>
#include <string.h>

static enum xl_status put_query(struct xl_index *index, const struct xl_picture_filter *filter,
                                struct xl_str *out, struct xl_err *err) {
    static const char *const orders[] = {
        [XL_NEWEST_FIRST] = " ORDER BY made_at DESC, path_key DESC",
        [XL_OLDEST_FIRST] = " ORDER BY made_at, path_key",
        [XL_BEST_FIRST] = " ORDER BY rating DESC, made_at DESC, path_key DESC",
    };
    bool by_rating = filter->sort == XL_BEST_FIRST;
    xl_str_printf(out, "SELECT pictures.id, width, height FROM pictures%s",
                  by_rating ? " JOIN loves ON loves.picture = pictures.id" : "");
    enum xl_status status = xl_filter_sql(index, filter, out, err);
    xl_str_puts(out, orders[filter->sort]);
    return !status && out->failed ? xl_fail_nomem(err, "a query", 0) : status;
}

static enum xl_status read_rows(struct xl_index *index, sqlite3_stmt *rows,
                                struct xl_picture_order *out, struct xl_err *err) {
    size_t capacity = 0;
    enum xl_status status = XL_OK;
    while (xl_database_row(&index->database, rows, &status, err)) {
        if (out->n == capacity) {
            capacity = capacity ? 2 * capacity : 1024;
            struct xl_picture_short *larger = realloc(out->at, capacity * sizeof *larger);
            if (!larger) return xl_fail_nomem(err, "pictures", capacity * sizeof *larger);
            out->at = larger;
        }
        out->at[out->n++] = (struct xl_picture_short){.id = sqlite3_column_int64(rows, 0),
                                                      .width = sqlite3_column_int(rows, 1),
                                                      .height = sqlite3_column_int(rows, 2)};
    }
    return status;
}

static enum xl_status try_order(struct xl_index *index, const struct xl_picture_filter *filter,
                                struct xl_picture_order *out, struct xl_err *err) {
    struct xl_picture_order order = {.n = 0};
    struct xl_str query = {0};
    sqlite3_stmt *rows = NULL;
    enum xl_status status = put_query(index, filter, &query, err);
    if (!status) status = xl_database_prepare(&index->database, query.text, &rows, err);
    if (!status) status = read_rows(index, rows, &order, err);
    sqlite3_finalize(rows);
    xl_str_deinit(&query);
    if (status)
        free(order.at);
    else
        *out = order;
    return status;
}

enum xl_status xl_pictures_order(struct xl_index *index, const struct xl_picture_filter *filter,
                                 struct xl_picture_order *out, struct xl_err *err) {
    enum xl_status status = try_order(index, filter, out, err);
    return xl_index_mended(index, status, err) ? try_order(index, filter, out, err) : status;
}

enum xl_status xl_picture_of_cell(struct xl_index *index, const char *cell, int64_t *id,
                                  struct xl_err *err) {
    unsigned char bytes[16];
    int64_t key;
    sqlite3_stmt *row = NULL;
    *id = 0;
    if (!xl_cell_key(cell, strlen(cell), &key, bytes)) return XL_OK;
    enum xl_status status = xl_database_prepare(
        &index->database,
        "SELECT id FROM pictures WHERE cell_key = ? AND cell = ? ORDER BY made_at DESC LIMIT 1",
        &row, err);
    if (status) return status;
    sqlite3_bind_int64(row, 1, key);
    sqlite3_bind_blob(row, 2, bytes, sizeof bytes, SQLITE_STATIC);
    if (xl_database_row(&index->database, row, &status, err)) *id = sqlite3_column_int64(row, 0);
    sqlite3_finalize(row);
    return status;
}
