/* configs.c - the JSON files of a repository, and a tokenizer that spells every word in bytes. */
#include "repo.h"

#include "base/file.h"
#include "base/str.h"
#include "text/clip_vocab.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum xl_status write_text(const char *dir, const char *file, const char *text, size_t n,
                                 struct xl_err *err) {
    char *path = xl_path_join(dir, file);
    if (!path) return xl_fail_nomem(err, "a path", 0);
    enum xl_status status = xl_file_write_new(path, text, n, NULL, err);
    free(path);
    return status;
}

/* Takes the document. */
static enum xl_status write_json(const char *dir, const char *file, json_t *document,
                                 struct xl_err *err) {
    char *text = document ? json_dumps(document, JSON_INDENT(2)) : NULL;
    enum xl_status status = text ? write_text(dir, file, text, strlen(text), err)
                                 : xl_fail_nomem(err, file, 0);
    free(text);
    json_decref(document);
    return status;
}

static json_t *ints(const int *values, int n) {
    json_t *array = json_array();
    for (int i = 0; i < n; i++) json_array_append_new(array, json_integer(values[i]));
    return array;
}

static json_t *repeated(const char *text, int n) {
    json_t *array = json_array();
    for (int i = 0; i < n; i++) json_array_append_new(array, json_string(text));
    return array;
}

static json_t *index_config(void) {
    return json_pack("{s:s, s:s, s:b, s:[ss], s:[ss], s:[ss], s:[ss], s:[ss], s:[ss], s:[ss]}",
                     "_class_name", "StableDiffusionXLPipeline", "_diffusers_version", "0.19.0",
                     "force_zeros_for_empty_prompt", 1, "scheduler", "diffusers",
                     "EulerDiscreteScheduler", "text_encoder", "transformers", "CLIPTextModel",
                     "text_encoder_2", "transformers", "CLIPTextModelWithProjection", "tokenizer",
                     "transformers", "CLIPTokenizer", "tokenizer_2", "transformers",
                     "CLIPTokenizer", "unet", "diffusers", "UNet2DConditionModel", "vae",
                     "diffusers", "AutoencoderKL");
}

static json_t *scheduler_config(void) {
    return json_pack("{s:s, s:s, s:f, s:f, s:s, s:b, s:s, s:i, s:s, s:b, s:i, s:s, s:n, s:b}",
                     "_class_name", "EulerDiscreteScheduler", "_diffusers_version", "0.19.0",
                     "beta_start", 0.00085, "beta_end", 0.012, "beta_schedule", "scaled_linear",
                     "clip_sample", 0, "interpolation_type", "linear", "num_train_timesteps", 1000,
                     "prediction_type", "epsilon", "set_alpha_to_one", 0, "steps_offset", 1,
                     "timestep_spacing", "leading", "trained_betas", "use_karras_sigmas", 0);
}

static json_t *text_config(const struct xl_repo_size *size, int which) {
    const struct xl_repo_text *text = &size->text[which];
    return json_pack(
        "{s:[s], s:f, s:i, s:i, s:i, s:s, s:i, s:i, s:f, s:i, s:s, s:i, s:i, s:i, s:i}",
        "architectures", text->is_projected ? "CLIPTextModelWithProjection" : "CLIPTextModel",
        "attention_dropout", 0.0, "bos_token_id", 0, "eos_token_id", 2, "pad_token_id", 1,
        "hidden_act", text->activation, "hidden_size", text->hidden, "intermediate_size",
        text->intermediate, "layer_norm_eps", 1e-5, "max_position_embeddings", XL_REPO_TOKENS,
        "model_type", "clip_text_model", "num_attention_heads", text->heads, "num_hidden_layers",
        text->layers, "projection_dim", text->projection, "vocab_size", size->vocab);
}

static json_t *unet_config(const struct xl_repo_size *size) {
    const struct xl_repo_unet *unet = &size->unet;
    json_t *down = json_array(), *up = json_array(), *depth = json_array();
    for (int i = 0; i < unet->n_levels; i++) {
        int mirrored = unet->n_levels - 1 - i;
        json_array_append_new(down,
                              json_string(unet->depth[i] ? "CrossAttnDownBlock2D" : "DownBlock2D"));
        json_array_append_new(
            up, json_string(unet->depth[mirrored] ? "CrossAttnUpBlock2D" : "UpBlock2D"));
        /* diffusers wants a number even where the block has no transformer. */
        json_array_append_new(depth, json_integer(unet->depth[i] ? unet->depth[i] : 1));
    }
    return json_pack(
        "{s:s, s:s, s:s, s:s, s:i, s:o, s:o, s:i, s:o, s:b, s:i, s:i, s:i, s:s, s:f, s:i, s:i, "
        "s:i, s:i, s:o, s:o, s:b}",
        "_class_name", "UNet2DConditionModel", "_diffusers_version", "0.19.0", "act_fn", "silu",
        "addition_embed_type", "text_time", "addition_time_embed_dim", unet->size_embed,
        "attention_head_dim", ints(unet->heads, unet->n_levels), "block_out_channels",
        ints(unet->channels, unet->n_levels), "cross_attention_dim", xl_repo_cross_dim(size),
        "down_block_types", down, "flip_sin_to_cos", 1, "freq_shift", 0, "in_channels",
        XL_REPO_LATENT, "layers_per_block", unet->layers_per_block, "mid_block_type",
        "UNetMidBlock2DCrossAttn", "norm_eps", 1e-5, "norm_num_groups", 32, "out_channels",
        XL_REPO_LATENT, "projection_class_embeddings_input_dim", xl_repo_added_dim(size),
        "sample_size", unet->sample_size, "transformer_layers_per_block", depth, "up_block_types",
        up, "use_linear_projection", 1);
}

