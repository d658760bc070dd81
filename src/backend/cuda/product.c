/* product.c - shapes of products with the way that each is computed in: those there are, the choice
 * among them by trial, and the choice kept as text. */
#include "backend/cuda/product.h"

#include "backend/cuda/hopper.h"
#include "backend/cuda/product_lt.h"
#include "backend/cuda/trial.h"
#include "backend/cuda/ways.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_WAYS = XL_CUDA_HOPPER_WAYS + XL_CUDA_LT_MAX_WAYS, KEY_TEXT = 192 };
/* Of cuBLASLt's, beside ours: a trial takes 2 ms, most of it bringing a kernel to the device. */
enum { ENOUGH_ALGOS = 4 };

/* One way to compute a product. */
struct way {
    bool is_ours;
    int tile;                  /* of ours */
    cublasLtMatmulAlgo_t algo; /* of cuBLASLt's */
};

struct xl_cuda_product {
    struct xl_cuda_product *next;
    const struct xl_cuda_products *products;
    struct xl_cuda_product_shape shape;
    char key[KEY_TEXT];
    struct xl_cuda_lt_product lt;
    struct way way;
    bool is_measured;
};

struct xl_cuda_products {
    struct xl_cuda_lt lt;
    bool has_ours; /* this GPU is one that our kernels are for */
    struct xl_cuda_ways *ways;
    struct xl_cuda_product *list;
};

int xl_cuda_alignment(const void *address, int64_t stride, enum xl_dtype dtype) {
    uint64_t bits = (uintptr_t)address | (uint64_t)stride * xl_dtype_size(dtype) | 256;
    return (int)(bits & -bits);
}

enum xl_status xl_cuda_products_new(const struct xl_cuda_backend *backend,
                                    struct xl_cuda_products **out, struct xl_err *err) {
    struct xl_cuda_products *products = calloc(1, sizeof *products);
    if (!products) return xl_fail_nomem(err, "products", sizeof *products);
    products->ways = backend->ways;
    products->has_ours = xl_cuda_is_hopper(backend);
    enum xl_status status = xl_cuda_lt_open(&backend->workspace, &products->lt, err);
    if (status)
        free(products);
    else
        *out = products;
    return status;
}

static void product_free(struct xl_cuda_product *product) {
    xl_cuda_lt_free(&product->products->lt, &product->lt);
    free(product);
}

void xl_cuda_products_free(struct xl_cuda_products *products) {
    if (!products) return;
    for (struct xl_cuda_product *product; (product = products->list);) {
        products->list = product->next;
        product_free(product);
    }
    xl_cuda_lt_close(&products->lt);
    free(products);
}

static bool run_way(const struct xl_cuda_product *product, const struct way *way,
                    const struct xl_cuda_product_data *data, cudaStream_t stream) {
    if (way->is_ours) return xl_cuda_hopper_run(way->tile, &product->shape, data, stream);
    return xl_cuda_lt_run(&product->products->lt, &product->lt, &product->shape, &way->algo, data,
                          stream);
}

bool xl_cuda_product_run(const struct xl_cuda_product *product,
                         const struct xl_cuda_product_data *data, cudaStream_t stream) {
    return run_way(product, &product->way, data, stream);
}

/* --- Which ways there are -----------------------------------------------------------------------
 */

static bool can_be_ours(const struct xl_cuda_products *products, int tile,
                        const struct xl_cuda_product_shape *shape) {
    return products->has_ours && xl_cuda_hopper_suits(tile, shape);
}

static bool has_ours(const struct xl_cuda_products *products,
                     const struct xl_cuda_product_shape *shape) {
    for (int tile = 0; tile < XL_CUDA_HOPPER_WAYS; tile++)
        if (can_be_ours(products, tile, shape)) return true;
    return false;
}

