/* metadata.c - "__metadata__" of a safetensors header, which safetensors.c checks and does not
 * keep. The header is read whole here: it is checked already, and few files are asked for their
 * texts. */
#include "weights/metadata.h"
#include "base/json_scan.h"
#include "weights/safetensors.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LENGTH_BYTES = 8 };

static bool read_all(int fd, void *to, size_t n, off_t from) {
    size_t got = 0;
    while (got < n) {
        ssize_t more = pread(fd, (char *)to + got, n - got, from + (off_t)got);
        if (more < 0 && errno == EINTR) continue;
        if (more <= 0) return false;
        got += (size_t)more;
    }
    return true;
}

/* The text of the header, malloc'd. */
static enum xl_status load_header(const char *path, int fd, char **text, size_t *n,
                                  struct xl_err *err) {
    unsigned char start[LENGTH_BYTES];
    uint64_t length = 0;
    if (!read_all(fd, start, sizeof start, 0))
        return xl_fail(err, XL_EFORMAT, "%s: cannot be read any more", path);
    for (int i = 0; i < LENGTH_BYTES; i++) length |= (uint64_t)start[i] << 8 * i;
    if (length > XL_ST_MAX_HEADER)
        return xl_fail(err, XL_EFORMAT, "%s: the header is longer than %d bytes", path,
                       XL_ST_MAX_HEADER);
    char *header = malloc((size_t)length + 1);
    if (!header) return xl_fail_nomem(err, "a safetensors header", (size_t)length);
    if (!read_all(fd, header, (size_t)length, LENGTH_BYTES)) {
        free(header);
        return xl_fail(err, XL_EFORMAT, "%s: cannot be read any more", path);
    }
    *text = header;
    *n = (size_t)length;
    return XL_OK;
}

struct list {
    struct xl_arena *arena;
    struct xl_st_metadata found;
    int capacity;
};

static enum xl_status add(struct list *list, struct xl_span key, struct xl_span value,
                          struct xl_err *err) {
    if (list->found.n == list->capacity) {
        int capacity = list->capacity ? 2 * list->capacity : 16;
        struct xl_st_text *grown = xl_arena_alloc(list->arena, (size_t)capacity * sizeof *grown);
        if (!grown) return xl_fail_nomem(err, "metadata", 0);
        if (list->found.n) memcpy(grown, list->found.text, (size_t)list->found.n * sizeof *grown);
        list->found.text = grown;
        list->capacity = capacity;
    }
    struct xl_st_text text = {xl_arena_strndup(list->arena, key.at, key.n),
                              xl_arena_strndup(list->arena, value.at, value.n)};
    if (!text.key || !text.value) return xl_fail_nomem(err, "metadata", value.n);
    list->found.text[list->found.n++] = text;
    return XL_OK;
}

static enum xl_status read_texts(struct xl_scan *scan, struct list *list, struct xl_err *err) {
    bool more;
    enum xl_status status = xl_scan_enter(scan, '{', "the object of __metadata__", err);
    while (!status && !(status = xl_scan_more(scan, '}', "__metadata__", &more, err)) && more) {
        struct xl_span key, value;
        status = xl_scan_key(scan, &key, err);
        if (!status) status = xl_scan_string(scan, "a text of __metadata__", SIZE_MAX, &value, err);
        if (!status && value.n <= XL_ST_MAX_METADATA_TEXT) status = add(list, key, value, err);
    }
    return status;
}

enum xl_status xl_safetensors_metadata(const char *path, int fd, struct xl_arena *arena,
                                       struct xl_st_metadata *out, struct xl_err *err) {
    char *text = NULL;
    size_t n = 0;
    enum xl_status status = load_header(path, fd, &text, &n, err);
    if (status) return status;
    struct xl_scan scan = xl_scan_text(path, text, n);
    struct list list = {.arena = arena};
    bool more;
    status = xl_scan_enter(&scan, '{', "an object", err);
    while (!status && !(status = xl_scan_more(&scan, '}', "the header", &more, err)) && more) {
        struct xl_span key, value;
        status = xl_scan_key(&scan, &key, err);
        if (status) break;
        status = xl_span_is(key, "__metadata__") ? read_texts(&scan, &list, err)
                                                 : xl_scan_value(&scan, &value, err);
    }
    xl_scan_deinit(&scan);
    free(text);
    if (!status) *out = list.found;
    return status;
}

const char *xl_st_metadata_find(const struct xl_st_metadata *metadata, const char *key) {
    for (int i = 0; i < metadata->n; i++)
        if (!strcmp(metadata->text[i].key, key)) return metadata->text[i].value;
    return NULL;
}
