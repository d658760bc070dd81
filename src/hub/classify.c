/* classify.c - what a safetensors file is: rules over the names and shapes of its header, the most
 * particular first. What is a LoRA classify_lora.c tells, and classify_models.c names strangers. */
#include "hub/classify.h"
#include "hub/classify_lora.h"
#include "hub/classify_models.h"
#include "hub/classify_names.h"
#include "weights/embedding.h"
#include "weights/pickle.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char need_sdxl[] = "sdxl-lab draws with SDXL only: take a model of the SDXL family";
static const char need_base[] =
    "it only finishes what the base model began: take an SDXL base model";
static const char need_whole[] =
    "a checkpoint needs UNet, both text encoders and VAE: take the whole model, a file or a folder";
static const char need_no_paint[] =
    "inpainting models are not supported: take the model that it was made from";

/* One file while it is told apart. */
struct look {
    const struct xl_safetensors *file;
    struct xl_arena *arena;
    struct xl_file_class *out;
};

static void set(struct xl_file_class *out, enum xl_file_kind kind, enum xl_model_family base,
                const char *what, const char *need) {
    out->kind = kind;
    out->base = base;
    out->what = what;
    out->need = need;
}

/* ---- Textual inversion: one or two small matrices ---- */

static bool is_embedding_tensor(const struct xl_st_tensor *tensor) {
    return tensor->rank == 1 || (tensor->rank == 2 && xl_names_dim(tensor, 0) <= 1024);
}

static int count_vectors(const struct xl_st_tensor *tensor) {
    return tensor->rank == 2 ? xl_names_width(tensor, 0) : 1;
}

static bool is_embedding(struct look *look) {
    const struct xl_safetensors *file = look->file;
    struct xl_file_class *out = look->out;
    const char *const *keys;
    if (file->n_tensors < 1 || file->n_tensors > 2) return false;
    for (int i = 0; i < file->n_tensors; i++)
        if (!is_embedding_tensor(&file->tensors[i])) return false;
    for (int i = 0; (keys = xl_embedding_keys(i)); i++) {
        const struct xl_st_tensor *l = xl_safetensors_find(file, keys[0]),
                                  *g = xl_safetensors_find(file, keys[1]);
        if (!l || !g) continue;
        set(out, XL_FILE_EMBEDDING, XL_FAMILY_SDXL, "a textual inversion for SDXL", NULL);
        out->use = "--embedding";
        out->n_vectors = count_vectors(l);
        return true;
    }
    const struct xl_st_tensor *one = &file->tensors[0];
    int64_t width = xl_names_dim(one, one->rank - 1);
    bool is_named = !strcmp(one->name, "emb_params") ||
                    !strncmp(one->name, "string_to_param", 15) || one->name[0] == '<' ||
                    !strcmp(one->name, "clip_l") || !strcmp(one->name, "clip_g");
    if (file->n_tensors != 1 || !(is_named || (one->rank == 2 && xl_family_of_context(width))))
        return false;
    out->n_vectors = count_vectors(one);
    if (width == 1024)
        set(out, XL_FILE_EMBEDDING, XL_FAMILY_SD2,
            "a textual inversion for Stable Diffusion 2.x (1024 wide)", need_sdxl);
    else if (width == 768)
        set(out, XL_FILE_EMBEDDING, XL_FAMILY_SD1,
            "a textual inversion for Stable Diffusion 1.x (768 wide)", need_sdxl);
    else
        set(out, XL_FILE_EMBEDDING, XL_FAMILY_UNKNOWN, "a textual inversion for one text encoder",
            "SDXL has two text encoders: take one with clip_l and clip_g (diffusers' "
            "learned_embeds.safetensors and learned_embeds_2.safetensors go into one file as "
            "those two)");
    if (width == 768 || width == 1024)
        out->need = "SDXL's text encoders are others: take a textual inversion with clip_l and "
                    "clip_g, made for SDXL";
    return true;
}

/* ---- UNets and checkpoints ---- */

/* Widths of cross attention's input anywhere below the prefix; 0: not found. */
static int64_t context_width(const struct xl_safetensors *file, const char *prefix) {
    return xl_names_dim(xl_names_with(file, prefix, ".attn2.to_k.weight"), 1);
}

static void note_markers(struct look *look) {
    struct xl_file_class *out = look->out;
    const struct xl_safetensors *file = look->file;
    const char *says = xl_st_metadata_find(&out->metadata, "modelspec.prediction_type");
    if (!says) says = xl_st_metadata_find(&out->metadata, "modelspec.predict_key");
    out->is_v_prediction = xl_safetensors_find(file, "v_pred") || (says && says[0] == 'v') ||
                           xl_names_begin(file, "edm_vpred");
    out->is_zero_snr = xl_safetensors_find(file, "ztsnr") != NULL;
    out->is_edm = xl_names_begin(file, "edm_mean") || xl_names_begin(file, "edm_vpred");
    const struct xl_st_tensor *latents =
        xl_safetensors_find(file, "first_stage_model.decoder.conv_in.weight");
    if (!latents) latents = xl_safetensors_find(file, "vae.decoder.conv_in.weight");
    out->has_vae = latents != NULL;
    out->latent_channels = xl_names_width(latents, 1);
}

