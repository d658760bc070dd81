/* test_cache_bound.c - a folder that is kept small: what was used longest ago goes first. */
#include "base/cache_bound.h"
#include "scratch.h"

#include <fcntl.h>

TestSuite(cache_bound, .init = scratch_open, .fini = scratch_close);

/* A file of 1,000 bytes that was used so many seconds after the epoch. */
static const char *put(const char *name, int used) {
    char bytes[1000] = {0};
    const char *path = scratch("%s", name);
    const struct timespec times[2] = {{.tv_sec = used}, {.tv_sec = 5000}};
    scratch_write(path, bytes, sizeof bytes);
    cr_assert_eq(utimensat(AT_FDCWD, path, times, 0), 0);
    return path;
}

static bool is_there(const char *name) {
    return access(scratch("%s", name), F_OK) == 0;
}

Test(cache_bound, oldest_use_first) {
    struct xl_err err;
    int64_t left = 0;
    put("ab/1", 100), put("ab/2", 400), put("cd/3", 200);
    int fd = open(put("cd/4", 50), O_RDONLY);
    xl_cache_used(fd); /* the oldest by its times, but it was used just now */
    cr_assert_eq(xl_cache_trim(scratch_dir, 4000, &left, &err), XL_OK);
    cr_expect_eq(left, 4000, "nothing goes that has room");
    cr_assert_eq(xl_cache_trim(scratch_dir, 2500, &left, &err), XL_OK);
    cr_expect_eq(left, 2000);
    cr_expect(!is_there("ab/1") && !is_there("cd/3") && is_there("ab/2") && is_there("cd/4"));
    cr_assert_eq(xl_cache_trim(scratch_dir, 0, &left, &err), XL_OK);
    cr_expect(left == 0 && !is_there("cd/4"));
    char byte;
    cr_expect_eq(read(fd, &byte, 1), 1, "whoever reads it reads on");
    close(fd);
}

Test(cache_bound, links_and_folders_that_are_none) {
    struct xl_err err;
    int64_t left = -1;
    put("elsewhere/1", 100);
    cr_assert_eq(mkdir(scratch("cache"), 0777), 0);
    cr_assert_eq(symlink("../elsewhere", scratch("cache/link")), 0);
    cr_assert_eq(xl_cache_trim(scratch("cache"), 0, &left, &err), XL_OK);
    cr_expect(left == 0 && is_there("elsewhere/1"), "a link is not followed");
    cr_expect_eq(xl_cache_trim(scratch("none"), 0, &left, &err), XL_EDISK);
}
