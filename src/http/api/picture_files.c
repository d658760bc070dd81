/* picture_files.c - a picture's file, and a small one that is made once: in the folder of what can
 * be made again (base/path.h), by path, size and time of the file and by side. */
#include "base/cache_bound.h"
#include "base/file.h"
#include "base/path.h"
#include "base/sha256.h"
#include "base/str.h"
#include "http/api/pictures.h"
#include "image/image.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { QUALITY = 80, SIDE = 320 };

/* An address with a cell's id never means another picture; a number of the index may. */
static bool is_for_ever(const struct xl_call *call) {
    return strlen(xl_call_text(call, "id")) == 32;
}

/* What stands after the last slash, as a header can carry it. */
static const char *disposition_of(struct xl_call *call, const char *path) {
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    struct xl_str text = {0};
    bool is_wanted = xl_call_switch(call, "download", false);
    xl_str_printf(&text, "%s; filename*=UTF-8''", is_wanted ? "attachment" : "inline");
    for (; *name; name++) {
        bool is_plain = (*name >= '0' && *name <= '9') || (*name >= 'a' && *name <= 'z') ||
                        (*name >= 'A' && *name <= 'Z') || strchr("-._~", *name);
        xl_str_printf(&text, is_plain ? "%c" : "%%%02X", (unsigned char)*name);
    }
    const char *copy = text.failed ? NULL : xl_arena_strdup(&call->arena, text.text);
    xl_str_deinit(&text);
    return copy;
}

/* Only pictures leave as what they are: whatever else lies there is nothing to be shown. */
static const char *picture_type(const char *path) {
    const char *type = xl_type_of_name(path);
    bool is_picture = !strncmp(type, "image/", 6) && strcmp(type, "image/svg+xml") != 0;
    return is_picture ? type : "application/octet-stream";
}

enum xl_status xl_picture_get_file(struct xl_call *call, struct xl_reply *reply,
                                   struct xl_err *err) {
    json_t *picture = NULL;
    int fd = -1;
    enum xl_status status = xl_picture_of_call(call, reply, &picture, err);
    if (!status) status = xl_picture_open(call, reply, picture, &fd, err);
    if (!status) {
        const char *path = json_string_value(json_object_get(picture, "path"));
        struct xl_reply_file file = {
            .fd = fd, .type = picture_type(path), .is_immutable = is_for_ever(call)};
        xl_reply_header(reply, "Content-Disposition", disposition_of(call, path));
        status = xl_reply_file(call, reply, &file, err);
    }
    json_decref(picture);
    return status;
}

/* --- Thumbnails ------------------------------------------------------------------------------- */

/* Where the thumbnail is, and its folder; in the arena. */
static enum xl_status place_of(struct xl_call *call, const char *path, int fd, int side,
                               const char **dir, const char **place, struct xl_err *err) {
    struct stat st;
    char digest[XL_SHA256_HEX];
    if (fstat(fd, &st)) return xl_fail(err, XL_EINPUT, "%s: %s", path, strerror(errno));
    const char *key = xl_arena_printf(&call->arena, "%s\n%lld\n%lld.%09ld", path,
                                      (long long)st.st_size, (long long)st.st_mtim.tv_sec,
                                      st.st_mtim.tv_nsec);
    if (!key) return xl_fail_nomem(err, "a thumbnail", 0);
    enum xl_status status = xl_sha256(key, strlen(key), digest, err);
    if (status) return status;
    char *cache = xl_path_cache("thumbnails");
    *dir = cache ? xl_arena_printf(&call->arena, "%s/%.2s", cache, digest) : NULL;
    *place = *dir ? xl_arena_printf(&call->arena, "%s/%.40s-%d.webp", *dir, digest + 2, side)
                  : NULL;
    free(cache);
    return *place ? XL_OK : xl_fail_nomem(err, "a thumbnail", 0);
}

