/* test_files.c - files below a folder: every way out that people have thought of, and links that
 * change while they are opened. */
#include "http/files.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>

#include "unit/scratch.h"

static int root;

static void set_up(void) {
    scratch_open();
    scratch_puts(scratch("root/a.png"), "inside");
    scratch_puts(scratch("root/sub/deep/b.png"), "inside");
    scratch_puts(scratch("root/sub/\xe2\x80\xaexgp.png"), "inside");
    scratch_puts(scratch("secret"), "outside");
    scratch_puts(scratch("outside/b.png"), "outside");
    cr_assert_eq(symlink("../secret", scratch("root/link")), 0);
    cr_assert_eq(symlink("/etc", scratch("root/etc")), 0);
    cr_assert_eq(symlink("../outside", scratch("root/out")), 0);
    cr_assert_eq(symlink("/proc/self/root", scratch("root/magic")), 0);
    cr_assert_eq(symlink("loop", scratch("root/loop")), 0);
    cr_assert_eq(symlink("a.png", scratch("root/near")), 0);
    cr_assert_eq(mkfifo(scratch("root/fifo"), 0600), 0);
    root = open(scratch("root"), O_PATH | O_DIRECTORY);
    cr_assert_geq(root, 0);
}

static void tear_down(void) {
    close(root);
    scratch_close();
}

/* Whether a path gives the file inside (1), nothing (0), or something else (-1, which may not be).
 */
static int try_path(const char *path) {
    char bytes[16] = "";
    int fd = -1;
    struct xl_err err = {0};
    enum xl_status status = xl_file_below(root, path, &fd, &err);
    if (status) {
        cr_expect(err.text[0] && fd == -1);
        return 0;
    }
    ssize_t n = read(fd, bytes, sizeof bytes - 1);
    close(fd);
    return n == 6 && !strcmp(bytes, "inside") ? 1 : -1;
}

static const char *const inside[] = {"a.png", "sub/deep/b.png", "sub/\xe2\x80\xaexgp.png"};

/* Beginnings and what is below them: each is tried as it is, and with every target. */
static const char *const ways[] = {
    "",
    "../",
    "../../",
    "sub/../../",
    "sub/../",
    "./",
    "./../",
    "sub/./../../",
    "/",
    "//",
    "sub//",
    "sub//../",
    "link/",
    "etc/",
    "out/",
    "out/../",
    "magic/",
    "magic/etc/",
    "loop/",
    "fifo/",
    "a.png/",
    "a.png/../",
    "near/../",
    "..\\",
    "..\\..\\",
    "%2e%2e/",
    "%2e%2e%2f",
    "..%2f",
    "%252e%252e/",
    "..;/",
    "....//",
    "..././",
    "\xc0\xae\xc0\xae/",
    "..\xc0\xaf",
    "\xe2\x80\xae../",
    "...\x01/",
    "~/",
    "$HOME/",
    "file:///",
    "http://127.0.0.1/",
    "C:\\",
    "\\\\host\\share\\",
    "/proc/self/root/",
    "/proc/self/cwd/",
    "/dev/fd/",
    "sub/deep/../../../",
    "sub/deep/../../../../../../../../../../../../",
    ". ./",
    ".. /",
    "../ ",
};
static const char *const targets[] = {"secret", "etc/passwd", "outside/b.png", "passwd"};

static int try_all(void) {
    int n = 0;
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        for (size_t k = 0; k < sizeof targets / sizeof *targets; k++) {
            char path[300];
            snprintf(path, sizeof path, "%s%s", ways[i], targets[k]);
            cr_expect_eq(try_path(path), 0, "%s", path);
            n++;
        }
    return n;
}

