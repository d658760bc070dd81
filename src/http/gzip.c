/* gzip.c - zlib in one call. Keeps no state. */
#include "http/gzip.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

bool xl_call_takes_gzip(const struct xl_call *call) {
    const char *list = call->headers.accept_encoding;
    const char *gzip = list ? strstr(list, "gzip") : NULL;
    return gzip && strncmp(gzip, "gzip;q=0,", 9) && strcmp(gzip, "gzip;q=0");
}

enum xl_status xl_gzip(const char *bytes, size_t n, int level, char **out, size_t *n_out,
                       struct xl_err *err) {
    z_stream stream = {.zalloc = NULL};
    if (n > UINT32_MAX / 2 ||
        deflateInit2(&stream, level, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY))
        return xl_fail_nomem(err, "an answer", n);
    uLong most = deflateBound(&stream, n);
    char *room = malloc(most);
    stream.next_in = (Bytef *)(uintptr_t)bytes;
    stream.avail_in = (uInt)n;
    stream.next_out = (Bytef *)room;
    stream.avail_out = room ? (uInt)most : 0;
    int result = room ? deflate(&stream, Z_FINISH) : Z_MEM_ERROR;
    *n_out = stream.total_out;
    deflateEnd(&stream);
    if (result != Z_STREAM_END) {
        free(room);
        return xl_fail_nomem(err, "an answer", n);
    }
    *out = room;
    return XL_OK;
}
