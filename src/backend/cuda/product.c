/* product.c - products by cuBLASLt. It thinks in columns: out^T [n, m] = w [n, k] x^T [k, m]. */
#include "backend/cuda/product.h"

#include "backend/cuda/libraries.h"
#include "backend/cuda/trial.h"
#include "backend/cuda/ways.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_WAYS = 12, KEY_TEXT = 160 };

struct xl_cuda_product {
    struct xl_cuda_product *next;
    const struct xl_cuda_products *products;
    struct xl_cuda_product_shape shape;
    char key[KEY_TEXT];
    cublasLtMatmulDesc_t desc;
    cublasLtMatrixLayout_t w, x, out;
    cublasLtMatmulAlgo_t algo;
    bool is_measured;
};

struct xl_cuda_products {
    const struct xl_cublaslt *lt;
    cublasLtHandle_t handle;
    struct xl_cuda_ways *ways;
    const struct xl_cuda_workspace *workspace;
    struct xl_cuda_product *list;
};

int xl_cuda_alignment(const void *address, int64_t stride, enum xl_dtype dtype) {
    uint64_t bits = (uintptr_t)address | (uint64_t)stride * xl_dtype_size(dtype) | 256;
    return (int)(bits & -bits);
}

enum xl_status xl_cuda_products_new(struct xl_cuda_ways *ways,
                                    const struct xl_cuda_workspace *workspace,
                                    struct xl_cuda_products **out, struct xl_err *err) {
    char why[XL_LOAD_TEXT];
    const struct xl_cublaslt *lt = xl_cublaslt(why);
    if (!lt)
        return xl_fail(
            err, XL_EDEVICE,
            "the GPU needs cuBLASLt, which cannot be loaded (%s); it comes with CUDA, or "
            "with the package libcublas",
            why);
    struct xl_cuda_products *products = calloc(1, sizeof *products);
    if (!products) return xl_fail_nomem(err, "products", sizeof *products);
    products->lt = lt;
    products->ways = ways;
    products->workspace = workspace;
    if (lt->cublasLtCreate(&products->handle) != CUBLAS_STATUS_SUCCESS) {
        free(products);
        return xl_fail(err, XL_EDEVICE, "cuBLASLt does not work on this GPU");
    }
    *out = products;
    return XL_OK;
}

static void product_free(struct xl_cuda_product *product) {
    const struct xl_cublaslt *lt = product->products->lt;
    if (product->desc) lt->cublasLtMatmulDescDestroy(product->desc);
    if (product->w) lt->cublasLtMatrixLayoutDestroy(product->w);
    if (product->x) lt->cublasLtMatrixLayoutDestroy(product->x);
    if (product->out) lt->cublasLtMatrixLayoutDestroy(product->out);
    free(product);
}

void xl_cuda_products_free(struct xl_cuda_products *products) {
    if (!products) return;
    for (struct xl_cuda_product *product; (product = products->list);) {
        products->list = product->next;
        product_free(product);
    }
    products->lt->cublasLtDestroy(products->handle);
    free(products);
}

/* --- A shape in cuBLASLt's terms ---------------------------------------------------------------
 */

static cudaDataType_t type_of(enum xl_dtype dtype) {
    if (dtype == XL_DTYPE_F16) return CUDA_R_16F;
    return dtype == XL_DTYPE_BF16 ? CUDA_R_16BF : CUDA_R_32F;
}

static bool set(const struct xl_cublaslt *lt, cublasLtMatmulDesc_t desc,
                cublasLtMatmulDescAttributes_t attribute, const void *value, size_t bytes) {
    return lt->cublasLtMatmulDescSetAttribute(desc, attribute, value, bytes) ==
           CUBLAS_STATUS_SUCCESS;
}

/* What is never read while ways are looked for, but must be set. */
static const float nothing[4] __attribute__((aligned(16)));

static bool set_scales(const struct xl_cuda_product *product, const float *of_w,
                       const float *of_x) {
    const struct xl_cublaslt *lt = product->products->lt;
    return set(lt, product->desc, CUBLASLT_MATMUL_DESC_A_SCALE_POINTER, &of_w, sizeof of_w) &&
           set(lt, product->desc, CUBLASLT_MATMUL_DESC_B_SCALE_POINTER, &of_x, sizeof of_x);
}

/* Scales of rows; sums in fewer bits than f32 has, which are still ten times as exact as what is
 * added up. */
