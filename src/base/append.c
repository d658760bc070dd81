/* append.c - appending lines to files. Keeps no state. */
#include "base/append.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Without O_NONBLOCK, opening a pipe of that name would wait forever. */
enum xl_status xl_append_open(const char *path, int *out, struct xl_err *err) {
    const int flags = O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    int fd = open(path, flags, 0666);
    if (fd < 0 && errno == ELOOP)
        return xl_fail(err, XL_EDISK, "%s: is a symbolic link; expected a file", path);
    if (fd < 0) return xl_fail(err, XL_EDISK, "%s: cannot open: %s", path, strerror(errno));
    struct stat st;
    if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
        close(fd);
        return xl_fail(err, XL_EDISK, "%s: is not a regular file", path);
    }
    *out = fd;
    return XL_OK;
}

/* Whether the file ends in the middle of a line. */
static bool is_torn(int fd, off_t size) {
    char last = '\n';
    return size > 0 && pread(fd, &last, 1, size - 1) == 1 && last != '\n';
}

/* One write, after which the file is longer by all of it or as long as before. Cutting off what a
 * full disk left of the line is safe unless somebody wrote behind it; then it stays, as a damaged
 * line of its own. 0, or an errno. */
static int write_whole(int fd, const char *line, size_t n, off_t before) {
    ssize_t done;
    do done = write(fd, line, n);
    while (done < 0 && errno == EINTR);
    if (done == (ssize_t)n) return 0;
    int why = done < 0 ? errno : ENOSPC;
    struct stat st;
    if (done > 0 && (fstat(fd, &st) || st.st_size != before + done || ftruncate(fd, before)))
        (void)!write(fd, "\n", 1);
    return why;
}

int xl_append_line(int fd, char *room, size_t n, bool is_synced) {
    struct stat st;
    if (fstat(fd, &st)) return errno;
    bool is_closing = is_torn(fd, st.st_size);
    room[0] = '\n';
    int why = write_whole(fd, room + !is_closing, n + is_closing, st.st_size);
    if (!why && is_synced && fdatasync(fd) && errno != EINVAL && errno != EROFS) why = errno;
    return why;
}
