/* embed.c - token and position embedding, sinusoidal embedding, picking a row a sample. */
#include "backend/reference/reference.h"

#include <math.h>
#include <string.h>

void xl_ref_embed(const struct xl_ref_op *op) {
    int64_t n = op->shape.dim[0], t = op->shape.dim[1], c = op->shape.dim[2];
    for (int64_t i = 0; i < n * t; i++) {
        int64_t id = op->in[0].ids[i], n_rows = op->in[1].shape.dim[0];
        const float *token = id < n_rows ? op->in[1].x + id * c : op->in[3].x + (id - n_rows) * c;
        const float *position = op->in[2].x + i % t * c;
        for (int64_t j = 0; j < c; j++) op->out[i * c + j] = token[j] + position[j];
    }
}

/* Frequency and angle go through f32 as in diffusers: at timestep 999 the rounding of the angle
 * shows in the fifth digit of its sine. */
static float frequency(const struct xl_sinusoid *attr, int i) {
    int half = attr->dim / 2;
    float exponent = -logf(10000.0F) * (float)i / (float)(half - attr->freq_shift);
    return expf(exponent);
}

void xl_ref_sinusoid(const struct xl_ref_op *op) {
    const struct xl_sinusoid *attr = &op->op->attr.sinusoid;
    int64_t n = xl_shape_count(op->in[0].shape);
    int half = attr->dim / 2;
    for (int64_t i = 0; i < n; i++) {
        float *sines = op->out + i * attr->dim + (attr->sin_first ? 0 : half);
        float *cosines = op->out + i * attr->dim + (attr->sin_first ? half : 0);
        for (int j = 0; j < half; j++) {
            float angle = op->in[0].x[i] * frequency(attr, j);
            sines[j] = (float)sin((double)angle);
            cosines[j] = (float)cos((double)angle);
        }
    }
}

void xl_ref_pick_row(const struct xl_ref_op *op) {
    int64_t n = op->shape.dim[0], c = op->shape.dim[1], t = op->in[0].shape.dim[1];
    for (int64_t i = 0; i < n; i++)
        memcpy(op->out + i * c, op->in[0].x + (i * t + op->in[1].ids[i]) * c,
               (size_t)c * sizeof *op->out);
}
