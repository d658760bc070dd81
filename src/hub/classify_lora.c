/* classify_lora.c - LoRA files: which kinds of deltas, of what rank, for which model. The model is
 * told by which blocks are changed and how wide their inputs are; metadata helps only where that
 * says nothing. Key names: kohya-ss/sd-scripts, diffusers, PEFT and LyCORIS. */
#include "hub/classify_lora.h"
#include "hub/classify_names.h"

#include "base/str.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What ends (or, with an adapter's name behind it, is within) the key of a delta. */
static const struct {
    const char *mark;
    unsigned kind;
    int rank_dim; /* the dimension that is the rank; -1: none of it is */
} marks[] = {
    {".lora_down.weight", XL_LORA_KOHYA, 0},
    {".lora_up.weight", XL_LORA_KOHYA, 1},
    {".lora_mid.weight", XL_LORA_KOHYA | XL_LORA_TUCKER, 0},
    {".lora_A.", XL_LORA_PEFT, 0},
    {".lora_B.", XL_LORA_PEFT, 1},
    {".lora_embedding_A", XL_LORA_PEFT, 0},
    {".lora_embedding_B", XL_LORA_PEFT, 1},
    {"lora.down.weight", XL_LORA_DIFFUSERS, 0},
    {"lora.up.weight", XL_LORA_DIFFUSERS, 1},
    {"lora_linear_layer.down.weight", XL_LORA_DIFFUSERS, 0},
    {"lora_linear_layer.up.weight", XL_LORA_DIFFUSERS, 1},
    {".hada_w1_a", XL_LORA_LOHA, 1},
    {".hada_w1_b", XL_LORA_LOHA, 0},
    {".hada_w2_a", XL_LORA_LOHA, 1},
    {".hada_w2_b", XL_LORA_LOHA, 0},
    {".hada_t", XL_LORA_LOHA | XL_LORA_TUCKER, -1},
    {".lokr_w1", XL_LORA_LOKR, -1},
    {".lokr_w2_b", XL_LORA_LOKR, 0},
    {".lokr_w2", XL_LORA_LOKR, -1},
    {".lokr_t2", XL_LORA_LOKR | XL_LORA_TUCKER, -1},
    {".dora_scale", XL_LORA_DORA, -1},
    {".lora_magnitude_vector", XL_LORA_DORA, -1},
    {".lora_magnitude_vector.", XL_LORA_DORA, -1},
    {".diff_b", XL_LORA_FULL, -1},
    {".diff", XL_LORA_FULL, -1},
    {".oft_blocks", XL_LORA_OTHER, -1},
    {".oft_diag", XL_LORA_OTHER, -1},
    {".oft_R", XL_LORA_OTHER, -1},
    {".on_input", XL_LORA_OTHER, -1},
    {".w_norm", XL_LORA_OTHER, -1},
    {".b_norm", XL_LORA_OTHER, -1},
};
enum { N_MARKS = sizeof marks / sizeof *marks };

struct lora {
    unsigned kinds;
    int64_t rank;
    int n_deltas, n_other; /* tensors; .alpha and such count as neither */
    bool has_text, has_text_2;
    bool is_block_0, is_up_0; /* attention where only SD1 and SD2, or only SDXL, has it */
    bool is_deep;             /* more than one transformer block in an attention */
    bool is_flux, is_sd3, is_other_dit;
    int64_t context, text_width; /* inputs of cross attention, of a text encoder's layers; 0 */
};

/* "unet.down_blocks.1.x" and "lora_unet_down_blocks_1_x" alike: points become underscores. */
static void flatten(const char *name, char *out, size_t size) {
    snprintf(out, size, "%s", name);
    for (char *c = out; *c; c++)
        if (*c == '.') *c = '_';
}

static bool has_any(const char *flat, const char *const *parts) {
    for (; *parts; parts++)
        if (strstr(flat, *parts)) return true;
    return false;
}

/* A number at least `low` behind `part`. */
static bool has_number(const char *flat, const char *part, int low) {
    const char *found = strstr(flat, part);
    return found && atoi(found + strlen(part)) >= low;
}

/* Which model has a block of this name? Attention blocks as in the configurations of the models:
 * SD1 and SD2 attend in blocks 0 to 2 of 4, SDXL in 1 and 2 of 3. */
