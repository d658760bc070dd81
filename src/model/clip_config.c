/* clip_config.c - text_encoder/config.json and text_encoder_2/config.json. */
#include "model/clip.h"
#include "model/config.h"

static const struct xl_config_rule rules[] = {
    {"model_type", "\"clip_text_model\"", "other kinds of text encoder"},
};

static const char *const activation_names[] = {"quick_gelu", "gelu", NULL};
static const enum xl_activation activations[] = {XL_ACT_QUICK_GELU, XL_ACT_GELU};

static enum xl_status read_config(struct xl_json json, struct xl_clip_config *config,
                                  struct xl_err *err) {
    int act = 0, n = 0;
    enum xl_status status = xl_config_check(json, rules, sizeof rules / sizeof *rules, err);
    if (!status) status = xl_json_int(json, "vocab_size", 1, 1 << 24, &config->vocab_size, err);
    if (!status)
        status = xl_json_int(json, "max_position_embeddings", 1, 1 << 16,
                             &config->max_position_embeddings, err);
    if (!status) status = xl_json_int(json, "hidden_size", 1, 1 << 16, &config->hidden_size, err);
    if (!status)
        status =
            xl_json_int(json, "intermediate_size", 1, 1 << 18, &config->intermediate_size, err);
    if (!status)
        status = xl_json_int(json, "num_hidden_layers", 1, 256, &config->num_hidden_layers, err);
    if (!status)
        status =
            xl_json_int(json, "num_attention_heads", 1, 1024, &config->num_attention_heads, err);
    if (!status)
        status = xl_json_int(json, "projection_dim", 1, 1 << 16, &config->projection_dim, err);
    if (!status)
        status = xl_json_double(json, "layer_norm_eps", 0, 1, &config->layer_norm_eps, err);
    if (!status) status = xl_json_int(json, "eos_token_id", 0, 1 << 24, &config->eos_token_id, err);
    if (!status) status = xl_config_names(json, "hidden_act", activation_names, &act, 1, &n, err);
    if (!status && n) config->hidden_act = activations[act];
    if (!status)
        status = xl_config_divides(json, "num_attention_heads", config->num_attention_heads,
                                   "hidden_size", config->hidden_size, err);
    return status;
}

enum xl_status xl_clip_config_read(struct xl_json json, struct xl_clip_config *out,
                                   struct xl_err *err) {
    struct xl_clip_config config = {
        .vocab_size = 49408,
        .max_position_embeddings = 77,
        .hidden_size = 512,
        .intermediate_size = 2048,
        .num_hidden_layers = 12,
        .num_attention_heads = 8,
        .projection_dim = 512,
        .hidden_act = XL_ACT_QUICK_GELU,
        .layer_norm_eps = 1e-5,
        .eos_token_id = 49407,
    };
    enum xl_status status = read_config(json, &config, err);
    if (!status) *out = config;
    return status;
}