/* The family of a UNet by its conditions: SDXL and its refiner have a vector beside the text. */
static enum xl_model_family unet_family(int64_t context, bool has_vector) {
    enum xl_model_family family = xl_family_of_context(context);
    if (!has_vector) return family == XL_FAMILY_SD2 ? family : XL_FAMILY_SD1;
    return family == XL_FAMILY_SDXL_REFINER ? family : XL_FAMILY_SDXL;
}

static const char *sd_text(enum xl_model_family family, int64_t n_in, bool is_v) {
    bool is_2 = family == XL_FAMILY_SD2;
    if (n_in == 9)
        return is_2 ? "a Stable Diffusion 2.x inpainting checkpoint"
                    : "a Stable Diffusion 1.x inpainting checkpoint";
    if (n_in == 8)
        return is_2 ? "a Stable Diffusion 2.x checkpoint that edits pictures"
                    : "a Stable Diffusion 1.x checkpoint that edits pictures (InstructPix2Pix)";
    if (n_in == 5) return "a Stable Diffusion 2.x checkpoint for depth maps";
    if (n_in == 7) return "a Stable Diffusion 2.x upscaler";
    if (is_v && is_2) return "a Stable Diffusion 2.x checkpoint (v-prediction)";
    return is_2 ? "a Stable Diffusion 2.x checkpoint" : "a Stable Diffusion 1.x checkpoint";
}

/* A checkpoint or lone UNet in the original key names, at `root` of the file. */
static void tell_original_unet(struct look *look, const char *root) {
    const struct xl_safetensors *file = look->file;
    struct xl_file_class *out = look->out;
    int64_t n_in = xl_names_dim(xl_names_find(file, root, "input_blocks.0.0.weight"), 1);
    bool has_second = xl_names_begin(file, "conditioner.embedders.1.model.") != NULL;
    bool is_refiner = !has_second && xl_names_begin(file, "conditioner.embedders.0.model.");
    bool has_sd2_text = xl_names_begin(file, "cond_stage_model.model.") != NULL;
    bool has_sd1_text = xl_names_begin(file, "cond_stage_model.transformer.") != NULL;
    bool has_vector = xl_names_below(file, root, "label_emb.") != NULL;
    enum xl_model_family family = unet_family(context_width(file, root), has_vector);
    if (has_second) family = XL_FAMILY_SDXL;
    if (is_refiner) family = XL_FAMILY_SDXL_REFINER;
    if (has_sd2_text) family = XL_FAMILY_SD2;
    if (has_sd1_text) family = XL_FAMILY_SD1;
    out->is_original = true;
    note_markers(look);
    bool has_text = has_second || is_refiner || has_sd1_text || has_sd2_text;
    if (family == XL_FAMILY_SDXL_REFINER)
        set(out, XL_FILE_SDXL_REFINER, family, "the SDXL refiner", need_base);
    else if (family == XL_FAMILY_SDXL && n_in == 9)
        set(out, XL_FILE_SDXL_INPAINT, family, "an SDXL inpainting checkpoint (9 input channels)",
            need_no_paint);
    else if (family == XL_FAMILY_SDXL && n_in == 8)
        set(out, XL_FILE_UNKNOWN, family,
            "an SDXL checkpoint that edits pictures (8 input channels)", need_no_paint);
    else if (family == XL_FAMILY_SDXL && has_text)
        set(out, XL_FILE_SDXL_CHECKPOINT, family,
            out->has_vae ? "an SDXL checkpoint" : "an SDXL checkpoint without a VAE", NULL);
    else if (family == XL_FAMILY_SDXL)
        set(out, XL_FILE_COMPONENT, family, "an SDXL UNet alone", need_whole);
    else
        set(out, family == XL_FAMILY_SD2 ? XL_FILE_SD2 : XL_FILE_SD1, family,
            sd_text(family, n_in, out->is_v_prediction), need_sdxl);
    bool lacks_vae = out->kind == XL_FILE_SDXL_CHECKPOINT && !out->has_vae;
    if (!out->need) out->use = lacks_vae ? "--model and --vae" : "--model";
}

static bool is_original_unet(struct look *look) {
    static const char *const roots[] = {"model.diffusion_model.", "diffusion_model.", "", NULL};
    for (const char *const *root = roots; *root; root++) {
        if (!xl_names_find(look->file, *root, "input_blocks.0.0.weight")) continue;
        tell_original_unet(look, *root);
        return true;
    }
    return false;
}