static void note_unet_block(struct lora *lora, const char *flat) {
    static const char *const block_0[] = {"down_blocks_0_attentions", "down_blocks_3_",
                                          "up_blocks_2_attentions",   "up_blocks_3_",
                                          "input_blocks_1_1_",        "input_blocks_2_1_",
                                          "input_blocks_10_",         "input_blocks_11_",
                                          "output_blocks_9_",         "output_blocks_10_",
                                          "output_blocks_11_",        NULL};
    static const char *const up_0[] = {"up_blocks_0_attentions",
                                       "output_blocks_0_1_",
                                       "output_blocks_1_1_transformer",
                                       "label_emb_",
                                       "add_embedding_",
                                       NULL};
    static const char *const flux[] = {"double_blocks_", "single_transformer_blocks_",
                                       "unet_single_blocks_", "model_single_blocks_", NULL};
    static const char *const others[] = {
        "adaln_single_",  "caption_projection", "double_layers_", "joint_transformer_blocks_",
        "noise_refiner_", "cap_embedder",       "llm_adapter",    NULL};
    lora->is_block_0 |= has_any(flat, block_0);
    lora->is_up_0 |= has_any(flat, up_0);
    lora->is_flux |= has_any(flat, flux);
    lora->is_sd3 |= strstr(flat, "joint_blocks_") != NULL;
    lora->is_other_dit |= has_any(flat, others);
    bool is_unet = strstr(flat, "down_blocks_") || strstr(flat, "up_blocks_") ||
                   strstr(flat, "mid_block") || strstr(flat, "middle_block") ||
                   strstr(flat, "input_blocks_") || strstr(flat, "output_blocks_");
    if (is_unet && has_number(flat, "transformer_blocks_", 1)) lora->is_deep = true;
    if (!is_unet && (!strncmp(flat, "transformer_transformer_blocks_", 31) ||
                     !strncmp(flat, "lora_transformer_", 17)))
        lora->is_sd3 |= strstr(flat, "attn_") != NULL && strstr(flat, "attn1") == NULL;
}

static bool note_text_encoder(struct lora *lora, const char *flat) {
    static const char *const second[] = {"lora_te2_", "text_encoder_2_", NULL};
    static const char *const any[] = {"lora_te_",       "lora_te1_",     "text_encoder_",
                                      "te1_text_model", "te_text_model", NULL};
    bool is_second = has_any(flat, second), is_text = is_second || has_any(flat, any);
    lora->has_text |= is_text;
    lora->has_text_2 |= is_second || strstr(flat, "lora_te1_") != NULL;
    return is_text;
}

/* How wide the input of the layer is that this tensor belongs to: the second dimension of what
 * goes down to the rank. */
static int64_t input_width(const struct xl_st_tensor *tensor, int mark) {
    bool is_down = marks[mark].rank_dim == 0 && tensor->rank == 2;
    return is_down && !(marks[mark].kind & (XL_LORA_LOKR | XL_LORA_TUCKER))
               ? xl_names_dim(tensor, 1)
               : 0;
}

static void note_delta(struct lora *lora, const struct xl_st_tensor *tensor, int mark) {
    char flat[XL_ST_MAX_NAME + 1];
    flatten(tensor->name, flat, sizeof flat);
    lora->n_deltas++;
    lora->kinds |= marks[mark].kind;
    if (tensor->rank == 4 && (xl_names_dim(tensor, 2) > 1 || xl_names_dim(tensor, 3) > 1))
        lora->kinds |= XL_LORA_CONV;
    int64_t rank = marks[mark].rank_dim < 0 ? 0 : xl_names_dim(tensor, marks[mark].rank_dim);
    if (rank > lora->rank) lora->rank = rank;
    int64_t width = input_width(tensor, mark);
    if (note_text_encoder(lora, flat)) {
        if (width && strstr(flat, "q_proj")) lora->text_width = width;
        return;
    }
    note_unet_block(lora, flat);
    bool is_context = strstr(flat, "attn2_to_k") || strstr(flat, "attn2_to_v") ||
                      strstr(flat, "attn2_processor_to_k") || strstr(flat, "attn2_processor_to_v");
    if (width && is_context) lora->context = width;
}

/* What follows a mark: nothing, a number or "_a"; or, where an adapter's name may follow, anything.
 * ".diff" is not in "model.diffusion_model". */
static bool fits(const char *mark, const char *rest) {
    bool is_letter = (*rest >= 'a' && *rest <= 'z') || (*rest >= 'A' && *rest <= 'Z');
    return mark[strlen(mark) - 1] == '.' || (!is_letter && *rest != '.' && strlen(rest) < 8);
}

