/* journal.c - the lock, the descriptor that lines are appended to, and the file put in its place.
 */
#include "jobs/queue/journal.h"

#include "base/append.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/lock.h"
#include "base/str.h"
#include "lab/log/instance.h"
#include "lab/log/job_log.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Below this a journal is never long. */
enum { SHORT_BYTES = 4 << 20, LONG_TIMES = 4 };

static const double LOCK_PATIENCE_S = 5;

struct xl_journal {
    char *path;
    struct xl_lock *lock;
    pthread_mutex_t mutex; /* for what follows */
    int fd;
    bool is_behind, is_held;
    struct xl_str tail;         /* lines since it is held */
    int64_t bytes, first_bytes; /* now, and when it was written as a whole */
};

static enum xl_status take_lock(const char *path, struct xl_lock **lock, struct xl_err *err) {
    const struct timespec moment = {.tv_nsec = 50000000};
    char owner[XL_LOCK_OWNER] = "";
    double start_s = xl_now_s();
    for (;;) {
        enum xl_status status = xl_lock_take(path, lock, owner, err);
        if (status || *lock) return status;
        if (xl_now_s() - start_s > LOCK_PATIENCE_S) break;
        nanosleep(&moment, NULL);
    }
    return xl_fail(err, XL_EDISK,
                   "%s: %s has this queue; stop it first, or give this one a name of its own with "
                   "--instance (INSTANCE_ID)",
                   path, owner);
}

/* The paths of an instance's file and its lock, in a folder that is there then. */
static enum xl_status make_paths(const char *output_dir, const char *instance, char **path,
                                 char **lock, struct xl_err *err) {
    char name[XL_INSTANCE_MAX + 1];
    xl_instance_name(instance, name);
    if (!name[0]) snprintf(name, sizeof name, "queue");
    char *dir = xl_path_join(output_dir, ".queue");
    enum xl_status status = dir ? xl_dir_create(dir, err) : xl_fail_nomem(err, "a path", 0);
    if (!status && (asprintf(path, "%s/%s.jsonl", dir, name) < 0 ||
                    asprintf(lock, "%s/%s.lock", dir, name) < 0))
        status = xl_fail_nomem(err, "a path", 0);
    free(dir);
    return status;
}

/* With the mutex held, or before anybody else has it. */
static enum xl_status open_file(struct xl_journal *journal, struct xl_err *err) {
    struct stat file;
    int fd;
    enum xl_status status = xl_append_open(journal->path, &fd, err);
    if (status) return status;
    if (journal->fd >= 0) close(journal->fd);
    journal->fd = fd;
    journal->bytes = fstat(fd, &file) ? 0 : file.st_size;
    journal->first_bytes = journal->bytes;
    return XL_OK;
}

enum xl_status xl_journal_open(const char *output_dir, const char *instance,
                               struct xl_journal **out, struct xl_err *err) {
    char *lock = NULL;
    struct xl_journal *journal = calloc(1, sizeof *journal);
    if (!journal) return xl_fail_nomem(err, "a journal", sizeof *journal);
    journal->fd = -1;
    pthread_mutex_init(&journal->mutex, NULL);
    enum xl_status status = make_paths(output_dir, instance, &journal->path, &lock, err);
    if (!status) status = take_lock(lock, &journal->lock, err);
    if (!status) status = open_file(journal, err);
    free(lock);
    if (status)
        xl_journal_close(journal);
    else
        *out = journal;
    return status;
}

void xl_journal_close(struct xl_journal *journal) {
    if (!journal) return;
    if (journal->fd >= 0) close(journal->fd);
    xl_lock_release(journal->lock);
    xl_str_deinit(&journal->tail);
    pthread_mutex_destroy(&journal->mutex);
    free(journal->path);
    free(journal);
}

const char *xl_journal_path(const struct xl_journal *journal) {
    return journal->path;
}

int xl_journal_descriptor(const struct xl_journal *journal) {
    return xl_lock_descriptor(journal->lock);
}

/* --- Reading ---------------------------------------------------------------------------------- */

struct reading {
    xl_journal_line_fn *line;
    void *user;
};

