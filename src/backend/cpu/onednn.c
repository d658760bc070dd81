/* onednn.c - products by oneDNN.
 *
 * Which primitive: a matrix product is a matmul where the CPU has AVX-512 (brgemm on blocked
 * weights, of a layout that does not depend on the number of rows), and a 1x1 convolution
 * elsewhere, because oneDNN 2's f32 matmul on AVX2 is a gemm that packs the weights again on every
 * call (measured on Zen 3, one core, 256 rows, 1280 -> 1280: matmul 84, inner product 84, 1x1
 * convolution 98 GFLOP/s of 102.6). oneDNN's Winograd is not used: it needs AVX-512 and channels in
 * blocks of 16, and later versions dropped it; winograd.c is our own.
 */
#include "backend/cpu/onednn.h"

#include <assert.h>
#include <dlfcn.h>
#include <oneapi/dnnl/dnnl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* --- The two interfaces of oneDNN ------------------------------------------------------------ */

enum { MAX_DIMS = 4, TILE_ROWS = 16 /* of AMX */ };

/* Where elements lie: strides of whole blocks, and the sizes and dimensions of the blocks within.
 */
struct blocking {
    int64_t stride[MAX_DIMS];
    int n_inner;
    int64_t inner_size[DNNL_MAX_NDIMS], inner_dim[DNNL_MAX_NDIMS];
};

struct geometry {
    dnnl_dims_t stride, pad_before, pad_after;
};

static bool is_amx(const_dnnl_primitive_desc_t desc) {
    const char *name = NULL;
    return !dnnl_primitive_desc_query(desc, dnnl_query_impl_info_str, 0, (void *)&name) && name &&
           strstr(name, "amx");
}

#if DNNL_VERSION_MAJOR >= 3

typedef const_dnnl_memory_desc_t const_desc;
struct desc {
    dnnl_memory_desc_t handle;
};

static const_desc desc_view(const struct desc *desc) {
    return desc->handle;
}

static void desc_deinit(struct desc *desc) {
    if (desc->handle) dnnl_memory_desc_destroy(desc->handle);
}

static bool desc_init(struct desc *desc, int n, const dnnl_dims_t dims, dnnl_data_type_t dtype,
                      const dnnl_dims_t strides) {
    if (!strides)
        return !dnnl_memory_desc_create_with_tag(&desc->handle, n, dims, dtype,
                                                 dnnl_format_tag_any);
    return !dnnl_memory_desc_create_with_strides(&desc->handle, n, dims, dtype, strides);
}

/* On to an implementation without AMX, where that is asked for. */
static dnnl_status_t settle(dnnl_primitive_desc_t *out, dnnl_status_t status, bool has_amx) {
    while (!status && !has_amx && is_amx(*out)) status = dnnl_primitive_desc_next_impl(*out);
    if (status && *out) {
        dnnl_primitive_desc_destroy(*out);
        *out = NULL;
    }
    return status;
}

static dnnl_status_t convolution_create(dnnl_primitive_desc_t *out, dnnl_engine_t engine,
                                        const const_desc *xwy, const struct geometry *geometry,
                                        const_dnnl_primitive_attr_t attr, bool has_amx) {
    dnnl_dims_t dilation = {0};
    dnnl_status_t status = dnnl_convolution_forward_primitive_desc_create(
        out, engine, dnnl_forward_inference, dnnl_convolution_direct, xwy[0], xwy[1], NULL, xwy[2],
        geometry->stride, dilation, geometry->pad_before, geometry->pad_after, attr);
    return settle(out, status, has_amx);
}

static dnnl_status_t matmul_create(dnnl_primitive_desc_t *out, dnnl_engine_t engine,
                                   const const_desc *xwy, const_dnnl_primitive_attr_t attr,
                                   bool has_amx) {
    dnnl_status_t status =
        dnnl_matmul_primitive_desc_create(out, engine, xwy[0], xwy[1], NULL, xwy[2], attr);
    return settle(out, status, has_amx);
}

