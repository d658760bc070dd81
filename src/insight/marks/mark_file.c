/* mark_file.c - what a picture's file is named by: its path, its bytes, its cell. Keeps no state.
 */
#include "base/file.h"
#include "base/json.h"
#include "image/image.h"
#include "insight/marks/marks.h"
#include "lab/past/past.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof((struct xl_mark_file *)0)->path >= PATH_MAX, "realpath writes into it");

/* The cell that the record names, or "". Files of other programs, and damaged ones, have none. */
static enum xl_status read_cell(const char *path, const void *data, size_t n, char cell[40],
                                struct xl_err *err) {
    struct xl_past past;
    struct xl_metadata metadata;
    struct xl_arena arena = {0};
    cell[0] = 0;
    enum xl_status status = xl_metadata_read(path, data, n, &arena, &metadata, err);
    bool is_picture = !status && metadata.kind;
    xl_arena_deinit(&arena);
    if (status) return status;
    if (!is_picture)
        return xl_fail(err, XL_EINPUT, "%s: no picture; expected a PNG, JPEG or WebP file", path);
    status = xl_past_read(&past, path, data, n, err);
    const char *id = status ? NULL : json_string_value(json_object_get(past.record, "cell"));
    if (id) snprintf(cell, 40, "%s", id);
    xl_past_deinit(&past);
    return status == XL_ENOMEM ? status : XL_OK;
}

enum xl_status xl_mark_file_read(const char *path, struct xl_mark_file *out, struct xl_err *err) {
    const struct xl_read_rule rule = {XL_IMAGE_MAX_FILE_BYTES, XL_EINPUT, XL_EINPUT};
    char *data = NULL;
    size_t n = 0;
    if (!realpath(path, out->path))
        return xl_fail(err, XL_EINPUT, "%s: %s", path,
                       errno == ENOENT ? "no such file" : strerror(errno));
    enum xl_status status = xl_file_read(path, rule, &data, &n, err);
    if (!status) status = read_cell(path, data, n, out->cell, err);
    if (!status) status = xl_sha256(data, n, out->sha256, err);
    free(data);
    if (status) return status;
    out->is = (struct xl_marked){.path = out->path,
                                 .sha256 = out->sha256,
                                 .cell = out->cell[0] ? out->cell : NULL,
                                 .bytes = (int64_t)n};
    return XL_OK;
}
