/* hopper_tile.cuh - the product kernel of compute capability 9.0: x[m, k] w[n, k]^T and what
 * follows.
 *
 * A block computes tiles of rows and N columns, one after the other. One thread (the producer)
 * copies stages of 128 bytes of each row into a ring; two groups of four warps (consumers)
 * multiply. They share a tile, 64 rows each, or take tiles of 64 rows in turns: then one multiplies
 * while the other finishes. Blocks of a cluster have the same columns: each copies a part of w, to
 * all.
 *
 * Finishing: bias, scales, gate and residual in f32, rounded once. Numbers go through shared memory
 * to have rows written in pieces of 64 or 128 bytes; residuals come that way. Bias, scales and
 * residual of a tile are read before its products. */
#ifndef XL_BACKEND_CUDA_HOPPER_TILE_CUH
#define XL_BACKEND_CUDA_HOPPER_TILE_CUH

#include "backend/cuda/f8.cuh"
#include "backend/cuda/hopper.cuh"

namespace xl::hopper {

enum {
    CONSUMER_ROWS = 64,
    ROW_BYTES = 128, /* of a stage, the swizzle's width */
    CONSUMERS = 2,
    GROUP = 128, /* threads of a consumer, and of the producer and those who idle beside it */
    THREADS = GROUP * (1 + CONSUMERS),
    CONSUMER_REGISTERS = 232,
    PRODUCER_REGISTERS = 32,
    MAX_SHARED = 227 << 10,
    ALIGN = 1024,        /* of stages */
    BARRIER_BYTES = 256, /* of all of them */
    GROUP_ROWS = 8,      /* rows of clusters that share columns of w in the cache */
};

/* What follows the sums. */
enum class ending {
    plain,
    residual,
    gate,    /* half of the rows of w are gates: GEGLU */
    gate_f8, /* the same to F8, with a scale for each 128 columns */
};

/* What a kernel is made for. x in F8 has a scale a row, or (IS_BLOCKED) one for each 128 numbers.
 */
template <typename T_, typename Out_, int N_, int BLOCKS_, ending END_, bool IN_TURNS_,
          bool IS_BLOCKED_ = false>
struct tile {
    using T = T_;
    using Out = Out_;
    static constexpr int N = N_, BLOCKS = BLOCKS_;
    static constexpr ending END = END_;
    static constexpr bool IN_TURNS = IN_TURNS_, IS_BLOCKED = IS_BLOCKED_, IS_F8 = sizeof(T) == 1,
                          IS_GATED = END == ending::gate || END == ending::gate_f8,
                          HAS_RESIDUAL = END == ending::residual;
    static constexpr int K = ROW_BYTES / sizeof(T);            /* numbers of a row of a stage */
    static constexpr int columns = IS_GATED ? N / 2 : N;       /* of the result */
    static constexpr int consumers = IN_TURNS ? 1 : CONSUMERS; /* of a tile */
    static constexpr int rows = consumers * CONSUMER_ROWS;
    static constexpr int w_parts = IS_GATED && BLOCKS < 2 ? 2 : BLOCKS; /* copied one by one */
    static constexpr int part_rows = N / w_parts;
    static constexpr int piece = columns % 64 == 0 ? 64
                                                   : 32; /* columns that a warp stores at once */
    static constexpr int pieces = columns / piece;
    static constexpr int piece_bytes = 16 * piece * 2;
    static constexpr int x_bytes = rows * ROW_BYTES, w_bytes = N * ROW_BYTES,
                         stage_bytes = x_bytes + w_bytes;
    static constexpr int pieces_bytes = CONSUMERS * 4 * piece_bytes;
    /* bias and scales of w, of a tile; a consumer has those of two */
    static constexpr int affine_bytes = N * (int)sizeof(float) * (IS_F8 ? 2 : 1);
    static constexpr int affines_bytes = affine_bytes * 2 * CONSUMERS;
    static constexpr int fixed_bytes = ALIGN + BARRIER_BYTES + pieces_bytes + affines_bytes;
    static constexpr int stages = (MAX_SHARED - fixed_bytes) / stage_bytes;
    static constexpr int shared_bytes = fixed_bytes + stages * stage_bytes;
    static_assert(!IN_TURNS || !IS_BLOCKED);
    static_assert(columns % piece == 0 && 2 * 8 * stages <= BARRIER_BYTES);
    static_assert(END != ending::gate_f8 || columns == XL_CUDA_F8_BLOCK);
};

struct product {
    const void *residual, *bias; /* NULL: none */
    const float *x_scales, *w_scales;
    void *out;
    float *out_scales; /* of a result in F8 */
    int64_t out_stride;
    float factor;
    int m, n;    /* of the result */
    int gates;   /* the first row of w that is one */
    int k_steps; /* stages of a tile */
    int cluster_rows, cluster_columns;
};

/* Where things lie in shared memory. */
template <typename S> struct shared_layout {
    uint32_t stages, pieces, affines, full, empty;
    __device__ explicit shared_layout(const void *memory) {
        stages = (shared_address(memory) + ALIGN - 1) / ALIGN * ALIGN;
        pieces = stages + S::stages * S::stage_bytes;
        affines = pieces + S::pieces_bytes;
        full = affines + S::affines_bytes;
        empty = full + 8 * S::stages;
    }
};

/* Which tile comes when: columns are walked along for some rows of clusters, then for the next. */
struct tile_place {
    int row, column; /* in clusters */
    __device__ tile_place(const product &p, int t) {
        int whole = GROUP_ROWS * p.cluster_columns, first = t / whole * GROUP_ROWS,
            rest = t % whole;
        int rows = min((int)GROUP_ROWS, p.cluster_rows - first);
        row = first + rest % rows;
        column = rest / rows;
    }
};

/* The ring of stages, as producer and consumers walk it. */
template <int n> struct ring {
    int stage = 0, parity = 0;
    __device__ void next() {
        if (++stage < n) return;
        stage = 0;
        parity ^= 1;
    }
    __device__ void skip(int steps) {
        parity ^= (stage + steps) / n & 1;
        stage = (stage + steps) % n;
    }
};

/* The tiles of a block. */
template <typename S> struct tile_walk {
    int tile, step, tiles;
    __device__ explicit tile_walk(const product &p) {
        tile = (int)(blockIdx.x / S::BLOCKS);
        step = (int)(gridDim.x / S::BLOCKS);
        tiles = p.cluster_rows * p.cluster_columns;
    }
    __device__ bool is_last() const { return tile + step >= tiles; }
    __device__ bool is_over() const { return tile >= tiles; }
    __device__ void next() { tile += step; }
};

/* x Phi(x) as max(x, 0) - |x| Phi(-|x|), and Phi(-|x|) as 1 / (a0 + a1 |x| + ... + a5 |x|^5)^16:
 * the form of Abramowitz and Stegun, 7.1.28, with one power less, and numbers that make the largest
 * error of |x| Phi(-|x|) small, which is 1.5e-6. */
__device__ inline float gelu(float x) {
    constexpr float a[] = {1.00279769e-4F, -1.22308744e-4F, 3.67406313e-3F,
                           2.1888714e-2F,  5.21368671e-2F,  1.0442674F};
    float size = fabsf(x), p = a[0], tail;
#pragma unroll
    for (int i = 1; i < 6; i++) p = fmaf(p, size, a[i]);
#pragma unroll
    for (int i = 0; i < 4; i++) p *= p;
    asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(tail) : "f"(p));
    return fmaf(-size, tail, fmaxf(x, 0.0F));
}