bool xl_cuda_products_have(const struct xl_cuda_products *products,
                           const struct xl_cuda_product_shape *shape) {
    cublasLtMatmulAlgo_t ways[XL_CUDA_LT_MAX_WAYS];
    struct xl_cuda_lt_product lt;
    if (has_ours(products, shape)) return true;
    if (!xl_cuda_lt_describe(&products->lt, shape, &lt)) return false;
    bool has = xl_cuda_lt_ways(&products->lt, &lt, shape->alignment, ways) > 0;
    xl_cuda_lt_free(&products->lt, &lt);
    return has;
}

bool xl_cuda_products_have_f8(const struct xl_cuda_products *products) {
    struct xl_cuda_product_shape shape = {.dtype = XL_DTYPE_F16,
                                          .out_dtype = XL_DTYPE_F16,
                                          .x_form = XL_CUDA_F8_ROWS,
                                          .m = 128,
                                          .n = 128,
                                          .k = 128,
                                          .x_stride = 128,
                                          .w_stride = 128,
                                          .out_stride = 128,
                                          .has_bias = true,
                                          .alignment = 16};
    return xl_cuda_products_have(products, &shape);
}

/* Ours first: their kernels are there already. */
static int list_ways(const struct xl_cuda_product *product, struct way ways[MAX_WAYS]) {
    const struct xl_cuda_products *products = product->products;
    cublasLtMatmulAlgo_t algos[XL_CUDA_LT_MAX_WAYS];
    int n = 0, n_algos = 0;
    for (int tile = 0; tile < XL_CUDA_HOPPER_WAYS; tile++)
        if (can_be_ours(products, tile, &product->shape))
            ways[n++] = (struct way){.is_ours = true, .tile = tile};
    if (product->lt.desc)
        n_algos = xl_cuda_lt_ways(&products->lt, &product->lt, product->shape.alignment, algos);
    if (n && n_algos > ENOUGH_ALGOS) n_algos = ENOUGH_ALGOS;
    for (int i = 0; i < n_algos; i++) ways[n++] = (struct way){.algo = algos[i]};
    return n;
}

/* --- A way as text: our tile's name, or the bytes of cuBLASLt's algorithm -----------------------
 */

enum { ALGO_BYTES = sizeof(cublasLtMatmulAlgo_t), WAY_TEXT = 2 * ALGO_BYTES + 1 };
static const char ours[] = "own ";

static void keep_way(const struct xl_cuda_product *product) {
    const unsigned char *bytes = (const unsigned char *)&product->way.algo;
    char text[WAY_TEXT];
    if (product->way.is_ours)
        snprintf(text, sizeof text, "%s%s", ours, xl_cuda_hopper_name(product->way.tile));
    for (int i = 0; !product->way.is_ours && i < ALGO_BYTES; i++)
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    xl_cuda_ways_keep(product->products->ways, product->key, text);
}

static bool read_tile(struct xl_cuda_product *product, const char *name) {
    struct way *way = &product->way;
    way->is_ours = true;
    for (way->tile = 0; way->tile < XL_CUDA_HOPPER_WAYS; way->tile++)
        if (!strcmp(name, xl_cuda_hopper_name(way->tile)))
            return can_be_ours(product->products, way->tile, &product->shape);
    return false;
}

/* Whether the kept way of the shape is one: it may come from a damaged file. */
static bool read_way(struct xl_cuda_product *product) {
    const struct xl_cuda_products *products = product->products;
    const char *text = xl_cuda_ways_find(products->ways, product->key);
    if (!text) return false;
    if (!strncmp(text, ours, sizeof ours - 1)) return read_tile(product, text + sizeof ours - 1);
    if (!product->lt.desc || strlen(text) != WAY_TEXT - 1) return false;
    unsigned char *bytes = (unsigned char *)&product->way.algo;
    product->way.is_ours = false;
    for (int i = 0; i < ALGO_BYTES; i++) {
        unsigned byte;
        if (sscanf(text + 2 * i, "%2x", &byte) != 1) return false;
        bytes[i] = (unsigned char)byte;
    }
    return xl_cuda_lt_knows(&products->lt, &product->lt, &product->way.algo);
}

/* --- Choosing -----------------------------------------------------------------------------------
 */

struct trial {
    const struct xl_cuda_product *product;
    const struct way *way;
    struct xl_cuda_product_data data;
};

