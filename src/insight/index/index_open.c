/* index_open.c - opening, bringing up to date, making anew. */
#include "base/clock.h"
#include "base/file.h"
#include "base/lock.h"
#include "base/log.h"
#include "base/str.h"
#include "insight/index/index_inner.h"
#include "insight/index/logs.h"
#include "insight/index/mark_rows.h"
#include "insight/index/records.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { LOCK_WAIT_S = 300, LOCK_POLL_MS = 20 };

/* --- The lock --------------------------------------------------------------------------------- */

static enum xl_status take_lock(struct xl_index *index, struct xl_lock **out, struct xl_err *err) {
    char owner[XL_LOCK_OWNER];
    char *path = xl_path_join(index->index_dir, XL_DATABASE_LOCK);
    if (!path) return xl_fail_nomem(err, "a path", 0);
    double end = xl_now_s() + LOCK_WAIT_S;
    enum xl_status status;
    do {
        status = xl_lock_take(path, out, owner, err);
        if (status || *out) break;
        nanosleep(&(struct timespec){.tv_nsec = LOCK_POLL_MS * 1000000}, NULL);
    } while (xl_now_s() < end);
    free(path);
    if (!status && !*out)
        return xl_fail(err, XL_EDISK, "%s: %s has been writing it for %d minutes", index->index_dir,
                       owner, LOCK_WAIT_S / 60);
    return status;
}

/* --- Filling ---------------------------------------------------------------------------------- */

static enum xl_status fill(struct xl_index *index, bool is_new, struct xl_pool *pool,
                           struct xl_err *err) {
    struct xl_database *database = &index->database;
    struct xl_logs_change change = {0};
    struct xl_folder_list named = {0};
    struct xl_row_writer *rows = NULL;
    int64_t n_records = 0, newest = 0;
    enum xl_status status =
        xl_database_number(database, "SELECT ifnull(max(id), 0) FROM pictures", 0, &newest, err);
    if (!status) status = xl_rows_new(database, index->output_dir, is_new, &rows, err);
    if (!status) status = xl_logs_update(database, index->output_dir, pool, rows, &change, err);
    if (!status && is_new) status = xl_database_index(database, err);
    if (!status && !is_new && change.n_pictures)
        status = xl_rows_drop_doubles(database, newest, err);
    if (!status) status = xl_mark_rows_read(database, index->output_dir, &named, err);
    struct xl_records_params params = {.output_dir = index->output_dir,
                                       .named = (const char *const *)named.paths,
                                       .n_named = named.n,
                                       .look_everywhere = change.has_lost || named.has_changed};
    if (!status) status = xl_records_update(database, &params, pool, rows, &n_records, err);
    if (!status) status = xl_rows_finish(rows, err);
    if (!status) status = xl_mark_rows_join(database, index->output_dir, err);
    xl_folder_list_free(&named);
    xl_rows_free(rows);
    index->n_new += change.n_pictures + n_records;
    return status;
}

static enum xl_status fill_with_pool(struct xl_index *index, bool is_new, struct xl_err *err) {
    struct xl_pool *pool = NULL;
    enum xl_status status = xl_pool_new(index->params.threads, NULL, &pool, err);
    if (!status) status = fill(index, is_new, pool, err);
    xl_pool_free(pool);
    return status;
}

static enum xl_status build(struct xl_index *index, const char *why, struct xl_err *err) {
    struct xl_database new;
    xl_database_close(&index->database);
    index->n_new = 0;
    enum xl_status status =
        xl_database_create(index->index_dir, index->params.is_rollback, &new, err);
    index->database = new;
    if (!status) status = fill_with_pool(index, true, err);
    if (!status) status = xl_database_finish(&index->database, err);
    index->rebuilt = why;
    return status;
}

/* Where there are no locks: on a copy, which then takes the place of what it was made of. */
static enum xl_status transact_on_copy(struct xl_index *index, xl_index_work *work, void *user,
                                       struct xl_err *err) {
    struct xl_database copy;
    enum xl_status status = xl_database_copy(&index->database, &copy, err);
    xl_database_close(&index->database);
    index->database = copy;
    if (!status) status = work(index, user, err);
    return status ? status : xl_database_finish(&index->database, err);
}

