/* storage.c - a library for LD_PRELOAD under which one folder behaves as network storage does.
 *
 *   XL_STORAGE      whose rules: a row of the table below; without it everything is as it is
 *   XL_STORAGE_DIR  the folder, an absolute path without links; everything below it is "mounted"
 * there
 *
 * What is imitated is what programs trip over, in the words of the manual pages and the kernel's
 * sources (fs/nfs, fs/smb/client, fs/ecryptfs, fs/fuse):
 *
 *   flock        NFS and SMB make a lock of the whole file of it, and an exclusive one then wants a
 *                descriptor that is open for writing (EBADF; man 2 flock, "NFS details")
 *   no locks     ENOLCK (NFS 3 without statd), ENOSYS (Lustre without -o flock), EOPNOTSUPP (FUSE)
 *   mandatory    SMB: who reads or writes a range that another descriptor has locked gets EACCES
 *   no replace   renameat2 with a flag is EINVAL
 *   no links     link and symlink are EOPNOTSUPP (SMB without extensions) or EPERM (FUSE, FAT)
 *   lost answer  NFS: a link whose answer got lost is asked for again, and is EEXIST although it
 * was made (man 2 open, O_EXCL) silly names  NFS: an open file that is removed lives on as
 * .nfsNUMBER, and its folder is not empty directories  SMB: fsync of a folder is EINVAL short names
 * eCryptfs: 143 bytes; SMB also refuses : * ? " < > | \ and a blank or dot at the end statfs the
 * type that the program asks for to warn
 *
 * Locks themselves are the local file system's, which answers as the remote one would. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

struct rules {
    const char *name;
    long type;       /* what statfs says */
    size_t name_max; /* bytes */
    int lock_error;  /* of every lock; 0: there are locks */
    int link_error;  /* of link and symlink; 0: there are links */
    bool is_flock_range, is_mandatory, loses_answers, has_silly_names, has_windows_names,
        cannot_sync_folders;
};

static const struct rules table[] = {
    {.name = "nfs",
     .type = 0x6969,
     .name_max = 255,
     .is_flock_range = true,
     .loses_answers = true,
     .has_silly_names = true},
    {.name = "nfs-nolock",
     .type = 0x6969,
     .name_max = 255,
     .lock_error = ENOLCK,
     .loses_answers = true,
     .has_silly_names = true},
    {.name = "smb",
     .type = 0xFE534D42,
     .name_max = 255,
     .link_error = EOPNOTSUPP,
     .is_flock_range = true,
     .is_mandatory = true,
     .has_windows_names = true,
     .cannot_sync_folders = true},
    {.name = "lustre", .type = 0x0BD00BD0, .name_max = 255, .lock_error = ENOSYS},
    {.name = "fuse",
     .type = 0x65735546,
     .name_max = 255,
     .lock_error = EOPNOTSUPP,
     .link_error = EPERM,
     .cannot_sync_folders = true},
    {.name = "ecryptfs", .type = 0xF15F, .name_max = 143},
};

static const struct rules *rules;
static const char *folder;

__attribute__((constructor)) static void read_settings(void) {
    const char *name = getenv("XL_STORAGE");
    folder = getenv("XL_STORAGE_DIR");
    for (size_t i = 0; name && folder && i < sizeof table / sizeof *table; i++)
        if (!strcmp(table[i].name, name)) rules = &table[i];
    if (name && !rules) {
        fprintf(stderr, "storage.c: no rules are called \"%s\", or no XL_STORAGE_DIR\n", name);
        _exit(99);
    }
}

/* ---- Where something lies ---- */

static bool is_below(const char *path) {
    size_t n = strlen(folder);
    return !strncmp(path, folder, n) && (path[n] == '/' || !path[n]);
}

static bool descriptor_path(int fd, char path[PATH_MAX]) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, PATH_MAX - 1);
    path[n > 0 ? n : 0] = 0;
    return n > 0;
}

static bool has_descriptor(int fd) {
    char path[PATH_MAX];
    return rules && descriptor_path(fd, path) && is_below(path);
}

/* A file that need not be there yet: its folder says where it lies. */
static bool has_path(int at, const char *path) {
    if (!rules || !path) return false;
    char whole[2 * PATH_MAX + 2], real[PATH_MAX], base[PATH_MAX] = "";
    if (path[0] != '/' && at == AT_FDCWD && !getcwd(base, sizeof base)) return false;
    if (path[0] != '/' && at != AT_FDCWD && !descriptor_path(at, base)) return false;
    snprintf(whole, sizeof whole, "%s%s%s", base, base[0] ? "/" : "", path);
    if (realpath(whole, real)) return is_below(real);
    char *slash = strrchr(whole, '/');
    if (!slash) return false;
    *slash = 0;
    return realpath(whole[0] ? whole : "/", real) && is_below(real);
}

