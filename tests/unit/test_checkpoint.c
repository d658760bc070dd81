/* test_checkpoint.c - models that are one file, and VAEs from elsewhere: which file is taken, what
 * its shapes and marks are taken to say, what the digest covers, what is refused. */
#include "config_case.h"
#include "scratch.h"
#include "single_case.h"

#include "engine/engine.h"

#include "base/file.h"
#include "text/clip_vocab.h"

TestSuite(checkpoint, .init = scratch_open, .fini = scratch_close);

#define ok(call) cr_assert_eq((call), XL_OK, "%s", err.text)
#define CONFIGS XL_SOURCE_DIR "/tests/data/models/sdxl-configs/"

static struct xl_model *open_with(const char *path, const char *vae) {
    struct xl_model_params params;
    struct xl_model *model = NULL;
    struct xl_err err = {0};
    xl_model_params_default(&params);
    params.model = path;
    params.vae = vae;
    ok(xl_model_open(&params, &model, &err));
    return model;
}

static void expect_refused(const char *path, const char *vae, enum xl_status expected,
                           const char *sentence) {
    struct xl_model_params params;
    struct xl_model *model = NULL;
    struct xl_err err = {0};
    xl_model_params_default(&params);
    params.model = path;
    params.vae = vae;
    enum xl_status status = xl_model_open(&params, &model, &err);
    cr_expect_eq(status, expected, "%s, %s: %s", path, xl_status_text(status), err.text);
    cr_expect(strstr(err.text, sentence), "\"%s\" does not say \"%s\"", err.text, sentence);
}

/* --- Configurations ----------------------------------------------------------------------------
 */

static bool same_block(const struct xl_unet_block *a, const struct xl_unet_block *b) {
    bool same = a->has_attention == b->has_attention && a->channels == b->channels &&
                a->n_resnets == b->n_resnets && (!a->has_attention || a->heads == b->heads);
    for (int i = 0; same && a->has_attention && i < a->n_resnets; i++)
        same = a->depth[i] == b->depth[i];
    return same;
}

static void expect_same_unet(const struct xl_unet_config *a, const struct xl_unet_config *b) {
    cr_expect_eq(a->in_channels, b->in_channels);
    cr_expect_eq(a->out_channels, b->out_channels);
    cr_expect_eq(a->sample_size, b->sample_size);
    cr_expect_eq(a->use_linear_projection, b->use_linear_projection);
    cr_expect_eq(a->norm_num_groups, b->norm_num_groups);
    cr_expect_eq(a->norm_eps, b->norm_eps);
    cr_expect_eq(a->cross_attention_dim, b->cross_attention_dim);
    cr_expect_eq(a->pooled_dim, b->pooled_dim);
    cr_expect_eq(a->addition_time_embed_dim, b->addition_time_embed_dim);
    cr_expect_eq(a->time_embed_dim, b->time_embed_dim);
    cr_expect_eq(a->flip_sin_to_cos, b->flip_sin_to_cos);
    cr_expect_eq(a->freq_shift, b->freq_shift);
    cr_assert_eq(a->n_blocks, b->n_blocks);
    cr_expect(same_block(&a->mid, &b->mid));
    for (int i = 0; i < a->n_blocks; i++) {
        cr_expect(same_block(&a->down[i], &b->down[i]), "down %d", i);
        cr_expect(same_block(&a->up[i], &b->up[i]), "up %d", i);
    }
}

static void expect_same_vae(const struct xl_vae_config *a, const struct xl_vae_config *b) {
    cr_expect_eq(a->latent_channels, b->latent_channels);
    cr_expect_eq(a->layers_per_block, b->layers_per_block);
    cr_expect_eq(a->norm_num_groups, b->norm_num_groups);
    cr_expect_eq(a->use_quant_conv, b->use_quant_conv);
    cr_expect_eq(a->use_post_quant_conv, b->use_post_quant_conv);
    cr_expect_eq(a->mid_block_add_attention, b->mid_block_add_attention);
    cr_expect_eq(a->scaling_factor, b->scaling_factor);
    cr_expect_eq(a->has_latents_stats, b->has_latents_stats);
    cr_assert_eq(a->n_blocks, b->n_blocks);
    for (int i = 0; i < a->n_blocks; i++)
        cr_expect_eq(a->block_out_channels[i], b->block_out_channels[i]);
}

