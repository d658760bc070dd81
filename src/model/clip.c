/* clip.c - CLIP's text encoder as a plan: token and position embeddings, layers of causal attention
 * and feed forward, and the hidden states and pooled vector that SDXL takes from them. Functions
 * stand in the order in which a prompt passes them. */
#include "model/clip.h"

int xl_clip_eos_index(const struct xl_clip_config *config, const int32_t *ids, int tokens) {
    int best = 0;
    for (int i = 0; i < tokens; i++) {
        if (config->eos_token_id != 2 && ids[i] == config->eos_token_id) return i;
        if (ids[i] > ids[best]) best = i;
    }
    return config->eos_token_id == 2 ? best : 0;
}

/* x + out_proj(attention(layer_norm1(x))) */
static xl_val self_attention(const struct xl_module *layer, xl_val x,
                             const struct xl_clip_config *config, xl_val mask) {
    struct xl_module attn = xl_module_sub(layer, "self_attn");
    int64_t c = config->hidden_size;
    xl_val h = xl_build_layer_norm(layer, "layer_norm1", x, config->layer_norm_eps);
    xl_val qkv =
        xl_build_linear(&attn, h, (struct xl_layer){{"q_proj", "k_proj", "v_proj"}, .out = c});
    struct xl_plan *plan = layer->plan;
    h = xl_attention(
        plan, xl_slice(plan, qkv, 0, c), xl_slice(plan, qkv, c, c), xl_slice(plan, qkv, 2 * c, c),
        (struct xl_attention){.heads = config->num_attention_heads, .causal = true, .mask = mask});
    return xl_build_linear(&attn, h, (struct xl_layer){{"out_proj"}, .out = c, .residual = x});
}

/* x + fc2(act(fc1(layer_norm2(x)))) */
static xl_val feed_forward(const struct xl_module *layer, xl_val x,
                           const struct xl_clip_config *config) {
    struct xl_module mlp = xl_module_sub(layer, "mlp");
    xl_val h = xl_build_layer_norm(layer, "layer_norm2", x, config->layer_norm_eps);
    h = xl_build_linear(
        &mlp, h,
        (struct xl_layer){{"fc1"}, .out = config->intermediate_size, .act = config->hidden_act});
    return xl_build_linear(&mlp, h,
                           (struct xl_layer){{"fc2"}, .out = config->hidden_size, .residual = x});
}

static xl_val encoder_layer(const struct xl_module *layer, xl_val x,
                            const struct xl_clip_config *config, xl_val mask) {
    x = self_attention(layer, x, config, mask);
    x = feed_forward(layer, x, config);
    return xl_module_tap(layer, x);
}

static xl_val embeddings(const struct xl_module *model, xl_val ids, xl_val extra,
                         const struct xl_clip_config *config) {
    struct xl_module embed = xl_module_sub(model, "embeddings");
    int64_t c = config->hidden_size;
    xl_val table =
        xl_build_weight(&embed, "token_embedding.weight", XL_SHAPE(config->vocab_size, c));
    xl_val positions = xl_build_weight(&embed, "position_embedding.weight",
                                       XL_SHAPE(config->max_position_embeddings, c));
    return xl_module_tap(&embed,
                         xl_embed(model->plan, ids, (struct xl_embed){table, positions, extra}));
}

/* The rest of the encoder at the one position that is looked at. The final norm works on each
 * position by itself, so the row is picked first. */
static xl_val pool(const struct xl_module *root, const struct xl_module *model, xl_val x,
                   xl_val eos, const struct xl_clip_config *config, enum xl_clip_head head) {
    xl_val pooled = xl_pick_row(root->plan, x, eos);
    pooled = xl_build_layer_norm(model, "final_layer_norm", pooled, config->layer_norm_eps);
    if (head == XL_CLIP_HEAD_POOLER) return pooled;
    return xl_build_linear(
        root, pooled,
        (struct xl_layer){{"text_projection"}, .out = config->projection_dim, .no_bias = true});
}

static void build(const struct xl_clip_config *config, const struct xl_module *root,
                  struct xl_clip_shape shape, struct xl_clip_io *io) {
    struct xl_plan *plan = root->plan;
    struct xl_module model = xl_module_sub(root, "text_model");
    if (root->source.tensors.find && !xl_module_has(&model, "embeddings.token_embedding.weight") &&
        xl_module_has(root, "embeddings.token_embedding.weight"))
        model = *root;

    io->ids = xl_plan_input(plan, "ids", XL_DTYPE_I32, XL_SHAPE(shape.n, shape.tokens), XL_PER_RUN);
    if (shape.extra)
        io->extra = xl_plan_input(plan, "extra", XL_DTYPE_F32,
                                  XL_SHAPE(shape.extra, config->hidden_size), XL_PER_RUN);
    if (shape.is_masked)
        io->mask =
            xl_plan_input(plan, "mask", XL_DTYPE_I32, XL_SHAPE(shape.n, shape.tokens), XL_PER_RUN);
    xl_val x = embeddings(&model, io->ids, io->extra, config);
    int n_layers = config->num_hidden_layers, shown = n_layers + 1 - shape.skip;
    for (int i = 0;; i++) {
        if (i == shown)
            io->states = xl_build_output(root, x, shape.skip == 2 ? "penultimate" : "states");
        if (i == n_layers || (i == shown && shape.head == XL_CLIP_HEAD_NONE)) break;
        struct xl_module layer = xl_module_sub(&model, "encoder.layers.%d", i);
        x = encoder_layer(&layer, x, config, io->mask);
    }
    if (shape.head == XL_CLIP_HEAD_NONE) return;

    io->eos = xl_plan_input(plan, "eos", XL_DTYPE_I32, XL_SHAPE(shape.n), XL_PER_RUN);
    x = pool(root, &model, x, io->eos, config, shape.head);
    io->pooled = xl_build_output(root, x, "pooled");
}

enum xl_status xl_clip_build(const struct xl_clip_config *config, struct xl_source source,
                             struct xl_clip_shape shape, struct xl_clip_io *io,
                             struct xl_plan **plan, struct xl_err *err) {
    if (shape.tokens > config->max_position_embeddings)
        return xl_fail(err, XL_EINVAL,
                       "text encoder: %d tokens asked for, its position embeddings hold %d",
                       shape.tokens, config->max_position_embeddings);
    if (!shape.skip) shape.skip = 2;
    if (shape.skip < 1 || shape.skip > config->num_hidden_layers)
        return xl_fail(err, XL_EINVAL,
                       "clip_skip is %d, expected 1 to %d: a text encoder has %d "
                       "layers",
                       shape.skip, config->num_hidden_layers, config->num_hidden_layers);
    struct xl_module root = {.plan = xl_plan_new(shape.act_dtype), .source = source};
    if (!root.plan) return xl_fail_nomem(err, "the plan of a text encoder", 0);
    struct xl_clip_io values = {0};
    build(config, &root, shape, &values);
    enum xl_status status = xl_build_finish(&root, plan, err);
    if (!status) *io = values;
    return status;
}
