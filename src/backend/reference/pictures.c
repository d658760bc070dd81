/* pictures.c - bytes to numbers and back, and the VAE's latents to the UNet's and back. */
#include "backend/reference/reference.h"

#include <math.h>

void xl_ref_latents_affine(const struct xl_ref_op *op) {
    const float *x = op->in[0].x, *params = op->in[1].x;
    int64_t c = xl_shape_last(op->shape);
    for (int64_t i = 0; i < xl_shape_count(op->shape); i++) {
        float shift = params[i % c], scale = params[c + i % c];
        op->out[i] = op->op->attr.way == XL_LATENTS_TO_UNET ? (x[i] - shift) * scale
                                                            : x[i] / scale + shift;
    }
}

void xl_ref_sample_latents(const struct xl_ref_op *op) {
    int64_t c = xl_shape_last(op->shape);
    for (int64_t i = 0; i < xl_shape_count(op->shape); i++) {
        const float *moments = op->in[0].x + i / c * 2 * c + i % c;
        float logvar = fminf(fmaxf(moments[c], -30.0F), 20.0F);
        op->out[i] = moments[0] + expf(0.5F * logvar) * op->in[1].x[i];
    }
}

void xl_ref_from_rgb(const struct xl_ref_op *op) {
    for (int64_t i = 0; i < xl_shape_count(op->shape); i++)
        op->out[i] = 2.0F * ((float)op->in[0].bytes[i] / 255.0F) - 1.0F;
}

void xl_ref_to_rgb(const struct xl_ref_op *op) {
    int32_t *flag = op->in[1].state;
    for (int64_t i = 0; i < xl_shape_count(op->shape); i++) {
        float x = op->in[0].x[i];
        if (!isfinite(x)) *flag = 1;
        float unit = isfinite(x) ? fminf(fmaxf(x * 0.5F + 0.5F, 0.0F), 1.0F) : 0.0F;
        op->bytes[i] = (uint8_t)lrintf(unit * 255.0F);
    }
}
