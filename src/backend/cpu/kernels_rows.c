/* kernels_rows.c - inner loops over rows: the end of a product, norms, GEGLU, sums, conversions.
 * Compiled once for each instruction set (simd.h). Each loop is written once with the dtype as a
 * constant argument and inlined for f32 and for bf16. */
#include "backend/cpu/isa_tables.h"
#include "backend/cpu/vmath.h"

#include <math.h>

/* Call fn(..., is_bf16) with a constant. */
#define FOR_DTYPE(dtype, fn, ...)                                                                  \
    do {                                                                                           \
        if ((dtype) == XL_DTYPE_BF16)                                                              \
            fn(__VA_ARGS__, true);                                                                 \
        else                                                                                       \
            fn(__VA_ARGS__, false);                                                                \
    } while (0)

static size_t elements(int64_t n, bool is_bf16) {
    return (size_t)n * (is_bf16 ? sizeof(uint16_t) : sizeof(float));
}

static vf load_f16(const uint16_t *p, int64_t n) {
    vf v = {0};
    for (int64_t lane = 0; lane < n; lane++) v[lane] = xl_f16_to_f32(p[lane]);
    return v;
}

/* n vectors' worth of f16 at once where the CPU converts them. */
V_INLINE vf load_f16_whole(const uint16_t *p) {
#if defined(__AVX512F__)
    return (vf)_mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(const void *)p));
#elif defined(__F16C__)
    return (vf)_mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(const void *)p));
#else
    return load_f16(p, V_LANES);
#endif
}

V_INLINE void convert_from(void *dst, const void *src, enum xl_dtype from, int64_t n,
                           bool to_bf16) {
    for (int64_t i = 0; i < n; i += V_LANES) {
        vf v;
        if (from == XL_DTYPE_F16 && n - i >= V_LANES)
            v = load_f16_whole((const uint16_t *)src + i);
        else if (from == XL_DTYPE_F16)
            v = load_f16((const uint16_t *)src + i, n - i);
        else
            v = v_load_up_to(src, from == XL_DTYPE_BF16, i, n - i);
        v_store_up_to(dst, to_bf16, i, n - i, v);
    }
}

static void convert(void *dst, enum xl_dtype to, const void *src, enum xl_dtype from, int64_t n) {
    if (to == from || to == XL_DTYPE_F16) {
        xl_convert(dst, to, src, from, n);
        return;
    }
    FOR_DTYPE(to, convert_from, dst, src, from, n);
}

V_INLINE void finish_row(const struct xl_epilogue *tile, int64_t row, enum xl_activation act,
                         bool is_bf16) {
    const float *acc = tile->acc + row * tile->n;
    char *out = (char *)tile->out + elements(row * tile->out_stride, is_bf16);
    const char *residual = tile->residual;
    if (residual) residual += elements(row * tile->out_stride, is_bf16);
    for (int64_t i = 0; i < tile->n; i += V_LANES) {
        int64_t left = tile->n - i;
        vf v = v_load_up_to(acc, false, i, left);
        if (tile->bias) v += v_load_up_to(tile->bias, false, i, left);
        if (tile->channel_bias) v += v_load_up_to(tile->channel_bias, is_bf16, i, left);
        v = v_activate(v, act);
        if (residual) v += v_load_up_to(residual, is_bf16, i, left);
        v_store_up_to(out, is_bf16, i, left, v);
    }
}

V_INLINE void finish_tile(const struct xl_epilogue *tile, bool is_bf16) {
    for (int64_t row = 0; row < tile->rows; row++) {
        switch (tile->act) {
        case XL_ACT_NONE:
            finish_row(tile, row, XL_ACT_NONE, is_bf16);
            break;
        case XL_ACT_SILU:
            finish_row(tile, row, XL_ACT_SILU, is_bf16);
            break;
        case XL_ACT_GELU:
            finish_row(tile, row, XL_ACT_GELU, is_bf16);
            break;
        case XL_ACT_QUICK_GELU:
            finish_row(tile, row, XL_ACT_QUICK_GELU, is_bf16);
            break;
        }
    }
}