template <typename T> __device__ inline float2 unpack_pair(uint32_t pair);
template <> __device__ inline float2 unpack_pair<__half>(uint32_t pair) {
    return __half22float2(*reinterpret_cast<__half2 *>(&pair));
}
template <> __device__ inline float2 unpack_pair<__nv_bfloat16>(uint32_t pair) {
    return __bfloat1622float2(*reinterpret_cast<__nv_bfloat162 *>(&pair));
}

/* --- Finishing ----------------------------------------------------------------------------------
 */

/* What a lane does with its sums of 16 rows and N columns (hopper.cuh, group_product). */
template <typename S> struct finisher {
    using Out = typename S::Out;
    static constexpr int row_pieces = S::piece / 8; /* of 16 bytes, of a row of a piece */
    static constexpr int rows_at_once = 32 / row_pieces, turns = 16 / rows_at_once;
    static constexpr int held_pieces = S::HAS_RESIDUAL ? S::pieces * turns : 1;

    const product &p;
    uint32_t piece; /* of this warp */
    int lane;
    int row, column; /* where the tile's rows of this warp, and its columns, begin */
    uint32_t affine;
    uint4 held[held_pieces]; /* residual */
    float row_scale[2];      /* of rows lane / 4 and 8 + lane / 4 */

    __device__ finisher(const product &p, uint32_t piece) : p(p), piece(piece) {
        lane = (int)threadIdx.x % 32;
    }

    /* Where 16 bytes of a piece lie; rows are turned so that eight of them lie in all banks. */
    __device__ uint32_t place(int r, int i) const {
        int turn = r / (8 / row_pieces) % row_pieces;
        return piece + (r * row_pieces + (i ^ turn)) * 16;
    }
    __device__ int turn_row(int turn) const { return turn * rows_at_once + lane / row_pieces; }

    __device__ void hold_residual() {
#pragma unroll
        for (int i = 0; i < held_pieces; i++) {
            int r = row + turn_row(i % turns);
            int c = column + i / turns * S::piece + lane % row_pieces * 8;
            held[i] = make_uint4(0, 0, 0, 0);
            if (r < p.m && c < p.n)
                held[i] = *reinterpret_cast<const uint4 *>((const Out *)p.residual +
                                                           r * p.out_stride + c);
        }
    }

    /* Bias, and scales of w, of the tile's columns: by all threads of a consumer. */
    __device__ void share_affine() const {
        for (int i = (int)threadIdx.x % GROUP; i < S::N; i += GROUP) {
            bool is_gate = i >= S::columns;
            int c = column + (is_gate ? i - S::columns : i);
            bool is_there = c < p.n;
            if (is_gate) c += p.gates;
            store_shared(affine + i * 4,
                         p.bias && is_there ? to_f32(((const Out *)p.bias)[c]) : 0.0F);
            if constexpr (S::IS_F8)
                store_shared(affine + (S::N + i) * 4, is_there ? p.w_scales[c] : 0.0F);
        }
    }

    /* Before the products of a tile. */
    __device__ void begin(int first_row, int first_column, uint32_t its_affine) {
        row = first_row;
        column = first_column;
        affine = its_affine;
        share_affine();
        if constexpr (S::HAS_RESIDUAL) hold_residual();
#pragma unroll
        for (int h = 0; h < 2; h++) {
            row_scale[h] = p.factor;
            if constexpr (S::IS_F8 && !S::IS_BLOCKED)
                row_scale[h] *= p.x_scales[min(row + lane / 4 + 8 * h, p.m - 1)];
        }
    }

    /* Sums of two columns, times scales, plus bias. at: of the column in what is shared */
    __device__ void scale_pair(float2 (&y)[2], const float *sum, uint32_t at) const {
        float2 bias = load_shared_pair(at), scale = make_float2(1, 1);
        if constexpr (S::IS_F8) scale = load_shared_pair(at + S::N * 4);
#pragma unroll
        for (int h = 0; h < 2; h++)
            y[h] = make_float2(fmaf(sum[2 * h], scale.x * row_scale[h], bias.x),
                               fmaf(sum[2 * h + 1], scale.y * row_scale[h], bias.y));
    }

    /* Results of two columns of the block of eight. */
    __device__ void pair_of(float2 (&y)[2], const float *sums, int block) const {
        uint32_t at = affine + (block * 8 + 2 * (lane % 4)) * 4;
        scale_pair(y, sums + block * 4, at);
        if constexpr (S::IS_GATED) {
            float2 gate[2];
            scale_pair(gate, sums + S::N / 4 + block * 4, at + S::columns * 4);
#pragma unroll
            for (int h = 0; h < 2; h++) {
                y[h].x *= gelu(gate[h].x);
                y[h].y *= gelu(gate[h].y);
            }
        }
    }

    /* A piece, of rows of 16-byte pieces of numbers of a type, from shared memory to the result. */
    template <typename U> __device__ void store_piece(int first_column) const {
        constexpr int n = 16 / (int)sizeof(U);
        int c = first_column + lane % row_pieces * n;
        __syncwarp();
#pragma unroll
        for (int i = 0; i < turns; i++) {
            int r = row + turn_row(i);
            uint4 x = load_shared_16(place(turn_row(i), lane % row_pieces));
            if (r < p.m && c < p.n)
                *reinterpret_cast<uint4 *>((U *)p.out + r * p.out_stride + c) = x;
        }
        __syncwarp();
    }

    __device__ void finish(const float (&sums)[S::N / 2]) const {
#pragma unroll
        for (int i = 0; i < S::pieces; i++) {
            if constexpr (S::HAS_RESIDUAL) {
#pragma unroll
                for (int turn = 0; turn < turns; turn++)
                    store_shared(place(turn_row(turn), lane % row_pieces), held[i * turns + turn]);
                __syncwarp();
            }
#pragma unroll
            for (int j = 0; j < S::piece / 8; j += 2)
                finish_blocks(sums, i * S::piece / 8 + j, place(lane % 16, j + lane / 16));
            store_piece<Out>(column + i * S::piece);
        }
    }

    /* Two blocks of eight columns, to `at`, where the residual lies. */
    __device__ void finish_blocks(const float *sums, int block, uint32_t at) const {
        uint32_t x[4];
        if constexpr (S::HAS_RESIDUAL) load_matrices(x, at);
#pragma unroll
        for (int q = 0; q < 2; q++) {
            float2 y[2];
            pair_of(y, sums, block + q);
#pragma unroll
            for (int h = 0; h < 2; h++) {
                if constexpr (S::HAS_RESIDUAL) {
                    float2 residual = unpack_pair<Out>(x[2 * q + h]);
                    y[h].x += residual.x;
                    y[h].y += residual.y;
                }
                x[2 * q + h] = pack_pair<Out>(y[h].x, y[h].y);
            }
        }
        store_matrices(at, x);
    }

    /* All columns in F8, their scale from the largest of a row. */
    __device__ void finish_f8(float (&sums)[S::N / 2]) const {
        float largest[2] = {0, 0};
#pragma unroll
        for (int block = 0; block < S::columns / 8; block++) {
            float2 y[2];
            pair_of(y, sums, block);
#pragma unroll
            for (int h = 0; h < 2; h++) {
                sums[block * 4 + 2 * h] = y[h].x;
                sums[block * 4 + 2 * h + 1] = y[h].y;
                largest[h] = fmaxf(largest[h], fmaxf(fabsf(y[h].x), fabsf(y[h].y)));
            }
        }
#pragma unroll
        for (int h = 0; h < 2; h++) round_row(sums, h, largest[h]);
        store_piece<unsigned char>(column);
    }

    __device__ void round_row(const float *sums, int h, float largest) const {
        int r = lane / 4 + 8 * h, blocks = (p.n + S::columns - 1) / S::columns;
        for (int other = 1; other < 4; other *= 2)
            largest = fmaxf(largest, __shfl_xor_sync(~0U, largest, other));
        float scale = f8_scale(largest), factor = 1.0F / scale;
        if (lane % 4 == 0 && row + r < p.m)
            p.out_scales[(int64_t)(row + r) * blocks + column / S::columns] = scale;
#pragma unroll
        for (int block = 0; block < S::columns / 8; block++) {
            const float *two = sums + block * 4 + 2 * h;
            pack<unsigned char, 2> rounded = to_f8<2>(two, factor);
            store_shared(place(r, block / 2) + block % 2 * 8 + lane % 4 * 2,
                         (uint16_t)(rounded.x[0] | rounded.x[1] << 8));
        }
    }
};

