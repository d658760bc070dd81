/* test_classify.c - what files and folders of weights are, told by headers that are made here: the
 * names and shapes of each kind, the data a hole of zeros. */
#include "hub/classify.h"

#include "unit/scratch.h"

#include <fcntl.h>

TestSuite(classify, .init = scratch_open, .fini = scratch_close);

/* A file of half-precision tensors: "NAME DIMxDIM ..." for each, names without blanks. metadata:
 * members of __metadata__ with ' for ", or NULL. The data is sparse. */
static const char *make_file(const char *name, const char *tensors, const char *metadata) {
    static char path[SCRATCH_PATH];
    char header[32768] = "{";
    size_t n = 1;
    long long at = 0;
    if (metadata)
        n += (size_t)snprintf(header + n, sizeof header - n, "'__metadata__':{%s}", metadata);
    for (const char *word = tensors; *word;) {
        char key[256], shape[64] = "";
        int used = 0;
        cr_assert_eq(sscanf(word, " %255s %63s%n", key, shape, &used), 2, "%s", word);
        word += used;
        word += strspn(word, " ");
        long long count = 1;
        for (char *dim = shape; dim; dim = strchr(dim, 'x')) {
            if (*dim == 'x') *dim++ = ',';
            count *= atoll(dim);
        }
        n += (size_t)snprintf(header + n, sizeof header - n,
                              "%s'%s':{'dtype':'F16','shape':[%s],'data_offsets':[%lld,%lld]}",
                              n > 1 ? "," : "", key, shape, at, at + 2 * count);
        at += 2 * count;
        cr_assert_lt(n, sizeof header - 512);
    }
    snprintf(header + n, sizeof header - n, "}");
    snprintf(path, sizeof path, "%s", scratch("%s", name));
    scratch_safetensors(path, header, 0);
    struct stat st;
    cr_assert_eq(stat(path, &st), 0);
    cr_assert_eq(truncate(path, st.st_size + at), 0);
    return path;
}

#define UNET(p, in, ctx)                                                                           \
    p "input_blocks.0.0.weight 320x" in "x3x3 " p                                                  \
      "input_blocks.4.1.transformer_blocks.0.attn2.to_k.weight 640x" ctx " "
#define VECTOR "model.diffusion_model.label_emb.0.0.weight 1280x2816 "
#define D "model.diffusion_model."
#define TE_L "conditioner.embedders.0.transformer.text_model.final_layer_norm.bias 768 "
#define TE_G "conditioner.embedders.1.model.ln_final.bias 1280 "
#define VAE4 "first_stage_model.decoder.conv_in.weight 512x4x3x3 "
#define NEED_SDXL "draws with SDXL only"

