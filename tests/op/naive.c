/* naive.c - the ops from their definitions; see naive.h. */
#include "op/naive.h"

#include <math.h>
#include <stdlib.h>

/* The sigmoid by tanh, the normal distribution by erfc. */
static double naive_act(enum xl_activation act, double x) {
    switch (act) {
    case XL_ACT_SILU:
        return x * (1 + tanh(x / 2)) / 2;
    case XL_ACT_GELU:
        return x * erfc(-x * M_SQRT1_2) / 2;
    case XL_ACT_QUICK_GELU:
        return x * (1 + tanh(1.702 * x / 2)) / 2;
    default:
        return x;
    }
}

static bool naive_linear(const struct op_instance *run, double *out) {
    const double *x = run->in[0].x, *w = run->in[1].x, *bias = run->in[2].x, *r = run->in[3].x;
    int64_t k = xl_shape_last(run->in[0].shape), n = xl_shape_last(run->out_shape);
    int64_t rows = xl_shape_count(run->out_shape) / n;
    for (int64_t i = 0; i < rows * n; i++) out[i] = bias ? bias[i % n] : 0;
    for (int64_t j = 0; j < k; j++)
        for (int64_t i = 0; i < rows * n; i++) out[i] += x[i / n * k + j] * w[i % n * k + j];
    for (int64_t i = 0; i < rows * n; i++)
        out[i] = naive_act(run->op->attr.linear.act, out[i]) + (r ? r[i] : 0);
    return true;
}

/* A picture [n, h, w, c]. */
struct picture {
    int64_t n, h, w, c;
    double *x;
};

/* The picture enlarged twice when asked, cut to its size, with its border of zeros. */
static struct picture enlarge_and_pad(const struct op_instance *run) {
    const struct xl_conv2d *attr = &run->op->attr.conv2d;
    struct xl_shape in = run->in[0].shape;
    struct picture to = {in.dim[0], attr->pad_top + attr->up_height + attr->pad_bottom,
                         attr->pad_left + attr->up_width + attr->pad_right, in.dim[3], NULL};
    to.x = calloc((size_t)(to.n * to.h * to.w * to.c), sizeof *to.x);
    if (!to.x) return to;
    int copies = attr->upsample ? 2 : 1;
    for (int64_t i = 0; i < xl_shape_count(in); i++) {
        int64_t c = i % in.dim[3], x = i / in.dim[3] % in.dim[2];
        int64_t y = i / (in.dim[3] * in.dim[2]) % in.dim[1], n = i / (to.c * in.dim[2] * in.dim[1]);
        for (int copy = 0; copy < copies * copies; copy++) {
            int64_t up_y = copies * y + copy / copies, up_x = copies * x + copy % copies;
            if (up_y >= attr->up_height || up_x >= attr->up_width) continue;
            int64_t row = n * to.h + up_y + attr->pad_top;
            to.x[(row * to.w + up_x + attr->pad_left) * to.c + c] = run->in[0].x[i];
        }
    }
    return to;
}

/* Tap by tap: each number of the kernel is spread over the whole result. */
static bool naive_conv2d(const struct op_instance *run, double *out) {
    const double *weight = run->in[1].x, *bias = run->in[2].x;
    const double *channel_bias = run->in[3].x, *residual = run->in[4].x;
    struct xl_shape kernel = run->in[1].shape, shape = run->out_shape;
    int64_t stride = run->op->attr.conv2d.stride, o = shape.dim[3], w = shape.dim[2];
    int64_t pixels = shape.dim[1] * w, count = xl_shape_count(shape);
    struct picture from = enlarge_and_pad(run);
    if (!from.x) return false;
    for (int64_t i = 0; i < count; i++) {
        out[i] = residual ? residual[i] : 0;
        if (bias) out[i] += bias[i % o];
        if (channel_bias) out[i] += channel_bias[i / (pixels * o) * o + i % o];
    }
    for (int64_t tap = 0; tap < xl_shape_count(kernel); tap++) {
        int64_t to_channel = tap / (kernel.dim[1] * kernel.dim[2] * kernel.dim[3]);
        int64_t channel = tap / (kernel.dim[2] * kernel.dim[3]) % kernel.dim[1];
        int64_t dy = tap / kernel.dim[3] % kernel.dim[2], dx = tap % kernel.dim[3];
        for (int64_t p = 0; p < from.n * pixels; p++) {
            int64_t row = p / pixels * from.h + p % pixels / w * stride + dy;
            int64_t at = row * from.w + p % w * stride + dx;
            out[p * o + to_channel] += weight[tap] * from.x[at * from.c + channel];
        }
    }
    free(from.x);
    return true;
}

