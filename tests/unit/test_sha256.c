/* test_sha256.c - the vectors of FIPS 180-4, and files larger than one read. */
#include "base/sha256.h"
#include "unit/scratch.h"

#include <criterion/criterion.h>

TestSuite(sha256, .init = scratch_open, .fini = scratch_close);

static void expect(const char *text, const char *digest) {
    char hex[XL_SHA256_HEX];
    cr_assert_eq(xl_sha256(text, strlen(text), hex, NULL), XL_OK);
    cr_expect_str_eq(hex, digest);
}

Test(sha256, published_vectors) {
    expect("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    expect("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    expect("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
           "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

Test(sha256, million_a_from_a_file_and_in_pieces) {
    enum { N = 1000000 };
    static const char million_a[] =
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";
    char *text = malloc(N);
    cr_assert_not_null(text);
    memset(text, 'a', N);
    scratch_write(scratch("a"), text, N);
    char hex[XL_SHA256_HEX];
    cr_assert_eq(xl_sha256_file(scratch("a"), hex, NULL), XL_OK);
    cr_expect_str_eq(hex, million_a);

    struct xl_sha256 *sha = xl_sha256_new();
    for (size_t at = 0, step = 1; at < N; at += step, step = step * 3 % 4096 + 1)
        xl_sha256_add(sha, text, at + step > N ? N - at : step);
    cr_assert_eq(xl_sha256_end(sha, hex, NULL), XL_OK);
    cr_expect_str_eq(hex, million_a);
    free(text);
}

Test(sha256, a_file_of_several_reads_counts_whole) {
    /* Three pieces and one byte; the last byte must decide the digest. */
    size_t n = (3u << 20) + 1;
    char *data = calloc(1, n), hex[2][XL_SHA256_HEX], whole[XL_SHA256_HEX];
    cr_assert_not_null(data);
    scratch_write(scratch("zeros"), data, n);
    cr_assert_eq(xl_sha256_file(scratch("zeros"), hex[0], NULL), XL_OK);
    data[n - 1] = 1;
    scratch_write(scratch("zeros"), data, n);
    cr_assert_eq(xl_sha256_file(scratch("zeros"), hex[1], NULL), XL_OK);
    cr_assert_eq(xl_sha256(data, n, whole, NULL), XL_OK);
    cr_expect_str_neq(hex[0], hex[1]);
    cr_expect_str_eq(hex[1], whole);
    free(data);
}

Test(sha256, what_is_no_file_is_named) {
    char hex[XL_SHA256_HEX] = "untouched";
    struct xl_err err = {0};
    cr_expect_eq(xl_sha256_file(scratch("missing"), hex, &err), XL_EINPUT);
    cr_expect_not_null(strstr(err.text, "missing: cannot open"), "%s", err.text);
    cr_expect_eq(xl_sha256_file(scratch_dir, hex, &err), XL_EINPUT);
    cr_expect_not_null(strstr(err.text, "not a regular file"), "%s", err.text);
    cr_expect_str_eq(hex, "untouched");
    cr_expect_eq(xl_sha256_end(NULL, hex, &err), XL_ENOMEM);
}