/* With the lock. */
static enum xl_status transact(struct xl_index *index, xl_index_work *work, void *user,
                               struct xl_err *err) {
    struct xl_database *database = &index->database;
    if (database->has_no_locks) return transact_on_copy(index, work, user, err);
    enum xl_status status = xl_database_run(database, "BEGIN IMMEDIATE", err);
    if (status) return status;
    status = work(index, user, err);
    if (!status) status = xl_database_run(database, "COMMIT", err);
    if (status) {
        if (sqlite3_exec(database->sql, "ROLLBACK", NULL, NULL, NULL) != SQLITE_OK)
            database->is_damaged = true;
        return status;
    }
    /* So that nothing is lost with the write-ahead log; readers may still need it, and then it
     * stays.
     */
    if (!database->network)
        sqlite3_exec(database->sql,
                     "PRAGMA busy_timeout=0; PRAGMA wal_checkpoint(TRUNCATE);"
                     "PRAGMA busy_timeout=20000",
                     NULL, NULL, NULL);
    return XL_OK;
}

static enum xl_status fill_more(struct xl_index *index, void *user, struct xl_err *err) {
    (void)user;
    return fill_with_pool(index, false, err);
}

/* --- Opening ---------------------------------------------------------------------------------- */

static enum xl_status reopen(struct xl_index *index, struct xl_err *err) {
    xl_database_close(&index->database);
    return xl_database_open(index->index_dir, index->params.is_rollback, &index->database, err);
}

/* Whether a file is another one than when it was read. */
static enum xl_status differs(struct xl_index *index, bool for_sure, bool *out,
                              struct xl_err *err) {
    enum xl_status status = xl_logs_differ(&index->database, index->output_dir, out, err);
    if (!status && !*out) status = xl_records_differ(&index->database, for_sure, out, err);
    if (!status && !*out)
        status = xl_mark_rows_differ(&index->database, index->output_dir, out, err);
    return status;
}

/* With the lock: another process may have done it in the meantime. */
static enum xl_status bring_up(struct xl_index *index, bool is_rebuild, struct xl_err *err) {
    struct xl_err why = {.text = ""};
    if (is_rebuild) return build(index, "it was asked for", err);
    enum xl_status status = reopen(index, &why);
    if (!status && !index->database.sql) return build(index, "there was none", err);
    if (!status) status = transact(index, fill_more, NULL, &why);
    if (status && index->database.is_damaged) {
        xl_note("the index is made anew: %s", why.text);
        return build(index, "it was damaged, or of another version", err);
    }
    if (status && err) *err = why;
    return status;
}

static enum xl_status open_it(struct xl_index *index, enum xl_index_how how, struct xl_err *err) {
    struct xl_lock *lock = NULL;
    bool differ = true;
    if (how == XL_INDEX_LOOK) {
        enum xl_status status = reopen(index, err);
        if (status && index->database.is_damaged)
            return xl_fail_context(err, status, "sdxl-lab index rebuild makes it anew");
        if (status || index->database.sql) return status;
        return xl_fail(err, XL_EINPUT, "%s: there is no index; sdxl-lab index update makes one",
                       index->index_dir);
    }
    enum xl_status status = xl_dir_create(index->index_dir, err);
    if (status)
        return xl_fail_context(err, status, "the index (--index-dir says where it can be written)");
    if (how == XL_INDEX_UPDATE && !reopen(index, NULL) && index->database.sql &&
        !differs(index, false, &differ, NULL) && !differ)
        return XL_OK;
    status = take_lock(index, &lock, err);
    if (!status) status = bring_up(index, how == XL_INDEX_REBUILD, err);
    xl_lock_release(lock);
    return status;
}

static enum xl_status find_folders(struct xl_index *index, struct xl_err *err) {
    char real[PATH_MAX];
    const char *dir = index->params.output_dir;
    if (!xl_dir_exists(dir) || !realpath(dir, real))
        return xl_fail(err, XL_EINPUT,
                       "%s: no such folder; --output-dir says where the pictures and job logs are",
                       dir);
    index->output_dir = strdup(real);
    index->index_dir = index->params.index_dir ? strdup(index->params.index_dir)
                                               : xl_path_join(real, ".index");
    return index->output_dir && index->index_dir ? XL_OK : xl_fail_nomem(err, "a path", 0);
}

