/* files.c - openat2, or a walk by openat. Keeps one flag for tests. */
#include "http/files.h"

#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static atomic_bool always_walk;

void xl_files_walk_always(bool always) {
    atomic_store(&always_walk, always);
}

/* --- Paths ------------------------------------------------------------------------------------ */

/* Paths that somebody made up. What is left may still not be there. */
static enum xl_status check_path(const char *path, struct xl_err *err) {
    size_t n = strlen(path);
    const char *why = !n                        ? "is empty"
                      : path[0] == '/'          ? "begins at the root"
                      : n > 4000                ? "is too long"
                      : path[n - 1] == '/'      ? "is a folder's"
                      : !xl_utf8_valid(path, n) ? "is not UTF-8"
                                                : NULL;
    for (size_t i = 0; i < n && !why; i++) {
        size_t length = strcspn(path + i, "/");
        if (!length || (length <= 2 && !strncmp(path + i, "..", length)))
            why = "has an empty part, \".\" or \"..\"";
        for (size_t k = i; k < i + length; k++)
            if ((unsigned char)path[k] < 32 || path[k] == 127) why = "has a control character";
        i += length;
    }
    return why ? xl_fail(err, XL_EINVAL, "the path \"%.80s\" %s", path, why) : XL_OK;
}

static enum xl_status cannot_open(const char *path, int why, struct xl_err *err) {
    switch (why) {
    case ENOENT:
    case ENOTDIR:
    case ENAMETOOLONG:
        return xl_fail(err, XL_EINPUT, "there is no file %.200s", path);
    case EXDEV:
    case ELOOP:
    case EAGAIN:
        return xl_fail(err, XL_EINPUT, "%.200s leads out of the folder", path);
    default:
        return xl_fail(err, XL_EDISK, "%.200s: cannot open: %s", path, strerror(why));
    }
}

/* --- The walk --------------------------------------------------------------------------------- */

/* The folder of the last part; -1 and errno. */
static int walk(int root, const char *path, bool is_made, const char **name) {
    int at = fcntl(root, F_DUPFD_CLOEXEC, 0);
    for (const char *slash; at >= 0 && (slash = strchr(path, '/')); path = slash + 1) {
        char part[256];
        if ((size_t)(slash - path) >= sizeof part) {
            close(at);
            errno = ENAMETOOLONG;
            return -1;
        }
        snprintf(part, sizeof part, "%.*s", (int)(slash - path), path);
        if (is_made && mkdirat(at, part, 0777) && errno != EEXIST) {
            int why = errno;
            close(at);
            errno = why;
            return -1;
        }
        int next = openat(at, part, O_DIRECTORY | O_NOFOLLOW | O_RDONLY | O_CLOEXEC);
        int why = errno;
        close(at);
        errno = why;
        at = next;
    }
    *name = path;
    return at;
}

static int open_by_walk(int root, const char *path) {
    const char *name;
    int folder = walk(root, path, false, &name);
    if (folder < 0) return -1;
    int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    int why = errno;
    close(folder);
    errno = why;
    return fd;
}

/* --- Opening ---------------------------------------------------------------------------------- */

static int open_beneath(int root, const char *path) {
    struct open_how how = {.flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
    enum { TRIES = 8 };
    if (atomic_load(&always_walk)) return open_by_walk(root, path);
    int fd = -1;
    /* EAGAIN: something was renamed meanwhile, and the kernel cannot tell whether it led out. */
    for (int i = 0; i < TRIES; i++) {
        fd = (int)syscall(SYS_openat2, root, path, &how, sizeof how);
        if (fd >= 0 || errno != EAGAIN) break;
    }
    if (fd < 0 && (errno == ENOSYS || errno == EPERM)) return open_by_walk(root, path);
    return fd;
}

enum xl_status xl_file_below(int root, const char *path, int *out, struct xl_err *err) {
    struct stat st;
    enum xl_status status = check_path(path, err);
    if (status) return status;
    int fd = open_beneath(root, path);
    if (fd < 0) return cannot_open(path, errno, err);
    if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
        close(fd);
        return xl_fail(err, XL_EINPUT, "%.200s is no regular file", path);
    }
    *out = fd;
    return XL_OK;
}

enum xl_status xl_file_in(const char *root, const char *path, int *out, struct xl_err *err) {
    size_t n = strlen(root);
    while (n > 1 && root[n - 1] == '/') n--;
    if (strncmp(path, root, n) != 0 || path[n] != '/')
        return xl_fail(err, XL_EINPUT, "%.200s is not in the folder %.200s", path, root);
    int folder = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) return cannot_open(root, errno, err);
    enum xl_status status = xl_file_below(folder, path + n + 1, out, err);
    close(folder);
    return status;
}

enum xl_status xl_folder_below(int root, const char *path, bool is_made, int *out,
                               const char **name, struct xl_err *err) {
    enum xl_status status = check_path(path, err);
    if (status) return status;
    int fd = walk(root, path, is_made, name);
    if (fd < 0) return cannot_open(path, errno, err);
    *out = fd;
    return XL_OK;
}
