/* holds.c - the table of packed weights, groups of them, and who refers to which. */
#include "backend/holds.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { N_BUCKETS = 4096 };

struct xl_holds {
    const struct xl_holds_kind *kind;
    void *user;
    struct xl_held_group *groups;       /* with memory */
    struct xl_held *buckets[N_BUCKETS]; /* of all groups, and what the open hold asked for */
    uint64_t clock;                     /* moves when a group becomes idle */
    struct xl_held_bytes bytes;
    bool has_open_hold;
};

struct xl_hold {
    struct xl_holds *holds;
    struct xl_held_group *asked; /* missing so far; NULL once the hold is closed */
    struct xl_held_group **groups;
    int n_groups, capacity;
};

enum xl_status xl_holds_new(const struct xl_holds_kind *kind, void *user, struct xl_holds **out,
                            struct xl_err *err) {
    struct xl_holds *holds = calloc(1, sizeof *holds);
    if (!holds) return xl_fail_nomem(err, "packed weights", sizeof *holds);
    holds->kind = kind;
    holds->user = user;
    *out = holds;
    return XL_OK;
}

static void *key_of(const struct xl_holds *holds, struct xl_held *entry) {
    return (unsigned char *)entry + holds->kind->key_offset;
}

/* FNV-1a (Fowler, Noll, Vo) */
static struct xl_held **bucket_of(struct xl_holds *holds, const void *key) {
    uint64_t hash = 0xCBF29CE484222325U;
    for (size_t i = 0; i < holds->kind->key_size; i++)
        hash = (hash ^ ((const unsigned char *)key)[i]) * 0x100000001B3U;
    return &holds->buckets[hash % N_BUCKETS];
}

static void entry_free(struct xl_holds *holds, struct xl_held *entry) {
    struct xl_held **at = bucket_of(holds, key_of(holds, entry));
    while (*at != entry) at = &(*at)->same_hash;
    *at = entry->same_hash;
    if (holds->kind->forget) holds->kind->forget(holds->user, entry);
    free(entry);
}

static void group_free(struct xl_holds *holds, struct xl_held_group *group) {
    while (group->entries) {
        struct xl_held *next = group->entries->next;
        entry_free(holds, group->entries);
        group->entries = next;
    }
    if (group->data) holds->kind->free(holds->user, group->data, group->bytes);
    free(group);
}

void xl_holds_free(struct xl_holds *holds) {
    if (!holds) return;
    xl_holds_release(holds, SIZE_MAX);
    assert(!holds->groups);
    free(holds);
}

struct xl_held_bytes xl_holds_bytes(const struct xl_holds *holds) {
    return holds->bytes;
}

/* The link to the group that has been idle longest; NULL: none is idle. */
static struct xl_held_group **longest_idle(struct xl_holds *holds) {
    struct xl_held_group **found = NULL;
    for (struct xl_held_group **at = &holds->groups; *at; at = &(*at)->next)
        if (!(*at)->n_holds && (!found || (*at)->idle_since < (*found)->idle_since)) found = at;
    return found;
}

size_t xl_holds_release(struct xl_holds *holds, size_t wanted) {
    size_t released = 0;
    while (released < wanted) {
        struct xl_held_group **at = longest_idle(holds);
        if (!at) break;
        struct xl_held_group *group = *at;
        *at = group->next;
        released += group->bytes;
        holds->bytes.held -= group->bytes;
        holds->bytes.idle -= group->bytes;
        group_free(holds, group);
    }
    return released;
}

/* --- Holds ----------------------------------------------------------------------------------- */

enum xl_status xl_hold_new(struct xl_holds *holds, struct xl_hold **out, struct xl_err *err) {
    struct xl_hold *hold = calloc(1, sizeof *hold);
    struct xl_held_group *asked = calloc(1, sizeof *asked);
    if (!hold || !asked) {
        free(hold);
        free(asked);
        return xl_fail_nomem(err, "packed weights", 0);
    }
    assert(!holds->has_open_hold);
    holds->has_open_hold = true;
    hold->holds = holds;
    hold->asked = asked;
    *out = hold;
    return XL_OK;
}

