/* unet_config.c - unet/config.json: which keys decide the shape of the model, and which are
 * refused.
 */
#include "model/config.h"

#include "base/str.h"
#include "model/unet.h"

#define UNSUPPORTED_EMBEDDING "embeddings of this kind"

static const struct xl_config_rule rules[] = {
    {"addition_embed_type", "\"text_time\"", "models other than SDXL"},
    {"mid_block_scale_factor", "1", "scaled middle block"},
    {"downsample_padding", "1", "other padding"},
    {"conv_in_kernel", "3", "other kernels"},
    {"conv_out_kernel", "3", "other kernels"},
    {"center_input_sample", "false", "centred input"},
    {"resnet_time_scale_shift", "\"default\"", "scale-shift norms"},
    {"resnet_skip_time_act", "false", "skipped activation"},
    {"only_cross_attention", "false", "models without self-attention"},
    {"mid_block_only_cross_attention", "false", "models without self-attention"},
    {"dual_cross_attention", "false", "dual cross-attention"},
    {"attention_type", "\"default\"", "gated attention"},
    {"cross_attention_norm", "null", "norms of the text"},
    {"class_embed_type", "null", "conditioning on classes"},
    {"num_class_embeds", "null", "conditioning on classes"},
    {"class_embeddings_concat", "false", "conditioning on classes"},
    {"encoder_hid_dim", "null", "projections of the text"},
    {"encoder_hid_dim_type", "null", "projections of the text"},
    {"time_embedding_type", "\"positional\"", UNSUPPORTED_EMBEDDING},
    {"time_embedding_act_fn", "null", UNSUPPORTED_EMBEDDING},
    {"timestep_post_act", "null", UNSUPPORTED_EMBEDDING},
    {"time_cond_proj_dim", "null", "guidance embedded in the model"},
};

/* Of the keys that decide the shape. */
static const struct xl_config_default defaults[] = {
    {"block_out_channels", "[320, 640, 1280, 1280]"},
    {"cross_attention_dim", "1280"},
    {"down_block_types", "[\"CrossAttnDownBlock2D\", \"CrossAttnDownBlock2D\", "
                         "\"CrossAttnDownBlock2D\", \"DownBlock2D\"]"},
    {"up_block_types", "[\"UpBlock2D\", \"CrossAttnUpBlock2D\", \"CrossAttnUpBlock2D\", "
                       "\"CrossAttnUpBlock2D\"]"},
};

/* In the order of has_attention. */
static const char *const down_names[] = {"DownBlock2D", "CrossAttnDownBlock2D", NULL};
static const char *const up_names[] = {"UpBlock2D", "CrossAttnUpBlock2D", NULL};
static const char *const mid_names[] = {"UNetMidBlock2D", "UNetMidBlock2DCrossAttn", NULL};
static const char *const activation_names[] = {"silu", "swish", NULL};

/* An array with one entry a level. */
static enum xl_status expect_levels(struct xl_json json, const char *key, int found, int expected,
                                    struct xl_err *err) {
    if (found == expected) return XL_OK;
    return xl_fail(err, XL_EFORMAT,
                   "%s: \"%s\" has %d %s, expected %d as in \"block_out_channels\"", json.name, key,
                   found, xl_plural(found, "entry", "entries"), expected);
}

/* An array with one entry a level, or one number for all; left as it is when absent. */
static enum xl_status read_levels(struct xl_json json, const char *key, int max, int *values,
                                  int n_levels, struct xl_err *err) {
    int found[XL_UNET_MAX_BLOCKS], n;
    enum xl_status status =
        xl_json_int_array(json, key, 1, max, found, XL_UNET_MAX_BLOCKS, &n, err);
    if (status || n == 0) return status;
    if (json_is_array(json_object_get(json.object, key)))
        status = expect_levels(json, key, n, n_levels, err);
    if (status) return status;
    for (int i = 0; i < n_levels; i++) values[i] = found[n == 1 ? 0 : i];
    return XL_OK;
}

static enum xl_status read_block_types(struct xl_json json, const char *key,
                                       const char *const *names, struct xl_unet_block *blocks,
                                       int n_blocks, struct xl_err *err) {
    int values[XL_UNET_MAX_BLOCKS], n;
    enum xl_status status = xl_config_names(json, key, names, values, XL_UNET_MAX_BLOCKS, &n, err);
    if (!status) status = expect_levels(json, key, n, n_blocks, err);
    if (status) return status;
    for (int i = 0; i < n_blocks; i++) blocks[i].has_attention = values[i] == 1;
    return XL_OK;
}

/* The depths of a level's transformers. The key holds a number for all levels, or for each level a
 * number or an array with one for each transformer; depths stay as they are when it is absent, and
 * levels without transformers may hold anything. */