static bool run_trial(void *user, cudaStream_t stream) {
    const struct trial *trial = user;
    return run_way(trial->product, trial->way, &trial->data, stream);
}

static size_t matrix_bytes(int64_t rows, int64_t stride, enum xl_dtype dtype) {
    return ((size_t)(rows * stride) * xl_dtype_size(dtype) + 255) / 256 * 256;
}

/* Floats that a product reads as scales, at most; bias is read from there, too. */
static int64_t n_scales(const struct xl_cuda_product_shape *s) {
    return s->n + s->m * (s->k / XL_CUDA_F8_BLOCK + 1);
}

/* Index of the fastest way; -1: nothing could be tried. */
static int try_ways(const struct xl_cuda_product *product, const struct way *ways, int n,
                    cudaStream_t stream) {
    const struct xl_cuda_product_shape *s = &product->shape;
    enum xl_dtype stored = s->x_form == XL_CUDA_AS_TYPED ? s->dtype : XL_DTYPE_U8;
    size_t x = matrix_bytes(s->m, s->x_stride, stored);
    size_t w = matrix_bytes(s->is_w_turned ? s->k : s->n, s->w_stride, stored);
    size_t out = matrix_bytes(s->m, s->out_stride, s->out_dtype);
    size_t scales = matrix_bytes(n_scales(s), 1, XL_DTYPE_F32);
    unsigned char *memory = xl_cuda_trial_memory(x + w + out + scales, stream);
    if (!memory) return -1;
    const void *at_scales = memory + x + w + out;
    struct trial trial = {product,
                          NULL,
                          {.x = memory,
                           .w = memory + x,
                           .bias = at_scales,
                           .out = memory + x + w,
                           .residual = memory + x + w,
                           .x_scales = at_scales,
                           .w_scales = at_scales,
                           .factor = 0.5F}};
    float best = INFINITY;
    int found = -1;
    for (int i = 0; i < n; i++) {
        trial.way = &ways[i];
        float ms = xl_cuda_trial(run_trial, &trial, best, stream);
        if (ms >= best) continue;
        best = ms;
        found = i;
    }
    xl_cuda_trial_memory_free(memory, stream);
    return found;
}

static enum xl_status choose(struct xl_cuda_product *product, cudaStream_t stream,
                             struct xl_err *err) {
    struct way ways[MAX_WAYS];
    product->is_measured = true;
    if (read_way(product)) return XL_OK;
    int n = list_ways(product, ways);
    if (!n) return xl_fail(err, XL_EDEVICE, "cuBLASLt has no way to compute the %s", product->key);
    int best = n > 1 ? try_ways(product, ways, n, stream) : 0;
    product->way = ways[best < 0 ? 0 : best];
    if (best >= 0) keep_way(product);
    return XL_OK;
}

/* --- Shapes -------------------------------------------------------------------------------------
 */

static void name_key(struct xl_cuda_product *product) {
    static const char *const forms[] = {NULL, "F8", "F8 in blocks"};
    const struct xl_cuda_product_shape *s = &product->shape;
    const char *x = forms[s->x_form], *out = forms[s->out_form];
    snprintf(product->key, sizeof product->key,
             "product %s %s %lldx%lldx%lld rows %lld %lld %lld%s%s%s%s%s%s by %d",
             x ? x : xl_dtype_name(s->dtype), xl_dtype_name(s->out_dtype), (long long)s->m,
             (long long)s->n, (long long)s->k, (long long)s->x_stride, (long long)s->w_stride,
             (long long)s->out_stride, s->is_w_turned ? " turned" : "", s->has_bias ? " bias" : "",
             s->has_residual ? " residual" : "", s->is_gated ? " gated" : "", out ? " to " : "",
             out ? out : "", s->alignment);
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
    if (!found && !xl_cuda_lt_describe(&products->lt, shape, &product->lt) &&
        !has_ours(products, shape)) {
        xl_fail(err, XL_EDEVICE, "cuBLASLt refuses the %s", product->key);
        product_free(product);
        return NULL;
    }
    if (found) {
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
