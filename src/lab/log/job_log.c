/* job_log.c - opening, locking and appending. A log belongs to whoever opened it; appends are
 * serialised by its mutex within the process and by O_APPEND among processes. */
#include "lab/log/job_log.h"
#include "base/append.h"
#include "base/file.h"
#include "base/lock.h"
#include "base/log.h"
#include "lab/log/instance.h"
#include "lab/log/job_line.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

enum { MAX_SUFFIX = 999 };

struct xl_job_log {
    pthread_mutex_t mutex; /* guards fd */
    int fd;
    struct xl_lock *lock; /* NULL: shared */
    bool is_synced;
    char *path;
    char instance[XL_INSTANCE_MAX + 8];
};

const char *xl_job_log_unsafe_filesystem(int64_t type) {
    static const struct {
        uint32_t type;
        const char *name;
    } known[] = {
        {0x6969, "NFS"},          {0x517B, "SMB"},        {0xFF534D42, "CIFS"},
        {0xFE534D42, "SMB"},      {0x0BD00BD0, "Lustre"}, {0x47504653, "GPFS"},
        {0x00C36400, "Ceph"},     {0x19830326, "BeeGFS"}, {0xAAD7AAEA, "PanFS"},
        {0x5346414F, "AFS"},      {0x73757245, "Coda"},   {0x7461636F, "OCFS2"},
        {0x01021997, "9p"},       {0x65735546, "FUSE"},   {0x01161970, "GFS2"},
        {0x20030528, "OrangeFS"},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if ((uint32_t)type == known[i].type) return known[i].name;
    return NULL;
}

static enum xl_status open_log_file(struct xl_job_log *log, struct xl_err *err) {
    return xl_append_open(log->path, &log->fd, err);
}

static void warn_of_filesystem(const struct xl_job_log *log) {
    struct statfs st;
    const char *name = fstatfs(log->fd, &st) ? NULL : xl_job_log_unsafe_filesystem(st.f_type);
    if (name)
        xl_warn("%s: lies on %s, where lines of several machines can overwrite each other; give "
                "each its own INSTANCE_ID",
                log->path, name);
}

static struct xl_job_log *new_log(void) {
    struct xl_job_log *log = calloc(1, sizeof *log);
    if (!log) return NULL;
    log->fd = -1;
    pthread_mutex_init(&log->mutex, NULL);
    return log;
}

void xl_job_log_close(struct xl_job_log *log) {
    if (!log) return;
    if (log->fd >= 0) close(log->fd);
    xl_lock_release(log->lock); /* gives the name back */
    pthread_mutex_destroy(&log->mutex);
    free(log->path);
    free(log);
}

/* ---- The name ---- */

/* "jobs_a.log" and its lock ".jobs_a.lock", both in dir and malloc'd. */
static char *name_in(const char *dir, const char *instance, bool is_lock) {
    char name[XL_INSTANCE_MAX + 32];
    snprintf(name, sizeof name, "%sjobs%s%s.%s", is_lock ? "." : "", *instance ? "_" : "", instance,
             is_lock ? "lock" : "log");
    return xl_path_join(dir, name);
}

/* Take the first free of instance, instance_2, instance_3, ... */
static enum xl_status take_name(struct xl_job_log *log, const char *dir, const char *instance,
                                struct xl_err *err) {
    for (int suffix = 1; suffix <= MAX_SUFFIX; suffix++) {
        if (suffix == 1)
            snprintf(log->instance, sizeof log->instance, "%s", instance);
        else
            snprintf(log->instance, sizeof log->instance, "%s%s%d", instance, *instance ? "_" : "",
                     suffix);
        char *lock = name_in(dir, log->instance, true);
        if (!lock) return xl_fail_nomem(err, "a path", 0);
        char owner[XL_LOCK_OWNER];
        enum xl_status status = xl_lock_take(lock, &log->lock, owner, err);
        free(lock);
        if (status) return status;
        if (!log->lock) continue;
        log->path = name_in(dir, log->instance, false);
        return log->path ? XL_OK : xl_fail_nomem(err, "a path", 0);
    }
    return xl_fail(err, XL_EDISK, "%s: %d processes write job logs as instance \"%s\" already", dir,
                   MAX_SUFFIX, instance);
}

enum xl_status xl_job_log_open(const char *dir, const char *instance, struct xl_job_log **out,
                               struct xl_err *err) {
    char name[XL_INSTANCE_MAX + 1];
    xl_instance_name(instance, name);
    enum xl_status status = xl_dir_create(dir, err);
    if (status) return status;
    int room = xl_dir_name_max(dir) - (int)sizeof ".jobs__999.lock.owner.guard";
    if (room < XL_INSTANCE_MAX) name[room > 0 ? room : 0] = 0;
    struct xl_job_log *log = new_log();
    if (!log) return xl_fail_nomem(err, "the job log", sizeof *log);
    log->is_synced = true;
    status = take_name(log, dir, name, err);
    if (!status) status = open_log_file(log, err);
    if (status) {
        xl_job_log_close(log);
        return status;
    }
    if (strcmp(name, log->instance))
        xl_warn("another process writes job logs as instance \"%s\"; this one is \"%s\"", name,
                log->instance);
    warn_of_filesystem(log);
    *out = log;
    return XL_OK;
}

enum xl_status xl_job_log_open_shared(const char *path, bool is_synced, struct xl_job_log **out,
                                      struct xl_err *err) {
    struct xl_job_log *log = new_log();
    if (!log) return xl_fail_nomem(err, "the job log", sizeof *log);
    log->is_synced = is_synced;
    log->path = strdup(path);
    enum xl_status status = log->path ? open_log_file(log, err)
                                      : xl_fail_nomem(err, "a path", strlen(path));
    if (status) {
        xl_job_log_close(log);
        return status;
    }
    *out = log;
    return XL_OK;
}

const char *xl_job_log_path(const struct xl_job_log *log) {
    return log->path;
}

const char *xl_job_log_instance(const struct xl_job_log *log) {
    return log->instance;
}

/* ---- Appending ---- */

/* When somebody removed the log, begin a new one. */
static enum xl_status reopen_removed(struct xl_job_log *log, struct xl_err *err) {
    struct stat st;
    if (fstat(log->fd, &st) || st.st_nlink) return XL_OK;
    int old = log->fd;
    enum xl_status status = open_log_file(log, err);
    if (!status) close(old);
    return status;
}

static enum xl_status append_part(struct xl_job_log *log, const struct xl_job_entry *entry,
                                  struct xl_job_part part, struct xl_err *err) {
    char *text = NULL;
    size_t n = 0;
    enum xl_status status = xl_job_line(entry, log->instance, part, &text, &n, err);
    if (status) return status;
    char *room = malloc(n + 1);
    if (!room) {
        free(text);
        return xl_fail_nomem(err, "a line of the job log", n + 1);
    }
    memcpy(room + 1, text, n);
    free(text);
    int why = 0;
    pthread_mutex_lock(&log->mutex);
    status = reopen_removed(log, err);
    if (!status && (!entry->is_wanted || entry->is_wanted(entry->user)))
        why = xl_append_line(log->fd, room, n, log->is_synced);
    pthread_mutex_unlock(&log->mutex);
    free(room);
    if (why) return xl_fail(err, XL_EDISK, "%s: cannot write: %s", log->path, strerror(why));
    return status;
}

enum xl_status xl_job_log_append(struct xl_job_log *log, const struct xl_job_entry *entry,
                                 struct xl_err *err) {
    int parts = 0, first = 0;
    do {
        first += xl_job_part_at(entry, first).n;
        parts++;
    } while (first < entry->n_pictures);
    first = 0;
    for (int i = 1; i <= parts; i++) {
        struct xl_job_part part = xl_job_part_at(entry, first);
        part.part = i;
        part.parts = parts;
        enum xl_status status = append_part(log, entry, part, err);
        if (status) return status;
        first += part.n;
    }
    return XL_OK;
}