static bool blocking_of(const_desc desc, int n, struct blocking *out) {
    dnnl_format_kind_t kind;
    const dnnl_dims_t *strides, *sizes, *dims;
    bool ok = !dnnl_memory_desc_query(desc, dnnl_query_format_kind, &kind) &&
              kind == dnnl_blocked && !dnnl_memory_desc_query(desc, dnnl_query_strides, &strides) &&
              !dnnl_memory_desc_query(desc, dnnl_query_inner_nblks_s32, &out->n_inner) &&
              !dnnl_memory_desc_query(desc, dnnl_query_inner_blks, &sizes) &&
              !dnnl_memory_desc_query(desc, dnnl_query_inner_idxs, &dims);
    if (!ok) return false;
    memcpy(out->stride, strides, (size_t)n * sizeof out->stride[0]);
    memcpy(out->inner_size, sizes, sizeof out->inner_size);
    memcpy(out->inner_dim, dims, sizeof out->inner_dim);
    return true;
}

#else

typedef const dnnl_memory_desc_t *const_desc;
struct desc {
    dnnl_memory_desc_t value;
};

static const_desc desc_view(const struct desc *desc) {
    return &desc->value;
}

static void desc_deinit(struct desc *desc) {
    (void)desc;
}

static bool desc_init(struct desc *desc, int n, const dnnl_dims_t dims, dnnl_data_type_t dtype,
                      const dnnl_dims_t strides) {
    if (!strides)
        return !dnnl_memory_desc_init_by_tag(&desc->value, n, dims, dtype, dnnl_format_tag_any);
    return !dnnl_memory_desc_init_by_strides(&desc->value, n, dims, dtype, strides);
}

/* The first implementation, or the first without AMX, where that is asked for. */
static dnnl_status_t first_of(dnnl_primitive_desc_t *out, const_dnnl_op_desc_t desc,
                              dnnl_engine_t engine, const_dnnl_primitive_attr_t attr,
                              bool has_amx) {
    dnnl_primitive_desc_iterator_t all;
    dnnl_status_t status = dnnl_primitive_desc_iterator_create(&all, desc, attr, engine, NULL);
    if (status) return status;
    *out = dnnl_primitive_desc_iterator_fetch(all);
    while (*out && !has_amx && is_amx(*out)) {
        dnnl_primitive_desc_destroy(*out);
        status = dnnl_primitive_desc_iterator_next(all);
        *out = status ? NULL : dnnl_primitive_desc_iterator_fetch(all);
    }
    dnnl_primitive_desc_iterator_destroy(all);
    return !status && !*out ? dnnl_out_of_memory : status;
}

static dnnl_status_t convolution_create(dnnl_primitive_desc_t *out, dnnl_engine_t engine,
                                        const const_desc *xwy, const struct geometry *geometry,
                                        const_dnnl_primitive_attr_t attr, bool has_amx) {
    dnnl_convolution_desc_t desc;
    dnnl_status_t status = dnnl_convolution_forward_desc_init(
        &desc, dnnl_forward_inference, dnnl_convolution_direct, xwy[0], xwy[1], NULL, xwy[2],
        geometry->stride, geometry->pad_before, geometry->pad_after);
    return status ? status : first_of(out, &desc, engine, attr, has_amx);
}

static dnnl_status_t matmul_create(dnnl_primitive_desc_t *out, dnnl_engine_t engine,
                                   const const_desc *xwy, const_dnnl_primitive_attr_t attr,
                                   bool has_amx) {
    dnnl_matmul_desc_t desc;
    dnnl_status_t status = dnnl_matmul_desc_init(&desc, xwy[0], xwy[1], NULL, xwy[2]);
    return status ? status : first_of(out, &desc, engine, attr, has_amx);
}

static bool blocking_of(const_desc desc, int n, struct blocking *out) {
    if (desc->format_kind != dnnl_blocked) return false;
    const dnnl_blocking_desc_t *from = &desc->format_desc.blocking;
    memcpy(out->stride, from->strides, (size_t)n * sizeof out->stride[0]);
    out->n_inner = from->inner_nblks;
    memcpy(out->inner_size, from->inner_blks, sizeof out->inner_size);
    memcpy(out->inner_dim, from->inner_idxs, sizeof out->inner_dim);
    return true;
}

#endif

/* --- Products -------------------------------------------------------------------------------- */

