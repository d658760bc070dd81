/* sent_picture.c - reads a file, perhaps writes it anew. Keeps nothing. */
#include "http/api/sent_picture.h"

#include "base/base64.h"
#include "base/file.h"
#include "image/image.h"

#include <stdlib.h>

static enum xl_status write_anew(const char *path, const char *file, size_t n_file,
                                 enum xl_sent_format format, int quality, void **bytes, size_t *n,
                                 struct xl_err *err) {
    struct xl_image image = {.width = 0};
    enum xl_status status = xl_image_decode(path, file, n_file, &image, err);
    if (status) return status;
    status = format == XL_SENT_JPEG ? xl_jpeg_encode(&image, quality, bytes, n, err)
                                    : xl_webp_encode(&image, quality, bytes, n, err);
    xl_image_free(&image);
    return status;
}

enum xl_status xl_sent_picture_put(struct xl_str *out, const char *path, enum xl_sent_format format,
                                   int quality, struct xl_err *err) {
    const struct xl_read_rule rule = {XL_IMAGE_MAX_FILE_BYTES, XL_EDISK, XL_EDISK};
    char *file = NULL;
    void *bytes = NULL;
    size_t n_file = 0, n = 0;
    enum xl_status status = xl_file_read(path, rule, &file, &n_file, err);
    if (!status && format != XL_SENT_PNG)
        status = write_anew(path, file, n_file, format, quality, &bytes, &n, err);
    if (!status) xl_base64_put(out, bytes ? bytes : file, bytes ? n : n_file);
    free(bytes);
    free(file);
    return !status && out->failed ? xl_fail_nomem(err, "a picture", n_file) : status;
}
