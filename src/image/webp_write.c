/* webp_write.c - WebP by libwebp, lossy: for what is looked at and not kept. */
#include "image/image.h"

#include <stdlib.h>
#include <string.h>

#include <webp/encode.h>

enum xl_status xl_webp_encode(const struct xl_image *image, int quality, void **data, size_t *n,
                              struct xl_err *err) {
    uint8_t *bytes = NULL;
    size_t size = WebPEncodeRGB(image->pixels, image->width, image->height, 3 * image->width,
                                (float)quality, &bytes);
    void *copy = size ? malloc(size) : NULL;
    if (copy) memcpy(copy, bytes, size);
    WebPFree(bytes);
    if (!copy)
        return xl_fail(err, XL_ENOMEM, "a WebP of %dx%d cannot be made", image->width,
                       image->height);
    *data = copy;
    *n = size;
    return XL_OK;
}
