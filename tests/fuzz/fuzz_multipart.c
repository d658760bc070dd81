/* fuzz_multipart.c - forms of parts of arbitrary bytes: read at once and byte by byte they are the
 * same. The first byte of the input says how long the pieces are. */
#include "http/multipart.h"

#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

/* A sum over all that came, in order. */
struct seen {
    uint64_t sum;
    int n_open;
};

static void note(struct seen *seen, const char *bytes, size_t n) {
    for (size_t i = 0; i < n; i++) seen->sum = (seen->sum ^ (uint8_t)bytes[i]) * 0x100000001B3u;
}

static enum xl_status begin(void *user, const struct xl_part_head *part, struct xl_err *err) {
    struct seen *seen = user;
    (void)err;
    if (seen->n_open++) abort();
    note(seen, part->name, strlen(part->name) + 1);
    if (part->file_name) note(seen, part->file_name, strlen(part->file_name) + 1);
    if (part->type) note(seen, part->type, strlen(part->type) + 1);
    return XL_OK;
}

static enum xl_status data(void *user, const char *bytes, size_t n, struct xl_err *err) {
    (void)err;
    note(user, bytes, n);
    return XL_OK;
}

static enum xl_status end(void *user, struct xl_err *err) {
    struct seen *seen = user;
    (void)err;
    if (--seen->n_open) abort();
    note(seen, ";", 1);
    return XL_OK;
}

static enum xl_status read_all(const uint8_t *bytes, size_t n, size_t step, struct seen *seen) {
    static const struct xl_multipart_limits limits = {8, 1 << 16, 1 << 17};
    struct xl_multipart *multipart = NULL;
    *seen = (struct seen){.sum = 1};
    const struct xl_multipart_sink sink = {begin, data, end, seen};
    if (xl_multipart_new("multipart/form-data; boundary=-X-X", &limits, &sink, &multipart, NULL))
        abort();
    enum xl_status status = XL_OK;
    for (size_t at = 0; at < n && !status; at += step)
        status = xl_multipart_push(multipart, (const char *)bytes + at,
                                   step < n - at ? step : n - at, NULL);
    if (!status) status = xl_multipart_end(multipart, NULL);
    xl_multipart_free(multipart);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
    struct seen whole, pieces;
    if (!n) return 0;
    enum xl_status a = read_all(bytes + 1, n - 1, n, &whole);
    enum xl_status b = read_all(bytes + 1, n - 1, 1u + bytes[0] % 32, &pieces);
    if (a != b || (!a && whole.sum != pieces.sum)) abort();
    return 0;
}
