/* kernels_attention.c - softmax(scale q k^T) v for a block of queries of one head.
 *
 * Keys come in tiles of XL_ATTENTION_KEYS; the softmax is carried from tile to tile with a running
 * maximum and sum a row (Dao et al., "FlashAttention", 2022), so no row of scores is ever whole.
 * Both products, scores = q k^T and out += p v, are small matrix products [M_ROWS, k] x [k,
 * N_COLUMNS] whose right side was packed into panels of N_COLUMNS.
 *
 * The element of a product is a unit of 4 bytes: a float, or a pair of bf16 that the CPU multiplies
 * and adds at once. Compiled for each instruction set: with floats; with XL_ATTENTION_BF16 for
 * AVX512_BF16; with XL_ATTENTION_AMX for tiles, whose operands lie just as those of AVX512_BF16.
 */
#include "backend/cpu/isa_tables.h"
#include "backend/cpu/vmath.h"

#include <math.h>

#if defined(XL_ATTENTION_AMX)
#define TABLE xl_attention_bf16_amx
enum { M_ROWS = 32, PAIR = 2, K_ROUND = 16 };
#elif defined(XL_ATTENTION_BF16)
#define TABLE xl_attention_bf16_avx512
enum { M_ROWS = 12, PAIR = 2, K_ROUND = 1 };
#else
#define TABLE XL_ISA(xl_attention_f32)
enum { M_ROWS = V_LANES == 16 ? 12 : V_LANES == 8 ? 6 : 4, PAIR = 1, K_ROUND = 1 };
#endif
/* Two vectors: with M_ROWS this fills the registers and hides the latency of the products. */
enum { N_VECTORS = 2, N_COLUMNS = N_VECTORS * V_LANES, KEYS = XL_ATTENTION_KEYS };
_Static_assert(KEYS % N_COLUMNS == 0, "a tile is whole panels");

typedef uint32_t unit; /* the bits of a float or of a pair of bf16 */

static int64_t round_up(int64_t n, int64_t to) {
    return (n + to - 1) / to * to;
}

/* Units that a head of d numbers takes, and its columns in panels. */
static int64_t head_units(int64_t d) {
    return round_up((d + PAIR - 1) / PAIR, K_ROUND);
}

static int64_t head_columns(int64_t d) {
    return round_up(d, N_COLUMNS);
}

/* The two sides of a product that are not packed panels. Element (i, p) of the left one lies at
 * at[i * row + p * step], row i of the sums at at[i * row]. */
struct left {
    const unit *at;
    int64_t row, step;
};

struct sums {
    float *at;
    int64_t row;
};

#if defined(XL_ATTENTION_AMX)

/* All eight tiles: 16 rows of 64 bytes. Layout: Intel SDM volume 1, 18.2. */
static void begin_tiles(void) {
    struct {
        uint8_t palette, start_row, reserved[14];
        uint16_t row_bytes[16];
        uint8_t rows[16];
    } config = {.palette = 1};
    for (int i = 0; i < 8; i++) {
        config.row_bytes[i] = 64;
        config.rows[i] = 16;
    }
    _tile_loadconfig(&config);
}

static void end_tiles(void) {
    _tile_release();
}

/* The step of the left side is 1. */
V_INLINE void product(struct left left, const unit *b, int64_t k, struct sums sums,
                      bool accumulate) {
    size_t c_bytes = (size_t)sums.row * 4, a_bytes = (size_t)left.row * 4, b_bytes = N_COLUMNS * 4;
    const unit *a = left.at;
    float *c = sums.at, *low = c + 16 * sums.row;
    if (accumulate) {
        _tile_loadd(0, c, c_bytes);
        _tile_loadd(1, c + 16, c_bytes);
        _tile_loadd(2, low, c_bytes);
        _tile_loadd(3, low + 16, c_bytes);
    } else {
        _tile_zero(0);
        _tile_zero(1);
        _tile_zero(2);
        _tile_zero(3);
    }
    for (int64_t p = 0; p < k; p += 16) {
        _tile_loadd(4, a + p, a_bytes);
        _tile_loadd(5, a + 16 * left.row + p, a_bytes);
        _tile_loadd(6, b + p * N_COLUMNS, b_bytes);
        _tile_loadd(7, b + p * N_COLUMNS + 16, b_bytes);
        _tile_dpbf16ps(0, 4, 6);
        _tile_dpbf16ps(1, 4, 7);
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
    }
    _tile_stored(0, c, c_bytes);
    _tile_stored(1, c + 16, c_bytes);
    _tile_stored(2, low, c_bytes);
    _tile_stored(3, low + 16, c_bytes);
}

static void score_product(const unit *q, const unit *k, int64_t units, float *scores) {
    product((struct left){q, units, 1}, k, units, (struct sums){scores, KEYS}, false);
}

