/* image.h - 8-bit RGB pictures in memory and in files. struct xl_image is in sdxl/sdxl.h. */
#ifndef XL_IMAGE_IMAGE_H
#define XL_IMAGE_IMAGE_H

#include "base/status.h"

enum { XL_IMAGE_MAX_PIXELS = 64 * 1000 * 1000 };

/* A text chunk of a PNG: keyword (Latin-1, 1..79 bytes) and UTF-8 text. */
struct xl_png_text {
    const char *keyword, *text;
};

/* Errors: XL_ENOMEM */
enum xl_status xl_image_new(int width, int height, struct xl_image *out, struct xl_err *err);

/* Decode a file's bytes, told by its first bytes; alpha is dropped, grey and palette become RGB,
 * 16 bits become 8, EXIF orientation is ignored (as PIL's convert("RGB") does). Dimensions are
 * checked before anything is decoded. `name` opens every sentence.
 * Errors: XL_EINPUT; XL_ENOMEM */
enum xl_status xl_image_decode(const char *name, const void *data, size_t n, struct xl_image *out,
                               struct xl_err *err);

/* Encode as PNG with text chunks: tEXt where the text is Latin-1, else iTXt (as PIL does).
 * *data is malloc'd, the caller's. Errors: XL_ENOMEM */
enum xl_status xl_png_encode(const struct xl_image *image, const struct xl_png_text *texts,
                             int n_texts, void **data, size_t *n, struct xl_err *err);

/* The text chunks (tEXt, zTXt, iTXt) of a PNG in order, as UTF-8. *texts is one malloc'd block.
 * Errors: XL_EINPUT */
enum xl_status xl_png_texts(const char *name, const void *data, size_t n,
                            struct xl_png_text **texts, int *n_texts, struct xl_err *err);

/* Resize as Pillow's Image.resize(size, LANCZOS) does for RGB: the same bytes.
 * Errors: XL_ENOMEM */
enum xl_status xl_image_resize_lanczos(const struct xl_image *in, int width, int height,
                                       struct xl_image *out, struct xl_err *err);

/* Compare: peak signal-to-noise ratio in dB; infinity when identical, -1 when sizes differ. */
double xl_image_psnr(const struct xl_image *a, const struct xl_image *b);

#endif
