/* scores.h - attention as two products with the scores in memory between them: for one wide head of
 * many tokens, as the VAE's is. */
#ifndef XL_BACKEND_CUDA_SCORES_H
#define XL_BACKEND_CUDA_SCORES_H

#include "backend/cuda/attention.h"

#ifdef __cplusplus
extern "C" {
#endif

bool xl_cuda_scores_fit(const struct xl_cuda_attention *a);
/* Append its launches. Errors: XL_ENOMEM, XL_EDEVICE */
enum xl_status xl_cuda_compile_scores(struct xl_cuda_compiler *c, const struct xl_cuda_attention *a,
                                      struct xl_err *err) XL_CHECKED;

/* Each row of scores becomes its softmax, in another dtype at the same place: rows keep their
 * distance in bytes. */
struct xl_cuda_softmax {
    const struct xl_cuda_workspace *workspace; /* scores lie behind what products want */
    enum xl_dtype dtype;                       /* of the result */
    int64_t rows, columns;
};
xl_cuda_launch_fn xl_cuda_run_softmax; /* args: struct xl_cuda_softmax */

#ifdef __cplusplus
}
#endif
#endif
