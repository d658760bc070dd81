/* shim.c - a library for LD_PRELOAD that makes the n-th call of some functions go wrong. Everything
 * is set by environment variables:
 *
 *   XL_FAULT_CALLS       comma-separated groups: alloc (malloc, calloc, realloc, aligned_alloc,
 *                        posix_memalign), mmap, open (and openat, fopen), write, fsync (and
 *                        fdatasync), rename (all three), link (both); nothing is counted without it
 *   XL_FAULT_AT          which matching call goes wrong, from 1; 0 or unset: none, they are counted
 *   XL_FAULT_ACTION      fail (default), short (a write of half the bytes), kill (SIGKILL in place
 *                        of the call), kill-after (SIGKILL after it; not after alloc, mmap, open)
 *   XL_FAULT_ERRNO       a number; default: ENOMEM for alloc and mmap, ENOSPC for the others
 *   XL_FAULT_PERSISTENT  1: all matching calls from the n-th on go wrong
 *   XL_FAULT_MIN         only alloc and mmap of at least so many bytes
 *   XL_FAULT_PATH        only calls on paths that contain this text (for write, fsync and mmap: the
 *                        path of the descriptor); alloc has no path and is not restricted
 *   XL_FAULT_EXCEPT      comma-separated texts: not calls from libraries whose path contains one
 *   XL_FAULT_COUNT       a file that receives the number of matching calls at exit
 *   XL_FAULT_NAME_MAX    no file or folder with a longer name can be made or opened, whatever else
 *                        is set, and statvfs says so
 *   XL_FAULT_NAME_SAYS   what statvfs says of that instead
 *   XL_FAULT_CLOCK       how many times faster CLOCK_MONOTONIC runs
 *
 * The functions behind are glibc's own names for them, or system calls, because dlsym allocates.
 * Not seen: what glibc does inside (the mmap of malloc, the write of stdio). */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

enum group { ALLOC, MMAP, OPEN, WRITE, FSYNC, RENAME, LINK, N_GROUPS };
static const char *const group_names[] = {"alloc", "mmap",   "open", "write",
                                          "fsync", "rename", "link"};

enum action { FAIL, SHORT, KILL, KILL_AFTER };

struct range {
    uintptr_t begin, end;
};

static struct {
    bool is_on[N_GROUPS];
    enum action action;
    long at;
    int error; /* 0: the default */
    bool is_persistent;
    size_t min;
    const char *path, *count_file;
    size_t name_max; /* 0: whatever the file system takes */
    unsigned long name_says;
    int clock; /* 0: as fast as it does */
    struct range except[64];
    int n_except;
} settings;
static atomic_long n_calls;

/* ---- Settings ---- */

/* Whether `name` is one of the comma-separated items of a list. */
static bool lists(const char *list, const char *name) {
    size_t n = strlen(name);
    for (const char *at = list; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL)
        if (!strncmp(at, name, n) && (at[n] == ',' || !at[n])) return true;
    return false;
}

/* Whether the text contains one of the items. */
static bool contains_any(const char *text, const char *list) {
    char item[64];
    for (const char *at = list; at && *at;) {
        size_t n = strcspn(at, ",");
        snprintf(item, sizeof item, "%.*s", (int)n, at);
        if (item[0] && strstr(text, item)) return true;
        at += n + (at[n] == ',');
    }
    return false;
}

static int add_library(struct dl_phdr_info *info, size_t size, void *list) {
    (void)size;
    if (!contains_any(info->dlpi_name, list)) return 0;
    for (int i = 0; i < info->dlpi_phnum && settings.n_except < 64; i++) {
        if (info->dlpi_phdr[i].p_type != PT_LOAD) continue;
        uintptr_t begin = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
        settings.except[settings.n_except++] =
            (struct range){begin, begin + info->dlpi_phdr[i].p_memsz};
    }
    return 0;
}

static long number(const char *name) {
    const char *text = getenv(name);
    return text ? atol(text) : 0;
}

static void read_settings(void) {
    const char *calls = getenv("XL_FAULT_CALLS"), *action = getenv("XL_FAULT_ACTION");
    const char *except = getenv("XL_FAULT_EXCEPT");
    settings.name_max = (size_t)number("XL_FAULT_NAME_MAX");
    settings.name_says = (unsigned long)number("XL_FAULT_NAME_SAYS");
    settings.clock = (int)number("XL_FAULT_CLOCK");
    if (!calls) return;
    if (action && !strcmp(action, "short")) settings.action = SHORT;
    if (action && !strcmp(action, "kill")) settings.action = KILL;
    if (action && !strcmp(action, "kill-after")) settings.action = KILL_AFTER;
    settings.at = number("XL_FAULT_AT");
    settings.error = (int)number("XL_FAULT_ERRNO");
    settings.is_persistent = number("XL_FAULT_PERSISTENT") != 0;
    settings.min = (size_t)number("XL_FAULT_MIN");
    settings.path = getenv("XL_FAULT_PATH");
    settings.count_file = getenv("XL_FAULT_COUNT");
    if (except) dl_iterate_phdr(add_library, (void *)except);
    for (int g = 0; g < N_GROUPS; g++) settings.is_on[g] = lists(calls, group_names[g]);
}

