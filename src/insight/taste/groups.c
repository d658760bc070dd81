/* groups.c - grouping by some columns after the others: the group so far and the next levels are
 * one number, which is looked up in a hash table. */
#include "insight/taste/groups.h"

#include <stdlib.h>
#include <string.h>

struct table {
    uint64_t *keys; /* UINT64_MAX: free */
    uint32_t *ids;
    size_t size, count; /* size: a power of two */
};

static bool table_init(struct table *table, size_t size) {
    *table = (struct table){.size = size};
    table->keys = malloc(size * sizeof *table->keys);
    table->ids = malloc(size * sizeof *table->ids);
    if (table->keys) memset(table->keys, 0xff, size * sizeof *table->keys);
    return table->keys && table->ids;
}

static void table_deinit(struct table *table) {
    free(table->keys);
    free(table->ids);
    *table = (struct table){.size = 0};
}

static size_t slot_of(const struct table *table, uint64_t key) {
    /* All of the key gets into the highest bits of the product, and only there. */
    uint64_t hash = key * UINT64_C(0x9E3779B97F4A7C15);
    size_t at = (size_t)(hash >> 32) & (table->size - 1);
    while (table->keys[at] != UINT64_MAX && table->keys[at] != key)
        at = (at + 1) & (table->size - 1);
    return at;
}

static bool table_grow(struct table *table) {
    struct table larger;
    if (!table_init(&larger, table->size * 4)) {
        table_deinit(&larger);
        return false;
    }
    for (size_t i = 0; i < table->size; i++) {
        if (table->keys[i] == UINT64_MAX) continue;
        size_t at = slot_of(&larger, table->keys[i]);
        larger.keys[at] = table->keys[i];
        larger.ids[at] = table->ids[i];
    }
    larger.count = table->count;
    table_deinit(table);
    *table = larger;
    return true;
}

/* What is grouped: columns of levels that are `stride` apart. */
struct source {
    size_t n, stride, factor_count;
    const uint32_t *column[XL_GROUP_FACTORS];
    size_t level_count[XL_GROUP_FACTORS];
};

/* How many columns from the f-th on have, with so many groups, a number below 2^63 for each
 * combination, having no level included. One column always has: there are fewer than 2^32 of
 * either. */
static size_t columns_at_once(const struct source *source, size_t f, int64_t groups) {
    unsigned __int128 numbers = (unsigned __int128)groups;
    size_t n = 0;
    for (; f + n < source->factor_count; n++) {
        numbers *= source->level_count[f + n] + 1;
        if (n && numbers >> 63) break;
    }
    return n;
}

/* Refine groups by n columns from the f-th on. The number of groups, or -1: out of memory. */
static int64_t refine(uint32_t *group_of, const struct source *source, size_t f, size_t n) {
    struct table table;
    bool ok = table_init(&table, 1024);
    for (size_t i = 0; ok && i < source->n; i++) {
        uint64_t key = group_of[i];
        for (size_t k = f; k < f + n; k++) {
            uint32_t level = source->column[k][i * source->stride];
            uint64_t none = source->level_count[k];
            key = key * (none + 1) + (level == XL_NO_LEVEL ? none : level);
        }
        size_t at = slot_of(&table, key);
        if (table.keys[at] == UINT64_MAX) {
            table.keys[at] = key;
            table.ids[at] = (uint32_t)table.count++;
        }
        group_of[i] = table.ids[at];
        if (table.count * 2 > table.size) ok = table_grow(&table);
    }
    int64_t count = ok ? (int64_t)table.count : -1;
    table_deinit(&table);
    return count;
}

static enum xl_status group(const struct source *source, struct xl_arena *arena,
                            struct xl_groups *out, struct xl_err *err) {
    uint32_t *group_of = xl_arena_alloc(arena, (source->n + 1) * sizeof *group_of);
    int64_t count = source->n ? 1 : 0; /* zeroed: all rows are one group */
    for (size_t f = 0, at_once; group_of && count > 0 && f < source->factor_count; f += at_once) {
        at_once = columns_at_once(source, f, count);
        count = refine(group_of, source, f, at_once);
    }
    size_t F = source->factor_count, n = count > 0 ? (size_t)count : 0;
    uint32_t *levels = xl_arena_alloc(arena, (n * F + 1) * sizeof *levels);
    out->made = xl_arena_alloc(arena, (n + 1) * sizeof *out->made);
    out->loved = xl_arena_alloc(arena, (n + 1) * sizeof *out->loved);
    if (!group_of || count < 0 || !levels || !out->made || !out->loved)
        return xl_fail_nomem(err, "groups of pictures", source->n * sizeof *group_of);
    for (size_t i = 0, seen = 0; seen < n; i++) {
        if (group_of[i] != seen) continue; /* not the first of its group */
        for (size_t f = 0; f < F; f++) levels[seen * F + f] = source->column[f][i * source->stride];
        seen++;
    }
    out->count = n;
    out->factor_count = F;
    memcpy(out->level_count, source->level_count, sizeof out->level_count);
    out->levels = levels;
    out->group_of = group_of;
    return XL_OK;
}

enum xl_status xl_group_rows(const struct xl_observations *observations, const uint32_t *factors,
                             size_t factor_count, struct xl_arena *arena, struct xl_groups *out,
                             struct xl_err *err) {
    struct source source = {
        .n = observations->row_count, .stride = 1, .factor_count = factor_count};
    *out = (struct xl_groups){.count = 0};
    for (size_t f = 0; f < factor_count; f++) {
        source.column[f] = observations->level[factors[f]];
        source.level_count[f] = observations->factors[factors[f]].level_count;
        out->factor[f] = factors[f];
    }
    enum xl_status status = group(&source, arena, out, err);
    for (size_t i = 0; !status && i < source.n; i++) {
        out->made[out->group_of[i]]++;
        out->loved[out->group_of[i]] += observations->loved[i] != 0;
    }
    return status;
}

enum xl_status xl_group_again(const struct xl_groups *groups, const uint32_t *picked, size_t n,
                              struct xl_arena *arena, struct xl_groups *out, struct xl_err *err) {
    struct source source = {.n = groups->count, .stride = groups->factor_count, .factor_count = n};
    struct xl_groups made = {.count = 0};
    for (size_t f = 0; f < n; f++) {
        source.column[f] = groups->levels + picked[f];
        source.level_count[f] = groups->level_count[picked[f]];
        made.factor[f] = groups->factor[picked[f]];
    }
    enum xl_status status = group(&source, arena, &made, err);
    for (size_t i = 0; !status && i < source.n; i++) {
        made.made[made.group_of[i]] += groups->made[i];
        made.loved[made.group_of[i]] += groups->loved[i];
    }
    if (!status) *out = made;
    return status;
}

bool xl_group_is_whole(const struct xl_groups *groups, size_t at) {
    for (size_t f = 0; f < groups->factor_count; f++)
        if (groups->levels[at * groups->factor_count + f] == XL_NO_LEVEL) return false;
    return true;
}
