/* loves.c - the table loves as a list. Keeps no state. */
#include "insight/index/loves.h"
#include "insight/index/index_inner.h"

#include <stdlib.h>

static enum xl_status try_read(struct xl_index *index, struct xl_love_list *out,
                               struct xl_err *err) {
    struct xl_database *database = &index->database;
    sqlite3_stmt *rows = NULL;
    size_t capacity = 0;
    *out = (struct xl_love_list){0};
    enum xl_status status = xl_database_prepare(
        database, "SELECT picture, loved, rating, rejected FROM loves ORDER BY picture", &rows,
        err);
    while (xl_database_row(database, rows, &status, err)) {
        if (out->n == capacity) {
            capacity = capacity ? 2 * capacity : 256;
            struct xl_love *larger = realloc(out->at, capacity * sizeof *larger);
            if (!larger) {
                status = xl_fail_nomem(err, "marks", capacity * sizeof *larger);
                break;
            }
            out->at = larger;
        }
        out->at[out->n++] = (struct xl_love){.picture = sqlite3_column_int64(rows, 0),
                                             .is_loved = sqlite3_column_int(rows, 1),
                                             .rating = sqlite3_column_int(rows, 2),
                                             .is_rejected = sqlite3_column_int(rows, 3)};
    }
    sqlite3_finalize(rows);
    if (status) {
        free(out->at);
        *out = (struct xl_love_list){0};
    }
    return status;
}

enum xl_status xl_loves_read(struct xl_index *index, struct xl_love_list *out, struct xl_err *err) {
    enum xl_status status = try_read(index, out, err);
    return xl_index_mended(index, status, err) ? try_read(index, out, err) : status;
}
