/* orientation.c - which way up a photograph is: the tag 0x0112 of its EXIF data, or what its XMP
 * data says, and turning by it. Source: Pillow's ImageOps.exif_transpose and Exif for what counts.
 */
#include "image/decode.h"
#include "image/tiff.h"

#include <string.h>

static bool starts_with(const uint8_t *data, size_t n, const char *start, size_t n_start) {
    return n >= n_start && !memcmp(data, start, n_start);
}

/* The value of an entry that is one whole number; -1: it is none. */
static int value_of(const struct xl_tiff *tiff, const struct xl_tiff_entry *entry) {
    if (entry->count != 1) return -1;
    if (entry->type == XL_TIFF_SHORT || entry->type == XL_TIFF_SIGNED_SHORT)
        return (int)xl_tiff_number(tiff, entry->at, 2);
    if (entry->type != XL_TIFF_LONG && entry->type != XL_TIFF_SIGNED_LONG) return -1;
    uint32_t value = xl_tiff_number(tiff, entry->at, 4);
    return value > INT16_MAX ? -1 : (int)value;
}

static bool is_way(int value) {
    return value >= 1 && value <= 8;
}

int xl_exif_orientation(const uint8_t *data, size_t n) {
    enum { ORIENTATION = 0x0112 };
    struct xl_tiff tiff;
    struct xl_tiff_entry entry;
    size_t directory;
    int found = 0;
    bool has_tag = false;
    if (!xl_tiff_open(data, n, &tiff, &directory)) return 0;
    for (uint32_t i = 0; xl_tiff_entry(&tiff, directory, i, &entry); i++) {
        if (entry.tag != ORIENTATION) continue;
        found = value_of(&tiff, &entry);
        has_tag = true;
    }
    return is_way(found) ? found : has_tag ? 1 : 0;
}

int xl_xmp_orientation(const uint8_t *data, size_t n) {
    static const char key[] = "tiff:Orientation";
    const uint8_t *end = data + n, *at = data;
    while ((at = memmem(at, (size_t)(end - at), key, sizeof key - 1))) {
        at += sizeof key - 1;
        size_t skip = starts_with(at, (size_t)(end - at), "=\"", 2) ? 2
                      : starts_with(at, (size_t)(end - at), ">", 1) ? 1
                                                                    : 0;
        if (skip && at + skip < end && at[skip] >= '0' && at[skip] <= '9')
            return is_way(at[skip] - '0') ? at[skip] - '0' : 1;
    }
    return 0;
}

/* Where the pixel at (x, y) of the turned picture comes from. */
static size_t source_of(const struct xl_image *in, int way, int x, int y) {
    int w = in->width, h = in->height;
    int from_x = way == 1 || way == 4   ? x
                 : way == 2 || way == 3 ? w - 1 - x
                 : way == 5 || way == 6 ? y
                                        : w - 1 - y;
    int from_y = way == 1 || way == 2   ? y
                 : way == 3 || way == 4 ? h - 1 - y
                 : way == 5 || way == 8 ? x
                                        : h - 1 - x;
    return (size_t)from_y * (size_t)w + (size_t)from_x;
}

enum xl_status xl_image_turn(struct xl_image *image, int orientation, struct xl_err *err) {
    if (orientation <= 1 || !is_way(orientation)) return XL_OK;
    struct xl_image turned;
    bool is_across = orientation >= 5;
    enum xl_status status = xl_image_new(is_across ? image->height : image->width,
                                         is_across ? image->width : image->height, &turned, err);
    if (status) return status;
    uint8_t *out = turned.pixels;
    for (int y = 0; y < turned.height; y++)
        for (int x = 0; x < turned.width; x++, out += 3)
            memcpy(out, image->pixels + 3 * source_of(image, orientation, x, y), 3);
    xl_image_free(image);
    *image = turned;
    return XL_OK;
}
