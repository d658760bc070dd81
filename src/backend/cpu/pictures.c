/* pictures.c - bytes to numbers and back, and the VAE's latents to the UNet's and back. Tasks are
 * runs of numbers. */
#include "backend/cpu/cpu.h"

#include <math.h>

struct numbers {
    struct xl_operand a, b, out;
    enum xl_latents_way way;
    int64_t n, c; /* of the result; of its rows */
};

struct range {
    int64_t first, last;
};

static struct range range_of(const struct numbers *s, int64_t task) {
    int64_t first = task * XL_TASK_NUMBERS;
    return (struct range){first, xl_min(first + XL_TASK_NUMBERS, s->n)};
}

static const float *floats(const struct xl_operand *operand) {
    return (const float *)(const void *)operand->data;
}

static enum xl_status add_step(struct xl_compiler *c, xl_task_fn *fn, struct xl_err *err) {
    struct numbers *s = xl_state(c, sizeof *s, err);
    if (!s) return XL_ENOMEM;
    s->a = xl_operand(c, c->op->in[0]);
    s->b = xl_operand(c, c->op->in[1]);
    s->out = xl_operand(c, c->op->out);
    s->way = c->op->attr.way;
    s->n = xl_shape_count(s->out.shape);
    s->c = xl_shape_last(s->out.shape);
    xl_add_loop(c, fn, s, xl_div_up(s->n, XL_TASK_NUMBERS));
    return XL_OK;
}

static void run_latents_affine(void *user, int64_t task, int worker) {
    const struct numbers *s = user;
    struct range range = range_of(s, task);
    const float *x = floats(&s->a), *shift = floats(&s->b), *scale = shift + s->c;
    float *out = (float *)(void *)s->out.data;
    (void)worker;
    for (int64_t i = range.first; i < range.last; i++) {
        int64_t c = i % s->c;
        out[i] = s->way == XL_LATENTS_TO_UNET ? (x[i] - shift[c]) * scale[c]
                                              : x[i] / scale[c] + shift[c];
    }
}

enum xl_status xl_compile_latents_affine(struct xl_compiler *c, struct xl_err *err) {
    return add_step(c, run_latents_affine, err);
}

static void run_sample_latents(void *user, int64_t task, int worker) {
    const struct numbers *s = user;
    struct range range = range_of(s, task);
    float *out = (float *)(void *)s->out.data;
    (void)worker;
    for (int64_t i = range.first; i < range.last; i++) {
        const float *moments = floats(&s->a) + i / s->c * 2 * s->c + i % s->c;
        float logvar = fminf(fmaxf(moments[s->c], -30.0F), 20.0F);
        out[i] = moments[0] + expf(0.5F * logvar) * floats(&s->b)[i];
    }
}

enum xl_status xl_compile_sample_latents(struct xl_compiler *c, struct xl_err *err) {
    return add_step(c, run_sample_latents, err);
}

static void run_from_rgb(void *user, int64_t task, int worker) {
    const struct numbers *s = user;
    struct range range = range_of(s, task);
    float *out = (float *)(void *)s->out.data;
    (void)worker;
    for (int64_t i = range.first; i < range.last; i++)
        out[i] = 2.0F * ((float)s->a.data[i] / 255.0F) - 1.0F;
}

enum xl_status xl_compile_from_rgb(struct xl_compiler *c, struct xl_err *err) {
    return add_step(c, run_from_rgb, err);
}

static void run_to_rgb(void *user, int64_t task, int worker) {
    const struct numbers *s = user;
    struct range range = range_of(s, task);
    const float *x = floats(&s->a);
    bool is_broken = false;
    (void)worker;
    for (int64_t i = range.first; i < range.last; i++) {
        bool is_number = isfinite(x[i]);
        float unit = is_number ? fminf(fmaxf(x[i] * 0.5F + 0.5F, 0.0F), 1.0F) : 0.0F;
        s->out.data[i] = (uint8_t)lrintf(unit * 255.0F);
        is_broken |= !is_number;
    }
    /* Several tasks may find the same. */
    if (is_broken) __atomic_store_n((int32_t *)(void *)s->b.data, 1, __ATOMIC_RELAXED);
}

enum xl_status xl_compile_to_rgb(struct xl_compiler *c, struct xl_err *err) {
    return add_step(c, run_to_rgb, err);
}
