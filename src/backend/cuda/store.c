/* store.c - what weights on the device are told apart by, and their memory. */
#include "backend/cuda/store.h"

#include "backend/cuda/pack.h"
#include "backend/cuda/store_entry.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct xl_cuda_store {
    struct xl_holds *holds;
    struct xl_cuda_upload *upload;
};

static unsigned char *alloc_group(void *user, size_t bytes) {
    void *data = NULL;
    (void)user;
    if (cudaMalloc(&data, bytes) == cudaSuccess) return data;
    (void)cudaGetLastError(); /* it is told by NULL */
    return NULL;
}

static void free_group(void *user, unsigned char *data, size_t bytes) {
    (void)user;
    (void)bytes;
    cudaFree(data);
}

static const struct xl_holds_kind kind_of_entries = {
    .entry_size = sizeof(struct xl_cuda_entry),
    .key_offset = offsetof(struct xl_cuda_entry, key),
    .key_size = sizeof(struct xl_cuda_key),
    .alloc = alloc_group,
    .free = free_group,
};

enum xl_status xl_cuda_store_new(struct xl_cuda_store **out, struct xl_err *err) {
    struct xl_cuda_store *store = calloc(1, sizeof *store);
    if (!store) return xl_fail_nomem(err, "weights", sizeof *store);
    enum xl_status status = xl_holds_new(&kind_of_entries, store, &store->holds, err);
    if (!status) status = xl_cuda_upload_new(&store->upload, err);
    if (status) {
        xl_cuda_store_free(store);
        return status;
    }
    *out = store;
    return XL_OK;
}

void xl_cuda_store_free(struct xl_cuda_store *store) {
    if (!store) return;
    xl_holds_free(store->holds);
    xl_cuda_upload_free(store->upload);
    free(store);
}

struct xl_holds *xl_cuda_store_holds(struct xl_cuda_store *store) {
    return store->holds;
}

static int64_t larger(int64_t a, int64_t b) {
    return a > b ? a : b;
}

static struct xl_cuda_key key_of(const struct xl_cuda_weight_spec *spec) {
    const struct xl_value *weight = spec->weight;
    struct xl_cuda_key key;
    memset(&key, 0, sizeof key); /* padding, too: keys are compared as bytes */
    int64_t length = xl_shape_count(weight->shape) / weight->shape.dim[0];
    key.n_parts = weight->n_parts;
    key.from = weight->dtype;
    key.to = spec->is_f8 ? XL_DTYPE_U8 : spec->dtype;
    key.rows = weight->shape.dim[0];
    key.columns = spec->has_taps ? weight->shape.dim[1] : length;
    key.taps = length / key.columns;
    key.is_folded = spec->is_folded;
    key.to_rows = spec->is_folded ? XL_CUDA_FOLDS * key.rows : larger(spec->rows, key.rows);
    key.to_row_length = spec->is_folded ? XL_CUDA_FOLDED_TAPS * key.columns
                                        : larger(spec->row_length, key.columns * key.taps);
    for (int i = 0; i < weight->n_parts; i++) key.ids[i] = xl_weight_part_id(&weight->parts[i]);
    return key;
}

enum xl_status xl_cuda_store_ask(struct xl_hold *hold, const struct xl_cuda_weight_spec *spec,
                                 const struct xl_cuda_weight **out, struct xl_err *err) {
    struct xl_cuda_key key = key_of(spec);
    bool is_new;
    struct xl_cuda_entry *entry = (struct xl_cuda_entry *)xl_hold_ask(hold, &key, &is_new);
    if (!entry) return xl_fail_nomem(err, "weights", sizeof *entry);
    *out = &entry->weight;
    if (!is_new) return XL_OK;
    entry->value = spec->weight;
    size_t bytes = (size_t)(key.to_rows * key.to_row_length) * xl_dtype_size(spec->dtype);
    if (spec->is_f8) bytes = xl_cuda_entry_scales(&key) + (size_t)key.to_rows * sizeof(float);
    xl_held_set_bytes(&entry->held, bytes);
    return XL_OK;
}

static void place_weight(struct xl_cuda_entry *entry) {
    entry->weight.data = entry->held.data;
    if (entry->key.to != XL_DTYPE_U8) return;
    entry->weight.scales =
        (const float *)(const void *)(entry->held.data + xl_cuda_entry_scales(&entry->key));
}

enum xl_status xl_cuda_store_take(struct xl_hold *hold, struct xl_held_group **missing,
                                  struct xl_err *err) {
    enum xl_status status = xl_hold_take_memory(hold, missing, err);
    if (status) return status;
    for (struct xl_held *held = *missing ? (*missing)->entries : NULL; held; held = held->next)
        place_weight((struct xl_cuda_entry *)held);
    return XL_OK;
}

enum xl_status xl_cuda_store_fill(struct xl_cuda_store *store, struct xl_held_group *missing,
                                  const struct xl_plan *plan,
                                  const struct xl_compile_options *options, struct xl_err *err) {
    enum xl_status status = xl_cuda_fill_group(store->upload, missing, plan, options, err);
    if (!missing) return status;
    /* Also after a failure: the memory is given back. */
    enum xl_status arrived = xl_cuda_upload_finish(store->upload, status ? NULL : err);
    return status ? status : arrived;
}