/* What a worker passes to a primitive; only the addresses change from run to run. */
struct arguments {
    dnnl_memory_t x, y, scratch;
};

struct xl_dnn_prototype {
    struct xl_dnn_prototype *next;
    struct xl_dnn_shape shape;
    dnnl_primitive_desc_t desc;
    struct xl_dnn_layout layout;
    const struct xl_dnn_prototype *shared; /* an older one of the same layout, or NULL */
};

struct xl_dnn_product {
    struct xl_dnn_product *next;
    struct xl_dnn *dnn;
    struct xl_dnn_shape shape;
    const struct xl_dnn_prototype *prototype;
    dnnl_primitive_desc_t desc;
    dnnl_primitive_t primitive;
    struct arguments *workers;
    size_t scratch_bytes;
};

struct xl_dnn_weights {
    dnnl_memory_t memory;
};

struct xl_dnn {
    int n_workers;
    dnnl_engine_t engine;
    dnnl_primitive_attr_t attr;
    dnnl_stream_t *streams; /* by worker */
    struct xl_dnn_prototype *prototypes;
    struct xl_dnn_product *products;
    bool has_run_out; /* of memory, since check_headroom */
    char version[32];
};

const char *xl_dnn_version(const struct xl_dnn *dnn) {
    return dnn->version;
}

enum xl_status xl_dnn_open(int n_workers, struct xl_dnn **out, struct xl_err *err) {
    struct xl_dnn *dnn = calloc(1, sizeof *dnn);
    dnnl_stream_t *streams = calloc((size_t)n_workers, sizeof(dnnl_stream_t));
    if (!dnn || !streams) {
        free(dnn);
        free(streams);
        return xl_fail_nomem(err, "oneDNN", 0);
    }
    dnn->n_workers = n_workers;
    dnn->streams = streams;
    const dnnl_version_t *version = dnnl_version();
    snprintf(dnn->version, sizeof dnn->version, "oneDNN %d.%d.%d", version->major, version->minor,
             version->patch);
    bool ok = !dnnl_engine_create(&dnn->engine, dnnl_cpu, 0) &&
              !dnnl_primitive_attr_create(&dnn->attr) &&
              !dnnl_primitive_attr_set_scratchpad_mode(dnn->attr, dnnl_scratchpad_mode_user);
    for (int i = 0; ok && i < n_workers; i++)
        ok = !dnnl_stream_create(&streams[i], dnn->engine, dnnl_stream_default_flags);
    if (!ok) {
        xl_dnn_close(dnn);
        return xl_fail(err, XL_EINTERNAL, "oneDNN cannot be initialised");
    }
    *out = dnn;
    return XL_OK;
}

static void prototype_free(struct xl_dnn_prototype *prototype) {
    if (prototype->desc) dnnl_primitive_desc_destroy(prototype->desc);
    free(prototype->layout.o);
    free(prototype->layout.c);
    free(prototype->layout.tap);
    free(prototype);
}

static void product_free(struct xl_dnn_product *product) {
    for (int i = 0; product->workers && i < product->dnn->n_workers; i++) {
        dnnl_memory_destroy(product->workers[i].x);
        dnnl_memory_destroy(product->workers[i].y);
        dnnl_memory_destroy(product->workers[i].scratch);
    }
    if (product->primitive) dnnl_primitive_destroy(product->primitive);
    if (product->desc) dnnl_primitive_desc_destroy(product->desc);
    free(product->workers);
    free(product);
}

void xl_dnn_close(struct xl_dnn *dnn) {
    if (!dnn) return;
    for (struct xl_dnn_product *p = dnn->products, *next; p; p = next) {
        next = p->next;
        product_free(p);
    }
    for (struct xl_dnn_prototype *p = dnn->prototypes, *next; p; p = next) {
        next = p->next;
        prototype_free(p);
    }
    for (int i = 0; i < dnn->n_workers; i++)
        if (dnn->streams[i]) dnnl_stream_destroy(dnn->streams[i]);
    if (dnn->attr) dnnl_primitive_attr_destroy(dnn->attr);
    if (dnn->engine) dnnl_engine_destroy(dnn->engine);
    free(dnn->streams);
    free(dnn);
}

