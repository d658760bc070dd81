/* clean.c - fork, exec, and what comes back; and the other side. Keeps no state. */
#include "http/clean.h"

#include "base/clock.h"
#include "http/confine.h"
#include "image/image.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LIMIT_S = 30, CPU_S = 20 };

/* --- The confined process --------------------------------------------------------------------- */

static enum xl_status write_all(const char *bytes, size_t n, struct xl_err *err) {
    while (n) {
        ssize_t some = write(STDOUT_FILENO, bytes, n);
        if (some < 0 && errno == EINTR) continue;
        if (some <= 0) return xl_fail(err, XL_EDISK, "cannot write: %s", strerror(errno));
        bytes += some;
        n -= (size_t)some;
    }
    return XL_OK;
}

enum xl_status xl_picture_clean_here(const char *name, struct xl_err *err) {
    const struct xl_confinement confinement = {.memory_bytes = (size_t)3 << 29,
                                               .cpu_s = CPU_S,
                                               .file_bytes = (size_t)XL_IMAGE_MAX_FILE_BYTES};
    struct stat st;
    struct xl_image image = {.width = 0};
    void *png = NULL;
    size_t n = 0;
    enum xl_status status = xl_confine(&confinement, err);
    if (status) return status;
    if (fstat(STDIN_FILENO, &st) || !S_ISREG(st.st_mode) || !st.st_size)
        return xl_fail(err, XL_EINPUT, "%s: the file is empty", name);
    void *data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, STDIN_FILENO, 0);
    if (data == MAP_FAILED) return xl_fail_nomem(err, "a picture", (size_t)st.st_size);
    status = xl_image_decode(name, data, (size_t)st.st_size, &image, err);
    munmap(data, (size_t)st.st_size);
    if (!status) status = xl_png_encode_quick(&image, NULL, 0, &png, &n, err);
    if (!status) status = write_all(png, n, err);
    free(png);
    xl_image_free(&image);
    return status;
}

/* --- The other side --------------------------------------------------------------------------- */

/* Between fork and exec. */
static void become(const struct xl_clean_params *params, int out, int errors, pid_t parent) {
    const char *program = params->program ? params->program : "/proc/self/exe";
    char *const argv[] = {(char *)(uintptr_t) "sdxl-lab", (char *)(uintptr_t) "clean-picture",
                          (char *)(uintptr_t)params->name, NULL};
    char *const environment[] = {(char *)(uintptr_t) "LC_ALL=C", NULL};
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);
    if (dup2(params->fd, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 ||
        dup2(errors, STDERR_FILENO) < 0)
        _exit(127);
    execve(program, argv, environment);
    _exit(127);
}

/* What it complains of, until it ends. False: it took too long. */
static bool listen_to(int fd, char *out, size_t size) {
    double end = xl_now_s() + LIMIT_S;
    size_t n = 0;
    for (;;) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        int left = (int)((end - xl_now_s()) * 1000);
        int found = left > 0 ? poll(&ready, 1, left) : 0;
        if (found < 0 && errno == EINTR) continue;
        if (found <= 0) return false;
        char rest[256];
        bool fits = n + 1 < size;
        ssize_t some = read(fd, fits ? out + n : rest, fits ? size - n - 1 : sizeof rest);
        if (some < 0 && errno == EINTR) continue;
        if (some <= 0) break;
        if (fits) n += (size_t)some;
        out[n] = 0;
    }
    return true;
}

static enum xl_status judge(int wait_status, const char *said, struct xl_err *err) {
    static const char beginning[] = "sdxl-lab: error: ";
    if (WIFEXITED(wait_status) && !WEXITSTATUS(wait_status)) return XL_OK;
    if (WIFSIGNALED(wait_status))
        return xl_fail(err, XL_EWORKER, "the process that looks at pictures was ended by signal %d",
                       WTERMSIG(wait_status));
    if (!strncmp(said, beginning, sizeof beginning - 1)) {
        said += sizeof beginning - 1;
        bool is_memory = WEXITSTATUS(wait_status) == 3;
        return xl_fail(err, is_memory ? XL_ENOMEM : XL_EINPUT, "%.*s", (int)strcspn(said, "\n"),
                       said);
    }
    return xl_fail(err, XL_EWORKER, "the process that looks at pictures ended with exit code %d",
                   WEXITSTATUS(wait_status));
}

static enum xl_status run(const struct xl_clean_params *params, int out, struct xl_err *err) {
    char said[600] = "";
    int errors[2], wait_status = 0;
    if (pipe2(errors, O_CLOEXEC)) return xl_fail_nomem(err, "a pipe", 0);
    pid_t self = getpid(), pid = fork();
    if (!pid) become(params, out, errors[1], self);
    close(errors[1]);
    bool is_over = pid > 0 && listen_to(errors[0], said, sizeof said);
    close(errors[0]);
    if (pid < 0) return xl_fail_nomem(err, "a process", 0);
    if (!is_over) kill(pid, SIGKILL);
    while (waitpid(pid, &wait_status, 0) < 0 && errno == EINTR) continue;
    if (!is_over)
        return xl_fail(err, XL_EWORKER, "the picture took longer than %d seconds to look at",
                       LIMIT_S);
    return judge(wait_status, said, err);
}

static enum xl_status describe(int fd, struct xl_clean_picture *out, struct xl_err *err) {
    unsigned char head[24];
    struct stat st;
    char path[64];
    if (fstat(fd, &st) || pread(fd, head, sizeof head, 0) != sizeof head ||
        !xl_is_png(head, sizeof head))
        return xl_fail(err, XL_EWORKER, "the process that looks at pictures wrote no PNG");
    *out = (struct xl_clean_picture){
        .width = head[16] << 24 | head[17] << 16 | head[18] << 8 | head[19],
        .height = head[20] << 24 | head[21] << 16 | head[22] << 8 | head[23],
        .bytes = st.st_size};
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return xl_sha256_file(path, out->sha256, err);
}

/* Give the file its name, which says what is in it: one that is there is the same. */
static enum xl_status keep(const char *dir, const char *temporary, int fd,
                           const struct xl_clean_picture *picture, struct xl_err *err) {
    char path[4096];
    int n = snprintf(path, sizeof path, "%s/%s.png", dir, picture->sha256);
    bool fits = n > 0 && (size_t)n < sizeof path;
    if (fits && !fsync(fd) && !fchmod(fd, 0644) && !rename(temporary, path)) return XL_OK;
    return xl_fail(err, XL_EDISK, "%s: cannot write: %s", dir,
                   fits ? strerror(errno) : "its name is too long");
}

enum xl_status xl_picture_clean(const struct xl_clean_params *params, struct xl_clean_picture *out,
                                struct xl_err *err) {
    char temporary[4096];
    struct xl_clean_picture picture;
    int n = snprintf(temporary, sizeof temporary, "%s/.XXXXXX.tmp", params->dir);
    int fd = n > 0 && (size_t)n < sizeof temporary ? mkostemps(temporary, 4, O_CLOEXEC) : -1;
    if (fd < 0) return xl_fail(err, XL_EDISK, "%s: cannot write: %s", params->dir, strerror(errno));
    lseek(params->fd, 0, SEEK_SET);
    enum xl_status status = run(params, fd, err);
    if (!status) status = describe(fd, &picture, err);
    if (!status) status = keep(params->dir, temporary, fd, &picture, err);
    if (status) unlink(temporary);
    close(fd);
    if (!status) *out = picture;
    return status;
}
