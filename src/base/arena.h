/* arena.h - memory with one lifetime: many allocations, one free.
 * Not thread-safe; an arena belongs to whoever owns the object that it is part of.
 */
#ifndef XL_BASE_ARENA_H
#define XL_BASE_ARENA_H

#include "base/status.h"

struct xl_arena {
    struct xl_arena_block *head; /* newest block first */
};

/* Zeroed memory aligned to 16 bytes, or NULL when out of memory. Zero-initialise the arena. */
void *xl_arena_alloc(struct xl_arena *arena, size_t bytes);

/* A copy of n bytes with a NUL after them, or NULL. */
char *xl_arena_strndup(struct xl_arena *arena, const char *text, size_t n);
char *xl_arena_strdup(struct xl_arena *arena, const char *text);
char *xl_arena_printf(struct xl_arena *arena, const char *format, ...) XL_PRINTF(2, 3);

/* Free everything; the arena may be used again. */
void xl_arena_deinit(struct xl_arena *arena);

#endif