static void epilogue(const struct xl_epilogue *tile) {
    FOR_DTYPE(tile->dtype, finish_tile, tile);
}

V_INLINE void activate_all(void *out, const void *x, int64_t n, enum xl_activation act,
                           bool is_bf16) {
    for (int64_t i = 0; i < n; i += V_LANES)
        v_store_up_to(out, is_bf16, i, n - i, v_activate(v_load_up_to(x, is_bf16, i, n - i), act));
}

static void activation(void *out, const void *x, int64_t n, enum xl_dtype dtype,
                       enum xl_activation act) {
    FOR_DTYPE(dtype, activate_all, out, x, n, act);
}

V_INLINE void add_all(void *out, const void *a, const void *b, int64_t n, bool is_bf16) {
    for (int64_t i = 0; i < n; i += V_LANES)
        v_store_up_to(out, is_bf16, i, n - i,
                      v_load_up_to(a, is_bf16, i, n - i) + v_load_up_to(b, is_bf16, i, n - i));
}

static void add(void *out, const void *a, const void *b, int64_t n, enum xl_dtype dtype) {
    FOR_DTYPE(dtype, add_all, out, a, b, n);
}

V_INLINE void geglu_rows(struct xl_rows rows, bool is_bf16) {
    for (int64_t row = 0; row < rows.rows; row++) {
        const char *x = (const char *)rows.x + elements(row * 2 * rows.c, is_bf16);
        const char *gate = x + elements(rows.c, is_bf16);
        char *out = (char *)rows.out + elements(row * rows.c, is_bf16);
        for (int64_t i = 0; i < rows.c; i += V_LANES) {
            int64_t left = rows.c - i;
            vf y = v_load_up_to(x, is_bf16, i, left) * v_gelu(v_load_up_to(gate, is_bf16, i, left));
            v_store_up_to(out, is_bf16, i, left, y);
        }
    }
}

static void geglu(struct xl_rows rows) {
    FOR_DTYPE(rows.dtype, geglu_rows, rows);
}

/* Sum over a row of x, or of (x - mean)^2. Lanes past the end count as they should: as 0. */
V_INLINE float sum_row(const void *x, int64_t c, float mean, bool is_squared, bool is_bf16) {
    vf sum = {0};
    int64_t whole = c / V_LANES * V_LANES;
    for (int64_t i = 0; i < whole; i += V_LANES) {
        vf v = v_load_at(x, is_bf16, i) - v_set(mean);
        sum = is_squared ? v_fma(v, v, sum) : sum + v;
    }
    float total = v_sum(sum);
    vf tail = v_load_part(x, is_bf16, whole, c - whole) - v_set(mean);
    for (int64_t lane = 0; lane < c - whole; lane++)
        total += is_squared ? tail[lane] * tail[lane] : tail[lane];
    return total;
}

V_INLINE void layer_norm_rows(struct xl_rows rows, const float *weight, const float *bias,
                              float eps, bool is_bf16) {
    float n = (float)rows.c;
    for (int64_t row = 0; row < rows.rows; row++) {
        const char *x = (const char *)rows.x + elements(row * rows.c, is_bf16);
        char *out = (char *)rows.out + elements(row * rows.c, is_bf16);
        float mean = sum_row(x, rows.c, 0, false, is_bf16) / n;
        float scale = 1 / sqrtf(sum_row(x, rows.c, mean, true, is_bf16) / n + eps);
        for (int64_t i = 0; i < rows.c; i += V_LANES) {
            int64_t left = rows.c - i;
            vf v = (v_load_up_to(x, is_bf16, i, left) - v_set(mean)) * v_set(scale);
            v = v_fma(v, v_load_up_to(weight, false, i, left), v_load_up_to(bias, false, i, left));
            v_store_up_to(out, is_bf16, i, left, v);
        }
    }
}