static bool is_diffusers_unet(struct look *look) {
    const struct xl_safetensors *file = look->file;
    const struct xl_st_tensor *conv_in = xl_safetensors_find(file, "conv_in.weight");
    if (!conv_in || !xl_safetensors_find(file, "time_embedding.linear_1.weight") ||
        !xl_names_begin(file, "down_blocks.0."))
        return false;
    bool has_vector = xl_names_begin(file, "add_embedding.") != NULL;
    int64_t n_in = xl_names_dim(conv_in, 1);
    enum xl_model_family family = unet_family(context_width(file, ""), has_vector);
    const char *what = family == XL_FAMILY_SDXL           ? "an SDXL UNet alone"
                       : family == XL_FAMILY_SDXL_REFINER ? "the SDXL refiner's UNet alone"
                       : family == XL_FAMILY_SD2          ? "a Stable Diffusion 2.x UNet alone"
                                                          : "a Stable Diffusion 1.x UNet alone";
    if (family == XL_FAMILY_SDXL && n_in == 9)
        set(look->out, XL_FILE_SDXL_INPAINT, family, "an SDXL inpainting UNet (9 input channels)",
            need_no_paint);
    else
        set(look->out, XL_FILE_COMPONENT, family, what,
            family == XL_FAMILY_SDXL ? need_whole : need_sdxl);
    return true;
}

/* ---- Transformers ---- */

static bool is_transformer(struct look *look) {
    static const char *const roots[] = {"", "model.diffusion_model.", "diffusion_model.",
                                        "transformer.", NULL};
    const struct xl_safetensors *file = look->file;
    for (const char *const *root = roots; *root; root++) {
        bool is_sd3 = xl_names_below(file, *root, "joint_blocks.") ||
                      (xl_names_below(file, *root, "transformer_blocks.0.attn.add_q_proj.") &&
                       xl_names_below(file, *root, "pos_embed.proj."));
        bool is_flux = xl_names_below(file, *root, "double_blocks.0.img_attn.") ||
                       xl_names_below(file, *root, "single_transformer_blocks.0.attn.");
        if (!is_sd3 && !is_flux) continue;
        /* HunyuanVideo and Chroma are built of Flux's blocks. */
        const char *other = is_flux ? xl_classify_stranger(file) : NULL;
        if (other)
            set(look->out, XL_FILE_UNKNOWN, XL_FAMILY_UNKNOWN, other, need_sdxl);
        else if (is_sd3)
            set(look->out, XL_FILE_SD3, XL_FAMILY_SD3, "a Stable Diffusion 3 model", need_sdxl);
        else
            set(look->out, XL_FILE_FLUX, XL_FAMILY_FLUX, "a Flux model", need_sdxl);
        return true;
    }
    return false;
}

/* ---- VAEs and text encoders ---- */

static bool is_vae(struct look *look) {
    static const char *const roots[] = {"", "first_stage_model.", "vae.", NULL};
    struct xl_file_class *out = look->out;
    const struct xl_safetensors *file = look->file;
    for (const char *const *root = roots; *root; root++) {
        const struct xl_st_tensor *in = xl_names_find(file, *root, "decoder.conv_in.weight");
        if (!in) continue;
        bool is_original = xl_names_below(file, *root, "decoder.up.0.") != NULL;
        if (!is_original && !xl_names_below(file, *root, "decoder.up_blocks.0.")) continue;
        out->is_original = is_original;
        out->latent_channels = xl_names_width(in, 1);
        out->has_vae = true;
        set(out, XL_FILE_VAE, XL_FAMILY_UNKNOWN, "a VAE", NULL);
        if (in->rank == 5)
            set(out, XL_FILE_VAE, XL_FAMILY_UNKNOWN, "a VAE for video",
                "take a VAE that was made for SDXL");
        else if (out->latent_channels != 4)
            set(out, XL_FILE_VAE, XL_FAMILY_UNKNOWN,
                xl_arena_printf(look->arena, "a VAE with %d latent channels%s",
                                out->latent_channels,
                                out->latent_channels == 16 ? ", as SD3 and Flux have" : ""),
                "SDXL's latents have 4 channels: take a VAE that was made for SDXL");
        else
            out->use = "--vae";
        return true;
    }
    return false;
}

static bool is_text_encoder(struct look *look) {
    const struct xl_safetensors *file = look->file;
    bool is_hf = xl_names_begin(file, "text_model.encoder.layers.0.") != NULL;
    bool is_open = xl_names_begin(file, "transformer.resblocks.0.") != NULL;
    if (!is_hf && !is_open) return false;
    bool is_second = is_open || xl_safetensors_find(file, "text_projection.weight");
    set(look->out, XL_FILE_COMPONENT, XL_FAMILY_UNKNOWN,
        is_second ? "a CLIP text encoder with projection alone (SDXL's second is one)"
                  : "a CLIP text encoder alone",
        need_whole);
    look->out->is_original = is_open;
    return true;
}

