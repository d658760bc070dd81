/* decode.h - the decoders behind xl_image_decode, one a format; for this folder only.
 *
 * Each takes bytes that begin as its format does, looks at the dimensions before it decodes, prints
 * nothing, and gives the RGB bytes that PIL's convert("RGB") gives, upright as PIL's exif_transpose
 * turns them. `out` is untouched on failure.
 * Errors: XL_EINPUT; XL_ENOMEM */
#ifndef XL_IMAGE_DECODE_H
#define XL_IMAGE_DECODE_H

#include "image/image.h"

/* A file in memory; `name` opens every sentence about it. */
struct xl_image_file {
    const char *name;
    const uint8_t *data;
    size_t n;
};

enum xl_status xl_png_decode(struct xl_image_file file, struct xl_image *out, struct xl_err *err);
enum xl_status xl_jpeg_decode(struct xl_image_file file, struct xl_image *out, struct xl_err *err);
enum xl_status xl_webp_decode(struct xl_image_file file, struct xl_image *out, struct xl_err *err);

/* The orientation that EXIF data ("Exif\0\0" may come before the TIFF header) or XMP data says, 1
 * to 8 as EXIF counts; 0: it says none, or the data are damaged. Any bytes may be given. */
int xl_exif_orientation(const uint8_t *data, size_t n);
int xl_xmp_orientation(const uint8_t *data, size_t n);

/* Turn a picture so that it is upright: other than 2 to 8 leaves it. *image stays the caller's,
 * also on failure. Errors: XL_ENOMEM */
enum xl_status xl_image_turn(struct xl_image *image, int orientation, struct xl_err *err);

/* xl_image_new for a picture whose size a file claims.
 * Errors: XL_EINPUT more than XL_IMAGE_MAX_PIXELS, or none; XL_ENOMEM */
enum xl_status xl_image_new_claimed(const char *name, uint64_t width, uint64_t height,
                                    struct xl_image *out, struct xl_err *err);

#endif
