/* intern.c - open addressing, at most half full. */
#include "insight/index/intern.h"

#include <stdlib.h>
#include <string.h>

struct xl_intern_entry {
    uint64_t hash;
    int64_t id; /* 0: free */
    const char *text;
    size_t n;
};

static size_t place_of(const struct xl_intern *table, const char *text, size_t n, uint64_t hash) {
    size_t mask = table->capacity - 1, at = hash & mask;
    for (;; at = (at + 1) & mask) {
        const struct xl_intern_entry *entry = &table->entries[at];
        if (!entry->id || (entry->hash == hash && entry->n == n && !memcmp(entry->text, text, n)))
            return at;
    }
}

int64_t xl_intern_find(const struct xl_intern *table, const char *text, size_t n, uint64_t hash) {
    return table->capacity ? table->entries[place_of(table, text, n, hash)].id : 0;
}

static enum xl_status grow(struct xl_intern *table, struct xl_err *err) {
    struct xl_intern larger = {.capacity = table->capacity ? 2 * table->capacity : 256};
    larger.entries = calloc(larger.capacity, sizeof *larger.entries);
    if (!larger.entries)
        return xl_fail_nomem(err, "texts of the index", larger.capacity * sizeof *larger.entries);
    for (size_t i = 0; i < table->capacity; i++) {
        const struct xl_intern_entry *entry = &table->entries[i];
        if (entry->id)
            larger.entries[place_of(&larger, entry->text, entry->n, entry->hash)] = *entry;
    }
    free(table->entries);
    table->entries = larger.entries;
    table->capacity = larger.capacity;
    return XL_OK;
}

const char *xl_intern_text(const struct xl_intern *table, int64_t id) {
    return id > 0 && (size_t)id < table->n_ids ? table->by_id[id] : NULL;
}

static enum xl_status keep_text(struct xl_intern *table, int64_t id, const char *text,
                                struct xl_err *err) {
    size_t n = table->n_ids ? table->n_ids : 256;
    while (n <= (size_t)id) n *= 2;
    if (n > table->n_ids) {
        const char **larger = realloc(table->by_id, n * sizeof *larger);
        if (!larger) return xl_fail_nomem(err, "texts of the index", n * sizeof *larger);
        memset(larger + table->n_ids, 0, (n - table->n_ids) * sizeof *larger);
        table->by_id = larger;
        table->n_ids = n;
    }
    table->by_id[id] = text;
    return XL_OK;
}

enum xl_status xl_intern_add(struct xl_intern *table, const char *text, size_t n, uint64_t hash,
                             int64_t id, struct xl_err *err) {
    enum xl_status status = 2 * table->n < table->capacity ? XL_OK : grow(table, err);
    if (status) return status;
    char *copy = xl_arena_strndup(&table->arena, text, n);
    if (!copy) return xl_fail_nomem(err, "texts of the index", n);
    status = keep_text(table, id, copy, err);
    if (status) return status;
    table->entries[place_of(table, text, n, hash)] = (struct xl_intern_entry){hash, id, copy, n};
    table->n++;
    return XL_OK;
}

void xl_intern_deinit(struct xl_intern *table) {
    free(table->entries);
    free(table->by_id);
    xl_arena_deinit(&table->arena);
    *table = (struct xl_intern){0};
}
