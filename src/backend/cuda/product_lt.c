/* product_lt.c - how cuBLASLt is told of a product, which ways it offers, and how one is run. Bias
 * and scales are set anew for each run: one description serves all layers of a shape. */
#include "backend/cuda/product_lt.h"

enum xl_status xl_cuda_lt_open(const struct xl_cuda_workspace *workspace, struct xl_cuda_lt *out,
                               struct xl_err *err) {
    char why[XL_LOAD_TEXT];
    const struct xl_cublaslt *library = xl_cublaslt(why);
    if (!library)
        return xl_fail(
            err, XL_EDEVICE,
            "the GPU needs cuBLASLt, which cannot be loaded (%s); it comes with CUDA, or "
            "with the package libcublas",
            why);
    *out = (struct xl_cuda_lt){.library = library, .workspace = workspace};
    if (library->cublasLtCreate(&out->handle) == CUBLAS_STATUS_SUCCESS) return XL_OK;
    out->handle = NULL;
    return xl_fail(err, XL_EDEVICE, "cuBLASLt does not work on this GPU");
}

void xl_cuda_lt_close(struct xl_cuda_lt *lt) {
    if (lt->handle) lt->library->cublasLtDestroy(lt->handle);
}

void xl_cuda_lt_free(const struct xl_cuda_lt *lt, struct xl_cuda_lt_product *product) {
    if (product->desc) lt->library->cublasLtMatmulDescDestroy(product->desc);
    if (product->w) lt->library->cublasLtMatrixLayoutDestroy(product->w);
    if (product->x) lt->library->cublasLtMatrixLayoutDestroy(product->x);
    if (product->out) lt->library->cublasLtMatrixLayoutDestroy(product->out);
    *product = (struct xl_cuda_lt_product){0};
}

/* --- A shape in its terms -----------------------------------------------------------------------
 */

static cudaDataType_t type_of(enum xl_dtype dtype) {
    if (dtype == XL_DTYPE_F16) return CUDA_R_16F;
    return dtype == XL_DTYPE_BF16 ? CUDA_R_16BF : CUDA_R_32F;
}

static bool set(const struct xl_cuda_lt *lt, const struct xl_cuda_lt_product *product,
                cublasLtMatmulDescAttributes_t attribute, const void *value, size_t bytes) {
    return lt->library->cublasLtMatmulDescSetAttribute(product->desc, attribute, value, bytes) ==
           CUBLAS_STATUS_SUCCESS;
}

/* What is never read while ways are looked for, but must be set. */
static const float nothing[4] __attribute__((aligned(16)));

static bool set_scales(const struct xl_cuda_lt *lt, const struct xl_cuda_lt_product *product,
                       const float *of_w, const float *of_x) {
    return set(lt, product, CUBLASLT_MATMUL_DESC_A_SCALE_POINTER, &of_w, sizeof of_w) &&
           set(lt, product, CUBLASLT_MATMUL_DESC_B_SCALE_POINTER, &of_x, sizeof of_x);
}

/* Scales of rows; sums in fewer bits than f32 has, which are still ten times as exact as what is
 * added up. */
static bool describe_f8(const struct xl_cuda_lt *lt, const struct xl_cuda_lt_product *product) {
#if CUBLAS_VERSION >= 120900
    static const cublasLtMatmulDescAttributes_t modes[] = {CUBLASLT_MATMUL_DESC_A_SCALE_MODE,
                                                           CUBLASLT_MATMUL_DESC_B_SCALE_MODE};
    cublasLtMatmulMatrixScale_t mode = CUBLASLT_MATMUL_MATRIX_SCALE_OUTER_VEC_32F;
    int8_t is_fast = 1;
    bool ok = set(lt, product, CUBLASLT_MATMUL_DESC_FAST_ACCUM, &is_fast, sizeof is_fast);
    for (int i = 0; i < 2; i++) ok = ok && set(lt, product, modes[i], &mode, sizeof mode);
    return ok && set_scales(lt, product, nothing, nothing);
#else
    (void)lt;
    (void)product;
    return false;
#endif
}

static bool describe_bias(const struct xl_cuda_lt *lt, const struct xl_cuda_lt_product *product,
                          enum xl_dtype dtype) {
    cudaDataType_t type = type_of(dtype);
    cublasLtEpilogue_t epilogue = CUBLASLT_EPILOGUE_BIAS;
    const void *bias = nothing;
    return set(lt, product, CUBLASLT_MATMUL_DESC_EPILOGUE, &epilogue, sizeof epilogue) &&
           set(lt, product, CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE, &type, sizeof type) &&
           set(lt, product, CUBLASLT_MATMUL_DESC_BIAS_POINTER, &bias, sizeof bias);
}

static bool add_layout(const struct xl_cuda_lt *lt, cudaDataType_t type, int64_t rows,
                       int64_t columns, int64_t stride, cublasLtMatrixLayout_t *out) {
    return lt->library->cublasLtMatrixLayoutCreate(out, type, (uint64_t)rows, (uint64_t)columns,
                                                   stride) == CUBLAS_STATUS_SUCCESS;
}