enum xl_status xl_index_open(const struct xl_index_params *params, enum xl_index_how how,
                             struct xl_index **out, struct xl_err *err) {
    double start = xl_now_s();
    struct xl_index *index = calloc(1, sizeof *index);
    if (!index) return xl_fail_nomem(err, "the index", sizeof *index);
    index->params = *params;
    enum xl_status status = find_folders(index, err);
    if (!status) status = open_it(index, how, err);
    index->seconds = xl_now_s() - start;
    if (status)
        xl_index_close(index);
    else
        *out = index;
    return status;
}

void xl_index_close(struct xl_index *index) {
    if (!index) return;
    xl_database_close(&index->database);
    free(index->output_dir);
    free(index->index_dir);
    free(index);
}

bool xl_index_mended(struct xl_index *index, enum xl_status status, struct xl_err *err) {
    struct xl_lock *lock = NULL;
    if (!status || !index->database.is_damaged || index->rebuilt) return false;
    if (err) xl_note("the index is made anew: %s", err->text);
    status = take_lock(index, &lock, err);
    if (!status) status = build(index, "it was damaged", err);
    xl_lock_release(lock);
    return !status;
}

enum xl_status xl_index_write(struct xl_index *index, xl_index_work *work, void *user,
                              struct xl_err *err) {
    struct xl_lock *lock = NULL;
    enum xl_status status = take_lock(index, &lock, err);
    if (!status) status = transact(index, work, user, err);
    xl_lock_release(lock);
    return xl_index_mended(index, status, err) ? xl_index_write(index, work, user, err) : status;
}

/* --- Telling ---------------------------------------------------------------------------------- */

static enum xl_status count(struct xl_index *index, struct xl_index_report *out,
                            struct xl_err *err) {
    const struct {
        const char *query;
        int64_t *to;
    } rows[] = {
        {"SELECT count(*) FROM pictures", &out->n_pictures},
        {"SELECT count(*) FROM looked WHERE picture IS NOT NULL", &out->n_from_records},
        {"SELECT count(*) FROM looked WHERE picture IS NULL AND NOT is_sheet",
         &out->n_without_record},
        {"SELECT count(*) FROM logs", &out->n_logs},
        {"SELECT ifnull(sum(entries), 0) FROM logs", &out->n_lines},
        {"SELECT ifnull(sum(damaged), 0) FROM logs", &out->n_damaged},
        {"SELECT ifnull(sum(failed), 0) FROM logs", &out->n_failed},
        {"SELECT count(*) FROM folders", &out->n_folders},
        {"SELECT count(*) FROM folders WHERE is_named", &out->n_named_folders},
        {"SELECT count(*) FROM marks WHERE loved", &out->n_loved},
        {"SELECT count(*) FROM marks WHERE rating > 0", &out->n_rated},
        {"SELECT count(*) FROM duels", &out->n_duels},
        {"SELECT count(DISTINCT picture) FROM disagreements JOIN pictures ON pictures.id = picture",
         &out->n_disagree},
        {"SELECT count(*) FROM marks WHERE picture IS NULL AND (loved OR rating > 0)",
         &out->n_unknown},
    };
    enum xl_status status = XL_OK;
    for (size_t i = 0; i < sizeof rows / sizeof *rows && !status; i++)
        status = xl_database_number(&index->database, rows[i].query, 0, rows[i].to, err);
    out->n_from_logs = out->n_pictures - out->n_from_records;
    return status;
}

enum xl_status xl_index_tell(struct xl_index *index, struct xl_index_report *out,
                             struct xl_err *err) {
    struct stat st;
    *out = (struct xl_index_report){.path = index->database.path,
                                    .network = index->database.network,
                                    .rebuilt = index->rebuilt,
                                    .n_new = index->n_new,
                                    .n_packed = xl_logs_packed(index->output_dir),
                                    .seconds = index->seconds};
    if (!stat(index->database.path, &st)) out->bytes = st.st_size;
    bool differ = false;
    enum xl_status status = differs(index, true, &differ, err);
    out->is_current = !differ;
    if (!status) status = count(index, out, err);
    if (xl_index_mended(index, status, err)) return xl_index_tell(index, out, err);
    return status;
}
