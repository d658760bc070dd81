/* product.c - linear and conv2d: strips of rows times chunks of output channels.
 *
 * A linear layer is a convolution by 1x1 of a picture that is one pixel wide. Each task runs one
 * product over a strip and a chunk into scratch memory, in f32, and then finishes the tile (bias,
 * activation, residual, dtype) while it is in the cache. Tasks of one chunk follow each other, so
 * that all threads stream the same weights.
 *
 * All strips must agree on one layout of the weights, but oneDNN may want another one for the strip
 * at an edge, or for the last, shorter one, and would then fall back to its slow reference. In that
 * case strips are gathered: built in scratch memory with their padding, all of one shape, the last
 * one overlapping the one before.
 *
 * Convolving an enlarged picture (upsample): a pixel of the result sees only 2x2 different pixels
 * of the small picture, so each quarter of the result is a 2x2 convolution whose weights are sums
 * of the 3x3 ones: 4/9 of the operations.
 */
#include "backend/cpu/product.h"

#include <assert.h>
#include <string.h>

enum {
    CHUNK = 320,        /* output channels of a task: a strip of it fits the second-level cache */
    MAX_CHUNK = 384,    /* not cut below this */
    STRIP_ROWS = 128,   /* of a linear layer: amortises reading the weights */
    STRIP_PIXELS = 256, /* of a convolution */
    ENOUGH_TASKS = 32,  /* shorter strips until there are so many */
};

/* The part of the result that one kernel computes: all of it, or a quarter of an enlarged one. */
struct phase {
    int64_t y, x; /* of its first pixel; pixels are `spread` apart */
    int64_t oh, ow;
    int64_t pad_top, pad_left;
    struct strip *strips;
    const struct xl_dnn_prototype *whole, *last; /* of the chunks */
    const struct xl_packed *packed;
};

struct strip {
    int64_t in_row, in_rows;   /* of the picture; when gathered, of the padded picture */
    int64_t out_row, out_rows; /* of the phase */
    int64_t n_done;            /* first rows that belong to the strip before */
    const struct xl_dnn_product *whole, *last;
};

struct product {
    struct xl_space *space;
    const struct xl_cpu_kernels *kernels;
    struct xl_product_spec spec;
    enum xl_dtype dtype; /* of the products */
    int64_t kernel_h, kernel_w;
    int64_t chunk, n_chunks, rows, n_strips; /* rows: of a strip */
    int spread, n_phases;
    struct phase phases[4];
    bool is_gathered, is_plain;   /* is_plain: see xl_dnn_shape */
    int64_t gathered_w;           /* of a strip with its padding */
    int64_t seen_h, seen_w, zoom; /* the picture as gathered: `zoom` times as large */
    size_t x_bytes,
        acc_bytes; /* scratch: the strip in dtype when it has to be converted; the tile */
};

/* --- Running --------------------------------------------------------------------------------- */

/* The rows of a strip from the enlarged and padded picture. */
static void gather(const struct product *p, const struct phase *phase, const struct strip *strip,
                   int64_t image, unsigned char *to) {
    const struct xl_product_spec *s = &p->spec;
    size_t pixel_bytes = (size_t)s->c * xl_dtype_size(p->dtype);
    for (int64_t row = strip->in_row; row < strip->in_row + strip->in_rows; row++) {
        for (int64_t column = 0; column < p->gathered_w; column++, to += pixel_bytes) {
            int64_t y = row - phase->pad_top, x = column - phase->pad_left;
            if (y < 0 || x < 0 || y >= p->seen_h || x >= p->seen_w) {
                memset(to, 0, pixel_bytes);
                continue;
            }
            int64_t pixel = (image * s->h + y / p->zoom) * s->w + x / p->zoom;
            p->kernels->convert(to, p->dtype, xl_element(s->x, pixel * s->c), s->x.dtype, s->c);
        }
    }
}

/* The strip's pixels as the product takes them. */
static const void *strip_input(const struct product *p, const struct phase *phase,
                               const struct strip *strip, int64_t image, unsigned char *scratch) {
    const struct xl_product_spec *s = &p->spec;
    if (p->is_gathered) {
        gather(p, phase, strip, image, scratch);
        return scratch;
    }
    const void *x = xl_element(s->x, (image * s->h + strip->in_row) * s->w * s->c);
    if (s->x.dtype == p->dtype) return x;
    p->kernels->convert(scratch, p->dtype, x, s->x.dtype, strip->in_rows * s->w * s->c);
    return scratch;
}

