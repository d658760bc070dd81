/* records.c - folders, their files, and what is in them. One thread walks; all read pictures. */
#include "insight/index/records.h"
#include "base/file.h"
#include "base/log.h"
#include "base/str.h"
#include "insight/index/folders_of_paths.h"
#include "insight/index/hash.h"
#include "insight/index/intern.h"
#include "insight/index/record_read.h"
#include "insight/marks/favorites_in.h"
#include "insight/marks/marks.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>

enum {
    DEEPEST = 16, /* folders within folders */
    AT_ONCE = 64, /* pictures read together */
    COARSE_S = 2, /* file systems' clocks: what changed lately may have changed again */
};

struct walk {
    struct xl_database *database;
    const struct xl_records_params *params;
    struct xl_pool *pool;
    struct xl_row_writer *rows;
    sqlite3_stmt *find_folder, *put_folder, *has_path, *find_looked, *put_looked, *drop_picture;
    sqlite3_stmt *drop_orphan, *is_thrown, *has_row;
    struct xl_record_file files[AT_ONCE]; /* to be read */
    int64_t folders[AT_ONCE];             /* their folders' ids; 0: in the trash */
    int n_files;
    int64_t n_pictures;
    struct xl_intern listed; /* folders, in this walk */
};

static int64_t ns_of(struct timespec at) {
    return (int64_t)at.tv_sec * 1000000000 + at.tv_nsec;
}

/* What a folder is known by later; negative when it changed so lately that it may change again and
 * look the same. */
static int64_t change_of(const struct stat *st) {
    int64_t changed = ns_of(st->st_mtim);
    return st->st_mtim.tv_sec + COARSE_S >= time(NULL) ? -changed : changed;
}

/* --- Pictures --------------------------------------------------------------------------------- */

static enum xl_status put_looked(struct walk *walk, int64_t folder,
                                 const struct xl_record_file *file, int64_t picture,
                                 struct xl_err *err) {
    sqlite3_bind_int64(walk->put_looked, 1, folder);
    sqlite3_bind_text(walk->put_looked, 2, file->name, -1, SQLITE_STATIC);
    sqlite3_bind_int64(walk->put_looked, 3, file->changed);
    if (picture)
        sqlite3_bind_int64(walk->put_looked, 4, picture);
    else
        sqlite3_bind_null(walk->put_looked, 4);
    sqlite3_bind_int64(walk->put_looked, 5, file->is_sheet);
    return xl_database_step(walk->database, walk->put_looked, err);
}

static void read_one(void *user, int64_t task, int worker) {
    struct walk *walk = user;
    (void)worker;
    xl_record_file_read(&walk->files[task]);
}

static enum xl_status take_files(struct walk *walk, struct xl_err *err) {
    enum xl_status status = XL_OK;
    if (walk->n_files) xl_pool_run(walk->pool, walk->n_files, read_one, walk);
    for (int i = 0; i < walk->n_files; i++) {
        struct xl_record_file *file = &walk->files[i];
        int64_t picture = 0;
        if (!status) status = file->status;
        if (status == file->status && status) *err = file->err;
        if (!status && file->has_record) {
            status = xl_rows_add_record(walk->rows, file->line, file->folder, file->name,
                                        file->cell, file->made_at, &picture, err);
            walk->n_pictures++;
        }
        if (!status && walk->folders[i])
            status = put_looked(walk, walk->folders[i], file, picture, err);
        xl_record_file_deinit(file);
    }
    walk->n_files = 0;
    return status;
}

/* place: malloc'd and taken over; NULL: where it is called. */
static enum xl_status queue_file(struct walk *walk, int64_t folder_id, const char *folder,
                                 const char *name, int64_t changed, char *place,
                                 struct xl_err *err) {
    struct xl_record_file *file = &walk->files[walk->n_files];
    if (!xl_record_file_init(file, folder, name, changed)) {
        free(place);
        return xl_fail_nomem(err, "a path", 0);
    }
    file->place = place;
    walk->folders[walk->n_files++] = folder_id;
    return walk->n_files < AT_ONCE ? XL_OK : take_files(walk, err);
}

/* Whether a log names the picture. */
static enum xl_status is_logged(struct walk *walk, const char *folder, const char *name, bool *is,
                                struct xl_err *err) {
    enum xl_status status = XL_OK;
    sqlite3_bind_int64(walk->has_path, 1, xl_path_key(folder, name, strlen(name)));
    *is = xl_database_row(walk->database, walk->has_path, &status, err);
    sqlite3_reset(walk->has_path);
    return status;
}