static void value_product(const unit *p, const unit *v, int64_t units, float *out,
                          int64_t out_row) {
    product((struct left){p, KEYS / PAIR, 1}, v, units, (struct sums){out, out_row}, true);
}

#else

static void begin_tiles(void) {}
static void end_tiles(void) {}

V_INLINE vf multiply_add(unit a, vf b, vf c) {
#if defined(XL_ATTENTION_BF16)
    return (vf)_mm512_dpbf16_ps((__m512)c, (__m512bh)b, (__m512bh)_mm512_set1_epi32((int)a));
#else
    union {
        unit bits;
        float x;
    } scalar = {a};
    return v_fma(v_set(scalar.x), b, c);
#endif
}

V_INLINE void product(struct left a, const unit *b, int64_t k, struct sums c, bool accumulate) {
    vf sum[M_ROWS][N_VECTORS];
    V_UNROLL for (int i = 0; i < M_ROWS; i++) {
        V_UNROLL for (int j = 0; j < N_VECTORS; j++) {
            sum[i][j] = accumulate ? v_load(c.at + i * c.row + j * V_LANES) : v_set(0);
        }
    }
    for (int64_t p = 0; p < k; p++) {
        vf right[N_VECTORS]; /* one by one: a copy of the whole array would go through memory */
        V_UNROLL for (int j = 0; j < N_VECTORS; j++) {
            memcpy(&right[j], b + p * N_COLUMNS + j * V_LANES, sizeof right[j]);
        }
        V_UNROLL for (int i = 0; i < M_ROWS; i++) {
            V_UNROLL for (int j = 0; j < N_VECTORS; j++) {
                sum[i][j] = multiply_add(a.at[i * a.row + p * a.step], right[j], sum[i][j]);
            }
        }
    }
    V_UNROLL for (int i = 0; i < M_ROWS; i++) {
        V_UNROLL for (int j = 0; j < N_VECTORS; j++) {
            v_store(c.at + i * c.row + j * V_LANES, sum[i][j]);
        }
    }
}

static void score_product(const unit *q, const unit *k, int64_t units, float *scores) {
    product((struct left){q, 1, M_ROWS}, k, units, (struct sums){scores, KEYS}, false);
}

static void value_product(const unit *p, const unit *v, int64_t units, float *out,
                          int64_t out_row) {
    product((struct left){p, KEYS / PAIR, 1}, v, units, (struct sums){out, out_row}, true);
}

#endif

/* Activations [n, d] of one head, rows `stride` apart. */
struct rows {
    const void *at;
    int64_t stride, n, d;
};

V_INLINE const void *row_at(struct rows rows, int64_t row, bool is_bf16) {
    return (const char *)rows.at + (size_t)(row * rows.stride) * (is_bf16 ? 2 : 4);
}

/* Unit u of a row, padded with zeros. */
V_INLINE unit unit_of(const void *row, int64_t u, int64_t d, bool is_bf16) {
    const uint16_t *halves = row;
    if (PAIR == 2) return halves[2 * u] | (2 * u + 1 < d ? (unit)halves[2 * u + 1] << 16 : 0);
    return is_bf16 ? (unit)halves[u] << 16 : ((const unit *)row)[u];
}

/* `width` rows from `first` on as [units, width]; what is beyond the matrix is 0. */
V_INLINE void transpose(struct rows rows, int64_t first, int64_t width, unit *to, bool is_bf16) {
    int64_t units = head_units(rows.d), read = (rows.d + PAIR - 1) / PAIR;
    int64_t n = rows.n - first < width ? rows.n - first : width;
    if (n < width || read < units) memset(to, 0, (size_t)(units * width) * sizeof(unit));
    for (int64_t u = 0; u < read; u++)
        for (int64_t i = 0; i < n; i++)
            to[u * width + i] = unit_of(row_at(rows, first + i, is_bf16), u, rows.d, is_bf16);
}

/* Keys: panels [units of the head, N_COLUMNS keys]. */
V_INLINE void pack_keys(struct rows keys, unit *to, bool is_bf16) {
    for (int64_t key = 0; key < keys.n; key += N_COLUMNS)
        transpose(keys, key, N_COLUMNS, to + key * head_units(keys.d), is_bf16);
}

/* A vector of a row; 0 where there is no row or no number. */
V_INLINE vf load_row(struct rows rows, int64_t row, int64_t i, bool is_bf16) {
    if (row >= rows.n) return v_set(0);
    return v_load_up_to(row_at(rows, row, is_bf16), is_bf16, i, rows.d - i);
}

/* Values: panels [units of keys, N_COLUMNS numbers of the head], to a whole number of panels of
 * keys: their weights are 0, and 0 times what happens to lie there need not be. */
