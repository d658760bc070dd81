/* picture_find.c - by path, by cell, by content. Files are read only where nothing else tells two
 * candidates apart; what was found then is kept.
 */
#include "insight/index/picture_find.h"
#include "base/file.h"
#include "insight/index/folders_of_paths.h"
#include "insight/index/rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PLACE "SELECT pictures.id, text, file, cell FROM pictures JOIN names ON names.id = folder"

enum xl_status xl_picture_find_prepare(struct xl_picture_find *find, struct xl_database *database,
                                       const char *output_dir, struct xl_err *err) {
    const struct {
        sqlite3_stmt **out;
        const char *text;
    } rows[] = {
        {&find->by_path, PLACE " WHERE path_key = ? ORDER BY pictures.id"},
        {&find->by_cell, PLACE " WHERE cell_key = ? ORDER BY path_key"},
        {&find->by_size, "SELECT pictures.id, text, file, cell FROM digests JOIN pictures ON"
                         " pictures.id = picture JOIN names ON names.id = folder"
                         " WHERE bytes = ? ORDER BY path_key"},
        {&find->put_digest, "INSERT OR REPLACE INTO digests VALUES(?, ?, ?, ?)"},
        {&find->get_digest, "SELECT bytes, changed, sha256 FROM digests WHERE picture = ?"},
    };
    enum xl_status status = XL_OK;
    *find = (struct xl_picture_find){.database = database, .output_dir = output_dir};
    for (size_t i = 0; i < sizeof rows / sizeof *rows && !status; i++)
        status = xl_database_prepare(database, rows[i].text, rows[i].out, err);
    return status;
}

void xl_picture_find_deinit(struct xl_picture_find *find) {
    sqlite3_stmt *const all[] = {find->by_path, find->by_cell, find->by_size, find->put_digest,
                                 find->get_digest};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) sqlite3_finalize(all[i]);
}

/* --- Digests ---------------------------------------------------------------------------------- */

static enum xl_status put_digest(struct xl_picture_find *find, int64_t id, const struct stat *st,
                                 const char *sha256, struct xl_err *err) {
    sqlite3_stmt *put = find->put_digest;
    sqlite3_bind_int64(put, 1, id);
    sqlite3_bind_int64(put, 2, st ? (int64_t)st->st_size : -1);
    sqlite3_bind_int64(put, 3, st ? (int64_t)st->st_mtim.tv_sec : 0);
    sqlite3_bind_text(put, 4, sha256, -1, SQLITE_STATIC);
    return xl_database_step(find->database, put, err);
}

/* Whether the file of a row has these bytes. */
static enum xl_status has_content(struct xl_picture_find *find, int64_t id, const char *path,
                                  const struct xl_marked *wanted, bool *has, struct xl_err *err) {
    struct stat st;
    char sha256[XL_SHA256_HEX] = "";
    enum xl_status status = XL_OK;
    *has = false;
    if (stat(path, &st) || (wanted->bytes && st.st_size != wanted->bytes)) return XL_OK;
    sqlite3_bind_int64(find->get_digest, 1, id);
    if (xl_database_row(find->database, find->get_digest, &status, err) &&
        sqlite3_column_int64(find->get_digest, 0) == st.st_size &&
        sqlite3_column_int64(find->get_digest, 1) == st.st_mtim.tv_sec) {
        const char *known = (const char *)sqlite3_column_text(find->get_digest, 2);
        if (known) snprintf(sha256, sizeof sha256, "%s", known);
    }
    sqlite3_reset(find->get_digest);
    if (status) return status;
    if (!sha256[0]) {
        if (xl_sha256_file(path, sha256, NULL)) return XL_OK;
        status = put_digest(find, id, &st, sha256, err);
    }
    *has = !strcmp(sha256, wanted->sha256);
    return status;
}

/* --- Candidates ------------------------------------------------------------------------------- */

struct candidate {
    int64_t id;
    char path[8192];
    bool has_cell, is_cell; /* it has one; the wanted one */
};

static bool next_candidate(struct xl_picture_find *find, sqlite3_stmt *rows,
                           const struct xl_marked *wanted, struct candidate *out,
                           enum xl_status *status, struct xl_err *err) {
    unsigned char bytes[16];
    int64_t key;
    if (!xl_database_row(find->database, rows, status, err)) return false;
    out->id = sqlite3_column_int64(rows, 0);
    snprintf(out->path, sizeof out->path, "%s/%s", (const char *)sqlite3_column_text(rows, 1),
             (const char *)sqlite3_column_text(rows, 2));
    out->has_cell = sqlite3_column_bytes(rows, 3) == sizeof bytes;
    out->is_cell = out->has_cell && wanted->cell &&
                   xl_cell_key(wanted->cell, strlen(wanted->cell), &key, bytes) &&
                   !memcmp(sqlite3_column_blob(rows, 3), bytes, sizeof bytes);
    return true;
}