static void expect_same_clip(const struct xl_clip_config *a, const struct xl_clip_config *b) {
    cr_expect_eq(a->vocab_size, b->vocab_size);
    cr_expect_eq(a->max_position_embeddings, b->max_position_embeddings);
    cr_expect_eq(a->hidden_size, b->hidden_size);
    cr_expect_eq(a->intermediate_size, b->intermediate_size);
    cr_expect_eq(a->num_hidden_layers, b->num_hidden_layers);
    cr_expect_eq(a->num_attention_heads, b->num_attention_heads);
    cr_expect_eq(a->projection_dim, b->projection_dim);
    cr_expect_eq(a->hidden_act, b->hidden_act);
    cr_expect_eq(a->layer_norm_eps, b->layer_norm_eps);
    cr_expect_eq(a->eos_token_id, b->eos_token_id);
}

/* A file of SDXL's true shapes is opened without its numbers, and understood as SDXL's folder. */
Test(checkpoint, shapes_say_what_sdxls_configurations_do) {
    struct xl_err err = {0};
    struct xl_unet_config unet;
    struct xl_vae_config vae;
    struct xl_clip_config clip[2];
    ok(CONFIG_READ(xl_unet_config_read, CONFIGS "unet/config.json", &err, &unet));
    ok(CONFIG_READ(xl_vae_config_read, CONFIGS "vae/config.json", &err, &vae));
    ok(CONFIG_READ(xl_clip_config_read, CONFIGS "text_encoder/config.json", &err, &clip[0]));
    ok(CONFIG_READ(xl_clip_config_read, CONFIGS "text_encoder_2/config.json", &err, &clip[1]));
    /* A link tells its digest, as in a cache: nobody reads its seven gigabytes. */
    const char digest[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    single_write_random(scratch("%s", digest), "full", XL_DTYPE_F16, true);
    cr_assert_eq(symlink(digest, scratch("full.safetensors")), 0);
    struct xl_model *model = open_with(scratch("full.safetensors"), NULL);
    expect_same_unet(&model->unet, &unet);
    expect_same_vae(&model->vae, &vae);
    for (int e = 0; e < 2; e++) expect_same_clip(&model->clip[e], &clip[e]);
    ok(xl_model_check_whole(model, &err));
    const struct xl_model_info *info = xl_model_info(model);
    cr_expect_eq(info->width, 1024);
    cr_expect_eq(info->n_files, 1);
    cr_expect_str_eq(info->files[0].role, "checkpoint");
    cr_expect_str_eq(info->scheduler_class, "EulerDiscreteScheduler");
    cr_expect(info->force_zeros_for_empty_prompt);
    cr_expect_str_eq(model->notices, "");
    int64_t parameters = 0;
    for (int c = 0; c < info->n_components; c++) parameters += info->components[c].n_parameters;
    cr_expect_eq(parameters, 2567463684 + 83653863 + 123060480 + 694659840);
    xl_model_close(model);
}

/* Each of the files that must be there, removed in turn, is missed by name. */
Test(checkpoint, a_tensor_that_is_missing_is_named) {
    static const struct {
        const char *tensor, *sentence;
    } cases[] = {
        {"model.diffusion_model.time_embed.0.weight", "\"time_embedding.linear_1.weight\""},
        {"model.diffusion_model.label_emb.0.0.weight", "\"add_embedding.linear_1.weight\""},
        {"model.diffusion_model.output_blocks.0.1.norm.bias",
         "\"up_blocks.0.attentions.0.norm.bias\""},
        {"first_stage_model.decoder.up.3.block.0.conv1.weight",
         "\"decoder.up_blocks.0.resnets.0.conv1.weight\""},
        {"conditioner.embedders.1.model.transformer.resblocks.1.attn.in_proj_bias",
         "\"text_model.encoder.layers.1.self_attn.q_proj.bias\""},
        {"conditioner.embedders.0.transformer.text_model.encoder.layers.0.mlp.fc1.weight",
         "\"text_model.encoder.layers.0.mlp.fc1.weight\""},
    };
    single_write_random(scratch("m.safetensors"), "words", XL_DTYPE_F16, false);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct single_file file = single_read(scratch("m.safetensors"));
        *single_find(&file, cases[i].tensor) = file.tensors[file.n - 1];
        file.n--;
        single_write(scratch("less.safetensors"), &file);
        single_free(&file);
        struct xl_model_params params;
        struct xl_model *model = NULL;
        struct xl_err err = {0};
        xl_model_params_default(&params);
        params.model = scratch("less.safetensors");
        enum xl_status status = xl_model_open(&params, &model, &err);
        if (!status) status = xl_model_check_whole(model, &err);
        cr_expect(status == XL_EFORMAT || status == XL_EMODEL, "%s", cases[i].tensor);
        cr_expect(strstr(err.text, cases[i].sentence), "%s", err.text);
        xl_model_close(model);
    }
}

