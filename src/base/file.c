/* file.c - files read whole, and files that appear whole. Nothing here keeps state: any thread may
 * call anything, and two writers of one name settle it between them through the file system. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

bool xl_file_exists(const char *path) {
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

bool xl_dir_exists(const char *path) {
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Read up to `size` bytes: how many there were, or -1 with errno set. */
static ssize_t read_all(int fd, char *buffer, size_t size) {
    size_t have = 0;
    while (have < size) {
        ssize_t got = read(fd, buffer + have, size - have);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return -1;
        if (got == 0) break;
        have += (size_t)got;
    }
    return (ssize_t)have;
}

enum xl_status xl_file_read(const char *path, struct xl_read_rule rule, char **text, size_t *n,
                            struct xl_err *err) {
    /* Without O_NONBLOCK, opening a pipe that nobody writes to would wait forever. */
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0) {
        bool is_missing = errno == ENOENT || errno == ENOTDIR;
        return xl_fail(err, is_missing ? rule.missing : rule.unreadable, "%s: cannot open: %s",
                       path, strerror(errno));
    }
    struct stat st;
    char *buffer = NULL;
    ssize_t have = 0;
    enum xl_status status = XL_OK;
    if (fstat(fd, &st) || !S_ISREG(st.st_mode))
        status = xl_fail(err, rule.unreadable, "%s: not a regular file", path);
    else if ((uint64_t)st.st_size > rule.max_bytes)
        status = xl_fail(err, rule.unreadable, "%s: the file has %lld bytes; expected at most %zu",
                         path, (long long)st.st_size, rule.max_bytes);
    else if (!(buffer = malloc((size_t)st.st_size + 1)))
        status = xl_fail_nomem(err, path, (size_t)st.st_size);
    else if ((have = read_all(fd, buffer, (size_t)st.st_size)) < 0)
        status = xl_fail(err, rule.unreadable, "%s: cannot read: %s", path, strerror(errno));
    close(fd);
    if (status) {
        free(buffer);
        return status;
    }
    buffer[have] = 0;
    *text = buffer;
    *n = (size_t)have;
    return XL_OK;
}

/* 0 also when it is there already; else the errno of mkdir. */
static int create_one(const char *path) {
    if (!mkdir(path, 0777)) return 0;
    int why = errno;
    return xl_dir_exists(path) ? 0 : why;
}

enum xl_status xl_dir_create(const char *path, struct xl_err *err) {
    char *copy = strdup(path);
    if (!copy) return xl_fail_nomem(err, "a path", 0);
    int why = 0;
    for (char *c = copy; *c && !why; c++) {
        if (*c != '/' || c == copy) continue;
        *c = 0;
        why = create_one(copy);
        *c = '/';
    }
    if (!why) why = create_one(copy);
    free(copy);
    if (why)
        return xl_fail(err, XL_EDISK, "%s: cannot create the directory: %s", path,
                       why == EEXIST || why == ENOTDIR ? "a file is in the way" : strerror(why));
    return XL_OK;
}

/* ---- Writing ----
 * Helpers return 0, or -1 with errno set. */

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

/* The length of the directory part of a path, with its slash. */
static size_t directory_length(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? (size_t)(slash + 1 - path) : 0;
}

/* A name in the directory of `path` that no one else uses, malloc'd; NULL when out of memory. It
 * does not grow with the name of the file, which may be as long as the file system allows. */
static char *temporary_beside(const char *path) {
    uint64_t number = 0;
    if (getrandom(&number, sizeof number, GRND_NONBLOCK) < 0)
        number = (uint64_t)getpid() << 32 | (uint32_t)(uintptr_t)&number;
    char *name;
    int n = asprintf(&name, "%.*s.%016llx.tmp", (int)directory_length(path), path,
                     (unsigned long long)number);
    return n < 0 ? NULL : name;
}

static int write_temporary(const char *name, const void *data, size_t n) {
    int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0) return -1;
    int why = 0;
    if (write_all(fd, data, n) || fsync(fd)) why = errno;
    if (close(fd) && !why) why = errno;
    if (!why) return 0;
    unlink(name);
    errno = why;
    return -1;
}

static bool is_unsupported(int why) {
    return why == EINVAL || why == ENOSYS || why == EPERM || why == EOPNOTSUPP;
}

static bool is_same_file(const char *a, const char *b) {
    struct stat first, second;
    return !stat(a, &first) && !stat(b, &second) && first.st_dev == second.st_dev &&
           first.st_ino == second.st_ino;
}

/* A link that NFS asked for twice, because the first answer got lost, "exists already" (open(2)
 * says so of O_EXCL): the file itself tells. Leaves errno. */
