/* safetensors_input.h - the input of a fuzz target as a safetensors file.
 *
 * An input that begins with '{' is a header up to its first NUL and data after it: the eight bytes
 * of length are put in front, so that mutations reach beyond them. Any other input is a whole file.
 */
#ifndef XL_TESTS_FUZZ_SAFETENSORS_INPUT_H
#define XL_TESTS_FUZZ_SAFETENSORS_INPUT_H

#include "fuzz.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static inline void expect(bool promise) {
    if (!promise) abort();
}

static inline void write_all(int fd, const void *bytes, size_t n) {
    expect(write(fd, bytes, n) == (ssize_t)n);
}

static inline void write_bytes(int fd, const uint8_t *data, size_t size) {
    if (!size || data[0] != '{') {
        write_all(fd, data, size);
        return;
    }
    const uint8_t *end = memchr(data, 0, size);
    size_t n = end ? (size_t)(end - data) : size;
    uint8_t length[8];
    for (int i = 0; i < 8; i++) length[i] = (uint8_t)((uint64_t)n >> 8 * i);
    write_all(fd, length, sizeof length);
    write_all(fd, data, n);
    if (end) write_all(fd, end + 1, size - n - 1);
}

/* A file in memory, which close() ends, and its path. */
static inline int write_input(const uint8_t *data, size_t size, char path[64]) {
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    expect(fd >= 0);
    write_bytes(fd, data, size);
    snprintf(path, 64, "/proc/self/fd/%d", fd);
    return fd;
}

#endif
