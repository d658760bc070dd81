/* unet.c - the UNet as a plan. Latents go down through levels of ever fewer pixels and more
 * channels, through the middle, and up again, where each level takes back what its way down pushed;
 * time and size enter every resnet, the prompt every transformer. Names are diffusers' module
 * names. */
#include "model/unet.h"

/* What a forward pass carries along. */
struct pass {
    const struct xl_unet_config *config;
    struct xl_module root;
    xl_val temb; /* silu of the time embedding, [n, time_embed_dim] */
    xl_val text; /* [n, tokens, cross_attention_dim] */
    /* Outputs on the way down that the way up takes back, last in first out. */
    xl_val skips[XL_UNET_MAX_BLOCKS * (XL_UNET_MAX_LAYERS + 1) + 1];
    int n_skips;
    bool in_f8;
};

/* linear_2(silu(linear_1(x))) + residual */
static xl_val time_mlp(const struct pass *p, const char *name, xl_val x, xl_val residual) {
    struct xl_module mlp = xl_module_sub(&p->root, "%s", name);
    int64_t c = p->config->time_embed_dim;
    x = xl_build_linear(&mlp, x, (struct xl_layer){{"linear_1"}, .out = c, .act = XL_ACT_SILU});
    return xl_build_linear(&mlp, x,
                           (struct xl_layer){{"linear_2"}, .out = c, .residual = residual});
}

/* How far the denoising is, how large the picture is meant to be, and what the text is about as a
 * whole, in one vector. All but the timestep is constant for a prompt. */
static xl_val time_embedding(const struct pass *p, const struct xl_unet_io *io) {
    const struct xl_unet_config *config = p->config;
    struct xl_plan *plan = p->root.plan;
    struct xl_sinusoid wave = {.sin_first = !config->flip_sin_to_cos,
                               .freq_shift = config->freq_shift};
    wave.dim = config->addition_time_embed_dim;
    xl_val sizes = xl_sinusoid(plan, io->time_ids, wave);
    xl_val pooled = xl_build_cast(&p->root, io->pooled, xl_plan_act_dtype(plan));
    xl_val added = time_mlp(p, "add_embedding", xl_concat(plan, pooled, sizes), 0);
    wave.dim = config->down[0].channels;
    xl_val emb = time_mlp(p, "time_embedding", xl_sinusoid(plan, io->timestep, wave), added);
    struct xl_module name = xl_module_sub(&p->root, "emb");
    return xl_module_tap(&name, emb);
}

/* Products in F8 are those of what a norm or a GEGLU gives. Not those of what it does not pay for
 * (the time, the text, the ways into and out of attention), nor the ends: the picture is in the
 * last resnet what it will be, and its rounding would be seen. */

/* x + to_out(attention over the picture's own tokens) */
static xl_val self_attention(const struct pass *p, const struct xl_module *block, xl_val x,
                             int heads) {
    struct xl_module attn = xl_module_sub(block, "attn1");
    struct xl_plan *plan = block->plan;
    int64_t c = xl_build_channels(block, x);
    xl_val h = xl_build_layer_norm(block, "norm1", x, 1e-5);
    xl_val qkv = xl_build_linear(
        &attn, h,
        (struct xl_layer){{"to_q", "to_k", "to_v"}, .out = c, .no_bias = true, .in_f8 = p->in_f8});
    h = xl_attention(plan, xl_slice(plan, qkv, 0, c), xl_slice(plan, qkv, c, c),
                     xl_slice(plan, qkv, 2 * c, c), (struct xl_attention){.heads = heads});
    return xl_build_linear(&attn, h, (struct xl_layer){{"to_out.0"}, .out = c, .residual = x});
}

/* x + to_out(attention over the text). Keys and values are constant for a prompt. */
static xl_val cross_attention(const struct pass *p, const struct xl_module *block, xl_val x,
                              int heads) {
    struct xl_module attn = xl_module_sub(block, "attn2");
    struct xl_plan *plan = block->plan;
    int64_t c = xl_build_channels(block, x);
    xl_val h = xl_build_layer_norm(block, "norm2", x, 1e-5);
    xl_val q = xl_build_linear(
        &attn, h, (struct xl_layer){{"to_q"}, .out = c, .no_bias = true, .in_f8 = p->in_f8});
    xl_val kv = xl_build_linear(&attn, p->text,
                                (struct xl_layer){{"to_k", "to_v"}, .out = c, .no_bias = true});
    h = xl_attention(plan, q, xl_slice(plan, kv, 0, c), xl_slice(plan, kv, c, c),
                     (struct xl_attention){.heads = heads});
    return xl_build_linear(&attn, h, (struct xl_layer){{"to_out.0"}, .out = c, .residual = x});
}

