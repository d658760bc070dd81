/* image.h - 8-bit RGB pictures in memory and in files. struct xl_image is in sdxl/sdxl.h. */
#ifndef XL_IMAGE_IMAGE_H
#define XL_IMAGE_IMAGE_H

#include "base/status.h"

/* Limits on files from outside. */
enum {
    XL_IMAGE_MAX_PIXELS = 64 * 1000 * 1000,
    XL_IMAGE_MAX_FILE_BYTES = 256 << 20,
    XL_PNG_MAX_TEXTS = 1000,
    XL_PNG_MAX_TEXT_BYTES = 16 << 20, /* of all texts of a file, inflated */
};

/* The keyword of the text chunk with this program's record, in all that it makes. */
#define XL_PNG_RECORD "sdxl-lab"

/* A text chunk of a PNG: keyword (Latin-1, 1..79 bytes) and UTF-8 text. */
struct xl_png_text {
    const char *keyword, *text;
    const char *damage; /* read: why there is no text (which is then ""), for a sentence that begins
                           with the chunk: "has a wrong checksum"; else NULL */
};

/* A black picture; width and height are positive. Errors: XL_ENOMEM */
enum xl_status xl_image_new(int width, int height, struct xl_image *out, struct xl_err *err);

/* Decode the bytes of a PNG, JPEG or WebP file, told by its first bytes, to the RGB bytes of PIL's
 * convert("RGB"): alpha is dropped, grey and palette become RGB, of 16 bits the upper 8 stay,
 * colour profiles are ignored, an animation gives its first frame, and the picture is turned as its
 * EXIF orientation says (ImageOps.exif_transpose): width and height are those that are seen. Two
 * differences: a grey PNG of 16 bits is scaled like all others (PIL clips it, which turns it
 * white), and a damaged or shortened file is refused. Dimensions are checked before anything is
 * decoded. `name` opens every sentence. Errors: XL_EINPUT; XL_ENOMEM */
enum xl_status xl_image_decode(const char *name, const void *data, size_t n, struct xl_image *out,
                               struct xl_err *err);

/* Encode as PNG with text chunks: tEXt where the text is Latin-1, else iTXt (as PIL does). The same
 * picture and texts give the same bytes. *data is malloc'd, the caller's.
 * Errors: XL_EINVAL a text that is not UTF-8; XL_ENOMEM */
enum xl_status xl_png_encode(const struct xl_image *image, const struct xl_png_text *texts,
                             int n_texts, void **data, size_t *n, struct xl_err *err);

/* The same without a choice of filters, for what is looked at and not kept (contact sheets): a
 * third less time, up to a fifth more bytes. Errors: as above */
enum xl_status xl_png_encode_quick(const struct xl_image *image, const struct xl_png_text *texts,
                                   int n_texts, void **data, size_t *n, struct xl_err *err);

/* Encode as JPEG, quality 1 to 100 as libjpeg has it, without metadata. *data is malloc'd, the
 * caller's. Errors: XL_ENOMEM */
enum xl_status xl_jpeg_encode(const struct xl_image *image, int quality, void **data, size_t *n,
                              struct xl_err *err);

/* Encode as lossy WebP, quality 0 to 100, sides of at most 16383. *data is malloc'd, the caller's.
 * Errors: XL_ENOMEM, also for larger sides */
enum xl_status xl_webp_encode(const struct xl_image *image, int quality, void **data, size_t *n,
                              struct xl_err *err);

/* Whether a file begins as a PNG does. */
bool xl_is_png(const void *data, size_t n);

/* The text chunks (tEXt, zTXt, iTXt) of a PNG in order, as UTF-8 (keywords too: a Latin-1 keyword
 * may become longer than 79 bytes). A damaged text does not spoil the others: it is listed with
 * what is wrong, or left out when it has no keyword. *texts is one malloc'd block, NULL when there
 * are none. The picture itself is not looked at. Errors: XL_EINPUT no PNG, shortened, or more texts
 * than the limits above; XL_ENOMEM */
enum xl_status xl_png_texts(const char *name, const void *data, size_t n,
                            struct xl_png_text **texts, int *n_texts, struct xl_err *err);

/* The same, and where it fails, the texts before that all the same. */
enum xl_status xl_png_texts_until(const char *name, const void *data, size_t n,
                                  struct xl_png_text **texts, int *n_texts, struct xl_err *err);

/* Resize as Pillow's Image.resize(size, LANCZOS) does for RGB: the same bytes.
 * width and height are positive. Errors: XL_ENOMEM */
enum xl_status xl_image_resize_lanczos(const struct xl_image *in, int width, int height,
                                       struct xl_image *out, struct xl_err *err);

/* Compare: peak signal-to-noise ratio in dB; infinity when identical, -1 when sizes differ. */
double xl_image_psnr(const struct xl_image *a, const struct xl_image *b);

#endif
