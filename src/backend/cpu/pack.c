/* pack.c - which weights are held, for whom, and their memory. */
#include "backend/cpu/pack_entry.h"
#include "backend/cpu/pages.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { N_BUCKETS = 4096 };

struct xl_pack {
    struct xl_pack_tools tools;
    struct xl_pack_group *groups;             /* with memory */
    struct xl_pack_entry *buckets[N_BUCKETS]; /* of all groups, and what the open hold asked for */
    uint64_t clock;                           /* moves when a group becomes idle */
    struct xl_pack_bytes bytes;
    bool has_open_hold;
};

struct xl_pack_hold {
    struct xl_pack *pack;
    struct xl_pack_group *asked; /* missing so far; NULL once the hold is filled */
    struct xl_pack_group **groups;
    int n_groups, capacity;
};

enum xl_status xl_pack_new(struct xl_dnn *dnn, struct xl_pool *pool,
                           const struct xl_cpu_kernels *kernels, struct xl_pack **out,
                           struct xl_err *err) {
    struct xl_pack *pack = calloc(1, sizeof *pack);
    if (!pack) return xl_fail_nomem(err, "packed weights", sizeof *pack);
    pack->tools = (struct xl_pack_tools){dnn, pool, kernels};
    *out = pack;
    return XL_OK;
}

static struct xl_pack_entry **bucket_of(struct xl_pack *pack, const struct xl_pack_key *key) {
    return &pack->buckets[key->ids[0].word[0] % N_BUCKETS];
}

static void entry_free(struct xl_pack *pack, struct xl_pack_entry *entry) {
    struct xl_pack_entry **at = bucket_of(pack, &entry->key);
    while (*at != entry) at = &(*at)->same_hash;
    *at = entry->same_hash;
    int64_t n = entry->packed.n_chunks * entry->packed.n_sets;
    for (int64_t i = 0; entry->packed.weights && i < n; i++)
        xl_dnn_weights_free(entry->packed.weights[i]);
    free(entry->packed.weights);
    free(entry);
}

static void group_free(struct xl_pack *pack, struct xl_pack_group *group) {
    if (!group) return;
    while (group->entries) {
        struct xl_pack_entry *next = group->entries->next;
        entry_free(pack, group->entries);
        group->entries = next;
    }
    xl_pages_free(group->data, group->bytes);
    free(group);
}

void xl_pack_free(struct xl_pack *pack) {
    if (!pack) return;
    xl_pack_release(pack, SIZE_MAX);
    assert(!pack->groups);
    free(pack);
}

struct xl_pack_bytes xl_pack_bytes(const struct xl_pack *pack) {
    return pack->bytes;
}

/* The link to the group that has been idle longest; NULL: none is idle. */
static struct xl_pack_group **longest_idle(struct xl_pack *pack) {
    struct xl_pack_group **found = NULL;
    for (struct xl_pack_group **at = &pack->groups; *at; at = &(*at)->next)
        if (!(*at)->n_holds && (!found || (*at)->idle_since < (*found)->idle_since)) found = at;
    return found;
}

size_t xl_pack_release(struct xl_pack *pack, size_t wanted) {
    size_t released = 0;
    while (released < wanted) {
        struct xl_pack_group **at = longest_idle(pack);
        if (!at) break;
        struct xl_pack_group *group = *at;
        *at = group->next;
        released += group->bytes;
        pack->bytes.held -= group->bytes;
        pack->bytes.idle -= group->bytes;
        group_free(pack, group);
    }
    return released;
}

/* --- Holds ----------------------------------------------------------------------------------- */

enum xl_status xl_pack_hold_new(struct xl_pack *pack, struct xl_pack_hold **out,
                                struct xl_err *err) {
    struct xl_pack_hold *hold = calloc(1, sizeof *hold);
    struct xl_pack_group *asked = calloc(1, sizeof *asked);
    if (!hold || !asked) {
        free(hold);
        free(asked);
        return xl_fail_nomem(err, "packed weights", 0);
    }
    assert(!pack->has_open_hold);
    pack->has_open_hold = true;
    hold->pack = pack;
    hold->asked = asked;
    *out = hold;
    return XL_OK;
}

static void close_hold(struct xl_pack_hold *hold) {
    hold->asked = NULL;
    hold->pack->has_open_hold = false;
}

void xl_pack_hold_free(struct xl_pack_hold *hold) {
    if (!hold) return;
    struct xl_pack *pack = hold->pack;
    if (hold->asked) {
        group_free(pack, hold->asked);
        close_hold(hold);
    }
    for (int i = 0; i < hold->n_groups; i++) {
        struct xl_pack_group *group = hold->groups[i];
        if (--group->n_holds) continue;
        group->idle_since = ++pack->clock;
        pack->bytes.idle += group->bytes;
    }
    free(hold->groups);
    free(hold);
}