/* x + linear(geglu(linear(x))), four times as wide inside */
static xl_val feed_forward(const struct pass *p, const struct xl_module *block, xl_val x) {
    struct xl_module ff = xl_module_sub(block, "ff.net");
    int64_t c = xl_build_channels(block, x);
    xl_val h = xl_build_layer_norm(block, "norm3", x, 1e-5);
    h = xl_build_linear(&ff, h, (struct xl_layer){{"0.proj"}, .out = 2 * 4 * c, .in_f8 = p->in_f8});
    h = xl_geglu(block->plan, h);
    return xl_build_linear(&ff, h,
                           (struct xl_layer){{"2"}, .out = c, .residual = x, .in_f8 = p->in_f8});
}

/* Transformer2DModel: the picture's pixels as tokens, normalised, through `depth` blocks, added to
 * what came in. x: [n, h, w, c] -> same */
static xl_val transformer(const struct pass *p, const struct xl_module *at, xl_val x, int heads,
                          int depth) {
    struct xl_plan *plan = at->plan;
    struct xl_shape picture = xl_build_shape(at, x);
    int64_t c = xl_build_channels(at, x);
    struct xl_shape tokens = XL_SHAPE(picture.dim[0], picture.dim[1] * picture.dim[2], c);
    struct xl_group_norm norm = {.groups = p->config->norm_num_groups, .eps = 1e-6};

    xl_val h = xl_reshape(plan, xl_build_group_norm(at, "norm", x, norm), tokens);
    bool is_conv = !p->config->use_linear_projection;
    h = xl_build_linear(at, h, (struct xl_layer){{"proj_in"}, .out = c, .is_conv = is_conv});
    for (int i = 0; i < depth; i++) {
        struct xl_module block = xl_module_sub(at, "transformer_blocks.%d", i);
        h = self_attention(p, &block, h, heads);
        h = cross_attention(p, &block, h, heads);
        h = feed_forward(p, &block, h);
        xl_module_tap(&block, h);
    }
    xl_val in = xl_reshape(plan, x, tokens);
    h = xl_build_linear(
        at, h, (struct xl_layer){{"proj_out"}, .out = c, .is_conv = is_conv, .residual = in});
    return xl_module_tap(at, xl_reshape(plan, h, picture));
}

static xl_val resnet(const struct pass *p, const struct xl_module *block, int i, xl_val x,
                     int channels, bool in_f8) {
    struct xl_module at = xl_module_sub(block, "resnets.%d", i);
    return xl_build_resnet(&at, x,
                           (struct xl_resnet){.out = channels,
                                              .groups = p->config->norm_num_groups,
                                              .eps = p->config->norm_eps,
                                              .temb = p->temb,
                                              .in_f8 = in_f8});
}

/* The transformer that follows resnet i of a level, where the level has them. */
static xl_val attend(const struct pass *p, const struct xl_module *block, int i, xl_val x,
                     const struct xl_unet_block *level) {
    if (!level->has_attention) return x;
    struct xl_module at = xl_module_sub(block, "attentions.%d", i);
    return transformer(p, &at, x, level->heads, level->depth[i]);
}

static xl_val push_skip(struct pass *p, xl_val x) {
    return p->skips[p->n_skips++] = x;
}

static xl_val down_block(struct pass *p, int i, xl_val x) {
    const struct xl_unet_block *level = &p->config->down[i];
    struct xl_module block = xl_module_sub(&p->root, "down_blocks.%d", i);
    for (int j = 0; j < level->n_resnets; j++) {
        x = resnet(p, &block, j, x, level->channels, p->in_f8);
        x = push_skip(p, attend(p, &block, j, x, level));
    }
    if (i == p->config->n_blocks - 1) return x;
    struct xl_module down = xl_module_sub(&block, "downsamplers.0");
    x = xl_build_conv3x3(&down, "conv", x, level->channels, (struct xl_conv2d){.stride = 2});
    return push_skip(p, xl_module_tap(&down, x));
}

/* One resnet, then a transformer and a resnet for each further one. */
static xl_val mid_block(const struct pass *p, xl_val x) {
    const struct xl_unet_block *level = &p->config->mid;
    struct xl_module block = xl_module_sub(&p->root, "mid_block");
    for (int i = 0; i < level->n_resnets; i++) {
        if (i > 0) x = attend(p, &block, i - 1, x, level);
        x = resnet(p, &block, i, x, level->channels, p->in_f8);
    }
    return x;
}