/* Nothing goes wrong, and nothing is counted, before main: there libraries that are linked in make
 * themselves ready (NVIDIA's runtime does, and ends the program when it has no memory). */
typedef int main_fn(int n, char **arguments, char **environment);
static main_fn *real_main;

static int start(int n, char **arguments, char **environment) {
    read_settings();
    return real_main(n, arguments, environment);
}

int __libc_start_main(main_fn *main, int n, char **arguments, void (*init)(void),
                      void (*fini)(void), void (*rtld_fini)(void), void *stack_end) {
    __typeof__(__libc_start_main) *real =
        (__typeof__(__libc_start_main) *)dlsym(RTLD_NEXT, "__libc_start_main");
    real_main = main;
    return real(start, n, arguments, init, fini, rtld_fini, stack_end);
}

__attribute__((destructor)) static void report(void) {
    if (!settings.count_file) return;
    char text[32];
    int n = snprintf(text, sizeof text, "%ld\n", atomic_load(&n_calls));
    long fd =
        syscall(SYS_openat, AT_FDCWD, settings.count_file, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    if (fd < 0) return;
    syscall(SYS_write, (int)fd, text, (size_t)n);
    syscall(SYS_close, (int)fd);
}

/* ---- Deciding ---- */

static bool is_excepted(const void *caller) {
    for (int i = 0; i < settings.n_except; i++)
        if ((uintptr_t)caller >= settings.except[i].begin &&
            (uintptr_t)caller < settings.except[i].end)
            return true;
    return false;
}

static bool path_matches(const char *path) {
    return !settings.path || (path && strstr(path, settings.path));
}

static bool fd_matches(int fd) {
    if (!settings.path) return true;
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    long n = syscall(SYS_readlink, link, path, sizeof path - 1);
    if (n < 0) return false;
    path[n] = 0;
    return path_matches(path);
}

/* Count a matching call. True: this one goes wrong. */
static bool hits(void) {
    long n = atomic_fetch_add(&n_calls, 1) + 1;
    bool hit = settings.at > 0 && (n == settings.at || (settings.is_persistent && n > settings.at));
    if (hit && settings.action == KILL) raise(SIGKILL);
    return hit;
}

/* Whether the call fails now, with errno set. */
static bool fails(enum group group) {
    if (!hits() || settings.action == KILL_AFTER) return false;
    errno = settings.error ? settings.error : group <= MMAP ? ENOMEM : ENOSPC;
    return true;
}

/* After the call has been made. */
static void after(void) {
    long n = atomic_load(&n_calls);
    if (settings.action == KILL_AFTER && settings.at > 0 && n == settings.at) raise(SIGKILL);
}

#define CALLER __builtin_return_address(0)

static bool alloc_fails(size_t size, const void *caller) {
    return settings.is_on[ALLOC] && size >= settings.min && !is_excepted(caller) && fails(ALLOC);
}

static bool is_too_long(const char *path) {
    const char *slash = strrchr(path, '/');
    if (!settings.name_max || strlen(slash ? slash + 1 : path) <= settings.name_max) return false;
    errno = ENAMETOOLONG;
    return true;
}

static bool path_fails(enum group group, const char *path, const void *caller) {
    if (is_too_long(path)) return true;
    return settings.is_on[group] && !is_excepted(caller) && path_matches(path) && fails(group);
}

static bool fd_fails(enum group group, int fd, const void *caller) {
    return settings.is_on[group] && !is_excepted(caller) && fd_matches(fd) && fails(group);
}

/* ---- Memory ---- */

void *malloc(size_t size) {
    return alloc_fails(size, CALLER) ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size) {
    return alloc_fails(n * size, CALLER) ? NULL : __libc_calloc(n, size);
}

void *realloc(void *old, size_t size) {
    return alloc_fails(size, CALLER) ? NULL : __libc_realloc(old, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
    return alloc_fails(size, CALLER) ? NULL : __libc_memalign(alignment, size);
}

int posix_memalign(void **out, size_t alignment, size_t size) {
    void *memory = alloc_fails(size, CALLER) ? NULL : __libc_memalign(alignment, size);
    if (!memory) return ENOMEM;
    *out = memory;
    return 0;
}

void *mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset) {
    bool counts = settings.is_on[MMAP] && size >= settings.min && !is_excepted(CALLER) &&
                  (fd < 0 ? !settings.path : fd_matches(fd));
    if (counts && fails(MMAP)) return MAP_FAILED;
    return (void *)syscall(SYS_mmap, at, size, protection, flags, fd, offset);
}

/* ---- Files ---- */

static int mode_of(int flags, va_list args) {
    bool has_mode = flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE;
    return has_mode ? va_arg(args, int) : 0;
}

static int do_open(int dir, const char *path, int flags, int mode, const void *caller) {
    if (path_fails(OPEN, path, caller)) return -1;
    return (int)syscall(SYS_openat, dir, path, flags, mode);
}

int open(const char *path, int flags, ...) {
    va_list args;
    va_start(args, flags);
    int mode = mode_of(flags, args);
    va_end(args);
    return do_open(AT_FDCWD, path, flags, mode, CALLER);
}

int open64(const char *path, int flags, ...) {
    va_list args;
    va_start(args, flags);
    int mode = mode_of(flags, args);
    va_end(args);
    return do_open(AT_FDCWD, path, flags, mode, CALLER);
}

int openat(int dir, const char *path, int flags, ...) {
    va_list args;
    va_start(args, flags);
    int mode = mode_of(flags, args);
    va_end(args);
    return do_open(dir, path, flags, mode, CALLER);
}

FILE *fopen(const char *path, const char *mode) {
    static FILE *(*next)(const char *, const char *);
    if (!next) *(void **)&next = dlsym(RTLD_NEXT, "fopen");
    return path_fails(OPEN, path, CALLER) ? NULL : next(path, mode);
}

ssize_t write(int fd, const void *data, size_t n) {
    if (fd_fails(WRITE, fd, CALLER)) {
        if (settings.action != SHORT) return -1;
        n = n > 1 ? n / 2 : n;
    }
    ssize_t done = syscall(SYS_write, fd, data, n);
    after();
    return done;
}

int fsync(int fd) {
    if (fd_fails(FSYNC, fd, CALLER)) return -1;
    int result = (int)syscall(SYS_fsync, fd);
    after();
    return result;
}

int fdatasync(int fd) {
    if (fd_fails(FSYNC, fd, CALLER)) return -1;
    int result = (int)syscall(SYS_fdatasync, fd);
    after();
    return result;
}

int mkdir(const char *path, mode_t mode) {
    return is_too_long(path) ? -1 : (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);
}

int statvfs(const char *path, struct statvfs *about) {
    static int (*next)(const char *, struct statvfs *);
    if (!next) *(void **)&next = dlsym(RTLD_NEXT, "statvfs");
    int result = next(path, about);
    if (result || !settings.name_max) return result;
    about->f_namemax = settings.name_says ? settings.name_says : settings.name_max;
    return 0;
}

int clock_gettime(clockid_t clock, struct timespec *out) {
    int result = (int)syscall(SYS_clock_gettime, clock, out);
    if (result || !settings.clock || clock != CLOCK_MONOTONIC) return result;
    out->tv_sec = out->tv_sec * settings.clock + out->tv_nsec * settings.clock / 1000000000;
    out->tv_nsec = out->tv_nsec * settings.clock % 1000000000;
    return 0;
}

static int do_rename(int from_dir, const char *from, int to_dir, const char *to, unsigned flags,
                     const void *caller) {
    if (path_fails(RENAME, to, caller)) return -1;
    int result = (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, flags);
    after();
    return result;
}

int rename(const char *from, const char *to) {
    return do_rename(AT_FDCWD, from, AT_FDCWD, to, 0, CALLER);
}

int renameat(int from_dir, const char *from, int to_dir, const char *to) {
    return do_rename(from_dir, from, to_dir, to, 0, CALLER);
}

int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags) {
    return do_rename(from_dir, from, to_dir, to, flags, CALLER);
}

static int do_link(int from_dir, const char *from, int to_dir, const char *to, int flags,
                   const void *caller) {
    if (path_fails(LINK, to, caller)) return -1;
    int result = (int)syscall(SYS_linkat, from_dir, from, to_dir, to, flags);
    after();
    return result;
}

int link(const char *from, const char *to) {
    return do_link(AT_FDCWD, from, AT_FDCWD, to, 0, CALLER);
}

int linkat(int from_dir, const char *from, int to_dir, const char *to, int flags) {
    return do_link(from_dir, from, to_dir, to, flags, CALLER);
}
