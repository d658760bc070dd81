/* database.c - opening, making and naming the index's file. */
#include "insight/index/database.h"
#include "base/file.h"
#include "base/str.h"
#include "insight/index/columns.h"
#include "lab/log/job_log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

enum { SCHEMA = 3, WAIT_MS = 20000 };
#define PREFIX "index-"
#define SUFFIX ".sqlite"
#define BUILDING "building"

/* --- Failures --------------------------------------------------------------------------------- */

enum xl_status xl_database_fail(struct xl_database *database, struct xl_err *err) {
    int code = sqlite3_extended_errcode(database->sql), primary = code & 0xFF;
    const char *why = sqlite3_errmsg(database->sql);
    if (primary == SQLITE_NOMEM) return xl_fail_nomem(err, "the index", 0);
    if (primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB || primary == SQLITE_ERROR ||
        code == SQLITE_IOERR_DATA || code == SQLITE_IOERR_SHORT_READ) {
        database->is_damaged = true;
        if (code == SQLITE_IOERR_DATA) why = "a checksum is wrong";
        return xl_fail(err, XL_EINPUT, "%s: damaged (%s)", database->path, why);
    }
    return xl_fail(err, XL_EDISK, "%s: %s", database->path, why);
}

enum xl_status xl_database_run(struct xl_database *database, const char *statements,
                               struct xl_err *err) {
    int code = sqlite3_exec(database->sql, statements, NULL, NULL, NULL);
    return code == SQLITE_OK ? XL_OK : xl_database_fail(database, err);
}

enum xl_status xl_database_prepare(struct xl_database *database, const char *text,
                                   sqlite3_stmt **out, struct xl_err *err) {
    int code = sqlite3_prepare_v2(database->sql, text, -1, out, NULL);
    return code == SQLITE_OK ? XL_OK : xl_database_fail(database, err);
}

enum xl_status xl_database_step(struct xl_database *database, sqlite3_stmt *statement,
                                struct xl_err *err) {
    int code = sqlite3_step(statement);
    enum xl_status status =
        code == SQLITE_DONE || code == SQLITE_ROW ? XL_OK : xl_database_fail(database, err);
    sqlite3_reset(statement);
    return status;
}

bool xl_database_row(struct xl_database *database, sqlite3_stmt *statement, enum xl_status *status,
                     struct xl_err *err) {
    if (*status) return false;
    int code = sqlite3_step(statement);
    if (code != SQLITE_ROW && code != SQLITE_DONE) *status = xl_database_fail(database, err);
    return code == SQLITE_ROW;
}

enum xl_status xl_database_number(struct xl_database *database, const char *query, int64_t with,
                                  int64_t *out, struct xl_err *err) {
    sqlite3_stmt *statement = NULL;
    enum xl_status status = xl_database_prepare(database, query, &statement, err);
    if (status) return status;
    if (sqlite3_bind_parameter_count(statement)) sqlite3_bind_int64(statement, 1, with);
    if (xl_database_row(database, statement, &status, err))
        *out = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return status;
}

/* --- Tables ----------------------------------------------------------------------------------- */

static const char tables[] =
    "CREATE TABLE meta(key TEXT PRIMARY KEY, value INTEGER) WITHOUT ROWID;"
    /* A log, and how far it was read: inode and digests tell whether it is still the same. */
    "CREATE TABLE logs(id INTEGER PRIMARY KEY, path TEXT, device INTEGER, inode INTEGER,"
    " size INTEGER, begin_hash INTEGER, end_hash INTEGER, entries INTEGER, damaged INTEGER,"
    " first_damaged INTEGER, failed INTEGER, lines INTEGER);"
    "CREATE TABLE names(id INTEGER PRIMARY KEY, text TEXT NOT NULL);"
    "CREATE TABLE texts(id INTEGER PRIMARY KEY, hash INTEGER, text TEXT NOT NULL);"
    /* Folders that were looked through, and pictures there that no log names. */
    "CREATE TABLE folders(id INTEGER PRIMARY KEY, path TEXT UNIQUE, changed INTEGER,"
    " is_named INTEGER);"
    "CREATE TABLE looked(folder INTEGER, file TEXT, changed INTEGER, picture INTEGER,"
    " is_sheet INTEGER, PRIMARY KEY(folder, file)) WITHOUT ROWID;"
    /* Marks as their files have them, and the picture that each is of. */
    "CREATE TABLE marks(id INTEGER PRIMARY KEY, picture INTEGER, path TEXT, sha256 TEXT, cell TEXT,"
    " bytes INTEGER, loved INTEGER, rating INTEGER, marked_at INTEGER, rejected INTEGER,"
    " trashed INTEGER);"
    /* What is said of a picture, through whichever of its copies. */
    "CREATE TABLE loves(picture INTEGER PRIMARY KEY, loved INTEGER, rating INTEGER,"
    " rejected INTEGER, trashed INTEGER);"
    "CREATE TABLE duels(id INTEGER PRIMARY KEY, winner INTEGER, loser INTEGER);" /* marks */
    "CREATE TABLE named(path TEXT PRIMARY KEY);" /* folders, by the owner */
    /* What a log says of a picture and its record otherwise; of the last check. */
    "CREATE TABLE disagreements(picture INTEGER, field TEXT, log TEXT, record TEXT);"
    /* Digests of files that had to be read to tell whose copy a favourite is. */
    "CREATE TABLE digests(picture INTEGER PRIMARY KEY, bytes INTEGER, changed INTEGER,"
    " sha256 TEXT);";