static const struct {
    const char *tensors, *metadata;
    enum xl_file_kind kind;
    enum xl_model_family base;
    const char *what, *need; /* need: a part of it; NULL: usable */
} files[] = {
    /* checkpoints */
    {UNET(D, "4", "2048") VECTOR TE_L TE_G VAE4, NULL, XL_FILE_SDXL_CHECKPOINT, XL_FAMILY_SDXL,
     "an SDXL checkpoint", NULL},
    {UNET(D, "9", "2048") VECTOR TE_L TE_G VAE4, NULL, XL_FILE_SDXL_INPAINT, XL_FAMILY_SDXL,
     "an SDXL inpainting checkpoint", "made from"},
    {UNET(D, "8", "2048") VECTOR TE_L TE_G VAE4, NULL, XL_FILE_UNKNOWN, XL_FAMILY_SDXL,
     "edits pictures", "made from"},
    {UNET(D, "4", "1280") D "label_emb.0.0.weight 1536x2560 "
                            "conditioner.embedders.0.model.ln_final.bias 1280 " VAE4,
     NULL, XL_FILE_SDXL_REFINER, XL_FAMILY_SDXL_REFINER, "the SDXL refiner", "base model"},
    {UNET(D, "4", "768") "cond_stage_model.transformer.text_model.final_layer_norm.bias 768 " VAE4,
     NULL, XL_FILE_SD1, XL_FAMILY_SD1, "a Stable Diffusion 1.x checkpoint", NEED_SDXL},
    {UNET(D, "9", "768") "cond_stage_model.transformer.text_model.final_layer_norm.bias 768 " VAE4,
     NULL, XL_FILE_SD1, XL_FAMILY_SD1, "a Stable Diffusion 1.x inpainting checkpoint", NEED_SDXL},
    {UNET(D, "8", "768") VAE4, NULL, XL_FILE_SD1, XL_FAMILY_SD1, "InstructPix2Pix", NEED_SDXL},
    {UNET(D, "4", "1024") "cond_stage_model.model.ln_final.bias 1024 " VAE4, NULL, XL_FILE_SD2,
     XL_FAMILY_SD2, "a Stable Diffusion 2.x checkpoint", NEED_SDXL},
    {UNET(D, "4", "1024") VAE4, "'modelspec.prediction_type':'v'", XL_FILE_SD2, XL_FAMILY_SD2,
     "a Stable Diffusion 2.x checkpoint (v-prediction)", NEED_SDXL},
    {UNET(D, "5", "1024") VAE4, NULL, XL_FILE_SD2, XL_FAMILY_SD2, "depth maps", NEED_SDXL},
    {D "joint_blocks.0.context_block.attn.qkv.weight 12x4 first_stage_model.x 1", NULL, XL_FILE_SD3,
     XL_FAMILY_SD3, "a Stable Diffusion 3 model", NEED_SDXL},
    {"pos_embed.proj.weight 4x16x2x2 transformer_blocks.0.attn.add_q_proj.weight 4x4", NULL,
     XL_FILE_SD3, XL_FAMILY_SD3, "a Stable Diffusion 3 model", NEED_SDXL},
    {"double_blocks.0.img_attn.qkv.weight 9x3 single_blocks.0.linear1.weight 9x3", NULL,
     XL_FILE_FLUX, XL_FAMILY_FLUX, "a Flux model", NEED_SDXL},
    {D "double_blocks.0.img_attn.qkv.weight 9x3 vae.decoder.conv_in.weight 4x16x3x3", NULL,
     XL_FILE_FLUX, XL_FAMILY_FLUX, "a Flux model", NEED_SDXL},
    {"single_transformer_blocks.0.attn.to_q.weight 3x3", NULL, XL_FILE_FLUX, XL_FAMILY_FLUX,
     "a Flux model", NEED_SDXL},
    {"double_blocks.0.img_attn.qkv.weight 9x3 distilled_guidance_layer.in_proj.weight 3x3", NULL,
     XL_FILE_UNKNOWN, XL_FAMILY_UNKNOWN, "a Chroma transformer", NEED_SDXL},
    {"adaln_single.linear.weight 6x4 caption_projection.linear_1.weight 4x4", NULL, XL_FILE_UNKNOWN,
     XL_FAMILY_UNKNOWN, "a PixArt or Sana transformer", "cannot use it"},
    {"double_layers.0.attn.w1q.weight 4x4", NULL, XL_FILE_UNKNOWN, XL_FAMILY_UNKNOWN, "AuraFlow",
     "cannot use it"},
    /* components */
    {UNET(D, "4", "2048") VECTOR, NULL, XL_FILE_COMPONENT, XL_FAMILY_SDXL, "an SDXL UNet alone",
     "both text encoders"},
    {"conv_in.weight 320x4x3x3 time_embedding.linear_1.weight 1280x320 "
     "down_blocks.0.resnets.0.norm1.bias 320 add_embedding.linear_1.weight 1280x2816",
     NULL, XL_FILE_COMPONENT, XL_FAMILY_SDXL, "an SDXL UNet alone", "both text encoders"},
    {"conv_in.weight 320x9x3x3 time_embedding.linear_1.weight 1280x320 "
     "down_blocks.0.resnets.0.norm1.bias 320 add_embedding.linear_1.weight 1280x2816",
     NULL, XL_FILE_SDXL_INPAINT, XL_FAMILY_SDXL, "an SDXL inpainting UNet", "made from"},
    {"conv_in.weight 320x4x3x3 time_embedding.linear_1.weight 1280x320 "
     "down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.weight 320x768",
     NULL, XL_FILE_COMPONENT, XL_FAMILY_SD1, "a Stable Diffusion 1.x UNet alone", NEED_SDXL},
    {"text_model.encoder.layers.0.layer_norm1.bias 768", NULL, XL_FILE_COMPONENT, XL_FAMILY_UNKNOWN,
     "a CLIP text encoder alone", "both text encoders"},
    {"text_model.encoder.layers.0.layer_norm1.bias 1280 text_projection.weight 1280x1280", NULL,
     XL_FILE_COMPONENT, XL_FAMILY_UNKNOWN, "with projection", "both text encoders"},
    /* VAEs */
    {"decoder.conv_in.weight 512x4x3x3 decoder.up_blocks.0.resnets.0.norm1.bias 512", NULL,
     XL_FILE_VAE, XL_FAMILY_UNKNOWN, "a VAE", NULL},
    {"first_stage_model.decoder.conv_in.weight 512x4x3x3 "
     "first_stage_model.decoder.up.0.block.0.norm1.bias 512",
     NULL, XL_FILE_VAE, XL_FAMILY_UNKNOWN, "a VAE", NULL},
    {"decoder.conv_in.weight 512x4x3x3 decoder.up.0.block.0.norm1.bias 512", NULL, XL_FILE_VAE,
     XL_FAMILY_UNKNOWN, "a VAE", NULL},
    {"decoder.conv_in.weight 512x16x3x3 decoder.up.0.block.0.norm1.bias 512", NULL, XL_FILE_VAE,
     XL_FAMILY_UNKNOWN, "a VAE with 16 latent channels, as SD3 and Flux have", "have 4 channels"},
    {"decoder.conv_in.weight 512x16x3x3x3 decoder.up_blocks.0.norm1.bias 512", NULL, XL_FILE_VAE,
     XL_FAMILY_UNKNOWN, "a VAE for video", "made for SDXL"},
    /* textual inversions */
    {"clip_l 4x768 clip_g 4x1280", NULL, XL_FILE_EMBEDDING, XL_FAMILY_SDXL,
     "a textual inversion for SDXL", NULL},
    {"emb_params 2x768", NULL, XL_FILE_EMBEDDING, XL_FAMILY_SD1, "Stable Diffusion 1.x (768",
     "clip_l and clip_g"},
    {"<cat> 1024", NULL, XL_FILE_EMBEDDING, XL_FAMILY_SD2, "Stable Diffusion 2.x (1024",
     "clip_l and clip_g"},
    {"clip_g 1x1280", NULL, XL_FILE_EMBEDDING, XL_FAMILY_UNKNOWN, "for one text encoder",
     "two text encoders"},
    /* what steers, enlarges and encodes */
    {"controlnet_cond_embedding.conv_in.weight 16x3x3x3 conv_in.weight 320x4x3x3 "
     "time_embedding.linear_1.weight 4x4 down_blocks.0.x 4",
     NULL, XL_FILE_UNKNOWN, XL_FAMILY_UNKNOWN, "a ControlNet", "cannot use it"},
    {"control_model.input_blocks.0.0.weight 320x4x3x3", NULL, XL_FILE_UNKNOWN, XL_FAMILY_UNKNOWN,
     "a ControlNet", "cannot use it"},
    {"image_proj.proj.weight 4x4 ip_adapter.1.to_k_ip.weight 640x2048", NULL, XL_FILE_UNKNOWN,
     XL_FAMILY_UNKNOWN, "an IP-Adapter", "cannot use it"},
    {"conv_first.weight 64x3x3x3 conv_body.weight 64x64x3x3", NULL, XL_FILE_UNKNOWN,
     XL_FAMILY_UNKNOWN, "an upscaler", "cannot use it"},
    {"vision_model.embeddings.class_embedding 1024", NULL, XL_FILE_UNKNOWN, XL_FAMILY_UNKNOWN,
     "a CLIP image encoder", "cannot use it"},
    {"encoder.block.0.layer.0.SelfAttention.q.weight 4x4", NULL, XL_FILE_UNKNOWN, XL_FAMILY_UNKNOWN,
     "a T5 text encoder", "cannot use it"},
    {"what.ever.weight 3x3x3", NULL, XL_FILE_UNKNOWN, XL_FAMILY_UNKNOWN, "no kind that is known",
     "take an SDXL model"},
    {"", NULL, XL_FILE_UNKNOWN, XL_FAMILY_UNKNOWN, "a file without tensors", "take an SDXL model"},
};

