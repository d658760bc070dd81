/* file.c */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool xl_file_exists(const char *path) {
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

bool xl_dir_exists(const char *path) {
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static enum xl_status read_all(int fd, const char *path, size_t size, char *buffer, size_t *n,
                               struct xl_err *err, enum xl_status status) {
    size_t have = 0;
    while (have < size) {
        ssize_t got = read(fd, buffer + have, size - have);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return xl_fail(err, status, "%s: cannot read: %s", path, strerror(errno));
        if (got == 0) break;
        have += (size_t)got;
    }
    buffer[have] = 0;
    *n = have;
    return XL_OK;
}

enum xl_status xl_file_read(const char *path, struct xl_read_rule rule, char **text, size_t *n,
                            struct xl_err *err) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return xl_fail(err, errno == ENOENT ? rule.missing : rule.unreadable, "%s: cannot open: %s",
                       path, strerror(errno));
    struct stat st;
    char *buffer = NULL;
    enum xl_status status = XL_OK;
    if (fstat(fd, &st) || !S_ISREG(st.st_mode))
        status = xl_fail(err, rule.unreadable, "%s: not a regular file", path);
    else if ((uint64_t)st.st_size > rule.max_bytes)
        status = xl_fail(err, rule.unreadable, "%s: %lld bytes is more than the %zu expected of it",
                         path, (long long)st.st_size, rule.max_bytes);
    else if (!(buffer = malloc((size_t)st.st_size + 1)))
        status = xl_fail_nomem(err, path, (size_t)st.st_size);
    else
        status = read_all(fd, path, (size_t)st.st_size, buffer, n, err, rule.unreadable);
    close(fd);
    if (status) {
        free(buffer);
        return status;
    }
    *text = buffer;
    return XL_OK;
}

enum xl_status xl_dir_create(const char *path, struct xl_err *err) {
    char *copy = strdup(path);
    if (!copy) return xl_fail_nomem(err, "a path", 0);
    int failed = 0;
    for (char *slash = copy + 1; !failed && *slash; slash++) {
        if (*slash != '/') continue;
        *slash = 0;
        failed = mkdir(copy, 0777) && errno != EEXIST;
        *slash = '/';
    }
    if (!failed) failed = mkdir(copy, 0777) && errno != EEXIST;
    int why = errno;
    free(copy);
    if (failed || !xl_dir_exists(path))
        return xl_fail(err, XL_EDISK, "%s: cannot create the directory: %s", path,
                       failed ? strerror(why) : "a file of that name is in the way");
    return XL_OK;
}

static int write_all(int fd, const char *data, size_t n) {
    while (n) {
        ssize_t done = write(fd, data, n);
        if (done < 0 && errno == EINTR) continue;
        if (done < 0) return -1;
        data += done;
        n -= (size_t)done;
    }
    return 0;
}

static int sync_directory_of(const char *path) {
    char *copy = strdup(path);
    if (!copy) return -1;
    char *slash = strrchr(copy, '/');
    if (slash) slash[slash == copy] = 0;
    int fd = open(slash ? copy : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(copy);
    if (fd < 0) return -1;
    /* Some network file systems cannot sync a directory; the file itself is already safe. */
    int failed = fsync(fd) && errno != EINVAL;
    close(fd);
    return failed ? -1 : 0;
}

enum xl_status xl_file_write_new(const char *path, const void *data, size_t n, bool *exists,
                                 struct xl_err *err) {
    if (exists) *exists = false;
    size_t len = strlen(path) + sizeof ".XXXXXX.tmp";
    char *temporary = malloc(len);
    if (!temporary) return xl_fail_nomem(err, "a path", len);
    snprintf(temporary, len, "%s.XXXXXX.tmp", path);
    int fd = mkostemps(temporary, 4, O_CLOEXEC);
    int failed = fd < 0;
    bool made = !failed;
    if (made) {
        mode_t mask = umask(0);
        umask(mask);
        failed = fchmod(fd, 0666 & ~mask) || write_all(fd, data, n) || fsync(fd);
        int why = errno;
        failed |= close(fd);
        if (failed && why) errno = why;
    }
    bool taken = false;
    if (!failed && link(temporary, path)) { /* link, unlike rename, never replaces */
        taken = errno == EEXIST;
        failed = 1;
        if (!taken && (errno == EPERM || errno == EOPNOTSUPP || errno == ENOSYS)) {
            /* No hard links here (FAT, some FUSE): rename after a look is the best there is. */
            taken = access(path, F_OK) == 0;
            failed = taken || rename(temporary, path);
            made = failed;
        }
    }
    if (!failed) failed = sync_directory_of(path);
    int why = errno;
    if (made) unlink(temporary);
    free(temporary);
    if (taken) {
        if (exists) *exists = true;
        return xl_fail(err, XL_EDISK, "%s: exists already and is not replaced", path);
    }
    if (failed) return xl_fail(err, XL_EDISK, "%s: cannot write: %s", path, strerror(why));
    return XL_OK;
}

char *xl_path_join(const char *a, const char *b) {
    size_t n = strlen(a);
    while (n > 1 && a[n - 1] == '/') n--;
    size_t len = n + 1 + strlen(b) + 1;
    char *path = malloc(len);
    if (path) snprintf(path, len, "%.*s%s%s", (int)n, a, n && a[n - 1] == '/' ? "" : "/", b);
    return path;
}