static bool describe_f8(struct xl_cuda_product *product) {
#if CUBLAS_VERSION >= 120900
    const struct xl_cublaslt *lt = product->products->lt;
    static const cublasLtMatmulDescAttributes_t modes[] = {CUBLASLT_MATMUL_DESC_A_SCALE_MODE,
                                                           CUBLASLT_MATMUL_DESC_B_SCALE_MODE};
    cublasLtMatmulMatrixScale_t mode = CUBLASLT_MATMUL_MATRIX_SCALE_OUTER_VEC_32F;
    int8_t is_fast = 1;
    bool ok = set(lt, product->desc, CUBLASLT_MATMUL_DESC_FAST_ACCUM, &is_fast, sizeof is_fast);
    for (int i = 0; i < 2; i++) ok = ok && set(lt, product->desc, modes[i], &mode, sizeof mode);
    return ok && set_scales(product, nothing, nothing);
#else
    (void)product;
    return false;
#endif
}

static bool describe(struct xl_cuda_product *product) {
    const struct xl_cublaslt *lt = product->products->lt;
    const struct xl_cuda_product_shape *s = &product->shape;
    cudaDataType_t type = s->is_f8 ? CUDA_R_8F_E4M3 : type_of(s->dtype);
    cudaDataType_t out_type = type_of(s->out_dtype);
    cublasOperation_t turn = s->is_w_turned ? CUBLAS_OP_N : CUBLAS_OP_T;
    cublasLtEpilogue_t epilogue = CUBLASLT_EPILOGUE_BIAS;
    const void *bias = nothing;
    bool ok = lt->cublasLtMatmulDescCreate(&product->desc, CUBLAS_COMPUTE_32F, CUDA_R_32F) ==
                  CUBLAS_STATUS_SUCCESS &&
              set(lt, product->desc, CUBLASLT_MATMUL_DESC_TRANSA, &turn, sizeof turn);
    if (s->has_bias)
        ok = ok &&
             set(lt, product->desc, CUBLASLT_MATMUL_DESC_EPILOGUE, &epilogue, sizeof epilogue) &&
             set(lt, product->desc, CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE, &out_type,
                 sizeof out_type) &&
             set(lt, product->desc, CUBLASLT_MATMUL_DESC_BIAS_POINTER, &bias, sizeof bias);
    if (s->is_f8) ok = ok && describe_f8(product);
    uint64_t w_rows = (uint64_t)(s->is_w_turned ? s->n : s->k);
    uint64_t w_columns = (uint64_t)(s->is_w_turned ? s->k : s->n);
    return ok &&
           lt->cublasLtMatrixLayoutCreate(&product->w, type, w_rows, w_columns, s->w_stride) ==
               CUBLAS_STATUS_SUCCESS &&
           lt->cublasLtMatrixLayoutCreate(&product->x, type, (uint64_t)s->k, (uint64_t)s->m,
                                          s->x_stride) == CUBLAS_STATUS_SUCCESS &&
           lt->cublasLtMatrixLayoutCreate(&product->out, out_type, (uint64_t)s->n, (uint64_t)s->m,
                                          s->out_stride) == CUBLAS_STATUS_SUCCESS;
}

static bool run_with(const struct xl_cuda_product *product, const cublasLtMatmulAlgo_t *algo,
                     const struct xl_cuda_product_data *data, cudaStream_t stream) {
    const struct xl_cuda_products *products = product->products;
    const struct xl_cublaslt *lt = products->lt;
    float beta = product->shape.has_residual ? 1.0F : 0.0F;
    const void *added = product->shape.has_residual ? data->residual : data->out;
    if (product->shape.has_bias &&
        !set(lt, product->desc, CUBLASLT_MATMUL_DESC_BIAS_POINTER, &data->bias, sizeof data->bias))
        return false;
    if (product->shape.is_f8 && !set_scales(product, data->w_scales, data->x_scales)) return false;
    return lt->cublasLtMatmul(products->handle, product->desc, &data->factor, data->w, product->w,
                              data->x, product->x, &beta, added, product->out, data->out,
                              product->out, algo, products->workspace->data, XL_CUDA_PRODUCT_BYTES,
                              stream) == CUBLAS_STATUS_SUCCESS;
}