/* Make sure of room for one more group. */
static bool has_room(struct xl_pack_hold *hold) {
    if (hold->n_groups < hold->capacity) return true;
    int capacity = hold->capacity ? 2 * hold->capacity : 4;
    struct xl_pack_group **groups = realloc(hold->groups, (size_t)capacity * sizeof *groups);
    if (!groups) return false;
    hold->groups = groups;
    hold->capacity = capacity;
    return true;
}

/* Refer to a group that has its memory, once. False: no memory */
static bool refer(struct xl_pack_hold *hold, struct xl_pack_group *group) {
    for (int i = 0; i < hold->n_groups; i++)
        if (hold->groups[i] == group) return true;
    if (!has_room(hold)) return false;
    hold->groups[hold->n_groups++] = group;
    if (!group->n_holds++) hold->pack->bytes.idle -= group->bytes;
    return true;
}

struct xl_weight_need xl_pack_need(const struct xl_pack_hold *hold) {
    struct xl_weight_need need = {.missing = hold->asked->bytes};
    for (int i = 0; i < hold->n_groups; i++) need.held += hold->groups[i]->bytes;
    return need;
}

/* --- Asking ---------------------------------------------------------------------------------- */

static bool is_same(const struct xl_pack_key *a, const struct xl_pack_key *b) {
    for (int i = 0; i < XL_MAX_PARTS; i++)
        for (int j = 0; j < 2; j++)
            if (a->ids[i].word[j] != b->ids[i].word[j]) return false;
    return a->kind == b->kind && a->n_parts == b->n_parts && a->dtype == b->dtype &&
           a->rows == b->rows && a->length == b->length && a->chunk == b->chunk &&
           a->whole == b->whole && a->last == b->last && a->is_rounded == b->is_rounded &&
           a->map == b->map;
}

static struct xl_pack_key key_of(enum xl_pack_kind kind, const struct xl_value *weight) {
    struct xl_pack_key key = {.kind = kind,
                              .n_parts = weight->n_parts,
                              .dtype = weight->dtype,
                              .rows = weight->shape.dim[0]};
    key.length = xl_shape_count(weight->shape) / key.rows;
    for (int i = 0; i < weight->n_parts; i++) key.ids[i] = xl_weight_part_id(&weight->parts[i]);
    return key;
}

/* The entry of that key, held from here on: found, or asked for and described by the caller.
 * NULL: no memory */
static struct xl_pack_entry *find_or_add(struct xl_pack_hold *hold, const struct xl_pack_key *key,
                                         bool *is_new) {
    struct xl_pack_entry **bucket = bucket_of(hold->pack, key), *entry = *bucket;
    *is_new = false;
    while (entry && !is_same(&entry->key, key)) entry = entry->same_hash;
    if (entry) return entry->group == hold->asked || refer(hold, entry->group) ? entry : NULL;
    entry = calloc(1, sizeof *entry);
    if (!entry) return NULL;
    entry->key = *key;
    entry->group = hold->asked;
    entry->same_hash = *bucket;
    *bucket = entry;
    entry->next = hold->asked->entries;
    hold->asked->entries = entry;
    hold->asked->n_entries++;
    *is_new = true;
    return entry;
}

static void set_bytes(struct xl_pack_entry *entry, const struct xl_value *weight, size_t bytes) {
    entry->weight = weight;
    entry->bytes = bytes;
    entry->group->bytes += xl_pack_align(bytes);
}

static enum xl_status ask_numbers(struct xl_pack_hold *hold, enum xl_pack_kind kind,
                                  const struct xl_value *weight, const struct xl_numbers **out,
                                  struct xl_err *err) {
    struct xl_pack_key key = key_of(kind, weight);
    bool is_new;
    struct xl_pack_entry *entry = find_or_add(hold, &key, &is_new);
    if (!entry) return xl_fail_nomem(err, "weights", sizeof *entry);
    size_t size = kind == XL_PACK_FLOATS ? sizeof(float) : xl_dtype_size(key.dtype);
    if (is_new) set_bytes(entry, weight, (size_t)(key.rows * key.length) * size);
    *out = &entry->numbers;
    return XL_OK;
}

enum xl_status xl_pack_floats(struct xl_pack_hold *hold, const struct xl_value *weight,
                              const struct xl_numbers **out, struct xl_err *err) {
    return ask_numbers(hold, XL_PACK_FLOATS, weight, out, err);
}

