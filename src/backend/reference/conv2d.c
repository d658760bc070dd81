/* conv2d.c - convolution, pixel by pixel: what the kernel covers is gathered into one row in the
 * order of the weight [c, kh, kw], zeros outside the picture, and multiplied with each output
 * channel's row of the weight. */
#include "backend/reference/reference.h"

size_t xl_ref_conv2d_scratch(const struct xl_plan *plan, const struct xl_op *op) {
    struct xl_shape kernel = xl_plan_value(plan, op->in[1])->shape;
    return (size_t)(kernel.dim[1] * kernel.dim[2] * kernel.dim[3]) * sizeof(float);
}

/* x: sample of [h, w, c]; (row, column): the result's pixel; patch: [c, kh, kw] */
static void gather_patch(const struct xl_ref_op *op, const float *x, int64_t row, int64_t column,
                         float *patch) {
    const struct xl_conv2d *attr = &op->op->attr.conv2d;
    struct xl_shape in = op->in[0].shape, kernel = op->in[1].shape;
    int64_t w = in.dim[2], c = in.dim[3], kh = kernel.dim[2], kw = kernel.dim[3];
    int shrink = attr->upsample ? 2 : 1;
    for (int64_t i = 0; i < kh; i++) {
        for (int64_t j = 0; j < kw; j++) {
            int64_t up_y = row * attr->stride + i - attr->pad_top;
            int64_t up_x = column * attr->stride + j - attr->pad_left;
            bool is_inside = up_y >= 0 && up_y < attr->up_height && up_x >= 0 &&
                             up_x < attr->up_width;
            const float *pixel = is_inside ? x + (up_y / shrink * w + up_x / shrink) * c : NULL;
            for (int64_t channel = 0; channel < c; channel++)
                patch[(channel * kh + i) * kw + j] = pixel ? pixel[channel] : 0.0F;
        }
    }
}

void xl_ref_conv2d(const struct xl_ref_op *op) {
    const float *weight = op->in[1].x, *bias = op->in[2].x;
    const float *channel_bias = op->in[3].x, *residual = op->in[4].x;
    struct xl_shape in = op->in[0].shape, kernel = op->in[1].shape;
    int64_t pixels = op->shape.dim[1] * op->shape.dim[2], n_out = op->shape.dim[3];
    int64_t k = kernel.dim[1] * kernel.dim[2] * kernel.dim[3];
    float *patch = op->scratch;
    for (int64_t p = 0; p < op->shape.dim[0] * pixels; p++) {
        int64_t sample = p / pixels, row = p % pixels / op->shape.dim[2];
        const float *x = op->in[0].x + sample * in.dim[1] * in.dim[2] * in.dim[3];
        gather_patch(op, x, row, p % op->shape.dim[2], patch);
        for (int64_t o = 0; o < n_out; o++) {
            double y = xl_ref_dot(patch, weight + o * k, k);
            if (bias) y += (double)bias[o];
            if (channel_bias) y += (double)channel_bias[sample * n_out + o];
            if (residual) y += (double)residual[p * n_out + o];
            op->out[p * n_out + o] = (float)y;
        }
    }
}
