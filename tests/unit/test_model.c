/* test_model.c - the models' configurations and what they ask of their files: SDXL's own sizes
 * against diffusers' counts, and every refusal's sentence. Numbers are compared in tests/parity. */
#include "base/json.h"
#include "config_case.h"
#include "model/clip.h"
#include "model/unet.h"
#include "model/vae.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DATA XL_SOURCE_DIR "/tests/data/models/"
#define ok(call) cr_assert_eq((call), XL_OK, "%s", err.text)

/* ---- What SDXL's configurations ask for ---- */

static int by_name(const void *a, const void *b) {
    const struct xl_tensor *const *x = a, *const *y = b;
    return strcmp((*x)->name, (*y)->name);
}

/* 64-bit FNV-1a of "NAME SHAPE\n" for all tensors in the order of their names. */
static uint64_t digest(struct xl_manifest *manifest) {
    uint64_t hash = 0xCBF29CE484222325u;
    qsort(manifest->tensors, (size_t)manifest->n, sizeof *manifest->tensors, by_name);
    for (int i = 0; i < manifest->n; i++) {
        char shape[XL_SHAPE_TEXT], line[256];
        xl_shape_format(manifest->tensors[i]->shape, shape);
        snprintf(line, sizeof line, "%s %s\n", manifest->tensors[i]->name, shape);
        for (const char *c = line; *c; c++) hash = (hash ^ (uint8_t)*c) * 0x100000001B3u;
    }
    return hash;
}

/* The manifest holds the tensors, of the shapes, that diffusers' own model has. */
static void check_counts(const char *component, struct xl_manifest *manifest) {
    struct xl_err err = {0};
    json_t *root, *counts;
    ok(xl_json_load(DATA "sdxl-configs/counts.json", &root, &err));
    counts = json_object_get(root, component);
    cr_assert(counts);
    cr_expect_eq(manifest->n, json_integer_value(json_object_get(counts, "tensors")));
    cr_expect_eq(xl_manifest_parameters(manifest),
                 json_integer_value(json_object_get(counts, "parameters")));
    char hex[17];
    snprintf(hex, sizeof hex, "%016llx", (unsigned long long)digest(manifest));
    cr_expect_str_eq(hex, json_string_value(json_object_get(counts, "digest")));
    json_decref(root);
    xl_manifest_deinit(manifest);
}

Test(model, sdxl_unet) {
    struct xl_err err = {0};
    struct xl_unet_config config;
    struct xl_unet_io io;
    struct xl_plan *plan;
    struct xl_manifest manifest = {0};
    ok(CONFIG_READ(xl_unet_config_read, DATA "sdxl-configs/unet/config.json", &err, &config));
    struct xl_unet_shape shape = {1, 128, 128, 77, XL_DTYPE_BF16, false};
    ok(xl_unet_build(&config, (struct xl_source){.manifest = &manifest}, shape, &io, &plan, &err));
    /* Counted by hand: 6.761 TFLOP, 77 * 2048 * 4 * (10 * 640 + 60 * 1280) = 0.052 TFLOP of them
     * the text's keys and values, which are computed once a prompt. */
    double all = 0;
    for (int i = 0; i < xl_plan_n_ops(plan); i++) all += xl_op_flops(plan, xl_plan_op(plan, i));
    cr_expect_float_eq(all / 1e12, 6.761, 0.0005, "%.4f TFLOP", all / 1e12);
    double per_prompt = (all - xl_plan_flops(plan, XL_PER_RUN)) / 1e12;
    cr_expect_float_eq(per_prompt, 0.0525, 0.0001, "%.4f TFLOP", per_prompt);
    xl_plan_free(plan);
    check_counts("unet", &manifest);
}

Test(model, sdxl_vae) {
    struct xl_err err = {0};
    struct xl_vae_config config;
    struct xl_vae_io io;
    struct xl_plan *encoder, *decoder;
    struct xl_manifest manifest = {0};
    struct xl_source source = {.manifest = &manifest};
    ok(CONFIG_READ(xl_vae_config_read, DATA "sdxl-configs/vae/config.json", &err, &config));
    cr_expect_eq(xl_vae_scale(&config), 8);
    struct xl_vae_shape shape = {1, 128, 128, XL_DTYPE_F32};
    ok(xl_vae_build_encoder(&config, source, shape, &io, &encoder, &err));
    ok(xl_vae_build_decoder(&config, source, shape, &io, &decoder, &err));
    cr_expect_float_eq(xl_plan_flops(decoder, XL_PER_RUN) / 1e12, 10.47, 0.01, "%.4f TFLOP",
                       xl_plan_flops(decoder, XL_PER_RUN) / 1e12);
    xl_plan_free(encoder);
    xl_plan_free(decoder);
    check_counts("vae", &manifest);
}