V_INLINE void pack_values(struct rows values, unit *to, bool is_bf16) {
    int64_t units = round_up(values.n, N_COLUMNS) / PAIR;
    for (int64_t column = 0; column < values.d; column += N_COLUMNS) {
        unit *panel = to + column * (KEYS / PAIR);
        for (int64_t u = 0; u < units; u++, panel += N_COLUMNS) {
            for (int j = 0; j < N_COLUMNS; j += V_LANES) {
                vf v = load_row(values, u * PAIR, column + j, is_bf16);
                if (PAIR == 2) {
                    vf next = load_row(values, u * PAIR + 1, column + j, is_bf16);
                    v = (vf)((vu)v >> 16 | (vu)next);
                }
                memcpy(panel + j, &v, sizeof v);
            }
        }
    }
}

V_INLINE void pack_tile(const struct xl_attention_tile *tile, bool is_bf16) {
    pack_keys((struct rows){tile->k, tile->k_stride, tile->keys, tile->d}, tile->packed_k, is_bf16);
    pack_values((struct rows){tile->v, tile->v_stride, tile->keys, tile->d}, tile->packed_v,
                is_bf16);
}

static void pack(const struct xl_attention_tile *tile) {
    if (tile->dtype == XL_DTYPE_BF16)
        pack_tile(tile, true);
    else
        pack_tile(tile, false);
}

/* Long heads take fewer queries at once, so that queries and sums stay in the second-level cache.
 */
static int64_t query_rows(int64_t d) {
    int64_t rows = M_ROWS == 32 ? 128 : 96;
    return d > 128 ? rows / 2 : rows;
}

/* What a task keeps in its scratch memory; rows: its queries, rounded up to strips. */
struct state {
    unit *queries;      /* strips of M_ROWS, see pack_queries */
    float *sums;        /* [rows, head_columns]: exp(scores) v so far */
    float *scores;      /* [M_ROWS, KEYS]: of one strip and tile */
    unit *weights;      /* exp(scores) as units; the same memory where a unit is a float */
    float *max, *total; /* [rows] */
};

static struct state state_at(void *scratch, int64_t rows, int64_t d) {
    struct state state;
    float *at = scratch;
    state.queries = (unit *)at;
    at += rows * round_up(head_units(d), 16);
    state.sums = at;
    at += rows * head_columns(d);
    state.scores = at;
    state.weights = (unit *)at;
    at += M_ROWS * KEYS;
    if (PAIR == 2) {
        state.weights = (unit *)at;
        at += M_ROWS * KEYS / PAIR;
    }
    state.max = at;
    state.total = at + rows;
    return state;
}

static struct xl_attention_sizes sizes(int64_t d) {
    int64_t rows = round_up(query_rows(d), M_ROWS);
    int64_t floats = rows * (round_up(head_units(d), 16) + head_columns(d) + 2) + 2 * M_ROWS * KEYS;
    return (struct xl_attention_sizes){
        .key_bytes = head_units(d) * KEYS * (int64_t)sizeof(unit),
        .value_bytes = head_columns(d) * (KEYS / PAIR) * (int64_t)sizeof(unit),
        .query_rows = query_rows(d),
        .scratch_bytes = floats * (int64_t)sizeof(float),
    };
}

/* A strip of queries: [M_ROWS, units] for tiles, else [units, M_ROWS], so that a product reads them
 * in order. */
V_INLINE void pack_queries(struct rows queries, int64_t strip, unit *to, bool is_bf16) {
#if defined(XL_ATTENTION_AMX)
    int64_t units = head_units(queries.d);
    memset(to, 0, (size_t)(M_ROWS * units) * sizeof(unit));
    for (int64_t i = 0; i < M_ROWS && strip + i < queries.n; i++)
        memcpy(to + i * units, row_at(queries, strip + i, is_bf16), (size_t)queries.d * 2);
#else
    transpose(queries, strip, M_ROWS, to, is_bf16);
#endif
}

static void begin(const struct xl_attention_task *task, struct state *state, int64_t rows) {
    struct rows queries = {task->q, task->q_stride, task->queries, task->d};
    for (int64_t strip = 0; strip < rows; strip += M_ROWS) {
        unit *to = state->queries + strip * head_units(task->d);
        if (task->dtype == XL_DTYPE_BF16)
            pack_queries(queries, strip, to, true);
        else
            pack_queries(queries, strip, to, false);
    }
    for (int64_t row = 0; row < rows; row++) {
        state->max[row] = -INFINITY;
        state->total[row] = 0;
    }
    memset(state->sums, 0, (size_t)(rows * head_columns(task->d)) * sizeof(float));
}

/* One row of scores becomes weights exp(score - max); returns the row's new maximum.
 * Scores are kept in units of ln 2: 2^(scale score - max). */