bool xl_cuda_product_run(const struct xl_cuda_product *product,
                         const struct xl_cuda_product_data *data, cudaStream_t stream) {
    return run_with(product, &product->algo, data, stream);
}

/* --- Ways ---------------------------------------------------------------------------------------
 */

static void name_key(struct xl_cuda_product *product) {
    const struct xl_cuda_product_shape *s = &product->shape;
    snprintf(product->key, sizeof product->key,
             "product %s %s %lldx%lldx%lld rows %lld %lld %lld%s%s%s by %d",
             s->is_f8 ? "F8" : xl_dtype_name(s->dtype), xl_dtype_name(s->out_dtype),
             (long long)s->m, (long long)s->n, (long long)s->k, (long long)s->x_stride,
             (long long)s->w_stride, (long long)s->out_stride, s->is_w_turned ? " turned" : "",
             s->has_bias ? " bias" : "", s->has_residual ? " residual" : "", s->alignment);
}

/* The ways that cuBLASLt offers, the best in its opinion first; how many. */
static int list_ways(const struct xl_cuda_product *product,
                     cublasLtMatmulHeuristicResult_t ways[MAX_WAYS]) {
    static const cublasLtMatmulPreferenceAttributes_t alignments[] = {
        CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES,
        CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES};
    const struct xl_cublaslt *lt = product->products->lt;
    cublasLtMatmulPreference_t preference;
    uint32_t alignment = (uint32_t)product->shape.alignment;
    uint64_t most = XL_CUDA_PRODUCT_BYTES;
    int n = 0;
    if (lt->cublasLtMatmulPreferenceCreate(&preference) != CUBLAS_STATUS_SUCCESS) return 0;
    lt->cublasLtMatmulPreferenceSetAttribute(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES,
                                             &most, sizeof most);
    for (int i = 0; i < 4; i++)
        lt->cublasLtMatmulPreferenceSetAttribute(preference, alignments[i], &alignment,
                                                 sizeof alignment);
    if (lt->cublasLtMatmulAlgoGetHeuristic(product->products->handle, product->desc, product->w,
                                           product->x, product->out, product->out, preference,
                                           MAX_WAYS, ways, &n) != CUBLAS_STATUS_SUCCESS)
        n = 0;
    lt->cublasLtMatmulPreferenceDestroy(preference);
    return n;
}

struct trial {
    const struct xl_cuda_product *product;
    const cublasLtMatmulAlgo_t *algo;
    struct xl_cuda_product_data data;
};

static bool run_trial(void *user, cudaStream_t stream) {
    const struct trial *trial = user;
    return run_with(trial->product, trial->algo, &trial->data, stream);
}

static size_t matrix_bytes(int64_t rows, int64_t stride, enum xl_dtype dtype) {
    return ((size_t)(rows * stride) * xl_dtype_size(dtype) + 255) / 256 * 256;
}

/* Of x and w, and of scales. */
static enum xl_dtype stored_dtype(const struct xl_cuda_product_shape *s) {
    return s->is_f8 ? XL_DTYPE_U8 : s->dtype;
}

/* Index of the fastest way; -1: nothing could be tried. */
static int try_ways(const struct xl_cuda_product *product,
                    const cublasLtMatmulHeuristicResult_t *ways, int n, cudaStream_t stream) {
    const struct xl_cuda_product_shape *s = &product->shape;
    size_t x = matrix_bytes(s->m, s->x_stride, stored_dtype(s));
    size_t w = matrix_bytes(s->is_w_turned ? s->k : s->n, s->w_stride, stored_dtype(s));
    size_t out = matrix_bytes(s->m, s->out_stride, s->out_dtype);
    size_t scales = matrix_bytes(s->m + s->n, 1, XL_DTYPE_F32);
    unsigned char *memory = xl_cuda_trial_memory(x + w + out + scales, stream);
    if (!memory) return -1;
    struct trial trial = {product,
                          NULL,
                          {.x = memory,
                           .w = memory + x,
                           .bias = memory,
                           .out = memory + x + w,
                           .residual = memory + x + w,
                           .x_scales = (const float *)(const void *)(memory + x + w + out),
                           .w_scales = (const float *)(const void *)(memory + x + w + out),
                           .factor = 0.5F}};
    float best = INFINITY;
    int found = -1;
    for (int i = 0; i < n; i++) {
        if (ways[i].state != CUBLAS_STATUS_SUCCESS) continue;
        trial.algo = &ways[i].algo;
        float ms = xl_cuda_trial(run_trial, &trial, best, stream);
        if (ms >= best) continue;
        best = ms;
        found = i;
    }
    xl_cuda_trial_memory_free(memory, stream);
    return found;
}

