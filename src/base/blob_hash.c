/* blob_hash.c - SHA-256, or SHA-1 behind git's header, by the length of the name. Keeps no state of
 * its own: any thread may call anything. */
#include "base/blob_hash.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHA1_DIGITS = 40, SHA256_DIGITS = 64 };

struct xl_blob_hash {
    EVP_MD_CTX *context;
    unsigned digits;
    bool failed;
};

bool xl_is_blob_name(const char *name) {
    size_t n = strspn(name, "0123456789abcdef");
    return !name[n] && (n == SHA1_DIGITS || n == SHA256_DIGITS);
}

struct xl_blob_hash *xl_blob_hash_new(const char *name, int64_t size) {
    struct xl_blob_hash *hash = calloc(1, sizeof *hash);
    if (!hash) return NULL;
    bool is_git = strlen(name) == SHA1_DIGITS;
    hash->digits = is_git ? SHA1_DIGITS : SHA256_DIGITS;
    hash->context = EVP_MD_CTX_new();
    hash->failed = !hash->context ||
                   EVP_DigestInit_ex(hash->context, is_git ? EVP_sha1() : EVP_sha256(), NULL) != 1;
    if (!is_git) return hash;
    char header[32];
    int n = snprintf(header, sizeof header, "blob %lld", (long long)size);
    xl_blob_hash_add(hash, header, (size_t)n + 1); /* and the NUL */
    return hash;
}

void xl_blob_hash_add(struct xl_blob_hash *hash, const void *data, size_t n) {
    if (!hash || hash->failed) return;
    hash->failed = EVP_DigestUpdate(hash->context, data, n) != 1;
}

void xl_blob_hash_free(struct xl_blob_hash *hash) {
    if (!hash) return;
    EVP_MD_CTX_free(hash->context);
    free(hash);
}

enum xl_status xl_blob_hash_end(struct xl_blob_hash *hash, char hex[XL_BLOB_HASH_HEX],
                                struct xl_err *err) {
    static const char digits[] = "0123456789abcdef";
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    bool failed = !hash || hash->failed ||
                  EVP_DigestFinal_ex(hash->context, digest, &length) != 1 ||
                  2 * length != hash->digits;
    xl_blob_hash_free(hash);
    if (failed) return xl_fail_nomem(err, "a digest", 0);
    for (unsigned i = 0; i < length; i++) {
        hex[2 * i] = digits[digest[i] >> 4];
        hex[2 * i + 1] = digits[digest[i] & 15];
    }
    hex[2 * length] = 0;
    return XL_OK;
}
