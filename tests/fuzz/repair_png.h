/* repair_png.h - right checksums for a mutated PNG: without them nearly every input would end at
 * the first checksum, before the code that is to be tried. */
#ifndef XL_TESTS_FUZZ_REPAIR_PNG_H
#define XL_TESTS_FUZZ_REPAIR_PNG_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* A copy of the input in a block of exactly `size` bytes (free with free), in which the checksum of
 * every whole chunk holds. */
static inline uint8_t *repair_png(const uint8_t *data, size_t size) {
    uint8_t *copy = calloc(1, size + 1);
    if (!copy) abort();
    if (size) memcpy(copy, data, size);
    for (size_t at = 8; size >= 12 && at <= size - 12;) {
        uint8_t *chunk = copy + at;
        size_t n = (size_t)chunk[0] << 24 | (size_t)chunk[1] << 16 | (size_t)chunk[2] << 8 |
                   chunk[3];
        if (n > size - 12 - at) break;
        uLong crc = crc32(0, chunk + 4, (uInt)n + 4);
        for (int i = 0; i < 4; i++) chunk[8 + n + (size_t)i] = (uint8_t)(crc >> (24 - 8 * i));
        at += 12 + n;
    }
    return copy;
}

#endif