/* 0, or the errno of a name that cannot be made there. */
static int refuse_name(int at, const char *path) {
    if (!has_path(at, path)) return 0;
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    size_t n = strlen(name);
    if (n > rules->name_max) return ENAMETOOLONG;
    if (!rules->has_windows_names || !n || !strcmp(name, ".") || !strcmp(name, "..")) return 0;
    bool is_bad = strpbrk(name, ":*?\"<>|\\") || name[n - 1] == '.' || name[n - 1] == ' ';
    return is_bad ? EINVAL : 0;
}

static int fail(int why) {
    errno = why;
    return -1;
}

/* ---- Locks ---- */

static int lock_whole(int fd, int type) {
    struct flock whole = {.l_type = (short)type, .l_whence = SEEK_SET};
    return (int)syscall(SYS_fcntl, fd, F_OFD_SETLK, &whole);
}

int flock(int fd, int operation) {
    if (!has_descriptor(fd)) return (int)syscall(SYS_flock, fd, operation);
    if (rules->lock_error) return fail(rules->lock_error);
    if (!rules->is_flock_range) return (int)syscall(SYS_flock, fd, operation);
    int kind = operation & ~LOCK_NB;
    return lock_whole(fd, kind == LOCK_EX ? F_WRLCK : kind == LOCK_SH ? F_RDLCK : F_UNLCK);
}

static bool is_lock(int command) {
    return command == F_SETLK || command == F_SETLKW || command == F_OFD_SETLK ||
           command == F_OFD_SETLKW || command == F_GETLK || command == F_OFD_GETLK;
}

static int control(int fd, int command, void *argument) {
    if (is_lock(command) && has_descriptor(fd) && rules->lock_error) return fail(rules->lock_error);
    return (int)syscall(SYS_fcntl, fd, command, argument);
}

int fcntl(int fd, int command, ...) {
    va_list args;
    va_start(args, command);
    void *argument = va_arg(args, void *);
    va_end(args);
    return control(fd, command, argument);
}
int fcntl64(int fd, int command, ...) {
    va_list args;
    va_start(args, command);
    void *argument = va_arg(args, void *);
    va_end(args);
    return control(fd, command, argument);
}

/* Whether another descriptor has bytes of a file locked against this: `n` of them from `at` on, -1:
 * from where the descriptor stands. */
static bool is_locked_against(int fd, int type, off_t at, size_t n) {
    if (!rules || !rules->is_mandatory || !has_descriptor(fd) || !n) return false;
    struct flock range = {.l_type = (short)type, .l_whence = SEEK_SET, .l_len = (off_t)n};
    range.l_start = at >= 0 ? at : lseek(fd, 0, SEEK_CUR);
    if (range.l_start < 0) return false; /* a pipe has no ranges */
    return !syscall(SYS_fcntl, fd, F_OFD_GETLK, &range) && range.l_type != F_UNLCK;
}

ssize_t read(int fd, void *buffer, size_t n) {
    if (is_locked_against(fd, F_RDLCK, -1, n)) return fail(EACCES);
    return syscall(SYS_read, fd, buffer, n);
}
ssize_t pread64(int fd, void *buffer, size_t n, off_t at) {
    if (is_locked_against(fd, F_RDLCK, at, n)) return fail(EACCES);
    return syscall(SYS_pread64, fd, buffer, n, at);
}
ssize_t pread(int fd, void *buffer, size_t n, off_t at) {
    return pread64(fd, buffer, n, at);
}
ssize_t write(int fd, const void *buffer, size_t n) {
    if (is_locked_against(fd, F_WRLCK, -1, n)) return fail(EACCES);
    return syscall(SYS_write, fd, buffer, n);
}
ssize_t pwrite64(int fd, const void *buffer, size_t n, off_t at) {
    if (is_locked_against(fd, F_WRLCK, at, n)) return fail(EACCES);
    return syscall(SYS_pwrite64, fd, buffer, n, at);
}
ssize_t pwrite(int fd, const void *buffer, size_t n, off_t at) {
    return pwrite64(fd, buffer, n, at);
}

/* ---- Names ---- */

static int open_checked(int at, const char *path, int flags, va_list args) {
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(args, mode_t) : 0;
    int why = flags & O_CREAT ? refuse_name(at, path) : 0;
    if ((flags & O_TMPFILE) == O_TMPFILE && has_path(at, path)) why = EOPNOTSUPP;
    if (why) return fail(why);
    return (int)syscall(SYS_openat, at, path, flags, mode);
}

int open(const char *path, int flags, ...) {
    va_list args;
    va_start(args, flags);
    int fd = open_checked(AT_FDCWD, path, flags, args);
    va_end(args);
    return fd;
}
int open64(const char *path, int flags, ...) {
    va_list args;
    va_start(args, flags);
    int fd = open_checked(AT_FDCWD, path, flags, args);
    va_end(args);
    return fd;
}
int openat(int at, const char *path, int flags, ...) {
    va_list args;
    va_start(args, flags);
    int fd = open_checked(at, path, flags, args);
    va_end(args);
    return fd;
}