static void check_text_encoder(const char *name, enum xl_clip_head head) {
    struct xl_err err = {0};
    struct xl_clip_config config;
    struct xl_clip_io io;
    struct xl_plan *plan;
    struct xl_manifest manifest = {0};
    char path[512];
    snprintf(path, sizeof path, DATA "sdxl-configs/%s/config.json", name);
    ok(CONFIG_READ(xl_clip_config_read, path, &err, &config));
    struct xl_clip_shape shape = {.n = 2, .tokens = 77, .head = head, .act_dtype = XL_DTYPE_F32};
    ok(xl_clip_build(&config, (struct xl_source){.manifest = &manifest}, shape, &io, &plan, &err));
    xl_plan_free(plan);
    check_counts(name, &manifest);
}

Test(model, sdxl_text_encoders) {
    check_text_encoder("text_encoder", XL_CLIP_HEAD_POOLER);
    check_text_encoder("text_encoder_2", XL_CLIP_HEAD_PROJECTION);
}

/* Without a head the last layer, the final norm and the projection are not asked for. */
Test(model, clip_without_head_leaves_out_the_last_layer) {
    struct xl_err err = {0};
    struct xl_clip_config config;
    struct xl_clip_io io;
    struct xl_plan *plan;
    struct xl_manifest manifest = {0};
    ok(CONFIG_READ(xl_clip_config_read, DATA "sdxl-configs/text_encoder/config.json", &err,
                   &config));
    struct xl_clip_shape shape = {
        .n = 1, .tokens = 77, .head = XL_CLIP_HEAD_NONE, .act_dtype = XL_DTYPE_F32};
    ok(xl_clip_build(&config, (struct xl_source){.manifest = &manifest}, shape, &io, &plan, &err));
    cr_expect_eq(io.eos, 0);
    cr_expect_eq(io.pooled, 0);
    cr_expect_eq(manifest.n, 2 + 11 * 16);
    xl_plan_free(plan);
    xl_manifest_deinit(&manifest);
}

Test(model, clip_refuses_more_tokens_than_positions) {
    struct xl_err err = {0};
    struct xl_clip_config config;
    struct xl_clip_io io;
    struct xl_plan *plan = NULL;
    struct xl_manifest manifest = {0};
    ok(CONFIG_READ(xl_clip_config_read, DATA "sdxl-configs/text_encoder/config.json", &err,
                   &config));
    struct xl_clip_shape shape = {
        .n = 1, .tokens = 78, .head = XL_CLIP_HEAD_NONE, .act_dtype = XL_DTYPE_F32};
    cr_expect_eq(
        xl_clip_build(&config, (struct xl_source){.manifest = &manifest}, shape, &io, &plan, &err),
        XL_EINVAL);
    cr_expect(strstr(err.text, "78") && strstr(err.text, "77"), "%s", err.text);
    cr_expect_null(plan);
}

/* ---- The end of the text ---- */

Test(model, eos_index) {
    const int32_t padded_with_eos[] = {49406, 320, 49407, 49407, 49407};
    const int32_t padded_with_0[] = {49406, 320, 49407, 0, 0};
    const int32_t later[] = {49406, 7, 9, 7, 49408}; /* a token added after the end token */
    const int32_t holds_2[] = {49406, 2, 320, 49407, 49407};
    struct xl_clip_config legacy = {.eos_token_id = 2}, config = {.eos_token_id = 49407};
    cr_expect_eq(xl_clip_eos_index(&legacy, padded_with_eos, 5), 2);
    cr_expect_eq(xl_clip_eos_index(&config, padded_with_eos, 5), 2);
    cr_expect_eq(xl_clip_eos_index(&legacy, padded_with_0, 5), 2);
    cr_expect_eq(xl_clip_eos_index(&legacy, holds_2, 5), 3);
    cr_expect_eq(xl_clip_eos_index(&config, padded_with_0, 5), 2);
    cr_expect_eq(xl_clip_eos_index(&legacy, later, 5), 4);
    cr_expect_eq(xl_clip_eos_index(&config, later, 5), 0);
    config.eos_token_id = 7;
    cr_expect_eq(xl_clip_eos_index(&config, later, 5), 1);
}

/* ---- Refused configurations ---- */

