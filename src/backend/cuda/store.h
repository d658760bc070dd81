/* store.h - the weights that the backend holds on its device: as its products want them, shared by
 * all executables (holds.h), known by the ids of their tensors. */
#ifndef XL_BACKEND_CUDA_STORE_H
#define XL_BACKEND_CUDA_STORE_H

#include "backend/cuda/cuda.h"
#include "backend/holds.h"

/* Errors: XL_ENOMEM */
enum xl_status xl_cuda_store_new(struct xl_cuda_store **out, struct xl_err *err) XL_CHECKED;
/* All holds must be freed before. NULL is fine. */
void xl_cuda_store_free(struct xl_cuda_store *store);

/* Who holds what: to begin a hold, and to give weights back. */
struct xl_holds *xl_cuda_store_holds(struct xl_cuda_store *store);

/* A weight [o, c, taps...] as [rows, taps, columns], or as it lies where it is a matrix. */
struct xl_cuda_weight_spec {
    const struct xl_value *weight;
    enum xl_dtype dtype;      /* on the device */
    bool has_taps;            /* taps before columns; else the weight is the matrix [o, c taps] */
    int64_t rows, row_length; /* of the result, filled up with zeros; 0: what there is */
    bool is_folded;           /* a kernel of 3x3 as four of 2x2 (pack.h), one behind the other */
    bool is_f8;               /* rounded to F8, each row with a scale; dtype does not matter */
};

/* Ask. *out belongs to the store; its data is there once the hold is filled. Errors: XL_ENOMEM */
enum xl_status xl_cuda_store_ask(struct xl_hold *hold, const struct xl_cuda_weight_spec *spec,
                                 const struct xl_cuda_weight **out, struct xl_err *err) XL_CHECKED;

/* Take memory for what is missing of what was asked for: *missing, NULL for nothing. Errors:
 * XL_ENOMEM */
enum xl_status xl_cuda_store_take(struct xl_hold *hold, struct xl_held_group **missing,
                                  struct xl_err *err) XL_CHECKED;

/* Bring what is missing to the device, for this plan. It is there when it returns, for launches on
 * any stream. Each of the plan's tensors is reported to options->weight_done once. Errors:
 * XL_ECANCELLED, XL_ENOMEM, XL_EDEVICE */
enum xl_status xl_cuda_store_fill(struct xl_cuda_store *store, struct xl_held_group *missing,
                                  const struct xl_plan *plan,
                                  const struct xl_compile_options *options,
                                  struct xl_err *err) XL_CHECKED;

#endif
