/* blob_lock.c - flock, or a claim where there is none. Keeps nothing but the locks handed out. */
#include "hub/download/blob_lock.h"
#include "base/lock.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct xl_blob_lock {
    int fd;
    struct xl_lock *claim; /* NULL: the flock is a real one */
};

enum { RIGHTS = 0664 };
static const long PAUSE_NS = 100000000;

/* What a file system without locks answers. */
static bool means_no_locks(int why) {
    return why == ENOLCK || why == ENOSYS || why == EOPNOTSUPP || why == EINVAL || why == EPERM;
}

/* Is what was locked still what the path names? Some versions of Python's lock remove the file. */
static bool is_current(int fd, const char *path) {
    struct stat open_one, named;
    return !fstat(fd, &open_one) && !stat(path, &named) && open_one.st_dev == named.st_dev &&
           open_one.st_ino == named.st_ino;
}

static enum xl_status claim(const char *path, struct xl_blob_lock *lock, struct xl_err *err) {
    char claim_path[4096], owner[XL_LOCK_OWNER];
    if ((size_t)snprintf(claim_path, sizeof claim_path, "%s.owner", path) >= sizeof claim_path)
        return xl_fail(err, XL_EDISK, "%s: the path is too long", path);
    return xl_claim_take(claim_path, &lock->claim, owner, err);
}

/* One try. *is_taken: by us. */
static enum xl_status attempt(const char *path, struct xl_blob_lock *lock, bool *is_taken,
                              struct xl_err *err) {
    *is_taken = false;
    if (lock->fd < 0) {
        lock->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY, RIGHTS);
        /* As Python's: whatever the umask, the group may wait for it. */
        if (lock->fd >= 0) (void)!fchmod(lock->fd, RIGHTS);
    }
    if (lock->fd < 0)
        return xl_fail(err, XL_EDISK, "%s: cannot be locked: %s", path, strerror(errno));
    if (!flock(lock->fd, LOCK_EX | LOCK_NB)) {
        *is_taken = is_current(lock->fd, path);
        if (!*is_taken) close(lock->fd), lock->fd = -1;
        return XL_OK;
    }
    if (errno == EWOULDBLOCK || errno == EINTR) return XL_OK;
    if (!means_no_locks(errno))
        return xl_fail(err, XL_EDISK, "%s: cannot be locked: %s", path, strerror(errno));
    enum xl_status status = claim(path, lock, err);
    *is_taken = lock->claim != NULL;
    return status;
}

enum xl_status xl_blob_lock_take(const char *path, bool (*goes_on)(void *user), void *user,
                                 struct xl_blob_lock **out, bool *waited, struct xl_err *err) {
    struct xl_blob_lock *lock = calloc(1, sizeof *lock);
    bool is_taken = false;
    enum xl_status status = XL_OK;
    *waited = false;
    if (!lock) return xl_fail_nomem(err, "a lock", 0);
    lock->fd = -1;
    for (;;) {
        status = attempt(path, lock, &is_taken, err);
        if (status || is_taken) break;
        if (!*waited) xl_info("%s: waiting for another download", path);
        *waited = true;
        nanosleep(&(struct timespec){0, PAUSE_NS}, NULL);
        if (!goes_on(user)) {
            status = XL_ECANCELLED;
            break;
        }
    }
    if (!status)
        *out = lock;
    else
        xl_blob_lock_release(lock);
    return status;
}

void xl_blob_lock_release(struct xl_blob_lock *lock) {
    if (!lock) return;
    xl_lock_release(lock->claim);
    if (lock->fd >= 0) close(lock->fd);
    free(lock);
}