/* --- Marks -------------------------------------------------------------------------------------
 */

static struct xl_scheduler_config scheduler_with(const char *const *keys, const char *metadata,
                                                 struct xl_model **out) {
    static const float numbers[4] = {1.5f, -2, 0.25f, 3};
    struct xl_scheduler_config config;
    struct xl_err err = {0};
    char *notice = NULL, *quoted = metadata ? scratch_quotes(metadata) : NULL;
    single_write_random(scratch("m.safetensors"), "tiny", XL_DTYPE_F16, false);
    struct single_file file = single_read(scratch("m.safetensors"));
    file.metadata = quoted;
    for (; *keys; keys++)
        single_add(&file, *keys, "F32", XL_SHAPE(1, 4, 1, 1), numbers, sizeof numbers);
    single_write(scratch("marked.safetensors"), &file);
    single_free(&file);
    struct xl_model *model = open_with(scratch("marked.safetensors"), NULL);
    ok(xl_scheduler_config_read(xl_model_scheduler(model), model->files.scheduler_class, "default",
                                &config, &notice, &err));
    free(notice);
    free(quoted);
    *out = model;
    return config;
}

Test(checkpoint, marks_of_v_prediction_and_zero_snr) {
    static const char *const none[] = {NULL};
    static const char *const v[] = {"v_pred", NULL};
    static const char *const zero[] = {"v_pred", "ztsnr", NULL};
    struct xl_model *model;
    struct xl_scheduler_config config = scheduler_with(none, NULL, &model);
    cr_expect_eq(config.prediction, XL_PREDICT_EPSILON);
    cr_expect_eq(config.spacing, XL_SPACING_LEADING);
    cr_expect_eq(config.steps_offset, 1);
    cr_expect_eq(config.beta_schedule, XL_BETA_SCALED_LINEAR);
    cr_expect(!config.rescale_zero_snr);
    char *plain = strdup(xl_model_info(model)->digest);
    xl_model_close(model);
    config = scheduler_with(v, NULL, &model);
    cr_expect_eq(config.prediction, XL_PREDICT_V);
    cr_expect(!config.rescale_zero_snr);
    cr_expect_str_neq(xl_model_info(model)->digest, plain);
    xl_model_close(model);
    config = scheduler_with(zero, NULL, &model);
    cr_expect_eq(config.prediction, XL_PREDICT_V);
    cr_expect(config.rescale_zero_snr);
    cr_expect_eq(config.spacing, XL_SPACING_TRAILING);
    xl_model_close(model);
    config = scheduler_with(none, "'modelspec.prediction_type': 'v'", &model);
    cr_expect_eq(config.prediction, XL_PREDICT_V);
    xl_model_close(model);
    config = scheduler_with(none, "'modelspec.predict_key': 'v'", &model);
    cr_expect_eq(config.prediction, XL_PREDICT_V);
    xl_model_close(model);
    config = scheduler_with(none, "'modelspec.prediction_type': 'epsilon'", &model);
    cr_expect_eq(config.prediction, XL_PREDICT_EPSILON);
    xl_model_close(model);
    free(plain);
}

