/* shapes.c - counting levels, layers and channels by the names and shapes of tensors. */
#include "model/shapes.h"
#include "model/unet.h"
#include "model/vae.h"

#include <stdarg.h>
#include <stdio.h>

enum { HEAD_CHANNELS = 64, MAX_LAYERS = 256 };

struct counting {
    const struct xl_weights *weights;
    struct xl_err *err;
    enum xl_status status; /* the first failure; then everything is 1 */
};

static const struct xl_tensor *find(const struct counting *c, const char *format, ...)
    XL_PRINTF(2, 3);
static const struct xl_tensor *find(const struct counting *c, const char *format, ...) {
    char name[256];
    va_list args;
    va_start(args, format);
    vsnprintf(name, sizeof name, format, args);
    va_end(args);
    return xl_weights_find(c->weights, name);
}

/* One dimension of a tensor that must be there. */
static int dim(struct counting *c, int axis, const char *name) {
    if (c->status) return 1;
    const struct xl_tensor *tensor = xl_weights_find(c->weights, name);
    const char *why = xl_weights_why_not(c->weights, name);
    if (!tensor && why)
        c->status = xl_fail(c->err, XL_EFORMAT, "%s", why);
    else if (!tensor)
        c->status = xl_fail(c->err, XL_EFORMAT,
                            "%s: %s: tensor \"%s\" is missing; the file is incomplete",
                            xl_weights_path(c->weights), xl_weights_label(c->weights), name);
    else if (tensor->shape.rank <= axis || tensor->shape.dim[axis] < 1 ||
             tensor->shape.dim[axis] > 1 << 24)
        c->status = xl_fail(c->err, XL_EFORMAT, "%s: %s: tensor \"%s\" has an impossible shape",
                            xl_weights_path(c->weights), xl_weights_label(c->weights), name);
    return c->status ? 1 : (int)tensor->shape.dim[axis];
}

static int heads_of(int channels) {
    return channels % HEAD_CHANNELS ? 1 : channels / HEAD_CHANNELS;
}

static enum xl_status finish(struct counting *c, json_t *config, bool ok, json_t **out) {
    if (c->status) {
        json_decref(config);
        return c->status;
    }
    config = xl_json_finish(config, ok);
    if (!config) return xl_fail_nomem(c->err, "a configuration", 0);
    *out = config;
    return XL_OK;
}

static void append(json_t *array, json_t *value, bool *ok) {
    if (json_array_append_new(array, value)) *ok = false;
}

/* --- Text encoders -----------------------------------------------------------------------------
 */

enum xl_status xl_clip_config_of(const struct xl_weights *text, const char *activation,
                                 json_t **out, struct xl_err *err) {
    struct counting c = {text, err, XL_OK};
    const char *model = xl_weights_find(text, "embeddings.token_embedding.weight") ? ""
                                                                                   : "text_model.";
    char tokens[64], positions[64], wide[64];
    snprintf(tokens, sizeof tokens, "%sembeddings.token_embedding.weight", model);
    snprintf(positions, sizeof positions, "%sembeddings.position_embedding.weight", model);
    snprintf(wide, sizeof wide, "%sencoder.layers.0.mlp.fc1.weight", model);
    int n_layers = 0, width = dim(&c, 1, tokens), projection = width;
    while (n_layers < MAX_LAYERS &&
           find(&c, "text_model.encoder.layers.%d.layer_norm1.weight", n_layers))
        n_layers++;
    if (find(&c, "text_projection.weight")) projection = dim(&c, 0, "text_projection.weight");
    json_t *config = json_object();
    bool ok = config != NULL;
    xl_json_put(config, "vocab_size", json_integer(dim(&c, 0, tokens)), &ok);
    xl_json_put(config, "max_position_embeddings", json_integer(dim(&c, 0, positions)), &ok);
    xl_json_put(config, "hidden_size", json_integer(width), &ok);
    xl_json_put(config, "intermediate_size", json_integer(dim(&c, 0, wide)), &ok);
    xl_json_put(config, "num_hidden_layers", json_integer(n_layers), &ok);
    xl_json_put(config, "num_attention_heads", json_integer(heads_of(width)), &ok);
    xl_json_put(config, "projection_dim", json_integer(projection), &ok);
    xl_json_put(config, "hidden_act", json_string(activation), &ok);
    xl_json_put(config, "eos_token_id", json_integer(2), &ok); /* the greatest id: CLIP's end */
    return finish(&c, config, ok, out);
}

