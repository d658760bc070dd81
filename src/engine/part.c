/* part.c - the parts of a model as plans: which component a part belongs to, and how its plan is
 * built at a shape. Compiling and keeping them is stage.c. */
#include "engine/engine.h"

enum xl_component xl_part_component(enum xl_part part) {
    static const enum xl_component components[XL_N_PARTS] = {
        [XL_PART_ENCODER] = XL_TEXT_ENCODER, [XL_PART_ENCODER_2] = XL_TEXT_ENCODER_2,
        [XL_PART_VAE_ENCODER] = XL_VAE,      [XL_PART_UNET] = XL_UNET,
        [XL_PART_VAE_DECODER] = XL_VAE,
    };
    return components[part];
}

static enum xl_status build_encoder(const struct xl_model *model, const struct xl_part_key *key,
                                    struct xl_source source, struct xl_clip_io *io,
                                    struct xl_plan **plan, struct xl_err *err) {
    int e = key->part == XL_PART_ENCODER_2;
    struct xl_clip_shape shape = {
        .n = key->n,
        .tokens = key->tokens,
        .head = e ? XL_CLIP_HEAD_PROJECTION : XL_CLIP_HEAD_NONE,
        .act_dtype = key->act_dtype,
        .skip = key->skip,
        .extra = key->extra,
        .is_masked = key->is_masked,
    };
    return xl_clip_build(&model->clip[e], source, shape, io, plan, err);
}

enum xl_status xl_part_build(const struct xl_model *model, const struct xl_part_key *key,
                             union xl_part_io *io, struct xl_plan **plan, struct xl_err *err) {
    struct xl_source source = xl_model_source(model, xl_part_component(key->part));
    struct xl_unet_shape unet = {key->n,      key->height,    key->width,
                                 key->tokens, key->act_dtype, key->in_f8};
    struct xl_denoise_shape loop = {unet, key->batch, key->steps, key->history, key->noise};
    struct xl_vae_shape vae = {key->n, key->height, key->width, key->act_dtype};
    switch (key->part) {
    case XL_PART_ENCODER:
    case XL_PART_ENCODER_2:
        return build_encoder(model, key, source, &io->clip, plan, err);
    case XL_PART_UNET:
        return xl_denoise_build(&model->unet, source, loop, &io->denoise, plan, err);
    case XL_PART_VAE_ENCODER:
        return xl_picture_build_encoder(&model->vae, source, vae, &io->picture, plan, err);
    case XL_PART_VAE_DECODER:
        return xl_picture_build_decoder(&model->vae, source, vae, key->is_tile, &io->picture, plan,
                                        err);
    case XL_N_PARTS:
        break;
    }
    return xl_fail(err, XL_EINTERNAL, "no such part of a model");
}