/* Mean and variance of the group that each number belongs to, by sums and sums of squares. */
static bool naive_norm(const struct op_instance *run, double *out) {
    bool is_group = run->op->kind == XL_OP_GROUP_NORM;
    int64_t c = xl_shape_last(run->out_shape), count = xl_shape_count(run->out_shape);
    int64_t per_sample = is_group ? count / run->out_shape.dim[0] : c;
    int64_t groups = is_group ? run->op->attr.group_norm.groups : 1;
    double eps = is_group ? run->op->attr.group_norm.eps : run->op->attr.layer_norm.eps;
    int64_t n_sums = count / per_sample * groups;
    long double *sum = calloc((size_t)(2 * n_sums), sizeof *sum), *square = sum + n_sums;
    if (!sum) return false;
    for (int64_t i = 0; i < count; i++) {
        int64_t group = i / per_sample * groups + i % c / (c / groups);
        sum[group] += (long double)run->in[0].x[i];
        square[group] += (long double)run->in[0].x[i] * (long double)run->in[0].x[i];
    }
    for (int64_t i = 0; i < count; i++) {
        int64_t group = i / per_sample * groups + i % c / (c / groups);
        long double n = (long double)(per_sample / groups), mean = sum[group] / n;
        long double deviation = sqrtl(square[group] / n - mean * mean + (long double)eps);
        double y = (double)(((long double)run->in[0].x[i] - mean) / deviation);
        y = y * run->in[1].x[i % c] + run->in[2].x[i % c];
        out[i] = is_group ? naive_act(run->op->attr.group_norm.act, y) : y;
    }
    free(sum);
    return true;
}

/* One number of the result at a time. In long double exp needs no maximum taken off. */
static bool naive_attention(const struct op_instance *run, double *out) {
    const struct xl_attention *attr = &run->op->attr.attention;
    int64_t tq = run->out_shape.dim[1], c = run->out_shape.dim[2];
    int64_t tk = run->in[1].shape.dim[1], d = c / attr->heads;
    for (int64_t row = 0; row < run->out_shape.dim[0] * tq * attr->heads; row++) {
        int64_t query = row / attr->heads, head = row % attr->heads, first_key = query / tq * tk;
        long double sum = 0;
        double *result = out + query * c + head * d;
        for (int64_t j = 0; j < d; j++) result[j] = 0;
        for (int64_t key = first_key; key < first_key + tk; key++) {
            if (attr->causal && key - first_key > query % tq) continue;
            if (run->in[3].x && run->in[3].x[key] == 0) continue;
            double score = 0;
            for (int64_t j = head * d; j < (head + 1) * d; j++)
                score += run->in[0].x[query * c + j] * run->in[1].x[key * c + j];
            long double share = expl((long double)(score * attr->scale));
            sum += share;
            for (int64_t j = 0; j < d; j++)
                result[j] += (double)share * run->in[2].x[key * c + head * d + j];
        }
        for (int64_t j = 0; j < d; j++) result[j] = sum > 0 ? (double)(result[j] / sum) : 0;
    }
    return true;
}