/* A picture's file in a folder: read it unless a log knows it or it was read before. */
static enum xl_status take_file(struct walk *walk, int64_t folder_id, const char *folder,
                                const char *name, const struct stat *st, struct xl_err *err) {
    bool is = false, was = false;
    enum xl_status status = is_logged(walk, folder, name, &is, err);
    if (status || is) return status;
    int64_t changed = ns_of(st->st_mtim) ^ (st->st_size << 1), picture = 0;
    sqlite3_bind_int64(walk->find_looked, 1, folder_id);
    sqlite3_bind_text(walk->find_looked, 2, name, -1, SQLITE_STATIC);
    if (xl_database_row(walk->database, walk->find_looked, &status, err)) {
        was = true;
        is = sqlite3_column_int64(walk->find_looked, 0) == changed;
        picture = sqlite3_column_int64(walk->find_looked, 1);
    }
    sqlite3_reset(walk->find_looked);
    if (status || is) return status;
    if (picture) {
        sqlite3_bind_int64(walk->drop_picture, 1, picture);
        status = xl_database_step(walk->database, walk->drop_picture, err);
    }
    if (!status && !was) { /* one that was in the trash until now */
        sqlite3_bind_int64(walk->drop_orphan, 1, xl_path_key(folder, name, strlen(name)));
        status = xl_database_step(walk->database, walk->drop_orphan, err);
    }
    return status ? status : queue_file(walk, folder_id, folder, name, changed, NULL, err);
}

/* --- The trash -------------------------------------------------------------------------------- */

/* Where the picture that lies in this folder is when it is in the trash, malloc'd; NULL: it is not
 * there, or memory is short. */
static char *place_in_trash(const struct walk *walk, const char *folder, const char *name) {
    const char *dir = walk->params->output_dir;
    size_t n = strlen(dir);
    struct xl_str place = {0};
    if (strncmp(folder, dir, n) != 0 || (folder[n] && folder[n] != '/')) return NULL;
    xl_str_printf(&place, "%s/" XL_TRASH_DIR "%s/%s", dir, folder + n, name);
    char *path = xl_str_take(&place);
    if (path && xl_file_exists(path)) return path;
    free(path);
    return NULL;
}

/* Whether what is not in its folder any more was moved to the trash. */
static enum xl_status is_in_trash(struct walk *walk, const char *folder, const char *name, bool *is,
                                  struct xl_err *err) {
    enum xl_status status = XL_OK;
    char *place = place_in_trash(walk, folder, name);
    char *path = place ? xl_path_join(folder, name) : NULL;
    *is = false;
    if (path) {
        sqlite3_bind_text(walk->is_thrown, 1, path, -1, SQLITE_STATIC);
        *is = xl_database_row(walk->database, walk->is_thrown, &status, err);
        sqlite3_reset(walk->is_thrown);
    }
    free(path);
    free(place);
    return status;
}

static enum xl_status take_thrown(struct walk *walk, const char *path, struct xl_err *err) {
    struct xl_arena arena = {0};
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    char *named = slash ? xl_arena_strndup(&arena, path, (size_t)(slash - path)) : NULL;
    const char *folder = named ? xl_folder_of_path(named, walk->params->output_dir, &arena) : NULL;
    char *place = folder && xl_is_picture_name(name) ? place_in_trash(walk, folder, name) : NULL;
    enum xl_status status = XL_OK;
    bool has = !place;
    if (place) {
        sqlite3_bind_int64(walk->has_row, 1, xl_path_key(folder, name, strlen(name)));
        has = xl_database_row(walk->database, walk->has_row, &status, err);
        sqlite3_reset(walk->has_row);
    }
    if (!status && !has)
        status = queue_file(walk, 0, folder, name, 0, place, err);
    else
        free(place);
    xl_arena_deinit(&arena);
    return status;
}

/* Pictures in the trash that nothing else in the index names: it was made anew meanwhile. */
static enum xl_status walk_trash(struct walk *walk, struct xl_err *err) {
    sqlite3_stmt *all = NULL;
    enum xl_status status = xl_database_prepare(
        walk->database, "SELECT path FROM marks WHERE trashed ORDER BY id", &all, err);
    while (xl_database_row(walk->database, all, &status, err)) {
        const char *path = (const char *)sqlite3_column_text(all, 0);
        if (path) status = take_thrown(walk, path, err);
        if (status) break;
    }
    sqlite3_finalize(all);
    return status;
}

/* --- Folders ---------------------------------------------------------------------------------- */

