/* test_blob_hash.c - the names of a hub's blobs, against what git and sha256sum say. */
#include "base/blob_hash.h"

#include <criterion/criterion.h>
#include <string.h>

static void expect(const char *name, const char *text, size_t piece) {
    size_t n = strlen(text);
    struct xl_blob_hash *hash = xl_blob_hash_new(name, (int64_t)n);
    char hex[XL_BLOB_HASH_HEX];
    struct xl_err err = {0};
    for (size_t at = 0; at < n; at += piece)
        xl_blob_hash_add(hash, text + at, n - at < piece ? n - at : piece);
    cr_assert_eq(xl_blob_hash_end(hash, hex, &err), XL_OK, "%s", err.text);
    cr_expect_str_eq(hex, name);
}

/* printf 'what is up, doc?' | git hash-object --stdin, sha256sum */
Test(blob_hash, values) {
    for (size_t piece = 1; piece < 20; piece += 6) {
        expect("bd9dbf5aae1a3862dd1526723246b20206e5fc37", "what is up, doc?", piece);
        expect("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", "abc", piece);
    }
    expect("e69de29bb2d1d6434b8b29ae775ad8c2e48c5391", "", 1);
    expect("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "", 1);
}

Test(blob_hash, names) {
    cr_expect(xl_is_blob_name("e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"));
    cr_expect(!xl_is_blob_name("E69de29bb2d1d6434b8b29ae775ad8c2e48c5391"));
    cr_expect(!xl_is_blob_name("e69de29bb2d1d6434b8b29ae775ad8c2e48c539"));
    cr_expect(!xl_is_blob_name("../de29bb2d1d6434b8b29ae775ad8c2e48c5391"));
    cr_expect(!xl_is_blob_name(""));
}

/* Without memory: nothing to add to, nothing to end. */
Test(blob_hash, without_memory) {
    char hex[XL_BLOB_HASH_HEX];
    xl_blob_hash_add(NULL, "a", 1);
    xl_blob_hash_free(NULL);
    cr_expect_eq(xl_blob_hash_end(NULL, hex, NULL), XL_ENOMEM);
}
