/* tensors.c - the sizes, and the tensor list of each component from its size. */
#include "repo.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct xl_repo_size sizes[] = {
    {.name = "tiny",
     .vocab = 514, /* 256 bytes, 256 bytes that end a word, start and end of text */
     .text = {{64, 128, 2, 1, 64, false, "quick_gelu"}, {64, 128, 2, 1, 64, true, "gelu"}},
     .unet = {3, {32, 32, 64}, {0, 1, 2}, {1, 1, 1}, 2, 32, 32},
     .vae = {4, {32, 32, 64, 64}, 2, 256}},
    {.name = "words",
     .vocab = 49408,
     .text = {{64, 128, 2, 1, 64, false, "quick_gelu"}, {64, 128, 2, 1, 64, true, "gelu"}},
     .unet = {3, {32, 32, 64}, {0, 1, 2}, {1, 1, 1}, 2, 32, 32},
     .vae = {4, {32, 32, 64, 64}, 2, 256}},
    {.name = "full",
     .vocab = 49408,
     .text = {{768, 3072, 12, 12, 768, false, "quick_gelu"},
              {1280, 5120, 32, 20, 1280, true, "gelu"}},
     .unet = {3, {320, 640, 1280}, {0, 2, 10}, {5, 10, 20}, 2, 256, 128},
     .vae = {4, {128, 256, 512, 512}, 2, 1024}},
};

const struct xl_repo_size *xl_repo_size_find(const char *name) {
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        if (!strcmp(sizes[i].name, name)) return &sizes[i];
    return NULL;
}

int xl_repo_cross_dim(const struct xl_repo_size *size) {
    return size->text[0].hidden + size->text[1].hidden;
}

int xl_repo_added_dim(const struct xl_repo_size *size) {
    return size->text[1].projection + 6 * size->unet.size_embed;
}

/* ---- the list ---- */

enum { NAME = 160 };

struct name {
    char text[NAME];
};

/* prefix(".resnets.%d", ...) behind another name. */
static struct name under(const char *parent, const char *format, ...) XL_PRINTF(2, 3);
static struct name under(const char *parent, const char *format, ...) {
    struct name name;
    int n = snprintf(name.text, NAME, "%s%s", parent, *parent ? "." : "");
    va_list args;
    va_start(args, format);
    vsnprintf(name.text + n, (size_t)(NAME - n), format, args);
    va_end(args);
    return name;
}

void xl_repo_append(struct xl_repo_tensors *list, struct xl_repo_tensor tensor) {
    if (list->n == list->capacity) {
        int capacity = list->capacity ? 2 * list->capacity : 512;
        struct xl_repo_tensor *items = realloc(list->items, (size_t)capacity * sizeof *list->items);
        if (!items) {
            list->failed = true;
            return;
        }
        list->items = items;
        list->capacity = capacity;
    }
    list->items[list->n++] = tensor;
}

static void append(struct xl_repo_tensors *list, struct xl_repo_tensor tensor, const char *layer,
                   const char *leaf) {
    tensor.name = xl_arena_printf(&list->arena, "%s.%s", layer, leaf);
    if (tensor.name)
        xl_repo_append(list, tensor);
    else
        list->failed = true;
}

static void add_random(struct xl_repo_tensors *list, const char *layer, const char *leaf,
                       struct xl_shape shape, double deviation) {
    append(list,
           (struct xl_repo_tensor){
               .shape = shape, .fill = XL_FILL_NORMAL, .deviation = (float)deviation},
           layer, leaf);
}

/* Deviation 1/sqrt(fan-in) keeps the variance of what passes through, so that activations of a
 * network of any depth stay finite. */
static void add_linear(struct xl_repo_tensors *list, struct name layer, int in, int out,
                       bool has_bias) {
    add_random(list, layer.text, "weight", XL_SHAPE(out, in), 1 / sqrt(in));
    if (has_bias) add_random(list, layer.text, "bias", XL_SHAPE(out), 0.02);
}

static void add_conv(struct xl_repo_tensors *list, struct name layer, int in, int out, int kernel) {
    add_random(list, layer.text, "weight", XL_SHAPE(out, in, kernel, kernel),
               1 / sqrt((double)in * kernel * kernel));
    add_random(list, layer.text, "bias", XL_SHAPE(out), 0.02);
}

static void add_norm(struct xl_repo_tensors *list, struct name layer, int channels) {
    append(list, (struct xl_repo_tensor){.shape = XL_SHAPE(channels), .fill = XL_FILL_ONES},
           layer.text, "weight");
    add_random(list, layer.text, "bias", XL_SHAPE(channels), 0.02);
}

void xl_repo_tensors_deinit(struct xl_repo_tensors *list) {
    free(list->items);
    xl_arena_deinit(&list->arena);
    *list = (struct xl_repo_tensors){0};
}

