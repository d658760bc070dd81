/* pack.c - what packed weights are told apart by, how large they are, and making them. */
#include "backend/cpu/pack_entry.h"
#include "backend/cpu/pages.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct xl_pack {
    struct xl_pack_tools tools;
    struct xl_holds *holds;
};

static unsigned char *alloc_group(void *user, size_t bytes) {
    (void)user;
    return xl_pages_alloc(bytes);
}

static void free_group(void *user, unsigned char *data, size_t bytes) {
    (void)user;
    xl_pages_free(data, bytes);
}

static void forget(void *user, struct xl_held *held) {
    struct xl_pack_entry *entry = xl_pack_entry_of(held);
    int64_t n = entry->packed.n_chunks * entry->packed.n_sets;
    (void)user;
    for (int64_t i = 0; entry->packed.weights && i < n; i++)
        xl_dnn_weights_free(entry->packed.weights[i]);
    free(entry->packed.weights);
}

static const struct xl_holds_kind kind_of_entries = {
    .entry_size = sizeof(struct xl_pack_entry),
    .key_offset = offsetof(struct xl_pack_entry, key),
    .key_size = sizeof(struct xl_pack_key),
    .alloc = alloc_group,
    .free = free_group,
    .forget = forget,
};

enum xl_status xl_pack_new(struct xl_dnn *dnn, struct xl_pool *pool,
                           const struct xl_cpu_kernels *kernels, struct xl_pack **out,
                           struct xl_err *err) {
    struct xl_pack *pack = calloc(1, sizeof *pack);
    if (!pack) return xl_fail_nomem(err, "packed weights", sizeof *pack);
    pack->tools = (struct xl_pack_tools){dnn, pool, kernels};
    enum xl_status status = xl_holds_new(&kind_of_entries, pack, &pack->holds, err);
    if (status) {
        free(pack);
        return status;
    }
    *out = pack;
    return XL_OK;
}

void xl_pack_free(struct xl_pack *pack) {
    if (!pack) return;
    xl_holds_free(pack->holds);
    free(pack);
}

struct xl_holds *xl_pack_holds(struct xl_pack *pack) {
    return pack->holds;
}

/* --- Asking ---------------------------------------------------------------------------------- */

static struct xl_pack_key key_of(enum xl_pack_kind kind, const struct xl_value *weight) {
    struct xl_pack_key key;
    memset(&key, 0, sizeof key); /* padding, too: keys are compared as bytes */
    key.kind = kind;
    key.n_parts = weight->n_parts;
    key.dtype = weight->dtype;
    key.rows = weight->shape.dim[0];
    key.length = xl_shape_count(weight->shape) / key.rows;
    for (int i = 0; i < weight->n_parts; i++) key.ids[i] = xl_weight_part_id(&weight->parts[i]);
    return key;
}

static void describe(struct xl_pack_entry *entry, const struct xl_value *weight, size_t bytes) {
    entry->weight = weight;
    xl_held_set_bytes(&entry->held, bytes);
}

static enum xl_status ask_numbers(struct xl_hold *hold, enum xl_pack_kind kind,
                                  const struct xl_value *weight, const struct xl_numbers **out,
                                  struct xl_err *err) {
    struct xl_pack_key key = key_of(kind, weight);
    bool is_new;
    struct xl_pack_entry *entry = xl_pack_entry_of(xl_hold_ask(hold, &key, &is_new));
    if (!entry) return xl_fail_nomem(err, "weights", sizeof *entry);
    size_t size = kind == XL_PACK_FLOATS ? sizeof(float) : xl_dtype_size(key.dtype);
    if (is_new) describe(entry, weight, (size_t)(key.rows * key.length) * size);
    *out = &entry->numbers;
    return XL_OK;
}

enum xl_status xl_pack_floats(struct xl_hold *hold, const struct xl_value *weight,
                              const struct xl_numbers **out, struct xl_err *err) {
    return ask_numbers(hold, XL_PACK_FLOATS, weight, out, err);
}

enum xl_status xl_pack_copy(struct xl_hold *hold, const struct xl_value *weight,
                            const struct xl_numbers **out, struct xl_err *err) {
    return ask_numbers(hold, XL_PACK_COPY, weight, out, err);
}

enum xl_status xl_pack_weights(struct xl_hold *hold, const struct xl_pack_spec *spec,
                               const struct xl_packed **out, struct xl_err *err) {
    struct xl_pack_key key = key_of(XL_PACK_WEIGHTS, spec->weight);
    key.chunk = spec->chunk;
    key.whole = spec->whole;
    key.last = spec->last;
    key.is_rounded = spec->is_rounded;
    key.map = spec->map;
    bool is_new;
    struct xl_pack_entry *entry = xl_pack_entry_of(xl_hold_ask(hold, &key, &is_new));
    if (!entry) return xl_fail_nomem(err, "packed weights", sizeof *entry);
    *out = &entry->packed;
    if (!is_new) return XL_OK;
    int64_t n_chunks = (key.rows + key.chunk - 1) / key.chunk;
    size_t n_sets = (size_t)xl_tap_map_sets(key.map);
    size_t last_bytes = xl_pack_align(xl_dnn_prototype_layout(key.last)->bytes);
    entry->packed = (struct xl_packed){n_chunks, (int)n_sets, NULL};
    entry->set_bytes = xl_pack_align(xl_dnn_prototype_layout(key.whole)->bytes);
    entry->chunk_bytes = entry->set_bytes * n_sets;
    describe(entry, spec->weight,
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
        unsigned char *data = entry->held.data + (size_t)chunk * entry->chunk_bytes +
                              (size_t)set * bytes;
        status =
            xl_dnn_weights_new(pack->tools.dnn, prototype, data, &entry->packed.weights[i], err);
    }
    return status;
}

static enum xl_status open_entries(const struct xl_pack *pack, struct xl_held_group *group,
                                   struct xl_err *err) {
    enum xl_status status = XL_OK;
    for (struct xl_held *held = group->entries; !status && held; held = held->next) {
        struct xl_pack_entry *entry = xl_pack_entry_of(held);
        entry->numbers.data = held->data;
        if (entry->key.kind == XL_PACK_WEIGHTS) status = add_handles(pack, entry, err);
    }
    return status;
}

enum xl_status xl_pack_fill(struct xl_pack *pack, struct xl_hold *hold, const struct xl_plan *plan,
                            const struct xl_compile_options *options, struct xl_err *err) {
    struct xl_held_group *group = NULL;
    enum xl_status status = xl_hold_take_memory(hold, &group, err);
    if (!status && group) status = open_entries(pack, group, err);
    if (!status) status = xl_pack_fill_group(&pack->tools, group, plan, options, err);
    if (!status) xl_hold_close(hold);
    return status;
}