int mkdir(const char *path, mode_t mode) {
    int why = refuse_name(AT_FDCWD, path);
    return why ? fail(why) : (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);
}

int renameat2(int from_at, const char *from, int to_at, const char *to, unsigned flags) {
    int why = refuse_name(to_at, to);
    if (why) return fail(why);
    if (flags && has_path(to_at, to)) return fail(EINVAL);
    return (int)syscall(SYS_renameat2, from_at, from, to_at, to, flags);
}
int rename(const char *from, const char *to) {
    return renameat2(AT_FDCWD, from, AT_FDCWD, to, 0);
}

int link(const char *from, const char *to) {
    int why = refuse_name(AT_FDCWD, to);
    if (why) return fail(why);
    bool is_ours = has_path(AT_FDCWD, to);
    if (is_ours && rules->link_error) return fail(rules->link_error);
    int got = (int)syscall(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0);
    return !got && is_ours && rules->loses_answers ? fail(EEXIST) : got;
}

int symlink(const char *target, const char *path) {
    if (has_path(AT_FDCWD, path) && rules->link_error) return fail(rules->link_error);
    return (int)syscall(SYS_symlinkat, target, AT_FDCWD, path);
}

/* ---- Removing and syncing ---- */

/* Whether this process has the file open. */
static bool is_open(const char *path) {
    struct stat wanted, there;
    if (stat(path, &wanted) || !S_ISREG(wanted.st_mode)) return false;
    for (int fd = 0; fd < 256; fd++)
        if (!fstat(fd, &there) && there.st_ino == wanted.st_ino && there.st_dev == wanted.st_dev)
            return true;
    return false;
}

int unlink(const char *path) {
    if (!rules || !rules->has_silly_names || !has_path(AT_FDCWD, path) || !is_open(path))
        return (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
    char silly[PATH_MAX];
    struct stat st;
    const char *slash = strrchr(path, '/');
    if (stat(path, &st)) return -1;
    snprintf(silly, sizeof silly, "%.*s.nfs%016llx", slash ? (int)(slash + 1 - path) : 0, path,
             (unsigned long long)st.st_ino);
    return (int)syscall(SYS_renameat2, AT_FDCWD, path, AT_FDCWD, silly, 0);
}

/* What was removed while it was open goes when it is closed. */
int close(int fd) {
    char path[PATH_MAX];
    bool is_silly = rules && rules->has_silly_names && descriptor_path(fd, path) &&
                    is_below(path) && strstr(path, "/.nfs");
    int got = (int)syscall(SYS_close, fd);
    if (is_silly && !is_open(path)) syscall(SYS_unlinkat, AT_FDCWD, path, 0);
    return got;
}

static int sync_file(int fd, long call) {
    struct stat st;
    if (has_descriptor(fd) && rules->cannot_sync_folders && !fstat(fd, &st) && S_ISDIR(st.st_mode))
        return fail(EINVAL);
    return (int)syscall(call, fd);
}
int fsync(int fd) {
    return sync_file(fd, SYS_fsync);
}
int fdatasync(int fd) {
    return sync_file(fd, SYS_fdatasync);
}

/* ---- What it says of itself ---- */

int fstatfs(int fd, struct statfs *out) {
    int got = (int)syscall(SYS_fstatfs, fd, out);
    if (!got && has_descriptor(fd)) {
        out->f_type = rules->type;
        out->f_namelen = (long)rules->name_max;
    }
    return got;
}
int statfs(const char *path, struct statfs *out) {
    int got = (int)syscall(SYS_statfs, path, out);
    if (!got && has_path(AT_FDCWD, path)) {
        out->f_type = rules->type;
        out->f_namelen = (long)rules->name_max;
    }
    return got;
}

int statvfs(const char *path, struct statvfs *out) {
    int (*next)(const char *, struct statvfs *) = NULL;
    *(void **)&next = dlsym(RTLD_NEXT, "statvfs");
    int got = next(path, out);
    if (!got && has_path(AT_FDCWD, path)) out->f_namemax = rules->name_max;
    return got;
}
int fstatvfs(int fd, struct statvfs *out) {
    int (*next)(int, struct statvfs *) = NULL;
    *(void **)&next = dlsym(RTLD_NEXT, "fstatvfs");
    int got = next(fd, out);
    if (!got && has_descriptor(fd)) out->f_namemax = rules->name_max;
    return got;
}

long pathconf(const char *path, int name) {
    if (name == _PC_NAME_MAX && has_path(AT_FDCWD, path)) return (long)rules->name_max;
    long (*next)(const char *, int) = NULL;
    *(void **)&next = dlsym(RTLD_NEXT, "pathconf");
    return next(path, name);
}
long fpathconf(int fd, int name) {
    if (name == _PC_NAME_MAX && has_descriptor(fd)) return (long)rules->name_max;
    long (*next)(int, int) = NULL;
    *(void **)&next = dlsym(RTLD_NEXT, "fpathconf");
    return next(fd, name);
}
