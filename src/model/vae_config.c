/* vae_config.c - vae/config.json: what the autoencoder's shape follows from, and how its latents
 * are scaled for the UNet. */
#include "model/config.h"

#include "base/str.h"
#include "model/vae.h"

#include <math.h>

static const struct xl_config_rule rules[] = {
    {"in_channels", "3", "pictures other than RGB"},
    {"out_channels", "3", "pictures other than RGB"},
};

/* Of the keys that decide the shape. */
static const struct xl_config_default defaults[] = {
    {"block_out_channels", "[64]"},
    {"down_block_types", "[\"DownEncoderBlock2D\"]"},
    {"up_block_types", "[\"UpDecoderBlock2D\"]"},
};

static const char *const down_names[] = {"DownEncoderBlock2D", NULL};
static const char *const up_names[] = {"UpDecoderBlock2D", NULL};
static const char *const activation_names[] = {"silu", "swish", NULL};

/* One name a level, all the same. */
static enum xl_status check_block_types(struct xl_json json, const char *key,
                                        const char *const *names, int n_blocks,
                                        struct xl_err *err) {
    int values[XL_VAE_MAX_BLOCKS], n;
    enum xl_status status = xl_config_names(json, key, names, values, XL_VAE_MAX_BLOCKS, &n, err);
    if (status || n == 0 || n == n_blocks) return status;
    return xl_fail(err, XL_EFORMAT,
                   "%s: \"%s\" has %d %s, expected %d as in \"block_out_channels\"", json.name, key,
                   n, xl_plural(n, "entry", "entries"), n_blocks);
}

static enum xl_status read_blocks(struct xl_json json, struct xl_vae_config *config,
                                  struct xl_err *err) {
    enum xl_status status = xl_json_int_array(json, "block_out_channels", 1, 1 << 16,
                                              config->block_out_channels, XL_VAE_MAX_BLOCKS,
                                              &config->n_blocks, err);
    if (!status)
        status = check_block_types(json, "down_block_types", down_names, config->n_blocks, err);
    if (!status)
        status = check_block_types(json, "up_block_types", up_names, config->n_blocks, err);
    if (!status)
        status = xl_json_int(json, "layers_per_block", 1, 64, &config->layers_per_block, err);
    if (!status)
        status = xl_json_int(json, "norm_num_groups", 1, 1 << 16, &config->norm_num_groups, err);
    for (int i = 0; i < config->n_blocks && !status; i++)
        status = xl_config_divides(json, "norm_num_groups", config->norm_num_groups,
                                   "block_out_channels", config->block_out_channels[i], err);
    return status;
}

/* One finite number a latent channel. *is_present tells whether the key is there. */
static enum xl_status read_channel_numbers(struct xl_json json, const char *key, int n,
                                           double *values, bool *is_present, struct xl_err *err) {
    const json_t *found = json_object_get(json.object, key);
    *is_present = found && !json_is_null(found);
    if (!*is_present) return XL_OK;
    bool is_right = json_array_size(found) == (size_t)n;
    for (int i = 0; i < n && is_right; i++) {
        const json_t *value = json_array_get(found, (size_t)i);
        values[i] = json_number_value(value);
        is_right = json_is_number(value) && isfinite(values[i]);
    }
    if (is_right) return XL_OK;
    return xl_fail(err, XL_EFORMAT, "%s: \"%s\" must hold %d numbers, one for each latent channel",
                   json.name, key, n);
}

static enum xl_status read_latents_stats(struct xl_json json, struct xl_vae_config *config,
                                         struct xl_err *err) {
    bool has_mean, has_std;
    int n = config->latent_channels;
    enum xl_status status =
        read_channel_numbers(json, "latents_mean", n, config->latents_mean, &has_mean, err);
    if (!status)
        status = read_channel_numbers(json, "latents_std", n, config->latents_std, &has_std, err);
    if (status) return status;
    config->has_latents_stats = has_mean && has_std;
    for (int i = 0; i < n && has_std; i++)
        if (config->latents_std[i] <= 0)
            return xl_fail(err, XL_EFORMAT, "%s: \"latents_std\" holds %g, expected more than 0",
                           json.name, config->latents_std[i]);
    return XL_OK;
}

static enum xl_status read_config(struct xl_json json, struct xl_vae_config *config,
                                  struct xl_err *err) {
    int act, n;
    enum xl_status status = xl_config_check(json, rules, sizeof rules / sizeof *rules, err);
    if (!status) status = xl_config_names(json, "act_fn", activation_names, &act, 1, &n, err);
    if (!status) status = read_blocks(json, config, err);
    if (!status)
        status = xl_json_int(json, "latent_channels", 1, XL_VAE_MAX_LATENT_CHANNELS,
                             &config->latent_channels, err);
    if (!status) status = xl_json_bool(json, "use_quant_conv", &config->use_quant_conv, err);
    if (!status)
        status = xl_json_bool(json, "use_post_quant_conv", &config->use_post_quant_conv, err);
    if (!status)
        status =
            xl_json_bool(json, "mid_block_add_attention", &config->mid_block_add_attention, err);
    if (!status)
        status = xl_json_double(json, "scaling_factor", 1e-6, 1e6, &config->scaling_factor, err);
    if (!status) status = read_latents_stats(json, config, err);
    return status;
}

enum xl_status xl_vae_config_read(struct xl_json json, struct xl_vae_config *out,
                                  struct xl_err *err) {
    struct xl_vae_config config = {
        .latent_channels = 4,
        .layers_per_block = 1,
        .norm_num_groups = 32,
        .use_quant_conv = true,
        .use_post_quant_conv = true,
        .mid_block_add_attention = true,
        .scaling_factor = 0.18215,
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
