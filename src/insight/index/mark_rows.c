/* mark_rows.c - the tables marks, duels and named. Keeps no state. */
#include "insight/index/mark_rows.h"
#include "base/moment.h"
#include "insight/index/picture_find.h"

#include <stdlib.h>
#include <string.h>

/* --- Folders ---------------------------------------------------------------------------------- */

void xl_folder_list_free(struct xl_folder_list *list) {
    for (int i = 0; i < list->n; i++) free(list->paths[i]);
    free(list->paths);
    *list = (struct xl_folder_list){0};
}

static enum xl_status load_named(struct xl_database *database, struct xl_folder_list *named,
                                 struct xl_err *err) {
    sqlite3_stmt *rows = NULL;
    enum xl_status status =
        xl_database_prepare(database, "SELECT path FROM named ORDER BY path", &rows, err);
    while (xl_database_row(database, rows, &status, err)) {
        char **larger = realloc(named->paths, (size_t)(named->n + 1) * sizeof *larger);
        char *path = strdup((const char *)sqlite3_column_text(rows, 0));
        if (larger) named->paths = larger;
        if (larger && path)
            named->paths[named->n++] = path;
        else
            free(path);
        if (!larger || !path) status = xl_fail_nomem(err, "a path", 0);
    }
    sqlite3_finalize(rows);
    return status;
}

static enum xl_status store_named(struct xl_database *database, const struct xl_mark_view *view,
                                  bool *has_changed, struct xl_err *err) {
    int64_t n_before = 0, n_same = 0;
    sqlite3_stmt *put = NULL;
    enum xl_status status =
        xl_database_number(database, "SELECT count(*) FROM named", 0, &n_before, err);
    if (!status)
        status = xl_database_run(database,
                                 "CREATE TEMP TABLE IF NOT EXISTS was(path TEXT PRIMARY KEY);"
                                 "DELETE FROM temp.was; INSERT INTO was SELECT path FROM named;"
                                 "DELETE FROM named",
                                 err);
    if (!status) status = xl_database_prepare(database, "INSERT INTO named VALUES(?)", &put, err);
    for (int i = 0; i < view->n_folders && !status; i++) {
        sqlite3_bind_text(put, 1, view->folders[i], -1, SQLITE_STATIC);
        status = xl_database_step(database, put, err);
    }
    sqlite3_finalize(put);
    if (!status)
        status = xl_database_number(
            database, "SELECT count(*) FROM named WHERE path IN (SELECT path FROM temp.was)", 0,
            &n_same, err);
    *has_changed = n_same != n_before || n_same != view->n_folders;
    /* Which pictures came from which named folder is not kept: all of them are looked at again. */
    if (!status && n_same != n_before)
        status = xl_database_run(
            database,
            "DELETE FROM pictures WHERE log IS NULL AND id IN (SELECT picture FROM looked WHERE"
            " folder IN (SELECT id FROM folders WHERE is_named));"
            "DELETE FROM looked WHERE folder IN (SELECT id FROM folders WHERE is_named);"
            "DELETE FROM folders WHERE is_named",
            err);
    return status;
}

/* --- Marks ------------------------------------------------------------------------------------ */

static void bind_text(sqlite3_stmt *put, int at, const char *text) {
    if (text)
        sqlite3_bind_text(put, at, text, -1, SQLITE_STATIC);
    else
        sqlite3_bind_null(put, at);
}

static enum xl_status store_marks(struct xl_database *database, const struct xl_mark_view *view,
                                  struct xl_err *err) {
    sqlite3_stmt *put = NULL;
    enum xl_status status = xl_database_prepare(
        database, "INSERT INTO marks VALUES(?, NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?)", &put, err);
    for (int i = 0; i < view->n_marks && !status; i++) {
        const struct xl_mark *mark = &view->marks[i];
        sqlite3_bind_int64(put, 1, i + 1);
        bind_text(put, 2, mark->picture.path);
        bind_text(put, 3, mark->picture.sha256);
        bind_text(put, 4, mark->picture.cell);
        sqlite3_bind_int64(put, 5, mark->picture.bytes);
        sqlite3_bind_int64(put, 6, mark->is_loved);
        sqlite3_bind_int64(put, 7, mark->rating);
        sqlite3_bind_int64(put, 8, mark->marked_at);
        sqlite3_bind_int64(put, 9, mark->is_rejected);
        sqlite3_bind_int64(put, 10, mark->is_trashed);
        status = xl_database_step(database, put, err);
    }
    sqlite3_finalize(put);
    put = NULL;
    if (!status)
        status = xl_database_prepare(database, "INSERT INTO duels VALUES(?, ?, ?)", &put, err);
    for (int i = 0; i < view->n_duels && !status; i++) {
        sqlite3_bind_int64(put, 1, i + 1);
        sqlite3_bind_int64(put, 2, view->duels[i].winner + 1);
        sqlite3_bind_int64(put, 3, view->duels[i].loser + 1);
        status = xl_database_step(database, put, err);
    }
    sqlite3_finalize(put);
    return status;
}