/* Angles rounded to f32 as the op says; the frequencies come from pow. */
static double naive_sinusoid(const struct op_instance *run, int64_t i) {
    const struct xl_sinusoid *attr = &run->op->attr.sinusoid;
    int64_t half = attr->dim / 2, at = i % attr->dim, j = at % half;
    double exponent = -(double)j / ((double)half - attr->freq_shift);
    float angle = (float)run->in[0].x[i / attr->dim] * (float)pow(10000, exponent);
    bool is_sine = (at < half) == attr->sin_first;
    return is_sine ? sin((double)angle) : cos((double)angle);
}

/* The ops below round to f32 after each operation, as they are defined. */

static long double variance(const double *x, int64_t n) {
    long double sum = 0, squares = 0;
    for (int64_t i = 0; i < n; i++) sum += (long double)x[i];
    for (int64_t i = 0; i < n; i++) squares += powl((long double)x[i] - sum / n, 2);
    return squares / (n > 1 ? n - 1 : 1);
}

/* The whole result; a sample's deviation concerns all of its numbers. */
static bool naive_guide(const struct op_instance *run, double *out) {
    int64_t half = xl_shape_count(run->out_shape), n = half / run->out_shape.dim[0];
    float scale = (float)run->in[1].x[0], rescale = (float)run->in[1].x[1];
    for (int64_t i = 0; i < half; i++) {
        float u = (float)run->in[0].x[i], g = (float)run->in[0].x[half + i];
        float difference = g - u;
        out[i] = (double)(float)(u + scale * difference);
    }
    for (int64_t first = 0; first < half; first += n) {
        const double *guided = run->in[0].x + half + first;
        float ratio = (float)sqrtl(variance(guided, n) / variance(out + first, n));
        for (int64_t i = first; i < first + n; i++) {
            float y = (float)out[i], rescaled = rescale * (y * ratio);
            out[i] = (double)(rescaled + (1 - rescale) * y);
        }
    }
    return true;
}

/* In the order of enum xl_step_source; the op adds up in double, so that the order hardly counts.
 */
static double naive_sum(const double *coefs, const double *sources) {
    long double sum = 0;
    for (int i = 0; i < XL_N_SOURCES; i++)
        if (coefs[i] != 0) sum += (long double)coefs[i] * (long double)sources[i];
    return (double)(float)sum;
}

static double naive_sampler_step(const struct op_instance *run, int64_t k) {
    int64_t n = xl_shape_count(run->out_shape);
    const double *row = run->in[5].x + (int64_t)run->in[6].x[0] * XL_N_STEP_COLUMNS;
    double x = run->in[0].x[k], out = run->in[1].x[k], sources[XL_N_SOURCES] = {0};
    sources[XL_SRC_X] = x;
    sources[XL_SRC_SAVED] = run->in[2].x[k];
    sources[XL_SRC_OUT] = out;
    sources[XL_SRC_NOISE] = run->in[4].x[(int64_t)row[XL_STEP_NOISE_ROW] * n + k];
    for (int64_t slot = 0; slot < run->in[3].shape.dim[0]; slot++)
        sources[XL_SRC_HISTORY + slot] = run->in[3].x[slot * n + k];
    double m = (double)(float)(row[XL_STEP_CONVERT_X] * x + row[XL_STEP_CONVERT_OUT] * out);
    sources[XL_SRC_HISTORY + (int)row[XL_STEP_STORE_SLOT]] =
        fmin(fmax(m, -row[XL_STEP_CLIP]), row[XL_STEP_CLIP]);
    sources[XL_SRC_BASE] = naive_sum(row + XL_STEP_BASE_COEF, sources);
    return naive_sum(row + XL_STEP_COEF, sources);
}

static double naive_affine(const struct op_instance *run, int64_t i) {
    int64_t c = xl_shape_last(run->out_shape);
    float x = (float)run->in[0].x[i];
    float shift = (float)run->in[1].x[i % c], scale = (float)run->in[1].x[c + i % c];
    if (run->op->attr.way == XL_LATENTS_TO_UNET) return (double)((x - shift) * scale);
    return (double)(x / scale + shift);
}

