/* hopper.cuh - instructions of compute capability 9.0 that others have not (sm_90a): barriers in
 * shared memory, tiles copied by the tensor memory unit, products by groups of four warps. PTX ISA,
 * "mbarrier", "cp.async.bulk.tensor", "Asynchronous Warpgroup Level Matrix Instructions". */
#ifndef XL_BACKEND_CUDA_HOPPER_CUH
#define XL_BACKEND_CUDA_HOPPER_CUH

#include "backend/cuda/mma.cuh"

#include <cuda.h>
#include <cuda_fp8.h>

namespace xl {

/* --- Barriers -----------------------------------------------------------------------------------
 * Eight bytes of shared memory. Phases have the parities 0, 1, 0, ... Arrivals release what a block
 * did to its own threads only: more would flush caches each time, and copies need no more. */

__device__ inline void barrier_init(uint32_t barrier, unsigned arrivals) {
    asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(barrier), "r"(arrivals)
                 : "memory");
}
/* After the last of them, by the thread that did it. */
__device__ inline void barriers_are_init() {
    asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
}
/* Arrive, and have the phase wait for so many bytes of copies. */
__device__ inline void barrier_expect(uint32_t barrier, unsigned bytes) {
    asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(barrier), "r"(bytes)
                 : "memory");
}
/* Arrive at the barrier that lies at the same place in a block of the cluster. */
__device__ inline void barrier_arrive(uint32_t barrier, unsigned block) {
    asm volatile("{\n\t.reg .b32 there;\n\t"
                 "mapa.shared::cluster.u32 there, %0, %1;\n\t"
                 "mbarrier.arrive.shared::cluster.b64 _, [there];\n\t}" ::"r"(barrier),
                 "r"(block)
                 : "memory");
}
/* Until the phase of this parity is over; the one before the first is. */
__device__ inline void barrier_wait(uint32_t barrier, unsigned parity) {
    asm volatile("{\n\t.reg .pred over;\n"
                 "again:\n\t"
                 "mbarrier.try_wait.parity.shared::cta.b64 over, [%0], %1;\n\t"
                 "@!over bra again;\n\t}" ::"r"(barrier),
                 "r"(parity)
                 : "memory");
}
/* All threads of a cluster. */
__device__ inline void cluster_sync() {
    asm volatile("barrier.cluster.arrive.release.aligned;\n\t"
                 "barrier.cluster.wait.acquire.aligned;" ::
                     : "memory");
}
__device__ inline unsigned cluster_rank() {
    unsigned rank;
    asm("mov.u32 %0, %%cluster_ctarank;" : "=r"(rank));
    return rank;
}
/* So many threads, which all name the same one of the barriers 1 to 15. */
template <int threads> __device__ inline void sync_threads(int barrier) {
    asm volatile("bar.sync %0, %1;" ::"r"(barrier), "n"(threads) : "memory");
}
/* The same without waiting for the others. */
template <int threads> __device__ inline void arrive_threads(int barrier) {
    asm volatile("bar.arrive %0, %1;" ::"r"(barrier), "n"(threads) : "memory");
}

/* --- Tiles --------------------------------------------------------------------------------------
 */

__device__ inline void prefetch_map(const CUtensorMap *map) {
    asm volatile("prefetch.tensormap [%0];" ::"l"(map) : "memory");
}
/* A tile of a matrix to shared memory, zeros beyond its ends; the barrier is told the bytes. */
__device__ inline void copy_tile(uint32_t to, const CUtensorMap *map, int column, int row,
                                 uint32_t barrier) {
    asm volatile("cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes "
                 "[%0], [%1, {%3, %4}], [%2];" ::"r"(to),
                 "l"(map), "r"(barrier), "r"(column), "r"(row)
                 : "memory");
}
/* The same, to that place in all blocks of the cluster that are named by a bit; the barrier at its
 * place in each is told. */
