/* repo.h - SDXL repositories with random weights: their sizes, their tensors, their files.
 *
 * Speed, memory and arithmetic of such a model are those of a trained one; its pictures are noise.
 * The demo and the benchmarks use it, because nothing is downloaded for them.
 */
#ifndef XL_RANDOM_REPO_REPO_H
#define XL_RANDOM_REPO_REPO_H

#include "base/arena.h"
#include "base/threads.h"
#include "tensor/tensor.h"

enum { XL_REPO_LEVELS = 4 };

struct xl_repo_text {
    int hidden, intermediate, layers, heads, projection;
    bool is_projected; /* has text_projection: CLIPTextModelWithProjection */
    const char *activation;
};

struct xl_repo_unet {
    int n_levels;
    int channels[XL_REPO_LEVELS];
    int depth[XL_REPO_LEVELS]; /* transformer blocks of an attention; 0: a level without attention
                                */
    int heads[XL_REPO_LEVELS];
    int layers_per_block;
    int size_embed; /* addition_time_embed_dim: channels of each of the six size numbers */
    int sample_size;
};

struct xl_repo_vae {
    int n_levels;
    int channels[XL_REPO_LEVELS];
    int layers_per_block;
    int sample_size;
};

/* Everything that decides a repository, but the seed and the dtype. */
struct xl_repo_size {
    const char *name;
    int vocab;
    struct xl_repo_text text[2];
    struct xl_repo_unet unet;
    struct xl_repo_vae vae;
};

enum { XL_REPO_LATENT = 4, XL_REPO_TOKENS = 77 };

/* "full": SDXL base 1.0, "tiny": the same shape in about 8 MB, "words": that with CLIP's own
 * vocabulary. NULL for another name. */
const struct xl_repo_size *xl_repo_size_find(const char *name);

/* The width of the text that the UNet attends to, and of its pooled form with the size numbers. */
int xl_repo_cross_dim(const struct xl_repo_size *size);
int xl_repo_added_dim(const struct xl_repo_size *size);

/* How the numbers of a tensor are drawn. */
enum xl_repo_fill { XL_FILL_ONES, XL_FILL_NORMAL };

struct xl_repo_tensor {
    const char *name; /* diffusers'; decides the numbers */
    struct xl_shape shape;
    enum xl_repo_fill fill;
    float deviation; /* NORMAL: standard deviation, mean 0 */
    /* As the file has it; zeros: as it is. */
    const char *stored; /* its name there; "": more rows of the tensor before */
    bool is_turned;     /* rows and columns change places */
};

/* The tensors of one component, in file order. Out of memory is sticky. */
struct xl_repo_tensors {
    struct xl_arena arena; /* names */
    struct xl_repo_tensor *items;
    int n, capacity;
    bool failed;
};

/* Append the tensors of a component under the names that diffusers gives them.
 * Source: the modules CLIPTextModel, UNet2DConditionModel and AutoencoderKL */
void xl_repo_text_tensors(struct xl_repo_tensors *list, const struct xl_repo_size *size, int which);
void xl_repo_unet_tensors(struct xl_repo_tensors *list, const struct xl_repo_size *size);
void xl_repo_vae_tensors(struct xl_repo_tensors *list, const struct xl_repo_size *size);
/* A tensor whose name lives as long as the list. */
void xl_repo_append(struct xl_repo_tensors *list, struct xl_repo_tensor tensor);
void xl_repo_tensors_deinit(struct xl_repo_tensors *list);
int64_t xl_repo_tensors_count(const struct xl_repo_tensors *list); /* parameters */

enum xl_repo_component { XL_REPO_TEXT, XL_REPO_TEXT_2, XL_REPO_UNET, XL_REPO_VAE, XL_REPO_N };

/* Append the tensors of all components as a checkpoint in one file has them, under the key names of
 * the first implementation (src/weights/original.h). */
void xl_repo_single_tensors(struct xl_repo_tensors *list, const struct xl_repo_size *size);

/* Append the tensors of a LoRA of this rank for the UNet and both text encoders. */
void xl_repo_lora_tensors(struct xl_repo_tensors *list, const struct xl_repo_size *size, int rank);

struct xl_repo_params {
    const struct xl_repo_size *size;
    enum xl_dtype dtype;
    uint64_t seed;
    bool is_sparse; /* only headers: the numbers are holes, which read as zeros and take no room */
};

/* Stream a safetensors file. The bytes depend on the names, the dtype and the seed alone.
 * Errors: XL_EDISK, XL_ENOMEM; a file that could not be finished is removed */
enum xl_status xl_repo_write_weights(const char *path, const struct xl_repo_tensors *list,
                                     const struct xl_repo_params *params, struct xl_pool *pool,
                                     struct xl_err *err) XL_CHECKED;

/* Write model_index.json, the configurations and both tokenizers into dir, whose folders exist.
 * Errors: XL_EDISK, XL_ENOMEM */
enum xl_status xl_repo_write_configs(const char *dir, const struct xl_repo_size *size,
                                     struct xl_err *err) XL_CHECKED;

#endif