/* Those that are made when a new index is full. A picture that two logs name (one is a copy of the
 * other) is one. */
static const char indices[] = "CREATE INDEX pictures_path ON pictures(path_key);"
                              "DELETE FROM pictures WHERE path_key IN (SELECT path_key FROM"
                              " pictures GROUP BY path_key HAVING count(*) > 1) AND id NOT IN"
                              " (SELECT max(id) FROM pictures GROUP BY path_key HAVING count(*) >"
                              " 1);"
                              "CREATE INDEX pictures_cell ON pictures(cell_key);"
                              "CREATE INDEX pictures_made ON pictures(made_at, path_key);"
                              "CREATE INDEX texts_hash ON texts(hash);"
                              "CREATE INDEX marks_picture ON marks(picture);"
                              "CREATE INDEX digests_bytes ON digests(bytes);"
                              "CREATE INDEX looked_picture ON looked(picture);";

/* Numbers first, and those that have an index before all: what is far behind in a row is reached
 * only past what is before it. */
static enum xl_status create_pictures(struct xl_database *database, struct xl_err *err) {
    const struct xl_columns *columns = xl_columns();
    struct xl_str text = {0};
    xl_str_puts(&text,
                "CREATE TABLE pictures(id INTEGER PRIMARY KEY, made_at INTEGER, path_key INTEGER,"
                " cell_key INTEGER");
    for (int i = 0; i < columns->n; i++) {
        bool is_real = columns->at[i].type == XL_COLUMN_REAL;
        xl_str_printf(&text, ", %s %s", columns->at[i].name, is_real ? "REAL" : "INTEGER");
    }
    xl_str_puts(&text, ", log INTEGER, line INTEGER, folder INTEGER, cell BLOB, file TEXT)");
    enum xl_status status = text.failed ? xl_fail_nomem(err, "the index", 0)
                                        : xl_database_run(database, text.text, err);
    xl_str_deinit(&text);
    return status;
}

static int64_t version(void) {
    return (int64_t)((xl_columns_fingerprint() + SCHEMA) & INT64_MAX);
}

static enum xl_status write_version(struct xl_database *database, struct xl_err *err) {
    char text[96];
    snprintf(text, sizeof text, "INSERT INTO meta VALUES('version', %lld)", (long long)version());
    return xl_database_run(database, text, err);
}

/* --- Files ------------------------------------------------------------------------------------ */

static char *file_path(const char *dir, int64_t generation) {
    char name[64];
    snprintf(name, sizeof name, PREFIX "%lld" SUFFIX, (long long)generation);
    return xl_path_join(dir, name);
}

/* The number in a name, or 0. */
static int64_t generation_of(const char *name) {
    char *end;
    if (strncmp(name, PREFIX, sizeof PREFIX - 1) != 0) return 0;
    errno = 0;
    long long number = strtoll(name + sizeof PREFIX - 1, &end, 10);
    return !errno && number > 0 && !strcmp(end, SUFFIX) ? number : 0;
}

static int64_t newest(const char *dir) {
    int64_t found = 0;
    DIR *stream = opendir(dir);
    for (struct dirent *entry; stream && (entry = readdir(stream));) {
        int64_t generation = generation_of(entry->d_name);
        if (generation > found) found = generation;
    }
    if (stream) closedir(stream);
    return found;
}