/* --- VAE ---------------------------------------------------------------------------------------
 */

enum xl_status xl_vae_config_of(const struct xl_weights *vae, json_t **out, struct xl_err *err) {
    struct counting c = {vae, err, XL_OK};
    json_t *config = json_object(), *channels = json_array(), *down = json_array(),
           *up = json_array();
    bool ok = config && channels && down && up;
    int n_layers = 0, n_levels = 0;
    while (n_layers < MAX_LAYERS &&
           find(&c, "encoder.down_blocks.0.resnets.%d.conv1.weight", n_layers))
        n_layers++;
    for (; n_levels < XL_VAE_MAX_BLOCKS; n_levels++) {
        char name[64];
        snprintf(name, sizeof name, "encoder.down_blocks.%d.resnets.0.conv1.weight", n_levels);
        if (n_levels && !find(&c, "%s", name)) break;
        append(channels, json_integer(dim(&c, 0, name)), &ok);
        append(down, json_string("DownEncoderBlock2D"), &ok);
        append(up, json_string("UpDecoderBlock2D"), &ok);
    }
    xl_json_put(config, "block_out_channels", channels, &ok);
    xl_json_put(config, "down_block_types", down, &ok);
    xl_json_put(config, "up_block_types", up, &ok);
    xl_json_put(config, "layers_per_block", json_integer(n_layers), &ok);
    xl_json_put(config, "latent_channels", json_integer(dim(&c, 1, "decoder.conv_in.weight")), &ok);
    xl_json_put(config, "use_quant_conv", json_boolean(find(&c, "quant_conv.weight")), &ok);
    xl_json_put(config, "use_post_quant_conv", json_boolean(find(&c, "post_quant_conv.weight")),
                &ok);
    xl_json_put(config, "mid_block_add_attention",
                json_boolean(find(&c, "decoder.mid_block.attentions.0.group_norm.weight")), &ok);
    xl_json_put(config, "scaling_factor", json_real(0.13025), &ok);
    return finish(&c, config, ok, out);
}

/* --- UNet --------------------------------------------------------------------------------------
 */

/* What the levels of one way up or down hold. */
struct levels {
    json_t *channels, *types, *depths, *heads;
    int n, n_layers; /* levels; resnets of the first */
    bool has_linear_projection;
    int text_width; /* 0: no transformer was seen */
};

/* Transformer blocks behind a resnet. */
static int depth_of(struct counting *c, const char *way, int level, int layer) {
    int depth = 0;
    while (depth < MAX_LAYERS &&
           find(c, "%s_blocks.%d.attentions.%d.transformer_blocks.%d.norm1.weight", way, level,
                layer, depth))
        depth++;
    return depth;
}

static void look_at_transformer(struct counting *c, struct levels *levels, const char *way,
                                int level, int layer) {
    char name[128];
    snprintf(name, sizeof name, "%s_blocks.%d.attentions.%d.transformer_blocks.0.attn2.to_k.weight",
             way, level, layer);
    if (!levels->text_width) levels->text_width = dim(c, 1, name);
    const struct xl_tensor *in =
        find(c, "%s_blocks.%d.attentions.%d.proj_in.weight", way, level, layer);
    levels->has_linear_projection = !in || in->shape.rank == 2;
}

/* A level: its type, and the depths of its transformers as a list. */
static void add_level(struct counting *c, struct levels *levels, const char *way, bool *ok) {
    char name[128];
    int level = levels->n++, n = 0;
    bool has_attention = false;
    json_t *depths = json_array();
    if (!depths) *ok = false;
    while (n < XL_UNET_MAX_LAYERS &&
           find(c, "%s_blocks.%d.resnets.%d.conv1.weight", way, level, n)) {
        int depth = depth_of(c, way, level, n);
        if (find(c, "%s_blocks.%d.attentions.%d.norm.weight", way, level, n)) has_attention = true;
        if (depth) look_at_transformer(c, levels, way, level, n);
        append(depths, json_integer(depth), ok);
        n++;
    }
    if (!level) levels->n_layers = n;
    snprintf(name, sizeof name, "%s_blocks.%d.resnets.0.conv1.weight", way, level);
    int channels = dim(c, 0, name);
    bool is_down = way[0] == 'd';
    append(levels->channels, json_integer(channels), ok);
    append(levels->heads, json_integer(heads_of(channels)), ok);
    append(levels->depths, depths, ok);
    append(levels->types,
           json_string(has_attention ? is_down ? "CrossAttnDownBlock2D" : "CrossAttnUpBlock2D"
                       : is_down     ? "DownBlock2D"
                                     : "UpBlock2D"),
           ok);
}