__device__ inline void copy_tile(uint32_t to, const CUtensorMap *map, int column, int row,
                                 uint32_t barrier, uint16_t blocks) {
    asm volatile("cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes"
                 ".multicast::cluster [%0], [%1, {%3, %4}], [%2], %5;" ::"r"(to),
                 "l"(map), "r"(barrier), "r"(column), "r"(row), "h"(blocks)
                 : "memory");
}

/* --- Shared memory ------------------------------------------------------------------------------
 */

/* Four matrices as load_matrices (mma.cuh) reads them. */
__device__ inline void store_matrices(uint32_t row, const uint32_t (&x)[4]) {
    asm volatile("stmatrix.sync.aligned.m8n8.x4.shared.b16 [%0], {%1, %2, %3, %4};" ::"r"(row),
                 "r"(x[0]), "r"(x[1]), "r"(x[2]), "r"(x[3])
                 : "memory");
}
__device__ inline void store_shared(uint32_t at, const uint4 &x) {
    asm volatile("st.shared.v4.b32 [%0], {%1, %2, %3, %4};" ::"r"(at), "r"(x.x), "r"(x.y), "r"(x.z),
                 "r"(x.w)
                 : "memory");
}
__device__ inline void store_shared(uint32_t at, float x) {
    asm volatile("st.shared.f32 [%0], %1;" ::"r"(at), "f"(x) : "memory");
}
__device__ inline void store_shared(uint32_t at, uint16_t x) {
    asm volatile("st.shared.u16 [%0], %1;" ::"r"(at), "h"(x) : "memory");
}
__device__ inline uint4 load_shared_16(uint32_t at) {
    uint4 x;
    asm volatile("ld.shared.v4.b32 {%0, %1, %2, %3}, [%4];"
                 : "=r"(x.x), "=r"(x.y), "=r"(x.z), "=r"(x.w)
                 : "r"(at)
                 : "memory");
    return x;
}
__device__ inline float2 load_shared_pair(uint32_t at) {
    float2 x;
    asm volatile("ld.shared.v2.f32 {%0, %1}, [%2];" : "=f"(x.x), "=f"(x.y) : "r"(at) : "memory");
    return x;
}

/* --- Products of a warpgroup --------------------------------------------------------------------
 */

/* How the instructions are told of rows of 128 bytes that lie in groups of eight, swizzled by 128
 * bytes: bits 0 to 13 the address / 16, 32 to 45 the distance of groups / 16, 62 and 63 the
 * swizzle. 32 bytes further along the rows are 2 more. */
__device__ inline uint64_t rows_descriptor(uint32_t address) {
    return (uint64_t)((address & 0x3FFFF) >> 4) | (uint64_t)(1024 >> 4) << 32 | (uint64_t)1 << 62;
}
/* Before the first product of registers that other instructions wrote. */
__device__ inline void products_begin() {
    asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
}
__device__ inline void products_commit() {
    asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
}
/* Until no more than n commits are under way. */
template <int n> __device__ inline void products_wait() {
    asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(n) : "memory");
}
/* Registers of each thread of a warpgroup, from those that others gave. */
template <int n> __device__ inline void take_registers() {
    asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(n));
}
template <int n> __device__ inline void give_registers() {
    asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(n));
}

/* sum[64, n] = x[64, 32 bytes] w[n, 32 bytes]^T, and the sum before added where is_added. Lane l of
 * warp v holds in sum[4j] to sum[4j + 3] the columns 8j + 2 (l % 4) and the next one, of row 16v +
 * l / 4 and then of the eighth row after that. */
template <typename T, int n> struct group_product;

