/* test_file.c - files that appear whole or not at all, whatever fails and whoever else writes. */
#include "base/file.h"
#include "unit/scratch.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define ok(call) cr_assert_eq((call), XL_OK, "%s", err.text)

TestSuite(file, .init = scratch_open, .fini = scratch_close);

static int count_entries(const char *path) {
    DIR *dir = opendir(path);
    cr_assert(dir);
    int n = 0;
    while (readdir(dir)) n++;
    closedir(dir);
    return n - 2;
}

static void expect_content(const char *path, const char *expected) {
    struct xl_err err = {0};
    char *text;
    size_t n;
    ok(xl_file_read(path, (struct xl_read_rule){1 << 20, XL_EINPUT, XL_EINPUT}, &text, &n, &err));
    cr_expect_str_eq(text, expected);
    cr_expect_eq(n, strlen(expected));
    free(text);
}

/* ---- Writing ---- */

Test(file, a_new_file_is_whole_and_nothing_else_is_left) {
    struct xl_err err = {0};
    bool exists = true;
    umask(027);
    ok(xl_file_write_new(scratch("a.png"), "content", 7, &exists, &err));
    cr_expect_not(exists);
    expect_content(scratch("a.png"), "content");
    cr_expect_eq(count_entries(scratch_dir), 1);
    struct stat st;
    cr_assert_eq(stat(scratch("a.png"), &st), 0);
    cr_expect_eq(st.st_mode & 0777, 0640, "the umask decides");
    ok(xl_file_write_new(scratch("empty"), "", 0, NULL, &err));
    expect_content(scratch("empty"), "");
    cr_assert_eq(chdir(scratch_dir), 0);
    ok(xl_file_write_new("relative", "x", 1, NULL, &err));
    cr_expect_eq(count_entries(scratch_dir), 3);
}

static void expect_taken(const char *path) {
    struct xl_err err = {0};
    bool exists = false;
    cr_expect_eq(xl_file_write_new(path, "second", 6, &exists, &err), XL_EDISK);
    cr_expect(exists);
    cr_expect(strstr(err.text, path) && strstr(err.text, "exists already"), "%s", err.text);
}

Test(file, an_existing_name_is_never_replaced) {
    struct xl_err err = {0};
    ok(xl_file_write_new(scratch("a"), "first", 5, NULL, &err));
    expect_taken(scratch("a"));
    expect_content(scratch("a"), "first");
    cr_assert_eq(mkdir(scratch("directory"), 0777), 0);
    expect_taken(scratch("directory"));
    cr_assert_eq(symlink("nowhere", scratch("dangling")), 0);
    expect_taken(scratch("dangling"));
    cr_expect_eq(count_entries(scratch_dir), 3);
}

Test(file, a_name_may_be_as_long_as_the_file_system_allows) {
    struct xl_err err = {0};
    char name[257];
    memset(name, 'n', 255);
    name[255] = 0;
    ok(xl_file_write_new(scratch("%s", name), "x", 1, NULL, &err));
    expect_content(scratch("%s", name), "x");
    name[255] = 'n';
    name[256] = 0;
    cr_expect_eq(xl_file_write_new(scratch("%s", name), "x", 1, NULL, &err), XL_EDISK);
    cr_expect(strstr(err.text, strerror(ENAMETOOLONG)), "%s", err.text);
    cr_expect_eq(count_entries(scratch_dir), 1);
}

Test(file, a_directory_that_is_not_there_is_named) {
    struct xl_err err = {0};
    bool exists = true;
    cr_expect_eq(xl_file_write_new(scratch("no/a"), "x", 1, &exists, &err), XL_EDISK);
    cr_expect_not(exists);
    cr_expect(strstr(err.text, scratch("no/a")), "%s", err.text);
    cr_expect_eq(xl_file_write_new("", "x", 1, NULL, &err), XL_EDISK);
    cr_expect_eq(count_entries(scratch_dir), 0);
}

Test(file, replacing_leaves_one_file_with_the_new_content) {
    struct xl_err err = {0};
    ok(xl_file_replace(scratch("a"), "first", 5, &err));
    ok(xl_file_replace(scratch("a"), "second", 6, &err));
    expect_content(scratch("a"), "second");
    cr_assert_eq(symlink(scratch("elsewhere"), scratch("link")), 0);
    ok(xl_file_replace(scratch("link"), "third", 5, &err));
    expect_content(scratch("link"), "third");
    cr_expect_not(xl_file_exists(scratch("elsewhere")), "a link is replaced, not followed");
    cr_assert_eq(mkdir(scratch("directory"), 0777), 0);
    cr_expect_eq(xl_file_replace(scratch("directory"), "x", 1, &err), XL_EDISK);
    cr_expect(strstr(err.text, scratch("directory")), "%s", err.text);
    cr_expect_eq(count_entries(scratch_dir), 3);
}

/* ---- No room ---- */

enum { LARGE = 1 << 20 };