/* --- Producer and consumers ---------------------------------------------------------------------
 */

/* Which row of w a part of a tile begins with. */
template <typename S> __device__ int part_row(const product &p, const tile_place &place, int part) {
    int row = part * S::part_rows;
    return place.column * S::columns +
           (S::IS_GATED && row >= S::columns ? row - S::columns + p.gates : row);
}

template <typename S>
__device__ void produce(const CUtensorMap *x, const CUtensorMap *w, const product &p,
                        const shared_layout<S> &at, unsigned rank) {
    constexpr uint16_t all = (1 << S::BLOCKS) - 1;
    ring<S::stages> ring;
    for (tile_walk<S> walk(p); !walk.is_over(); walk.next()) {
        tile_place place(p, walk.tile);
        int row = (place.row * S::BLOCKS + (int)rank) * S::rows;
        for (int k = 0; k < p.k_steps; k++, ring.next()) {
            uint32_t to = at.stages + ring.stage * S::stage_bytes, full = at.full + 8 * ring.stage;
            barrier_wait(at.empty + 8 * ring.stage, ring.parity ^ 1);
            barrier_expect(full, S::stage_bytes);
            copy_tile(to, x, k * S::K, row, full);
            for (int part = S::BLOCKS > 1 ? (int)rank : 0; part < S::w_parts; part += S::BLOCKS) {
                uint32_t to_part = to + S::x_bytes + part * S::part_rows * ROW_BYTES;
                if constexpr (S::BLOCKS > 1)
                    copy_tile(to_part, w, k * S::K, part_row<S>(p, place, part), full, all);
                else
                    copy_tile(to_part, w, k * S::K, part_row<S>(p, place, part), full);
            }
        }
    }
}

