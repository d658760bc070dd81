/* isa_tables.h - the tables of kernels, one for each instruction set they are compiled for. */
#ifndef XL_BACKEND_CPU_ISA_TABLES_H
#define XL_BACKEND_CPU_ISA_TABLES_H

#include "backend/cpu/kernels.h"

extern const struct xl_cpu_kernels xl_row_kernels_generic;
void xl_turn_generic(const struct xl_turn *block);
void xl_mix_generic(const struct xl_mix *mix);
extern const struct xl_attention_kernels xl_attention_f32_generic;
extern const struct xl_winograd_kernels xl_winograd_generic;
#if defined(__x86_64__)
void xl_turn_avx2(const struct xl_turn *block);
void xl_turn_avx512(const struct xl_turn *block);
void xl_mix_avx2(const struct xl_mix *mix);
void xl_mix_avx512(const struct xl_mix *mix);
extern const struct xl_cpu_kernels xl_row_kernels_avx2, xl_row_kernels_avx512;
extern const struct xl_attention_kernels xl_attention_f32_avx2, xl_attention_f32_avx512;
extern const struct xl_winograd_kernels xl_winograd_avx2, xl_winograd_avx512;
extern const struct xl_attention_kernels xl_attention_bf16_avx512, xl_attention_bf16_amx;
#endif

#endif
