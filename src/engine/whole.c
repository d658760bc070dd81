/* whole.c - whether a model has all that drawing asks for, before anybody draws: the plans of its
 * parts are built from the headers of its files and thrown away. Needs no device. */
#include "engine/engine.h"

#include <stdlib.h>

/* A side of the smallest latents that every level of a UNet can halve. */
static int small_side(const struct xl_model *model) {
    int side = 8;
    while (side < 1 << (model->unet.n_blocks - 1)) side *= 2;
    return side;
}

static enum xl_status check_part(const struct xl_model *model, enum xl_part part,
                                 struct xl_err *err) {
    int side = small_side(model);
    bool is_vae = xl_part_component(part) == XL_VAE;
    struct xl_part_key key = {.part = part, .act_dtype = XL_DTYPE_F32, .n = 1};
    if (!is_vae) key.tokens = model->n_tokens;
    if (is_vae || part == XL_PART_UNET) key.height = key.width = side;
    if (part == XL_PART_UNET) key.batch = key.steps = 1;
    union xl_part_io io;
    struct xl_plan *plan = NULL;
    enum xl_status status = xl_part_build(model, &key, &io, &plan, err);
    if (!status) xl_plan_free(plan);
    return status;
}

/* What stands around every prompt, and a word, are ids that the encoder knows. */
static enum xl_status check_tokens(const struct xl_model *model, int e, struct xl_err *err) {
    int n_dropped = 0;
    int32_t *ids = calloc((size_t)model->n_tokens, sizeof *ids);
    if (!ids) return xl_fail_nomem(err, "token ids", 0);
    enum xl_status status =
        xl_tokenize_padded(model->tokenizer[e], "a cat", model->n_tokens, ids, &n_dropped, err);
    if (!status) status = xl_model_check_ids(model, e, ids, 0, err);
    free(ids);
    return status;
}

enum xl_status xl_model_check_whole(struct xl_model *model, struct xl_err *err) {
    struct xl_scheduler_config config;
    char *notice = NULL;
    enum xl_status status = xl_scheduler_config_read(
        xl_model_scheduler(model), model->files.scheduler_class, "default", &config, &notice, err);
    if (status) return status;
    free(notice);
    for (int e = 0; !status && e < XL_N_ENCODERS; e++) status = check_tokens(model, e, err);
    for (enum xl_part part = 0; !status && part < XL_N_PARTS; part++)
        status = check_part(model, part, err);
    return status;
}