static void expect_no_room(const char *path, int why) {
    struct xl_err err = {0};
    bool exists = true;
    char *data = calloc(LARGE, 1);
    cr_assert_eq(xl_file_write_new(path, data, LARGE, &exists, &err), XL_EDISK);
    cr_expect_not(exists);
    cr_expect(strstr(err.text, path) && strstr(err.text, strerror(why)), "%s", err.text);
    free(data);
}

Test(file, a_file_that_may_not_grow_leaves_nothing_behind) {
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit limit = {LARGE / 2, LARGE / 2};
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    expect_no_room(scratch("a"), EFBIG);
    cr_expect_eq(count_entries(scratch_dir), 0);
    struct xl_err err = {0};
    char *data = calloc(LARGE, 1);
    ok(xl_file_replace(scratch("a"), "old", 3, &err));
    cr_expect_eq(xl_file_replace(scratch("a"), data, LARGE, &err), XL_EDISK);
    expect_content(scratch("a"), "old");
    cr_expect_eq(count_entries(scratch_dir), 1);
    free(data);
}

/* A file system of half the size that is needed; only where the machine lets us mount one. */
static bool mount_small(void) {
    if (unshare(CLONE_NEWNS) && unshare(CLONE_NEWUSER | CLONE_NEWNS)) return false;
    return !mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) &&
           !mount("small", scratch_dir, "tmpfs", 0, "size=512k");
}

Test(file, a_full_disk_leaves_nothing_behind) {
    if (!mount_small()) cr_skip_test("no file system can be mounted here");
    struct xl_err err = {0};
    expect_no_room(scratch("a"), ENOSPC);
    cr_expect_eq(count_entries(scratch_dir), 0);
    ok(xl_file_write_new(scratch("a"), "fits", 4, NULL, &err));
    umount(scratch_dir);
}

/* ---- Poor file systems ---- */

/* From here on renameat2 with a flag fails with EINVAL, and link with EPERM when asked for: what
 * NFS, and some FUSE file systems, do. */
static void forbid(bool links_too) {
    enum { ARGUMENT_4 = offsetof(struct seccomp_data, args) + 4 * 8 }; /* little-endian's half */
    struct sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_renameat2, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ARGUMENT_4),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 4, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
#ifdef SYS_link
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_link, 1, 0),
#else
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_linkat, 1, 0),
#endif
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_linkat, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, links_too ? SECCOMP_RET_ERRNO | EPERM : SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof rules / sizeof *rules, rules};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
        cr_skip_test("no system call can be forbidden here");
    cr_assert(renameat2(AT_FDCWD, "/", AT_FDCWD, "/", RENAME_NOREPLACE) && errno == EINVAL);
}

static void write_twice(void) {
    struct xl_err err = {0};
    ok(xl_file_write_new(scratch("a"), "first", 5, NULL, &err));
    expect_taken(scratch("a"));
    expect_content(scratch("a"), "first");
    cr_expect_eq(count_entries(scratch_dir), 1);
}

Test(file, writes_without_exclusive_rename) {
    forbid(false);
    write_twice();
}

Test(file, writes_without_exclusive_rename_and_links) {
    forbid(true);
    cr_assert(link(scratch_dir, scratch("l")) && errno == EPERM);
    write_twice();
}

/* ---- Several writers ---- */

enum { N_WRITERS = 8, N_ROUNDS = 100 };

struct writer {
    pthread_barrier_t *barrier;
    char path[SCRATCH_PATH], content[16];
    bool won, exists;
};

static void *write_once(void *user) {
    struct writer *writer = user;
    pthread_barrier_wait(writer->barrier);
    writer->won = !xl_file_write_new(writer->path, writer->content, strlen(writer->content),
                                     &writer->exists, NULL);
    return NULL;
}

static void race(int round) {
    pthread_barrier_t barrier;
    pthread_t threads[N_WRITERS];
    struct writer writers[N_WRITERS];
    pthread_barrier_init(&barrier, NULL, N_WRITERS);
    for (int i = 0; i < N_WRITERS; i++) {
        writers[i] = (struct writer){.barrier = &barrier};
        snprintf(writers[i].path, sizeof writers[i].path, "%s/%d", scratch_dir, round);
        snprintf(writers[i].content, sizeof writers[i].content, "writer %d", i);
        cr_assert_eq(pthread_create(&threads[i], NULL, write_once, &writers[i]), 0);
    }
    int n_won = 0;
    for (int i = 0; i < N_WRITERS; i++) {
        pthread_join(threads[i], NULL);
        cr_expect_neq(writers[i].won, writers[i].exists);
        n_won += writers[i].won;
        if (writers[i].won) expect_content(writers[i].path, writers[i].content);
    }
    cr_expect_eq(n_won, 1);
    pthread_barrier_destroy(&barrier);
}

Test(file, of_several_writers_exactly_one_wins) {
    for (int round = 0; round < N_ROUNDS; round++) race(round);
    cr_expect_eq(count_entries(scratch_dir), N_ROUNDS);
}

Test(file, of_several_writers_exactly_one_wins_without_exclusive_rename_and_links) {
    forbid(true);
    for (int round = 0; round < N_ROUNDS; round++) race(round);
    cr_expect_eq(count_entries(scratch_dir), N_ROUNDS);
}