static void finish(const struct product *p, const struct phase *phase, const struct strip *strip,
                   int64_t image, int64_t chunk, const float *acc) {
    const struct xl_product_spec *s = &p->spec;
    int64_t first = chunk * p->chunk, n = xl_min(p->chunk, s->o - first);
    struct xl_epilogue tile = {
        .acc = acc,
        .n = n,
        .dtype = s->out.dtype,
        .bias = xl_f32_from(s->bias, first),
        .channel_bias = s->channel_bias.data ? xl_element(s->channel_bias, image * s->o + first)
                                             : NULL,
        .act = s->act,
        .out_stride = s->o * p->spread,
    };
    /* Without spread the strip is one run of pixels. */
    int64_t n_rows = strip->out_rows - strip->n_done, n_runs = p->spread == 1 ? 1 : n_rows;
    tile.rows = n_rows * phase->ow / n_runs;
    for (int64_t run = 0; run < n_runs; run++) {
        int64_t row = strip->n_done + run, y = (strip->out_row + row) * p->spread + phase->y;
        int64_t at = ((image * s->oh + y) * s->ow + phase->x) * s->o + first;
        tile.acc = acc + row * phase->ow * n;
        tile.out = xl_element(s->out, at);
        tile.residual = s->residual.data ? xl_element(s->residual, at) : NULL;
        p->kernels->epilogue(&tile);
    }
}

static void run_task(void *user, int64_t task, int worker) {
    const struct product *p = user;
    int64_t strip_i = task % p->n_strips, rest = task / p->n_strips;
    int64_t image = rest % p->spec.n, part = rest / p->spec.n;
    int64_t chunk = part / p->n_phases;
    const struct phase *phase = &p->phases[part % p->n_phases];
    const struct strip *strip = &phase->strips[strip_i];
    bool is_last = chunk == p->n_chunks - 1;
    unsigned char *scratch = xl_scratch(p->space, worker);
    const void *x = strip_input(p, phase, strip, image, scratch);
    float *acc = (float *)(void *)(scratch + p->x_bytes);
    bool ok = xl_dnn_run(is_last ? strip->last : strip->whole, worker, x,
                         phase->packed->weights[chunk], acc, scratch + p->x_bytes + p->acc_bytes);
    if (!ok) atomic_store(&p->space->has_failed, true);
    finish(p, phase, strip, image, chunk, acc);
}

/* --- Compiling ------------------------------------------------------------------------------- */

int64_t xl_product_chunk(int64_t o) {
    if (o <= MAX_CHUNK) return o;
    int64_t n = xl_div_up(o, CHUNK);
    return xl_div_up(xl_div_up(o, n), 64) * 64;
}

/* A linear layer, or a picture one pixel wide that is convolved by one like it. */
static bool is_matrix(const struct product *p, int64_t ow) {
    return p->kernel_h == 1 && p->kernel_w == 1 && p->spec.stride == 1 && ow == 1;
}

/* Rows of a strip; it is a function of the shape alone. */
static int64_t strip_rows(const struct product *p, int64_t oh, int64_t ow) {
    bool is_linear = is_matrix(p, ow);
    int64_t most = is_linear ? STRIP_ROWS : xl_div_up(STRIP_PIXELS, ow), least = is_linear ? 16 : 1;
    int64_t others = p->spec.n * p->n_chunks * p->n_phases;
    while (most > least && xl_div_up(oh, most) * others < ENOUGH_TASKS) most = xl_div_up(most, 2);
    int64_t even = xl_div_up(oh, xl_div_up(oh, most));
    return is_linear ? xl_min(xl_div_up(even, 8) * 8, most) : even;
}

static bool can_quarter(const struct xl_product_spec *s) {
    return s->upsample && s->kernel_h == 3 && s->kernel_w == 3 && s->stride == 1 &&
           s->pad_top == 1 && s->pad_left == 1 && s->oh == 2 * s->h && s->ow == 2 * s->w &&
           s->up_height == 2 * s->h && s->up_width == 2 * s->w;
}

static void choose_phases(struct product *p) {
    const struct xl_product_spec *s = &p->spec;
    p->kernel_h = s->kernel_h;
    p->kernel_w = s->kernel_w;
    p->spread = 1;
    p->n_phases = 1;
    p->phases[0] =
        (struct phase){.oh = s->oh, .ow = s->ow, .pad_top = s->pad_top, .pad_left = s->pad_left};
    p->zoom = s->upsample ? 2 : 1;
    p->seen_h = s->up_height;
    p->seen_w = s->up_width;
    /* oneDNN takes padding only up to the kernel's size. */
    p->is_gathered = s->upsample || s->pad_top >= s->kernel_h || s->pad_left >= s->kernel_w ||
                     s->pad_bottom >= s->kernel_h || s->pad_right >= s->kernel_w;
    if (can_quarter(s)) {
        p->is_gathered = false;
        p->kernel_h = p->kernel_w = 2;
        p->spread = 2;
        p->n_phases = 4;
        p->zoom = 1;
        p->seen_h = s->h;
        p->seen_w = s->w;
        for (int i = 0; i < 4; i++)
            p->phases[i] = (struct phase){.y = i / 2,
                                          .x = i % 2,
                                          .oh = s->h,
                                          .ow = s->w,
                                          .pad_top = 1 - i / 2,
                                          .pad_left = 1 - i % 2};
    }
    p->gathered_w = (p->phases[0].ow - 1) * s->stride + p->kernel_w;
}