/* Everything of the index but this generation: older ones, and what builders left that died. */
static void remove_others(const char *dir, int64_t kept) {
    char keep[64];
    snprintf(keep, sizeof keep, PREFIX "%lld" SUFFIX, (long long)kept);
    DIR *stream = opendir(dir);
    for (struct dirent *entry; stream && (entry = readdir(stream));) {
        bool is_ours = !strncmp(entry->d_name, PREFIX, sizeof PREFIX - 1) ||
                       !strncmp(entry->d_name, BUILDING, sizeof BUILDING - 1);
        if (is_ours && strncmp(entry->d_name, keep, strlen(keep)) != 0)
            unlinkat(dirfd(stream), entry->d_name, 0);
    }
    if (stream) closedir(stream);
}

static const char *network_of(const char *dir) {
    struct statfs st;
    return statfs(dir, &st) ? NULL : xl_job_log_unsafe_filesystem(st.f_type);
}

/* Whether a lock of a range, as SQLite wants them, cannot be had at all. Tried on the file by which
 * one process at a time writes: closing it lets go of no lock but of those of this descriptor. */
static bool lacks_locks(const char *dir) {
    char *path = xl_path_join(dir, XL_DATABASE_LOCK);
    struct flock range = {.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = 1 << 20, .l_len = 1};
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    bool lacks = fd >= 0 && fcntl(fd, F_OFD_SETLK, &range) && errno != EAGAIN && errno != EACCES &&
                 errno != EINTR;
    if (fd >= 0) close(fd);
    free(path);
    return lacks;
}

static enum xl_status connect(struct xl_database *database, int flags, struct xl_err *err) {
    enum xl_status status = xl_checksum_vfs_register(err);
    if (status) return status;
    int code = sqlite3_open_v2(database->path, &database->sql, flags | SQLITE_OPEN_NOMUTEX,
                               database->has_no_locks ? XL_CHECKSUM_VFS_NO_LOCKS : XL_CHECKSUM_VFS);
    if (!database->sql) return xl_fail_nomem(err, "the index", 0);
    sqlite3_extended_result_codes(database->sql, 1);
    sqlite3_busy_timeout(database->sql, WAIT_MS);
    return code == SQLITE_OK ? XL_OK : xl_database_fail(database, err);
}

static void disconnect(struct xl_database *database) {
    sqlite3_close_v2(database->sql);
    free(database->path);
    database->sql = NULL;
    database->path = NULL;
}

void xl_database_close(struct xl_database *database) {
    bool is_unfinished = database->path && !database->generation;
    if (is_unfinished) unlink(database->path);
    disconnect(database);
    free(database->dir);
    database->dir = NULL;
}

static enum xl_status begin(const char *dir, bool is_rollback, struct xl_database *out,
                            struct xl_err *err) {
    *out = (struct xl_database){.dir = strdup(dir)};
    if (!out->dir) return xl_fail_nomem(err, "a path", 0);
    out->network = network_of(dir);
    out->has_no_locks = lacks_locks(dir);
    if (!out->network && out->has_no_locks) out->network = "a file system without locks";
    if (!out->network && is_rollback) out->network = "a file system that is taken for one";
    return XL_OK;
}

/* Open a finished one as readers and updates want it. */
static enum xl_status open_finished(struct xl_database *database, struct xl_err *err) {
    database->path = file_path(database->dir, database->generation);
    if (!database->path) return xl_fail_nomem(err, "a path", 0);
    bool is_writable = !access(database->path, W_OK);
    enum xl_status status =
        connect(database, is_writable ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY, err);
    if (!status && is_writable)
        status = xl_database_run(
            database, database->network ? "PRAGMA journal_mode=DELETE" : "PRAGMA journal_mode=WAL",
            err);
    if (!status)
        status = xl_database_run(database,
                                 "PRAGMA synchronous=NORMAL; PRAGMA cache_size=-65536;"
                                 "PRAGMA temp_store=MEMORY",
                                 err);
    int64_t found = 0;
    if (!status)
        status = xl_database_number(database, "SELECT value FROM meta WHERE key = 'version'", 0,
                                    &found, err);
    if (status || found == version()) return status;
    database->is_damaged = true;
    return xl_fail(err, XL_EINPUT, "%s: made by another version of this program", database->path);
}