/* The mark of a key, or -1. */
static int mark_of(const char *name) {
    for (int i = 0; i < N_MARKS; i++) {
        size_t n = strlen(marks[i].mark);
        const char *at = strstr(name, marks[i].mark);
        for (; at; at = strstr(at + 1, marks[i].mark))
            if (fits(marks[i].mark, at + n)) return i;
    }
    return -1;
}

static bool is_companion(const char *name) {
    return xl_ends_with(name, ".alpha") || xl_ends_with(name, ".scale") ||
           xl_ends_with(name, ".rank") || !strcmp(name, "lokr_factor");
}

/* A family by the words that training programs write. */
static enum xl_model_family family_of_metadata(const struct xl_st_metadata *metadata) {
    static const char *const keys[] = {"modelspec.architecture", "ss_base_model_version",
                                       "baseModel"};
    static const struct {
        const char *word;
        enum xl_model_family family;
    } words[] = {
        {"refiner", XL_FAMILY_SDXL_REFINER},
        {"stable-diffusion-xl", XL_FAMILY_SDXL},
        {"sdxl", XL_FAMILY_SDXL},
        {"stable-diffusion-v1", XL_FAMILY_SD1},
        {"sd_v1", XL_FAMILY_SD1},
        {"stable-diffusion-v2", XL_FAMILY_SD2},
        {"sd_v2", XL_FAMILY_SD2},
        {"stable-diffusion-3", XL_FAMILY_SD3},
        {"sd3", XL_FAMILY_SD3},
        {"flux", XL_FAMILY_FLUX},
    };
    for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) {
        const char *text = xl_st_metadata_find(metadata, keys[k]);
        for (size_t i = 0; text && i < sizeof words / sizeof *words; i++)
            if (strcasestr(text, words[i].word)) return words[i].family;
    }
    return XL_FAMILY_UNKNOWN;
}

static enum xl_model_family family_of(const struct lora *lora,
                                      const struct xl_st_metadata *metadata) {
    if (lora->is_flux) return XL_FAMILY_FLUX;
    if (lora->is_sd3) return XL_FAMILY_SD3;
    if (lora->is_other_dit) return XL_FAMILY_UNKNOWN;
    enum xl_model_family by_width = xl_family_of_context(lora->context);
    if (by_width) return by_width;
    enum xl_model_family hint = family_of_metadata(metadata);
    /* CLIP-L has 768 in SD1 and SDXL, and SD2's encoder 1024. */
    if (lora->is_block_0)
        return hint == XL_FAMILY_SD2 || lora->text_width == 1024 ? XL_FAMILY_SD2 : XL_FAMILY_SD1;
    if (lora->is_up_0 || lora->is_deep || lora->has_text_2) return XL_FAMILY_SDXL;
    if (hint) return hint;
    if (lora->has_text && lora->text_width == 1024) return XL_FAMILY_SD2;
    return XL_FAMILY_UNKNOWN;
}

enum xl_status xl_classify_lora(const struct xl_safetensors *file, struct xl_arena *arena,
                                struct xl_file_class *out, bool *is_one, struct xl_err *err) {
    struct lora lora = {0};
    for (int i = 0; i < file->n_tensors; i++) {
        const struct xl_st_tensor *tensor = &file->tensors[i];
        int mark = mark_of(tensor->name);
        if (mark >= 0)
            note_delta(&lora, tensor, mark);
        else
            lora.n_other += !is_companion(tensor->name);
    }
    *is_one = lora.n_deltas > lora.n_other;
    if (!*is_one) return XL_OK;
    out->kind = XL_FILE_LORA;
    out->lora_kinds = lora.kinds;
    out->lora_rank = lora.rank < 1 << 20 ? (int)lora.rank : 0;
    out->lora_has_text = lora.has_text;
    out->base = family_of(&lora, &out->metadata);
    bool fits = out->base == XL_FAMILY_SDXL ||
                (out->base == XL_FAMILY_UNKNOWN && !lora.is_other_dit);
    out->what = out->base ? xl_arena_printf(arena, "a LoRA for %s", xl_family_name(out->base))
                : fits    ? "a LoRA that does not say for which model it is"
                          : "a LoRA for a diffusion transformer";
    out->use = fits ? "--lora" : NULL;
    out->need = fits ? NULL : "sdxl-lab draws with SDXL only: take a LoRA that was made for SDXL";
    return out->what ? XL_OK : xl_fail_nomem(err, "the kind of a LoRA", 0);
}