/* ---- All together ---- */

/* The type of most bytes. */
static const char *main_precision(const struct xl_safetensors *file) {
    enum { N = XL_ST_F4 + 1 };
    int64_t bytes[N] = {0};
    int most = 0;
    for (int i = 0; i < file->n_tensors; i++)
        bytes[file->tensors[i].dtype] += file->tensors[i].end - file->tensors[i].begin;
    for (int i = 1; i < N; i++)
        if (bytes[i] > bytes[most]) most = i;
    return bytes[most] ? xl_st_dtype_name((enum xl_st_dtype)most) : "";
}

/* A network that is no checkpoint of this family: named where that can be told. */
static void tell_stranger(struct look *look) {
    const char *what = xl_classify_stranger(look->file);
    if (what)
        set(look->out, XL_FILE_UNKNOWN, XL_FAMILY_UNKNOWN, what,
            "this version cannot use it: take an SDXL model, LoRA, textual inversion or VAE");
    else
        set(look->out, XL_FILE_UNKNOWN, XL_FAMILY_UNKNOWN,
            look->file->n_tensors ? "a file of tensors of no kind that is known here"
                                  : "a file without tensors",
            "take an SDXL model, LoRA, textual inversion or VAE");
}

static enum xl_status tell(struct look *look, struct xl_err *err) {
    bool is_lora = false;
    look->out->precision = main_precision(look->file);
    look->out->n_tensors = look->file->n_tensors;
    look->out->bytes = look->file->size;
    if (is_embedding(look)) return XL_OK;
    enum xl_status status = xl_classify_lora(look->file, look->arena, look->out, &is_lora, err);
    if (status || is_lora) return status;
    bool is_steering = xl_names_begin(look->file, "controlnet_cond_embedding.") ||
                       xl_names_begin(look->file, "input_hint_block.") ||
                       xl_names_begin(look->file, "zero_convs.");
    if (!is_steering && (is_transformer(look) || is_original_unet(look) ||
                         is_diffusers_unet(look) || is_vae(look) || is_text_encoder(look)))
        return look->out->what ? XL_OK : xl_fail_nomem(err, "the kind of a file", 0);
    tell_stranger(look);
    return XL_OK;
}

enum xl_status xl_hub_classify_file(const char *path, struct xl_arena *arena,
                                    struct xl_file_class *out, struct xl_err *err) {
    struct xl_file_class found = {0};
    struct xl_safetensors file;
    int fd;
    if (xl_is_pickle_name(path)) /* nothing of it is read */
        return xl_fail(err, XL_EFORMAT,
                       "%s: a pickle file: such files can run code and are never read; convert it "
                       "to .safetensors (diffusers: save_pretrained(..., safe_serialization=True))",
                       path);
    enum xl_status status = xl_safetensors_open(path, &fd, err);
    if (status) return status;
    status = xl_safetensors_read(path, fd, &file, err);
    if (!status) {
        status = xl_safetensors_metadata(path, fd, arena, &found.metadata, err);
        struct look look = {&file, arena, &found};
        if (!status) status = tell(&look, err);
        xl_safetensors_deinit(&file);
    }
    close(fd);
    if (!status) *out = found;
    return status;
}

enum xl_status xl_hub_refuse_file(const char *path, const struct xl_file_class *found,
                                  const char *wanted, struct xl_err *err) {
    if (found->need)
        return xl_fail(err, XL_EFORMAT, "%s: this is %s, expected %s; %s", path, found->what,
                       wanted, found->need);
    return xl_fail(err, XL_EFORMAT, "%s: this is %s, expected %s; give it with %s", path,
                   found->what, wanted, found->use);
}

enum xl_file_fit xl_hub_file_fit(const char *path, enum xl_file_kind wanted, struct xl_err *err) {
    struct xl_arena arena = {0};
    struct xl_file_class is;
    enum xl_file_fit fit = XL_FILE_UNSURE;
    if (!xl_hub_classify_file(path, &arena, &is, NULL) && is.kind != XL_FILE_UNKNOWN) {
        fit = is.kind == wanted && !is.need ? XL_FILE_FITS : XL_FILE_OTHER;
        if (fit == XL_FILE_OTHER)
            xl_hub_refuse_file(
                path, &is,
                wanted == XL_FILE_LORA ? "a LoRA for SDXL" : "a textual inversion for SDXL", err);
    }
    xl_arena_deinit(&arena);
    return fit;
}
