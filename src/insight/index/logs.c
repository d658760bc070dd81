/* logs.c - which logs there are, and what became of those that were read before. */
#include "insight/index/logs.h"
#include "base/file.h"
#include "base/str.h"
#include "insight/index/hash.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SAMPLE = 4096 }; /* bytes at the beginning and before the end that a log is known by */

/* --- Names ------------------------------------------------------------------------------------ */

static bool is_packed(const char *name) {
    static const char *const ends[] = {".gz", ".xz", ".zst", ".bz2", ".lz4"};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (xl_ends_with(name, ends[i])) return true;
    return false;
}

/* "jobs", anything, ".log", and nothing or what a rotation puts behind it. */
static bool is_log_name(const char *name) {
    const char *end = NULL;
    if (strncmp(name, "jobs", 4) != 0) return false;
    for (const char *at = name + 4; (at = strstr(at, ".log")); at += 4) end = at + 4;
    if (!end || xl_ends_with(name, "~") || xl_ends_with(name, ".tmp")) return false;
    return !*end || ((*end == '.' || *end == '-') && end[1] >= '0' && end[1] <= '9');
}

static int is_log(const struct dirent *entry) {
    return is_log_name(entry->d_name) && !is_packed(entry->d_name);
}

static int is_packed_log(const struct dirent *entry) {
    return is_log_name(entry->d_name) && is_packed(entry->d_name);
}

static void free_entries(struct dirent **entries, int n) {
    for (int i = 0; i < n; i++) free(entries[i]);
    free(entries);
}

int xl_logs_packed(const char *output_dir) {
    struct dirent **entries = NULL;
    int n = scandir(output_dir, &entries, is_packed_log, alphasort);
    free_entries(entries, n > 0 ? n : 0);
    return n > 0 ? n : 0;
}

/* --- One log ---------------------------------------------------------------------------------- */

/* A log as it is on disk; fd -1: it is gone. */
struct log {
    char *path;
    int fd;
    int64_t device, inode, size;
};

/* As it was read. */
struct known {
    int64_t id, device, inode, size; /* size: up to here */
    int64_t begin_hash, end_hash;
    struct xl_rows_counts counts;
    char *path;
    bool is_found;
};

struct state {
    struct xl_database *database;
    struct xl_pool *pool;
    struct xl_row_writer *rows;
    struct known *known;
    int n_known;
    struct xl_logs_change *change;
};

static int64_t hash_at(int fd, int64_t from, int64_t to) {
    char bytes[SAMPLE];
    size_t n = 0, wanted = (size_t)(to - from);
    while (n < wanted) {
        ssize_t got = pread(fd, bytes + n, wanted - n, from + (int64_t)n);
        if (got <= 0) break;
        n += (size_t)got;
    }
    return (int64_t)xl_hash64(bytes, n, 3);
}

static int64_t begin_hash(int fd, int64_t size) {
    return hash_at(fd, 0, size < SAMPLE ? size : SAMPLE);
}

static int64_t end_hash(int fd, int64_t size) {
    return hash_at(fd, size < SAMPLE ? 0 : size - SAMPLE, size);
}

static bool is_same(const struct log *log, const struct known *known) {
    return log->size >= known->size && begin_hash(log->fd, known->size) == known->begin_hash &&
           end_hash(log->fd, known->size) == known->end_hash;
}

/* The one that this log was when it was read: of its inode, of its name (it was copied back), or of
 * its content (a rotation copied it and emptied the old one). */
static struct known *find_known(struct state *state, const struct log *log) {
    for (int pass = 0; pass < 3; pass++)
        for (int i = 0; i < state->n_known; i++) {
            struct known *known = &state->known[i];
            bool is_it = pass == 0   ? known->inode == log->inode && known->device == log->device
                         : pass == 1 ? !strcmp(known->path, log->path)
                                     : known->size > 0;
            if (is_it && !known->is_found && is_same(log, known)) return known;
        }
    return NULL;
}

