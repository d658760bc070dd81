/* pack_factor.h - a matrix of a delta (struct xl_factor) in f32, while a weight is packed: two
 * halves whose product is taken block by block, or the numbers themselves. */
#ifndef XL_BACKEND_CPU_PACK_FACTOR_H
#define XL_BACKEND_CPU_PACK_FACTOR_H

#include "backend/cpu/pack_entry.h"

/* A matrix [rows, length]: up @ down, or down alone. */
struct xl_pack_factor {
    float *up;   /* [rows, r] or NULL */
    float *down; /* [r, length] in panels (kernels.h); without an up [rows, length] row by row */
    int64_t rows, r, length;
};

/* All numbers of a tensor, free() is the caller's. NULL: no memory */
float *xl_pack_copy_f32(const struct xl_cpu_kernels *kernels, const struct xl_tensor *tensor);

/* False: no memory; what there is of it is the caller's to close. */
bool xl_pack_factor_open(const struct xl_cpu_kernels *kernels, const struct xl_factor *from,
                         struct xl_pack_factor *out);
void xl_pack_factor_close(struct xl_pack_factor *factor);

void xl_pack_factor_scale(struct xl_pack_factor *factor, float by);
/* The product itself instead of its halves. False: no memory */
bool xl_pack_factor_multiply(const struct xl_cpu_kernels *kernels, struct xl_pack_factor *factor);

/* A block of any size into out, whose rows lie `stride` numbers apart. */
void xl_pack_factor_read(const struct xl_cpu_kernels *kernels, const struct xl_pack_factor *factor,
                         struct xl_pack_block block, float *out, int64_t stride);

#endif
