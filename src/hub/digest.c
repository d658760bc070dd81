/* digest.c - by what a file is known: the digest that the links of a cache tell, or that of its
 * content. Any thread. */
#include "base/file_digest.h"
#include "hub/hub.h"

#include <limits.h>
#include <string.h>
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

enum xl_status xl_hub_file_digest(const char *path, char out[XL_SHA256_HEX], struct xl_err *err) {
    struct xl_arena arena = {0};
    const char *known = xl_hub_digest(path, &arena);
    if (known) strcpy(out, known);
    xl_arena_deinit(&arena);
    return known ? XL_OK : xl_file_digest(path, out, err);
}
