/* tiff.h - directories of TIFF data, which EXIF data are. Of all tags a few are wanted, so this is
 * all of it: a library that knows every tag and every maker's notes would be more code in the way
 * of hostile files than these bounds. Source: TIFF 6.0, section 2; Exif 2.32 (CIPA DC-008).
 */
#ifndef XL_IMAGE_TIFF_H
#define XL_IMAGE_TIFF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct xl_tiff {
    const uint8_t *data;
    size_t n;
    bool is_big; /* the order of its bytes */
};

struct xl_tiff_entry {
    uint32_t tag, type, count;
    size_t at; /* of its four bytes, which are the value, or say where it is */
};

enum { XL_TIFF_BYTE = 1, XL_TIFF_ASCII = 2, XL_TIFF_SHORT = 3, XL_TIFF_LONG = 4 };
enum { XL_TIFF_UNDEFINED = 7, XL_TIFF_SIGNED_SHORT = 8, XL_TIFF_SIGNED_LONG = 9 };

/* "Exif\0\0" may come before the header. *directory: where the first one is. False: no TIFF data.
 */
bool xl_tiff_open(const uint8_t *data, size_t n, struct xl_tiff *out, size_t *directory);

/* A number of 1..4 bytes; 0 where they are not all there. */
uint32_t xl_tiff_number(const struct xl_tiff *tiff, size_t at, int n_bytes);

/* Entry i of a directory. False: it has no more, or is cut short there. */
bool xl_tiff_entry(const struct xl_tiff *tiff, size_t directory, uint32_t i,
                   struct xl_tiff_entry *out);

#endif