Test(classify, every_kind_of_file_is_told) {
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        const char *path = make_file("a.safetensors", files[i].tensors, files[i].metadata);
        struct xl_arena arena = {0};
        struct xl_file_class is;
        struct xl_err err = {0};
        cr_assert_eq(xl_hub_classify_file(path, &arena, &is, &err), XL_OK, "%zu: %s", i, err.text);
        cr_expect_eq(is.kind, files[i].kind, "%zu: %s, expected %s", i, is.what, files[i].what);
        cr_expect_eq(is.base, files[i].base, "%zu: %s: base %s", i, is.what,
                     xl_family_name(is.base));
        cr_expect(strstr(is.what, files[i].what), "%zu: \"%s\" lacks \"%s\"", i, is.what,
                  files[i].what);
        cr_expect_eq(!is.need, !files[i].need, "%zu: %s", i, is.what);
        cr_expect_eq(!is.use, !!is.need, "%zu: %s", i, is.what);
        if (is.need && files[i].need)
            cr_expect(strstr(is.need, files[i].need), "%zu: \"%s\" lacks \"%s\"", i, is.need,
                      files[i].need);
        xl_arena_deinit(&arena);
    }
}

#define KOHYA(module, out, in)                                                                     \
    module ".lora_down.weight 8x" in " " module ".lora_up.weight " out "x8 " module ".alpha 1 "
