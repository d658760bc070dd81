/* build.h - what the model sources share: a place in a model (a diffusers module path), the checked
 * tensors of that place, and the layers that take their weights from there.
 *
 * The model sources read like the module tree of diffusers:
 *
 *     struct xl_module block = xl_module_sub(&root, "down_blocks.%d", i);
 *     x = xl_build_conv3x3(&block, "conv1", x, channels, (struct xl_conv2d){0});
 *
 * Every tensor is asked for with the shape that the configuration implies. The first one that is
 * missing or has another shape becomes the error of the plan.
 */
#ifndef XL_MODEL_BUILD_H
#define XL_MODEL_BUILD_H

#include "backend/ops.h"
#include "base/arena.h"
#include "weights/weights.h"

/* Every tensor that a model asks for, listed by building it without files: counts parameters,
 * foretells memory, tells a generator of random weights what to write. Zero-initialise. */
struct xl_manifest {
    struct xl_arena arena;
    struct xl_tensor **tensors; /* name and shape; bf16 without data: such a plan cannot be run */
    int n, capacity;
};

/* The plans built with the manifest must be freed before. */
void xl_manifest_deinit(struct xl_manifest *manifest);
int64_t xl_manifest_parameters(const struct xl_manifest *manifest);

/* The tensors of a component under the names that the model asks for, wherever they come from: the
 * files of a folder, one file with other names, low-rank deltas on top. */
struct xl_tensors {
    const char *label; /* "unet", for messages */
    /* Fill in the part of that name: tensor, id, deltas. False: there is none. What it points to
     * must live as long as the plan is not compiled. */
    bool (*find)(const void *user, const char *name, struct xl_weight_part *out);
    const void *user;
    /* Why one that is not found cannot be used; NULL: it is not there. May be NULL. */
    const char *(*why_not)(const void *user, const char *name);
};

/* Where a component's tensors come from, or (find NULL) a manifest that lists what is asked for. */
struct xl_source {
    struct xl_tensors tensors;
    struct xl_manifest *manifest;
};

/* Files that hold a component under its own names. */
struct xl_file_tensors {
    const struct xl_weights *weights;
    struct xl_weight_id base; /* tells the component's tensors from all others of their names */
};
/* files must live as long as the source. */
struct xl_source xl_source_of_files(const struct xl_file_tensors *files);

enum { XL_MODULE_PATH = 160 };

/* A place in a model. The root has the path "". Small enough to pass around by copying. */
struct xl_module {
    struct xl_plan *plan;
    struct xl_source source;
    char path[XL_MODULE_PATH];
};

/* Finish the module's plan and hand it to *out, or free it and report its first mistake. */
enum xl_status xl_build_finish(const struct xl_module *module, struct xl_plan **out,
                               struct xl_err *err) XL_CHECKED;

struct xl_module xl_module_sub(const struct xl_module *module, const char *format, ...)
    XL_PRINTF(2, 3);
/* Whether the source has this tensor of the module ("to_q.weight"); a manifest has none. */
bool xl_module_has(const struct xl_module *module, const char *name);
/* Name a value of the module's output after it, for parity tests; returns the value. */
xl_val xl_module_tap(const struct xl_module *module, xl_val value);

/* The tensor `name` of the module, which must have this shape. */
xl_val xl_build_weight(const struct xl_module *module, const char *name, struct xl_shape shape);

/* Shape of a value; rank 0 and zeros once the plan has failed, so that building may go on. */
struct xl_shape xl_build_shape(const struct xl_module *module, xl_val value);
int64_t xl_build_channels(const struct xl_module *module, xl_val value); /* its last dimension */

/* The value in another dtype; the value itself when it has that one. */
xl_val xl_build_cast(const struct xl_module *module, xl_val value, enum xl_dtype dtype);

/* Declare an output of the plan, in f32. Returns the value to read. */
xl_val xl_build_output(const struct xl_module *module, xl_val value, const char *name);

/* Linear layers of one input side by side, as one product over their stacked weights. A weight is
 * [out, in] or, for a 1x1 convolution, [out, in, 1, 1]: the same product, so that files which hold
 * the other form (older ones do) are as good. */
struct xl_layer {
    const char *names[XL_MAX_PARTS]; /* submodules; the rest is NULL */
    int64_t out;                     /* channels of each */
    bool is_conv;
    bool no_bias;
    xl_val residual;
    enum xl_activation act;
    bool in_f8; /* see ops.h */
};
/* x: [..., c] -> [..., number of names * out] */
xl_val xl_build_linear(const struct xl_module *module, xl_val x, struct xl_layer layer);

/* A 3x3 convolution with a bias, padded by 1 on every side. attr: everything but weight, bias and
 * padding. x: [n, h, w, c] -> [n, h', w', out] */
xl_val xl_build_conv3x3(const struct xl_module *module, const char *name, xl_val x, int64_t out,
                        struct xl_conv2d attr);

/* Norms over the channels of x with their weight and bias. */
xl_val xl_build_group_norm(const struct xl_module *module, const char *name, xl_val x,
                           struct xl_group_norm attr);
xl_val xl_build_layer_norm(const struct xl_module *module, const char *name, xl_val x, double eps);

/* diffusers' ResnetBlock2D, of UNet and VAE:
 *   h = conv1(silu(norm1(x))) + time_emb_proj(temb)
 *   x' = conv_shortcut(x) + conv2(silu(norm2(h)))       (conv_shortcut where the channels change)
 */
struct xl_resnet {
    int64_t out;
    int groups;
    double eps;
    xl_val temb; /* [n, time_embed_dim], after its silu; none in the VAE */
    bool in_f8;  /* the 3x3 convolutions; see ops.h */
};
xl_val xl_build_resnet(const struct xl_module *module, xl_val x, struct xl_resnet resnet);

#endif