int xl_dnn_limit_threads(int n_threads) {
    /* Looked up rather than linked: whether there is an OpenMP is oneDNN's choice. */
    int (*get)(void) = NULL;
    void (*set)(int) = NULL;
    *(void **)&get = dlsym(RTLD_DEFAULT, "omp_get_max_threads");
    *(void **)&set = dlsym(RTLD_DEFAULT, "omp_set_num_threads");
    if (!get || !set) return n_threads;
    int before = get();
    set(n_threads);
    return before;
}

static bool is_matrix(const struct xl_dnn_shape *s) {
    return s->kernel_h == 1 && s->kernel_w == 1 && s->stride == 1 && !s->pad_top && !s->pad_left &&
           !s->pad_bottom && !s->pad_right;
}

static bool is_matmul(const struct xl_dnn_shape *s) {
    bool has_avx512 = (dnnl_get_effective_cpu_isa() & dnnl_cpu_isa_avx512_core) ==
                      dnnl_cpu_isa_avx512_core;
    return is_matrix(s) && (has_avx512 || s->dtype == XL_DTYPE_BF16 || s->is_plain);
}

static dnnl_data_type_t data_type(const struct xl_dnn_shape *s) {
    return s->dtype == XL_DTYPE_BF16 ? dnnl_bf16 : dnnl_f32;
}

/* descs: x, weights, y. They must be zeroed. */
static bool describe_matmul(const struct xl_dnn_shape *s, struct desc *descs) {
    int64_t rows = s->height * s->width;
    dnnl_dims_t x = {rows, s->c}, w = {s->c, s->o}, y = {rows, s->o};
    dnnl_dims_t x_strides = {s->c, 1}, y_strides = {s->o, 1};
    return desc_init(&descs[0], 2, x, data_type(s), x_strides) &&
           desc_init(&descs[1], 2, w, data_type(s), NULL) &&
           desc_init(&descs[2], 2, y, dnnl_f32, y_strides);
}

static bool describe_convolution(const struct xl_dnn_shape *s, struct desc *descs) {
    int64_t height = (s->height + s->pad_top + s->pad_bottom - s->kernel_h) / s->stride + 1;
    int64_t width = (s->width + s->pad_left + s->pad_right - s->kernel_w) / s->stride + 1;
    dnnl_dims_t x = {1, s->c, s->height, s->width}, y = {1, s->o, height, width};
    dnnl_dims_t w = {s->o, s->c, s->kernel_h, s->kernel_w};
    dnnl_dims_t x_strides = {s->height * s->width * s->c, 1, s->width * s->c, s->c};
    dnnl_dims_t y_strides = {height * width * s->o, 1, width * s->o, s->o};
    return desc_init(&descs[0], 4, x, data_type(s), x_strides) &&
           desc_init(&descs[1], 4, w, data_type(s), NULL) &&
           desc_init(&descs[2], 4, y, dnnl_f32, y_strides);
}

/* Whether it went well; notes when memory was the reason that it did not. */
static bool succeeded(struct xl_dnn *dnn, dnnl_status_t status) {
    if (status == dnnl_out_of_memory) dnn->has_run_out = true;
    return status == dnnl_success;
}

static const_desc query(const_dnnl_primitive_desc_t desc, dnnl_query_t what) {
    return dnnl_primitive_desc_query_md(desc, what, 0);
}

/* prototype: whose layout of weights to take; NULL: any. NULL when oneDNN has no such primitive. */
static dnnl_primitive_desc_t create_with(struct xl_dnn *dnn, const struct xl_dnn_shape *s,
                                         const struct xl_dnn_prototype *prototype, bool has_amx) {
    struct desc descs[3];
    memset(descs, 0, sizeof descs);
    dnnl_primitive_desc_t created = NULL;
    bool ok = is_matmul(s) ? describe_matmul(s, descs) : describe_convolution(s, descs);
    if (ok) {
        const_desc xwy[] = {desc_view(&descs[0]), desc_view(&descs[1]), desc_view(&descs[2])};
        if (prototype) xwy[1] = query(prototype->desc, dnnl_query_weights_md);
        struct geometry geometry = {
            {s->stride, s->stride}, {s->pad_top, s->pad_left}, {s->pad_bottom, s->pad_right}};
        ok = succeeded(dnn, is_matmul(s)
                                ? matmul_create(&created, dnn->engine, xwy, dnn->attr, has_amx)
                                : convolution_create(&created, dnn->engine, xwy, &geometry,
                                                     dnn->attr, has_amx));
    }
    for (int i = 0; i < 3; i++) desc_deinit(&descs[i]);
    return ok ? created : NULL;
}