/* A stage has been read: its producers may fill it. */
template <typename S> __device__ void release(const shared_layout<S> &at, int stage) {
    if (threadIdx.x % GROUP < S::BLOCKS) barrier_arrive(at.empty + 8 * stage, threadIdx.x % GROUP);
}

template <typename S>
__device__ void add_stage(float (&sums)[S::N / 2], const shared_layout<S> &at, int stage,
                          bool is_first) {
    uint32_t from = at.stages + stage * S::stage_bytes;
    int consumer = S::IN_TURNS ? 0 : (int)threadIdx.x / GROUP - 1;
    uint64_t x = rows_descriptor(from + consumer * CONSUMER_ROWS * ROW_BYTES);
    uint64_t w = rows_descriptor(from + S::x_bytes);
    products_begin();
#pragma unroll
    for (int i = 0; i < ROW_BYTES / 32; i++)
        group_product<typename S::T, S::N>::add(sums, x + 2 * i, w + 2 * i, i > 0 || !is_first);
    products_commit();
}

/* Consumers that take turns: a ring tells only one lap from the next, so each waits until the other
 * has begun the last stage of its tile. */
enum { TURNS_BARRIER = 1 + CONSUMERS };
__device__ inline void wait_for_turn(int consumer) {
    sync_threads<CONSUMERS * GROUP>(TURNS_BARRIER + consumer);
}
__device__ inline void pass_turn(int consumer) {
    arrive_threads<CONSUMERS * GROUP>(TURNS_BARRIER + !consumer);
}

