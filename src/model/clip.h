/* clip.h - CLIP's text transformer: token ids to the hidden states that condition the UNet.
 * Source: transformers CLIPTextModel, CLIPTextModelWithProjection
 */
#ifndef XL_MODEL_CLIP_H
#define XL_MODEL_CLIP_H

#include "base/json.h"
#include "model/build.h"

/* text_encoder/config.json, text_encoder_2/config.json */
struct xl_clip_config {
    int vocab_size, max_position_embeddings;
    int hidden_size, intermediate_size, num_hidden_layers, num_attention_heads;
    int projection_dim;
    enum xl_activation hidden_act;
    double layer_norm_eps;
    int eos_token_id; /* 2: the legacy rule, see xl_clip_eos_index */
};

/* Absent keys take transformers' defaults. Outputs are untouched on failure.
 * Errors: XL_EFORMAT impossible or unsupported values */
enum xl_status xl_clip_config_read(struct xl_json json, struct xl_clip_config *out,
                                   struct xl_err *err) XL_CHECKED;

/* The position whose state stands for the whole text. With eos_token_id 2 (configurations written
 * before the id was corrected) the position of the greatest id, which CLIP's end token is;
 * otherwise the first position of eos_token_id, 0 when there is none. */
int xl_clip_eos_index(const struct xl_clip_config *config, const int32_t *ids, int tokens);

/* What follows the penultimate state. */
enum xl_clip_head {
    XL_CLIP_HEAD_NONE,       /* nothing: the last layer is not even built */
    XL_CLIP_HEAD_POOLER,     /* last layer, final norm, the state at the end token */
    XL_CLIP_HEAD_PROJECTION, /* and text_projection: the "pooled" condition of SDXL */
};

struct xl_clip_shape {
    int n, tokens;
    enum xl_clip_head head;
    enum xl_dtype act_dtype;
    int extra;      /* rows of ids beyond the vocabulary; may be 0 */
    bool is_masked; /* tokens may be hidden from all others */
    int skip;       /* which hidden state is shown, from the last, 1; 0 means 2, the penultimate */
};

struct xl_clip_io {
    xl_val ids;    /* i32 [n, tokens] */
    xl_val eos;    /* i32 [n]; none without a head */
    xl_val extra;  /* f32 [extra, hidden_size]; none without rows */
    xl_val mask;   /* i32 [n, tokens], 0: hidden; none unless is_masked */
    xl_val states; /* f32 [n, tokens, hidden_size]: hidden_states[-skip], not normalised */
    xl_val pooled; /* f32 [n, hidden_size or projection_dim]; none without a head */
};

/* Keys are found with and without the prefix "text_model.". The plan is the caller's:
 * xl_plan_free. Errors: XL_EMODEL a tensor is missing, XL_EFORMAT a tensor's shape, XL_EINVAL more
 * tokens than positions, a skip of more layers than there are, XL_ENOMEM */
enum xl_status xl_clip_build(const struct xl_clip_config *config, struct xl_source source,
                             struct xl_clip_shape shape, struct xl_clip_io *io,
                             struct xl_plan **plan, struct xl_err *err) XL_CHECKED;

#endif
