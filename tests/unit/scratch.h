/* scratch.h - a temporary folder for one test, and files in it. Failures abort the test. */
#ifndef XL_TESTS_UNIT_SCRATCH_H
#define XL_TESTS_UNIT_SCRATCH_H

#include <criterion/criterion.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SCRATCH_PATH = 512 };

static char scratch_dir[SCRATCH_PATH / 2];

static inline void scratch_open(void) {
    const char *base = getenv("TMPDIR");
    snprintf(scratch_dir, sizeof scratch_dir, "%s/sdxl-lab-test-XXXXXX", base ? base : "/tmp");
    cr_assert_not_null(mkdtemp(scratch_dir));
}

static inline int scratch_remove_one(const char *path, const struct stat *st, int flag,
                                     struct FTW *ftw) {
    (void)st, (void)flag, (void)ftw;
    return remove(path);
}

static inline void scratch_remove(const char *path) {
    nftw(path, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static inline void scratch_close(void) {
    if (scratch_dir[0]) scratch_remove(scratch_dir);
}

/* The path of a name in the folder; good until the eighth call after. */
__attribute__((format(printf, 1, 2))) static inline const char *scratch(const char *format, ...) {
    static char paths[8][SCRATCH_PATH];
    static unsigned next;
    char *path = paths[next++ % 8];
    int n = snprintf(path, SCRATCH_PATH, "%s/", scratch_dir);
    va_list args;
    va_start(args, format);
    vsnprintf(path + n, SCRATCH_PATH - (size_t)n, format, args);
    va_end(args);
    return path;
}

static inline void scratch_make_parents(const char *path) {
    char copy[SCRATCH_PATH];
    snprintf(copy, sizeof copy, "%s", path);
    for (char *slash = copy + 1; *slash; slash++) {
        if (*slash != '/') continue;
        *slash = 0;
        mkdir(copy, 0777);
        *slash = '/';
    }
}

static inline void scratch_write(const char *path, const void *data, size_t n) {
    scratch_make_parents(path);
    FILE *file = fopen(path, "wb");
    cr_assert_not_null(file, "%s", path);
    cr_assert_eq(fwrite(data, 1, n, file), n);
    cr_assert_eq(fclose(file), 0);
}

static inline void scratch_puts(const char *path, const char *text) {
    scratch_write(path, text, strlen(text));
}

/* Text with every ' turned into ": JSON that can be read in C. malloc'd. */
static inline char *scratch_quotes(const char *text) {
    char *copy = strdup(text);
    cr_assert_not_null(copy);
    for (char *c = copy; *c; c++)
        if (*c == '\'') *c = '"';
    return copy;
}

/* A safetensors file: the length, the header (with ' for "), spaces up to a multiple of 8, then
 * n_data bytes 0, 1, 2, ... */
static inline void scratch_safetensors(const char *path, const char *header, size_t n_data) {
    size_t n = strlen(header), n_padded = (n + 7) / 8 * 8;
    char *json = scratch_quotes(header);
    uint8_t *bytes = malloc(8 + n_padded + n_data);
    cr_assert_not_null(bytes);
    for (int i = 0; i < 8; i++) bytes[i] = (uint8_t)((uint64_t)n_padded >> 8 * i);
    memset(bytes + 8, ' ', n_padded);
    memcpy(bytes + 8, json, n);
    for (size_t i = 0; i < n_data; i++) bytes[8 + n_padded + i] = (uint8_t)i;
    scratch_write(path, bytes, 8 + n_padded + n_data);
    free(bytes);
    free(json);
}

#endif
