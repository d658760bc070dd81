/* vae.c - both halves of the autoencoder as plans: resnets with one attention in the middle,
 * halving the picture on the way to latents and doubling it on the way back. */
#include "model/vae.h"

/* Fixed in AutoencoderKL's source, not in its configuration. */
static const double NORM_EPS = 1e-6;

int xl_vae_scale(const struct xl_vae_config *config) {
    return 1 << (config->n_blocks - 1);
}

static xl_val resnet(const struct xl_module *at, xl_val x, int64_t out,
                     const struct xl_vae_config *config) {
    struct xl_resnet attr = {.out = out, .groups = config->norm_num_groups, .eps = NORM_EPS};
    return xl_build_resnet(at, x, attr);
}

/* x + to_out(attention over all pixels), one head. Files from before diffusers 0.15 name the four
 * layers otherwise. x: [n, h, w, c] -> same */
static xl_val attention(const struct xl_module *at, xl_val x, const struct xl_vae_config *config) {
    struct xl_plan *plan = at->plan;
    struct xl_shape picture = xl_build_shape(at, x);
    int64_t c = xl_build_channels(at, x);
    struct xl_shape tokens = XL_SHAPE(picture.dim[0], picture.dim[1] * picture.dim[2], c);
    struct xl_layer qkv_layer = {{"to_q", "to_k", "to_v"}, .out = c};
    struct xl_layer out_layer = {{"to_out.0"}, .out = c};
    if (xl_module_has(at, "query.weight")) {
        qkv_layer = (struct xl_layer){{"query", "key", "value"}, .out = c};
        out_layer = (struct xl_layer){{"proj_attn"}, .out = c};
    }

    struct xl_group_norm norm = {.groups = config->norm_num_groups, .eps = NORM_EPS};
    xl_val h = xl_reshape(plan, xl_build_group_norm(at, "group_norm", x, norm), tokens);
    xl_val qkv = xl_build_linear(at, h, qkv_layer);
    h = xl_attention(plan, xl_slice(plan, qkv, 0, c), xl_slice(plan, qkv, c, c),
                     xl_slice(plan, qkv, 2 * c, c), (struct xl_attention){.heads = 1});
    out_layer.residual = xl_reshape(plan, x, tokens);
    h = xl_build_linear(at, h, out_layer);
    return xl_module_tap(at, xl_reshape(plan, h, picture));
}

static xl_val mid_block(const struct xl_module *half, xl_val x,
                        const struct xl_vae_config *config) {
    int64_t c = config->block_out_channels[config->n_blocks - 1];
    struct xl_module first = xl_module_sub(half, "mid_block.resnets.0");
    struct xl_module attn = xl_module_sub(half, "mid_block.attentions.0");
    struct xl_module second = xl_module_sub(half, "mid_block.resnets.1");
    x = resnet(&first, x, c, config);
    if (config->mid_block_add_attention) x = attention(&attn, x, config);
    return resnet(&second, x, c, config);
}

/* Norm, silu and the last convolution of either half. */
static xl_val conv_out(const struct xl_module *half, xl_val x, int64_t out,
                       const struct xl_vae_config *config) {
    struct xl_group_norm norm = {
        .groups = config->norm_num_groups, .eps = NORM_EPS, .act = XL_ACT_SILU};
    struct xl_module conv = xl_module_sub(half, "conv_out");
    x = xl_build_group_norm(half, "conv_norm_out", x, norm);
    return xl_module_tap(&conv, xl_build_conv3x3(half, "conv_out", x, out, (struct xl_conv2d){0}));
}

static xl_val conv_in(const struct xl_module *half, xl_val x, int64_t out) {
    struct xl_module conv = xl_module_sub(half, "conv_in");
    return xl_module_tap(&conv, xl_build_conv3x3(half, "conv_in", x, out, (struct xl_conv2d){0}));
}

/* A 3x3 convolution of stride 2, padded below and on the right only. */
static xl_val downsample(const struct xl_module *at, xl_val x) {
    int64_t c = xl_build_channels(at, x);
    struct xl_conv2d attr = {.stride = 2, .pad_bottom = 1, .pad_right = 1};
    attr.weight = xl_build_weight(at, "conv.weight", XL_SHAPE(c, c, 3, 3));
    attr.bias = xl_build_weight(at, "conv.bias", XL_SHAPE(c));
    return xl_module_tap(at, xl_conv2d(at->plan, x, attr));
}

