/* cases.c - the table. Sizes of tests are odd on purpose: 1, and numbers beside and between the
 * widths of vectors, tiles and blocks. Real sizes are SDXL's at 512 x 512 and at 1024 x 1024 with
 * classifier-free guidance (a batch of 2), its VAE's and its text encoders'. */
#include "op/cases.h"

#include "base/str.h"

#include <stdio.h>
#include <stdlib.h>

/* SHAPE (2, 3) is the initialiser of a struct xl_shape. */
#define SHAPE(...)                                                                                 \
    {                                                                                              \
        (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), {                               \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }

#define LINEAR(x_, weight_, act_, with_)                                                           \
    {                                                                                              \
        .op = {.kind = XL_OP_LINEAR, .attr.linear = {.act = XL_ACT_##act_}}, .x = SHAPE x_,        \
        .y = SHAPE weight_, .with = with_                                                          \
    }
#define CONV2D(x_, weight_, with_, ...)                                                            \
    {                                                                                              \
        .op = {.kind = XL_OP_CONV2D, .attr.conv2d = {__VA_ARGS__}}, .x = SHAPE x_,                 \
        .y = SHAPE weight_, .with = with_                                                          \
    }
#define PAD(n) .pad_top = n, .pad_left = n, .pad_bottom = n, .pad_right = n
#define GROUP_NORM(x_, groups_, act_, with_)                                                       \
    {                                                                                              \
        .op = {.kind = XL_OP_GROUP_NORM,                                                           \
               .attr.group_norm = {.groups = groups_, .eps = 1e-5, .act = XL_ACT_##act_}},         \
        .x = SHAPE x_, .with = with_                                                               \
    }
#define LAYER_NORM(x_, with_)                                                                      \
    {                                                                                              \
        .op = {.kind = XL_OP_LAYER_NORM, .attr.layer_norm = {.eps = 1e-5}}, .x = SHAPE x_,         \
        .with = with_                                                                              \
    }
#define ATTENTION(q_, k_, heads_, with_, ...)                                                      \
    {                                                                                              \
        .op = {.kind = XL_OP_ATTENTION, .attr.attention = {.heads = heads_, __VA_ARGS__}},         \
        .x = SHAPE q_, .y = SHAPE k_, .with = with_                                                \
    }
#define UNARY(kind_, x_, with_)                                                                    \
    { .op = {.kind = kind_}, .x = SHAPE x_, .with = with_ }
#define BINARY(kind_, x_, y_, with_)                                                               \
    { .op = {.kind = kind_}, .x = SHAPE x_, .y = SHAPE y_, .with = with_ }
#define ACTIVATION(act_, x_, with_)                                                                \
    { .op = {.kind = XL_OP_ACTIVATION, .attr.act = XL_ACT_##act_}, .x = SHAPE x_, .with = with_ }
#define SINUSOID(x_, ...)                                                                          \
    { .op = {.kind = XL_OP_SINUSOID, .attr.sinusoid = {__VA_ARGS__}}, .x = SHAPE x_ }
#define CAST(x_, to_)                                                                              \
    { .op = {.kind = XL_OP_CAST}, .x = SHAPE x_, .to = XL_DTYPE_##to_ }
#define STEP_VALUE(column_, n_)                                                                    \
    {                                                                                              \
        .op = {.kind = XL_OP_STEP_VALUE, .attr.step_value = {XL_STEP_##column_, n_} }              \
    }
#define SCALE_INPUT(x_, repeat_)                                                                   \
    { .op = {.kind = XL_OP_SCALE_INPUT, .attr.repeat = repeat_}, .x = SHAPE x_ }
#define LATENTS_AFFINE(x_, y_, way_)                                                               \
    {                                                                                              \
        .op = {.kind = XL_OP_LATENTS_AFFINE, .attr.way = XL_LATENTS_TO_##way_}, .x = SHAPE x_,     \
        .y = SHAPE y_                                                                              \
    }

const struct op_case op_cases[] = {
    /* linear: x, weight */
    LINEAR((1, 1), (1, 1), NONE, 0),
    LINEAR((1, 3), (7, 3), NONE, BIAS),
    LINEAR((3, 17), (33, 17), SILU, BIAS),
    LINEAR((7, 33), (17, 33), GELU, BIAS | RESIDUAL),
    LINEAR((1, 320), (1280, 320), SILU, BIAS),
    LINEAR((2, 77, 64), (130, 64), QUICK_GELU, BIAS),
    LINEAR((2, 77, 130), (64, 130), NONE, RESIDUAL),
    LINEAR((2, 33, 64), (193, 64), NONE, PARTS),
    LINEAR((1, 17, 48), (144, 48), NONE, BIAS | PARTS),
    LINEAR((2, 5, 3, 33), (65, 33), NONE, BIAS),
    LINEAR((1, 7, 7, 17), (31, 17, 1, 1), NONE, BIAS | RESIDUAL),
    LINEAR((130, 257), (129, 257), NONE, BIAS | RESIDUAL),
    LINEAR((2, 256), (2, 256), NONE, 0),
    LINEAR((65, 1), (3, 1), NONE, BIAS),
    LINEAR((2, 64, 640), (640, 640), NONE, BIAS | RESIDUAL),
    LINEAR((3, 130, 24), (450, 24), GELU, BIAS | RESIDUAL),
    LINEAR((3, 17), (33, 17), NONE, BIAS | DELTAS),
    LINEAR((2, 5, 1030), (70, 1030), NONE, DELTAS),
    LINEAR((9, 11), (7, 11), NONE, DELTAS),
    LINEAR((2, 289), (21, 289), NONE, BIAS | DELTAS),
    LINEAR((2, 33, 64), (193, 64), NONE, PARTS | DELTAS),
    LINEAR((3, 17), (33, 17), NONE, BIAS | KINDS),
    LINEAR((2, 5, 1032), (70, 1032), NONE, KINDS),
    LINEAR((9, 9), (7, 9), NONE, KINDS),
    LINEAR((2, 315), (22, 315), NONE, KINDS),
    LINEAR((1, 17, 48), (144, 48), NONE, BIAS | PARTS | KINDS),

    LINEAR((1, 17, 64), (250, 64), NONE, BIAS | THEN),
    LINEAR((3, 33), (34, 33), NONE, BIAS | THEN),
    LINEAR((2, 9, 64), (128, 64), NONE, THEN),
    LINEAR((2, 9, 40), (96, 40), NONE, BIAS | AFTER_NORM | THEN),
    LINEAR((2, 33, 64), (96, 64), NONE, AFTER_NORM | IN_F8),
    LINEAR((3, 50, 320), (240, 320), NONE, PARTS | AFTER_NORM | IN_F8),
    LINEAR((1, 5, 2560), (48, 2560), NONE, BIAS | AFTER_NORM | IN_F8),
    LINEAR((1, 5, 2576), (48, 2576), NONE, BIAS | AFTER_NORM | IN_F8),
    LINEAR((2, 33, 60), (96, 60), NONE, BIAS | AFTER_NORM | IN_F8),
    LINEAR((2, 32, 640), (320, 640), NONE, BIAS | RESIDUAL | IN_F8),
    LINEAR((2, 11, 1280), (320, 1280), NONE, BIAS | RESIDUAL | AFTER_GEGLU | IN_F8),
    LINEAR((2, 7, 5120), (64, 5120), NONE, BIAS | RESIDUAL | AFTER_GEGLU | DELTAS | IN_F8),
    LINEAR((1, 17, 64), (256, 64), NONE, BIAS | AFTER_NORM | THEN | IN_F8),
    LINEAR((2, 9, 64), (32, 64), NONE, BIAS | RESIDUAL | AFTER_GATES),
    LINEAR((1, 130, 72), (40, 72), NONE, AFTER_NORM | AFTER_GATES),
    LINEAR((3, 150, 328), (24, 328), NONE, BIAS | AFTER_NORM | AFTER_GATES | DELTAS),
    LINEAR((2, 150, 384), (176, 384), NONE, BIAS | RESIDUAL | AFTER_NORM | AFTER_GATES | IN_F8),
    LINEAR((1, 33, 1280), (160, 1280), NONE, RESIDUAL | AFTER_GATES | DELTAS | IN_F8),
    LINEAR((1, 300, 144), (48, 144), NONE, BIAS | RESIDUAL | AFTER_NORM | AFTER_GATES | IN_F8),
    LINEAR((1, 130, 256), (320, 256), NONE, BIAS | AFTER_NORM | AFTER_GATES | IN_F8),

    /* conv2d: x, weight, then stride and padding */
    CONV2D((1, 1, 1, 1), (1, 1, 1, 1), 0, .stride = 1),
    CONV2D((1, 3, 3, 3), (7, 3, 3, 3), BIAS, PAD(1)),
    CONV2D((2, 5, 7, 17), (33, 17, 3, 3), BIAS | CHANNEL_BIAS | RESIDUAL, PAD(1)),
    CONV2D((3, 4, 6, 33), (17, 33, 3, 3), CHANNEL_BIAS, PAD(1)),
    CONV2D((2, 6, 4, 64), (64, 64, 3, 3), RESIDUAL, PAD(1)),
    CONV2D((2, 9, 11, 4), (64, 4, 3, 3), BIAS, PAD(1)),
    CONV2D((2, 9, 11, 64), (4, 64, 3, 3), BIAS, PAD(1)),
    CONV2D((1, 17, 13, 3), (32, 3, 3, 3), BIAS, PAD(1)),
    CONV2D((1, 8, 8, 130), (77, 130, 3, 3), BIAS, PAD(1)),
    CONV2D((1, 16, 16, 64), (128, 64, 3, 3), BIAS | CHANNEL_BIAS, PAD(1)),
    CONV2D((1, 7, 1, 17), (9, 17, 3, 3), BIAS, PAD(1)),
    CONV2D((1, 1, 33, 17), (9, 17, 3, 3), BIAS, PAD(1)),
    CONV2D((1, 1, 1, 64), (64, 64, 3, 3), BIAS, PAD(1)),
    CONV2D((2, 7, 5, 65), (33, 65, 3, 3), BIAS | CHANNEL_BIAS | RESIDUAL, PAD(1)),
    CONV2D((1, 3, 141, 32), (32, 32, 3, 3), BIAS, .pad_right = 1, .pad_bottom = 2),
    CONV2D((2, 20, 34, 40), (400, 40, 3, 3), BIAS | RESIDUAL, .stride = 1),
    CONV2D((1, 6, 7, 9), (5, 9, 2, 2), BIAS, .pad_top = 2, .pad_left = 3, .pad_right = 2),
    CONV2D((1, 5, 6, 7), (3, 7, 3, 3), BIAS, .stride = 1),
    CONV2D((2, 5, 7, 33), (65, 33, 1, 1), BIAS | RESIDUAL, .stride = 1),
    CONV2D((1, 6, 9, 8), (8, 8, 1, 1), BIAS, .stride = 2),
    CONV2D((1, 9, 10, 5), (6, 5, 5, 5), BIAS, PAD(2)),
    CONV2D((1, 9, 10, 5), (6, 5, 1, 3), BIAS, .pad_left = 1, .pad_right = 1),
    CONV2D((1, 9, 10, 5), (6, 5, 3, 1), BIAS, .pad_top = 1, .pad_bottom = 1),
    CONV2D((2, 8, 8, 32), (64, 32, 3, 3), BIAS, .stride = 2, PAD(1)),
    CONV2D((1, 7, 9, 17), (17, 17, 3, 3), BIAS | RESIDUAL, .stride = 2, PAD(1)),
    CONV2D((1, 8, 8, 16), (16, 16, 3, 3), BIAS, .stride = 2, .pad_bottom = 1, .pad_right = 1),
    CONV2D((1, 9, 7, 33), (33, 33, 3, 3), BIAS, .stride = 2, .pad_bottom = 1, .pad_right = 1),
    CONV2D((1, 10, 11, 3), (5, 3, 4, 4), BIAS, .stride = 3, .pad_top = 2, .pad_right = 1),
    CONV2D((2, 8, 8, 64), (64, 64, 3, 3), BIAS | CHANNEL_BIAS | THEN, PAD(1)),
    CONV2D((1, 33, 31, 16), (24, 16, 3, 3), BIAS | THEN, PAD(1)),
    CONV2D((2, 5, 7, 24), (20, 24, 3, 3), CHANNEL_BIAS | THEN, PAD(1)),
    CONV2D((2, 5, 7, 17), (33, 17, 3, 3), BIAS | CHANNEL_BIAS | THEN, PAD(1)),
    CONV2D((1, 8, 8, 32), (64, 32, 3, 3), BIAS | RESIDUAL | THEN, PAD(1)),
    CONV2D((1, 160, 150, 8), (32, 8, 3, 3), BIAS | CHANNEL_BIAS | THEN, PAD(1)),
    CONV2D((2, 8, 8, 64), (64, 64, 3, 3), BIAS | CHANNEL_BIAS | AFTER_NORM | THEN | IN_F8, PAD(1)),
    CONV2D((1, 9, 7, 96), (48, 96, 3, 3), BIAS | RESIDUAL | AFTER_NORM | IN_F8, PAD(1)),
    CONV2D((2, 12, 12, 160), (32, 160, 3, 3), BIAS | AFTER_NORM | IN_F8, PAD(1)),
    CONV2D((1, 12, 12, 32), (64, 32, 3, 3), BIAS | AFTER_NORM | IN_F8, PAD(1), .stride = 2),
    CONV2D((1, 160, 150, 32), (16, 32, 3, 3), BIAS | RESIDUAL | AFTER_NORM | IN_F8, PAD(1)),
    CONV2D((1, 5, 7, 24), (40, 24, 3, 3), BIAS | AFTER_NORM | IN_F8, PAD(1)),
    CONV2D((1, 3, 5, 8), (16, 8, 3, 3), BIAS, PAD(1), .upsample = true),
    CONV2D((2, 4, 3, 33), (17, 33, 3, 3), BIAS | RESIDUAL, PAD(1), .upsample = true),
    CONV2D((2, 3, 5, 17), (17, 17, 3, 3), BIAS, PAD(1), .upsample = true, .up_height = 5),
    CONV2D((1, 4, 4, 64), (64, 64, 3, 3), BIAS, PAD(1), .upsample = true, .up_height = 7,
           .up_width = 7),
    CONV2D((1, 1, 1, 8), (8, 8, 3, 3), BIAS, PAD(1), .upsample = true),
    CONV2D((1, 4, 5, 7), (9, 7, 1, 1), BIAS, .upsample = true),
    CONV2D((1, 4, 5, 7), (9, 7, 3, 3), BIAS, PAD(1), .stride = 2, .upsample = true),
    CONV2D((2, 5, 7, 17), (33, 17, 3, 3), BIAS | DELTAS, PAD(1)),
    CONV2D((1, 8, 8, 40), (48, 40, 3, 3), DELTAS, PAD(1)),
    CONV2D((1, 4, 5, 40), (48, 40, 3, 3), DELTAS, PAD(1), .upsample = true),
    CONV2D((1, 3, 5, 8), (16, 8, 3, 3), DELTAS, PAD(1), .upsample = true),
    CONV2D((2, 5, 7, 33), (65, 33, 1, 1), BIAS | DELTAS, .stride = 1),
    CONV2D((2, 5, 7, 18), (33, 18, 3, 3), BIAS | KINDS, PAD(1)),
    CONV2D((1, 8, 8, 120), (48, 120, 3, 3), KINDS, PAD(1)),
    CONV2D((2, 5, 7, 33), (65, 33, 1, 1), BIAS | KINDS, .stride = 1),

    /* group_norm: x, groups */
    GROUP_NORM((1, 1, 1), 1, NONE, 0),
    GROUP_NORM((1, 3, 5, 32), 32, NONE, 0),
    GROUP_NORM((2, 7, 3, 34), 17, SILU, 0),
    GROUP_NORM((2, 17, 33), 3, SILU, 0),
    GROUP_NORM((3, 9, 9, 64), 32, SILU, SHIFTED),
    GROUP_NORM((1, 16, 17, 128), 32, NONE, SHIFTED),
    GROUP_NORM((2, 8, 8, 960), 32, SILU, 0),
    GROUP_NORM((2, 5, 130), 1, NONE, 0),
    GROUP_NORM((5, 48), 4, SILU, 0),
    GROUP_NORM((1, 33, 65, 36), 4, GELU, 0),
    GROUP_NORM((1, 64, 64, 33), 3, NONE, SHIFTED),

    /* layer_norm: x */
    LAYER_NORM((1, 2), 0),
    LAYER_NORM((3, 7), 0),
    LAYER_NORM((1, 77, 64), 0),
    LAYER_NORM((2, 17, 33), SHIFTED),
    LAYER_NORM((2, 5, 130), SHIFTED),
    LAYER_NORM((7, 1280), 0),
    LAYER_NORM((2, 3, 5, 17), 0),

    /* attention: q, k and v, heads */
    ATTENTION((1, 1, 8), (1, 1, 8), 1, 0, .causal = false),
    ATTENTION((2, 7, 16), (2, 3, 16), 2, 0, .causal = false),
    ATTENTION((1, 17, 39), (1, 17, 39), 3, SLICES, .causal = true),
    ATTENTION((2, 77, 128), (2, 77, 128), 2, SLICES, .causal = true),
    ATTENTION((1, 130, 64), (1, 130, 64), 1, 0, .causal = true),
    ATTENTION((1, 9, 32), (1, 5, 32), 1, 0, .causal = true),
    ATTENTION((1, 5, 32), (1, 9, 32), 1, 0, .causal = true),
    ATTENTION((2, 33, 120), (2, 77, 120), 3, SLICES, .causal = false),
    ATTENTION((2, 64, 128), (2, 64, 128), 2, SLICES, .causal = false),
    ATTENTION((1, 130, 128), (1, 257, 128), 2, 0, .causal = false),
    ATTENTION((1, 257, 64), (1, 130, 64), 1, SLICES, .causal = false),
    ATTENTION((3, 17, 80), (3, 33, 80), 1, 0, .causal = false),
    ATTENTION((1, 33, 320), (1, 64, 320), 2, SLICES, .causal = false),
    ATTENTION((1, 65, 512), (1, 65, 512), 1, SLICES, .causal = false),
    ATTENTION((1, 600, 24), (1, 600, 24), 3, SLICES, .causal = false),
    ATTENTION((1, 7, 64), (1, 1, 64), 1, SLICES, .causal = false),
    ATTENTION((2, 77, 128), (2, 77, 128), 2, SLICES | BIAS, .causal = true),
    ATTENTION((3, 9, 48), (3, 17, 48), 3, BIAS, .causal = false),
    /* Scores of up to 150: exp must not overflow. */
    ATTENTION((2, 33, 64), (2, 65, 64), 1, 0, .scale = 5),
    ATTENTION((1, 33, 256), (1, 33, 256), 2, SLICES, .scale = 0.01),

    UNARY(XL_OP_GEGLU, (1, 2), 0),
    UNARY(XL_OP_GEGLU, (3, 34), 0),
    UNARY(XL_OP_GEGLU, (2, 7, 66), 0),
    UNARY(XL_OP_GEGLU, (2, 33, 260), 0),
    UNARY(XL_OP_GEGLU, (1, 64, 512), 0),

    ACTIVATION(SILU, (1, 1), 0),
    ACTIVATION(SILU, (2, 7, 33), 0),
    ACTIVATION(GELU, (3, 77), 0),
    ACTIVATION(GELU, (1, 17, 130), 0),
    ACTIVATION(QUICK_GELU, (5, 17), 0),
    ACTIVATION(QUICK_GELU, (2, 77, 64), 0),
    ACTIVATION(NONE, (7, 3), 0),

    BINARY(XL_OP_CONCAT, (1, 1), (1, 1), 0),
    BINARY(XL_OP_CONCAT, (2, 3, 5, 17), (2, 3, 5, 7), 0),
    BINARY(XL_OP_CONCAT, (2, 8, 8, 64), (2, 8, 8, 33), 0),
    BINARY(XL_OP_CONCAT, (2, 77, 1), (2, 77, 130), 0),

    BINARY(XL_OP_EMBED, (1, 1), (3, 1), 0),
    BINARY(XL_OP_EMBED, (2, 7), (130, 33), 0),
    BINARY(XL_OP_EMBED, (2, 7), (130, 33), DELTAS),
    BINARY(XL_OP_EMBED, (2, 7), (130, 33), KINDS),
    BINARY(XL_OP_EMBED, (2, 77), (1000, 64), 0),
    BINARY(XL_OP_EMBED, (2, 77), (12, 65), BIAS),
    BINARY(XL_OP_EMBED, (2, 7), (13, 33), BIAS | DELTAS),

    SINUSOID((1, 1), .dim = 2),
    SINUSOID((2, 1), .dim = 320),
    SINUSOID((2, 6), .dim = 34, .sin_first = true),
    SINUSOID((3, 6), .dim = 64, .freq_shift = 1),

    BINARY(XL_OP_PICK_ROW, (1, 1, 1), (1), 0),
    BINARY(XL_OP_PICK_ROW, (3, 77, 33), (3), 0),

    CAST((1, 1), F32),
    CAST((7, 33), BF16),
    CAST((7, 33), F32),
    CAST((3, 17), F16),

    /* The sampling loop, pictures and latents. */
    STEP_VALUE(TIMESTEP, 1),
    STEP_VALUE(NOISE_ROW, 7),
    SCALE_INPUT((1, 1), 1),
    SCALE_INPUT((2, 33, 65, 4), 2),
    BINARY(XL_OP_GUIDE, (2, 3), (2), 0),
    BINARY(XL_OP_GUIDE, (6, 5, 7, 4), (2), 0),
    BINARY(XL_OP_GUIDE, (2, 33, 65, 4), (2), 0),
    UNARY(XL_OP_SAMPLER_STEP, (1), 0),
    UNARY(XL_OP_SAMPLER_STEP, (2, 33, 65, 4), 0),
    LATENTS_AFFINE((1, 1), (2, 1), UNET),
    LATENTS_AFFINE((1, 33, 130, 16), (2, 16), UNET),
    LATENTS_AFFINE((1, 33, 130, 16), (2, 16), VAE),
    BINARY(XL_OP_SAMPLE_LATENTS, (1, 2), (1, 1), 0),
    BINARY(XL_OP_SAMPLE_LATENTS, (1, 130, 130, 8), (1, 130, 130, 4), 0),
    UNARY(XL_OP_FROM_RGB, (1), 0),
    UNARY(XL_OP_FROM_RGB, (1, 130, 200, 3), 0),
    UNARY(XL_OP_TO_RGB, (1), 0),
    UNARY(XL_OP_TO_RGB, (1, 130, 200, 3), 0),

    /* ---- real sizes: 512 x 512 ---- */
    /* The transformers at 32 x 32 (10 heads of 64) and 16 x 16 (20 heads). */
    LINEAR((2, 1024, 640), (1920, 640), NONE, PARTS | BENCH),
    LINEAR((2, 1024, 640), (640, 640), NONE, BIAS | RESIDUAL | BENCH),
    LINEAR((2, 1024, 640), (5120, 640), NONE, BIAS | BENCH),
    LINEAR((2, 1024, 2560), (640, 2560), NONE, BIAS | RESIDUAL | BENCH),
    LINEAR((2, 256, 1280), (3840, 1280), NONE, PARTS | BENCH),
    LINEAR((2, 256, 1280), (1280, 1280), NONE, BIAS | RESIDUAL | BENCH),
    LINEAR((2, 256, 1280), (10240, 1280), NONE, BIAS | BENCH),
    LINEAR((2, 256, 5120), (1280, 5120), NONE, BIAS | RESIDUAL | BENCH),
    LINEAR((2, 77, 2048), (2560, 2048), NONE, BENCH),
    LINEAR((2, 1, 1280), (1280, 1280), SILU, BIAS | BENCH),

    /* The UNet's convolutions, down and up (inputs concatenated with skip connections). */
    CONV2D((2, 64, 64, 4), (320, 4, 3, 3), BIAS | BENCH, PAD(1)),
    CONV2D((2, 64, 64, 320), (320, 320, 3, 3), BIAS | CHANNEL_BIAS | BENCH, PAD(1)),
    CONV2D((2, 64, 64, 320), (320, 320, 3, 3), BIAS | BENCH, .stride = 2, PAD(1)),
    CONV2D((2, 64, 64, 640), (320, 640, 3, 3), BIAS | CHANNEL_BIAS | BENCH, PAD(1)),
    CONV2D((2, 64, 64, 960), (320, 960, 3, 3), BIAS | CHANNEL_BIAS | BENCH, PAD(1)),
    CONV2D((2, 64, 64, 320), (4, 320, 3, 3), BIAS | BENCH, PAD(1)),
    CONV2D((2, 32, 32, 640), (640, 640, 3, 3), BIAS | RESIDUAL | BENCH, PAD(1)),
    CONV2D((2, 32, 32, 1280), (640, 1280, 3, 3), BIAS | CHANNEL_BIAS | BENCH, PAD(1)),
    CONV2D((2, 32, 32, 1920), (640, 1920, 3, 3), BIAS | CHANNEL_BIAS | BENCH, PAD(1)),
    CONV2D((2, 32, 32, 640), (640, 640, 3, 3), BIAS | BENCH, PAD(1), .upsample = true),
    CONV2D((2, 16, 16, 1280), (1280, 1280, 3, 3), BIAS | RESIDUAL | BENCH, PAD(1)),
    CONV2D((2, 16, 16, 2560), (1280, 2560, 3, 3), BIAS | CHANNEL_BIAS | BENCH, PAD(1)),
    CONV2D((2, 16, 16, 1280), (1280, 1280, 3, 3), BIAS | BENCH, PAD(1), .upsample = true),
    LINEAR((2, 64, 64, 960), (320, 960, 1, 1), NONE, BIAS | BENCH),

    /* The VAE's decoder. */
    CONV2D((1, 64, 64, 4), (512, 4, 3, 3), BIAS | BENCH, PAD(1)),
    CONV2D((1, 64, 64, 512), (512, 512, 3, 3), BIAS | RESIDUAL | BENCH, PAD(1)),
    CONV2D((1, 64, 64, 512), (512, 512, 3, 3), BIAS | BENCH, PAD(1), .upsample = true),
    CONV2D((1, 128, 128, 512), (512, 512, 3, 3), BIAS | RESIDUAL | BENCH, PAD(1)),
    CONV2D((1, 256, 256, 256), (256, 256, 3, 3), BIAS | RESIDUAL | BENCH, PAD(1)),
    CONV2D((1, 256, 256, 256), (256, 256, 3, 3), BIAS | BENCH, PAD(1), .upsample = true),
    CONV2D((1, 512, 512, 128), (128, 128, 3, 3), BIAS | RESIDUAL | BENCH, PAD(1)),
    CONV2D((1, 512, 512, 128), (3, 128, 3, 3), BIAS | BENCH, PAD(1)),
    LINEAR((1, 512, 512, 256), (128, 256, 1, 1), NONE, BIAS | BENCH),

    GROUP_NORM((2, 64, 64, 320), 32, SILU, BENCH),
    GROUP_NORM((2, 32, 32, 640), 32, SILU, BENCH),
    GROUP_NORM((2, 16, 16, 1280), 32, SILU, BENCH),
    GROUP_NORM((1, 512, 512, 128), 32, SILU, BENCH),
    LAYER_NORM((2, 1024, 640), BENCH),
    LAYER_NORM((2, 256, 1280), BENCH),

    ATTENTION((2, 1024, 640), (2, 1024, 640), 10, SLICES | BENCH, .causal = false),
    ATTENTION((2, 256, 1280), (2, 256, 1280), 20, SLICES | BENCH, .causal = false),
    ATTENTION((2, 1024, 640), (2, 77, 640), 10, SLICES | BENCH, .causal = false),
    ATTENTION((2, 256, 1280), (2, 77, 1280), 20, SLICES | BENCH, .causal = false),
    ATTENTION((2, 77, 1280), (2, 77, 1280), 20, SLICES | BENCH, .causal = true),
    ATTENTION((1, 4096, 512), (1, 4096, 512), 1, SLICES | BENCH, .causal = false),

    UNARY(XL_OP_GEGLU, (2, 1024, 5120), BENCH),
    UNARY(XL_OP_GEGLU, (2, 256, 10240), BENCH),
    ACTIVATION(SILU, (2, 1280), BENCH),
    BINARY(XL_OP_CONCAT, (2, 64, 64, 640), (2, 64, 64, 320), BENCH),
    BINARY(XL_OP_CONCAT, (2, 16, 16, 1280), (2, 16, 16, 1280), BENCH),
    BINARY(XL_OP_GUIDE, (2, 64, 64, 4), (2), BENCH),
    UNARY(XL_OP_SAMPLER_STEP, (1, 64, 64, 4), BENCH),
    UNARY(XL_OP_TO_RGB, (1, 512, 512, 3), BENCH),

    /* ---- the same at 1024 x 1024 ---- */
    /* The transformers at 64 x 64 (10 heads of 64) and 32 x 32 (20 heads). */
    LINEAR((2, 4096, 640), (1920, 640), NONE, PARTS | LARGE),
    LINEAR((2, 4096, 640), (640, 640), NONE, BIAS | RESIDUAL | LARGE),
    LINEAR((2, 4096, 640), (640, 640), NONE, LARGE),
    LINEAR((2, 4096, 640), (5120, 640), NONE, BIAS | LARGE),
    LINEAR((2, 4096, 2560), (640, 2560), NONE, BIAS | RESIDUAL | LARGE),
    LINEAR((2, 1024, 1280), (3840, 1280), NONE, PARTS | LARGE),
    LINEAR((2, 1024, 1280), (1280, 1280), NONE, BIAS | RESIDUAL | LARGE),
    LINEAR((2, 1024, 1280), (1280, 1280), NONE, LARGE),
    LINEAR((2, 1024, 1280), (10240, 1280), NONE, BIAS | LARGE),
    LINEAR((2, 1024, 5120), (1280, 5120), NONE, BIAS | RESIDUAL | LARGE),
    LINEAR((2, 77, 2048), (2560, 2048), NONE, LARGE),
    LINEAR((2, 1280), (1280, 1280), SILU, BIAS | LARGE),
    LINEAR((2, 2816), (1280, 2816), SILU, BIAS | LARGE),

    /* The UNet's convolutions, down and up. */
    CONV2D((2, 128, 128, 4), (320, 4, 3, 3), BIAS | LARGE, PAD(1)),
    CONV2D((2, 128, 128, 320), (320, 320, 3, 3), BIAS | CHANNEL_BIAS | LARGE, PAD(1)),
    CONV2D((2, 128, 128, 320), (320, 320, 3, 3), BIAS | RESIDUAL | LARGE, PAD(1)),
    CONV2D((2, 128, 128, 320), (320, 320, 3, 3), BIAS | LARGE, .stride = 2, PAD(1)),
    CONV2D((2, 128, 128, 640), (320, 640, 3, 3), BIAS | CHANNEL_BIAS | LARGE, PAD(1)),
    CONV2D((2, 128, 128, 960), (320, 960, 3, 3), BIAS | CHANNEL_BIAS | LARGE, PAD(1)),
    CONV2D((2, 128, 128, 320), (4, 320, 3, 3), BIAS | LARGE, PAD(1)),
    CONV2D((2, 64, 64, 320), (640, 320, 3, 3), BIAS | CHANNEL_BIAS | LARGE, PAD(1)),
    CONV2D((2, 64, 64, 640), (640, 640, 3, 3), BIAS | RESIDUAL | LARGE, PAD(1)),
    CONV2D((2, 64, 64, 640), (640, 640, 3, 3), BIAS | LARGE, .stride = 2, PAD(1)),
    CONV2D((2, 64, 64, 960), (640, 960, 3, 3), BIAS | CHANNEL_BIAS | LARGE, PAD(1)),
    CONV2D((2, 64, 64, 1280), (640, 1280, 3, 3), BIAS | CHANNEL_BIAS | LARGE, PAD(1)),
    CONV2D((2, 64, 64, 1920), (640, 1920, 3, 3), BIAS | CHANNEL_BIAS | LARGE, PAD(1)),
    CONV2D((2, 64, 64, 640), (640, 640, 3, 3), BIAS | LARGE, PAD(1), .upsample = true),
    CONV2D((2, 32, 32, 640), (1280, 640, 3, 3), BIAS | CHANNEL_BIAS | LARGE, PAD(1)),
    CONV2D((2, 32, 32, 1280), (1280, 1280, 3, 3), BIAS | RESIDUAL | LARGE, PAD(1)),
    CONV2D((2, 32, 32, 1920), (1280, 1920, 3, 3), BIAS | CHANNEL_BIAS | LARGE, PAD(1)),
    CONV2D((2, 32, 32, 2560), (1280, 2560, 3, 3), BIAS | CHANNEL_BIAS | LARGE, PAD(1)),
    CONV2D((2, 32, 32, 1280), (1280, 1280, 3, 3), BIAS | LARGE, PAD(1), .upsample = true),
    LINEAR((2, 128, 128, 960), (320, 960, 1, 1), NONE, BIAS | LARGE),
    LINEAR((2, 64, 64, 1920), (640, 1920, 1, 1), NONE, BIAS | LARGE),
    LINEAR((2, 32, 32, 2560), (1280, 2560, 1, 1), NONE, BIAS | LARGE),

    /* The VAE's decoder. */
    CONV2D((1, 128, 128, 4), (512, 4, 3, 3), BIAS | LARGE, PAD(1)),
    CONV2D((1, 128, 128, 512), (512, 512, 3, 3), BIAS | RESIDUAL | LARGE, PAD(1)),
    CONV2D((1, 128, 128, 512), (512, 512, 3, 3), BIAS | LARGE, PAD(1), .upsample = true),
    CONV2D((1, 256, 256, 512), (512, 512, 3, 3), BIAS | RESIDUAL | LARGE, PAD(1)),
    CONV2D((1, 256, 256, 512), (512, 512, 3, 3), BIAS | LARGE, PAD(1), .upsample = true),
    CONV2D((1, 512, 512, 512), (256, 512, 3, 3), BIAS | LARGE, PAD(1)),
    CONV2D((1, 512, 512, 256), (256, 256, 3, 3), BIAS | RESIDUAL | LARGE, PAD(1)),
    CONV2D((1, 512, 512, 256), (256, 256, 3, 3), BIAS | LARGE, PAD(1), .upsample = true),
    CONV2D((1, 1024, 1024, 256), (128, 256, 3, 3), BIAS | LARGE, PAD(1)),
    CONV2D((1, 1024, 1024, 128), (128, 128, 3, 3), BIAS | RESIDUAL | LARGE, PAD(1)),
    CONV2D((1, 1024, 1024, 128), (3, 128, 3, 3), BIAS | LARGE, PAD(1)),
    LINEAR((1, 512, 512, 512), (256, 512, 1, 1), NONE, BIAS | LARGE),
    LINEAR((1, 1024, 1024, 256), (128, 256, 1, 1), NONE, BIAS | LARGE),

    GROUP_NORM((2, 128, 128, 320), 32, SILU, LARGE),
    GROUP_NORM((2, 128, 128, 960), 32, SILU, LARGE),
    GROUP_NORM((2, 64, 64, 640), 32, SILU, LARGE),
    GROUP_NORM((2, 64, 64, 640), 32, NONE, LARGE),
    GROUP_NORM((2, 64, 64, 1920), 32, SILU, LARGE),
    GROUP_NORM((2, 32, 32, 1280), 32, SILU, LARGE),
    GROUP_NORM((2, 32, 32, 2560), 32, SILU, LARGE),
    GROUP_NORM((1, 128, 128, 512), 32, SILU, LARGE),
    GROUP_NORM((1, 512, 512, 256), 32, SILU, LARGE),
    GROUP_NORM((1, 1024, 1024, 128), 32, SILU, LARGE),
    LAYER_NORM((2, 4096, 640), LARGE),
    LAYER_NORM((2, 1024, 1280), LARGE),

    ATTENTION((2, 4096, 640), (2, 4096, 640), 10, SLICES | LARGE, .causal = false),
    ATTENTION((2, 1024, 1280), (2, 1024, 1280), 20, SLICES | LARGE, .causal = false),
    ATTENTION((2, 4096, 640), (2, 77, 640), 10, SLICES | LARGE, .causal = false),
    ATTENTION((2, 1024, 1280), (2, 77, 1280), 20, SLICES | LARGE, .causal = false),
    ATTENTION((2, 77, 768), (2, 77, 768), 12, SLICES | LARGE, .causal = true),
    ATTENTION((1, 16384, 512), (1, 16384, 512), 1, SLICES | LARGE, .causal = false),

    UNARY(XL_OP_GEGLU, (2, 4096, 5120), LARGE),
    UNARY(XL_OP_GEGLU, (2, 1024, 10240), LARGE),
    BINARY(XL_OP_CONCAT, (2, 128, 128, 640), (2, 128, 128, 320), LARGE),
    BINARY(XL_OP_CONCAT, (2, 64, 64, 1280), (2, 64, 64, 640), LARGE),
    BINARY(XL_OP_CONCAT, (2, 32, 32, 1280), (2, 32, 32, 1280), LARGE),
    BINARY(XL_OP_GUIDE, (2, 128, 128, 4), (2), LARGE),
    UNARY(XL_OP_SAMPLER_STEP, (1, 128, 128, 4), LARGE),
    UNARY(XL_OP_TO_RGB, (1, 1024, 1024, 3), LARGE),
};

const int n_op_cases = sizeof op_cases / sizeof *op_cases;

static const char *const act_names[] = {
    [XL_ACT_NONE] = "",
    [XL_ACT_SILU] = " silu",
    [XL_ACT_GELU] = " gelu",
    [XL_ACT_QUICK_GELU] = " quick_gelu",
};

/* The attributes that tell cases of one kind and shape apart. */
static void append_attr(struct xl_str *text, const struct op_case *op_case) {
    const struct xl_op *op = &op_case->op;
    switch (op->kind) {
    case XL_OP_LINEAR:
        xl_str_puts(text, act_names[op->attr.linear.act]);
        break;
    case XL_OP_CONV2D: {
        const struct xl_conv2d *attr = &op->attr.conv2d;
        xl_str_printf(text, " pad %d %d %d %d", attr->pad_top, attr->pad_left, attr->pad_bottom,
                      attr->pad_right);
        if (attr->stride > 1) xl_str_printf(text, " stride %d", attr->stride);
        if (attr->upsample) xl_str_puts(text, " upsample");
        if (attr->up_height) xl_str_printf(text, " to %d x %d", attr->up_height, attr->up_width);
        break;
    }
    case XL_OP_GROUP_NORM:
        xl_str_printf(text, " groups %d%s", op->attr.group_norm.groups,
                      act_names[op->attr.group_norm.act]);
        break;
    case XL_OP_ATTENTION:
        xl_str_printf(text, " heads %d%s", op->attr.attention.heads,
                      op->attr.attention.causal ? " causal" : "");
        if (op->attr.attention.scale > 0)
            xl_str_printf(text, " scale %g", op->attr.attention.scale);
        break;
    case XL_OP_ACTIVATION:
        xl_str_puts(text, act_names[op->attr.act]);
        break;
    case XL_OP_SINUSOID:
        xl_str_printf(text, " dim %d", op->attr.sinusoid.dim);
        break;
    case XL_OP_CAST:
        xl_str_printf(text, " to %s", xl_dtype_name(op_case->to));
        break;
    default:
        break;
    }
}

char *op_case_name(const struct op_case *op_case, char out[OP_CASE_TEXT]) {
    static const char *const with_names[] = {
        " bias",       " channel_bias", " residual", " parts", " slices",
        " shifted",    " deltas",       " kinds",    "",       "",
        " after norm", " after GEGLU",  " chained",  " in F8", " after gates"};
    struct xl_str text = {0};
    char shape[XL_SHAPE_TEXT];
    xl_str_printf(&text, "%s %s", xl_op_name(op_case->op.kind), xl_shape_format(op_case->x, shape));
    if (op_case->y.rank) xl_str_printf(&text, " %s", xl_shape_format(op_case->y, shape));
    append_attr(&text, op_case);
    for (int i = 0; i < (int)(sizeof with_names / sizeof *with_names); i++)
        if (op_case->with & 1u << i) xl_str_puts(&text, with_names[i]);
    snprintf(out, OP_CASE_TEXT, "%s", text.text ? text.text : "out of memory");
    xl_str_deinit(&text);
    return out;
}