/* Playground's statistics of latents scale them, and its noise is EDM's. */
Test(checkpoint, marks_of_edm) {
    static const char *const edm[] = {"edm_mean", "edm_std", NULL};
    struct xl_model_params params;
    struct xl_model *model = NULL;
    struct xl_err err = {0};
    static const float mean[4] = {1.5f, -2, 0.25f, 3}, std[4] = {1, 2, 3, 4};
    single_write_random(scratch("m.safetensors"), "tiny", XL_DTYPE_F16, false);
    struct single_file file = single_read(scratch("m.safetensors"));
    single_add(&file, edm[0], "F32", XL_SHAPE(1, 4, 1, 1), mean, sizeof mean);
    single_add(&file, edm[1], "F32", XL_SHAPE(1, 4, 1, 1), std, sizeof std);
    single_write(scratch("p.safetensors"), &file);
    file.n--;
    single_write(scratch("half.safetensors"), &file);
    single_free(&file);
    model = open_with(scratch("p.safetensors"), NULL);
    cr_expect_str_eq(xl_model_info(model)->scheduler_class, "EDMDPMSolverMultistepScheduler");
    cr_expect(model->vae.has_latents_stats);
    cr_expect_eq(model->vae.scaling_factor, 0.5);
    for (int i = 0; i < 4; i++) {
        cr_expect_eq(model->vae.latents_mean[i], (double)mean[i]);
        cr_expect_eq(model->vae.latents_std[i], (double)std[i]);
    }
    xl_model_close(model);
    xl_model_params_default(&params);
    params.model = scratch("half.safetensors");
    cr_expect_eq(xl_model_open(&params, &model, &err), XL_EFORMAT);
    cr_expect(strstr(err.text, "\"edm_std\" is missing"), "%s", err.text);
}

/* --- Which file --------------------------------------------------------------------------------
 */

#define COMMIT "0123456789012345678901234567890123456789"

static const char *in_cache(const char *repository, const char *file) {
    return scratch("hub/models--org--%s/snapshots/" COMMIT "/%s", repository, file);
}

static void write_ref(const char *repository) {
    scratch_puts(scratch("hub/models--org--%s/refs/main", repository), COMMIT);
    setenv("HF_HUB_CACHE", scratch("hub"), 1);
}

static void write_lora(const char *path) {
    scratch_safetensors(
        path,
        "{'lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn2_to_k.lora_down.weight':"
        "{'dtype':'F16','shape':[1,2048],'data_offsets':[0,4096]},"
        "'lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn2_to_k.lora_up.weight':"
        "{'dtype':'F16','shape':[640,1],'data_offsets':[4096,5376]},"
        "'lora_te2_text_projection.lora_down.weight':"
        "{'dtype':'F16','shape':[1,1280],'data_offsets':[5376,7936]}}",
        7936);
}

Test(checkpoint, a_repository_of_one_checkpoint) {
    write_ref("x");
    single_write_random(in_cache("x", "x.safetensors"), "tiny", XL_DTYPE_F16, false);
    write_lora(in_cache("x", "offset-lora.safetensors")); /* not in the way */
    struct xl_model *model = open_with("org/x", NULL);
    cr_expect_str_eq(model->snapshot.file, in_cache("x", "x.safetensors"));
    cr_expect_str_eq(xl_model_info(model)->name, "org/x");
    cr_expect_str_eq(xl_model_info(model)->commit, COMMIT);
    char *digest = strdup(xl_model_info(model)->digest);
    xl_model_close(model);
    model = open_with("org/x:x.safetensors", NULL);
    cr_expect_str_eq(xl_model_info(model)->name, "org/x:x.safetensors");
    cr_expect_str_eq(xl_model_info(model)->digest, digest);
    xl_model_close(model);
    expect_refused("org/x:y.safetensors", NULL, XL_EMODEL, "y.safetensors (missing)");
    expect_refused("org/x:../../x.safetensors", NULL, XL_EMODEL, "there is no such file");
    expect_refused("org/x:x.ckpt", NULL, XL_EFORMAT, "pickle files can run code");
    free(digest);
}

Test(checkpoint, of_several_none_is_guessed) {
    write_ref("x");
    single_write_random(in_cache("x", "x_fp16.safetensors"), "tiny", XL_DTYPE_F16, false);
    single_write_random(in_cache("x", "x_fp32.safetensors"), "tiny", XL_DTYPE_F32, false);
    struct xl_model *model = open_with("org/x", NULL);
    cr_expect_str_eq(model->snapshot.file, in_cache("x", "x_fp16.safetensors"));
    cr_expect(strstr(model->notices, "took x_fp16.safetensors, not x_fp32.safetensors"), "%s",
              model->notices);
    xl_model_close(model);
    single_write_random(in_cache("x", "x-opt.safetensors"), "tiny", XL_DTYPE_F16, false);
    expect_refused("org/x", NULL, XL_EINVAL,
                   "name it as org/x:x-opt.safetensors, org/x:x_fp16.safetensors, "
                   "org/x:x_fp32.safetensors");
    model = open_with("org/x:x_fp32.safetensors", NULL);
    cr_expect_str_eq(xl_model_info(model)->components[0].dtype, "F32");
    xl_model_close(model);
    /* A folder: by paths. */
    single_write_random(scratch("two/a.safetensors"), "tiny", XL_DTYPE_F16, false);
    model = open_with(scratch("two"), NULL);
    cr_expect_str_eq(model->snapshot.file, scratch("two/a.safetensors"));
    xl_model_close(model);
    single_write_random(scratch("two/b.safetensors"), "tiny", XL_DTYPE_F16, false);
    expect_refused(scratch("two"), NULL, XL_EINVAL, "two/b.safetensors");
}

