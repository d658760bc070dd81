/* sha256.c - a thin layer over libcrypto's EVP interface. Keeps no state of its own: any thread may
 * call anything. */
#include "base/sha256.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECE = 1 << 20 };

struct xl_sha256 {
    EVP_MD_CTX *context;
    bool failed;
};

struct xl_sha256 *xl_sha256_new(void) {
    struct xl_sha256 *sha = calloc(1, sizeof *sha);
    if (!sha) return NULL;
    sha->context = EVP_MD_CTX_new();
    sha->failed = !sha->context || EVP_DigestInit_ex(sha->context, EVP_sha256(), NULL) != 1;
    return sha;
}

void xl_sha256_add(struct xl_sha256 *sha, const void *data, size_t n) {
    if (!sha || sha->failed) return;
    sha->failed = EVP_DigestUpdate(sha->context, data, n) != 1;
}

static void free_sha(struct xl_sha256 *sha) {
    if (!sha) return;
    EVP_MD_CTX_free(sha->context);
    free(sha);
}

enum xl_status xl_sha256_end(struct xl_sha256 *sha, char hex[XL_SHA256_HEX], struct xl_err *err) {
    static const char digits[] = "0123456789abcdef";
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    bool failed = !sha || sha->failed || EVP_DigestFinal_ex(sha->context, digest, &length) != 1 ||
                  2 * length + 1 != XL_SHA256_HEX;
    free_sha(sha);
    if (failed) return xl_fail_nomem(err, "a SHA-256 digest", 0);
    for (unsigned i = 0; i < length; i++) {
        hex[2 * i] = digits[digest[i] >> 4];
        hex[2 * i + 1] = digits[digest[i] & 15];
    }
    hex[2 * length] = 0;
    return XL_OK;
}

enum xl_status xl_sha256(const void *data, size_t n, char hex[XL_SHA256_HEX], struct xl_err *err) {
    struct xl_sha256 *sha = xl_sha256_new();
    xl_sha256_add(sha, data, n);
    return xl_sha256_end(sha, hex, err);
}

/* Feed everything that fd holds from where it stands: 0, or the errno of read. */
static int add_descriptor(struct xl_sha256 *sha, int fd, void *buffer) {
    for (;;) {
        ssize_t got = read(fd, buffer, PIECE);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return errno;
        if (got == 0) return 0;
        xl_sha256_add(sha, buffer, (size_t)got);
    }
}

enum xl_status xl_sha256_file(const char *path, char hex[XL_SHA256_HEX], struct xl_err *err) {
    /* Without O_NONBLOCK, opening a pipe that nobody writes to would wait forever. */
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0) return xl_fail(err, XL_EINPUT, "%s: cannot open: %s", path, strerror(errno));
    struct stat st;
    void *buffer = NULL;
    struct xl_sha256 *sha = NULL;
    int why = 0;
    enum xl_status status = XL_OK;
    if (fstat(fd, &st) || !S_ISREG(st.st_mode))
        status = xl_fail(err, XL_EINPUT, "%s: not a regular file", path);
    else if (!(buffer = malloc(PIECE)))
        status = xl_fail_nomem(err, path, PIECE);
    else if (!(sha = xl_sha256_new()))
        status = xl_fail_nomem(err, "a SHA-256 digest", 0);
    else if ((why = add_descriptor(sha, fd, buffer)))
        status = xl_fail(err, XL_EINPUT, "%s: cannot read: %s", path, strerror(why));
    close(fd);
    free(buffer);
    if (status) {
        free_sha(sha);
        return status;
    }
    return xl_sha256_end(sha, hex, err);
}