static void layer_norm(struct xl_rows rows, const float *weight, const float *bias, float eps) {
    FOR_DTYPE(rows.dtype, layer_norm_rows, rows, weight, bias, eps);
}

/* sums[i] += x[i], or (x[i] - mean[i])^2, for the four rows from x on (fewer at the end). */
V_INLINE void sum_columns(const char *x, int64_t n_rows, int64_t c, const float *mean, float *sums,
                          bool is_bf16) {
    for (int64_t i = 0; i < c; i += V_LANES) {
        int64_t left = c - i;
        vf sum = v_load_up_to(sums, false, i, left);
        vf shift = mean ? v_load_up_to(mean, false, i, left) : v_set(0);
        for (int64_t row = 0; row < n_rows; row++) {
            vf v = v_load_up_to(x + elements(row * c, is_bf16), is_bf16, i, left) - shift;
            sum = mean ? v_fma(v, v, sum) : sum + v;
        }
        v_store_up_to(sums, false, i, left, sum);
    }
}

V_INLINE void moments_rows(struct xl_rows rows, float *mean, float *m2, bool is_bf16) {
    enum { AT_ONCE = 4 };
    memset(mean, 0, (size_t)rows.c * sizeof *mean);
    memset(m2, 0, (size_t)rows.c * sizeof *m2);
    for (int64_t row = 0; row < rows.rows; row += AT_ONCE) {
        int64_t n = rows.rows - row < AT_ONCE ? rows.rows - row : AT_ONCE;
        const char *x = (const char *)rows.x + elements(row * rows.c, is_bf16);
        sum_columns(x, n, rows.c, NULL, mean, is_bf16);
    }
    for (int64_t i = 0; i < rows.c; i++) mean[i] /= (float)rows.rows;
    for (int64_t row = 0; row < rows.rows; row += AT_ONCE) {
        int64_t n = rows.rows - row < AT_ONCE ? rows.rows - row : AT_ONCE;
        const char *x = (const char *)rows.x + elements(row * rows.c, is_bf16);
        sum_columns(x, n, rows.c, mean, m2, is_bf16);
    }
}

static void moments(struct xl_rows rows, float *mean, float *m2) {
    FOR_DTYPE(rows.dtype, moments_rows, rows, mean, m2);
}

V_INLINE void affine_act(struct xl_rows rows, struct xl_affine by, enum xl_activation act,
                         bool is_bf16) {
    for (int64_t row = 0; row < rows.rows; row++) {
        const char *x = (const char *)rows.x + elements(row * rows.c, is_bf16);
        char *out = (char *)rows.out + elements(row * rows.c, is_bf16);
        for (int64_t i = 0; i < rows.c; i += V_LANES) {
            int64_t left = rows.c - i;
            vf v = v_load_up_to(x, is_bf16, i, left) - v_load_up_to(by.mean, false, i, left);
            v = v_fma(v, v_load_up_to(by.scale, false, i, left),
                      v_load_up_to(by.shift, false, i, left));
            v_store_up_to(out, is_bf16, i, left, v_activate(v, act));
        }
    }
}

V_INLINE void affine_rows(struct xl_rows rows, struct xl_affine by, enum xl_activation act,
                          bool is_bf16) {
    if (act == XL_ACT_NONE)
        affine_act(rows, by, XL_ACT_NONE, is_bf16);
    else if (act == XL_ACT_SILU)
        affine_act(rows, by, XL_ACT_SILU, is_bf16);
    else
        affine_act(rows, by, act, is_bf16);
}

static void affine(struct xl_rows rows, struct xl_affine by, enum xl_activation act) {
    FOR_DTYPE(rows.dtype, affine_rows, rows, by, act);
}

const struct xl_cpu_kernels XL_ISA(xl_row_kernels) = {
    .convert = convert,
    .mix = XL_ISA(xl_mix),
    .turn = XL_ISA(xl_turn),
    .epilogue = epilogue,
    .activation = activation,
    .add = add,
    .geglu = geglu,
    .layer_norm = layer_norm,
    .moments = moments,
    .affine = affine,
};