Test(checkpoint, what_is_no_checkpoint_is_said) {
    write_ref("lora");
    write_lora(in_cache("lora", "l.safetensors"));
    expect_refused("org/lora", NULL, XL_EFORMAT, "this is a LoRA");
    expect_refused(in_cache("lora", "l.safetensors"), NULL, XL_EFORMAT, "--lora");
    single_write_folder(scratch("m"), "tiny", XL_DTYPE_F16, false);
    expect_refused(scratch("m/vae/diffusion_pytorch_model.safetensors"), NULL, XL_EFORMAT,
                   "this is a VAE");
    expect_refused(scratch("m/unet/diffusion_pytorch_model.safetensors"), NULL, XL_EFORMAT,
                   "SDXL UNet alone");
    /* Nine channels in: inpainting. */
    single_write_random(scratch("m.safetensors"), "tiny", XL_DTYPE_F16, false);
    struct single_file file = single_read(scratch("m.safetensors"));
    static const char zeros[32 * 9 * 9 * 2];
    *single_find(&file, "model.diffusion_model.input_blocks.0.0.weight") =
        (struct single_tensor){.name = "model.diffusion_model.input_blocks.0.0.weight",
                               .dtype = "F16",
                               .shape = XL_SHAPE(32, 9, 3, 3),
                               .data = zeros,
                               .n = sizeof zeros};
    single_write(scratch("inpaint.safetensors"), &file);
    expect_refused(scratch("inpaint.safetensors"), NULL, XL_EFORMAT, "inpaint");
    /* The refiner's only encoder is the second one, in the first one's place. */
    single_free(&file);
    file = single_read(scratch("m.safetensors"));
    single_rename(&file, "conditioner.embedders.0.transformer.", "x.");
    single_rename(&file, "conditioner.embedders.1.model.", "conditioner.embedders.0.model.");
    single_write(scratch("refiner.safetensors"), &file);
    single_free(&file);
    expect_refused(scratch("refiner.safetensors"), NULL, XL_EFORMAT, "refiner");
    /* Cut short. */
    cr_assert_eq(truncate(scratch("m.safetensors"), 300000), 0);
    expect_refused(scratch("m.safetensors"), NULL, XL_EFORMAT, "truncated");
}

/* --- VAEs from elsewhere -----------------------------------------------------------------------
 */

static bool same_id(const struct xl_model *a, const struct xl_model *b, enum xl_component c) {
    return !memcmp(&a->tensors[c].base, &b->tensors[c].base, sizeof a->tensors[c].base);
}

Test(checkpoint, another_vae_is_another_model_with_the_same_weights) {
    single_write_folder(scratch("m"), "tiny", XL_DTYPE_F16, false);
    single_write_folder(scratch("other"), "tiny", XL_DTYPE_F32, false);
    single_write_random(scratch("c.safetensors"), "tiny", XL_DTYPE_F32, false);
    struct xl_model *own = open_with(scratch("m"), NULL);
    const char *const ways[] = {scratch("other"), scratch("other/vae"), scratch("other/vae/"),
                                scratch("other/vae/diffusion_pytorch_model.safetensors"),
                                scratch("c.safetensors")};
    char *first = NULL;
    for (int i = 0; i < 5; i++) {
        struct xl_model *model = open_with(scratch("m"), ways[i]);
        const struct xl_model_info *info = xl_model_info(model);
        cr_expect_str_neq(info->digest, xl_model_info(own)->digest, "%s", ways[i]);
        cr_expect(same_id(own, model, XL_UNET));
        cr_expect(same_id(own, model, XL_TEXT_ENCODER));
        cr_expect(same_id(own, model, XL_TEXT_ENCODER_2));
        cr_expect(!same_id(own, model, XL_VAE));
        cr_expect_str_eq(info->components[XL_VAE].dtype, "F32");
        cr_expect_eq(model->vae.scaling_factor, 0.13025);
        /* With a configuration it is the same VAE whatever the way; else that is said. */
        if (i < 4) {
            cr_expect_str_eq(model->notices, "");
            cr_expect(!first || !strcmp(first, info->digest), "%s", ways[i]);
        } else {
            cr_expect(strstr(model->notices, "has no config.json: took its shapes, and SDXL's"),
                      "%s", model->notices);
        }
        if (!first) first = strdup(info->digest);
        xl_model_close(model);
    }
    free(first);
    xl_model_close(own);
}