static enum xl_status read_depths(struct xl_json json, const char *key, int level, int n_levels,
                                  struct xl_unet_block *block, struct xl_err *err) {
    enum { MAX_DEPTH = 64 };
    const json_t *entry = json_object_get(json.object, key);
    if (!entry || json_is_null(entry) || !block->has_attention) return XL_OK;
    if (json_is_array(entry)) {
        enum xl_status status =
            expect_levels(json, key, (int)json_array_size(entry), n_levels, err);
        if (status) return status;
        entry = json_array_get(entry, (size_t)level);
    }
    for (int i = 0; i < block->n_resnets; i++) {
        const json_t *depth = json_is_array(entry) ? json_array_get(entry, (size_t)i) : entry;
        json_int_t value = json_is_integer(depth) ? json_integer_value(depth) : -1;
        if (value < 0 || value > MAX_DEPTH)
            return xl_fail(err, XL_EFORMAT,
                           "%s: \"%s\" must hold a number from 0 to %d for each of the %d "
                           "transformers of level %d",
                           json.name, key, MAX_DEPTH, block->n_resnets, level);
        block->depth[i] = (int)value;
    }
    return XL_OK;
}

/* The way up mirrors the way down unless the reversed key is given, in the order of the way up. */
static enum xl_status read_all_depths(struct xl_json json, struct xl_unet_config *config,
                                      struct xl_err *err) {
    const char *key = "transformer_layers_per_block";
    const char *up_key = "reverse_transformer_layers_per_block";
    const json_t *reverse = json_object_get(json.object, up_key);
    bool is_mirrored = !reverse || json_is_null(reverse);
    int n = config->n_blocks;
    struct xl_unet_block mid = config->mid;
    mid.n_resnets = 1; /* it has one transformer, and the first number is for that */
    enum xl_status status = read_depths(json, key, n - 1, n, &mid, err);
    config->mid.depth[0] = mid.depth[0];
    for (int i = 0; i < n && !status; i++) {
        status = read_depths(json, key, i, n, &config->down[i], err);
        if (!status)
            status = is_mirrored ? read_depths(json, key, n - 1 - i, n, &config->up[i], err)
                                 : read_depths(json, up_key, i, n, &config->up[i], err);
    }
    return status;
}

/* Channels, resnets, heads and depths of every level on both ways, and of the middle. */
static enum xl_status read_blocks(struct xl_json json, struct xl_unet_config *config,
                                  struct xl_err *err) {
    int channels[XL_UNET_MAX_BLOCKS], layers[XL_UNET_MAX_BLOCKS], heads[XL_UNET_MAX_BLOCKS], n;
    int mid = 1, n_mid;
    enum xl_status status = xl_json_int_array(json, "block_out_channels", 2, 1 << 16, channels,
                                              XL_UNET_MAX_BLOCKS, &n, err);
    if (status) return status;
    config->n_blocks = n;
    for (int i = 0; i < n; i++) layers[i] = 2, heads[i] = 8;
    status = read_block_types(json, "down_block_types", down_names, config->down, n, err);
    if (!status) status = read_block_types(json, "up_block_types", up_names, config->up, n, err);
    if (!status) status = xl_config_names(json, "mid_block_type", mid_names, &mid, 1, &n_mid, err);
    if (!status)
        status = read_levels(json, "layers_per_block", XL_UNET_MAX_LAYERS - 1, layers, n, err);
    /* diffusers calls the number of heads attention_head_dim, for files' sake. */
    if (!status) status = read_levels(json, "attention_head_dim", 1 << 12, heads, n, err);
    if (!status) status = read_levels(json, "num_attention_heads", 1 << 12, heads, n, err);
    if (status) return status;
    for (int i = 0; i < n; i++) {
        struct xl_unet_block *down = &config->down[i], *up = &config->up[n - 1 - i];
        down->channels = up->channels = channels[i];
        down->heads = up->heads = heads[i];
        down->n_resnets = layers[i];
        up->n_resnets = layers[i] + 1;
        for (int j = 0; j <= layers[i]; j++) down->depth[j] = up->depth[j] = 1;
    }
    config->mid = config->down[n - 1];
    config->mid.has_attention = mid == 1;
    config->mid.n_resnets = mid == 1 ? 2 : 1;
    /* An explicit null is a model without a middle; an absent key is one with the default. */
    if (json_is_null(json_object_get(json.object, "mid_block_type"))) config->mid.n_resnets = 0;
    return read_all_depths(json, config, err);
}

static enum xl_status check_blocks(struct xl_json json, const struct xl_unet_config *config,
                                   struct xl_err *err) {
    enum xl_status status = XL_OK;
    for (int i = 0; i < config->n_blocks && !status; i++) {
        const struct xl_unet_block *down = &config->down[i];
        bool has_attention = down->has_attention ||
                             config->up[config->n_blocks - 1 - i].has_attention ||
                             (i == config->n_blocks - 1 && config->mid.has_attention);
        status = xl_config_divides(json, "norm_num_groups", config->norm_num_groups,
                                   "block_out_channels", down->channels, err);
        if (!status && has_attention)
            status = xl_config_divides(json, "attention_head_dim", down->heads,
                                       "block_out_channels", down->channels, err);
    }
    return status;
}

