/* lock.c - open-file-description locks, and claims where there are none. Keeps no state but the
 * locks that were handed out; functions may be called on any thread. */
#include "base/lock.h"

#include "base/process_id.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { MAX_TRIES = 40, TRY_MS = 50 };

struct xl_lock {
    int fd;                           /* has the lock; with a claim it is only open */
    char *claim;                      /* malloc'd path; NULL: a real lock */
    char identity[XL_PROCESS_ID_MAX]; /* what our claim says */
};

/* --- Claims ---------------------------------------------------------------------------------- */

static enum xl_status fail(const char *path, struct xl_err *err) {
    return xl_fail(err, XL_EDISK, "%s: cannot be locked: %s", path, strerror(errno));
}

/* Make a file that says who we are, unless it is there. *is_made: whether it was us. */
static enum xl_status make_claim(const char *path, const char *identity, bool *is_made,
                                 struct xl_err *err) {
    *is_made = false;
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0) return errno == EEXIST ? XL_OK : fail(path, err);
    size_t n = strlen(identity);
    bool ok = write(fd, identity, n) == (ssize_t)n && !fsync(fd);
    if (close(fd)) ok = false;
    *is_made = ok;
    if (ok) return XL_OK;
    enum xl_status status = fail(path, err);
    unlink(path);
    return status;
}

/* False: not there. A claim that is being written is empty for a moment. */
static bool read_claim(const char *path, char text[XL_PROCESS_ID_MAX]) {
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    text[0] = 0;
    if (fd < 0) return false;
    ssize_t n = read(fd, text, XL_PROCESS_ID_MAX - 1);
    close(fd);
    text[n > 0 ? n : 0] = 0;
    return true;
}

static void wait_a_little(void) {
    nanosleep(&(struct timespec){0, TRY_MS * 1000000L}, NULL);
}

/* Remove a claim of an ended process. Only whoever has the guard (a claim itself) does so, and
 * looks again: else the claim of somebody who was faster would be removed. */
static enum xl_status remove_ended(const char *claim, const char *identity, struct xl_err *err) {
    char guard[4096], text[XL_PROCESS_ID_MAX];
    struct xl_process_id owner;
    bool has_guard = false;
    if ((size_t)snprintf(guard, sizeof guard, "%s.guard", claim) >= sizeof guard)
        return xl_fail(err, XL_EDISK, "%s: the path is too long", claim);
    enum xl_status status = make_claim(guard, identity, &has_guard, err);
    if (status) return status;
    if (!has_guard) {
        if (read_claim(guard, text) && xl_process_id_read(text, &owner) &&
            xl_process_has_ended(&owner))
            unlink(guard);
        wait_a_little();
        return XL_OK;
    }
    if (read_claim(claim, text) && xl_process_id_read(text, &owner) && xl_process_has_ended(&owner))
        unlink(claim);
    unlink(guard);
    return XL_OK;
}

static void tell_owner(const struct xl_process_id *owner, const char *claim,
                       char out[XL_LOCK_OWNER]) {
    bool is_here = xl_process_is_here(owner);
    snprintf(out, XL_LOCK_OWNER, is_here ? "process %d" : "process %d on host %s", owner->pid,
             owner->host);
    size_t n = strlen(out);
    if (!is_here)
        snprintf(out + n, XL_LOCK_OWNER - n, "; if that does not run any more, remove %.300s",
                 claim);
}

/* Take the claim, or tell who has it. *is_taken: by us. */
static enum xl_status take_claim(struct xl_lock *lock, char owner_text[XL_LOCK_OWNER],
                                 bool *is_taken, struct xl_err *err) {
    struct xl_process_id owner;
    char text[XL_PROCESS_ID_MAX];
    for (int i = 0; i < MAX_TRIES; i++) {
        enum xl_status status = make_claim(lock->claim, lock->identity, is_taken, err);
        if (status || *is_taken) return status;
        if (!read_claim(lock->claim, text)) continue;
        if (!xl_process_id_read(text, &owner)) {
            wait_a_little();
            continue;
        }
        if (!xl_process_has_ended(&owner)) {
            tell_owner(&owner, lock->claim, owner_text);
            return XL_OK;
        }
        status = remove_ended(lock->claim, lock->identity, err);
        if (status) return status;
    }
    snprintf(owner_text, XL_LOCK_OWNER, "somebody who left %.300s; remove it if nobody is at work",
             lock->claim);
    return XL_OK;
}

/* --- Locks ----------------------------------------------------------------------------------- */

/* What a file system without locks answers. */
static bool means_no_locks(int why) {
    return why == ENOLCK || why == ENOSYS || why == EOPNOTSUPP || why == ENOTSUP || why == EINVAL ||
           why == EPERM || why == EBADF;
}

