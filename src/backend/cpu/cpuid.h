/* cpuid.h - which instruction sets this CPU has and the system lets us use. */
#ifndef XL_BACKEND_CPU_CPUID_H
#define XL_BACKEND_CPU_CPUID_H

#include <stdbool.h>

enum xl_vector_isa { XL_VECTOR_GENERIC, XL_VECTOR_AVX2, XL_VECTOR_AVX512 };

struct xl_cpu_isa {
    enum xl_vector_isa vector;
    bool has_bf16; /* AVX512_BF16: products of bf16 pairs summed in f32 */
    bool has_amx;  /* AMX_BF16: the same on tiles */
};

/* Asks the system for the AMX registers when the CPU has them. */
struct xl_cpu_isa xl_cpu_isa_detect(void);

/* "AVX2", "AVX-512 with BF16, AMX" */
const char *xl_cpu_isa_text(struct xl_cpu_isa isa);

#endif