/* Pictures of a folder that are not there any more. */
static enum xl_status drop_missing(struct walk *walk, int64_t folder_id, const char *folder,
                                   struct xl_err *err) {
    sqlite3_stmt *all = NULL, *drop = NULL;
    enum xl_status status = xl_database_prepare(
        walk->database, "SELECT file, picture FROM looked WHERE folder = ?", &all, err);
    if (!status)
        status = xl_database_prepare(
            walk->database, "DELETE FROM looked WHERE folder = ? AND file = ?", &drop, err);
    sqlite3_bind_int64(all, 1, folder_id);
    while (xl_database_row(walk->database, all, &status, err)) {
        const char *name = (const char *)sqlite3_column_text(all, 0);
        char *path = xl_path_join(folder, name);
        bool is_there = path && xl_file_exists(path);
        free(path);
        if (!is_there) status = is_in_trash(walk, folder, name, &is_there, err);
        if (is_there || status) continue;
        sqlite3_bind_int64(walk->drop_picture, 1, sqlite3_column_int64(all, 1));
        status = xl_database_step(walk->database, walk->drop_picture, err);
        sqlite3_bind_int64(drop, 1, folder_id);
        sqlite3_bind_text(drop, 2, name, -1, SQLITE_TRANSIENT);
        if (!status) status = xl_database_step(walk->database, drop, err);
    }
    sqlite3_finalize(all);
    sqlite3_finalize(drop);
    return status;
}

static enum xl_status put_folder(struct walk *walk, const char *path, int64_t changed,
                                 bool is_named, struct xl_err *err) {
    sqlite3_bind_text(walk->put_folder, 1, path, -1, SQLITE_STATIC);
    sqlite3_bind_int64(walk->put_folder, 2, changed);
    sqlite3_bind_int64(walk->put_folder, 3, is_named);
    return xl_database_step(walk->database, walk->put_folder, err);
}

static enum xl_status walk_folder(struct walk *walk, const char *path, bool is_named, int depth,
                                  struct xl_err *err);

static enum xl_status take_entry(struct walk *walk, int64_t id, const char *folder,
                                 const char *name, bool is_named, int depth, struct xl_err *err) {
    struct stat st;
    bool may_be_folder = name[0] != '.' && depth < DEEPEST;
    if (!xl_is_picture_name(name) && !may_be_folder) return XL_OK;
    char *path = xl_path_join(folder, name);
    if (!path) return xl_fail_nomem(err, "a path", 0);
    enum xl_status status = XL_OK;
    /* Links are left alone: what they point to is found where it lies. */
    if (!lstat(path, &st)) {
        if (S_ISDIR(st.st_mode) && may_be_folder)
            status = walk_folder(walk, path, is_named, depth + 1, err);
        else if (S_ISREG(st.st_mode) && xl_is_picture_name(name))
            status = take_file(walk, id, folder, name, &st, err);
    }
    free(path);
    return status;
}