Test(checkpoint, a_vae_has_the_scaling_factor_of_its_configuration) {
    single_write_folder(scratch("m"), "tiny", XL_DTYPE_F16, false);
    char *text;
    size_t n;
    struct xl_err err = {0};
    ok(xl_file_read(scratch("m/vae/config.json"),
                    (struct xl_read_rule){1 << 20, XL_EMODEL, XL_EFORMAT}, &text, &n, &err));
    char *at = strstr(text, "0.13025");
    cr_assert_not_null(at);
    memcpy(at, "0.18215", 7);
    single_write_folder(scratch("sd"), "tiny", XL_DTYPE_F16, false);
    scratch_puts(scratch("sd/vae/config.json"), text);
    struct xl_model *model = open_with(scratch("m"), scratch("sd/vae"));
    cr_expect_eq(model->vae.scaling_factor, 0.18215);
    xl_model_close(model);
    at = strstr(text, "AutoencoderKL");
    memcpy(at, "AutoencoderXX", 13);
    scratch_puts(scratch("sd/vae/config.json"), text);
    expect_refused(scratch("m"), scratch("sd/vae"), XL_EFORMAT, "expected AutoencoderKL");
    free(text);
}

Test(checkpoint, vaes_in_the_cache) {
    single_write_folder(scratch("m"), "tiny", XL_DTYPE_F16, false);
    write_ref("v");
    single_write_random(in_cache("v", "c.safetensors"), "tiny", XL_DTYPE_F32, false);
    struct xl_model *model = open_with(scratch("m"), "org/v");
    cr_expect_str_eq(xl_model_info(model)->components[XL_VAE].dtype, "F32");
    xl_model_close(model);
    model = open_with(scratch("m"), "org/v:c.safetensors");
    cr_expect_str_eq(xl_model_info(model)->components[XL_VAE].dtype, "F32");
    xl_model_close(model);
    write_ref("l");
    write_lora(in_cache("l", "l.safetensors"));
    expect_refused(scratch("m"), "org/l", XL_EFORMAT, "expected a VAE");
    expect_refused(scratch("m"), in_cache("l", "l.safetensors"), XL_EFORMAT, "expected a VAE");
    expect_refused(scratch("m"), "org/none", XL_EMODEL, "not in the Hugging Face cache");
    expect_refused(scratch("m"), scratch("m/unet"), XL_EFORMAT, "expected AutoencoderKL");
    scratch_puts(scratch("v.ckpt"), "x");
    expect_refused(scratch("m"), scratch("v.ckpt"), XL_EFORMAT, "pickle files can run code");
}

/* --- CLIP's own tokenizer ----------------------------------------------------------------------
 */

Test(checkpoint, clips_vocabulary_follows_from_its_merges) {
    struct xl_tokenizer *tokenizers[2];
    struct xl_err err = {0};
    ok(xl_tokenizer_open_or_clip(NULL, XL_CLIP_PAD_END, &tokenizers[0], &err));
    ok(xl_tokenizer_open_or_clip(NULL, XL_CLIP_PAD_ZERO, &tokenizers[1], &err));
    for (int e = 0; e < 2; e++) {
        int32_t ids[10];
        cr_expect_eq(xl_tokenizer_vocab_size(tokenizers[e]), 49408);
        cr_expect_eq(xl_tokenizer_max_length(tokenizers[e]), 77);
        /* "a photo of a cat", as CLIP's documentation has it. */
        ok(xl_tokenize_padded(tokenizers[e], "A photo of a  cat", 10, ids, NULL, &err));
        const int32_t expected[] = {49406, 320, 1125, 539, 320, 2368, 49407};
        for (int i = 0; i < 7; i++) cr_expect_eq(ids[i], expected[i]);
        for (int i = 7; i < 10; i++) cr_expect_eq(ids[i], e ? 0 : 49407);
        xl_tokenizer_close(tokenizers[e]);
    }
}