static json_t *vae_config(const struct xl_repo_vae *vae) {
    return json_pack("{s:s, s:s, s:s, s:o, s:o, s:b, s:i, s:i, s:i, s:i, s:i, s:i, s:f, s:o}",
                     "_class_name", "AutoencoderKL", "_diffusers_version", "0.20.0", "act_fn",
                     "silu", "block_out_channels", ints(vae->channels, vae->n_levels),
                     "down_block_types", repeated("DownEncoderBlock2D", vae->n_levels),
                     "force_upcast", 1, "in_channels", 3, "latent_channels", XL_REPO_LATENT,
                     "layers_per_block", vae->layers_per_block, "norm_num_groups", 32,
                     "out_channels", 3, "sample_size", vae->sample_size, "scaling_factor", 0.13025,
                     "up_block_types", repeated("UpDecoderBlock2D", vae->n_levels));
}

/* ---- tokenizers ---- */

/* CLIP writes each byte as a printable character: itself, or one from U+0100 on. The printable
 * bytes come first in the vocabulary. Source: OpenAI's GPT-2 and CLIP, bytes_to_unicode */
static bool is_plain(int byte) {
    return (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
}

static void append_byte_tokens(json_t *vocab, const char *ending) {
    for (int pass = 0; pass < 2; pass++) {
        for (int byte = 0, moved = 0; byte < 256; byte++) {
            if (is_plain(byte) != (pass == 0)) continue;
            int code = pass == 0 ? byte : 256 + moved++;
            char token[16];
            if (code < 128)
                snprintf(token, sizeof token, "%c%s", code, ending);
            else
                snprintf(token, sizeof token, "%c%c%s", 0xC0 | code >> 6, 0x80 | (code & 63),
                         ending);
            json_object_set_new(vocab, token, json_integer((json_int_t)json_object_size(vocab)));
        }
    }
}

/* Entries that no text spells fill the vocabulary up to its size. */
static json_t *vocabulary(int size) {
    json_t *vocab = json_object();
    append_byte_tokens(vocab, "");
    append_byte_tokens(vocab, "</w>");
    for (int id = 512; id < size - 2; id++) {
        char token[32];
        snprintf(token, sizeof token, "<|unused%d|>", id);
        json_object_set_new(vocab, token, json_integer(id));
    }
    json_object_set_new(vocab, "<|startoftext|>", json_integer(size - 2));
    json_object_set_new(vocab, "<|endoftext|>", json_integer(size - 1));
    return vocab;
}

enum { CLIP_VOCAB = 49408 }; /* a vocabulary of this size is CLIP's own */

static enum xl_status write_clip(const char *dir, bool is_second, struct xl_err *err) {
    struct xl_tokenizer_data data;
    enum xl_status status =
        xl_clip_tokenizer_data(is_second ? XL_CLIP_PAD_ZERO : XL_CLIP_PAD_END, &data, err);
    if (status) return status;
    for (int i = 0; !status && i < XL_N_TOKENIZER_FILES; i++)
        if (data.file[i].text)
            status = write_text(dir, data.file[i].name, data.file[i].text, data.file[i].n, err);
    xl_tokenizer_data_deinit(&data);
    return status;
}

static enum xl_status write_tokenizer(const char *dir, int vocab_size, const char *pad,
                                      struct xl_err *err) {
    static const char merges[] = "#version: 0.2\n";
    enum xl_status status = write_json(dir, "vocab.json", vocabulary(vocab_size), err);
    if (!status) status = write_text(dir, "merges.txt", merges, sizeof merges - 1, err);
    if (!status)
        status = write_json(dir, "special_tokens_map.json",
                            json_pack("{s:s, s:s, s:s, s:s}", "bos_token", "<|startoftext|>",
                                      "eos_token", "<|endoftext|>", "pad_token", pad, "unk_token",
                                      "<|endoftext|>"),
                            err);
    if (!status)
        status =
            write_json(dir, "tokenizer_config.json",
                       json_pack("{s:b, s:s, s:b, s:s, s:s, s:i, s:s, s:s, s:s}",
                                 "add_prefix_space", 0, "bos_token", "<|startoftext|>",
                                 "do_lower_case", 1, "eos_token", "<|endoftext|>", "errors",
                                 "replace", "model_max_length", XL_REPO_TOKENS, "pad_token", pad,
                                 "tokenizer_class", "CLIPTokenizer", "unk_token", "<|endoftext|>"),
                       err);
    return status;
}

enum xl_status xl_repo_write_configs(const char *dir, const struct xl_repo_size *size,
                                     struct xl_err *err) {
    static const char *const pads[] = {"<|endoftext|>", "!"};
    static const char *const folders[] = {"tokenizer", "tokenizer_2"};
    enum xl_status status = XL_OK;
    for (int i = 0; !status && i < 2; i++) {
        char *folder = xl_path_join(dir, folders[i]);
        if (!folder)
            status = xl_fail_nomem(err, "a path", 0);
        else if (size->vocab == CLIP_VOCAB)
            status = write_clip(folder, i == 1, err);
        else
            status = write_tokenizer(folder, size->vocab, pads[i], err);
        free(folder);
    }
    if (!status)
        status = write_json(dir, "scheduler/scheduler_config.json", scheduler_config(), err);
    if (!status) status = write_json(dir, "text_encoder/config.json", text_config(size, 0), err);
    if (!status) status = write_json(dir, "text_encoder_2/config.json", text_config(size, 1), err);
    if (!status) status = write_json(dir, "unet/config.json", unet_config(size), err);
    if (!status) status = write_json(dir, "vae/config.json", vae_config(&size->vae), err);
    if (!status) status = write_json(dir, "model_index.json", index_config(), err);
    return status;
}