int64_t xl_repo_tensors_count(const struct xl_repo_tensors *list) {
    int64_t count = 0;
    for (int i = 0; i < list->n; i++) count += xl_shape_count(list->items[i].shape);
    return count;
}

/* ---- text encoders ---- */

void xl_repo_text_tensors(struct xl_repo_tensors *list, const struct xl_repo_size *size,
                          int which) {
    const struct xl_repo_text *text = &size->text[which];
    int d = text->hidden;
    add_random(list, "text_model.embeddings.token_embedding", "weight", XL_SHAPE(size->vocab, d),
               1);
    add_random(list, "text_model.embeddings.position_embedding", "weight",
               XL_SHAPE(XL_REPO_TOKENS, d), 0.1);
    static const char *const projections[] = {"q_proj", "k_proj", "v_proj", "out_proj"};
    for (int i = 0; i < text->layers; i++) {
        struct name layer = under("text_model.encoder.layers", "%d", i);
        for (int p = 0; p < 4; p++)
            add_linear(list, under(layer.text, "self_attn.%s", projections[p]), d, d, true);
        add_norm(list, under(layer.text, "layer_norm1"), d);
        add_linear(list, under(layer.text, "mlp.fc1"), d, text->intermediate, true);
        add_linear(list, under(layer.text, "mlp.fc2"), text->intermediate, d, true);
        add_norm(list, under(layer.text, "layer_norm2"), d);
    }
    add_norm(list, under("text_model", "final_layer_norm"), d);
    if (text->is_projected)
        add_linear(list, under("", "text_projection"), d, text->projection, false);
}

/* ---- UNet ---- */

/* time_dim 0: a resnet of the VAE, which knows no time. */
static void add_resnet(struct xl_repo_tensors *list, struct name resnet, int in, int out,
                       int time_dim) {
    add_norm(list, under(resnet.text, "norm1"), in);
    add_conv(list, under(resnet.text, "conv1"), in, out, 3);
    if (time_dim) add_linear(list, under(resnet.text, "time_emb_proj"), time_dim, out, true);
    add_norm(list, under(resnet.text, "norm2"), out);
    add_conv(list, under(resnet.text, "conv2"), out, out, 3);
    if (in != out) add_conv(list, under(resnet.text, "conv_shortcut"), in, out, 1);
}

static void add_cross_attention(struct xl_repo_tensors *list, struct name attention, int channels,
                                int context) {
    add_linear(list, under(attention.text, "to_q"), channels, channels, false);
    add_linear(list, under(attention.text, "to_k"), context, channels, false);
    add_linear(list, under(attention.text, "to_v"), context, channels, false);
    add_linear(list, under(attention.text, "to_out.0"), channels, channels, true);
}

static void add_transformer(struct xl_repo_tensors *list, struct name transformer, int channels,
                            int depth, int context) {
    enum { EXPANSION = 4 }; /* of the feed-forward; GEGLU projects to twice that, value and gate */
    add_norm(list, under(transformer.text, "norm"), channels);
    add_linear(list, under(transformer.text, "proj_in"), channels, channels, true);
    for (int i = 0; i < depth; i++) {
        struct name block = under(transformer.text, "transformer_blocks.%d", i);
        add_norm(list, under(block.text, "norm1"), channels);
        add_cross_attention(list, under(block.text, "attn1"), channels, channels);
        add_norm(list, under(block.text, "norm2"), channels);
        add_cross_attention(list, under(block.text, "attn2"), channels, context);
        add_norm(list, under(block.text, "norm3"), channels);
        add_linear(list, under(block.text, "ff.net.0.proj"), channels, 2 * EXPANSION * channels,
                   true);
        add_linear(list, under(block.text, "ff.net.2"), EXPANSION * channels, channels, true);
    }
    add_linear(list, under(transformer.text, "proj_out"), channels, channels, true);
}

static void add_unet_down(struct xl_repo_tensors *list, const struct xl_repo_size *size) {
    const struct xl_repo_unet *unet = &size->unet;
    int in = unet->channels[0];
    for (int level = 0; level < unet->n_levels; level++) {
        struct name block = under("down_blocks", "%d", level);
        int out = unet->channels[level], depth = unet->depth[level];
        for (int i = 0; i < unet->layers_per_block; i++, in = out) {
            add_resnet(list, under(block.text, "resnets.%d", i), in, out, 4 * unet->channels[0]);
            if (depth)
                add_transformer(list, under(block.text, "attentions.%d", i), out, depth,
                                xl_repo_cross_dim(size));
        }
        if (level < unet->n_levels - 1)
            add_conv(list, under(block.text, "downsamplers.0.conv"), out, out, 3);
    }
}

/* Each resnet on the way up also reads the output of one step of the way down: conv_in, the
 * resnets and the downsamplers, last first. */