static int64_t width_of_result(const struct xl_dnn_shape *s) {
    return (s->width + s->pad_left + s->pad_right - s->kernel_w) / s->stride + 1;
}

/* Results narrower than a tile are computed without AMX: for some of a few pixels oneDNN 2.6 reads
 * beyond its memory while it makes the primitive.
 *
 * oneDNN takes AMX for products from some size on, and AMX rounds otherwise: a row's result would
 * depend on how many rows there are beside it. So AMX is taken where one row gets it, too (that is,
 * for all but the narrowest weights). */
static dnnl_primitive_desc_t create_desc(struct xl_dnn *dnn, const struct xl_dnn_shape *s,
                                         const struct xl_dnn_prototype *prototype) {
    bool is_narrow = !is_matmul(s) && width_of_result(s) < TILE_ROWS;
    dnnl_primitive_desc_t created = create_with(dnn, s, prototype, !is_narrow);
    if (!created || !is_matmul(s) || !is_amx(created)) return created;
    struct xl_dnn_shape row = *s;
    row.height = row.width = 1;
    dnnl_primitive_desc_t of_row = create_with(dnn, &row, NULL, true);
    bool is_the_same = of_row && is_amx(of_row);
    if (of_row) dnnl_primitive_desc_destroy(of_row);
    if (is_the_same) return created;
    dnnl_primitive_desc_destroy(created);
    return create_with(dnn, s, prototype, false);
}

static bool create_arguments(struct xl_dnn_product *product) {
    const_desc x = query(product->desc, dnnl_query_src_md);
    const_desc y = query(product->desc, dnnl_query_dst_md);
    const_desc scratch = query(product->desc, dnnl_query_scratchpad_md);
    dnnl_engine_t engine = product->dnn->engine;
    product->scratch_bytes = dnnl_memory_desc_get_size(scratch);
    for (int i = 0; i < product->dnn->n_workers; i++) {
        struct arguments *worker = &product->workers[i];
        dnnl_status_t status = dnnl_memory_create(&worker->x, x, engine, DNNL_MEMORY_NONE);
        if (!status) status = dnnl_memory_create(&worker->y, y, engine, DNNL_MEMORY_NONE);
        if (!status)
            status = dnnl_memory_create(&worker->scratch, scratch, engine, DNNL_MEMORY_NONE);
        if (!succeeded(product->dnn, status)) return false;
    }
    return true;
}

/* Offsets of indices 0 .. n-1 of dimension dim: the last inner block varies fastest. */
static int64_t *offsets_along(const struct blocking *blocking, int dim, int64_t n) {
    int64_t *offsets = calloc((size_t)n, sizeof *offsets);
    for (int64_t i = 0; offsets && i < n; i++) {
        int64_t rest = i, step = 1;
        for (int b = blocking->n_inner - 1; b >= 0; b--) {
            int64_t size = blocking->inner_size[b];
            if (blocking->inner_dim[b] == dim) {
                offsets[i] += rest % size * step;
                rest /= size;
            }
            step *= size;
        }
        offsets[i] += rest * blocking->stride[dim];
    }
    return offsets;
}

