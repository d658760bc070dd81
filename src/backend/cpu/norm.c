/* norm.c - group norm and layer norm.
 *
 * Group norm reads the picture twice. First, for each block of rows (small enough to stay in the
 * cache while it is read again), the mean and the squared deviations of each channel; these are
 * put together in double by the formula of Chan et al. (1979), which does not suffer when the mean
 * is large beside the deviation. Then (x - mean) * scale + bias with the activation: multiplied out
 * it would save a subtraction and lose digits when the mean is large. */
#include "backend/cpu/cpu.h"

#include <math.h>

struct group_norm {
    const struct xl_space *space;
    const struct xl_cpu_kernels *kernels;
    struct xl_operand x, out;
    const struct xl_numbers *weight, *bias;
    double eps;
    enum xl_activation act;
    int64_t n, rows, c, groups;   /* rows: pixels of a sample */
    int64_t block_rows, n_blocks; /* of a sample */
};

/* Shared memory: mean and m2 of blocks [n, n_blocks, 2, c], then mean and scale [n, 2, c]. */
static float *moments_of(const struct group_norm *g, int64_t sample, int64_t block) {
    return (float *)(void *)g->space->shared + (sample * g->n_blocks + block) * 2 * g->c;
}

static float *scales_of(const struct group_norm *g, int64_t sample) {
    return (float *)(void *)g->space->shared + (g->n * g->n_blocks + sample) * 2 * g->c;
}

static struct xl_rows block_of(const struct group_norm *g, int64_t task) {
    int64_t sample = task / g->n_blocks, first = task % g->n_blocks * g->block_rows;
    int64_t at = (sample * g->rows + first) * g->c;
    return (struct xl_rows){xl_element(g->x, at), xl_element(g->out, at),
                            xl_min(g->block_rows, g->rows - first), g->c, g->x.dtype};
}

static void measure_block(void *user, int64_t task, int worker) {
    const struct group_norm *g = user;
    (void)worker;
    float *mean = moments_of(g, task / g->n_blocks, task % g->n_blocks);
    g->kernels->moments(block_of(g, task), mean, mean + g->c);
}

static void measure_group(void *user, int64_t task, int worker) {
    const struct group_norm *g = user;
    (void)worker;
    int64_t sample = task / g->groups, width = g->c / g->groups;
    int64_t first = task % g->groups * width;
    double count = (double)(g->rows * width), sum = 0, m2 = 0;
    for (int64_t block = 0; block < g->n_blocks; block++) {
        double rows = (double)xl_min(g->block_rows, g->rows - block * g->block_rows);
        const float *mean = moments_of(g, sample, block) + first;
        for (int64_t i = 0; i < width; i++) sum += rows * (double)mean[i];
    }
    double group_mean = sum / count;
    for (int64_t block = 0; block < g->n_blocks; block++) {
        double rows = (double)xl_min(g->block_rows, g->rows - block * g->block_rows);
        const float *mean = moments_of(g, sample, block) + first;
        for (int64_t i = 0; i < width; i++) {
            double distance = (double)mean[i] - group_mean;
            m2 += (double)mean[g->c + i] + rows * distance * distance;
        }
    }
    double rstd = 1 / sqrt(m2 / count + g->eps);
    const float *weight = xl_f32_from(g->weight, 0);
    float *mean = scales_of(g, sample), *scale = mean + g->c;
    for (int64_t i = first; i < first + width; i++) {
        mean[i] = (float)group_mean;
        scale[i] = (float)(rstd * (double)weight[i]);
    }
}

static void apply_block(void *user, int64_t task, int worker) {
    const struct group_norm *g = user;
    (void)worker;
    const float *mean = scales_of(g, task / g->n_blocks);
    g->kernels->affine(block_of(g, task),
                       (struct xl_affine){mean, mean + g->c, xl_f32_from(g->bias, 0)}, g->act);
}

enum xl_status xl_compile_group_norm(struct xl_compiler *c, struct xl_err *err) {
    const struct xl_op *op = c->op;
    struct group_norm *g = xl_state(c, sizeof *g, err);
    if (!g) return XL_ENOMEM;
    g->space = c->space;
    g->kernels = c->backend->kernels;
    g->x = xl_operand(c, op->in[0]);
    g->out = xl_operand(c, op->out);
    g->eps = op->attr.group_norm.eps;
    g->act = op->attr.group_norm.act;
    g->groups = op->attr.group_norm.groups;
    g->n = g->x.shape.dim[0];
    g->c = xl_shape_last(g->x.shape);
    g->rows = xl_shape_count(g->x.shape) / (g->n * g->c);
    g->block_rows = xl_min(xl_div_up(XL_TASK_NUMBERS, g->c), g->rows);
    g->n_blocks = xl_div_up(g->rows, g->block_rows);
    enum xl_status status = xl_floats(c, op->in[1], &g->weight, err);
    if (!status) status = xl_floats(c, op->in[2], &g->bias, err);
    if (status) return status;
    xl_need_shared(c, (size_t)(g->n * (g->n_blocks + 1) * 2 * g->c) * sizeof(float));
    xl_add_loop(c, measure_block, g, g->n * g->n_blocks);
    xl_add_loop(c, measure_group, g, g->n * g->groups);
    xl_add_loop(c, apply_block, g, g->n * g->n_blocks);
    return XL_OK;
}

struct layer_norm {
    const struct xl_cpu_kernels *kernels;
    struct xl_operand x, out;
    const struct xl_numbers *weight, *bias;
    float eps;
    int64_t rows, c, block_rows;
};

static void normalise_block(void *user, int64_t task, int worker) {
    const struct layer_norm *l = user;
    (void)worker;
    int64_t first = task * l->block_rows, at = first * l->c;
    struct xl_rows rows = {xl_element(l->x, at), xl_element(l->out, at),
                           xl_min(l->block_rows, l->rows - first), l->c, l->x.dtype};
    l->kernels->layer_norm(rows, xl_f32_from(l->weight, 0), xl_f32_from(l->bias, 0), l->eps);
}

enum xl_status xl_compile_layer_norm(struct xl_compiler *c, struct xl_err *err) {
    const struct xl_op *op = c->op;
    struct layer_norm *l = xl_state(c, sizeof *l, err);
    if (!l) return XL_ENOMEM;
    l->kernels = c->backend->kernels;
    l->x = xl_operand(c, op->in[0]);
    l->out = xl_operand(c, op->out);
    l->eps = (float)op->attr.layer_norm.eps;
    l->c = xl_shape_last(l->x.shape);
    l->rows = xl_shape_count(l->x.shape) / l->c;
    l->block_rows = xl_div_up(XL_TASK_NUMBERS / 2, l->c);
    enum xl_status status = xl_floats(c, op->in[1], &l->weight, err);
    if (!status) status = xl_floats(c, op->in[2], &l->bias, err);
    if (status) return status;
    xl_add_loop(c, normalise_block, l, xl_div_up(l->rows, l->block_rows));
    return XL_OK;
}