#define ATTN2 "_transformer_blocks_0_attn2_to_k"

static const struct {
    const char *tensors, *metadata;
    enum xl_model_family base;
    unsigned kinds;
    int rank;
    bool has_text, is_usable;
} loras[] = {
    /* SDXL, told by the width of cross attention, by blocks, by depth, by the second encoder */
    {KOHYA("lora_unet_input_blocks_4_1" ATTN2, "640", "2048"), NULL, XL_FAMILY_SDXL, XL_LORA_KOHYA,
     8, false, true},
    {KOHYA("lora_unet_output_blocks_0_1" ATTN2, "640", "320"), NULL, XL_FAMILY_SDXL, XL_LORA_KOHYA,
     8, false, true},
    {KOHYA("lora_unet_up_blocks_0_attentions_0_proj_in", "640", "64"), NULL, XL_FAMILY_SDXL,
     XL_LORA_KOHYA, 8, false, true},
    {KOHYA("lora_unet_down_blocks_2_attentions_0_transformer_blocks_9_ff_net_2", "640", "64"), NULL,
     XL_FAMILY_SDXL, XL_LORA_KOHYA, 8, false, true},
    {KOHYA("lora_te2_text_model_encoder_layers_0_mlp_fc1", "64", "32"), NULL, XL_FAMILY_SDXL,
     XL_LORA_KOHYA, 8, true, true},
    {KOHYA("lora_te1_text_model_encoder_layers_0_mlp_fc1", "3072", "768"), NULL, XL_FAMILY_SDXL,
     XL_LORA_KOHYA, 8, true, true},
    {"unet.up_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q.lora_A.weight 16x64 "
     "unet.up_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q.lora_B.weight 64x16",
     NULL, XL_FAMILY_SDXL, XL_LORA_PEFT, 16, false, true},
    {"unet.up_blocks.0.attentions.0.transformer_blocks.0.attn2.processor.to_k_lora.down.weight "
     "4x2048 "
     "unet.up_blocks.0.attentions.0.transformer_blocks.0.attn2.processor.to_k_lora.up.weight "
     "640x4",
     NULL, XL_FAMILY_SDXL, XL_LORA_DIFFUSERS, 4, false, true},
    {"text_encoder_2.text_model.encoder.layers.0.self_attn.q_proj.lora_linear_layer.down.weight "
     "4x1280 "
     "text_encoder_2.text_model.encoder.layers.0.self_attn.q_proj.lora_linear_layer.up.weight "
     "1280x4",
     NULL, XL_FAMILY_SDXL, XL_LORA_DIFFUSERS, 4, true, true},
    {"lora_unet_input_blocks_4_1" ATTN2 ".hada_w1_a 640x6 lora_unet_input_blocks_4_1" ATTN2
     ".hada_w1_b 6x2048",
     NULL, XL_FAMILY_SDXL, XL_LORA_LOHA, 6, false, true},
    {"lora_unet_output_blocks_1_1_transformer_blocks_0_attn1_to_k.lokr_w1 4x4 "
     "lora_unet_output_blocks_1_1_transformer_blocks_0_attn1_to_k.lokr_w2_a 16x3 "
     "lora_unet_output_blocks_1_1_transformer_blocks_0_attn1_to_k.lokr_w2_b 3x16",
     NULL, XL_FAMILY_SDXL, XL_LORA_LOKR, 3, false, true},
    {KOHYA("lora_unet_input_blocks_4_1" ATTN2, "640", "2048") "lora_unet_input_blocks_4_1" ATTN2
                                                              ".dora_scale 1x2048",
     NULL, XL_FAMILY_SDXL, XL_LORA_KOHYA | XL_LORA_DORA, 8, false, true},
    {KOHYA("lora_unet_output_blocks_0_1_proj_in", "640", "64")
         KOHYA("lora_unet_input_blocks_4_0_in_layers_2", "64", "64x3x3"),
     NULL, XL_FAMILY_SDXL, XL_LORA_KOHYA | XL_LORA_CONV, 8, false, true},
    {"lora_unet_add_embedding_linear_1.diff 4x4", NULL, XL_FAMILY_SDXL, XL_LORA_FULL, 0, false,
     true},
    /* others */
    {KOHYA("lora_unet_down_blocks_1_attentions_0" ATTN2, "640", "768"), NULL, XL_FAMILY_SD1,
     XL_LORA_KOHYA, 8, false, false},
    {KOHYA("lora_unet_down_blocks_1_attentions_0" ATTN2, "640", "1024"), NULL, XL_FAMILY_SD2,
     XL_LORA_KOHYA, 8, false, false},
    {KOHYA("lora_unet_down_blocks_0_attentions_0_proj_in", "320", "320"), NULL, XL_FAMILY_SD1,
     XL_LORA_KOHYA, 8, false, false},
    {KOHYA("lora_unet_down_blocks_0_attentions_0_proj_in", "320", "320"),
     "'ss_base_model_version':'sd_v2_v'", XL_FAMILY_SD2, XL_LORA_KOHYA, 8, false, false},
    {KOHYA("lora_te_text_model_encoder_layers_0_self_attn_q_proj", "1024", "1024"), NULL,
     XL_FAMILY_SD2, XL_LORA_KOHYA, 8, true, false},
    {KOHYA("lora_unet_double_blocks_0_img_attn_qkv", "64", "32"), NULL, XL_FAMILY_FLUX,
     XL_LORA_KOHYA, 8, false, false},
    {"transformer.single_transformer_blocks.0.attn.to_q.lora_A.weight 8x32 "
     "transformer.single_transformer_blocks.0.attn.to_q.lora_B.weight 32x8",
     NULL, XL_FAMILY_FLUX, XL_LORA_PEFT, 8, false, false},
    {KOHYA("lora_unet_joint_blocks_0_context_block_attn_qkv", "64", "32"), NULL, XL_FAMILY_SD3,
     XL_LORA_KOHYA, 8, false, false},
    {"transformer.transformer_blocks.0.attn.to_q.lora_A.weight 8x32 "
     "transformer.transformer_blocks.0.attn.to_q.lora_B.weight 32x8",
     NULL, XL_FAMILY_SD3, XL_LORA_PEFT, 8, false, false},
    {"transformer.adaln_single.linear.lora_A.weight 8x32 "
     "transformer.adaln_single.linear.lora_B.weight 32x8",
     NULL, XL_FAMILY_UNKNOWN, XL_LORA_PEFT, 8, false, false},
    /* nothing tells, or only metadata does */
    {KOHYA("lora_unet_mid_block_resnets_0_conv1", "64", "32"), NULL, XL_FAMILY_UNKNOWN,
     XL_LORA_KOHYA, 8, false, true},
    {KOHYA("lora_unet_mid_block_resnets_0_conv1", "64", "32"),
     "'modelspec.architecture':'stable-diffusion-xl-v1-base/lora'", XL_FAMILY_SDXL, XL_LORA_KOHYA,
     8, false, true},
    {KOHYA("lora_unet_mid_block_resnets_0_conv1", "64", "32"), "'ss_base_model_version':'sd_v1'",
     XL_FAMILY_SD1, XL_LORA_KOHYA, 8, false, false},
};