static void add_unet_up(struct xl_repo_tensors *list, const struct xl_repo_size *size) {
    const struct xl_repo_unet *unet = &size->unet;
    int last = unet->n_levels - 1, below = unet->channels[last];
    for (int up = 0; up <= last; up++) {
        int level = last - up, out = unet->channels[level], depth = unet->depth[level];
        int above = unet->channels[level ? level - 1 : 0];
        struct name block = under("up_blocks", "%d", up);
        for (int i = 0; i <= unet->layers_per_block; i++) {
            int skip = i == unet->layers_per_block ? above : out;
            add_resnet(list, under(block.text, "resnets.%d", i), below + skip, out,
                       4 * unet->channels[0]);
            if (depth)
                add_transformer(list, under(block.text, "attentions.%d", i), out, depth,
                                xl_repo_cross_dim(size));
            below = out;
        }
        if (level) add_conv(list, under(block.text, "upsamplers.0.conv"), out, out, 3);
    }
}

void xl_repo_unet_tensors(struct xl_repo_tensors *list, const struct xl_repo_size *size) {
    const struct xl_repo_unet *unet = &size->unet;
    int first = unet->channels[0], time_dim = 4 * first, last = unet->n_levels - 1;
    add_conv(list, under("", "conv_in"), XL_REPO_LATENT, first, 3);
    add_linear(list, under("time_embedding", "linear_1"), first, time_dim, true);
    add_linear(list, under("time_embedding", "linear_2"), time_dim, time_dim, true);
    add_linear(list, under("add_embedding", "linear_1"), xl_repo_added_dim(size), time_dim, true);
    add_linear(list, under("add_embedding", "linear_2"), time_dim, time_dim, true);
    add_unet_down(list, size);
    int middle = unet->channels[last];
    add_resnet(list, under("mid_block", "resnets.0"), middle, middle, time_dim);
    add_transformer(list, under("mid_block", "attentions.0"), middle, unet->depth[last],
                    xl_repo_cross_dim(size));
    add_resnet(list, under("mid_block", "resnets.1"), middle, middle, time_dim);
    add_unet_up(list, size);
    add_norm(list, under("", "conv_norm_out"), first);
    add_conv(list, under("", "conv_out"), first, XL_REPO_LATENT, 3);
}

/* ---- VAE ---- */

static void add_vae_middle(struct xl_repo_tensors *list, const char *side, int channels) {
    struct name attention = under(side, "mid_block.attentions.0");
    static const char *const projections[] = {"to_q", "to_k", "to_v", "to_out.0"};
    add_resnet(list, under(side, "mid_block.resnets.0"), channels, channels, 0);
    add_norm(list, under(attention.text, "group_norm"), channels);
    for (int p = 0; p < 4; p++)
        add_linear(list, under(attention.text, "%s", projections[p]), channels, channels, true);
    add_resnet(list, under(side, "mid_block.resnets.1"), channels, channels, 0);
}

static void add_vae_encoder(struct xl_repo_tensors *list, const struct xl_repo_vae *vae) {
    int in = vae->channels[0], last = vae->n_levels - 1;
    add_conv(list, under("encoder", "conv_in"), 3, in, 3);
    for (int level = 0; level <= last; level++) {
        struct name block = under("encoder.down_blocks", "%d", level);
        int out = vae->channels[level];
        for (int i = 0; i < vae->layers_per_block; i++, in = out)
            add_resnet(list, under(block.text, "resnets.%d", i), in, out, 0);
        if (level < last) add_conv(list, under(block.text, "downsamplers.0.conv"), out, out, 3);
    }
    add_vae_middle(list, "encoder", in);
    add_norm(list, under("encoder", "conv_norm_out"), in);
    add_conv(list, under("encoder", "conv_out"), in, 2 * XL_REPO_LATENT, 3);
}

static void add_vae_decoder(struct xl_repo_tensors *list, const struct xl_repo_vae *vae) {
    int last = vae->n_levels - 1, in = vae->channels[last];
    add_conv(list, under("decoder", "conv_in"), XL_REPO_LATENT, in, 3);
    add_vae_middle(list, "decoder", in);
    for (int up = 0; up <= last; up++) {
        struct name block = under("decoder.up_blocks", "%d", up);
        int out = vae->channels[last - up];
        for (int i = 0; i <= vae->layers_per_block; i++, in = out)
            add_resnet(list, under(block.text, "resnets.%d", i), in, out, 0);
        if (up < last) add_conv(list, under(block.text, "upsamplers.0.conv"), out, out, 3);
    }
    add_norm(list, under("decoder", "conv_norm_out"), in);
    add_conv(list, under("decoder", "conv_out"), in, 3, 3);
}

void xl_repo_vae_tensors(struct xl_repo_tensors *list, const struct xl_repo_size *size) {
    add_vae_encoder(list, &size->vae);
    add_conv(list, under("", "quant_conv"), 2 * XL_REPO_LATENT, 2 * XL_REPO_LATENT, 1);
    add_conv(list, under("", "post_quant_conv"), XL_REPO_LATENT, XL_REPO_LATENT, 1);
    add_vae_decoder(list, &size->vae);
}