/* A copy of the configuration of SDXL's component with one key set to a JSON value, or removed. */
static void write_changed(const char *component, const char *key, const char *value, char *path) {
    struct xl_err err = {0};
    json_t *root;
    char original[512];
    snprintf(original, sizeof original, DATA "sdxl-configs/%s/config.json", component);
    ok(xl_json_load(original, &root, &err));
    if (value) {
        json_t *new = json_loads(value, JSON_DECODE_ANY, NULL);
        cr_assert(new, "%s", value);
        json_object_set_new(root, key, new);
    } else {
        json_object_del(root, key);
    }
    strcpy(path, "/tmp/xl-test-model-XXXXXX");
    int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    cr_assert_eq(json_dumpfd(root, fd, 0), 0);
    close(fd);
    json_decref(root);
}

union any_config {
    struct xl_unet_config unet;
    struct xl_vae_config vae;
    struct xl_clip_config clip;
};

static enum xl_status load(const char *component, const char *path, union any_config *config,
                           struct xl_err *err) {
    if (strcmp(component, "unet") == 0)
        return CONFIG_READ(xl_unet_config_read, path, err, &config->unet);
    if (strcmp(component, "vae") == 0)
        return CONFIG_READ(xl_vae_config_read, path, err, &config->vae);
    return CONFIG_READ(xl_clip_config_read, path, err, &config->clip);
}

struct refusal {
    const char *component, *key;
    const char *value;    /* JSON; NULL: removed */
    const char *sentence; /* part of it */
};

static const struct refusal refusals[] = {
    {"unet", "in_channels", "9", "\"in_channels\" is 9, expected 4"},
    {"unet", "class_embed_type", "\"timestep\"", "\"class_embed_type\" is \"timestep\", only null"},
    {"unet", "encoder_hid_dim", "768", "\"encoder_hid_dim\" is 768, only null"},
    {"unet", "resnet_time_scale_shift", "\"scale_shift\"", "only \"default\""},
    {"unet", "dual_cross_attention", "true", "is true, only false"},
    {"unet", "only_cross_attention", "[false, true, false]", "only false"},
    {"unet", "time_cond_proj_dim", "256", "guidance embedded"},
    {"unet", "addition_embed_type", "null", "\"addition_embed_type\" is missing"},
    {"unet", "addition_embed_type", "\"text\"", "only \"text_time\""},
    {"unet", "addition_time_embed_dim", "255", "must be even"},
    {"unet", "projection_class_embeddings_input_dim", "1536", "is 1536, expected more than 6"},
    {"unet", "block_out_channels", NULL, "has 3 entries, expected 4"},
    {"unet", "block_out_channels", "[320, 640]", "has 3 entries, expected 2"},
    {"unet", "block_out_channels", "[320, 640, 1290]", "does not divide 1290"},
    {"unet", "down_block_types", "[\"DownBlock2D\", \"AttnDownBlock2D\", \"DownBlock2D\"]",
     "names \"AttnDownBlock2D\", supported: DownBlock2D, CrossAttnDownBlock2D"},
    {"unet", "up_block_types", "[1, 2, 3]", "must hold strings"},
    {"unet", "mid_block_type", "\"UNetMidBlock2DSimpleCrossAttn\"", "supported: UNetMidBlock2D"},
    {"unet", "attention_head_dim", "[5, 10, 7]", "is 7, which does not divide 1280"},
    {"unet", "attention_head_dim", "[5, 10]", "has 2 entries, expected 3"},
    {"unet", "transformer_layers_per_block", "[1, 2, 65]", "a number from 0 to 64"},
    {"unet", "transformer_layers_per_block", "[1, [2, 2], 10]", "for each of the 3 transformers"},
    {"unet", "transformer_layers_per_block", "\"10\"", "a number from 0 to 64"},
    {"unet", "layers_per_block", "1000000", "is 1000000, expected 1 to"},
    {"unet", "freq_shift", "160", "twice \"freq_shift\""},
    {"unet", "act_fn", "\"mish\"", "names \"mish\", supported: silu, swish"},
    {"unet", "norm_num_groups", "0", "is 0, expected 1"},
    {"unet", "norm_eps", "\"1e-5\"", "is a string, expected a number"},
    {"unet", "cross_attention_dim", "[2048, 2048, 2048]", "expected an integer"},
    {"vae", "down_block_types", "[\"DownEncoderBlock2D\"]", "has 1 entry, expected 4"},
    {"vae", "up_block_types", "[\"AttnUpDecoderBlock2D\"]", "supported: UpDecoderBlock2D"},
    {"vae", "out_channels", "1", "\"out_channels\" is 1, only 3"},
    {"vae", "norm_num_groups", "48", "does not divide 128"},
    {"vae", "latents_mean", "[0, 0, 0]", "must hold 4 numbers"},
    {"vae", "latents_std", "[1, 1, 0, 1]", "holds 0, expected more than 0"},
    {"vae", "scaling_factor", "0", "is 0, expected"},
    {"vae", "block_out_channels", "[]", "expected 1 to 8"},
    {"text_encoder", "hidden_act", "\"relu\"", "names \"relu\", supported: quick_gelu, gelu"},
    {"text_encoder", "num_attention_heads", "7", "is 7, which does not divide 768"},
    {"text_encoder", "model_type", "\"t5\"", "only \"clip_text_model\""},
    {"text_encoder", "num_hidden_layers", "0", "is 0, expected 1"},
};

