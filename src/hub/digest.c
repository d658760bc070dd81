/* digest.c - by what a file is known: the digest that the links of a cache tell, or samples of its
 * content. Reads files, keeps nothing; any thread. */
#include "base/sha256.h"
#include "hub/hub.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SHA1_DIGITS = 40, SHA256_DIGITS = 64, MAX_HOPS = 16 };

static bool is_digest(const char *name) {
    size_t n = strspn(name, "0123456789abcdef");
    return !name[n] && (n == SHA1_DIGITS || n == SHA256_DIGITS);
}

/* The first link on the way whose target is called by a digest: the blob of the repository. What
 * may follow is the cache-wide store, whose names are hashes of another kind. */
const char *xl_hub_digest(const char *path, struct xl_arena *arena) {
    char at[PATH_MAX], target[PATH_MAX];
    if (strlen(path) >= sizeof at) return NULL;
    strcpy(at, path);
    for (int hop = 0; hop < MAX_HOPS; hop++) {
        ssize_t n = readlink(at, target, sizeof target - 1);
        if (n < 0) return NULL;
        target[n] = 0;
        const char *slash = strrchr(target, '/');
        const char *name = slash ? slash + 1 : target;
        if (is_digest(name)) return xl_arena_strdup(arena, name);
        char *folder_end = strrchr(at, '/');
        size_t keep = target[0] == '/' || !folder_end ? 0 : (size_t)(folder_end + 1 - at);
        if (keep + (size_t)n >= sizeof at) return NULL;
        memcpy(at + keep, target, (size_t)n + 1);
    }
    return NULL;
}

enum { PIECE_BYTES = 4096, N_PIECES = 64, WHOLE_BYTES = 4 << 20 };

/* The size, and the pieces of a file into the hash. False: it cannot be read to its end. */
static bool hash_pieces(int fd, struct xl_sha256 *sha) {
    struct stat st;
    if (fstat(fd, &st) || !S_ISREG(st.st_mode)) return false;
    int64_t size = st.st_size, step = PIECE_BYTES;
    if (size > WHOLE_BYTES) step = (size - PIECE_BYTES) / (N_PIECES - 1);
    uint8_t piece[PIECE_BYTES];
    for (int i = 0; i < 8; i++) piece[i] = (uint8_t)(size >> 8 * i);
    xl_sha256_add(sha, piece, 8);
    for (int64_t at = 0; at < size; at += step) {
        ssize_t n = pread(fd, piece, sizeof piece, at);
        if (n <= 0) return false;
        xl_sha256_add(sha, piece, (size_t)n);
    }
    return true;
}

enum xl_status xl_hub_fingerprint(const char *path, char out[XL_FINGERPRINT_HEX],
                                  struct xl_err *err) {
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) return xl_fail(err, XL_EMODEL, "%s: cannot be read any more", path);
    struct xl_sha256 *sha = xl_sha256_new();
    bool is_read = hash_pieces(fd, sha);
    close(fd);
    char hex[XL_SHA256_HEX];
    enum xl_status status = xl_sha256_end(sha, hex, err);
    if (status) return status;
    if (!is_read) return xl_fail(err, XL_EMODEL, "%s: cannot be read any more", path);
    snprintf(out, XL_FINGERPRINT_HEX, "%.*s", XL_FINGERPRINT_HEX - 1, hex);
    return XL_OK;
}
