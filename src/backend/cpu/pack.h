/* pack.h - weights packed once for the CPU's products, shared by all executables (holds.h), known
 * by the ids of their tensors.
 */
#ifndef XL_BACKEND_CPU_PACK_H
#define XL_BACKEND_CPU_PACK_H

#include "backend/cpu/kernels.h"
#include "backend/cpu/onednn.h"
#include "backend/cpu/tap_maps.h"
#include "backend/holds.h"
#include "base/threads.h"

struct xl_pack; /* opaque */

enum xl_status xl_pack_new(struct xl_dnn *dnn, struct xl_pool *pool,
                           const struct xl_cpu_kernels *kernels, struct xl_pack **out,
                           struct xl_err *err) XL_CHECKED;
/* All holds must be freed before. */
void xl_pack_free(struct xl_pack *pack);

/* Who holds what: to begin a hold, and to give weights back. */
struct xl_holds *xl_pack_holds(struct xl_pack *pack);

/* Weights [o, c, taps...] cut into chunks of output channels, each packed for a product. */
struct xl_pack_spec {
    const struct xl_value *weight;
    int64_t chunk; /* output channels of a chunk; the last may have fewer */
    const struct xl_dnn_prototype *whole, *last; /* of whole chunks, and of the last */
    bool is_rounded;                             /* round to bf16 though the products are f32 */
    enum xl_tap_map map;                         /* a product a set of it */
};

struct xl_packed {
    int64_t n_chunks;
    int n_sets;
    struct xl_dnn_weights **weights; /* [n_chunks, n_sets] */
};

struct xl_numbers {
    const void *data;
};

/* Ask. The results belong to the pack, and what they point at is there once the hold is filled.
 * Errors: XL_ENOMEM */
enum xl_status xl_pack_weights(struct xl_hold *hold, const struct xl_pack_spec *spec,
                               const struct xl_packed **out, struct xl_err *err) XL_CHECKED;
/* A copy of the numbers of a weight in f32 (biases, norms)... */
enum xl_status xl_pack_floats(struct xl_hold *hold, const struct xl_value *weight,
                              const struct xl_numbers **out, struct xl_err *err) XL_CHECKED;
/* ... or in their own dtype (embedding tables). */
enum xl_status xl_pack_copy(struct xl_hold *hold, const struct xl_value *weight,
                            const struct xl_numbers **out, struct xl_err *err) XL_CHECKED;

/* Pack what is missing, for this plan, and close the hold. Each of its tensors is reported to
 * options->weight_done once, when it is not needed any more. Errors: XL_ECANCELLED, XL_ENOMEM */
enum xl_status xl_pack_fill(struct xl_pack *pack, struct xl_hold *hold, const struct xl_plan *plan,
                            const struct xl_compile_options *options,
                            struct xl_err *err) XL_CHECKED;

/* f32 numbers from `first` on; NULL when there are none. */
static inline const float *xl_f32_from(const struct xl_numbers *numbers, int64_t first) {
    return numbers ? (const float *)numbers->data + first : NULL;
}

#endif