void xl_hold_free(struct xl_hold *hold) {
    if (!hold) return;
    struct xl_holds *holds = hold->holds;
    if (hold->asked) {
        group_free(holds, hold->asked);
        holds->has_open_hold = false;
    }
    for (int i = 0; i < hold->n_groups; i++) {
        struct xl_held_group *group = hold->groups[i];
        if (--group->n_holds) continue;
        group->idle_since = ++holds->clock;
        holds->bytes.idle += group->bytes;
    }
    free(hold->groups);
    free(hold);
}

/* Make sure of room for one more group. */
static bool has_room(struct xl_hold *hold) {
    if (hold->n_groups < hold->capacity) return true;
    int capacity = hold->capacity ? 2 * hold->capacity : 4;
    struct xl_held_group **groups = realloc(hold->groups, (size_t)capacity * sizeof *groups);
    if (!groups) return false;
    hold->groups = groups;
    hold->capacity = capacity;
    return true;
}

/* Refer to a group that has its memory, once. False: no memory */
static bool refer(struct xl_hold *hold, struct xl_held_group *group) {
    for (int i = 0; i < hold->n_groups; i++)
        if (hold->groups[i] == group) return true;
    if (!has_room(hold)) return false;
    hold->groups[hold->n_groups++] = group;
    if (!group->n_holds++) hold->holds->bytes.idle -= group->bytes;
    return true;
}

struct xl_weight_need xl_hold_need(const struct xl_hold *hold) {
    struct xl_weight_need need = {.missing = hold->asked->bytes};
    for (int i = 0; i < hold->n_groups; i++) need.held += hold->groups[i]->bytes;
    return need;
}

struct xl_held *xl_hold_ask(struct xl_hold *hold, const void *key, bool *is_new) {
    struct xl_holds *holds = hold->holds;
    struct xl_held **bucket = bucket_of(holds, key), *entry = *bucket;
    *is_new = false;
    while (entry && memcmp(key_of(holds, entry), key, holds->kind->key_size) != 0)
        entry = entry->same_hash;
    if (entry) return entry->group == hold->asked || refer(hold, entry->group) ? entry : NULL;
    entry = calloc(1, holds->kind->entry_size);
    if (!entry) return NULL;
    memcpy(key_of(holds, entry), key, holds->kind->key_size);
    entry->group = hold->asked;
    entry->same_hash = *bucket;
    *bucket = entry;
    entry->next = hold->asked->entries;
    hold->asked->entries = entry;
    hold->asked->n_entries++;
    *is_new = true;
    return entry;
}

void xl_held_set_bytes(struct xl_held *entry, size_t bytes) {
    entry->bytes = bytes;
    entry->group->bytes += xl_held_align(bytes);
}

/* --- Filling --------------------------------------------------------------------------------- */

struct xl_held_group *xl_hold_missing(struct xl_hold *hold) {
    return hold->asked->entries ? hold->asked : NULL;
}

enum xl_status xl_hold_take_memory(struct xl_hold *hold, struct xl_err *err) {
    struct xl_holds *holds = hold->holds;
    struct xl_held_group *group = hold->asked;
    if (!has_room(hold)) return xl_fail_nomem(err, "packed weights", 0);
    if (!group->entries) return XL_OK;
    group->data = holds->kind->alloc(holds->user, group->bytes);
    if (!group->data) return xl_fail_nomem(err, "weights", group->bytes);
    size_t end = group->bytes;
    for (struct xl_held *entry = group->entries; entry; entry = entry->next) {
        end -= xl_held_align(entry->bytes);
        entry->data = group->data + end;
    }
    return XL_OK;
}

void xl_hold_close(struct xl_hold *hold) {
    struct xl_holds *holds = hold->holds;
    struct xl_held_group *group = hold->asked;
    hold->asked = NULL;
    holds->has_open_hold = false;
    if (!group->entries) {
        group_free(holds, group);
        return;
    }
    group->n_holds = 1;
    group->next = holds->groups;
    holds->groups = group;
    holds->bytes.held += group->bytes;
    hold->groups[hold->n_groups++] = group;
}

struct xl_held **xl_held_list(const struct xl_held_group *group) {
    int n = group->n_entries;
    struct xl_held **list = calloc((size_t)n + 1, sizeof(struct xl_held *));
    if (!list) return NULL;
    for (struct xl_held *entry = group->entries; entry; entry = entry->next) list[--n] = entry;
    return list;
}
