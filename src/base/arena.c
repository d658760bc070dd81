/* arena.c - blocks of 1 KiB, each next one four times as large up to 64 KiB (or as a larger request
 * wants it), bumped. What holds a path or two takes no more than those. */
#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_BYTES = 1024, MOST_BYTES = 64 * 1024, ALIGN = 16 };

struct xl_arena_block {
    struct xl_arena_block *next;
    size_t used, size;
    _Alignas(ALIGN) char data[];
};

static size_t next_size(const struct xl_arena_block *newest) {
    if (!newest) return FIRST_BYTES;
    return newest->size < MOST_BYTES / 4 ? newest->size * 4 : MOST_BYTES;
}

void *xl_arena_alloc(struct xl_arena *arena, size_t bytes) {
    if (bytes > SIZE_MAX / 2) return NULL;
    size_t need = (bytes + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    struct xl_arena_block *block = arena->head;
    if (!block || block->size - block->used < need) {
        size_t size = next_size(block);
        if (size < need) size = need;
        block = calloc(1, sizeof *block + size);
        if (!block) return NULL;
        block->size = size;
        block->next = arena->head;
        arena->head = block;
    }
    void *result = block->data + block->used;
    block->used += need;
    return result;
}

char *xl_arena_strndup(struct xl_arena *arena, const char *text, size_t n) {
    char *copy = xl_arena_alloc(arena, n + 1);
    if (copy) memcpy(copy, text, n);
    return copy;
}

char *xl_arena_strdup(struct xl_arena *arena, const char *text) {
    return xl_arena_strndup(arena, text, strlen(text));
}

char *xl_arena_printf(struct xl_arena *arena, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *text = n < 0 ? NULL : xl_arena_alloc(arena, (size_t)n + 1);
    if (!text) return NULL;
    va_start(args, format);
    vsnprintf(text, (size_t)n + 1, format, args);
    va_end(args);
    return text;
}

void xl_arena_deinit(struct xl_arena *arena) {
    for (struct xl_arena_block *block = arena->head, *next; block; block = next) {
        next = block->next;
        free(block);
    }
    arena->head = NULL;
}
