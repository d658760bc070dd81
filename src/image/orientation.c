/* orientation.c - which way up a photograph is: the tag 0x0112 of its EXIF data, or what its XMP
 * data says, and turning by it. One tag is all that is wanted: a library that knows every tag and
 * every maker's notes would be more code in the way of hostile files than these bounds. Source:
 * TIFF 6.0, section 2; Pillow's ImageOps.exif_transpose and Exif for what counts. */
#include "image/decode.h"

#include <string.h>

enum { TAG = 0x0112, ENTRY_BYTES = 12, SHORT = 3, LONG = 4, SIGNED_SHORT = 8, SIGNED_LONG = 9 };

struct tiff {
    const uint8_t *data;
    size_t n;
    bool is_big; /* the order of its bytes */
};

/* n_bytes are known to be there. */
static uint32_t number(const struct tiff *tiff, size_t at, int n_bytes) {
    uint32_t value = 0;
    for (int i = 0; i < n_bytes; i++) {
        int shift = 8 * (tiff->is_big ? n_bytes - 1 - i : i);
        value |= (uint32_t)tiff->data[at + (size_t)i] << shift;
    }
    return value;
}

static bool starts_with(const uint8_t *data, size_t n, const char *start, size_t n_start) {
    return n >= n_start && !memcmp(data, start, n_start);
}

/* The value of an entry that is one whole number; -1: it is none. */
static int value_of(const struct tiff *tiff, size_t entry) {
    uint32_t type = number(tiff, entry + 2, 2), count = number(tiff, entry + 4, 4);
    if (count != 1) return -1;
    if (type == SHORT || type == SIGNED_SHORT) return (int)number(tiff, entry + 8, 2);
    if (type == LONG || type == SIGNED_LONG)
        return (int)(number(tiff, entry + 8, 4) & 0xFFFF) | (tiff->data[entry + 9] ? 1 << 16 : 0);
    return -1;
}

static bool is_way(int value) {
    return value >= 1 && value <= 8;
}

int xl_exif_orientation(const uint8_t *data, size_t n) {
    static const char prefix[] = "Exif\0"; /* and the NUL at its end */
    while (starts_with(data, n, prefix, sizeof prefix)) data += sizeof prefix, n -= sizeof prefix;
    struct tiff tiff = {data, n, starts_with(data, n, "MM", 2)};
    if (n < 8 || (!tiff.is_big && !starts_with(data, n, "II", 2))) return 0;
    uint32_t magic = number(&tiff, 2, 2), at = number(&tiff, 4, 4);
    if ((magic != 42 && magic != 42 << 8) || at > n || n - at < 2) return 0;
    uint32_t n_entries = number(&tiff, at, 2);
    int found = 0;
    bool has_tag = false;
    for (uint32_t i = 0; i < n_entries; i++) {
        size_t entry = at + 2 + (size_t)i * ENTRY_BYTES;
        if (entry > n || n - entry < ENTRY_BYTES) break; /* cut short: what was read counts */
        if (number(&tiff, entry, 2) != TAG) continue;
        found = value_of(&tiff, entry);
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
