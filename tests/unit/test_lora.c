/* test_lora.c - LoRA files: all names that trainers give a module find it, and what is damaged,
 * incomplete or for another model is refused by name. That the numbers are right, tests/parity
 * shows. */
#include "config_case.h"
#include "model/lora_map.h"
#include "model/sdxl.h"
#include "unit/lora_case.h"

#include <math.h>

#define CONFIGS XL_SOURCE_DIR "/tests/data/models/sdxl-configs/"
#define ok(call) cr_assert_eq((call), XL_OK, "%s", err.text)

TestSuite(lora, .init = scratch_open, .fini = scratch_close);

static struct xl_err err;
static struct xl_unet_config unet;
static struct xl_clip_config text, text_2;
static struct lora_case file;

/* Of SDXL base. */
static struct xl_lora_map *open_map(void) {
    struct xl_lora_map *map;
    ok(CONFIG_READ(xl_unet_config_read, CONFIGS "unet/config.json", &err, &unet));
    ok(CONFIG_READ(xl_clip_config_read, CONFIGS "text_encoder/config.json", &err, &text));
    ok(CONFIG_READ(xl_clip_config_read, CONFIGS "text_encoder_2/config.json", &err, &text_2));
    struct xl_lora_configs configs = {&unet, &text, &text_2};
    ok(xl_lora_map_new(configs, &map, &err));
    return map;
}

static bool find_any(const void *user, const char *name, struct xl_weight_part *out) {
    static struct xl_tensor tensor;
    (void)user;
    tensor.name = name;
    *out = (struct xl_weight_part){.tensor = &tensor};
    return true;
}

/* What the map adds to a tensor of a part. */
static struct xl_weight_part part_of(const struct xl_lora_map *map, enum xl_lora_part part,
                                     const char *name) {
    struct xl_lora_tensors tensors = {{"any", find_any, NULL, NULL}, map, part};
    struct xl_source source = xl_source_with_loras(&tensors);
    struct xl_weight_part out = {0};
    cr_assert(source.tensors.find(source.tensors.user, name, &out));
    return out;
}

static struct xl_lora_file *open_file(void) {
    struct xl_lora_file *lora;
    lora_case_write(&file, scratch("a.safetensors"));
    ok(xl_lora_file_open(scratch("a.safetensors"), &lora, &err));
    return lora;
}

static const char *const kohya[] = {".lora_down.weight", ".lora_up.weight"};
static const char *const peft[] = {".lora_A.weight", ".lora_B.weight"};

/* ---- Names ---- */

#define TO_Q "transformer_blocks.0.attn1.to_q"
#define TO_Q_FLAT "transformer_blocks_0_attn1_to_q"
#define OUT "self_attn.out_proj"