Test(classify, loras_tell_their_kinds_and_their_model) {
    for (size_t i = 0; i < sizeof loras / sizeof *loras; i++) {
        const char *path = make_file("a.safetensors", loras[i].tensors, loras[i].metadata);
        struct xl_arena arena = {0};
        struct xl_file_class is;
        struct xl_err err = {0};
        char found[128], expected[128];
        cr_assert_eq(xl_hub_classify_file(path, &arena, &is, &err), XL_OK, "%zu: %s", i, err.text);
        cr_expect_eq(is.kind, XL_FILE_LORA, "%zu: %s", i, is.what);
        cr_expect_eq(is.base, loras[i].base, "%zu: %s", i, is.what);
        cr_expect_str_eq(xl_lora_kinds_text(is.lora_kinds, found, sizeof found),
                         xl_lora_kinds_text(loras[i].kinds, expected, sizeof expected), "%zu", i);
        cr_expect_eq(is.lora_rank, loras[i].rank, "%zu: rank %d", i, is.lora_rank);
        cr_expect_eq(is.lora_has_text, loras[i].has_text, "%zu", i);
        cr_expect_eq(is.need == NULL, loras[i].is_usable, "%zu: %s", i, is.what);
        xl_arena_deinit(&arena);
    }
}

Test(classify, markers_and_metadata_are_told) {
    struct xl_arena arena = {0};
    struct xl_file_class is;
    struct xl_err err = {0};
    const char *path = make_file(
        "a.safetensors", UNET(D, "4", "2048") VECTOR TE_L TE_G VAE4 "v_pred 1 ztsnr 1 edm_mean 4",
        "'modelspec.title':'A \\u00e9','ss_tag_frequency':'{}'");
    cr_assert_eq(xl_hub_classify_file(path, &arena, &is, &err), XL_OK, "%s", err.text);
    cr_expect(is.is_v_prediction && is.is_zero_snr && is.is_edm && is.is_original && is.has_vae);
    cr_expect_eq(is.latent_channels, 4);
    cr_expect_str_eq(is.precision, "F16");
    cr_expect_str_eq(xl_st_metadata_find(&is.metadata, "modelspec.title"), "A \xc3\xa9");
    cr_expect_eq(is.metadata.n, 2);
    cr_expect_null(xl_st_metadata_find(&is.metadata, "absent"));
    xl_arena_deinit(&arena);
}