static bool read_levels(struct counting *c, struct levels *levels, const char *way) {
    *levels = (struct levels){json_array(), json_array(), json_array(), json_array(),
                              .has_linear_projection = true};
    bool ok = levels->channels && levels->types && levels->depths && levels->heads;
    do add_level(c, levels, way, &ok);
    while (levels->n < XL_UNET_MAX_BLOCKS &&
           find(c, "%s_blocks.%d.resnets.0.conv1.weight", way, levels->n));
    return ok;
}

/* The middle has the depth of the last level, as the configuration has it in one number. */
static void check_middle(struct counting *c, int n_levels) {
    int middle = 0, last = depth_of(c, "down", n_levels - 1, 0);
    while (middle < MAX_LAYERS &&
           find(c, "mid_block.attentions.0.transformer_blocks.%d.norm1.weight", middle))
        middle++;
    if (c->status || middle == last) return;
    c->status = xl_fail(c->err, XL_EFORMAT,
                        "%s: %s: the middle has %d transformer blocks, expected %d as in the last "
                        "level (models of other depths are not supported as single files)",
                        xl_weights_path(c->weights), xl_weights_label(c->weights), middle, last);
}

static void put_embeddings(struct counting *c, json_t *config, int pooled_dim, bool *ok) {
    int added = dim(c, 1, "add_embedding.linear_1.weight");
    if (!c->status && added - pooled_dim < XL_UNET_TIME_IDS)
        c->status = xl_fail(c->err, XL_EFORMAT,
                            "%s: %s: \"add_embedding.linear_1.weight\" takes %d numbers, expected "
                            "more than the %d of the pooled text",
                            xl_weights_path(c->weights), xl_weights_label(c->weights), added,
                            pooled_dim);
    xl_json_put(config, "addition_embed_type", json_string("text_time"), ok);
    xl_json_put(config, "addition_time_embed_dim",
                json_integer((added - pooled_dim) / XL_UNET_TIME_IDS), ok);
    xl_json_put(config, "projection_class_embeddings_input_dim", json_integer(added), ok);
    xl_json_put(config, "time_embedding_dim",
                json_integer(dim(c, 0, "time_embedding.linear_1.weight")), ok);
}

enum xl_status xl_unet_config_of(const struct xl_weights *unet, int pooled_dim, json_t **out,
                                 struct xl_err *err) {
    struct counting c = {unet, err, XL_OK};
    struct levels down, up;
    json_t *config = json_object();
    bool ok = config != NULL;
    ok &= read_levels(&c, &down, "down");
    ok &= read_levels(&c, &up, "up");
    check_middle(&c, down.n);
    xl_json_put(config, "in_channels", json_integer(dim(&c, 1, "conv_in.weight")), &ok);
    xl_json_put(config, "out_channels", json_integer(dim(&c, 0, "conv_out.weight")), &ok);
    put_embeddings(&c, config, pooled_dim, &ok);
    xl_json_put(config, "block_out_channels", down.channels, &ok);
    xl_json_put(config, "attention_head_dim", down.heads, &ok);
    xl_json_put(config, "down_block_types", down.types, &ok);
    xl_json_put(config, "up_block_types", up.types, &ok);
    xl_json_put(config, "layers_per_block", json_integer(down.n_layers), &ok);
    xl_json_put(config, "transformer_layers_per_block", down.depths, &ok);
    xl_json_put(config, "reverse_transformer_layers_per_block", up.depths, &ok);
    xl_json_put(config, "cross_attention_dim",
                json_integer(down.text_width ? down.text_width : up.text_width), &ok);
    xl_json_put(config, "use_linear_projection", json_boolean(down.has_linear_projection), &ok);
    json_decref(up.channels);
    json_decref(up.heads);
    return finish(&c, config, ok, out);
}