enum xl_status xl_pack_copy(struct xl_pack_hold *hold, const struct xl_value *weight,
                            const struct xl_numbers **out, struct xl_err *err) {
    return ask_numbers(hold, XL_PACK_COPY, weight, out, err);
}

enum xl_status xl_pack_weights(struct xl_pack_hold *hold, const struct xl_pack_spec *spec,
                               const struct xl_packed **out, struct xl_err *err) {
    struct xl_pack_key key = key_of(XL_PACK_WEIGHTS, spec->weight);
    key.chunk = spec->chunk;
    key.whole = spec->whole;
    key.last = spec->last;
    key.is_rounded = spec->is_rounded;
    key.map = spec->map;
    bool is_new;
    struct xl_pack_entry *entry = find_or_add(hold, &key, &is_new);
    if (!entry) return xl_fail_nomem(err, "packed weights", sizeof *entry);
    *out = &entry->packed;
    if (!is_new) return XL_OK;
    int64_t n_chunks = (key.rows + key.chunk - 1) / key.chunk;
    size_t n_sets = (size_t)xl_tap_map_sets(key.map);
    size_t last_bytes = xl_pack_align(xl_dnn_prototype_layout(key.last)->bytes);
    entry->packed = (struct xl_packed){n_chunks, (int)n_sets, NULL};
    entry->set_bytes = xl_pack_align(xl_dnn_prototype_layout(key.whole)->bytes);
    entry->chunk_bytes = entry->set_bytes * n_sets;
    set_bytes(entry, spec->weight,
              entry->chunk_bytes * (size_t)(n_chunks - 1) + last_bytes * n_sets);
    return XL_OK;
}

/* --- Filling --------------------------------------------------------------------------------- */

/* Make the products' handles of an entry that has its memory. */
static enum xl_status add_handles(const struct xl_pack *pack, struct xl_pack_entry *entry,
                                  struct xl_err *err) {
    int64_t n_chunks = entry->packed.n_chunks, n_sets = entry->packed.n_sets;
    entry->packed.weights = calloc((size_t)(n_chunks * n_sets), sizeof(struct xl_dnn_weights *));
    if (!entry->packed.weights) return xl_fail_nomem(err, "packed weights", 0);
    enum xl_status status = XL_OK;
    for (int64_t i = 0; !status && i < n_chunks * n_sets; i++) {
        int64_t chunk = i / n_sets, set = i % n_sets;
        bool is_last = chunk == n_chunks - 1;
        const struct xl_dnn_prototype *prototype = is_last ? entry->key.last : entry->key.whole;
        size_t bytes = xl_pack_align(xl_dnn_prototype_layout(prototype)->bytes);
        unsigned char *data = entry->data + (size_t)chunk * entry->chunk_bytes +
                              (size_t)set * bytes;
        status =
            xl_dnn_weights_new(pack->tools.dnn, prototype, data, &entry->packed.weights[i], err);
    }
    return status;
}

/* Memory for all entries. Those that were asked for first lie first. */
static enum xl_status add_memory(const struct xl_pack *pack, struct xl_pack_group *group,
                                 struct xl_err *err) {
    group->data = xl_pages_alloc(group->bytes);
    if (!group->data) return xl_fail_nomem(err, "weights", group->bytes);
    size_t end = group->bytes;
    enum xl_status status = XL_OK;
    for (struct xl_pack_entry *entry = group->entries; !status && entry; entry = entry->next) {
        end -= xl_pack_align(entry->bytes);
        entry->data = group->data + end;
        entry->numbers.data = entry->data;
        if (entry->key.kind == XL_PACK_WEIGHTS) status = add_handles(pack, entry, err);
    }
    return status;
}

enum xl_status xl_pack_fill(struct xl_pack_hold *hold, const struct xl_plan *plan,
                            const struct xl_compile_options *options, struct xl_err *err) {
    struct xl_pack *pack = hold->pack;
    struct xl_pack_group *group = hold->asked;
    if (!has_room(hold)) return xl_fail_nomem(err, "packed weights", 0);
    enum xl_status status = group->entries ? add_memory(pack, group, err) : XL_OK;
    if (!status) status = xl_pack_fill_group(&pack->tools, group, plan, options, err);
    if (status) return status;
    close_hold(hold);
    if (!group->entries) {
        group_free(pack, group);
        return XL_OK;
    }
    group->n_holds = 1;
    group->next = pack->groups;
    pack->groups = group;
    pack->bytes.held += group->bytes;
    hold->groups[hold->n_groups++] = group;
    return XL_OK;
}