static void expect_refused(const char *path, enum xl_status status, const char *says) {
    struct xl_arena arena = {0};
    struct xl_file_class is;
    struct xl_err err = {0};
    cr_expect_eq(xl_hub_classify_file(path, &arena, &is, &err), status, "%s", err.text);
    cr_expect(strstr(err.text, path) && strstr(err.text, says), "\"%s\" lacks \"%s\"", err.text,
              says);
    xl_arena_deinit(&arena);
}

Test(classify, files_that_are_none_are_refused) {
    expect_refused(scratch("absent.safetensors"), XL_EMODEL, "cannot open");
    /* A pipe would block whoever opened it: a pickle is not even opened. */
    cr_assert_eq(mkfifo(scratch("m.ckpt"), 0600), 0);
    expect_refused(scratch("m.ckpt"), XL_EFORMAT, "never read");
    scratch_puts(scratch("p.safetensors"), "\x80\x02}q\x00");
    expect_refused(scratch("p.safetensors"), XL_EFORMAT, "a Python pickle");
    scratch_puts(scratch("g.safetensors"), "GGUF\x03\x01\x01\x01\x01\x01\x01\x01\x01\x01");
    expect_refused(scratch("g.safetensors"), XL_EFORMAT, "a GGUF file");
    scratch_puts(scratch("e.safetensors"), "");
    expect_refused(scratch("e.safetensors"), XL_EFORMAT, "empty");
    scratch_safetensors(scratch("h.safetensors"),
                        "{'a':{'dtype':'F32','shape':[9223372036854775807,2],"
                        "'data_offsets':[0,8]}}",
                        8);
    expect_refused(scratch("h.safetensors"), XL_EFORMAT, "multiplies beyond 2^63");
    scratch_safetensors(scratch("o.safetensors"),
                        "{'a':{'dtype':'F32','shape':[2],'data_offsets':[8,16]}}", 16);
    expect_refused(scratch("o.safetensors"), XL_EFORMAT, "a hole of 8 bytes");
    scratch_safetensors(scratch("d.safetensors"), "{'__metadata__':{'a':1}}", 0);
    expect_refused(scratch("d.safetensors"), XL_EFORMAT, "__metadata__");
}

