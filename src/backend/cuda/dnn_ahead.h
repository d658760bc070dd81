/* dnn_ahead.h - plans of cuDNN made beforehand, by threads: a convolution has up to sixteen to
 * choose from, and making them takes longer than trying them.
 *
 * What is expected with a plan of ops is taken when that is compiled. One caller at a
 * time; each thread has a handle of cuDNN of its own, which lives as long as what it made.
 */
#ifndef XL_BACKEND_CUDA_DNN_AHEAD_H
#define XL_BACKEND_CUDA_DNN_AHEAD_H

#include "backend/cuda/dnn_engines.h"

struct xl_dnn_ahead; /* opaque */

/* Threads start with the first expectation. maker: without its handle. Errors: XL_ENOMEM */
enum xl_status xl_dnn_ahead_new(int device, const struct xl_dnn_maker *maker,
                                struct xl_dnn_ahead **out, struct xl_err *err) XL_CHECKED;
/* What was not taken is given up. NULL is fine. */
void xl_dnn_ahead_free(struct xl_dnn_ahead *ahead);

/* Have plans made; choice and way as in xl_dnn_plans_make, copied. What is expected already, or
 * finds no memory, is left out. */
void xl_dnn_ahead_expect(struct xl_dnn_ahead *ahead, const struct xl_dnn_choice *choice,
                         const char *way);

/* The plans of a key, which are the caller's then; waits where a thread is at it. False: nobody
 * began to make them. */
bool xl_dnn_ahead_take(struct xl_dnn_ahead *ahead, const char *key, struct xl_dnn_plans *out);

#endif