static enum xl_status read_line(void *user, const json_t *object, int64_t number,
                                struct xl_err *err) {
    const struct reading *reading = user;
    (void)number;
    return reading->line(reading->user, object, err);
}

enum xl_status xl_journal_read(struct xl_journal *journal, xl_journal_line_fn *line, void *user,
                               int *n_damaged, struct xl_err *err) {
    struct reading reading = {line, user};
    struct xl_job_counts counts = {0};
    enum xl_status status = xl_job_log_read(journal->path, read_line, &reading, &counts, err);
    *n_damaged = (int)counts.n_damaged;
    return status;
}

/* --- Appending -------------------------------------------------------------------------------- */

/* With the mutex held. text: a line, behind a byte of room. */
static enum xl_status append(struct xl_journal *journal, char *text, size_t n, bool is_synced,
                             struct xl_err *err) {
    if (journal->is_behind)
        return xl_fail(err, XL_EDISK, "%s: lines could not be written before this one",
                       journal->path);
    int why = xl_append_line(journal->fd, text, n, is_synced);
    if (!why) journal->bytes += (int64_t)n;
    return why ? xl_fail(err, XL_EDISK, "%s: cannot write: %s", journal->path, strerror(why))
               : XL_OK;
}

enum xl_status xl_journal_append(struct xl_journal *journal, struct xl_journal_line line,
                                 struct xl_err *err) {
    char *dumped = line.line ? xl_json_dump(line.line, JSON_COMPACT) : NULL, *text = NULL;
    int n = dumped ? asprintf(&text, "\n%s\n", dumped) : -1;
    json_decref(line.line);
    free(dumped);
    pthread_mutex_lock(&journal->mutex);
    enum xl_status status = n < 0 ? xl_fail_nomem(err, "a line of the journal", 0)
                                  : append(journal, text, (size_t)n - 1, line.is_synced, err);
    if (status) journal->is_behind = true;
    if (n >= 0 && journal->is_held && !(status && line.is_undone))
        xl_str_append(&journal->tail, text + 1, (size_t)n - 1);
    pthread_mutex_unlock(&journal->mutex);
    if (n >= 0) free(text);
    return status;
}

bool xl_journal_is_behind(struct xl_journal *journal) {
    pthread_mutex_lock(&journal->mutex);
    bool is_behind = journal->is_behind;
    pthread_mutex_unlock(&journal->mutex);
    return is_behind;
}

bool xl_journal_is_long(struct xl_journal *journal) {
    pthread_mutex_lock(&journal->mutex);
    bool is_long = journal->bytes > SHORT_BYTES &&
                   journal->bytes > LONG_TIMES * journal->first_bytes;
    pthread_mutex_unlock(&journal->mutex);
    return is_long;
}

/* --- Anew ------------------------------------------------------------------------------------- */

void xl_journal_hold(struct xl_journal *journal) {
    pthread_mutex_lock(&journal->mutex);
    journal->is_held = true;
    pthread_mutex_unlock(&journal->mutex);
}

/* With the mutex held. */
static enum xl_status replace(struct xl_journal *journal, const char *text, size_t n,
                              struct xl_err *err) {
    struct xl_str all = {0};
    xl_str_append(&all, text, n);
    if (journal->tail.len) xl_str_append(&all, journal->tail.text, journal->tail.len);
    bool has_all = !all.failed && !journal->tail.failed;
    enum xl_status status =
        has_all ? xl_file_replace(journal->path, all.text ? all.text : "", all.len, err)
                : xl_fail_nomem(err, "a journal", n);
    xl_str_deinit(&all);
    if (status) return status; /* the old file is as good as it was */
    status = open_file(journal, err);
    journal->is_behind = status != XL_OK; /* what is appended to the old one is lost */
    return status;
}

enum xl_status xl_journal_replace(struct xl_journal *journal, const char *text, size_t n,
                                  struct xl_err *err) {
    enum xl_status status = XL_OK;
    pthread_mutex_lock(&journal->mutex);
    if (text)
        status = replace(journal, text, n, err);
    else
        status = xl_fail_nomem(err, "a journal", 0);
    journal->is_held = false;
    xl_str_deinit(&journal->tail);
    pthread_mutex_unlock(&journal->mutex);
    return status;
}