static enum xl_status stored_fingerprint(struct xl_database *database, int64_t *out,
                                         struct xl_err *err) {
    *out = 0;
    return xl_database_number(database, "SELECT value FROM meta WHERE key = 'marks'", 0, out, err);
}

enum xl_status xl_mark_rows_differ(struct xl_database *database, const char *output_dir,
                                   bool *differ, struct xl_err *err) {
    int64_t stored;
    enum xl_status status = stored_fingerprint(database, &stored, err);
    *differ = stored != xl_marks_fingerprint(output_dir);
    return status;
}

enum xl_status xl_mark_rows_read(struct xl_database *database, const char *output_dir,
                                 struct xl_folder_list *named, struct xl_err *err) {
    struct xl_mark_list *list = NULL;
    sqlite3_stmt *put = NULL;
    bool differ = true;
    int64_t now = xl_marks_fingerprint(output_dir);
    enum xl_status status = xl_mark_rows_differ(database, output_dir, &differ, err);
    if (status || !differ) return status ? status : load_named(database, named, err);
    status = xl_marks_read(output_dir, &list, err);
    if (status) return status;
    const struct xl_mark_view view = xl_marks_view(list);
    status = xl_database_run(database, "DELETE FROM marks; DELETE FROM duels", err);
    if (!status) status = store_marks(database, &view, err);
    if (!status) status = store_named(database, &view, &named->has_changed, err);
    if (!status)
        status = xl_database_prepare(database, "INSERT OR REPLACE INTO meta VALUES('marks', ?)",
                                     &put, err);
    if (!status) {
        sqlite3_bind_int64(put, 1, now);
        status = xl_database_step(database, put, err);
    }
    sqlite3_finalize(put);
    xl_marks_free(list);
    return status ? status : load_named(database, named, err);
}

enum xl_status xl_mark_rows_join(struct xl_database *database, const char *output_dir,
                                 struct xl_err *err) {
    struct xl_picture_find find;
    sqlite3_stmt *rows = NULL, *put = NULL;
    enum xl_status status = xl_picture_find_prepare(&find, database, output_dir, err);
    if (!status)
        status = xl_database_prepare(database,
                                     "SELECT id, path, sha256, cell, bytes FROM marks WHERE picture"
                                     " IS NULL OR picture NOT IN (SELECT id FROM pictures)",
                                     &rows, err);
    if (!status)
        status =
            xl_database_prepare(database, "UPDATE marks SET picture = ? WHERE id = ?", &put, err);
    while (xl_database_row(database, rows, &status, err)) {
        const struct xl_marked marked = {.path = (const char *)sqlite3_column_text(rows, 1),
                                         .sha256 = (const char *)sqlite3_column_text(rows, 2),
                                         .cell = (const char *)sqlite3_column_text(rows, 3),
                                         .bytes = sqlite3_column_int64(rows, 4)};
        int64_t picture;
        status = xl_picture_find(&find, &marked, &picture, err);
        if (status) break;
        if (picture)
            sqlite3_bind_int64(put, 1, picture);
        else
            sqlite3_bind_null(put, 1);
        sqlite3_bind_int64(put, 2, sqlite3_column_int64(rows, 0));
        status = xl_database_step(database, put, err);
    }
    sqlite3_finalize(rows);
    sqlite3_finalize(put);
    xl_picture_find_deinit(&find);
    if (status) return status;
    return xl_database_run(database,
                           "DELETE FROM loves; INSERT INTO loves SELECT picture, max(loved),"
                           " max(rating), max(rejected), max(trashed) FROM marks WHERE picture IS "
                           "NOT NULL GROUP BY picture",
                           err);
}
