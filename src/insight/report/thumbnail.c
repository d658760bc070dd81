/* thumbnail.c - shrinking a picture and writing it as text. */
#include "insight/report/thumbnail.h"

#include "image/image.h"

#include <stdlib.h>

/* RFC 4648 */
static void put_base64(const unsigned char *data, size_t n, struct xl_str *out) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < n; i += 3) {
        unsigned left = (unsigned)(n - i), bits = (unsigned)data[i] << 16;
        if (left > 1) bits |= (unsigned)data[i + 1] << 8;
        if (left > 2) bits |= data[i + 2];
        char text[4] = {digits[bits >> 18], digits[bits >> 12 & 63],
                        left > 1 ? digits[bits >> 6 & 63] : '=',
                        left > 2 ? digits[bits & 63] : '='};
        xl_str_append(out, text, 4);
    }
}

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
        put_base64(data, n, out);
    }
    free(data);
    xl_image_free(&small);
    xl_image_free(&image);
    return status;
}