Test(classify, a_file_of_another_kind_is_refused_with_what_takes_it) {
    struct xl_arena arena = {0};
    struct xl_file_class is;
    struct xl_err err = {0};
    const char *path = make_file("a.safetensors", "clip_l 1x768 clip_g 1x1280", NULL);
    cr_assert_eq(xl_hub_classify_file(path, &arena, &is, &err), XL_OK);
    cr_expect_eq(xl_hub_refuse_file("a", &is, "a LoRA for SDXL", &err), XL_EFORMAT);
    cr_expect_str_eq(err.text, "a: this is a textual inversion for SDXL, expected a LoRA for SDXL; "
                               "give it with --embedding");
    path = make_file("b.safetensors", "single_transformer_blocks.0.attn.to_q.weight 3x3", NULL);
    cr_assert_eq(xl_hub_classify_file(path, &arena, &is, &err), XL_OK);
    cr_expect_eq(xl_hub_refuse_file("b", &is, "an SDXL checkpoint", &err), XL_EFORMAT);
    cr_expect(strstr(err.text, "b: this is a Flux model, expected an SDXL checkpoint; sdxl-lab "));
    xl_arena_deinit(&arena);
}

static struct xl_hub_folder_class folder(struct xl_arena *arena) {
    struct xl_hub_folder_class is = {0};
    struct xl_err err = {0};
    cr_assert_eq(xl_hub_classify_folder(scratch_dir, arena, &is, &err), XL_OK, "%s", err.text);
    return is;
}