/* Where the path of a mark is now: folders of output move. */
static enum xl_status place_of(struct xl_picture_find *find, const char *path, char *folder,
                               size_t size, const char **file, struct xl_err *err) {
    struct xl_arena arena = {0};
    const char *slash = strrchr(path, '/');
    char *named = slash ? xl_arena_strndup(&arena, path, (size_t)(slash - path)) : NULL;
    const char *found = named ? xl_folder_of_path(named, find->output_dir, &arena) : NULL;
    if (found) snprintf(folder, size, "%s", found);
    *file = slash ? slash + 1 : path;
    xl_arena_deinit(&arena);
    return found || !slash ? XL_OK : xl_fail_nomem(err, "a path", 0);
}

/* The row of this path, if the picture there is the wanted one: of its cell, or, without cells, of
 * its content, as far as there is a file. */
static enum xl_status find_by_path(struct xl_picture_find *find, const struct xl_marked *wanted,
                                   int64_t *id, struct xl_err *err) {
    char folder[4096] = "";
    const char *file;
    struct candidate candidate;
    enum xl_status status = place_of(find, wanted->path, folder, sizeof folder, &file, err);
    if (status) return status;
    sqlite3_bind_int64(find->by_path, 1, xl_path_key(folder, file, strlen(file)));
    while (!*id && next_candidate(find, find->by_path, wanted, &candidate, &status, err)) {
        bool is_it = candidate.is_cell || !wanted->sha256; /* a path and no more */
        if (wanted->sha256 && (!wanted->cell || !candidate.has_cell))
            status = xl_file_exists(candidate.path)
                         ? has_content(find, candidate.id, candidate.path, wanted, &is_it, err)
                         : XL_OK;
        if (!status && is_it) *id = candidate.id;
    }
    sqlite3_reset(find->by_path);
    return status;
}

/* Of several pictures of one cell: the one of the same content, or of the same name, or the first.
 */
static enum xl_status find_by_cell(struct xl_picture_find *find, const struct xl_marked *wanted,
                                   int64_t *id, struct xl_err *err) {
    unsigned char bytes[16];
    int64_t key, first = 0, same_name = 0, same_content = 0;
    struct candidate candidate;
    enum xl_status status = XL_OK;
    if (!wanted->cell || !xl_cell_key(wanted->cell, strlen(wanted->cell), &key, bytes))
        return XL_OK;
    const char *slash = strrchr(wanted->path, '/'), *name = slash ? slash + 1 : wanted->path;
    sqlite3_bind_int64(find->by_cell, 1, key);
    while (!same_content && next_candidate(find, find->by_cell, wanted, &candidate, &status, err)) {
        bool has = false;
        if (!candidate.is_cell) continue;
        if (!first) first = candidate.id;
        if (!same_name && !strcmp(strrchr(candidate.path, '/') + 1, name)) same_name = candidate.id;
        status = has_content(find, candidate.id, candidate.path, wanted, &has, err);
        if (has) same_content = candidate.id;
    }
    sqlite3_reset(find->by_cell);
    *id = same_content ? same_content : same_name ? same_name : first;
    return status;
}

/* Sizes of pictures that name no cell: a copy of one has its size. */
static enum xl_status load_sizes(struct xl_picture_find *find, struct xl_err *err) {
    sqlite3_stmt *rows = NULL;
    enum xl_status status =
        xl_database_prepare(find->database,
                            PLACE " LEFT JOIN digests ON picture = pictures.id"
                                  " WHERE pictures.cell_key IS NULL AND picture IS NULL",
                            &rows, err);
    const struct xl_marked nobody = {.path = ""};
    struct candidate candidate;
    while (!status && next_candidate(find, rows, &nobody, &candidate, &status, err)) {
        struct stat st;
        bool is_there = !stat(candidate.path, &st);
        status = put_digest(find, candidate.id, is_there ? &st : NULL, NULL, err);
    }
    sqlite3_finalize(rows);
    find->has_sizes = !status;
    return status;
}

static enum xl_status find_by_content(struct xl_picture_find *find, const struct xl_marked *wanted,
                                      int64_t *id, struct xl_err *err) {
    struct candidate candidate;
    enum xl_status status = find->has_sizes ? XL_OK : load_sizes(find, err);
    int64_t found[64];
    int n = 0;
    if (status) return status;
    sqlite3_bind_int64(find->by_size, 1, wanted->bytes);
    while (n < 64 && !*id &&
           next_candidate(find, find->by_size, wanted, &candidate, &status, err)) {
        bool has = false;
        found[n++] = candidate.id;
        status = has_content(find, candidate.id, candidate.path, wanted, &has, err);
        if (has) *id = found[n - 1];
    }
    sqlite3_reset(find->by_size);
    return status;
}

enum xl_status xl_picture_find(struct xl_picture_find *find, const struct xl_marked *picture,
                               int64_t *id, struct xl_err *err) {
    *id = 0;
    enum xl_status status = find_by_path(find, picture, id, err);
    if (!status && !*id) status = find_by_cell(find, picture, id, err);
    if (!status && !*id && !picture->cell && picture->sha256)
        status = find_by_content(find, picture, id, err);
    return status;
}