enum xl_status xl_database_open(const char *dir, bool is_rollback, struct xl_database *out,
                                struct xl_err *err) {
    enum xl_status status = begin(dir, is_rollback, out, err);
    if (status) return status;
    out->generation = newest(dir);
    return out->generation ? open_finished(out, err) : XL_OK;
}

/* With the path of one that is being made, where nothing is yet. */
static enum xl_status begin_new(const char *dir, bool is_rollback, struct xl_database *out,
                                struct xl_err *err) {
    char name[64];
    snprintf(name, sizeof name, BUILDING "-%ld" SUFFIX, (long)getpid());
    enum xl_status status = begin(dir, is_rollback, out, err);
    if (status) return status;
    out->path = xl_path_join(dir, name);
    if (!out->path) return xl_fail_nomem(err, "a path", 0);
    unlink(out->path);
    return XL_OK;
}

static enum xl_status copy_file(const char *from, const char *to, struct xl_err *err) {
    char bytes[1 << 16];
    int in = open(from, O_RDONLY | O_CLOEXEC);
    int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    ssize_t n = in < 0 || out < 0 ? -1 : 1;
    while (n > 0) {
        n = read(in, bytes, sizeof bytes);
        if (n > 0 && write(out, bytes, (size_t)n) != n) n = -1;
    }
    int why = errno;
    if (in >= 0) close(in);
    if (out >= 0 && close(out)) n = -1;
    return n ? xl_fail(err, XL_EDISK, "%s: cannot copy the index: %s", to, strerror(why)) : XL_OK;
}

enum xl_status xl_database_copy(const struct xl_database *from, struct xl_database *out,
                                struct xl_err *err) {
    enum xl_status status = begin_new(from->dir, from->network != NULL, out, err);
    if (!status) status = copy_file(from->path, out->path, err);
    if (!status) status = connect(out, SQLITE_OPEN_READWRITE, err);
    if (!status)
        status = xl_database_run(out,
                                 "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;"
                                 "PRAGMA locking_mode=EXCLUSIVE; PRAGMA cache_size=-65536; BEGIN",
                                 err);
    return status;
}

enum xl_status xl_database_create(const char *dir, bool is_rollback, struct xl_database *out,
                                  struct xl_err *err) {
    enum xl_status status = begin_new(dir, is_rollback, out, err);
    if (status) return status;
    status = connect(out, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, err);
    if (!status) status = xl_checksum_vfs_reserve(out->sql, err);
    if (!status)
        status = xl_database_run(out,
                                 "PRAGMA page_size=8192; PRAGMA journal_mode=OFF;"
                                 "PRAGMA synchronous=OFF; PRAGMA locking_mode=EXCLUSIVE;"
                                 "PRAGMA cache_size=-65536; PRAGMA threads=2; BEGIN",
                                 err);
    if (!status) status = xl_database_run(out, tables, err);
    if (!status) status = create_pictures(out, err);
    return status ? status : write_version(out, err);
}

static enum xl_status sync_file(const char *path, struct xl_err *err) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int failed = fd < 0 || fsync(fd);
    int why = errno;
    if (fd >= 0) close(fd);
    return failed ? xl_fail(err, XL_EDISK, "%s: cannot write: %s", path, strerror(why)) : XL_OK;
}

enum xl_status xl_database_index(struct xl_database *database, struct xl_err *err) {
    return xl_database_run(database, indices, err);
}

enum xl_status xl_database_finish(struct xl_database *database, struct xl_err *err) {
    enum xl_status status =
        xl_database_run(database, "PRAGMA analysis_limit=1000; ANALYZE; COMMIT", err);
    if (status) return status;
    sqlite3_close_v2(database->sql);
    database->sql = NULL;
    status = sync_file(database->path, err);
    if (status) return status;
    int64_t generation = newest(database->dir) + 1;
    char *path = file_path(database->dir, generation);
    if (!path) return xl_fail_nomem(err, "a path", 0);
    if (rename(database->path, path))
        status = xl_fail(err, XL_EDISK, "%s: cannot rename: %s", path, strerror(errno));
    free(path);
    if (status) return status;
    disconnect(database);
    database->generation = generation;
    status = open_finished(database, err);
    if (!status) remove_others(database->dir, generation);
    return status;
}