Test(classify, folders_by_their_index) {
    static const struct {
        const char *index;
        enum xl_hub_folder_kind kind;
        const char *what;
    } indices[] = {
        {"{'_class_name':'StableDiffusionXLPipeline','text_encoder':['transformers','C']}",
         XL_HUB_FOLDER_SDXL, "an SDXL pipeline"},
        {"{'_class_name':'StableDiffusionXLImg2ImgPipeline','text_encoder':[null,null]}",
         XL_HUB_FOLDER_PIPELINE, "the SDXL refiner"},
        {"{'_class_name':'StableDiffusionXLInpaintPipeline','text_encoder':['t','C']}",
         XL_HUB_FOLDER_PIPELINE, "an SDXL inpainting pipeline"},
        {"{'_class_name':'StableDiffusionPipeline'}", XL_HUB_FOLDER_PIPELINE,
         "a Stable Diffusion 1.x or 2.x pipeline"},
        {"{'_class_name':'StableDiffusion3Pipeline'}", XL_HUB_FOLDER_PIPELINE,
         "a Stable Diffusion 3 pipeline"},
        {"{'_class_name':'FluxPipeline'}", XL_HUB_FOLDER_PIPELINE, "a Flux pipeline"},
        {"{'_class_name':'PixArtSigmaPipeline'}", XL_HUB_FOLDER_PIPELINE, "a PixArt pipeline"},
        {"{'_class_name':'Nova9Pipeline'}", XL_HUB_FOLDER_PIPELINE,
         "a pipeline of class Nova9Pipeline"},
        {"{}", XL_HUB_FOLDER_PIPELINE, "a pipeline that does not name its class"},
    };
    for (size_t i = 0; i < sizeof indices / sizeof *indices; i++) {
        struct xl_arena arena = {0};
        char *json = scratch_quotes(indices[i].index);
        scratch_puts(scratch("model_index.json"), json);
        free(json);
        struct xl_hub_folder_class is = folder(&arena);
        cr_expect_eq(is.kind, indices[i].kind, "%zu: %s", i, is.what);
        cr_expect_str_eq(is.what, indices[i].what);
        cr_expect_eq(!is.need, is.kind == XL_HUB_FOLDER_SDXL, "%s", is.what);
        xl_arena_deinit(&arena);
    }
}

Test(classify, folders_by_their_files) {
    struct xl_arena arena = {0};
    struct xl_err err = {0};
    struct xl_hub_folder_class is;
    cr_expect_eq(xl_hub_classify_folder(scratch("none"), &arena, &is, &err), XL_EMODEL);
    cr_expect_eq(folder(&arena).kind, XL_HUB_FOLDER_UNKNOWN);
    scratch_puts(scratch("m.gguf"), "GGUF");
    cr_expect_eq(folder(&arena).kind, XL_HUB_FOLDER_GGUF);
    scratch_puts(scratch("m.ckpt"), "x");
    cr_expect_eq(folder(&arena).kind, XL_HUB_FOLDER_PICKLES);
    make_file("z.safetensors", "double_blocks.0.img_attn.qkv.weight 9x3", NULL);
    is = folder(&arena);
    cr_expect_eq(is.kind, XL_HUB_FOLDER_FILES);
    cr_expect_str_eq(is.what, "a Flux model");
    make_file("vae.safetensors", "decoder.conv_in.weight 8x4x3x3 decoder.up.0.x 1", NULL);
    cr_expect_eq(folder(&arena).kind, XL_HUB_FOLDER_VAE);
    make_file("e.safetensors", "clip_l 1x768 clip_g 1x1280", NULL);
    cr_expect_eq(folder(&arena).kind, XL_HUB_FOLDER_EMBEDDING);
    make_file("l.safetensors", KOHYA("lora_unet_up_blocks_0_attentions_0_proj_in", "6", "6"), NULL);
    is = folder(&arena);
    cr_expect_eq(is.kind, XL_HUB_FOLDER_LORA);
    cr_expect_str_eq(is.what, "a LoRA");
    make_file("b.safetensors", UNET(D, "4", "2048") VECTOR TE_L TE_G VAE4, NULL);
    cr_expect_str_eq(folder(&arena).what, "an SDXL checkpoint");
    make_file("c.safetensors", UNET(D, "4", "2048") VECTOR TE_L TE_G VAE4, NULL);
    scratch_puts(scratch("broken.safetensors"), "{}");
    is = folder(&arena);
    cr_expect_eq(is.kind, XL_HUB_FOLDER_SINGLE_FILES);
    cr_expect_str_eq(is.what, "2 SDXL checkpoints");
    cr_expect_eq(is.n_files, 7);
    cr_expect_str_eq(is.file[0].name, "b.safetensors");
    cr_expect_str_eq(is.file[1].name, "broken.safetensors");
    cr_expect(is.file[1].why && strstr(is.file[1].why, "too short"));
    xl_arena_deinit(&arena);
}