static xl_val up_block(struct pass *p, int i, xl_val x) {
    const struct xl_unet_block *level = &p->config->up[i];
    struct xl_module block = xl_module_sub(&p->root, "up_blocks.%d", i);
    for (int j = 0; j < level->n_resnets; j++) {
        bool is_last = i == p->config->n_blocks - 1 && j == level->n_resnets - 1;
        x = xl_concat(block.plan, x, p->skips[--p->n_skips]);
        x = resnet(p, &block, j, x, level->channels, p->in_f8 && !is_last);
        x = attend(p, &block, j, x, level);
    }
    if (i == p->config->n_blocks - 1) return x;
    /* To the size of the level above, which is odd where its halving was rounded up. */
    struct xl_shape above = xl_build_shape(&block, p->skips[p->n_skips - 1]);
    struct xl_module up = xl_module_sub(&block, "upsamplers.0");
    x = xl_build_conv3x3(&up, "conv", x, level->channels,
                         (struct xl_conv2d){.upsample = true,
                                            .up_height = (int)above.dim[1],
                                            .up_width = (int)above.dim[2]});
    return xl_module_tap(&up, x);
}

void xl_unet_conditions(const struct xl_unet_config *config, struct xl_unet_shape s,
                        struct xl_plan *plan, struct xl_unet_io *io) {
    io->text = xl_plan_input(plan, "text", XL_DTYPE_F32,
                             XL_SHAPE(s.n, s.tokens, config->cross_attention_dim), XL_PER_PROMPT);
    io->pooled = xl_plan_input(plan, "pooled", XL_DTYPE_F32, XL_SHAPE(s.n, config->pooled_dim),
                               XL_PER_PROMPT);
    io->time_ids = xl_plan_input(plan, "time_ids", XL_DTYPE_F32, XL_SHAPE(s.n, XL_UNET_TIME_IDS),
                                 XL_PER_PROMPT);
}

static xl_val forward(struct pass *p, const struct xl_unet_io *io) {
    const struct xl_unet_config *config = p->config;
    struct xl_plan *plan = p->root.plan;
    enum xl_dtype dtype = xl_plan_act_dtype(plan);

    p->temb = xl_activation(plan, time_embedding(p, io), XL_ACT_SILU);
    p->text = xl_build_cast(&p->root, io->text, dtype);
    xl_val x = xl_build_cast(&p->root, io->latents, dtype);

    struct xl_module conv_in = xl_module_sub(&p->root, "conv_in");
    x = xl_build_conv3x3(&p->root, "conv_in", x, config->down[0].channels, (struct xl_conv2d){0});
    push_skip(p, xl_module_tap(&conv_in, x));
    for (int i = 0; i < config->n_blocks; i++) x = down_block(p, i, x);
    x = mid_block(p, x);
    for (int i = 0; i < config->n_blocks; i++) x = up_block(p, i, x);

    x = xl_build_group_norm(&p->root, "conv_norm_out", x,
                            (struct xl_group_norm){.groups = config->norm_num_groups,
                                                   .eps = config->norm_eps,
                                                   .act = XL_ACT_SILU});
    return xl_build_conv3x3(&p->root, "conv_out", x, config->out_channels, (struct xl_conv2d){0});
}

xl_val xl_unet_forward(const struct xl_unet_config *config, const struct xl_module *root,
                       const struct xl_unet_io *io, bool in_f8) {
    struct pass pass = {.config = config, .root = *root, .in_f8 = in_f8};
    return forward(&pass, io);
}

enum xl_status xl_unet_build(const struct xl_unet_config *config, struct xl_source source,
                             struct xl_unet_shape shape, struct xl_unet_io *io,
                             struct xl_plan **plan, struct xl_err *err) {
    struct xl_module root = {.plan = xl_plan_new(shape.act_dtype), .source = source};
    if (!root.plan) return xl_fail_nomem(err, "the plan of the UNet", 0);
    struct xl_unet_io values = {0};
    struct xl_shape latents = XL_SHAPE(shape.n, shape.height, shape.width, config->in_channels);
    values.latents = xl_plan_input(root.plan, "latents", XL_DTYPE_F32, latents, XL_PER_RUN);
    values.timestep =
        xl_plan_input(root.plan, "timestep", XL_DTYPE_F32, XL_SHAPE(shape.n, 1), XL_PER_RUN);
    xl_unet_conditions(config, shape, root.plan, &values);
    xl_val out = xl_unet_forward(config, &root, &values, shape.in_f8);
    values.out = xl_build_output(&root, out, "conv_out");
    enum xl_status status = xl_build_finish(&root, plan, err);
    if (!status) *io = values;
    return status;
}
