/* cpuid.c - CPUID for what the CPU has, XGETBV for the registers that the system saves.
 * Bits: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2, CPUID; volume 1,
 * 13.3 and 18.3 (XCR0, permission for AMX). */
#include "backend/cpu/cpuid.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    XCR0_AVX = 0x6,     /* SSE and AVX registers */
    XCR0_AVX512 = 0xE0, /* masks, upper halves, registers 16-31 */
    XCR0_AMX = 0x60000, /* tile configuration and data */
    ARCH_REQ_XCOMP_PERM = 0x1023,
    XFEATURE_XTILEDATA = 18,
};

static uint64_t read_xcr0(void) {
    uint32_t low, high;
    __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (uint64_t)high << 32 | low;
}

static bool has(uint32_t word, int bit) {
    return word >> bit & 1;
}

struct xl_cpu_isa xl_cpu_isa_detect(void) {
    struct xl_cpu_isa isa = {XL_VECTOR_GENERIC, false, false};
    uint32_t a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !has(c, 27 /* OSXSAVE */)) return isa;
    uint64_t xcr0 = read_xcr0();
    bool has_fma = has(c, 12), has_f16c = has(c, 29);
    if ((xcr0 & XCR0_AVX) != XCR0_AVX || !has_fma || !has_f16c) return isa;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return isa;
    if (has(b, 5)) isa.vector = XL_VECTOR_AVX2;
    bool has_avx512 = has(b, 16 /* F */) && has(b, 17 /* DQ */) && has(b, 30 /* BW */) &&
                      has(b, 31 /* VL */) && (xcr0 & XCR0_AVX512) == XCR0_AVX512;
    if (isa.vector != XL_VECTOR_AVX2 || !has_avx512) return isa;
    isa.vector = XL_VECTOR_AVX512;
    bool has_tiles = has(d, 24 /* AMX_TILE */) && has(d, 22 /* AMX_BF16 */);
    uint32_t a1, b1, c1, d1;
    isa.has_bf16 = a >= 1 && __get_cpuid_count(7, 1, &a1, &b1, &c1, &d1) && has(a1, 5);
    isa.has_amx = isa.has_bf16 && has_tiles && (xcr0 & XCR0_AMX) == XCR0_AMX &&
                  syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) == 0;
    return isa;
}
#else
struct xl_cpu_isa xl_cpu_isa_detect(void) {
    return (struct xl_cpu_isa){XL_VECTOR_GENERIC, false, false};
}
#endif

const char *xl_cpu_isa_text(struct xl_cpu_isa isa) {
    if (isa.has_amx) return "AVX-512 with BF16, AMX";
    if (isa.has_bf16) return "AVX-512 with BF16";
    if (isa.vector == XL_VECTOR_AVX512) return "AVX-512";
    return isa.vector == XL_VECTOR_AVX2 ? "AVX2" : "generic";
}