#define XL_SUM_4(i) "+f"(sum[i]), "+f"(sum[i + 1]), "+f"(sum[i + 2]), "+f"(sum[i + 3])
#define XL_SUM_16(i) XL_SUM_4(i), XL_SUM_4(i + 4), XL_SUM_4(i + 8), XL_SUM_4(i + 12)
#define XL_SUM_64(i) XL_SUM_16(i), XL_SUM_16(i + 16), XL_SUM_16(i + 32), XL_SUM_16(i + 48)
#define XL_R0 "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15"
#define XL_R16 "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31"
#define XL_R32 "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47"
#define XL_R48 "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63"
#define XL_R64 "%64, %65, %66, %67, %68, %69, %70, %71, %72, %73, %74, %75, %76, %77, %78, %79"
#define XL_R80 "%80, %81, %82, %83, %84, %85, %86, %87, %88, %89, %90, %91, %92, %93, %94, %95"
#define XL_R96                                                                                     \
    "%96, %97, %98, %99, %100, %101, %102, %103, %104, %105, %106, %107, %108, %109, %110, %111"
#define XL_R112                                                                                    \
    "%112, %113, %114, %115, %116, %117, %118, %119, %120, %121, %122, %123, %124, %125, %126, "   \
    "%127"
#define XL_R0_64 XL_R0 ", " XL_R16 ", " XL_R32 ", " XL_R48
/* n, the places of its n / 2 numbers, these, and the places of x, w and is_added */
#define XL_PRODUCT_160(X, ...)                                                                     \
    X(160, XL_R0_64 ", " XL_R64, (XL_SUM_64(0), XL_SUM_16(64)), 80, 81, 82, __VA_ARGS__)
#define XL_PRODUCT_192(X, ...)                                                                     \
    X(192, XL_R0_64 ", " XL_R64 ", " XL_R80, (XL_SUM_64(0), XL_SUM_16(64), XL_SUM_16(80)), 96, 97, \
      98, __VA_ARGS__)
#define XL_PRODUCT_256(X, ...)                                                                     \
    X(256, XL_R0_64 ", " XL_R64 ", " XL_R80 ", " XL_R96 ", " XL_R112,                              \
      (XL_SUM_64(0), XL_SUM_64(64)), 128, 129, 130, __VA_ARGS__)
#define XL_BARE(...) __VA_ARGS__
#define XL_PRODUCT(n, registers, sums, x_at, w_at, added_at, T, types, turns)                      \
    template <> struct group_product<T, n> {                                                       \
        __device__ static void add(float (&sum)[n / 2], uint64_t x, uint64_t w, int is_added) {    \
            asm volatile("{\n\t.reg .pred added;\n\tsetp.ne.b32 added, %" #added_at ", 0;\n\t"     \
                         "wgmma.mma_async.sync.aligned.m64n" #n types " {" registers "}, %" #x_at  \
                         ", %" #w_at ", added, 1, 1" turns ";\n\t}"                                \
                         : XL_BARE sums                                                            \
                         : "l"(x), "l"(w), "r"(is_added));                                         \
        }                                                                                          \
    };
#define XL_PRODUCTS(T, types, turns)                                                               \
    XL_PRODUCT_160(XL_PRODUCT, T, types, turns)                                                    \
    XL_PRODUCT_192(XL_PRODUCT, T, types, turns)                                                    \
    XL_PRODUCT_256(XL_PRODUCT, T, types, turns)
/* The last of 16-bit ones say that neither side is transposed. */
XL_PRODUCTS(__half, "k16.f32.f16.f16", ", 0, 0")
XL_PRODUCTS(__nv_bfloat16, "k16.f32.bf16.bf16", ", 0, 0")
XL_PRODUCTS(__nv_fp8_e4m3, "k32.f32.e4m3.e4m3", "")

#undef XL_PRODUCTS
#undef XL_PRODUCT
#undef XL_PRODUCT_160
#undef XL_PRODUCT_192
#undef XL_PRODUCT_256
#undef XL_BARE
#undef XL_SUM_4
#undef XL_SUM_16
#undef XL_SUM_64
#undef XL_R0_64
#undef XL_R0
#undef XL_R16
#undef XL_R32
#undef XL_R48
#undef XL_R64
#undef XL_R80
#undef XL_R96
#undef XL_R112

} // namespace xl

#endif