static bool describe(const struct xl_cuda_lt *lt, const struct xl_cuda_product_shape *s,
                     struct xl_cuda_lt_product *out) {
    bool is_f8 = s->x_form == XL_CUDA_F8_ROWS, is_turned = s->is_w_turned;
    cudaDataType_t type = is_f8 ? CUDA_R_8F_E4M3 : type_of(s->dtype);
    cublasOperation_t turn = is_turned ? CUBLAS_OP_N : CUBLAS_OP_T;
    bool ok = lt->library->cublasLtMatmulDescCreate(&out->desc, CUBLAS_COMPUTE_32F, CUDA_R_32F) ==
                  CUBLAS_STATUS_SUCCESS &&
              set(lt, out, CUBLASLT_MATMUL_DESC_TRANSA, &turn, sizeof turn);
    if (s->has_bias) ok = ok && describe_bias(lt, out, s->out_dtype);
    if (is_f8) ok = ok && describe_f8(lt, out);
    int64_t rows = is_turned ? s->n : s->k, columns = is_turned ? s->k : s->n;
    return ok && add_layout(lt, type, rows, columns, s->w_stride, &out->w) &&
           add_layout(lt, type, s->k, s->m, s->x_stride, &out->x) &&
           add_layout(lt, type_of(s->out_dtype), s->n, s->m, s->out_stride, &out->out);
}

bool xl_cuda_lt_describe(const struct xl_cuda_lt *lt, const struct xl_cuda_product_shape *shape,
                         struct xl_cuda_lt_product *out) {
    *out = (struct xl_cuda_lt_product){0};
    if (shape->is_gated || shape->x_form == XL_CUDA_F8_BLOCKS ||
        shape->out_form != XL_CUDA_AS_TYPED)
        return false;
    if (describe(lt, shape, out)) return true;
    xl_cuda_lt_free(lt, out);
    return false;
}

bool xl_cuda_lt_run(const struct xl_cuda_lt *lt, const struct xl_cuda_lt_product *product,
                    const struct xl_cuda_product_shape *shape, const cublasLtMatmulAlgo_t *way,
                    const struct xl_cuda_product_data *data, cudaStream_t stream) {
    float beta = shape->has_residual ? 1.0F : 0.0F;
    const void *added = shape->has_residual ? data->residual : data->out;
    if (shape->has_bias &&
        !set(lt, product, CUBLASLT_MATMUL_DESC_BIAS_POINTER, &data->bias, sizeof data->bias))
        return false;
    if (shape->x_form == XL_CUDA_F8_ROWS &&
        !set_scales(lt, product, data->w_scales, data->x_scales))
        return false;
    return lt->library->cublasLtMatmul(lt->handle, product->desc, &data->factor, data->w,
                                       product->w, data->x, product->x, &beta, added, product->out,
                                       data->out, product->out, way, lt->workspace->data,
                                       XL_CUDA_PRODUCT_BYTES, stream) == CUBLAS_STATUS_SUCCESS;
}

/* --- Ways ---------------------------------------------------------------------------------------
 */

int xl_cuda_lt_ways(const struct xl_cuda_lt *lt, const struct xl_cuda_lt_product *product,
                    int alignment, cublasLtMatmulAlgo_t ways[XL_CUDA_LT_MAX_WAYS]) {
    static const cublasLtMatmulPreferenceAttributes_t alignments[] = {
        CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES,
        CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES};
    const struct xl_cublaslt *library = lt->library;
    cublasLtMatmulHeuristicResult_t results[XL_CUDA_LT_MAX_WAYS];
    cublasLtMatmulPreference_t preference;
    uint32_t bytes = (uint32_t)alignment;
    uint64_t most = XL_CUDA_PRODUCT_BYTES;
    int n = 0, n_good = 0;
    if (library->cublasLtMatmulPreferenceCreate(&preference) != CUBLAS_STATUS_SUCCESS) return 0;
    library->cublasLtMatmulPreferenceSetAttribute(
        preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &most, sizeof most);
    for (int i = 0; i < 4; i++)
        library->cublasLtMatmulPreferenceSetAttribute(preference, alignments[i], &bytes,
                                                      sizeof bytes);
    if (library->cublasLtMatmulAlgoGetHeuristic(
            lt->handle, product->desc, product->w, product->x, product->out, product->out,
            preference, XL_CUDA_LT_MAX_WAYS, results, &n) != CUBLAS_STATUS_SUCCESS)
        n = 0;
    library->cublasLtMatmulPreferenceDestroy(preference);
    for (int i = 0; i < n; i++)
        if (results[i].state == CUBLAS_STATUS_SUCCESS) ways[n_good++] = results[i].algo;
    return n_good;
}

bool xl_cuda_lt_knows(const struct xl_cuda_lt *lt, const struct xl_cuda_lt_product *product,
                      const cublasLtMatmulAlgo_t *way) {
    cublasLtMatmulHeuristicResult_t result;
    return lt->library->cublasLtMatmulAlgoCheck(lt->handle, product->desc, product->w, product->x,
                                                product->out, product->out, way,
                                                &result) == CUBLAS_STATUS_SUCCESS &&
           result.workspaceSize <= XL_CUDA_PRODUCT_BYTES;
}