/* is_last: no tile follows in this block */
template <typename S>
__device__ void sum_tile(float (&sums)[S::N / 2], const product &p, const shared_layout<S> &at,
                         ring<S::stages> &ring, bool is_last) {
    int consumer = (int)threadIdx.x / GROUP - 1, before = 0;
    if (S::IN_TURNS) wait_for_turn(consumer);
    for (int k = 0; k < p.k_steps; k++, ring.next()) {
        barrier_wait(at.full + 8 * ring.stage, ring.parity);
        add_stage<S>(sums, at, ring.stage, k == 0);
        products_wait<1>();
        if (k) release<S>(at, before);
        before = ring.stage;
    }
    if (S::IN_TURNS && !is_last) pass_turn(consumer);
    products_wait<0>();
    release<S>(at, before);
}

/* Where each stage has scales of its own: row by row. */
template <typename S>
__device__ void sum_scaled_tile(float (&sums)[S::N / 2], const product &p,
                                const shared_layout<S> &at, ring<S::stages> &ring, int row) {
    float stage_sums[S::N / 2], next[2];
    const float *scales[2];
#pragma unroll
    for (int i = 0; i < S::N / 2; i++) sums[i] = 0;
#pragma unroll
    for (int h = 0; h < 2; h++) {
        scales[h] = p.x_scales + (int64_t)min(row + 8 * h, p.m - 1) * p.k_steps;
        next[h] = scales[h][0];
    }
    for (int k = 0; k < p.k_steps; k++, ring.next()) {
        float scale[2] = {next[0], next[1]};
        barrier_wait(at.full + 8 * ring.stage, ring.parity);
        add_stage<S>(stage_sums, at, ring.stage, true);
#pragma unroll
        for (int h = 0; h < 2; h++)
            if (k + 1 < p.k_steps) next[h] = scales[h][k + 1];
        products_wait<0>();
        release<S>(at, ring.stage);
#pragma unroll
        for (int i = 0; i < S::N / 2; i++) sums[i] = fmaf(stage_sums[i], scale[i / 2 % 2], sums[i]);
    }
}

