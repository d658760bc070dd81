/* test_file_digest.c - digests of large files: every byte counts, a file is read again when it was
 * changed and not otherwise, and no cache of digests makes a wrong one. */
#include "base/file.h"
#include "base/file_digest.h"
#include "unit/scratch.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void open_cache(void) {
    scratch_open();
    cr_assert_eq(setenv("XDG_CACHE_HOME", scratch("cache"), 1), 0);
}

TestSuite(file_digest, .init = open_cache, .fini = scratch_close);

enum { LARGE = XL_DIGEST_KEEP_BYTES + 17 };

static const char *cache(void) {
    return scratch("cache/sdxl-lab/digests");
}

/* A large file of zeros but for one byte. */
static void make(const char *path, off_t at, char byte) {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    cr_assert_geq(fd, 0);
    cr_assert_eq(ftruncate(fd, LARGE), 0);
    cr_assert_eq(pwrite(fd, &byte, 1, at), 1);
    close(fd);
}

/* As if nobody had written to it for a while: of what was just written nothing is kept. */
static void wait_for_coarse_clocks(void) {
    sleep(4);
}

static void digest_of(const char *path, char hex[XL_SHA256_HEX]) {
    struct xl_err err = {0};
    cr_assert_eq(xl_file_digest(path, hex, &err), XL_OK, "%s", err.text);
    char plain[XL_SHA256_HEX];
    cr_assert_eq(xl_sha256_file(path, plain, &err), XL_OK);
    cr_expect_str_eq(hex, plain);
}

static long size_of(const char *path) {
    struct stat st;
    return stat(path, &st) ? -1 : (long)st.st_size;
}

Test(file_digest, every_byte_counts) {
    char one[XL_SHA256_HEX], other[XL_SHA256_HEX];
    make(scratch("one"), LARGE / 2 + 1, 1);
    make(scratch("other"), LARGE / 2 + 1, 2);
    digest_of(scratch("one"), one);
    digest_of(scratch("other"), other);
    cr_expect_str_neq(one, other);
    cr_expect_eq(size_of(cache()), -1, "of files that were just written nothing is kept");
}

Test(file_digest, what_was_found_is_kept_until_the_file_changes) {
    char hex[XL_SHA256_HEX], again[XL_SHA256_HEX];
    make(scratch("file"), 9, 1);
    wait_for_coarse_clocks();
    digest_of(scratch("file"), hex);
    long size = size_of(cache());
    cr_assert_gt(size, 0);
    digest_of(scratch("file"), again);
    cr_expect_eq(size_of(cache()), size, "it was not read again");
    cr_assert_eq(rename(scratch("file"), scratch("moved")), 0);
    make(scratch("file"), 9, 2); /* another one of that name, and as large */
    digest_of(scratch("file"), again);
    cr_expect_str_neq(hex, again);
    digest_of(scratch("moved"), again);
    cr_expect_str_eq(hex, again);
    make(scratch("moved"), 9, 3); /* the same file with another byte */
    digest_of(scratch("moved"), again);
    cr_expect_str_neq(hex, again);
}

/* A kept digest is believed, so that what is kept has to be whole. */
Test(file_digest, a_damaged_cache_costs_time_and_nothing_else) {
    char hex[XL_SHA256_HEX];
    make(scratch("file"), 9, 1);
    wait_for_coarse_clocks();
    digest_of(scratch("file"), hex);
    static const struct xl_read_rule rule = {XL_DIGEST_CACHE_BYTES, XL_EINPUT, XL_EINPUT};
    char *text, *digest;
    size_t n;
    cr_assert_eq(xl_file_read(cache(), rule, &text, &n, NULL), XL_OK);
    cr_assert_not_null(digest = strstr(text, hex));
    *digest = *digest == '0' ? '1' : '0';
    scratch_write(cache(), text, n);
    digest_of(scratch("file"), hex); /* another digest than the file's */
    free(text);
    scratch_write(cache(), "\0\xff no line", 10);
    digest_of(scratch("file"), hex);
    cr_expect_eq(size_of(cache()), (long)n, "it is begun anew");
    scratch_write(cache(), "cut", 3);
    digest_of(scratch("file"), hex);
    cr_expect_eq(size_of(cache()), (long)(n + 4), "a line of its own behind one that is cut");
    make(cache(), 0, '\n'); /* far too large */
    digest_of(scratch("file"), hex);
    cr_expect_eq(size_of(cache()), (long)n);
}

Test(file_digest, a_cache_that_cannot_be_written_costs_time_and_nothing_else) {
    char hex[XL_SHA256_HEX];
    make(scratch("file"), 9, 1);
    wait_for_coarse_clocks();
    scratch_write(scratch("cache"), "a file is in the way", 20);
    digest_of(scratch("file"), hex);
    cr_assert_eq(unlink(scratch("cache")), 0);
    scratch_make_parents(scratch("cache/sdxl-lab/digests/x"));
    digest_of(scratch("file"), hex);
}

Test(file_digest, small_files_are_read_each_time) {
    char hex[XL_SHA256_HEX];
    struct xl_err err = {0};
    scratch_write(scratch("small"), "abc", 3);
    digest_of(scratch("small"), hex);
    cr_expect_eq(size_of(cache()), -1);
    cr_expect_eq(xl_file_digest(scratch("none"), hex, &err), XL_EINPUT);
    cr_expect_not_null(strstr(err.text, "none: cannot open"), "%s", err.text);
    cr_expect_eq(xl_file_digest(scratch_dir, hex, &err), XL_EINPUT);
}
