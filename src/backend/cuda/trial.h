/* trial.h - how long something takes on the device, for choosing between ways to compute the same.
 */
#ifndef XL_BACKEND_CUDA_TRIAL_H
#define XL_BACKEND_CUDA_TRIAL_H

#include <cuda_runtime_api.h>
#include <stdbool.h>
#include <stddef.h>

/* Queue it once; false: it cannot be done. */
typedef bool xl_cuda_trial_fn(void *user, cudaStream_t stream);

/* Milliseconds of one run, the better of two rounds after a first run; infinity when it fails, or
 * when a short round shows that it cannot come near `best`, the time of the best one so far. */
float xl_cuda_trial(xl_cuda_trial_fn *fn, void *user, float best, cudaStream_t stream);

/* Memory to try on, filled with small numbers of any dtype; NULL: there is none. */
void *xl_cuda_trial_memory(size_t bytes, cudaStream_t stream);
void xl_cuda_trial_memory_free(void *memory, cudaStream_t stream); /* NULL is fine */

#endif
