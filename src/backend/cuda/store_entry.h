/* store_entry.h - one weight on the device, as the files see it that own it (store.c) and fill it
 * (store_fill.c). */
#ifndef XL_BACKEND_CUDA_STORE_ENTRY_H
#define XL_BACKEND_CUDA_STORE_ENTRY_H

#include "backend/cuda/cuda.h"
#include "backend/cuda/upload.h"
#include "backend/holds.h"

struct xl_cuda_key {
    struct xl_weight_id ids[XL_MAX_PARTS];
    int32_t n_parts;
    int32_t from, to; /* dtypes; to: U8 for F8 */
    int32_t is_folded;
    int64_t rows, columns, taps;
    int64_t to_rows, to_row_length; /* filled up */
};

struct xl_cuda_entry {
    struct xl_held held;
    struct xl_cuda_key key;
    struct xl_cuda_weight weight;
    const struct xl_value *value; /* until it is filled */
};

/* Where the scales of one in F8 begin: behind its rows. */
static inline size_t xl_cuda_entry_scales(const struct xl_cuda_key *key) {
    return xl_held_align((size_t)(key->to_rows * key->to_row_length));
}

/* Fill the entries of a group that has its memory; NULL: there are none. */
enum xl_status xl_cuda_fill_group(struct xl_cuda_upload *upload, const struct xl_held_group *group,
                                  const struct xl_plan *plan,
                                  const struct xl_compile_options *options,
                                  struct xl_err *err) XL_CHECKED;

#endif