static double naive_sample(const struct op_instance *run, int64_t i) {
    int64_t c = xl_shape_last(run->out_shape);
    const double *moments = run->in[0].x + i / c * 2 * c + i % c;
    double logvar = fmin(fmax(moments[c], -30), 20);
    return moments[0] + exp(logvar / 2) * run->in[1].x[i];
}

/* Bytes: the nearest whole number, the even one of two. */
static double naive_byte(double x) {
    float unit = fminf(fmaxf((float)x * 0.5F + 0.5F, 0), 1) * 255;
    return nearbyint((double)unit);
}

/* Number i of the result of an op around the sampling loop. */
static double naive_around_loop(const struct op_instance *run, int64_t i) {
    const double *x = run->in[0].x;
    switch (run->op->kind) {
    case XL_OP_STEP_VALUE:
        return x[(int64_t)run->in[1].x[0] * XL_N_STEP_COLUMNS + run->op->attr.step_value.column];
    case XL_OP_SCALE_INPUT:
        return x[i % xl_shape_count(run->in[0].shape)] *
               run->in[1].x[(int64_t)run->in[2].x[0] * XL_N_STEP_COLUMNS + XL_STEP_INPUT_SCALE];
    case XL_OP_SAMPLER_STEP:
        return naive_sampler_step(run, i);
    case XL_OP_LATENTS_AFFINE:
        return naive_affine(run, i);
    case XL_OP_SAMPLE_LATENTS:
        return naive_sample(run, i);
    case XL_OP_FROM_RGB:
        return (double)(2 * ((float)x[i] / 255) - 1);
    default: /* to_rgb */
        return naive_byte(x[i]);
    }
}

/* Number i of the result of an op that takes each number from one place. */
static double naive_number(const struct op_instance *run, int64_t i) {
    const double *x = run->in[0].x, *y = run->in[1].x;
    int64_t c = xl_shape_last(run->out_shape), row = i / c, column = i % c;
    switch (run->op->kind) {
    case XL_OP_GEGLU:
        return x[row * 2 * c + column] * naive_act(XL_ACT_GELU, x[row * 2 * c + c + column]);
    case XL_OP_ACTIVATION:
        return naive_act(run->op->attr.act, x[i]);
    case XL_OP_CONCAT: {
        int64_t c1 = xl_shape_last(run->in[0].shape), c2 = c - c1;
        return column < c1 ? x[row * c1 + column] : y[row * c2 + column - c1];
    }
    case XL_OP_EMBED:
        if ((int64_t)x[row] >= run->in[1].shape.dim[0])
            return run->in[3].x[((int64_t)x[row] - run->in[1].shape.dim[0]) * c + column] +
                   run->in[2].x[row % run->out_shape.dim[1] * c + column];
        return y[(int64_t)x[row] * c + column] +
               run->in[2].x[row % run->out_shape.dim[1] * c + column];
    case XL_OP_SINUSOID:
        return naive_sinusoid(run, i);
    case XL_OP_PICK_ROW:
        return x[(row * run->in[0].shape.dim[1] + (int64_t)y[row]) * c + column];
    case XL_OP_CAST:
        return x[i];
    default:
        return naive_around_loop(run, i);
    }
}

bool naive_run(const struct op_instance *instance, double *out) {
    switch (instance->op->kind) {
    case XL_OP_LINEAR:
        return naive_linear(instance, out);
    case XL_OP_CONV2D:
        return naive_conv2d(instance, out);
    case XL_OP_GROUP_NORM:
    case XL_OP_LAYER_NORM:
        return naive_norm(instance, out);
    case XL_OP_ATTENTION:
        return naive_attention(instance, out);
    case XL_OP_GUIDE:
        return naive_guide(instance, out);
    default:
        for (int64_t i = 0; i < xl_shape_count(instance->out_shape); i++)
            out[i] = naive_number(instance, i);
        return true;
    }
}
