/* kernels.c - which table of kernels serves which CPU. */
#include "backend/cpu/isa_tables.h"

#if defined(__x86_64__)

const struct xl_cpu_kernels *xl_cpu_kernels(struct xl_cpu_isa isa) {
    static const struct xl_cpu_kernels *const tables[] = {
        [XL_VECTOR_GENERIC] = &xl_row_kernels_generic,
        [XL_VECTOR_AVX2] = &xl_row_kernels_avx2,
        [XL_VECTOR_AVX512] = &xl_row_kernels_avx512,
    };
    return tables[isa.vector];
}

const struct xl_winograd_kernels *xl_winograd_kernels(struct xl_cpu_isa isa) {
    static const struct xl_winograd_kernels *const tables[] = {
        [XL_VECTOR_GENERIC] = &xl_winograd_generic,
        [XL_VECTOR_AVX2] = &xl_winograd_avx2,
        [XL_VECTOR_AVX512] = &xl_winograd_avx512,
    };
    return tables[isa.vector];
}

const struct xl_attention_kernels *xl_attention_kernels(struct xl_cpu_isa isa,
                                                        enum xl_dtype dtype) {
    static const struct xl_attention_kernels *const tables[] = {
        [XL_VECTOR_GENERIC] = &xl_attention_f32_generic,
        [XL_VECTOR_AVX2] = &xl_attention_f32_avx2,
        [XL_VECTOR_AVX512] = &xl_attention_f32_avx512,
    };
    if (dtype == XL_DTYPE_BF16 && isa.has_amx) return &xl_attention_bf16_amx;
    if (dtype == XL_DTYPE_BF16 && isa.has_bf16) return &xl_attention_bf16_avx512;
    return tables[isa.vector];
}

#else

const struct xl_cpu_kernels *xl_cpu_kernels(struct xl_cpu_isa isa) {
    (void)isa;
    return &xl_row_kernels_generic;
}

const struct xl_winograd_kernels *xl_winograd_kernels(struct xl_cpu_isa isa) {
    (void)isa;
    return &xl_winograd_generic;
}

const struct xl_attention_kernels *xl_attention_kernels(struct xl_cpu_isa isa,
                                                        enum xl_dtype dtype) {
    (void)isa;
    (void)dtype;
    return &xl_attention_f32_generic;
}

#endif
