/* steps.c - the sampling loop: the step's row of the table, guidance, and any sampler's step. */
#include "backend/reference/reference.h"

#include <math.h>

/* Row of the table that this run makes. i: operand that is the table; the counter follows */
static const float *row_of(const struct xl_ref_op *op, int i) {
    return op->in[i].x + op->in[i + 1].ids[0] * XL_N_STEP_COLUMNS;
}

void xl_ref_step_value(const struct xl_ref_op *op) {
    const struct xl_step_value *attr = &op->op->attr.step_value;
    for (int i = 0; i < attr->n; i++) op->out[i] = row_of(op, 0)[attr->column];
}

void xl_ref_scale_input(const struct xl_ref_op *op) {
    int64_t n = xl_shape_count(op->in[0].shape);
    for (int64_t i = 0; i < xl_shape_count(op->shape); i++)
        op->out[i] = op->in[0].x[i % n] * row_of(op, 1)[XL_STEP_INPUT_SCALE];
}

static double deviation(const float *x, int64_t n) {
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < n; i++) sum += (double)x[i];
    double mean = sum / (double)n;
    for (int64_t i = 0; i < n; i++) squares += ((double)x[i] - mean) * ((double)x[i] - mean);
    return sqrt(squares / (double)(n > 1 ? n - 1 : 1));
}

/* One sample of n numbers. Rounded to f32 after each operation, as diffusers does it in f32. */
static void guide(const float *unguided, const float *guided, const float *params, int64_t n,
                  float *out) {
    float scale = params[0], rescale = params[1];
    for (int64_t i = 0; i < n; i++) out[i] = unguided[i] + scale * (guided[i] - unguided[i]);
    if (rescale <= 0) return;
    float ratio = (float)(deviation(guided, n) / deviation(out, n));
    for (int64_t i = 0; i < n; i++) out[i] = rescale * (out[i] * ratio) + (1 - rescale) * out[i];
}

void xl_ref_guide(const struct xl_ref_op *op) {
    int64_t half = xl_shape_count(op->shape), n = half / op->shape.dim[0];
    for (int64_t i = 0; i < half; i += n)
        guide(op->in[0].x + i, op->in[0].x + half + i, op->in[1].x, n, op->out + i);
}

/* In double: the rounding of a sum of large terms that cancel is then left to the model's output.
 */
static float sum_up(const float *coefs, const float *sources) {
    double sum = 0;
    for (int i = 0; i < XL_N_SOURCES; i++)
        if (coefs[i] != 0) sum += (double)coefs[i] * (double)sources[i];
    return (float)sum;
}

/* Number k of the history's slot, or of the noise's row; 0 where there is none. */
static float number_of(const struct xl_ref_operand *operand, int64_t row, int64_t k) {
    bool is_there = operand->x && row >= 0 && row < operand->shape.dim[0];
    return is_there ? operand->x[row * operand->shape.dim[1] + k] : 0.0F;
}

static float converted(const float *step, float x, float out) {
    double m = (double)step[XL_STEP_CONVERT_X] * (double)x +
               (double)step[XL_STEP_CONVERT_OUT] * (double)out;
    float clip = step[XL_STEP_CLIP], value = (float)m;
    if (clip <= 0) return value;
    return value > clip ? clip : value < -clip ? -clip : value; /* NaN stays */
}

void xl_ref_sampler_step(const struct xl_ref_op *op) {
    const float *step = row_of(op, 5);
    float *saved = op->in[2].state, *history = op->in[3].state;
    int32_t *counter = op->in[6].state, *flag = op->in[7].state;
    int64_t n = xl_shape_count(op->shape), slot = (int64_t)step[XL_STEP_STORE_SLOT];
    for (int64_t k = 0; k < n; k++) {
        float x = op->in[0].x[k], out = op->in[1].x[k], sources[XL_N_SOURCES];
        if (slot >= 0) history[slot * n + k] = converted(step, x, out);
        sources[XL_SRC_X] = x;
        sources[XL_SRC_SAVED] = saved[k];
        sources[XL_SRC_OUT] = out;
        sources[XL_SRC_NOISE] = number_of(&op->in[4], (int64_t)step[XL_STEP_NOISE_ROW], k);
        for (int i = 0; i < XL_HISTORY_SLOTS; i++)
            sources[XL_SRC_HISTORY + i] = number_of(&op->in[3], i, k);
        float base = sum_up(step + XL_STEP_BASE_COEF, sources);
        sources[XL_SRC_BASE] = base;
        op->out[k] = sum_up(step + XL_STEP_COEF, sources);
        saved[k] = base;
        if (!isfinite(op->out[k]) && !*flag) *flag = *counter + 1;
    }
    ++*counter;
}
