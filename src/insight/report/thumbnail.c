/* thumbnail.c - shrinking a picture and writing it as text. */
#include "insight/report/thumbnail.h"

#include "base/base64.h"
#include "image/image.h"

#include <stdlib.h>

enum xl_status xl_thumbnail(const char *path, int side, struct xl_str *out, struct xl_err *err) {
    struct xl_image image = {0}, small = {0};
    void *data = NULL;
    size_t n = 0;
    enum xl_status status = xl_image_load(path, &image, err);
    if (status) return status;
    int longer = image.width > image.height ? image.width : image.height;
    int width = longer > side ? image.width * side / longer : image.width;
    int height = longer > side ? image.height * side / longer : image.height;
    status = xl_image_resize_lanczos(&image, width ? width : 1, height ? height : 1, &small, err);
    if (!status) status = xl_png_encode(&small, NULL, 0, &data, &n, err);
    if (!status) {
        xl_str_puts(out, "data:image/png;base64,");
        xl_base64_put(out, data, n);
    }
    free(data);
    xl_image_free(&small);
    xl_image_free(&image);
    return status;
}
