/* pack.h - the weights that a backend holds: packed once for its products, shared by all its
 * executables.
 *
 * A compilation asks for what it needs (xl_pack_weights only reserves), then xl_pack_flush reads
 * the tensors and packs, on all threads. Tensors are known by their addresses: a backend must not
 * outlive the mapping of a file and see another one mapped in its place.
 */
#ifndef XL_BACKEND_CPU_PACK_H
#define XL_BACKEND_CPU_PACK_H

#include "backend/backend.h"
#include "backend/cpu/kernels.h"
#include "backend/cpu/onednn.h"
#include "base/threads.h"

struct xl_pack; /* opaque */

/* Weights [o, c, taps...] cut into chunks of output channels, each packed for a product. */
struct xl_pack_spec {
    const struct xl_value *weight;
    int64_t chunk; /* output channels of a chunk; the last may have fewer */
    const struct xl_dnn_prototype *whole, *last; /* of whole chunks, and of the last */
    bool is_rounded;                             /* round to bf16 though the products are f32 */
    /* A linear map of the taps, [n_sets * a product's taps, the weight's taps], or NULL: a
     * product's taps are the weight's. Each chunk gives n_sets products. Known by its address as
     * well. */
    const float *map;
    int n_sets;
};

struct xl_packed {
    int64_t n_chunks;
    int n_sets;
    struct xl_dnn_weights **weights; /* [n_chunks, n_sets] */
};

enum xl_status xl_pack_new(struct xl_dnn *dnn, struct xl_pool *pool,
                           const struct xl_cpu_kernels *kernels, struct xl_pack **out,
                           struct xl_err *err) XL_CHECKED;
void xl_pack_free(struct xl_pack *pack);
size_t xl_pack_bytes(const struct xl_pack *pack);

/* All results belong to pack; they hold numbers once xl_pack_flush has succeeded.
 * Errors: XL_ENOMEM */
enum xl_status xl_pack_weights(struct xl_pack *pack, const struct xl_pack_spec *spec,
                               const struct xl_packed **out, struct xl_err *err) XL_CHECKED;
/* A copy of the numbers of a weight in f32 (biases, norms)... */
enum xl_status xl_pack_floats(struct xl_pack *pack, const struct xl_value *weight,
                              const float **out, struct xl_err *err) XL_CHECKED;
/* ... or in their own dtype (embedding tables). */
enum xl_status xl_pack_copy(struct xl_pack *pack, const struct xl_value *weight, const void **out,
                            struct xl_err *err) XL_CHECKED;

/* Pack what was asked for since the last flush, for this plan. Each of its tensors is reported to
 * options->weight_done once, when it is not needed any more. When it fails, what was asked for is
 * forgotten. Errors: XL_ECANCELLED, XL_ENOMEM */
enum xl_status xl_pack_flush(struct xl_pack *pack, const struct xl_plan *plan,
                             const struct xl_compile_options *options,
                             struct xl_err *err) XL_CHECKED;
/* Forget what was asked for since the last flush, and give its memory back. */
void xl_pack_forget(struct xl_pack *pack);

/* While on, what is asked for is only counted by xl_pack_bytes: results must not be read, and must
 * be forgotten before it is turned off. */
void xl_pack_measure(struct xl_pack *pack, bool on);

#endif