static enum xl_status list_folder(struct walk *walk, int64_t id, const char *path, bool is_named,
                                  int depth, struct xl_err *err) {
    enum xl_status status = XL_OK;
    DIR *stream = opendir(path);
    if (!stream && errno != ENOENT) xl_warn("%s: cannot list: %s", path, strerror(errno));
    for (struct dirent *entry; stream && !status && (entry = readdir(stream));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            status = take_entry(walk, id, path, entry->d_name, is_named, depth, err);
    if (stream) closedir(stream);
    return status ? status : drop_missing(walk, id, path, err);
}

static enum xl_status find_folder(struct walk *walk, const char *path, int64_t *id,
                                  int64_t *changed, struct xl_err *err) {
    enum xl_status status = XL_OK;
    *id = *changed = 0;
    sqlite3_bind_text(walk->find_folder, 1, path, -1, SQLITE_STATIC);
    if (xl_database_row(walk->database, walk->find_folder, &status, err)) {
        *id = sqlite3_column_int64(walk->find_folder, 0);
        *changed = sqlite3_column_int64(walk->find_folder, 1);
    }
    sqlite3_reset(walk->find_folder);
    return status;
}

/* List a folder that has changed or is new. The folders in one that has not are seen to by the walk
 * over known folders. */
static enum xl_status walk_folder(struct walk *walk, const char *path, bool is_named, int depth,
                                  struct xl_err *err) {
    int64_t id, known;
    struct stat st;
    if (stat(path, &st) || !S_ISDIR(st.st_mode)) return XL_OK;
    enum xl_status status = find_folder(walk, path, &id, &known, err);
    int64_t changed = change_of(&st);
    size_t n = strlen(path);
    uint64_t hash = xl_hash64(path, n, 0);
    if (xl_intern_find(&walk->listed, path, n, hash)) return status;
    if (status || (id && known > 0 && known == changed && !walk->params->look_everywhere))
        return status;
    status = put_folder(walk, path, changed, is_named, err);
    if (!status) status = find_folder(walk, path, &id, &known, err);
    if (!status) status = xl_intern_add(&walk->listed, path, n, hash, 1, err);
    return status ? status : list_folder(walk, id, path, is_named, depth, err);
}

/* Known folders: listed again where they changed, let go where they went. */
static enum xl_status walk_known(struct walk *walk, struct xl_err *err) {
    sqlite3_stmt *all = NULL;
    enum xl_status status = xl_database_prepare(
        walk->database, "SELECT id, path, is_named FROM folders ORDER BY id", &all, err);
    while (xl_database_row(walk->database, all, &status, err)) {
        const char *path = (const char *)sqlite3_column_text(all, 1);
        char *copy = path ? strdup(path) : NULL;
        if (!copy) status = xl_fail_nomem(err, "a path", 0);
        if (copy && xl_dir_exists(copy)) {
            int is_named = sqlite3_column_int(all, 2);
            status = walk_folder(walk, copy, is_named, 1, err);
        } else if (copy) {
            int64_t id = sqlite3_column_int64(all, 0);
            status = drop_missing(walk, id, copy, err);
            char text[96]; /* what is in the trash needs its folder no more */
            snprintf(text, sizeof text,
                     "DELETE FROM looked WHERE folder = %lld; DELETE FROM folders WHERE id = %lld",
                     (long long)id, (long long)id);
            if (!status) status = xl_database_run(walk->database, text, err);
        }
        free(copy);
    }
    sqlite3_finalize(all);
    return status;
}

static enum xl_status prepare(struct walk *walk, struct xl_err *err) {
    const struct {
        sqlite3_stmt **out;
        const char *text;
    } rows[] = {
        {&walk->find_folder, "SELECT id, changed FROM folders WHERE path = ?"},
        {&walk->put_folder, "INSERT INTO folders(path, changed, is_named) VALUES(?1, ?2, ?3)"
                            " ON CONFLICT(path) DO UPDATE SET changed = ?2, is_named = ?3"},
        {&walk->has_path, "SELECT 1 FROM pictures WHERE path_key = ? AND log IS NOT NULL"},
        {&walk->find_looked, "SELECT changed, picture FROM looked WHERE folder = ? AND file = ?"},
        {&walk->put_looked, "INSERT OR REPLACE INTO looked VALUES(?, ?, ?, ?, ?)"},
        {&walk->drop_picture, "DELETE FROM pictures WHERE id = ? AND log IS NULL"},
        {&walk->drop_orphan, "DELETE FROM pictures WHERE path_key = ? AND log IS NULL AND id NOT IN"
                             " (SELECT picture FROM looked WHERE picture IS NOT NULL)"},
        {&walk->is_thrown, "SELECT 1 FROM marks WHERE path = ? AND trashed"},
        {&walk->has_row, "SELECT 1 FROM pictures WHERE path_key = ?"},
    };
    enum xl_status status = XL_OK;
    for (size_t i = 0; i < sizeof rows / sizeof *rows && !status; i++)
        status = xl_database_prepare(walk->database, rows[i].text, rows[i].out, err);
    return status;
}

enum xl_status xl_records_update(struct xl_database *database,
                                 const struct xl_records_params *params, struct xl_pool *pool,
                                 struct xl_row_writer *rows, int64_t *n_pictures,
                                 struct xl_err *err) {
    struct walk *walk = calloc(1, sizeof *walk);
    if (!walk) return xl_fail_nomem(err, "folders", sizeof *walk);
    walk->database = database;
    walk->params = params;
    walk->pool = pool;
    walk->rows = rows;
    enum xl_status status = prepare(walk, err);
    if (!status) status = walk_known(walk, err);
    if (!status) status = walk_folder(walk, params->output_dir, false, 0, err);
    for (int i = 0; i < params->n_named && !status; i++)
        status = walk_folder(walk, params->named[i], true, 0, err);
    if (!status) status = walk_trash(walk, err);
    if (!status) status = take_files(walk, err);
    for (int i = 0; i < walk->n_files; i++) xl_record_file_deinit(&walk->files[i]);
    *n_pictures = walk->n_pictures;
    sqlite3_stmt *const all[] = {walk->find_folder, walk->put_folder, walk->has_path,
                                 walk->find_looked, walk->put_looked, walk->drop_picture,
                                 walk->drop_orphan, walk->is_thrown,  walk->has_row};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) sqlite3_finalize(all[i]);
    xl_intern_deinit(&walk->listed);
    free(walk);
    return status;
}

enum xl_status xl_records_differ(struct xl_database *database, bool for_sure, bool *differ,
                                 struct xl_err *err) {
    sqlite3_stmt *all = NULL;
    enum xl_status status =
        xl_database_prepare(database, "SELECT path, changed FROM folders", &all, err);
    while (!*differ && xl_database_row(database, all, &status, err)) {
        struct stat st;
        int64_t changed = sqlite3_column_int64(all, 1);
        if (for_sure && changed < 0) changed = -changed;
        *differ = stat((const char *)sqlite3_column_text(all, 0), &st) ||
                  changed != ns_of(st.st_mtim);
    }
    sqlite3_finalize(all);
    return status;
}