static enum xl_status decode(const char *path, int fd, struct xl_image *out, struct xl_err *err) {
    struct stat st;
    if (fstat(fd, &st) || !st.st_size || st.st_size > XL_IMAGE_MAX_FILE_BYTES)
        return xl_fail(err, XL_EINPUT, "%s: empty, or larger than a picture may be", path);
    /* Read, not mapped: a file that is cut meanwhile would end the program. */
    size_t n = (size_t)st.st_size, got = 0;
    char *data = malloc(n);
    if (!data) return xl_fail_nomem(err, path, n);
    while (got < n) {
        ssize_t some = pread(fd, data + got, n - got, (off_t)got);
        if (some < 0 && errno == EINTR) continue;
        if (some <= 0) break;
        got += (size_t)some;
    }
    enum xl_status status = xl_image_decode(path, data, got, out, err);
    free(data);
    return status;
}

static enum xl_status make(const char *path, int fd, int side, void **webp, size_t *n,
                           struct xl_err *err) {
    struct xl_image whole = {.width = 0}, small = {.width = 0};
    enum xl_status status = decode(path, fd, &whole, err);
    if (status) return status;
    int longer = whole.width > whole.height ? whole.width : whole.height;
    if (longer > side) {
        int width = (int)((int64_t)whole.width * side / longer);
        int height = (int)((int64_t)whole.height * side / longer);
        status =
            xl_image_resize_lanczos(&whole, width ? width : 1, height ? height : 1, &small, err);
    }
    if (!status) status = xl_webp_encode(longer > side ? &small : &whole, QUALITY, webp, n, err);
    xl_image_free(&whole);
    xl_image_free(&small);
    return status;
}

static void keep_bounded(struct xl_call *call, size_t n) {
    char *cache = xl_path_cache("thumbnails");
    if (cache) xl_library_wrote_thumbnail(call->user, cache, n);
    free(cache);
}

/* One that is there, or one that is made; a cache that cannot be written costs time and nothing
 * else. */
static enum xl_status reply_thumbnail(struct xl_call *call, struct xl_reply *reply,
                                      const char *path, int fd, struct xl_err *err) {
    const char *side_text = xl_call_text(call, "side"), *dir = NULL, *place = NULL;
    int side = side_text ? atoi(side_text) : SIDE;
    void *webp = NULL;
    size_t n = 0;
    enum xl_status status = place_of(call, path, fd, side, &dir, &place, err);
    if (status) return status;
    struct xl_reply_file file = {.fd = open(place, O_RDONLY | O_CLOEXEC | O_NOFOLLOW),
                                 .type = "image/webp",
                                 .is_immutable = is_for_ever(call)};
    if (file.fd >= 0) {
        xl_cache_used(file.fd);
        return xl_reply_file(call, reply, &file, err);
    }
    status = make(path, fd, side, &webp, &n, err);
    if (status) return status;
    if (xl_dir_create(dir, NULL) || xl_file_replace(place, webp, n, NULL)) {
        xl_reply_text(reply, "image/webp", webp, n);
        return XL_OK;
    }
    free(webp);
    keep_bounded(call, n);
    file.fd = open(place, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (file.fd < 0) return xl_fail(err, XL_EDISK, "%s: %s", place, strerror(errno));
    return xl_reply_file(call, reply, &file, err);
}

/* One in the trash is seen there, too, also one that went there while it was asked for. */
static enum xl_status open_anywhere(struct xl_call *call, struct xl_reply *reply,
                                    const json_t *picture, int *fd, struct xl_err *err) {
    const char *path = json_string_value(json_object_get(picture, "path"));
    bool is_trashed = path && json_is_true(json_object_get(picture, "trashed"));
    if (path && !is_trashed && !xl_library_open(call->user, path, fd, NULL)) return XL_OK;
    if (path && !xl_library_open_trashed(call->user, path, fd, NULL)) return XL_OK;
    return xl_picture_open(call, reply, picture, fd, err);
}

enum xl_status xl_picture_get_thumbnail(struct xl_call *call, struct xl_reply *reply,
                                        struct xl_err *err) {
    json_t *picture = NULL;
    int fd = -1;
    enum xl_status status = xl_picture_of_call(call, reply, &picture, err);
    if (!status) status = open_anywhere(call, reply, picture, &fd, err);
    if (!status)
        status = reply_thumbnail(call, reply, json_string_value(json_object_get(picture, "path")),
                                 fd, err);
    if (fd >= 0) close(fd);
    json_decref(picture);
    return status;
}
