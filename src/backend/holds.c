/* holds.c - the table of packed weights, groups of them, and who refers to which. One mutex, which
 * is not held while memory is taken or filled. */
#include "backend/holds.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { N_BUCKETS = 4096 };

struct xl_holds {
    const struct xl_holds_kind *kind;
    void *user;
    pthread_mutex_t mutex; /* for what follows, and for who holds which group */
    pthread_cond_t changed;
    struct xl_held_group *groups;       /* with memory */
    struct xl_held *buckets[N_BUCKETS]; /* of all groups, and what a hold asks for */
    uint64_t clock;                     /* moves when a group becomes idle */
    struct xl_held_bytes bytes;
    bool is_asked; /* by a hold */
};

struct xl_hold {
    struct xl_holds *holds;
    enum xl_hold_use use;
    struct xl_held_group *asked;   /* missing so far; NULL once memory was taken for it */
    struct xl_held_group *filling; /* what was missing, until the hold is closed */
    struct xl_held_group **groups;
    int n_groups, capacity;
};

enum xl_status xl_holds_new(const struct xl_holds_kind *kind, void *user, struct xl_holds **out,
                            struct xl_err *err) {
    struct xl_holds *holds = calloc(1, sizeof *holds);
    if (!holds) return xl_fail_nomem(err, "packed weights", sizeof *holds);
    holds->kind = kind;
    holds->user = user;
    pthread_mutex_init(&holds->mutex, NULL);
    pthread_cond_init(&holds->changed, NULL);
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

/* Have nobody find it any more. */
static void hide(struct xl_holds *holds, struct xl_held *entry) {
    struct xl_held **at = bucket_of(holds, key_of(holds, entry));
    while (*at && *at != entry) at = &(*at)->same_hash;
    if (*at) *at = entry->same_hash;
}

static void group_free(struct xl_holds *holds, struct xl_held_group *group) {
    for (struct xl_held *entry; (entry = group->entries);) {
        group->entries = entry->next;
        hide(holds, entry);
        if (holds->kind->forget) holds->kind->forget(holds->user, entry);
        free(entry);
    }
    if (group->data) holds->kind->free(holds->user, group->data, group->bytes);
    free(group);
}

/* Free a group that is among those with memory. */
static void give_back(struct xl_holds *holds, struct xl_held_group *group) {
    struct xl_held_group **at = &holds->groups;
    while (*at != group) at = &(*at)->next;
    *at = group->next;
    size_t bytes = group->bytes;
    group_free(holds, group);
    holds->bytes.held -= bytes;
}

void xl_holds_free(struct xl_holds *holds) {
    if (!holds) return;
    xl_holds_release(holds, SIZE_MAX);
    assert(!holds->groups);
    pthread_cond_destroy(&holds->changed);
    pthread_mutex_destroy(&holds->mutex);
    free(holds);
}

struct xl_held_bytes xl_holds_bytes(struct xl_holds *holds) {
    pthread_mutex_lock(&holds->mutex);
    struct xl_held_bytes bytes = holds->bytes;
    pthread_mutex_unlock(&holds->mutex);
    return bytes;
}

/* The group that has been idle longest; NULL: none is idle. */
static struct xl_held_group *longest_idle(const struct xl_holds *holds) {
    struct xl_held_group *found = NULL;
    for (struct xl_held_group *group = holds->groups; group; group = group->next)
        if (!group->n_holds && (!found || group->idle_since < found->idle_since)) found = group;
    return found;
}

size_t xl_holds_release(struct xl_holds *holds, size_t wanted) {
    size_t released = 0;
    pthread_mutex_lock(&holds->mutex);
    for (struct xl_held_group *group; released < wanted && (group = longest_idle(holds));) {
        released += group->bytes;
        holds->bytes.idle -= group->bytes;
        give_back(holds, group);
    }
    pthread_mutex_unlock(&holds->mutex);
    return released;
}

/* --- Holds ----------------------------------------------------------------------------------- */

/* Ask, once nobody else does. With the mutex held. False: no memory */
static bool begin_asking(struct xl_hold *hold) {
    struct xl_holds *holds = hold->holds;
    struct xl_held_group *asked = calloc(1, sizeof *asked);
    if (!asked) return false;
    while (holds->is_asked) pthread_cond_wait(&holds->changed, &holds->mutex);
    holds->is_asked = true;
    hold->asked = asked;
    return true;
}

enum xl_status xl_hold_new(struct xl_holds *holds, enum xl_hold_use use, struct xl_hold **out,
                           struct xl_err *err) {
    struct xl_hold *hold = calloc(1, sizeof *hold);
    if (!hold) return xl_fail_nomem(err, "packed weights", 0);
    hold->holds = holds;
    hold->use = use;
    pthread_mutex_lock(&holds->mutex);
    bool ok = begin_asking(hold);
    pthread_mutex_unlock(&holds->mutex);
    if (!ok) {
        free(hold);
        return xl_fail_nomem(err, "packed weights", 0);
    }
    *out = hold;
    return XL_OK;
}

/* The next one may ask. With the mutex held. */
static void end_asking(struct xl_hold *hold) {
    hold->asked = NULL;
    hold->holds->is_asked = false;
    pthread_cond_broadcast(&hold->holds->changed);
}

/* What could not be filled is nothing that others can use. With the mutex held. */
static void lose(struct xl_hold *hold) {
    struct xl_held_group *group = hold->filling;
    for (struct xl_held *entry = group->entries; entry; entry = entry->next)
        hide(hold->holds, entry);
    group->is_filling = false;
    group->is_lost = true;
    pthread_cond_broadcast(&hold->holds->changed);
}

static void let_go(struct xl_holds *holds, struct xl_held_group *group) {
    if (--group->n_holds) return;
    if (group->is_lost) {
        give_back(holds, group);
        return;
    }
    group->idle_since = ++holds->clock;
    holds->bytes.idle += group->bytes;
}

void xl_hold_free(struct xl_hold *hold) {
    if (!hold) return;
    struct xl_holds *holds = hold->holds;
    pthread_mutex_lock(&holds->mutex);
    if (hold->asked) {
        group_free(holds, hold->asked);
        end_asking(hold);
    }
    if (hold->filling) lose(hold);
    for (int i = 0; i < hold->n_groups; i++) let_go(holds, hold->groups[i]);
    pthread_mutex_unlock(&holds->mutex);
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

static struct xl_held *find(struct xl_holds *holds, const void *key) {
    struct xl_held *entry = *bucket_of(holds, key);
    while (entry && memcmp(key_of(holds, entry), key, holds->kind->key_size) != 0)
        entry = entry->same_hash;
    return entry;
}

static struct xl_held *add(struct xl_hold *hold, const void *key) {
    struct xl_holds *holds = hold->holds;
    struct xl_held **bucket = bucket_of(holds, key);
    struct xl_held *entry = calloc(1, holds->kind->entry_size);
    if (!entry) return NULL;
    memcpy(key_of(holds, entry), key, holds->kind->key_size);
    entry->group = hold->asked;
    entry->same_hash = *bucket;
    *bucket = entry;
    entry->next = hold->asked->entries;
    hold->asked->entries = entry;
    hold->asked->n_entries++;
    return entry;
}

/* Whether another hold is just filling the entry. Filling asks for nothing, so a wait for it has an
 * end. */
static bool is_under_way(const struct xl_hold *hold, const struct xl_held *entry) {
    return entry->group->is_filling && entry->group != hold->filling &&
           hold->use == XL_HOLD_TO_COMPILE;
}

struct xl_held *xl_hold_ask(struct xl_hold *hold, const void *key, bool *is_new) {
    struct xl_holds *holds = hold->holds;
    struct xl_held *entry;
    bool ok = true;
    pthread_mutex_lock(&holds->mutex);
    while ((entry = find(holds, key)) && is_under_way(hold, entry))
        pthread_cond_wait(&holds->changed, &holds->mutex);
    if (!entry && !hold->asked) {
        ok = begin_asking(hold);
        entry = find(holds, key); /* somebody else may have asked for it meanwhile */
    }
    *is_new = !entry;
    if (!entry)
        entry = ok ? add(hold, key) : NULL;
    else if (entry->group != hold->asked && !refer(hold, entry->group))
        entry = NULL;
    pthread_mutex_unlock(&holds->mutex);
    return entry;
}

bool xl_hold_asks(const struct xl_hold *hold) {
    return hold->asked != NULL;
}

void xl_held_set_bytes(struct xl_held *entry, size_t bytes) {
    entry->bytes = bytes;
    entry->group->bytes += xl_held_align(bytes);
}

/* --- Filling --------------------------------------------------------------------------------- */

static void count(struct xl_holds *holds, int64_t bytes) {
    pthread_mutex_lock(&holds->mutex);
    holds->bytes.held += (size_t)bytes;
    pthread_mutex_unlock(&holds->mutex);
}

/* Memory for what was asked for, which counts from before it is taken. */
static enum xl_status alloc_group(struct xl_hold *hold, struct xl_err *err) {
    struct xl_holds *holds = hold->holds;
    struct xl_held_group *group = hold->asked;
    if (!has_room(hold)) return xl_fail_nomem(err, "packed weights", 0);
    count(holds, (int64_t)group->bytes);
    group->data = holds->kind->alloc(holds->user, group->bytes);
    if (!group->data) {
        count(holds, -(int64_t)group->bytes);
        return xl_fail_nomem(err, "weights", group->bytes);
    }
    size_t end = group->bytes;
    for (struct xl_held *entry = group->entries; entry; entry = entry->next) {
        end -= xl_held_align(entry->bytes);
        entry->data = group->data + end;
    }
    return XL_OK;
}

enum xl_status xl_hold_take_memory(struct xl_hold *hold, struct xl_held_group **missing,
                                   struct xl_err *err) {
    struct xl_holds *holds = hold->holds;
    struct xl_held_group *group = hold->asked;
    bool is_missing = group->entries != NULL;
    enum xl_status status = is_missing ? alloc_group(hold, err) : XL_OK;
    if (status) return status;
    pthread_mutex_lock(&holds->mutex);
    if (is_missing) {
        group->n_holds = 1;
        group->is_filling = true;
        group->next = holds->groups;
        holds->groups = group;
        hold->groups[hold->n_groups++] = group;
        hold->filling = group;
    } else {
        group_free(holds, group);
    }
    end_asking(hold);
    pthread_mutex_unlock(&holds->mutex);
    *missing = hold->filling;
    return XL_OK;
}

void xl_hold_close(struct xl_hold *hold) {
    struct xl_holds *holds = hold->holds;
    if (!hold->filling) return;
    pthread_mutex_lock(&holds->mutex);
    hold->filling->is_filling = false;
    hold->filling = NULL;
    pthread_cond_broadcast(&holds->changed);
    pthread_mutex_unlock(&holds->mutex);
}

struct xl_held **xl_held_list(const struct xl_held_group *group) {
    int n = group->n_entries;
    struct xl_held **list = calloc((size_t)n + 1, sizeof(struct xl_held *));
    if (!list) return NULL;
    for (struct xl_held *entry = group->entries; entry; entry = entry->next) list[--n] = entry;
    return list;
}
