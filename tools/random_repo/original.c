/* original.c - the tensors of a repository under the names of the first implementation, as
 * single-file checkpoints have them. The numbers stay those of the folder: a tensor is drawn by its
 * diffusers name, wherever it lies. Source: as weights/original.h, the other way round */
#include "repo.h"

#include <stdio.h>
#include <string.h>

enum { NAME = 224 };

struct words {
    const char *from, *to;
};

/* Replace the beginning of `at` by a table; what is behind it goes to *rest. */
static const char *swap(const struct words *words, const char *at, const char **rest) {
    for (; words->from; words++) {
        size_t n = strlen(words->from);
        if (strncmp(at, words->from, n)) continue;
        *rest = at + n;
        return words->to;
    }
    return NULL;
}

static void rename_resnet(const char *at, bool is_unet, char out[NAME]) {
    static const struct words unet[] = {{"norm1.", "in_layers.0."},
                                        {"conv1.", "in_layers.2."},
                                        {"time_emb_proj.", "emb_layers.1."},
                                        {"norm2.", "out_layers.0."},
                                        {"conv2.", "out_layers.3."},
                                        {"conv_shortcut.", "skip_connection."},
                                        {NULL, NULL}};
    static const struct words vae[] = {{"conv_shortcut.", "nin_shortcut."}, {NULL, NULL}};
    const char *rest, *to = swap(is_unet ? unet : vae, at, &rest);
    snprintf(out, NAME, "%s%s", to ? to : "", to ? rest : at);
}

static void rename_unet(const struct xl_repo_size *size, const char *name, char out[NAME]) {
    static const struct words fixed[] = {{"conv_in.", "input_blocks.0.0."},
                                         {"time_embedding.linear_1.", "time_embed.0."},
                                         {"time_embedding.linear_2.", "time_embed.2."},
                                         {"add_embedding.linear_1.", "label_emb.0.0."},
                                         {"add_embedding.linear_2.", "label_emb.0.2."},
                                         {"mid_block.attentions.0.", "middle_block.1."},
                                         {"conv_norm_out.", "out.0."},
                                         {"conv_out.", "out.2."},
                                         {NULL, NULL}};
    int layers = size->unet.layers_per_block, level, layer, n = 0;
    char inner[NAME], part[16];
    const char *rest, *to = swap(fixed, name, &rest);
    static const char prefix[] = "model.diffusion_model.";
    if (to) {
        snprintf(out, NAME, "%s%s%s", prefix, to, rest);
    } else if (sscanf(name, "mid_block.resnets.%d.%n", &layer, &n) == 1 && n) {
        rename_resnet(name + n, true, inner);
        snprintf(out, NAME, "%smiddle_block.%d.%s", prefix, 2 * layer, inner);
    } else {
        bool is_down = name[0] == 'd';
        sscanf(name, is_down ? "down_blocks.%d.%15[a-z].%d.%n" : "up_blocks.%d.%15[a-z].%d.%n",
               &level, part, &layer, &n);
        int block = is_down ? 1 + level * (layers + 1) : level * (layers + 1);
        const char *way = is_down ? "input" : "output", *leaf = name + n;
        if (!strcmp(part, "downsamplers"))
            snprintf(out, NAME, "%sinput_blocks.%d.0.op.%s", prefix, block + layers, leaf + 5);
        else if (!strcmp(part, "upsamplers"))
            snprintf(out, NAME, "%soutput_blocks.%d.%d.%s", prefix, block + layers,
                     size->unet.depth[size->unet.n_levels - 1 - level] ? 2 : 1, leaf);
        else if (!strcmp(part, "attentions"))
            snprintf(out, NAME, "%s%s_blocks.%d.1.%s", prefix, way, block + layer, leaf);
        else
            rename_resnet(leaf, true, inner),
                snprintf(out, NAME, "%s%s_blocks.%d.0.%s", prefix, way, block + layer, inner);
    }
}

static void rename_vae(const struct xl_repo_size *size, const char *name, char out[NAME]) {
    static const struct words attention[] = {
        {"group_norm.", "norm."},   {"to_q.", "q."}, {"to_k.", "k."}, {"to_v.", "v."},
        {"to_out.0.", "proj_out."}, {NULL, NULL}};
    static const char prefix[] = "first_stage_model.";
    const char *half = name[0] == 'e' ? "encoder" : "decoder", *rest = name + 8, *leaf = "";
    char inner[NAME], part[16];
    int level, layer, n = 0;
    if (name[0] != 'e' && name[0] != 'd') {
        snprintf(out, NAME, "%s%s", prefix, name); /* quant_conv, post_quant_conv */
    } else if (!strncmp(rest, "conv_norm_out.", 14)) {
        snprintf(out, NAME, "%s%s.norm_out.%s", prefix, half, rest + 14);
    } else if (!strncmp(rest, "mid_block.attentions.0.", 23)) {
        const char *to = swap(attention, rest + 23, &leaf);
        snprintf(out, NAME, "%s%s.mid.attn_1.%s%s", prefix, half, to, leaf);
    } else if (sscanf(rest, "mid_block.resnets.%d.%n", &layer, &n) == 1 && n) {
        rename_resnet(rest + n, false, inner);
        snprintf(out, NAME, "%s%s.mid.block_%d.%s", prefix, half, layer + 1, inner);
    } else if (sscanf(rest, "%15[a-z]_blocks.%d.resnets.%d.%n", part, &level, &layer, &n) == 3 &&
               n) {
        rename_resnet(rest + n, false, inner);
        if (part[0] == 'u') level = size->vae.n_levels - 1 - level;
        snprintf(out, NAME, "%s%s.%s.%d.block.%d.%s", prefix, half, part, level, layer, inner);
    } else if (sscanf(rest, "%15[a-z]_blocks.%d.%*[a-z].0.%n", part, &level, &n) == 2 && n) {
        if (part[0] == 'u') level = size->vae.n_levels - 1 - level;
        snprintf(out, NAME, "%s%s.%s.%d.%ssample.%s", prefix, half, part, level, part, rest + n);
    } else {
        snprintf(out, NAME, "%s%s", prefix, name); /* conv_in, conv_out */
    }
}