static const struct {
    const char *module, *down, *up;
    enum xl_lora_part part;
    const char *weight;
    struct xl_shape shape;
} named[] = {
    {"lora_unet_input_blocks_4_1_" TO_Q_FLAT,
     ".lora_down.weight",
     ".lora_up.weight",
     XL_LORA_UNET,
     "down_blocks.1.attentions.0." TO_Q ".weight",
     {2, {640, 640}}},
    {"lora_unet_down_blocks_1_attentions_0_" TO_Q_FLAT,
     ".lora_down.weight",
     ".lora_up.weight",
     XL_LORA_UNET,
     "down_blocks.1.attentions.0." TO_Q ".weight",
     {2, {640, 640}}},
    {"lycoris_down_blocks_1_attentions_0_" TO_Q_FLAT,
     ".lora_down.weight",
     ".lora_up.weight",
     XL_LORA_UNET,
     "down_blocks.1.attentions.0." TO_Q ".weight",
     {2, {640, 640}}},
    {"diffusion_model.input_blocks.4.1." TO_Q,
     ".lora_down.weight",
     ".lora_up.weight",
     XL_LORA_UNET,
     "down_blocks.1.attentions.0." TO_Q ".weight",
     {2, {640, 640}}},
    {"unet.down_blocks.1.attentions.0." TO_Q,
     ".lora_A.weight",
     ".lora_B.weight",
     XL_LORA_UNET,
     "down_blocks.1.attentions.0." TO_Q ".weight",
     {2, {640, 640}}},
    {"down_blocks.1.attentions.0." TO_Q,
     ".lora_A.weight",
     ".lora_B.weight",
     XL_LORA_UNET,
     "down_blocks.1.attentions.0." TO_Q ".weight",
     {2, {640, 640}}},
    {"base_model.model.down_blocks.1.attentions.0." TO_Q,
     ".lora_A.weight",
     ".lora_B.weight",
     XL_LORA_UNET,
     "down_blocks.1.attentions.0." TO_Q ".weight",
     {2, {640, 640}}},
    {"base_model.model.unet.down_blocks.1.attentions.0." TO_Q,
     ".lora_A.default.weight",
     ".lora_B.default.weight",
     XL_LORA_UNET,
     "down_blocks.1.attentions.0." TO_Q ".weight",
     {2, {640, 640}}},
    {"unet.down_blocks.1.attentions.0." TO_Q,
     ".lora.down.weight",
     ".lora.up.weight",
     XL_LORA_UNET,
     "down_blocks.1.attentions.0." TO_Q ".weight",
     {2, {640, 640}}},
    {"unet.down_blocks.1.attentions.0.transformer_blocks.0.attn1.processor.to_q_lora",
     ".down.weight",
     ".up.weight",
     XL_LORA_UNET,
     "down_blocks.1.attentions.0." TO_Q ".weight",
     {2, {640, 640}}},
    {"unet.down_blocks.1.attentions.0.transformer_blocks.0.attn1.processor.to_out_lora",
     ".down.weight",
     ".up.weight",
     XL_LORA_UNET,
     "down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_out.0.weight",
     {2, {640, 640}}},
    {"lora_unet_output_blocks_5_2_conv",
     ".lora_down.weight",
     ".lora_up.weight",
     XL_LORA_UNET,
     "up_blocks.1.upsamplers.0.conv.weight",
     {4, {640, 640, 3, 3}}},
    {"lora_unet_input_blocks_3_0_op",
     ".lora_down.weight",
     ".lora_up.weight",
     XL_LORA_UNET,
     "down_blocks.0.downsamplers.0.conv.weight",
     {4, {320, 320, 3, 3}}},
    {"lora_unet_input_blocks_4_0_emb_layers_1",
     ".lora_down.weight",
     ".lora_up.weight",
     XL_LORA_UNET,
     "down_blocks.1.resnets.0.time_emb_proj.weight",
     {2, {640, 1280}}},
    {"lora_unet_middle_block_1_proj_in",
     ".lora_down.weight",
     ".lora_up.weight",
     XL_LORA_UNET,
     "mid_block.attentions.0.proj_in.weight",
     {2, {1280, 1280}}},
    {"lora_unet_label_emb_0_2",
     ".lora_down.weight",
     ".lora_up.weight",
     XL_LORA_UNET,
     "add_embedding.linear_2.weight",
     {2, {1280, 1280}}},
    {"lora_te1_text_model_encoder_layers_11_self_attn_out_proj",
     ".lora_down.weight",
     ".lora_up.weight",
     XL_LORA_TEXT,
     "text_model.encoder.layers.11." OUT ".weight",
     {2, {768, 768}}},
    {"lora_te_text_model_encoder_layers_0_mlp_fc1",
     ".lora_down.weight",
     ".lora_up.weight",
     XL_LORA_TEXT,
     "text_model.encoder.layers.0.mlp.fc1.weight",
     {2, {3072, 768}}},
    {"lora_te2_text_model_encoder_layers_31_self_attn_out_proj",
     ".lora_down.weight",
     ".lora_up.weight",
     XL_LORA_TEXT_2,
     "text_model.encoder.layers.31." OUT ".weight",
     {2, {1280, 1280}}},
    {"lora_te2_text_projection",
     ".lora_down.weight",
     ".lora_up.weight",
     XL_LORA_TEXT_2,
     "text_projection.weight",
     {2, {1280, 1280}}},
    {"text_encoder.text_model.encoder.layers.3." OUT,
     ".lora_A.weight",
     ".lora_B.weight",
     XL_LORA_TEXT,
     "text_model.encoder.layers.3." OUT ".weight",
     {2, {768, 768}}},
    {"text_encoder_2.text_model.encoder.layers.3." OUT,
     ".lora_A.weight",
     ".lora_B.weight",
     XL_LORA_TEXT_2,
     "text_model.encoder.layers.3." OUT ".weight",
     {2, {1280, 1280}}},
    {"text_encoder_2.encoder.layers.3." OUT,
     ".lora_A.weight",
     ".lora_B.weight",
     XL_LORA_TEXT_2,
     "text_model.encoder.layers.3." OUT ".weight",
     {2, {1280, 1280}}},
    {"text_encoder.text_model.encoder.layers.3." OUT,
     ".lora_linear_layer.down.weight",
     ".lora_linear_layer.up.weight",
     XL_LORA_TEXT,
     "text_model.encoder.layers.3." OUT ".weight",
     {2, {768, 768}}},
    {"text_encoder.text_model.encoder.layers.3.self_attn.to_out_lora",
     ".down.weight",
     ".up.weight",
     XL_LORA_TEXT,
     "encoder.layers.3." OUT ".weight",
     {2, {768, 768}}},
};