/* A sinusoidal embedding of this many numbers: half sines, half cosines. */
static enum xl_status check_waves(struct xl_json json, const char *key, int dim, double freq_shift,
                                  struct xl_err *err) {
    if (dim % 2 == 0 && freq_shift < dim / 2) return XL_OK;
    return xl_fail(err, XL_EFORMAT,
                   "%s: %d of \"%s\" must be even and more than twice \"freq_shift\" (%g)",
                   json.name, dim, key, freq_shift);
}

static enum xl_status read_embeddings(struct xl_json json, struct xl_unet_config *config,
                                      struct xl_err *err) {
    int input_dim = 0;
    config->time_embed_dim = 4 * config->down[0].channels;
    enum xl_status status = xl_config_require(json, "addition_embed_type", err);
    if (!status) status = xl_config_require(json, "addition_time_embed_dim", err);
    if (!status) status = xl_config_require(json, "projection_class_embeddings_input_dim", err);
    if (!status)
        status = xl_json_int(json, "addition_time_embed_dim", 2, 1 << 16,
                             &config->addition_time_embed_dim, err);
    if (!status)
        status =
            xl_json_int(json, "projection_class_embeddings_input_dim", 1, 1 << 20, &input_dim, err);
    if (!status)
        status = xl_json_int(json, "time_embedding_dim", 1, 1 << 18, &config->time_embed_dim, err);
    if (!status) status = xl_json_bool(json, "flip_sin_to_cos", &config->flip_sin_to_cos, err);
    if (!status) status = xl_json_double(json, "freq_shift", 0, 1 << 16, &config->freq_shift, err);
    if (!status)
        status = check_waves(json, "block_out_channels", config->down[0].channels,
                             config->freq_shift, err);
    if (!status)
        status = check_waves(json, "addition_time_embed_dim", config->addition_time_embed_dim,
                             config->freq_shift, err);
    if (status) return status;
    config->pooled_dim = input_dim - XL_UNET_TIME_IDS * config->addition_time_embed_dim;
    if (config->pooled_dim < 1)
        return xl_fail(err, XL_EFORMAT,
                       "%s: \"projection_class_embeddings_input_dim\" is %d, expected more than %d "
                       "times \"addition_time_embed_dim\" (%d)",
                       json.name, input_dim, XL_UNET_TIME_IDS, config->addition_time_embed_dim);
    return XL_OK;
}

static enum xl_status read_config(struct xl_json json, struct xl_unet_config *config,
                                  struct xl_err *err) {
    int act, n;
    enum xl_status status = xl_config_check(json, rules, sizeof rules / sizeof *rules, err);
    if (!status) status = xl_config_names(json, "act_fn", activation_names, &act, 1, &n, err);
    if (!status) status = xl_json_int(json, "in_channels", 1, 1024, &config->in_channels, err);
    if (!status) status = xl_json_int(json, "out_channels", 1, 1024, &config->out_channels, err);
    if (!status && config->in_channels != config->out_channels)
        status = xl_fail(err, XL_EFORMAT,
                         "%s: \"in_channels\" is %d, expected %d as \"out_channels\" (inpainting "
                         "and other models that see a second picture are not supported)",
                         json.name, config->in_channels, config->out_channels);
    if (!status)
        status =
            xl_json_int(json, "cross_attention_dim", 1, 1 << 16, &config->cross_attention_dim, err);
    if (!status)
        status = xl_json_int(json, "norm_num_groups", 1, 1 << 16, &config->norm_num_groups, err);
    if (!status)
        status = xl_json_bool(json, "use_linear_projection", &config->use_linear_projection, err);
    if (!status) status = xl_json_double(json, "norm_eps", 0, 1, &config->norm_eps, err);
    /* diffusers' pipeline takes 128 where it is not one number. */
    if (!status && json_is_integer(json_object_get(json.object, "sample_size")))
        status = xl_json_int(json, "sample_size", 1, 1 << 14, &config->sample_size, err);
    if (!status) status = read_blocks(json, config, err);
    if (!status) status = check_blocks(json, config, err);
    if (!status) status = read_embeddings(json, config, err);
    return status;
}

enum xl_status xl_unet_config_read(struct xl_json json, struct xl_unet_config *out,
                                   struct xl_err *err) {
    struct xl_unet_config config = {
        .in_channels = 4,
        .out_channels = 4,
        .sample_size = 128,
        .norm_num_groups = 32,
        .norm_eps = 1e-5,
        .flip_sin_to_cos = true,
    };
    json_t *filled;
    enum xl_status status =
        xl_config_fill(json, defaults, sizeof defaults / sizeof *defaults, &filled, err);
    if (status) return status;
    status = read_config((struct xl_json){filled, json.name}, &config, err);
    json_decref(filled);
    if (!status) *out = config;
    return status;
}