Test(model, refused_configurations) {
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        const struct refusal *r = &refusals[i];
        struct xl_err err = {0};
        union any_config config, before;
        char path[64];
        memset(&config, 0x5A, sizeof config);
        memcpy(&before, &config, sizeof config);
        write_changed(r->component, r->key, r->value, path);
        cr_expect_eq(load(r->component, path, &config, &err), XL_EFORMAT, "%s", r->key);
        cr_expect(strstr(err.text, r->sentence), "%s: %s", r->key, err.text);
        cr_expect(strstr(err.text, path), "the file is not named: %s", err.text);
        cr_expect_eq(memcmp(&config, &before, sizeof config), 0, "%s: output touched", r->key);
        unlink(path);
    }
}

/* Values that other files have for the same thing. */
static const struct refusal accepted[] = {
    {"unet", "mid_block_type", "\"UNetMidBlock2D\"", NULL},
    {"unet", "mid_block_type", "null", NULL},
    {"unet", "mid_block_scale_factor", "1.0", NULL},
    {"unet", "attention_head_dim", "20", NULL},
    {"unet", "only_cross_attention", "[false, false, false]", NULL},
    {"unet", "transformer_layers_per_block", "3", NULL},
    {"unet", "transformer_layers_per_block", "[null, 2, 10]", NULL},
    {"unet", "layers_per_block", "[1, 2, 3]", NULL},
    {"unet", "sample_size", "[64, 96]", NULL},
    {"unet", "upcast_attention", "null", NULL},
    {"unet", "a_key_of_the_future", "{}", NULL},
    {"vae", "latents_mean", "[0.5, 0, -1, 2]", NULL},
    {"vae", "sample_size", "[512, 512]", NULL},
    {"text_encoder", "projection_dim", NULL, NULL},
};

Test(model, accepted_configurations) {
    for (size_t i = 0; i < sizeof accepted / sizeof *accepted; i++) {
        const struct refusal *r = &accepted[i];
        struct xl_err err = {0};
        union any_config config;
        char path[64];
        write_changed(r->component, r->key, r->value, path);
        cr_expect_eq(load(r->component, path, &config, &err), XL_OK, "%s: %s", r->key, err.text);
        unlink(path);
    }
}

/* ---- Files that do not go with their configuration ---- */

static enum xl_status build_unet(const struct xl_unet_config *config, const char *file,
                                 struct xl_err *err) {
    struct xl_weights *weights;
    struct xl_unet_io io;
    struct xl_plan *plan = NULL;
    cr_assert_eq(xl_weights_open("unet", &file, 1, &weights, err), XL_OK, "%s", err->text);
    struct xl_unet_shape shape = {1, 8, 8, 77, XL_DTYPE_F32, false};
    enum xl_status status =
        xl_unet_build(config, xl_source_of_files(&(struct xl_file_tensors){.weights = weights}),
                      shape, &io, &plan, err);
    xl_plan_free(plan);
    xl_weights_close(weights);
    return status;
}

Test(model, files_of_another_model) {
    struct xl_err err = {0};
    struct xl_unet_config config;
    ok(CONFIG_READ(xl_unet_config_read, DATA "repo/unet/config.json", &err, &config));
    const char *own = DATA "repo/unet/diffusion_pytorch_model.safetensors";
    ok(build_unet(&config, own, &err));

    const char *other = DATA "repo/vae/diffusion_pytorch_model.safetensors";
    cr_expect_eq(build_unet(&config, other, &err), XL_EMODEL);
    cr_expect(strstr(err.text, "unet: tensor \"add_embedding.linear_1.weight\" is missing, "
                               "expected with shape [32, 80]"),
              "%s", err.text);

    config.cross_attention_dim = 63;
    cr_expect_eq(build_unet(&config, own, &err), XL_EFORMAT);
    cr_expect(strstr(err.text, "transformer_blocks.0.attn2.to_k.weight\" has shape [16, 64], "
                               "expected [16, 63]"),
              "%s", err.text);
}