static enum xl_status lock_file(struct xl_lock *lock, const char *path, char owner[XL_LOCK_OWNER],
                                bool *is_taken, struct xl_err *err) {
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int got;
    do got = fcntl(lock->fd, F_OFD_SETLK, &whole);
    while (got && errno == EINTR);
    *is_taken = !got;
    if (!got) return XL_OK;
    if (errno == EAGAIN || errno == EACCES) {
        snprintf(owner, XL_LOCK_OWNER, "another process");
        return XL_OK;
    }
    if (!means_no_locks(errno)) return fail(path, err);
    struct xl_process_id me = xl_process_self();
    xl_process_id_write(&me, lock->identity);
    if (asprintf(&lock->claim, "%s.owner", path) < 0) {
        lock->claim = NULL;
        return xl_fail_nomem(err, "a path", 0);
    }
    return take_claim(lock, owner, is_taken, err);
}

/* A regular file, never what a link points to. Without O_NONBLOCK, opening a pipe would wait. Where
 * anybody may make files (/tmp), somebody else's can be opened, but not by who would make it
 * (fs.protected_regular). */
static enum xl_status open_file(const char *path, int *fd, struct xl_err *err) {
    enum { FLAGS = O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC };
    struct stat st;
    *fd = open(path, FLAGS);
    if (*fd < 0 && errno == ENOENT) *fd = open(path, FLAGS | O_CREAT, 0666);
    if (*fd < 0) return fail(path, err);
    if (!fstat(*fd, &st) && S_ISREG(st.st_mode)) return XL_OK;
    return xl_fail(err, XL_EDISK, "%s: is not a regular file", path);
}

static void lock_free(struct xl_lock *lock) {
    if (lock->fd >= 0) close(lock->fd);
    free(lock->claim);
    free(lock);
}

enum xl_status xl_lock_take(const char *path, struct xl_lock **out, char owner[XL_LOCK_OWNER],
                            struct xl_err *err) {
    struct xl_lock *lock = calloc(1, sizeof *lock);
    if (!lock) return xl_fail_nomem(err, "a lock", sizeof *lock);
    bool is_taken = false;
    owner[0] = 0;
    enum xl_status status = open_file(path, &lock->fd, err);
    if (!status) status = lock_file(lock, path, owner, &is_taken, err);
    if (!is_taken) {
        lock_free(lock);
        lock = NULL;
    }
    if (!status) *out = lock;
    return status;
}

enum xl_status xl_lock_look(const char *path, bool *is_taken, struct xl_err *err) {
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    char claim[4096], text[XL_PROCESS_ID_MAX];
    struct xl_process_id owner;
    *is_taken = false;
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0) return errno == ENOENT ? XL_OK : fail(path, err);
    int why = fcntl(fd, F_OFD_GETLK, &whole) ? errno : 0;
    close(fd);
    if (!why) {
        *is_taken = whole.l_type != F_UNLCK;
        return XL_OK;
    }
    errno = why;
    if (!means_no_locks(why)) return fail(path, err);
    if ((size_t)snprintf(claim, sizeof claim, "%s.owner", path) >= sizeof claim)
        return xl_fail(err, XL_EDISK, "%s: the path is too long", path);
    *is_taken = read_claim(claim, text) &&
                !(xl_process_id_read(text, &owner) && xl_process_has_ended(&owner));
    return XL_OK;
}

enum xl_status xl_claim_take(const char *path, struct xl_lock **out, char owner[XL_LOCK_OWNER],
                             struct xl_err *err) {
    struct xl_lock *lock = calloc(1, sizeof *lock);
    if (!lock) return xl_fail_nomem(err, "a lock", sizeof *lock);
    struct xl_process_id me = xl_process_self();
    bool is_taken = false;
    owner[0] = 0;
    lock->fd = -1;
    lock->claim = strdup(path);
    xl_process_id_write(&me, lock->identity);
    enum xl_status status = lock->claim ? take_claim(lock, owner, &is_taken, err)
                                        : xl_fail_nomem(err, "a path", 0);
    if (!is_taken) {
        lock_free(lock);
        lock = NULL;
    }
    if (!status) *out = lock;
    return status;
}

int xl_lock_descriptor(const struct xl_lock *lock) {
    return lock ? lock->fd : -1;
}

/* The claim goes if it is still ours: somebody may have removed it and another have made one. */
void xl_lock_release(struct xl_lock *lock) {
    if (!lock) return;
    char text[XL_PROCESS_ID_MAX];
    if (lock->claim && read_claim(lock->claim, text) && !strcmp(text, lock->identity))
        unlink(lock->claim);
    lock_free(lock);
}
