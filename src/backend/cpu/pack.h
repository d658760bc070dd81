/* pack.h - the weights that a backend holds: packed once for its products, shared by all its
 * executables, known by the ids of their tensors.
 *
 * An executable holds weights: its compilation opens a hold, asks it for what the ops need (which
 * only counts), and fills it: then memory is taken and tensors are read and packed, on all threads.
 * What one fill packs is a group. A group stays while a hold refers to it, and after that until its
 * memory is wanted back.
 */
#ifndef XL_BACKEND_CPU_PACK_H
#define XL_BACKEND_CPU_PACK_H

#include "backend/backend.h"
#include "backend/cpu/kernels.h"
#include "backend/cpu/onednn.h"
#include "backend/cpu/tap_maps.h"
#include "base/threads.h"

struct xl_pack;      /* opaque */
struct xl_pack_hold; /* opaque */

enum xl_status xl_pack_new(struct xl_dnn *dnn, struct xl_pool *pool,
                           const struct xl_cpu_kernels *kernels, struct xl_pack **out,
                           struct xl_err *err) XL_CHECKED;
/* All holds must be freed before. */
void xl_pack_free(struct xl_pack *pack);

/* Bytes held, and those of groups that no hold refers to. */
struct xl_pack_bytes {
    size_t held, idle;
};
struct xl_pack_bytes xl_pack_bytes(const struct xl_pack *pack);
/* Free idle groups, the one that has been idle longest first, until `wanted` bytes are given back
 * or none is left. Returns how many that were. */
size_t xl_pack_release(struct xl_pack *pack, size_t wanted);

/* One hold of a pack is open at a time: from its beginning to xl_pack_fill or xl_pack_hold_free.
 * Errors: XL_ENOMEM */
enum xl_status xl_pack_hold_new(struct xl_pack *pack, struct xl_pack_hold **out,
                                struct xl_err *err) XL_CHECKED;
void xl_pack_hold_free(struct xl_pack_hold *hold); /* NULL is fine */

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
enum xl_status xl_pack_weights(struct xl_pack_hold *hold, const struct xl_pack_spec *spec,
                               const struct xl_packed **out, struct xl_err *err) XL_CHECKED;
/* A copy of the numbers of a weight in f32 (biases, norms)... */
enum xl_status xl_pack_floats(struct xl_pack_hold *hold, const struct xl_value *weight,
                              const struct xl_numbers **out, struct xl_err *err) XL_CHECKED;
/* ... or in their own dtype (embedding tables). */
enum xl_status xl_pack_copy(struct xl_pack_hold *hold, const struct xl_value *weight,
                            const struct xl_numbers **out, struct xl_err *err) XL_CHECKED;

/* What was asked for, of a hold that is not filled. */
struct xl_weight_need xl_pack_need(const struct xl_pack_hold *hold);

/* Pack what is missing, for this plan. Each of its tensors is reported to options->weight_done
 * once, when it is not needed any more. Errors: XL_ECANCELLED, XL_ENOMEM */
enum xl_status xl_pack_fill(struct xl_pack_hold *hold, const struct xl_plan *plan,
                            const struct xl_compile_options *options,
                            struct xl_err *err) XL_CHECKED;

/* f32 numbers from `first` on; NULL when there are none. */
static inline const float *xl_f32_from(const struct xl_numbers *numbers, int64_t first) {
    return numbers ? (const float *)numbers->data + first : NULL;
}

#endif