static enum xl_status open_log(const char *dir, const char *name, struct log *out,
                               struct xl_err *err) {
    struct stat st;
    *out = (struct log){.path = xl_path_join(dir, name), .fd = -1};
    if (!out->path) return xl_fail_nomem(err, "a path", 0);
    out->fd = open(out->path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (out->fd < 0 && errno == ENOENT) return XL_OK;
    if (out->fd < 0)
        return xl_fail(err, XL_EINPUT, "%s: cannot open: %s", out->path, strerror(errno));
    if (fstat(out->fd, &st) || !S_ISREG(st.st_mode)) {
        close(out->fd);
        out->fd = -1;
        return XL_OK;
    }
    out->device = (int64_t)st.st_dev;
    out->inode = (int64_t)st.st_ino;
    out->size = st.st_size;
    return XL_OK;
}

static void close_log(struct log *log) {
    if (log->fd >= 0) close(log->fd);
    free(log->path);
}

/* --- What was read before --------------------------------------------------------------------- */

static struct known known_of_row(sqlite3_stmt *row) {
    return (struct known){
        .id = sqlite3_column_int64(row, 0),
        .path = strdup((const char *)sqlite3_column_text(row, 1)),
        .device = sqlite3_column_int64(row, 2),
        .inode = sqlite3_column_int64(row, 3),
        .size = sqlite3_column_int64(row, 4),
        .begin_hash = sqlite3_column_int64(row, 5),
        .end_hash = sqlite3_column_int64(row, 6),
        .counts = {.n_entries = sqlite3_column_int64(row, 7),
                   .n_damaged = sqlite3_column_int64(row, 8),
                   .first_damaged = sqlite3_column_int64(row, 9),
                   .n_failed = sqlite3_column_int64(row, 10),
                   .n_lines = sqlite3_column_int64(row, 11)},
    };
}

static enum xl_status load_known(struct state *state, struct xl_err *err) {
    sqlite3_stmt *rows = NULL;
    int capacity = 0;
    enum xl_status status = xl_database_prepare(
        state->database,
        "SELECT id, path, device, inode, size, begin_hash, end_hash, entries, damaged,"
        " first_damaged, failed, lines FROM logs ORDER BY id",
        &rows, err);
    while (xl_database_row(state->database, rows, &status, err)) {
        if (state->n_known == capacity) {
            capacity = capacity ? 2 * capacity : 16;
            struct known *larger = realloc(state->known, (size_t)capacity * sizeof *larger);
            if (!larger) status = xl_fail_nomem(err, "logs", (size_t)capacity * sizeof *larger);
            if (!larger) break;
            state->known = larger;
        }
        state->known[state->n_known] = known_of_row(rows);
        if (!state->known[state->n_known++].path) status = xl_fail_nomem(err, "a path", 0);
    }
    sqlite3_finalize(rows);
    return status;
}

/* --- Bringing up to date ---------------------------------------------------------------------- */

static enum xl_status store(struct state *state, const struct log *log, const struct known *known,
                            struct xl_err *err) {
    sqlite3_stmt *put = NULL;
    enum xl_status status = xl_database_prepare(
        state->database, "INSERT OR REPLACE INTO logs VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        &put, err);
    if (status) return status;
    const int64_t numbers[] = {log->device,
                               log->inode,
                               known->size,
                               begin_hash(log->fd, known->size),
                               end_hash(log->fd, known->size),
                               known->counts.n_entries,
                               known->counts.n_damaged,
                               known->counts.first_damaged,
                               known->counts.n_failed,
                               known->counts.n_lines};
    sqlite3_bind_int64(put, 1, known->id);
    sqlite3_bind_text(put, 2, log->path, -1, SQLITE_STATIC);
    for (int i = 0; i < 10; i++) sqlite3_bind_int64(put, 3 + i, numbers[i]);
    status = xl_database_step(state->database, put, err);
    sqlite3_finalize(put);
    return status;
}

/* Read what a log has beyond what is known of it. */
static enum xl_status read_on(struct state *state, const struct log *log, struct known *known,
                              struct xl_err *err) {
    int64_t end = known->size, lines = known->counts.n_lines;
    bool is_moved = !known->path || strcmp(known->path, log->path) != 0 ||
                    known->inode != log->inode || known->device != log->device;
    if (log->size == known->size && !is_moved) return XL_OK;
    known->counts.n_pictures = 0;
    xl_rows_begin_log(state->rows, known->id, known->counts);
    enum xl_status status =
        log->size > known->size
            ? xl_load_log(log->path, log->fd, known->size, state->pool, state->rows, &end, err)
            : XL_OK;
    if (status) return status;
    known->counts = xl_rows_counted(state->rows);
    known->size = end;
    state->change->n_pictures += known->counts.n_pictures;
    state->change->n_lines += known->counts.n_lines - lines;
    return store(state, log, known, err);
}

/* Let go of what a log gave that is another now, or gone. */
static enum xl_status forget(struct state *state, const struct known *known, struct xl_err *err) {
    char text[160];
    snprintf(text, sizeof text,
             "DELETE FROM pictures WHERE log = %lld; DELETE FROM logs WHERE id = %lld",
             (long long)known->id, (long long)known->id);
    state->change->has_lost = true;
    return xl_database_run(state->database, text, err);
}

static enum xl_status update_log(struct state *state, const char *dir, const char *name,
                                 bool only_known, struct xl_err *err) {
    struct log log;
    struct known new = {.id = 0};
    enum xl_status status = open_log(dir, name, &log, err);
    struct known *known = status || log.fd < 0 ? NULL : find_known(state, &log);
    if (known) known->is_found = true;
    if (!status && log.fd >= 0 && !known && !only_known) {
        status = xl_database_number(state->database, "SELECT 1 + ifnull(max(id), 0) FROM logs", 0,
                                    &new.id, err);
        known = &new;
    }
    if (!status && known && (only_known || known == &new))
        status = read_on(state, &log, known, err);
    close_log(&log);
    return status;
}

static void deinit(struct state *state) {
    for (int i = 0; i < state->n_known; i++) free(state->known[i].path);
    free(state->known);
}

/* Known logs first: one that was rotated away must be found before a new one of its name. */
enum xl_status xl_logs_update(struct xl_database *database, const char *output_dir,
                              struct xl_pool *pool, struct xl_row_writer *rows,
                              struct xl_logs_change *change, struct xl_err *err) {
    struct dirent **entries = NULL;
    struct state state = {database, pool, rows, NULL, 0, change};
    bool *is_done = NULL;
    int n = scandir(output_dir, &entries, is_log, alphasort);
    if (n < 0 && errno != ENOENT)
        return xl_fail(err, XL_EINPUT, "%s: cannot list: %s", output_dir, strerror(errno));
    if (n < 0) n = 0;
    enum xl_status status = load_known(&state, err);
    if (!status && !(is_done = calloc((size_t)n + 1, sizeof *is_done)))
        status = xl_fail_nomem(err, "logs", 0);
    for (int i = 0; i < n && !status; i++) {
        int before = 0, after = 0;
        for (int k = 0; k < state.n_known; k++) before += state.known[k].is_found;
        status = update_log(&state, output_dir, entries[i]->d_name, true, err);
        for (int k = 0; k < state.n_known; k++) after += state.known[k].is_found;
        is_done[i] = after > before;
    }
    for (int i = 0; i < state.n_known && !status; i++)
        if (!state.known[i].is_found) status = forget(&state, &state.known[i], err);
    for (int i = 0; i < n && !status; i++)
        if (!is_done[i]) status = update_log(&state, output_dir, entries[i]->d_name, false, err);
    free(is_done);
    deinit(&state);
    free_entries(entries, n);
    return status;
}

enum xl_status xl_logs_differ(struct xl_database *database, const char *output_dir, bool *differ,
                              struct xl_err *err) {
    struct dirent **entries = NULL;
    struct state state = {.database = database};
    int n = scandir(output_dir, &entries, is_log, alphasort), n_same = 0;
    enum xl_status status = load_known(&state, err);
    for (int i = 0; i < n && !status; i++) {
        struct log log;
        status = open_log(output_dir, entries[i]->d_name, &log, err);
        for (int k = 0; k < state.n_known && !status && log.fd >= 0; k++) {
            const struct known *known = &state.known[k];
            n_same += known->inode == log.inode && known->device == log.device &&
                      known->size == log.size && !strcmp(known->path, log.path) &&
                      is_same(&log, known);
        }
        close_log(&log);
    }
    *differ = n_same != state.n_known || n_same != (n > 0 ? n : 0);
    deinit(&state);
    free_entries(entries, n > 0 ? n : 0);
    return status;
}