Test(lora, every_name_of_a_module_finds_its_weight) {
    for (size_t i = 0; i < sizeof named / sizeof *named; i++) {
        struct xl_lora_map *map = open_map();
        struct xl_shape down = named[i].shape, up = XL_SHAPE(down.dim[0], 2, 1, 1);
        down.dim[0] = 2;
        up.rank = down.rank;
        lora_case_begin(&file);
        lora_case_pair(&file, named[i].module, (const char *[2]){named[i].down, named[i].up}, down,
                       up);
        struct xl_lora_file *lora = open_file();
        struct xl_lora_use use = {lora, {{1, 2}}, 0.5, 0.25};
        struct xl_lora_count count;
        ok(xl_lora_map_apply(map, &use, &count, &err));
        cr_expect_eq(count.n_applied, 1, "%s", named[i].module);
        struct xl_weight_part part = part_of(map, named[i].part, named[i].weight);
        cr_expect_eq(part.n_deltas, 1, "%s", named[i].module);
        if (part.n_deltas)
            cr_expect_eq(part.deltas[0].scale, named[i].part == XL_LORA_UNET ? 0.25F : 0.5F);
        xl_lora_map_free(map);
        xl_lora_file_close(lora);
    }
}

static int by_text(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The networks that are known without a model are those of SDXL's repository. */
Test(lora, sdxl_is_configured_as_in_its_repository) {
    struct xl_unet_config read;
    struct xl_clip_config encoder;
    ok(CONFIG_READ(xl_unet_config_read, CONFIGS "unet/config.json", &err, &read));
    for (int way = 0; way < 3; way++)
        for (int i = 0; i < (way < 2 ? read.n_blocks : 1); i++) {
            const struct xl_unet_block *x = way == 0   ? &read.down[i]
                                            : way == 1 ? &read.up[i]
                                                       : &read.mid;
            const struct xl_unet_block *y = way == 0   ? &xl_sdxl_unet.down[i]
                                            : way == 1 ? &xl_sdxl_unet.up[i]
                                                       : &xl_sdxl_unet.mid;
            cr_expect_eq(x->has_attention, y->has_attention, "way %d, level %d", way, i);
            cr_expect_eq(x->channels, y->channels, "way %d, level %d", way, i);
            cr_expect_eq(x->n_resnets, y->n_resnets, "way %d, level %d", way, i);
            cr_expect_eq(x->heads, y->heads, "way %d, level %d", way, i);
            for (int k = 0; x->has_attention && k < x->n_resnets - (way != 0); k++)
                cr_expect_eq(x->depth[k], y->depth[k], "way %d, level %d, layer %d", way, i, k);
        }
    cr_expect_eq(read.n_blocks, xl_sdxl_unet.n_blocks);
    cr_expect_eq(read.use_linear_projection, xl_sdxl_unet.use_linear_projection);
    cr_expect_eq(read.cross_attention_dim, xl_sdxl_unet.cross_attention_dim);
    cr_expect_eq(read.pooled_dim, xl_sdxl_unet.pooled_dim);
    cr_expect_eq(read.addition_time_embed_dim, xl_sdxl_unet.addition_time_embed_dim);
    cr_expect_eq(read.time_embed_dim, xl_sdxl_unet.time_embed_dim);
    for (int e = 0; e < 2; e++) {
        const struct xl_clip_config *known = e ? &xl_sdxl_text_2 : &xl_sdxl_text;
        ok(CONFIG_READ(xl_clip_config_read,
                       e ? CONFIGS "text_encoder_2/config.json"
                         : CONFIGS "text_encoder/config.json",
                       &err, &encoder));
        cr_expect_eq(encoder.vocab_size, known->vocab_size);
        cr_expect_eq(encoder.max_position_embeddings, known->max_position_embeddings);
        cr_expect_eq(encoder.hidden_size, known->hidden_size);
        cr_expect_eq(encoder.intermediate_size, known->intermediate_size);
        cr_expect_eq(encoder.num_hidden_layers, known->num_hidden_layers);
        cr_expect_eq(encoder.num_attention_heads, known->num_attention_heads);
        cr_expect_eq(encoder.projection_dim, known->projection_dim);
        cr_expect_eq(encoder.hidden_act, known->hidden_act);
        cr_expect_eq(encoder.layer_norm_eps, known->layer_norm_eps);
        cr_expect_eq(encoder.eos_token_id, known->eos_token_id);
    }
}

/* All modules of the UNet have a name in the original code, no two the same, and each leads back.
 */
Test(lora, names_of_the_original_code_are_one_to_one) {
    static char names[2048][XL_ORIGINAL_NAME];
    static struct xl_original_unet original;
    const char *sorted[2048];
    int n = 0;
    struct xl_manifest manifest = {0};
    struct xl_unet_io io;
    struct xl_plan *plan;
    ok(CONFIG_READ(xl_unet_config_read, CONFIGS "unet/config.json", &err, &unet));
    xl_unet_original(&unet, &original);
    ok(xl_unet_build(&unet, (struct xl_source){.manifest = &manifest},
                     (struct xl_unet_shape){1, 32, 32, 77, XL_DTYPE_F32, false}, &io, &plan, &err));
    for (int i = 0; i < manifest.n; i++) {
        char module[XL_MODULE_PATH];
        snprintf(module, sizeof module, "%s", manifest.tensors[i]->name);
        char *end = strrchr(module, '.');
        if (strcmp(end, ".weight")) continue;
        char name[XL_ORIGINAL_NAME + 8], back[XL_ORIGINAL_NAME];
        *end = 0;
        cr_expect(xl_original_unet_module(&original, module, names[n]), "%s", module);
        snprintf(name, sizeof name, "%s.weight", names[n]);
        cr_expect(xl_original_unet_name(&original, name, back), "%s", name);
        cr_expect_str_eq(back, manifest.tensors[i]->name);
        sorted[n] = names[n];
        n++;
    }
    qsort(sorted, (size_t)n, sizeof *sorted, by_text);
    for (int i = 1; i < n; i++) cr_expect_str_neq(sorted[i - 1], sorted[i]);
    xl_plan_free(plan);
    xl_manifest_deinit(&manifest);
}

Test(lora, what_the_model_does_not_have_is_counted) {
    struct xl_lora_map *map = open_map();
    lora_case_begin(&file);
    lora_case_pair(&file, "lora_te2_text_projection", (const char **)kohya, XL_SHAPE(1, 1280),
                   XL_SHAPE(1280, 1));
    lora_case_pair(&file, "lora_unet_down_blocks_7_proj_in", (const char **)kohya, XL_SHAPE(1, 4),
                   XL_SHAPE(4, 1));
    lora_case_pair(&file, "lora_unet_nothing", (const char **)kohya, XL_SHAPE(1, 4),
                   XL_SHAPE(4, 1));
    struct xl_lora_file *lora = open_file();
    struct xl_lora_use use = {lora, {{1, 2}}, 1, 1};
    struct xl_lora_count count;
    ok(xl_lora_map_apply(map, &use, &count, &err));
    cr_expect_eq(count.n_applied, 1);
    cr_expect_eq(count.n_unmatched, 2);
    cr_expect_str_eq(count.first_unmatched, "lora_unet_down_blocks_7_proj_in");
    xl_lora_map_free(map);
    xl_lora_file_close(lora);
}

/* ---- Scales ---- */

Test(lora, alpha_is_over_the_rank_of_its_module) {
    static const float four = 4, zero = 0;
    lora_case_begin(&file);
    lora_case_pair(&file, "a", (const char **)kohya, XL_SHAPE(8, 3), XL_SHAPE(5, 8));
    lora_case_add(&file, "a.alpha", (struct xl_shape){0}, &four);
    lora_case_pair(&file, "b", (const char **)peft, XL_SHAPE(2, 3), XL_SHAPE(5, 2));
    lora_case_add(&file, "b.alpha", XL_SHAPE(1), &four);
    lora_case_pair(&file, "c", (const char **)kohya, XL_SHAPE(8, 3), XL_SHAPE(5, 8));
    lora_case_pair(&file, "d", (const char **)kohya, XL_SHAPE(8, 3), XL_SHAPE(5, 8));
    lora_case_add(&file, "d.alpha", (struct xl_shape){0}, &zero);
    struct xl_lora_file *lora = open_file();
    static const double scales[] = {0.5, 2, 1, 1};
    cr_assert_eq(xl_lora_file_count(lora), 4);
    for (int i = 0; i < 4; i++) cr_expect_eq(xl_lora_file_at(lora, i)->scale, scales[i], "%d", i);
    xl_lora_file_close(lora);
}

/* ---- Refusals ---- */

static void expect_refused(enum xl_status status, const char *path, const char *says) {
    struct xl_lora_file *lora = NULL;
    enum xl_status found = xl_lora_file_open(path, &lora, &err);
    cr_expect_eq(found, status, "%s: %s", says, xl_status_name(found));
    cr_expect(strstr(err.text, path), "\"%s\" does not name %s", err.text, path);
    cr_expect(strstr(err.text, says), "\"%s\" does not say \"%s\"", err.text, says);
    xl_lora_file_close(lora);
}

static void expect_case_refused(const char *says) {
    lora_case_write(&file, scratch("bad.safetensors"));
    expect_refused(XL_EFORMAT, scratch("bad.safetensors"), says);
}

Test(lora, damaged_files_are_refused_in_a_sentence) {
    static const float nan_bits[] = {1, NAN}, infinite[] = {INFINITY, 1};
    expect_refused(XL_EMODEL, scratch("absent.safetensors"), "cannot open");
    scratch_puts(scratch("p.safetensors"), "\x80\x02}q\1.......................");
    expect_refused(XL_EFORMAT, scratch("p.safetensors"), "pickle");
    lora_case_begin(&file);
    expect_case_refused("no tensors");
    lora_case_add(&file, "a.lora_down.weight", XL_SHAPE(1, 2), nan_bits);
    expect_case_refused("\"a.lora_down.weight\" lacks its other half");
    lora_case_add(&file, "a.lora_up.weight", XL_SHAPE(2, 1), NULL);
    expect_case_refused("\"a.lora_down.weight\" holds NaN");
    lora_case_begin(&file);
    lora_case_add(&file, "a.lora_down.weight", XL_SHAPE(1, 2), NULL);
    lora_case_add(&file, "a.lora_up.weight", XL_SHAPE(2, 1), infinite);
    expect_case_refused("\"a.lora_up.weight\" holds NaN or infinity");
    lora_case_begin(&file);
    lora_case_pair(&file, "a", (const char **)kohya, XL_SHAPE(4, 2), XL_SHAPE(2, 3));
    expect_case_refused("their ranks differ");
    lora_case_begin(&file);
    lora_case_pair(&file, "a", (const char **)kohya, XL_SHAPE(4, 2), XL_SHAPE(2, 4));
    lora_case_pair(&file, "a", (const char **)peft, XL_SHAPE(4, 2), XL_SHAPE(2, 4));
    expect_case_refused("say the same thing");
    lora_case_begin(&file);
    lora_case_pair(&file, "a", (const char **)kohya, XL_SHAPE(4, 2), XL_SHAPE(2, 4));
    lora_case_add(&file, "a.alpha", XL_SHAPE(2), NULL);
    expect_case_refused("\"a.alpha\" is [2], expected one number");
    lora_case_begin(&file);
    lora_case_add(&file, "a.oft_blocks", XL_SHAPE(2, 2, 2), NULL);
    expect_case_refused("\"a.oft_blocks\" is of OFT, which is not supported");
    lora_case_begin(&file);
    lora_case_add(&file, "conv_in.weight", XL_SHAPE(2, 2, 3, 3), NULL);
    expect_case_refused("\"conv_in.weight\" is no part of a LoRA");
}

/* A case with one module "a" of these tensors; a rank of 0 ends the list. */
struct listed {
    const char *end;
    struct xl_shape shape;
};

static void list(const struct listed *tensors) {
    lora_case_begin(&file);
    for (; tensors->end; tensors++) {
        char name[64];
        snprintf(name, sizeof name, "a%s", tensors->end);
        lora_case_add(&file, name, tensors->shape, NULL);
    }
}

#define LIST(...) list((const struct listed[]){__VA_ARGS__, {0}})

Test(lora, every_form_is_to_be_whole) {
    LIST({".hada_w1_a", {2, {8, 2}}}, {".hada_w1_b", {2, {2, 6}}}, {".hada_w2_a", {2, {8, 2}}});
    expect_case_refused("lacks its other half");
    LIST({".hada_w1_a", {2, {8, 2}}}, {".hada_w1_b", {2, {3, 6}}}, {".hada_w2_a", {2, {8, 2}}},
         {".hada_w2_b", {2, {2, 6}}});
    expect_case_refused("\"a.hada_w1_a\" [8, 2] and \"a.hada_w1_b\" [3, 6] do not go together");
    LIST({".hada_w1_a", {2, {2, 8}}}, {".hada_w1_b", {2, {2, 6}}}, {".hada_t1", {4, {3, 2, 3, 3}}},
         {".hada_w2_a", {2, {8, 2}}}, {".hada_w2_b", {2, {2, 6}}});
    expect_case_refused("\"a.hada_t1\" [3, 2, 3, 3] do not go together");
    LIST({".lokr_w1", {2, {2, 3}}});
    expect_case_refused("lacks its other half");
    LIST({".lokr_w1", {2, {2, 3}}}, {".lokr_w1_a", {2, {2, 1}}}, {".lokr_w1_b", {2, {1, 3}}},
         {".lokr_w2", {2, {4, 2}}});
    expect_case_refused("say the same thing in two ways");
    LIST({".lokr_w1", {2, {2, 3}}}, {".lokr_w2_a", {2, {4, 2}}}, {".lokr_w2_b", {2, {3, 2}}});
    expect_case_refused("their ranks differ");
    LIST({".lora_down.weight", {4, {2, 6, 1, 1}}}, {".lora_mid.weight", {4, {2, 3, 3, 3}}},
         {".lora_up.weight", {2, {8, 2}}});
    expect_case_refused("\"a.lora_mid.weight\" [2, 3, 3, 3] and \"a.lora_down.weight\"");
    LIST({".lora_down.weight", {2, {2, 6}}}, {".lora_up.weight", {2, {8, 2}}},
         {".diff", {2, {8, 6}}});
    expect_case_refused("changed in more than one form");
    LIST({".hada_w1_a", {0}}, {".hada_w1_b", {2, {2, 6}}}, {".hada_t1", {4, {2, 2, 3, 3}}},
         {".hada_w2_a", {2, {2, 8}}}, {".hada_w2_b", {2, {2, 6}}});
    expect_case_refused("\"a.hada_w1_a\" [] and");
    LIST({".dora_scale", {2, {8, 1}}});
    expect_case_refused("lacks its other half");
    LIST({".diff_b", {1, {8}}}, {".lora_B.bias", {1, {8}}});
    expect_case_refused("lacks its other half");
    LIST({".alpha", {1, {1}}});
    expect_case_refused("lacks its other half");
    LIST({".lokr_t1", {4, {2, 2, 3, 3}}});
    expect_case_refused("Tucker");
    LIST({".a1.weight", {2, {2, 2}}});
    expect_case_refused("GLoRA");
    LIST({".on_input", {1, {1}}});
    expect_case_refused("IA3");
}

static void expect_not_applied(const char *module, const char *says) {
    struct xl_lora_map *map = open_map();
    size_t n = strlen(module);
    char *at = file.header; /* the case's module is "a": the name is put in its place */
    while ((at = strstr(at, "'a."))) {
        memmove(at + 1 + n, at + 2, strlen(at + 2) + 1);
        memcpy(at + 1, module, n);
        file.n_header += (int)n - 1;
        at += n;
    }
    struct xl_lora_file *lora = open_file();
    struct xl_lora_use use = {lora, {{1, 2}}, 1, 1};
    struct xl_lora_count count;
    cr_expect_eq(xl_lora_map_apply(map, &use, &count, &err), XL_EFORMAT, "%s", says);
    cr_expect(strstr(err.text, says) && strstr(err.text, "a.safetensors"), "%s", err.text);
    xl_lora_map_free(map);
    xl_lora_file_close(lora);
}

Test(lora, every_form_is_to_fit_its_weight) {
#define TO_K "lora_te1_text_model_encoder_layers_0_self_attn_k_proj" /* [768, 768] */
    LIST({".diff", {2, {768, 16}}});
    expect_not_applied(TO_K, "k_proj.diff\" [768, 16]: this does not fit");
    LIST({".hada_w1_a", {2, {768, 2}}}, {".hada_w1_b", {2, {2, 768}}},
         {".hada_w2_a", {2, {768, 1}}}, {".hada_w2_b", {2, {1, 767}}});
    expect_not_applied(TO_K,
                       "does not fit \"text_model.encoder.layers.0.self_attn.k_proj.weight\"");
    LIST({".lokr_w1", {2, {2, 3}}}, {".lokr_w2_a", {2, {384, 1}}}, {".lokr_w2_b", {2, {1, 255}}});
    expect_not_applied(TO_K, "does not fit");
    LIST({".lora_down.weight", {2, {1, 768}}}, {".lora_up.weight", {2, {768, 1}}},
         {".dora_scale", {2, {767, 1}}});
    expect_not_applied(TO_K, "does not fit");
    LIST({".diff_b", {1, {767}}});
    expect_not_applied(TO_K, "k_proj.diff_b\" [767]: this does not fit");
    LIST({".diff_b", {1, {640}}});
    expect_not_applied("lora_unet_input_blocks_4_1_transformer_blocks_0_attn1_to_q",
                       "which has none in this model");
}

Test(lora, truncated_anywhere_is_refused) {
    lora_case_begin(&file);
    lora_case_pair(&file, "a", (const char **)kohya, XL_SHAPE(1, 2), XL_SHAPE(2, 1));
    lora_case_write(&file, scratch("whole.safetensors"));
    struct stat st;
    cr_assert_eq(stat(scratch("whole.safetensors"), &st), 0);
    char bytes[4096];
    FILE *in = fopen(scratch("whole.safetensors"), "rb");
    cr_assert_eq(fread(bytes, 1, sizeof bytes, in), (size_t)st.st_size);
    fclose(in);
    for (size_t n = 0; n < (size_t)st.st_size; n++) {
        struct xl_lora_file *lora = NULL;
        scratch_write(scratch("cut.safetensors"), bytes, n);
        cr_expect_eq(xl_lora_file_open(scratch("cut.safetensors"), &lora, &err), XL_EFORMAT, "%zu",
                     n);
        cr_expect_null(lora);
    }
}

Test(lora, a_delta_of_another_shape_names_both) {
    struct xl_lora_map *map = open_map();
    lora_case_begin(&file);
    /* As in SD 1.5, whose text is 768 wide. */
    lora_case_pair(&file, "lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn2_to_k",
                   (const char **)kohya, XL_SHAPE(4, 768), XL_SHAPE(640, 4));
    struct xl_lora_file *lora = open_file();
    struct xl_lora_use use = {lora, {{1, 2}}, 1, 1};
    struct xl_lora_count count;
    cr_expect_eq(xl_lora_map_apply(map, &use, &count, &err), XL_EFORMAT);
    cr_expect(strstr(err.text, "[4, 768]") && strstr(err.text, "[640, 2048]"), "%s", err.text);
    cr_expect(strstr(err.text, "attn2.to_k.weight"), "%s", err.text);
    xl_lora_map_free(map);
    xl_lora_file_close(lora);
}