static bool find_layout(struct xl_dnn *dnn, struct xl_dnn_prototype *prototype) {
    const struct xl_dnn_shape *s = &prototype->shape;
    struct xl_dnn_layout *layout = &prototype->layout;
    const_desc weights = query(prototype->desc, dnnl_query_weights_md);
    struct blocking blocking;
    bool is_two_dim = is_matmul(s);
    if (!blocking_of(weights, is_two_dim ? 2 : 4, &blocking)) return false;
    layout->bytes = dnnl_memory_desc_get_size(weights);
    layout->n_o = s->o;
    layout->n_c = s->c;
    layout->n_taps = s->kernel_h * s->kernel_w;
    layout->o = offsets_along(&blocking, is_two_dim ? 1 : 0, s->o);
    layout->c = offsets_along(&blocking, is_two_dim ? 0 : 1, s->c);
    layout->tap = calloc((size_t)layout->n_taps, sizeof *layout->tap);
    dnn->has_run_out |= !layout->o || !layout->c || !layout->tap;
    if (dnn->has_run_out) return false;
    if (is_two_dim) return true;
    int64_t *y = offsets_along(&blocking, 2, s->kernel_h);
    int64_t *x = offsets_along(&blocking, 3, s->kernel_w);
    for (int64_t i = 0; y && x && i < layout->n_taps; i++)
        layout->tap[i] = y[i / s->kernel_w] + x[i % s->kernel_w];
    dnn->has_run_out |= !y || !x;
    free(y);
    free(x);
    return !dnn->has_run_out;
}

static bool is_same_shape(const struct xl_dnn_shape *a, const struct xl_dnn_shape *b) {
    return a->dtype == b->dtype && a->height == b->height && a->width == b->width && a->c == b->c &&
           a->o == b->o && a->kernel_h == b->kernel_h && a->kernel_w == b->kernel_w &&
           a->stride == b->stride && a->pad_top == b->pad_top && a->pad_left == b->pad_left &&
           a->pad_bottom == b->pad_bottom && a->pad_right == b->pad_right &&
           a->is_plain == b->is_plain;
}

/* oneDNN's name of the implementation that was chosen. */
static const char *product_name(const struct xl_dnn_product *product) {
    const char *name = "?";
    dnnl_primitive_desc_query(product->desc, dnnl_query_impl_info_str, 0, &name);
    return name;
}

static enum xl_status fail_shape(const struct xl_dnn *dnn, const struct xl_dnn_shape *s,
                                 struct xl_err *err) {
    if (dnn->has_run_out) return xl_fail_nomem(err, "a product", 0);
    return xl_fail(err, XL_EINTERNAL,
                   "oneDNN has no %s product of %lldx%lldx%lld by %lldx%lld to %lld channels",
                   xl_dtype_name(s->dtype), (long long)s->height, (long long)s->width,
                   (long long)s->c, (long long)s->kernel_h, (long long)s->kernel_w,
                   (long long)s->o);
}

/* oneDNN 2.6 crashes when an allocation of its code generator fails, so it is only asked for a
 * primitive while a few megabytes can be had. */