static xl_val upsample(const struct xl_module *at, xl_val x) {
    int64_t c = xl_build_channels(at, x);
    struct xl_conv2d attr = {.upsample = true};
    return xl_module_tap(at, xl_build_conv3x3(at, "conv", x, c, attr));
}

xl_val xl_vae_encode(const struct xl_module *root, xl_val x, const struct xl_vae_config *config) {
    struct xl_module encoder = xl_module_sub(root, "encoder");
    x = conv_in(&encoder, x, config->block_out_channels[0]);
    for (int i = 0; i < config->n_blocks; i++) {
        struct xl_module block = xl_module_sub(&encoder, "down_blocks.%d", i);
        for (int j = 0; j < config->layers_per_block; j++) {
            struct xl_module at = xl_module_sub(&block, "resnets.%d", j);
            x = resnet(&at, x, config->block_out_channels[i], config);
        }
        struct xl_module down = xl_module_sub(&block, "downsamplers.0");
        if (i < config->n_blocks - 1) x = downsample(&down, x);
    }
    x = mid_block(&encoder, x, config);
    x = conv_out(&encoder, x, 2 * config->latent_channels, config);
    if (!config->use_quant_conv) return x;
    return xl_build_linear(
        root, x,
        (struct xl_layer){{"quant_conv"}, .out = 2 * config->latent_channels, .is_conv = true});
}

xl_val xl_vae_decode(const struct xl_module *root, xl_val z, const struct xl_vae_config *config) {
    struct xl_module decoder = xl_module_sub(root, "decoder");
    if (config->use_post_quant_conv)
        z = xl_build_linear(root, z,
                            (struct xl_layer){{"post_quant_conv"},
                                              .out = config->latent_channels,
                                              .is_conv = true});
    xl_val x = conv_in(&decoder, z, config->block_out_channels[config->n_blocks - 1]);
    x = mid_block(&decoder, x, config);
    for (int i = 0; i < config->n_blocks; i++) {
        struct xl_module block = xl_module_sub(&decoder, "up_blocks.%d", i);
        for (int j = 0; j < config->layers_per_block + 1; j++) {
            struct xl_module at = xl_module_sub(&block, "resnets.%d", j);
            x = resnet(&at, x, config->block_out_channels[config->n_blocks - 1 - i], config);
        }
        struct xl_module up = xl_module_sub(&block, "upsamplers.0");
        if (i < config->n_blocks - 1) x = upsample(&up, x);
    }
    return conv_out(&decoder, x, 3, config);
}

/* What the two halves have in common. */
struct half {
    xl_val (*forward)(const struct xl_module *root, xl_val x, const struct xl_vae_config *config);
    const char *in_name, *out_name;
    struct xl_shape in;
};

static enum xl_status build(const struct xl_vae_config *config, struct xl_source source,
                            enum xl_dtype act_dtype, const struct half *half, struct xl_vae_io *io,
                            struct xl_plan **plan, struct xl_err *err) {
    struct xl_module root = {.plan = xl_plan_new(act_dtype), .source = source};
    if (!root.plan) return xl_fail_nomem(err, "the plan of the autoencoder", 0);
    struct xl_vae_io values;
    values.in = xl_plan_input(root.plan, half->in_name, XL_DTYPE_F32, half->in, XL_PER_RUN);
    xl_val x = half->forward(&root, xl_build_cast(&root, values.in, act_dtype), config);
    values.out = xl_build_output(&root, x, half->out_name);
    enum xl_status status = xl_build_finish(&root, plan, err);
    if (!status) *io = values;
    return status;
}

enum xl_status xl_vae_build_encoder(const struct xl_vae_config *config, struct xl_source source,
                                    struct xl_vae_shape shape, struct xl_vae_io *io,
                                    struct xl_plan **plan, struct xl_err *err) {
    int64_t scale = xl_vae_scale(config);
    struct half encoder = {xl_vae_encode, "picture", "moments",
                           XL_SHAPE(shape.n, scale * shape.height, scale * shape.width, 3)};
    return build(config, source, shape.act_dtype, &encoder, io, plan, err);
}

enum xl_status xl_vae_build_decoder(const struct xl_vae_config *config, struct xl_source source,
                                    struct xl_vae_shape shape, struct xl_vae_io *io,
                                    struct xl_plan **plan, struct xl_err *err) {
    struct half decoder = {xl_vae_decode, "latents", "picture",
                           XL_SHAPE(shape.n, shape.height, shape.width, config->latent_channels)};
    return build(config, source, shape.act_dtype, &decoder, io, plan, err);
}