static _Noreturn void write_until_killed(int round, const char *data) {
    for (int i = 0;; i++) {
        char path[SCRATCH_PATH];
        snprintf(path, sizeof path, "%s/%d-%d", scratch_dir, round, i);
        if (xl_file_write_new(path, data, LARGE, NULL, NULL)) _exit(1);
    }
}

/* However early or late a writer is killed, a name stands for a whole file. */
Test(file, a_killed_writer_leaves_no_torn_file) {
    char *data = calloc(LARGE, 1);
    int n_whole = 0;
    for (int round = 0; round < 20; round++) {
        pid_t child = fork();
        cr_assert_neq(child, -1);
        if (!child) write_until_killed(round, data);
        usleep((useconds_t)round * 700);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
    }
    DIR *dir = opendir(scratch_dir);
    for (struct dirent *entry; (entry = readdir(dir));) {
        struct stat st;
        if (entry->d_name[0] == '.') continue;
        cr_assert_eq(stat(scratch("%s", entry->d_name), &st), 0);
        cr_expect_eq(st.st_size, LARGE, "%s", entry->d_name);
        n_whole++;
    }
    closedir(dir);
    free(data);
    cr_expect_gt(n_whole, 0);
}

/* ---- Reading ---- */

static void expect_unread(const char *path, enum xl_status expected, const char *words) {
    struct xl_read_rule rule = {10, XL_EMODEL, XL_EFORMAT};
    struct xl_err err = {0};
    char *text = scratch_dir;
    size_t n = 7;
    cr_expect_eq(xl_file_read(path, rule, &text, &n, &err), expected);
    cr_expect(strstr(err.text, path) == err.text && strstr(err.text, words), "%s", err.text);
    cr_expect(text == scratch_dir && n == 7, "outputs are untouched");
}

Test(file, reading_has_a_limit_and_a_status_for_each_failure) {
    struct xl_err err = {0};
    struct xl_read_rule rule = {10, XL_EMODEL, XL_EFORMAT};
    char *text;
    size_t n;
    ok(xl_file_write_new(scratch("ten"), "0123456789", 10, NULL, &err));
    ok(xl_file_write_new(scratch("eleven"), "01234567890", 11, NULL, &err));
    ok(xl_file_write_new(scratch("zeros"), "a\0b", 3, NULL, &err));
    expect_content(scratch("ten"), "0123456789");
    expect_unread(scratch("eleven"), XL_EFORMAT, "11 bytes; expected at most 10");
    ok(xl_file_read(scratch("zeros"), rule, &text, &n, &err));
    cr_expect(n == 3 && !memcmp(text, "a\0b", 4));
    free(text);
    expect_unread(scratch("absent"), XL_EMODEL, "cannot open");
    expect_unread(scratch("ten/below"), XL_EMODEL, "cannot open");
    expect_unread(scratch_dir, XL_EFORMAT, "not a regular file");
    cr_assert_eq(mkfifo(scratch("pipe"), 0777), 0);
    expect_unread(scratch("pipe"), XL_EFORMAT, "not a regular file");
    cr_expect(xl_file_exists(scratch("ten")) && !xl_file_exists(scratch_dir) &&
              !xl_file_exists(scratch("pipe")));
    cr_expect(xl_dir_exists(scratch_dir) && !xl_dir_exists(scratch("ten")));
}

/* ---- Directories and paths ---- */

Test(file, directories_are_made_with_their_parents) {
    struct xl_err err = {0};
    ok(xl_dir_create(scratch("a/b//c/"), &err));
    cr_expect(xl_dir_exists(scratch("a/b/c")));
    ok(xl_dir_create(scratch("a/b"), &err));
    ok(xl_dir_create("/", &err));
    cr_assert_eq(chdir(scratch_dir), 0);
    ok(xl_dir_create("relative/x", &err));
    cr_expect(xl_dir_exists(scratch("relative/x")));

    ok(xl_file_write_new(scratch("f"), "", 0, NULL, &err));
    cr_expect_eq(xl_dir_create(scratch("f"), &err), XL_EDISK);
    cr_expect(strstr(err.text, "a file is in the way"), "%s", err.text);
    cr_expect_eq(xl_dir_create(scratch("f/g/h"), &err), XL_EDISK);
    cr_expect(strstr(err.text, "a file is in the way"), "%s", err.text);
    cr_expect_eq(xl_dir_create("", &err), XL_EDISK);
    cr_expect_eq(xl_dir_create("/proc/no/such", &err), XL_EDISK);
    cr_expect(strstr(err.text, "/proc/no/such"), "%s", err.text);
}

static void expect_join(const char *a, const char *b, const char *expected) {
    char *path = xl_path_join(a, b);
    cr_expect_str_eq(path, expected);
    free(path);
}

Test(file, paths_join_with_one_slash) {
    expect_join("a", "b", "a/b");
    expect_join("a/", "b", "a/b");
    expect_join("a//", "b", "a/b");
    expect_join("/", "b", "/b");
    expect_join("", "b", "b");
}
