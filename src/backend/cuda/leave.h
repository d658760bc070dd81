/* leave.h - what an op leaves for the only one that reads its result, which does it on the way: an
 * addition that would be a pass of its own, or rounding to another form. Both sides look here, the
 * reader after the writer. */
#ifndef XL_BACKEND_CUDA_LEAVE_H
#define XL_BACKEND_CUDA_LEAVE_H

#include "backend/cuda/f8.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Of a result as it lies in memory: what is still to be added to it; that it is in F8 already; or
 * that its only reader's result is there, and nothing is left to do. */
struct xl_cuda_left {
    xl_val bias;         /* [c], a weight; or none */
    xl_val channel_bias; /* [n, c]; or none */
    enum xl_cuda_form form;
    size_t bounds; /* of a picture, in the constants (f8.h) */
    bool is_done;  /* then the form is that of the reader's result */
};

static inline struct xl_cuda_left xl_cuda_left_rows(enum xl_cuda_form form) {
    struct xl_cuda_left left = {0, 0, form, 0, false};
    return left;
}
static inline struct xl_cuda_left xl_cuda_left_picture(size_t bounds) {
    struct xl_cuda_left left = {0, 0, XL_CUDA_F8_PICTURE, bounds, false};
    return left;
}

struct xl_cuda_uses; /* opaque: who reads what, and what was left */

/* Errors: XL_ENOMEM */
enum xl_status xl_cuda_uses_new(const struct xl_plan *plan, bool keeps_taps,
                                struct xl_cuda_uses **out, struct xl_err *err) XL_CHECKED;
void xl_cuda_uses_free(struct xl_cuda_uses *uses); /* NULL is fine */

/* The op that alone reads the result of the one that is compiled, as its first operand and whole;
 * NULL: others read it, or the caller may. */
const struct xl_op *xl_cuda_only_reader(const struct xl_cuda_compiler *c);
/* The same of another op. */
const struct xl_op *xl_cuda_only_reader_of(const struct xl_cuda_compiler *c,
                                           const struct xl_op *op);

/* Leave something of the result to its only reader. */
void xl_cuda_leave(const struct xl_cuda_compiler *c, struct xl_cuda_left left);
/* What was left of the first operand. */
struct xl_cuda_left xl_cuda_left(const struct xl_cuda_compiler *c);

#ifdef __cplusplus
}
#endif
#endif
