/* full_disk.c - a disk that is full while the file exists that FULL_DISK names: statvfs sees
 * nothing free, and writing to regular files fails with ENOSPC. For LD_PRELOAD.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

static bool is_full(void) {
    const char *name = getenv("FULL_DISK");
    return name && !access(name, F_OK);
}

static bool is_refused(int fd) {
    struct stat file;
    if (!is_full() || fstat(fd, &file) || !S_ISREG(file.st_mode)) return false;
    errno = ENOSPC;
    return true;
}

ssize_t write(int fd, const void *data, size_t n) {
    static ssize_t (*real)(int, const void *, size_t);
    if (!real) real = (ssize_t(*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write");
    return is_refused(fd) ? -1 : real(fd, data, n);
}

int statvfs(const char *path, struct statvfs *out) {
    static int (*real)(const char *, struct statvfs *);
    if (!real) real = (int (*)(const char *, struct statvfs *))dlsym(RTLD_NEXT, "statvfs");
    int failed = real(path, out);
    if (!failed && is_full()) out->f_bavail = out->f_bfree = 0;
    return failed;
}
