/* sdxl.c - Source: unet/, text_encoder/ and text_encoder_2/config.json of
 * stabilityai/stable-diffusion-xl-base-1.0; a test holds them together. */
#include "model/sdxl.h"

const struct xl_unet_config xl_sdxl_unet = {
    .in_channels = 4,
    .out_channels = 4,
    .sample_size = 128,
    .n_blocks = 3,
    .down = {{false, 320, 2, 5, {1, 1, 1}},
             {true, 640, 2, 10, {2, 2, 1}},
             {true, 1280, 2, 20, {10, 10, 1}}},
    .up = {{true, 1280, 3, 20, {10, 10, 10}},
           {true, 640, 3, 10, {2, 2, 2}},
           {false, 320, 3, 5, {1, 1, 1}}},
    .mid = {true, 1280, 2, 20, {10}},
    .use_linear_projection = true,
    .norm_num_groups = 32,
    .norm_eps = 1e-5,
    .cross_attention_dim = 2048,
    .pooled_dim = 1280,
    .addition_time_embed_dim = 256,
    .time_embed_dim = 1280,
    .flip_sin_to_cos = true,
};

const struct xl_clip_config xl_sdxl_text = {
    .vocab_size = 49408,
    .max_position_embeddings = 77,
    .hidden_size = 768,
    .intermediate_size = 3072,
    .num_hidden_layers = 12,
    .num_attention_heads = 12,
    .projection_dim = 768,
    .hidden_act = XL_ACT_QUICK_GELU,
    .layer_norm_eps = 1e-5,
    .eos_token_id = 2,
};

const struct xl_clip_config xl_sdxl_text_2 = {
    .vocab_size = 49408,
    .max_position_embeddings = 77,
    .hidden_size = 1280,
    .intermediate_size = 5120,
    .num_hidden_layers = 32,
    .num_attention_heads = 20,
    .projection_dim = 1280,
    .hidden_act = XL_ACT_GELU,
    .layer_norm_eps = 1e-5,
    .eos_token_id = 2,
};
