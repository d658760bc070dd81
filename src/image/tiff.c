/* tiff.c - numbers of either byte order, within their bounds. Keeps no state. */
#include "image/tiff.h"

#include <string.h>

enum { ENTRY_BYTES = 12 };

bool xl_tiff_open(const uint8_t *data, size_t n, struct xl_tiff *out, size_t *directory) {
    static const char prefix[] = "Exif\0"; /* and the NUL at its end */
    while (n >= sizeof prefix && !memcmp(data, prefix, sizeof prefix))
        data += sizeof prefix, n -= sizeof prefix;
    if (n < 8 || (memcmp(data, "II", 2) != 0 && memcmp(data, "MM", 2) != 0)) return false;
    *out = (struct xl_tiff){data, n, data[0] == 'M'};
    uint32_t magic = xl_tiff_number(out, 2, 2);
    *directory = xl_tiff_number(out, 4, 4);
    return magic == 42 || magic == 42 << 8; /* which Pillow takes, too */
}

uint32_t xl_tiff_number(const struct xl_tiff *tiff, size_t at, int n_bytes) {
    uint32_t value = 0;
    if (at > tiff->n || tiff->n - at < (size_t)n_bytes) return 0;
    for (int i = 0; i < n_bytes; i++)
        value = value << 8 | tiff->data[at + (size_t)(tiff->is_big ? i : n_bytes - 1 - i)];
    return value;
}

bool xl_tiff_entry(const struct xl_tiff *tiff, size_t directory, uint32_t i,
                   struct xl_tiff_entry *out) {
    size_t at = directory + 2 + (size_t)i * ENTRY_BYTES;
    if (i >= xl_tiff_number(tiff, directory, 2) || at > tiff->n || tiff->n - at < ENTRY_BYTES)
        return false;
    *out = (struct xl_tiff_entry){xl_tiff_number(tiff, at, 2), xl_tiff_number(tiff, at + 2, 2),
                                  xl_tiff_number(tiff, at + 4, 4), at + 8};
    return true;
}
