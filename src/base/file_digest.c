/* file_digest.c - digests of large files, and the cache of them. A line is added in one write, so
 * that lines of several processes do not mix; where they do all the same, the check of a line tells
 * that it is none. */
#include "base/file_digest.h"

#include "base/file.h"
#include "base/log.h"
#include "base/path.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    KEY_MAX = 160,
    CHECK_DIGITS = 16,
    LINE_MAX_BYTES = KEY_MAX + XL_SHA256_HEX + CHECK_DIGITS + 4,
    COARSE_S = 2,         /* no file system's clock goes in larger steps */
    TOLD_BYTES = 1 << 30, /* from here on somebody waits for it */
};

/* What tells a state of a file from every other one. */
static void key_of(const struct stat *st, char out[KEY_MAX]) {
    snprintf(out, KEY_MAX, "%llx %llx %lld %lld.%09ld %lld.%09ld", (unsigned long long)st->st_dev,
             (unsigned long long)st->st_ino, (long long)st->st_size, (long long)st->st_mtim.tv_sec,
             st->st_mtim.tv_nsec, (long long)st->st_ctim.tv_sec, st->st_ctim.tv_nsec);
}

/* "KEY DIGEST CHECK\n". False: no memory */
static bool write_line(const char *key, const char *digest, char out[LINE_MAX_BYTES]) {
    char check[XL_SHA256_HEX];
    int n = snprintf(out, LINE_MAX_BYTES, "%s %s", key, digest);
    if (xl_sha256(out, (size_t)n, check, NULL)) return false;
    snprintf(out + n, (size_t)(LINE_MAX_BYTES - n), " %.*s\n", CHECK_DIGITS, check);
    return true;
}

/* The digest of a line that begins with the key, and is whole. */
static bool take_line(const char *line, const char *key, char hex[XL_SHA256_HEX]) {
    char digest[XL_SHA256_HEX], whole[LINE_MAX_BYTES];
    size_t n = strlen(key);
    if (strncmp(line, key, n) != 0 || line[n] != ' ') return false;
    snprintf(digest, sizeof digest, "%.*s", XL_SHA256_HEX - 1, line + n + 1);
    if (!write_line(key, digest, whole) || strncmp(line, whole, strlen(whole)) != 0) return false;
    memcpy(hex, digest, sizeof digest);
    return true;
}

/* The whole cache, malloc'd; NULL: there is none that can be used. */
static char *read_cache(const char *path) {
    static const struct xl_read_rule rule = {XL_DIGEST_CACHE_BYTES, XL_EINPUT, XL_EINPUT};
    char *text;
    size_t n;
    if (!path || xl_file_read(path, rule, &text, &n, NULL)) return NULL;
    if (strlen(text) == n) return text;
    free(text);
    return NULL;
}

static bool find(const char *cache, const char *key, char hex[XL_SHA256_HEX]) {
    for (const char *line = cache; line && *line; line = strchr(line, '\n')) {
        if (*line == '\n') line++;
        if (take_line(line, key, hex)) return true;
    }
    return false;
}

/* The folder of the cache is there, or was made. */
static bool has_folder(const char *path) {
    char *folder = strdup(path);
    if (folder) *strrchr(folder, '/') = 0;
    bool is_there = folder && !xl_dir_create(folder, NULL);
    free(folder);
    return is_there;
}

/* cache: as it was read; NULL: none that could be used, then one that is there is replaced.
 * False: it could not be kept. */
static bool keep(const char *path, const char *cache, const char *key, const char *digest) {
    char line[LINE_MAX_BYTES], text[LINE_MAX_BYTES + 1];
    if (!write_line(key, digest, line) || !has_folder(path)) return false;
    if (!cache && xl_file_exists(path)) return !xl_file_replace(path, line, strlen(line), NULL);
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_CLOEXEC, 0600);
    if (fd < 0) return false;
    /* Who failed half-way left a line without an end. */
    size_t n = cache ? strlen(cache) : 0;
    int length = snprintf(text, sizeof text, "%s%s", n && cache[n - 1] != '\n' ? "\n" : "", line);
    bool is_kept = write(fd, text, (size_t)length) == length;
    close(fd);
    return is_kept;
}

static bool is_same(const struct stat *st, const char *path) {
    char before[KEY_MAX], after[KEY_MAX];
    struct stat now;
    if (stat(path, &now)) return false;
    key_of(st, before);
    key_of(&now, after);
    return !strcmp(before, after);
}

static bool is_settled(const struct stat *st, time_t now) {
    return st->st_ctim.tv_sec < now - COARSE_S && st->st_mtim.tv_sec < now - COARSE_S;
}

/* Of a large file. */
static enum xl_status digest_once(const char *path, const struct stat *st, const char *cache_path,
                                  char hex[XL_SHA256_HEX], struct xl_err *err) {
    char key[KEY_MAX];
    char *cache = read_cache(cache_path);
    time_t begun = time(NULL);
    key_of(st, key);
    enum xl_status status = XL_OK;
    if (!find(cache, key, hex)) {
        if (st->st_size >= TOLD_BYTES)
            xl_note("reading %s (%.1f GB) to know it by its digest", path,
                    (double)st->st_size / 1e9);
        status = xl_sha256_file(path, hex, err);
        if (!status && cache_path && is_settled(st, begun) && is_same(st, path) &&
            !keep(cache_path, cache, key, hex))
            xl_info("%s: the digest of %s could not be kept there", cache_path, path);
    }
    free(cache);
    return status;
}

enum xl_status xl_file_digest(const char *path, char hex[XL_SHA256_HEX], struct xl_err *err) {
    struct stat st;
    if (stat(path, &st) || !S_ISREG(st.st_mode) || st.st_size < XL_DIGEST_KEEP_BYTES)
        return xl_sha256_file(path, hex, err);
    char *cache_path = xl_path_cache("digests");
    enum xl_status status = digest_once(path, &st, cache_path, hex, err);
    free(cache_path);
    return status;
}
