/* pack_factor.c - matrices of deltas. The right half of a product lies in panels, so that a block
 * of the result reads it in one piece, whatever its rows' length. */
#include "backend/cpu/pack_factor.h"

#include <stdlib.h>
#include <string.h>

enum { PANEL = XL_MIX_PANEL };

void xl_pack_factor_close(struct xl_pack_factor *factor) {
    free(factor->up);
    free(factor->down);
}

/* n numbers, beginning with a cache line. NULL: no memory */
static float *new_floats(int64_t n) {
    return aligned_alloc(64, xl_pack_align((size_t)n * sizeof(float)));
}

/* Numbers `first` .. of a tensor, at most XL_PACK_STAGE. */
static void read_f32(const struct xl_cpu_kernels *kernels, const struct xl_tensor *tensor,
                     int64_t first, int64_t n, float *out) {
    float stored[XL_PACK_STAGE];
    xl_tensor_read(tensor, first, n, stored);
    kernels->convert(out, XL_DTYPE_F32, stored, tensor->dtype, n);
}

float *xl_pack_copy_f32(const struct xl_cpu_kernels *kernels, const struct xl_tensor *tensor) {
    int64_t n = xl_shape_count(tensor->shape);
    float *copy = new_floats(n);
    for (int64_t i = 0; copy && i < n; i += XL_PACK_STAGE)
        read_f32(kernels, tensor, i, n - i < XL_PACK_STAGE ? n - i : XL_PACK_STAGE, copy + i);
    return copy;
}

/* --- Panels ---------------------------------------------------------------------------------- */

static float *new_panels(const struct xl_pack_factor *factor) {
    return new_floats((factor->length + PANEL - 1) / PANEL * PANEL * factor->r);
}

/* Where number i of row p lies. */
static float *in_panels(const struct xl_pack_factor *factor, float *panels, int64_t p, int64_t i) {
    return panels + (i / PANEL * factor->r + p) * PANEL + i % PANEL;
}

/* NULL: no memory */
static float *copy_panels(const struct xl_cpu_kernels *kernels, const struct xl_pack_factor *factor,
                          const struct xl_tensor *tensor) {
    float *panels = new_panels(factor), row[XL_PACK_STAGE];
    for (int64_t p = 0; panels && p < factor->r; p++)
        for (int64_t first = 0, n; first < factor->length; first += n) {
            n = factor->length - first < XL_PACK_STAGE ? factor->length - first : XL_PACK_STAGE;
            read_f32(kernels, tensor, p * factor->length + first, n, row);
            for (int64_t i = 0; i < n; i += PANEL)
                memcpy(in_panels(factor, panels, p, first + i), row + i,
                       (size_t)(n - i < PANEL ? n - i : PANEL) * sizeof *row);
        }
    return panels;
}

/* --- Tucker's form --------------------------------------------------------------------------- */

/* What a right half [r, (c, taps)] is made of. */
struct core {
    struct xl_factor_size size;
    float *mid;     /* [r, q, taps] */
    float *down;    /* [q, c] */
    float *by_tap;  /* [taps, q]: of a row of mid */
    float *product; /* [taps, c]: of that and down */
};

static void join_row(const struct xl_cpu_kernels *kernels, const struct core *core, int64_t p,
                     const struct xl_pack_factor *factor, float *panels) {
    const struct xl_factor_size *s = &core->size;
    for (int64_t q = 0; q < s->q; q++)
        for (int64_t t = 0; t < s->taps; t++)
            core->by_tap[t * s->q + q] = core->mid[(p * s->q + q) * s->taps + t];
    struct xl_mix mix = {
        .out = core->product,
        .by = core->by_tap,
        .x = core->down,
        .m = s->taps,
        .n = s->c,
        .k = s->q,
        .out_stride = s->c,
        .by_stride = s->q,
        .x_stride = s->c,
        .panel_stride = PANEL,
    };
    kernels->mix(&mix);
    for (int64_t c = 0; c < s->c; c++)
        for (int64_t t = 0; t < s->taps; t++)
            *in_panels(factor, panels, p, c * s->taps + t) = core->product[t * s->c + c];
}

/* NULL: no memory */
static float *join_panels(const struct xl_cpu_kernels *kernels, const struct xl_factor *from,
                          const struct xl_pack_factor *factor) {
    struct core core = {.size = xl_factor_size(from)};
    float *panels = new_panels(factor);
    core.mid = xl_pack_copy_f32(kernels, from->mid);
    core.down = xl_pack_copy_f32(kernels, from->down);
    core.by_tap = new_floats(core.size.taps * core.size.q);
    core.product = new_floats(core.size.taps * core.size.c);
    bool ok = panels && core.mid && core.down && core.by_tap && core.product;
    for (int64_t p = 0; ok && p < factor->r; p++) join_row(kernels, &core, p, factor, panels);
    free(core.mid);
    free(core.down);
    free(core.by_tap);
    free(core.product);
    if (ok) return panels;
    free(panels);
    return NULL;
}

/* --- Factors --------------------------------------------------------------------------------- */

bool xl_pack_factor_open(const struct xl_cpu_kernels *kernels, const struct xl_factor *from,
                         struct xl_pack_factor *out) {
    struct xl_factor_size size = xl_factor_size(from);
    *out = (struct xl_pack_factor){.rows = size.rows, .r = size.r, .length = size.length};
    if (!from->up) {
        out->down = xl_pack_copy_f32(kernels, from->down);
        return out->down != NULL;
    }
    out->up = xl_pack_copy_f32(kernels, from->up);
    out->down = from->mid ? join_panels(kernels, from, out) : copy_panels(kernels, out, from->down);
    return out->up && out->down;
}

void xl_pack_factor_scale(struct xl_pack_factor *factor, float by) {
    float *scaled = factor->up ? factor->up : factor->down;
    int64_t n = factor->rows * (factor->up ? factor->r : factor->length);
    for (int64_t i = 0; i < n; i++) scaled[i] *= by;
}

void xl_pack_factor_read(const struct xl_cpu_kernels *kernels, const struct xl_pack_factor *factor,
                         struct xl_pack_block block, float *out, int64_t stride) {
    if (!factor->up) {
        const float *from = factor->down + block.row * factor->length + block.first;
        for (int64_t r = 0; r < block.n_rows; r++)
            memcpy(out + r * stride, from + r * factor->length, (size_t)block.n * sizeof *out);
        return;
    }
    struct xl_mix mix = {
        .by = factor->up + block.row * factor->r,
        .m = block.n_rows,
        .k = factor->r,
        .out_stride = stride,
        .by_stride = factor->r,
        .x_stride = PANEL,
        .panel_stride = factor->r * PANEL,
    };
    for (int64_t i = 0; i < block.n; i += mix.n) { /* to the end of a panel, and on from there */
        int64_t at = block.first + i, left = block.n - i, in_panel = PANEL - at % PANEL;
        mix.out = out + i;
        mix.x = in_panels(factor, factor->down, 0, at);
        mix.n = in_panel < PANEL && in_panel < left ? in_panel : left;
        kernels->mix(&mix);
    }
}

bool xl_pack_factor_multiply(const struct xl_cpu_kernels *kernels, struct xl_pack_factor *factor) {
    if (!factor->up) return true;
    float *whole = new_floats(factor->rows * factor->length);
    if (!whole) return false;
    struct xl_pack_block all = {0, factor->rows, 0, factor->length};
    xl_pack_factor_read(kernels, factor, all, whole, factor->length);
    xl_pack_factor_close(factor);
    factor->up = NULL;
    factor->down = whole;
    return true;
}