static float weigh(float *scores, unit *weights, int64_t n, float max, float scale, float *total) {
    vf best = v_set(max), factor = v_set(scale);
    for (int64_t i = 0; i < n; i += V_LANES) best = v_max(best, v_load(scores + i) * factor);
    float new_max = v_max_lane(best);
    vf sum = {0}, minus_max = v_set(-new_max);
    for (int64_t i = 0; i < n; i += V_LANES) {
        vf weight = v_exp2(v_fma(v_load(scores + i), factor, minus_max));
        sum += weight;
        v_store_at(weights, PAIR == 2, i, weight);
    }
    *total = v_sum(sum);
    return new_max;
}

static void scale_row(float *x, int64_t n, float by) {
    vf factor = v_set(by);
    for (int64_t i = 0; i < n; i += V_LANES) v_store(x + i, v_load(x + i) * factor);
}

/* The weights of a strip's rows, and what came before brought to the new maxima. */
static void soften(const struct xl_attention_task *task, struct state *state, int64_t strip,
                   int64_t first_key, int64_t n_keys) {
    int64_t padded = round_up(n_keys, N_COLUMNS), columns = head_columns(task->d);
    float scale = task->scale * 1.44269504f; /* log2(e) */
    float step[M_ROWS + V_LANES] = {0};
    float total[M_ROWS];
    for (int i = 0; i < M_ROWS; i++) {
        int64_t row = strip + i, visible = n_keys;
        int64_t position = task->first_query + row - first_key;
        if (task->is_causal && position + 1 < n_keys) visible = position < 0 ? 0 : position + 1;
        float *scores = state->scores + i * KEYS;
        for (int64_t key = visible; key < padded; key++) scores[key] = -INFINITY;
        unit *weights = state->weights + i * (KEYS / PAIR);
        float max = weigh(scores, weights, padded, state->max[row], scale, &total[i]);
        step[i] = state->max[row] - max;
        state->max[row] = max;
    }
    for (int i = 0; i < M_ROWS; i += V_LANES) v_store(step + i, v_exp2(v_load(step + i)));
    for (int i = 0; i < M_ROWS; i++) {
        int64_t row = strip + i;
        state->total[row] = state->total[row] * step[i] + total[i];
        if (step[i] != 1.0f) scale_row(state->sums + row * columns, columns, step[i]);
    }
}

/* All queries against one tile of keys. */
static void visit_tile(const struct xl_attention_task *task, struct state *state, int64_t rows,
                       int64_t tile) {
    struct xl_attention_sizes size = sizes(task->d);
    int64_t first_key = tile * KEYS, units = head_units(task->d), columns = head_columns(task->d);
    int64_t n_keys = task->keys - first_key < KEYS ? task->keys - first_key : KEYS;
    const unit *k = (const unit *)(const void *)(task->packed_k + tile * size.key_bytes);
    const unit *v = (const unit *)(const void *)(task->packed_v + tile * size.value_bytes);
    for (int64_t strip = 0; strip < rows; strip += M_ROWS) {
        int64_t last = task->first_query + strip + M_ROWS - 1;
        if (task->is_causal && last < first_key) continue;
        const unit *q = state->queries + strip * units;
        for (int64_t key = 0; key < n_keys; key += N_COLUMNS)
            score_product(q, k + key * units, units, state->scores + key);
        soften(task, state, strip, first_key, n_keys);
        for (int64_t column = 0; column < columns; column += N_COLUMNS)
            value_product(state->weights, v + column * (KEYS / PAIR),
                          round_up(n_keys, N_COLUMNS) / PAIR,
                          state->sums + strip * columns + column, columns);
    }
}

static void finish(const struct xl_attention_task *task, const struct state *state) {
    bool is_bf16 = task->dtype == XL_DTYPE_BF16;
    int64_t columns = head_columns(task->d);
    for (int64_t row = 0; row < task->queries; row++) {
        char *out = (char *)task->out +
                    (size_t)(row * task->out_stride) * xl_dtype_size(task->dtype);
        const float *sums = state->sums + row * columns;
        for (int64_t i = 0; i < task->d; i += V_LANES)
            v_store_up_to(out, is_bf16, i, task->d - i,
                          v_load(sums + i) / v_set(state->total[row]));
    }
}

static void run(const struct xl_attention_task *task) {
    int64_t rows = round_up(task->queries, M_ROWS);
    struct state state = state_at(task->scratch, rows, task->d);
    begin(task, &state, rows);
    begin_tiles();
    for (int64_t tile = 0; tile * KEYS < task->keys; tile++) visit_tile(task, &state, rows, tile);
    end_tiles();
    finish(task, &state);
}

const struct xl_attention_kernels TABLE = {sizes, pack, run};