static enum xl_status check_headroom(struct xl_dnn *dnn, struct xl_err *err) {
    enum { HEADROOM = 8 << 20 };
    dnn->has_run_out = false;
    void *room = mmap(NULL, HEADROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (room == MAP_FAILED) return xl_fail_nomem(err, "oneDNN", HEADROOM);
    munmap(room, HEADROOM);
    return XL_OK;
}

/* A prototype that wants the weights just as `wanted` does; NULL: none. */
static const struct xl_dnn_prototype *find_equal(const struct xl_dnn *dnn,
                                                 const struct xl_dnn_prototype *wanted) {
    const_desc desc = query(wanted->desc, dnnl_query_weights_md);
    for (const struct xl_dnn_prototype *p = dnn->prototypes; p; p = p->next)
        if (!p->shared && dnnl_memory_desc_equal(query(p->desc, dnnl_query_weights_md), desc))
            return p;
    return NULL;
}

enum xl_status xl_dnn_prototype(struct xl_dnn *dnn, const struct xl_dnn_shape *shape,
                                const struct xl_dnn_prototype **out, struct xl_err *err) {
    for (struct xl_dnn_prototype *p = dnn->prototypes; p; p = p->next) {
        if (is_same_shape(&p->shape, shape)) {
            *out = p->shared ? p->shared : p;
            return XL_OK;
        }
    }
    enum xl_status status = check_headroom(dnn, err);
    if (status) return status;
    struct xl_dnn_prototype *prototype = calloc(1, sizeof *prototype);
    if (!prototype) return xl_fail_nomem(err, "a product", sizeof *prototype);
    prototype->shape = *shape;
    prototype->desc = create_desc(dnn, shape, NULL);
    if (!prototype->desc || !find_layout(dnn, prototype)) {
        prototype_free(prototype);
        return fail_shape(dnn, shape, err);
    }
    prototype->shared = find_equal(dnn, prototype);
    prototype->next = dnn->prototypes;
    dnn->prototypes = prototype;
    *out = prototype->shared ? prototype->shared : prototype;
    return XL_OK;
}

const struct xl_dnn_layout *xl_dnn_prototype_layout(const struct xl_dnn_prototype *prototype) {
    return &prototype->layout;
}

enum xl_dtype xl_dnn_prototype_dtype(const struct xl_dnn_prototype *prototype) {
    return prototype->shape.dtype;
}

enum xl_status xl_dnn_product(struct xl_dnn *dnn, const struct xl_dnn_shape *shape,
                              const struct xl_dnn_prototype *prototype,
                              const struct xl_dnn_product **out, struct xl_err *err) {
    for (struct xl_dnn_product *p = dnn->products; p; p = p->next) {
        if (p->prototype == prototype && is_same_shape(&p->shape, shape)) {
            *out = p;
            return XL_OK;
        }
    }
    enum xl_status status = check_headroom(dnn, err);
    if (status) return status;
    struct xl_dnn_product *product = calloc(1, sizeof *product);
    struct arguments *workers = calloc((size_t)dnn->n_workers, sizeof *workers);
    if (!product || !workers) {
        free(product);
        free(workers);
        return xl_fail_nomem(err, "a product", sizeof *product);
    }
    product->dnn = dnn;
    product->shape = *shape;
    product->prototype = prototype;
    product->workers = workers;
    product->desc = create_desc(dnn, shape, prototype);
    if (!product->desc ||
        !succeeded(dnn, dnnl_primitive_create(&product->primitive, product->desc)) ||
        !create_arguments(product)) {
        product_free(product);
        return fail_shape(dnn, shape, err);
    }
    product->next = dnn->products;
    dnn->products = product;
    *out = product;
    return XL_OK;
}

size_t xl_dnn_product_scratch(const struct xl_dnn_product *product) {
    return product->scratch_bytes;
}

bool xl_dnn_product_is_reference(const struct xl_dnn_product *product) {
    return strncmp(product_name(product), "ref", 3) == 0;
}

enum xl_status xl_dnn_weights_new(struct xl_dnn *dnn, const struct xl_dnn_prototype *prototype,
                                  void *data, struct xl_dnn_weights **out, struct xl_err *err) {
    struct xl_dnn_weights *weights = calloc(1, sizeof *weights);
    const_desc desc = query(prototype->desc, dnnl_query_weights_md);
    if (!weights || dnnl_memory_create(&weights->memory, desc, dnn->engine, data)) {
        free(weights);
        return xl_fail_nomem(err, "packed weights", 0);
    }
    *out = weights;
    return XL_OK;
}

void xl_dnn_weights_free(struct xl_dnn_weights *weights) {
    if (!weights) return;
    dnnl_memory_destroy(weights->memory);
    free(weights);
}

bool xl_dnn_run(const struct xl_dnn_product *product, int worker, const void *x,
                const struct xl_dnn_weights *weights, float *y, void *scratch) {
    struct arguments *memory = &product->workers[worker];
    void *x_handle = NULL; /* oneDNN's interface lacks const; x is only read */
    memcpy(&x_handle, &x, sizeof x);
    bool ok = !dnnl_memory_set_data_handle(memory->x, x_handle) &&
              !dnnl_memory_set_data_handle(memory->y, y) &&
              !dnnl_memory_set_data_handle(memory->scratch, scratch);
    dnnl_exec_arg_t args[] = {{DNNL_ARG_SRC, memory->x},
                              {DNNL_ARG_WEIGHTS, weights->memory},
                              {DNNL_ARG_DST, memory->y},
                              {DNNL_ARG_SCRATCHPAD, memory->scratch}};
    dnnl_stream_t stream = product->dnn->streams[worker];
    return ok && !dnnl_primitive_execute(product->primitive, stream, 4, args) &&
           !dnnl_stream_wait(stream);
}