/* q, k and v of a layer are one tensor: the first of them is renamed, out is "" for the others. */
static void rename_text_2(const char *name, char out[NAME]) {
    static const struct words fixed[] = {
        {"text_model.embeddings.token_embedding.", "token_embedding."},
        {"text_model.embeddings.position_embedding.weight", "positional_embedding"},
        {"text_model.final_layer_norm.", "ln_final."},
        {"text_projection.weight", "text_projection"},
        {NULL, NULL}};
    static const struct words inner[] = {{"layer_norm1.", "ln_1."},
                                         {"layer_norm2.", "ln_2."},
                                         {"self_attn.out_proj.", "attn.out_proj."},
                                         {"self_attn.q_proj.", "attn.in_proj_"},
                                         {"mlp.fc1.", "mlp.c_fc."},
                                         {"mlp.fc2.", "mlp.c_proj."},
                                         {NULL, NULL}};
    static const char prefix[] = "conditioner.embedders.1.model.";
    const char *rest, *to = swap(fixed, name, &rest);
    int layer, n = 0;
    out[0] = 0;
    if (to) {
        snprintf(out, NAME, "%s%s%s", prefix, to, rest);
        return;
    }
    sscanf(name, "text_model.encoder.layers.%d.%n", &layer, &n);
    if ((to = swap(inner, name + n, &rest)))
        snprintf(out, NAME, "%stransformer.resblocks.%d.%s%s", prefix, layer, to, rest);
}

static void rename_one(enum xl_repo_component component, const struct xl_repo_size *size,
                       const char *name, char out[NAME]) {
    switch (component) {
    case XL_REPO_TEXT:
        snprintf(out, NAME, "conditioner.embedders.0.transformer.%s", name);
        break;
    case XL_REPO_TEXT_2:
        rename_text_2(name, out);
        break;
    case XL_REPO_UNET:
        rename_unet(size, name, out);
        break;
    case XL_REPO_VAE:
        rename_vae(size, name, out);
        break;
    case XL_REPO_N:
        break;
    }
}

/* In the order of its file: q, k and v of a layer, then their biases, lie one behind the other. */
static bool comes_before(const char *a, const char *b) {
    const char *in_a = strstr(a, ".self_attn."), *in_b = strstr(b, ".self_attn.");
    if (!in_a || !in_b || in_a - a != in_b - b || strncmp(a, b, (size_t)(in_a - a))) return false;
    return !strcmp(strrchr(a, '.'), ".weight") && !strcmp(strrchr(b, '.'), ".bias");
}

static void group_fused(struct xl_repo_tensors *list, int first) {
    for (int i = first + 1; i < list->n; i++)
        for (int k = i; k > first && comes_before(list->items[k].name, list->items[k - 1].name);
             k--) {
            struct xl_repo_tensor swapped = list->items[k];
            list->items[k] = list->items[k - 1];
            list->items[k - 1] = swapped;
        }
}

void xl_repo_single_tensors(struct xl_repo_tensors *list, const struct xl_repo_size *size) {
    for (enum xl_repo_component c = 0; c < XL_REPO_N; c++) {
        int first = list->n;
        if (c == XL_REPO_UNET)
            xl_repo_unet_tensors(list, size);
        else if (c == XL_REPO_VAE)
            xl_repo_vae_tensors(list, size);
        else
            xl_repo_text_tensors(list, size, c == XL_REPO_TEXT_2);
        if (c == XL_REPO_TEXT_2) group_fused(list, first);
        for (int i = first; i < list->n; i++) {
            struct xl_repo_tensor *tensor = &list->items[i];
            char name[NAME];
            rename_one(c, size, tensor->name, name);
            tensor->stored = xl_arena_strdup(&list->arena, name);
            if (!tensor->stored) list->failed = true;
            /* A projection of the VAE's attention is a 1x1 convolution there. */
            if (strstr(name, ".attn_1.") && tensor->shape.rank == 2)
                tensor->shape = XL_SHAPE(tensor->shape.dim[0], tensor->shape.dim[1], 1, 1);
            tensor->is_turned = c == XL_REPO_TEXT_2 &&
                                !strcmp(tensor->name, "text_projection.weight");
        }
    }
}