static void place_strip(const struct product *p, const struct phase *phase, int64_t i,
                        struct strip *strip) {
    strip->out_row = i * p->rows;
    strip->out_rows = xl_min(p->rows, phase->oh - strip->out_row);
    if (p->is_gathered) { /* all of p->rows */
        strip->n_done = p->rows - strip->out_rows;
        strip->out_row -= strip->n_done;
        strip->out_rows = p->rows;
    }
    int64_t first = strip->out_row * p->spec.stride;
    int64_t last = first + (strip->out_rows - 1) * p->spec.stride + p->kernel_h;
    if (!p->is_gathered) {
        first = first < phase->pad_top ? 0 : first - phase->pad_top;
        last = xl_min(last - phase->pad_top, p->spec.h);
    }
    strip->in_row = first;
    strip->in_rows = last - first;
}

static struct xl_dnn_shape strip_shape(const struct product *p, const struct phase *phase,
                                       const struct strip *strip, int64_t o) {
    int64_t stride = p->spec.stride;
    struct xl_dnn_shape shape = {
        .dtype = p->dtype,
        .height = strip->in_rows,
        .width = p->is_gathered ? p->gathered_w : p->spec.w,
        .c = p->spec.c,
        .o = o,
        .kernel_h = p->kernel_h,
        .kernel_w = p->kernel_w,
        .stride = stride,
        .is_plain = p->is_plain,
    };
    if (p->is_gathered) return shape;
    int64_t first = strip->out_row * stride - phase->pad_top;
    int64_t bottom = first + (strip->out_rows - 1) * stride + p->kernel_h - p->spec.h;
    int64_t right = (phase->ow - 1) * stride + p->kernel_w - phase->pad_left - p->spec.w;
    shape.pad_top = first < 0 ? -first : 0;
    shape.pad_left = phase->pad_left;
    shape.pad_bottom = bottom > 0 ? bottom : 0;
    shape.pad_right = right > 0 ? right : 0;
    return shape;
}

/* The products of a strip. *is_slow is set when oneDNN has only its reference for one of them. */
static enum xl_status add_strip(struct xl_compiler *c, const struct product *p,
                                const struct phase *phase, struct strip *strip, bool *is_slow,
                                struct xl_err *err) {
    int64_t last_o = p->spec.o - (p->n_chunks - 1) * p->chunk;
    struct xl_dnn_shape whole = strip_shape(p, phase, strip, p->chunk);
    struct xl_dnn_shape last = strip_shape(p, phase, strip, last_o);
    enum xl_status status = xl_dnn_product(c->backend->dnn, &last, phase->last, &strip->last, err);
    strip->whole = strip->last;
    if (!status && p->n_chunks > 1)
        status = xl_dnn_product(c->backend->dnn, &whole, phase->whole, &strip->whole, err);
    if (status) return status;
    const struct xl_dnn_product *products[] = {strip->whole, strip->last};
    for (int i = 0; i < 2; i++) {
        *is_slow |= xl_dnn_product_is_reference(products[i]);
        xl_need_scratch(c, p->x_bytes + p->acc_bytes + xl_dnn_product_scratch(products[i]));
    }
    return XL_OK;
}

/* How the strip wants the weights. For a matrix product the number of rows is made the same for
 * all, lest executables for pictures of other sizes have the weights packed again. */
static enum xl_status find_prototypes(struct xl_compiler *c, const struct product *p,
                                      struct phase *phase, const struct strip *strip,
                                      struct xl_err *err) {
    int64_t last_o = p->spec.o - (p->n_chunks - 1) * p->chunk;
    struct xl_dnn_shape whole = strip_shape(p, phase, strip, p->chunk);
    struct xl_dnn_shape last = strip_shape(p, phase, strip, last_o);
    if (is_matrix(p, phase->ow)) whole.height = last.height = STRIP_ROWS;
    enum xl_status status = xl_dnn_prototype(c->backend->dnn, &whole, &phase->whole, err);
    return status ? status : xl_dnn_prototype(c->backend->dnn, &last, &phase->last, err);
}

