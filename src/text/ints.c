/* ints.c - the growing array that the steps of a tokenizer hand each other. An array belongs to one
 * thread. */
#include "text/ints.h"

#include <stdlib.h>
#include <string.h>

static bool reserve(struct xl_ints *ints, size_t n) {
    if (ints->failed) return false;
    if (n <= ints->capacity - ints->n) return true;
    size_t capacity = ints->capacity ? ints->capacity : 64;
    while (capacity - ints->n < n) {
        if (capacity > SIZE_MAX / sizeof *ints->at / 2) return ints->failed = true, false;
        capacity *= 2;
    }
    int32_t *at = realloc(ints->at, capacity * sizeof *at);
    if (!at) return ints->failed = true, false;
    ints->at = at;
    ints->capacity = capacity;
    return true;
}

void xl_ints_push(struct xl_ints *ints, int32_t value) {
    if (reserve(ints, 1)) ints->at[ints->n++] = value;
}

void xl_ints_append(struct xl_ints *ints, const int32_t *values, size_t n) {
    if (!n || !reserve(ints, n)) return;
    memcpy(ints->at + ints->n, values, n * sizeof *values);
    ints->n += n;
}

void xl_ints_deinit(struct xl_ints *ints) {
    free(ints->at);
    *ints = (struct xl_ints){0};
}
