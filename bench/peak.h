/* peak.h - what this machine can do at best, measured: the yardsticks of the tables. */
#ifndef XL_BENCH_PEAK_H
#define XL_BENCH_PEAK_H

#include "base/threads.h"
#include "tensor/tensor.h"

/* Operations a second of multiply-adds between registers, on all threads of the pool: in f32 by the
 * widest vectors, in bf16 by AMX or AVX512_BF16; without these as in f32. */
double peak_flops(struct xl_pool *pool, enum xl_dtype dtype);

/* Bytes a second, read and written, of a copy that no cache holds. 0 when out of memory. */
double peak_bandwidth(struct xl_pool *pool);

#endif