static bool has_linked(const char *temporary, const char *path) {
    if (!link(temporary, path)) return true;
    int why = errno;
    bool is_linked = why == EEXIST && is_same_file(temporary, path);
    errno = why;
    return is_linked;
}

/* Give the temporary file its name unless that is taken (EEXIST). Three ways, because FAT has no
 * hard links, NFS cannot rename without replacing, and some FUSE file systems lack both; there the
 * name is reserved first, so that it is an empty file for a moment. */
static int publish(const char *temporary, const char *path) {
    if (!renameat2(AT_FDCWD, temporary, AT_FDCWD, path, RENAME_NOREPLACE)) return 0;
    if (!is_unsupported(errno)) return -1;
    if (has_linked(temporary, path)) {
        unlink(temporary);
        return 0;
    }
    if (!is_unsupported(errno)) return -1;
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0) return -1;
    close(fd);
    if (!rename(temporary, path)) return 0;
    int why = errno;
    unlink(path);
    errno = why;
    return -1;
}

/* Make the name of a file survive a crash. */
static int sync_directory_of(const char *path) {
    size_t n = directory_length(path);
    char *directory = n ? strndup(path, n) : strdup(".");
    if (!directory) return -1;
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(directory);
    /* One may be allowed to write to a directory that one cannot read; some network file systems
     * cannot sync one. The file's content is safe in either case. */
    if (fd < 0) return errno == EACCES ? 0 : -1;
    int why = fsync(fd) ? errno : 0;
    if (is_unsupported(why) || why == EBADF) why = 0;
    close(fd);
    errno = why;
    return why ? -1 : 0;
}

static enum xl_status fail_write(const char *path, int why, struct xl_err *err) {
    if (why == ENOMEM) return xl_fail_nomem(err, path, 0);
    return xl_fail(err, XL_EDISK, "%s: cannot write: %s", path, strerror(why));
}

enum xl_status xl_file_write_new(const char *path, const void *data, size_t n, bool *exists,
                                 struct xl_err *err) {
    if (exists) *exists = false;
    char *temporary = temporary_beside(path);
    if (!temporary) return xl_fail_nomem(err, "a path", 0);
    int why = write_temporary(temporary, data, n) ? errno : 0;
    bool is_taken = false;
    if (!why && publish(temporary, path)) {
        why = errno;
        is_taken = why == EEXIST;
        unlink(temporary);
    } else if (!why && sync_directory_of(path)) {
        why = errno;
        unlink(path);
    }
    free(temporary);
    if (exists) *exists = is_taken;
    if (is_taken) return xl_fail(err, XL_EDISK, "%s: exists already and is not replaced", path);
    if (why) return fail_write(path, why, err);
    return XL_OK;
}

enum xl_status xl_file_replace(const char *path, const void *data, size_t n, struct xl_err *err) {
    char *temporary = temporary_beside(path);
    if (!temporary) return xl_fail_nomem(err, "a path", 0);
    int why = 0;
    if (write_temporary(temporary, data, n)) {
        why = errno;
    } else if (rename(temporary, path)) {
        why = errno;
        unlink(temporary);
    } else if (sync_directory_of(path)) {
        why = errno;
    }
    free(temporary);
    if (why) return fail_write(path, why, err);
    return XL_OK;
}

/* ---- Names ---- */

int xl_dir_name_max(const char *dir) {
    int64_t most = NAME_MAX, left = PATH_MAX - 2 - (int64_t)strlen(dir); /* a slash and a NUL */
    struct statvfs about;
    if (!statvfs(dir, &about) && about.f_namemax && (int64_t)about.f_namemax < most)
        most = (int64_t)about.f_namemax;
    long said = pathconf(dir, _PC_NAME_MAX);
    if (said > 0 && said < most) most = said;
    if (left < most) most = left > 0 ? left : 0;
    return (int)most;
}

bool xl_dir_refuses_name(const char *dir, int n) {
    char name[NAME_MAX + 1];
    if (n < 1 || n > NAME_MAX) return true;
    memset(name, 'n', (size_t)n);
    name[0] = '.';
    name[n] = 0;
    char *path = xl_path_join(dir, name);
    int fd = path ? open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666) : -1;
    bool is_refused = path && fd < 0 && errno == ENAMETOOLONG;
    if (fd >= 0) close(fd), unlink(path);
    free(path);
    return is_refused;
}

char *xl_path_join(const char *a, const char *b) {
    size_t n = strlen(a);
    while (n > 1 && a[n - 1] == '/') n--;
    bool needs_slash = n && a[n - 1] != '/';
    char *path;
    return asprintf(&path, "%.*s%s%s", (int)n, a, needs_slash ? "/" : "", b) < 0 ? NULL : path;
}