/* Weights are packed as the strip in the middle wants them. */
static enum xl_status add_strips(struct xl_compiler *c, struct product *p, struct phase *phase,
                                 bool *is_slow, struct xl_err *err) {
    phase->strips = xl_state(c, (size_t)p->n_strips * sizeof *phase->strips, err);
    if (!phase->strips) return XL_ENOMEM;
    for (int64_t i = 0; i < p->n_strips; i++) place_strip(p, phase, i, &phase->strips[i]);
    enum xl_status status = find_prototypes(c, p, phase, &phase->strips[p->n_strips / 2], err);
    for (int64_t i = 0; !status && i < p->n_strips; i++)
        status = add_strip(c, p, phase, &phase->strips[i], is_slow, err);
    return status;
}

static void size_scratch(struct product *p) {
    int64_t in_rows = (p->rows - 1) * p->spec.stride + p->kernel_h;
    int64_t in_width = p->is_gathered ? p->gathered_w : p->spec.w;
    bool is_built = p->is_gathered || p->spec.x.dtype != p->dtype;
    size_t x_numbers = is_built ? (size_t)(in_rows * in_width * p->spec.c) : 0;
    p->x_bytes = xl_piece(x_numbers * xl_dtype_size(p->dtype));
    p->acc_bytes = xl_piece((size_t)(p->rows * p->phases[0].ow * p->chunk) * sizeof(float));
}

static enum xl_status add_phases(struct xl_compiler *c, struct product *p, bool *is_slow,
                                 struct xl_err *err) {
    enum xl_status status = XL_OK;
    *is_slow = false;
    size_scratch(p);
    for (int i = 0; !status && i < p->n_phases; i++)
        status = add_strips(c, p, &p->phases[i], is_slow, err);
    return status;
}

/* Without AVX-512 matrix products are convolutions, and oneDNN 3 has only its reference for those
 * whose number of rows wants another layout of weights than the usual one. */
static enum xl_status choose_products(struct xl_compiler *c, struct product *p,
                                      struct xl_err *err) {
    bool is_slow;
    enum xl_status status = add_phases(c, p, &is_slow, err);
    if (status || !is_slow || p->is_gathered) return status;
    struct product direct = *p;
    if (is_matrix(p, p->phases[0].ow))
        p->is_plain = true;
    else
        p->is_gathered = true;
    status = add_phases(c, p, &is_slow, err);
    if (!status && is_slow) *p = direct; /* nothing is gained */
    return status;
}

static enum xl_status pack_phase(struct xl_compiler *c, struct product *p, int i,
                                 struct xl_err *err) {
    struct xl_pack_spec pack = {
        .weight = p->spec.weight,
        .chunk = p->chunk,
        .whole = p->phases[i].whole,
        .last = p->phases[i].last,
        .is_rounded = p->spec.x.dtype == XL_DTYPE_BF16 && p->dtype == XL_DTYPE_F32,
        .map = p->n_phases == 4 ? XL_TAPS_QUARTER + i : XL_TAPS_AS_THEY_ARE,
    };
    return xl_pack_weights(c->hold, &pack, &p->phases[i].packed, err);
}

enum xl_status xl_compile_product(struct xl_compiler *c, const struct xl_product_spec *spec,
                                  struct xl_err *err) {
    bool has_bf16 = c->backend->isa.has_bf16;
    enum xl_dtype dtype = has_bf16 && spec->x.dtype == XL_DTYPE_BF16 ? XL_DTYPE_BF16 : XL_DTYPE_F32;
    if (xl_can_winograd(spec, dtype)) return xl_compile_winograd(c, spec, err);
    struct product *p = xl_state(c, sizeof *p, err);
    if (!p) return XL_ENOMEM;
    p->space = c->space;
    p->kernels = c->backend->kernels;
    p->spec = *spec;
    p->dtype = dtype;
    p->chunk = xl_product_chunk(spec->o);
    p->n_chunks = xl_div_up(spec->o, p->chunk);
    choose_phases(p);
    p->rows = strip_rows(p, p->phases[0].oh, p->phases[0].ow);
    p->n_strips = xl_div_up(p->phases[0].oh, p->rows);
    enum xl_status status = choose_products(c, p, err);
    for (int i = 0; !status && i < p->n_phases; i++) status = pack_phase(c, p, i, err);
    if (status) return status;
    xl_add_loop(c, run_task, p, p->n_chunks * p->n_phases * spec->n * p->n_strips);
    return XL_OK;
}