template <typename S>
__device__ void consume(const product &p, const shared_layout<S> &at, unsigned rank) {
    int consumer = (int)threadIdx.x / GROUP - 1, warp = (int)threadIdx.x / 32 % 4, turn = 0;
    int first_row = (S::IN_TURNS ? 0 : consumer * CONSUMER_ROWS) + warp * 16;
    finisher<S> finisher(p, at.pieces + (consumer * 4 + warp) * S::piece_bytes);
    ring<S::stages> ring;
    tile_walk<S> walk(p);
    if (S::IN_TURNS && consumer) {
        pass_turn(consumer);
        walk.next();
        ring.skip(p.k_steps);
    }
    for (; !walk.is_over(); walk.next()) {
        float sums[S::N / 2];
        tile_place place(p, walk.tile);
        int row = (place.row * S::BLOCKS + (int)rank) * S::rows + first_row;
        /* The last tile's are still read by others. */
        finisher.begin(row, place.column * S::columns,
                       at.affines + (consumer * 2 + turn) * S::affine_bytes);
        turn ^= 1;
        if constexpr (S::IS_BLOCKED)
            sum_scaled_tile<S>(sums, p, at, ring, row + (int)threadIdx.x % 32 / 4);
        else
            sum_tile<S>(sums, p, at, ring, walk.is_last());
        sync_threads<GROUP>(1 + consumer);
        if constexpr (S::END == ending::gate_f8)
            finisher.finish_f8(sums);
        else
            finisher.finish(sums);
        if constexpr (S::IN_TURNS) {
            walk.next();
            ring.skip(p.k_steps);
        }
    }
}

template <typename S>
__global__ void __launch_bounds__(THREADS, 1)
    product_kernel(const __grid_constant__ CUtensorMap x, const __grid_constant__ CUtensorMap w,
                   const __grid_constant__ product p) {
    extern __shared__ unsigned char memory[];
    shared_layout<S> at(memory);
    unsigned rank = S::BLOCKS > 1 ? cluster_rank() : 0;
    if (threadIdx.x == 0) {
        prefetch_map(&x);
        prefetch_map(&w);
        for (int i = 0; i < S::stages; i++) {
            barrier_init(at.full + 8 * i, 1);
            barrier_init(at.empty + 8 * i, S::BLOCKS * S::consumers);
        }
        barriers_are_init();
    }
    if constexpr (S::BLOCKS > 1)
        cluster_sync();
    else
        __syncthreads();
    if (threadIdx.x < GROUP) {
        give_registers<PRODUCER_REGISTERS>();
        if (threadIdx.x == 0) produce<S>(&x, &w, p, at, rank);
    } else {
        take_registers<CONSUMER_REGISTERS>();
        consume<S>(p, at, rank);
    }
    /* Others may still copy and arrive here. */
    if constexpr (S::BLOCKS > 1) cluster_sync();
}

} // namespace xl::hopper

#endif