/* A way as text: the bytes of the algorithm. */
enum { ALGO_BYTES = sizeof(cublasLtMatmulAlgo_t), WAY_TEXT = 2 * ALGO_BYTES + 1 };

static void keep_way(const struct xl_cuda_product *product) {
    const unsigned char *bytes = (const unsigned char *)&product->algo;
    char text[WAY_TEXT];
    for (int i = 0; i < ALGO_BYTES; i++) snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    xl_cuda_ways_keep(product->products->ways, product->key, text);
}

/* Whether the kept way of the shape is one: it may come from a damaged file. */
static bool read_way(struct xl_cuda_product *product) {
    const struct xl_cuda_products *products = product->products;
    const char *text = xl_cuda_ways_find(products->ways, product->key);
    if (!text || strlen(text) != WAY_TEXT - 1) return false;
    unsigned char *bytes = (unsigned char *)&product->algo;
    for (int i = 0; i < ALGO_BYTES; i++) {
        unsigned byte;
        if (sscanf(text + 2 * i, "%2x", &byte) != 1) return false;
        bytes[i] = (unsigned char)byte;
    }
    cublasLtMatmulHeuristicResult_t result;
    return products->lt->cublasLtMatmulAlgoCheck(
               products->handle, product->desc, product->w, product->x, product->out, product->out,
               &product->algo, &result) == CUBLAS_STATUS_SUCCESS &&
           result.workspaceSize <= XL_CUDA_PRODUCT_BYTES;
}

static enum xl_status choose(struct xl_cuda_product *product, cudaStream_t stream,
                             struct xl_err *err) {
    cublasLtMatmulHeuristicResult_t ways[MAX_WAYS];
    product->is_measured = true;
    if (read_way(product)) return XL_OK;
    int n = list_ways(product, ways);
    if (!n) return xl_fail(err, XL_EDEVICE, "cuBLASLt has no way to compute the %s", product->key);
    int best = try_ways(product, ways, n, stream);
    product->algo = ways[best < 0 ? 0 : best].algo;
    if (best >= 0) keep_way(product);
    return XL_OK;
}

static struct xl_cuda_product *find_or_add(struct xl_cuda_products *products,
                                           const struct xl_cuda_product_shape *shape,
                                           struct xl_err *err) {
    struct xl_cuda_product *product = calloc(1, sizeof *product), *found = products->list;
    if (!product) {
        xl_fail_nomem(err, "a product", sizeof *product);
        return NULL;
    }
    product->products = products;
    product->shape = *shape;
    name_key(product);
    while (found && strcmp(found->key, product->key) != 0) found = found->next;
    if (found || !describe(product)) {
        if (!found) xl_fail(err, XL_EDEVICE, "cuBLASLt refuses the %s", product->key);
        product_free(product);
        return found;
    }
    product->next = products->list;
    products->list = product;
    return product;
}

enum xl_status xl_cuda_product_get(const struct xl_cuda_compiler *c,
                                   const struct xl_cuda_product_shape *shape,
                                   struct xl_cuda_product **out, struct xl_err *err) {
    *out = find_or_add(c->backend->products, shape, err);
    if (!*out) return XL_EDEVICE;
    if (c->is_measuring || (*out)->is_measured) return XL_OK;
    return choose(*out, c->backend->stream, err);
}

bool xl_cuda_products_have_f8(const struct xl_cuda_products *products) {
    struct xl_cuda_product_shape shape = {.dtype = XL_DTYPE_F16,
                                          .out_dtype = XL_DTYPE_F16,
                                          .is_f8 = true,
                                          .m = 128,
                                          .n = 128,
                                          .k = 128,
                                          .x_stride = 128,
                                          .w_stride = 128,
                                          .out_stride = 128,
                                          .has_bias = true,
                                          .alignment = 16};
    struct xl_cuda_product *product = calloc(1, sizeof *product);
    cublasLtMatmulHeuristicResult_t ways[MAX_WAYS];
    if (!product) return false;
    product->products = products;
    product->shape = shape;
    bool has = describe(product) && list_ways(product, ways) > 0;
    product_free(product);
    return has;
}