Test(files, nothing_leads_out, .init = set_up, .fini = tear_down) {
    char long_name[5000];
    memset(long_name, 'a', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = 0;
    for (int walk = 0; walk < 2; walk++) {
        xl_files_walk_always(walk);
        for (size_t i = 0; i < sizeof inside / sizeof *inside; i++)
            cr_expect_eq(try_path(inside[i]), 1, "%s", inside[i]);
        cr_expect_eq(try_all(), 200);
        static const char *const others[] = {"",     ".",      "..",     "link",   "etc",
                                             "loop", "magic",  "fifo",   "sub",    "sub/",
                                             "CON",  "a.png.", "a.png ", "a.png/."};
        for (size_t i = 0; i < sizeof others / sizeof *others; i++)
            cr_expect_eq(try_path(others[i]), 0, "%s", others[i]);
        cr_expect_eq(try_path(long_name), 0);
        long_name[300] = 0;
        cr_expect_eq(try_path(long_name), 0);
        long_name[300] = 'a';
        /* A link that stays inside is followed by the kernel, which knows; not by the walk. */
        cr_expect_eq(try_path("near"), walk ? 0 : 1);
    }
    xl_files_walk_always(false);
}

Test(files, by_the_folders_name, .init = set_up, .fini = tear_down) {
    int fd = -1;
    char folder[SCRATCH_PATH];
    snprintf(folder, sizeof folder, "%s", scratch("root"));
    cr_assert_eq(xl_file_in(folder, scratch("root/a.png"), &fd, NULL), XL_OK);
    close(fd);
    cr_expect_eq(xl_file_in(folder, scratch("secret"), &fd, NULL), XL_EINPUT);
    cr_expect_eq(xl_file_in(folder, scratch("root/../secret"), &fd, NULL), XL_EINVAL);
    cr_expect_eq(xl_file_in(folder, scratch("rooted/a.png"), &fd, NULL), XL_EINPUT);
    cr_expect_eq(xl_file_in(folder, folder, &fd, NULL), XL_EINPUT);
}

static atomic_bool is_over;

/* sub is a folder, then a link that leads out, then a folder again, as fast as may be. */
static void *flip(void *user) {
    (void)user;
    char sub[SCRATCH_PATH], kept[SCRATCH_PATH], link[SCRATCH_PATH];
    snprintf(sub, sizeof sub, "%s/root/sub", scratch_dir);
    snprintf(kept, sizeof kept, "%s/root/kept", scratch_dir);
    snprintf(link, sizeof link, "%s/root/tmp", scratch_dir);
    while (!atomic_load(&is_over)) {
        rename(sub, kept);
        (void)!symlink("../outside", link);
        rename(link, sub);
        unlink(sub);
        rename(kept, sub);
    }
    return NULL;
}

Test(files, links_that_come_and_go, .init = set_up, .fini = tear_down) {
    enum { TRIES = 10000 };
    pthread_t thread;
    scratch_puts(scratch("outside/deep/b.png"), "outside");
    for (int walk = 0; walk < 2; walk++) {
        int found = 0;
        xl_files_walk_always(walk);
        atomic_store(&is_over, false);
        cr_assert_eq(pthread_create(&thread, NULL, flip, NULL), 0);
        for (int i = 0; i < TRIES; i++) {
            int result = try_path("sub/deep/b.png");
            cr_expect_neq(result, -1, "a file of outside");
            found += result == 1;
        }
        atomic_store(&is_over, true);
        pthread_join(thread, NULL);
        cr_expect_gt(found, 0, "it was never there");
    }
    xl_files_walk_always(false);
}

Test(files, folders_that_are_made, .init = set_up, .fini = tear_down) {
    int fd = -1, real = open(scratch("root"), O_RDONLY | O_DIRECTORY);
    const char *name = NULL;
    cr_assert_eq(xl_folder_below(real, ".trash/x/y/c.png", true, &fd, &name, NULL), XL_OK);
    cr_expect_str_eq(name, "c.png");
    close(fd);
    cr_expect_eq(access(scratch("root/.trash/x/y"), F_OK), 0);
    cr_expect_neq(xl_folder_below(real, "out/c.png", true, &fd, &name, NULL), XL_OK);
    cr_expect_neq(xl_folder_below(real, "../c.png", true, &fd, &name, NULL), XL_OK);
    cr_expect_neq(xl_folder_below(real, "none/c.png", false, &fd, &name, NULL), XL_OK);
    close(real);
}
