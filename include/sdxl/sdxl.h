/* sdxl.h - the public interface of libsdxl: open a device and a Stable Diffusion XL model, draw
 * pictures, close. Without checks:
 *
 *     xl_device_open(&device_params, &device, &err);
 *     xl_model_open(&model_params, &model, &err);
 *     xl_generate(device, model, &request, &result, &err);
 *     xl_result_save_png(&result, 0, "lighthouse.png", &err);
 *     xl_result_free(&result), xl_model_close(model), xl_device_close(device);
 *
 * examples/txt2img.c is the whole program.
 *
 * A model is files that were read and checked; it knows no device, does not change once it is open
 * and may be used by several threads and devices. A device computes: it holds the packed weights
 * and compiled plans of the models that were drawn with it, several of them as long as memory
 * lasts, and belongs to one thread at a time. Every function that can fail returns an xl_status and
 * takes a last parameter `struct xl_err *err` (may be NULL) that receives one sentence saying which
 * file or field, what was found, what was expected and what to do. Outputs are untouched on
 * failure.
 */
#ifndef SDXL_SDXL_H
#define SDXL_SDXL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Every status of the library: name, short text. XL_OK is 0, so `if (status)` reads "if it failed".
 */
#define XL_STATUS_LIST(X)                                                                          \
    X(XL_OK, "ok")                                                                                 \
    X(XL_EINVAL, "invalid value")                                                                  \
    X(XL_EINPUT, "unusable input file")                                                            \
    X(XL_EMODEL, "model missing or incomplete")                                                    \
    X(XL_EFORMAT, "damaged or unsupported model file")                                             \
    X(XL_EDISK, "cannot write")                                                                    \
    X(XL_ENOMEM, "out of memory")                                                                  \
    X(XL_EDEVICE, "no usable GPU")                                                                 \
    X(XL_ENUMERIC, "not a number in the result")                                                   \
    X(XL_EPARTIAL, "some pictures failed")                                                         \
    X(XL_EWORKER, "a worker process died")                                                         \
    X(XL_ENETWORK, "download failed")                                                              \
    X(XL_ESCHEDULER, "the cluster's scheduler refused or is not there")                            \
    X(XL_ECANCELLED, "interrupted")                                                                \
    X(XL_EYIELD, "gave way to somebody else's work")                                               \
    X(XL_EINTERNAL, "internal error")

enum xl_status {
#define X(name, text) name,
    XL_STATUS_LIST(X)
#undef X
};

/* The short text of a status ("out of memory"); never NULL. */
const char *xl_status_text(enum xl_status status);

/* The sentence of a failure. Zero-initialise: struct xl_err err = {0}; */
struct xl_err {
    char text[1024]; /* UTF-8, one line, no trailing period needed, "" when nothing failed */
};

/* Precision of the arithmetic. AUTO takes f16 on a GPU, bf16 on a CPU that has instructions for it,
 * else f32. A CPU does not compute in f16. F8: f16, but for large products of the UNet, which are
 * in E4M3 (8 bits); on GPUs of compute capability 9.0 and later. */
enum xl_precision {
    XL_PRECISION_AUTO,
    XL_PRECISION_F32,
    XL_PRECISION_BF16,
    XL_PRECISION_F16,
    XL_PRECISION_F8,
};

/* Whose random numbers a seed means: PyTorch's CPU generator or its CUDA generator. */
enum xl_rng { XL_RNG_TORCH_CPU, XL_RNG_TORCH_CUDA };

/* Phases that progress is reported for. */
enum xl_phase { XL_PHASE_LOAD, XL_PHASE_ENCODE, XL_PHASE_SAMPLE, XL_PHASE_DECODE };

/* Called between units of work, on the calling thread. `done` of `total` units of `phase` are
 * finished (bytes for LOAD, model evaluations for SAMPLE, pictures for ENCODE and DECODE).
 * total < 0: nothing new, only asks whether to go on; this happens many times within a unit.
 * Return false to cancel: the running call ends with XL_ECANCELLED. */
typedef bool xl_progress_fn(void *user, enum xl_phase phase, int64_t done, int64_t total);

/* Called after model evaluations with the latents of the batch: f32 [batch, h/8, w/8, channels],
 * valid during the call. For previews and for comparing steps. */
typedef void xl_latents_fn(void *user, int evaluation, const float *latents, int64_t count);

/* --- Devices --------------------------------------------------------------------------------- */

struct xl_device_params {
    const char *name; /* "auto": the first GPU, else the CPU; "cpu"; "cuda" or "cuda:N": a GPU, by
                         its number among those that CUDA_VISIBLE_DEVICES leaves visible;
                         "reference": the slow oracle in plain C */
    int n_threads;    /* of a CPU; 0: all cores this process may use */
    int64_t budget_bytes; /* what weights and work of all models may take; 0: what is free; models
                             that are not at work may then take three quarters of the memory */
};

struct xl_device; /* opaque */

/* Whether a device may have this name; whether it is there shows when it is opened.
 * Errors: XL_EINVAL */
enum xl_status xl_device_check_name(const char *name, struct xl_err *err);

/* Fill in the defaults: "auto" and zeros. */
void xl_device_params_default(struct xl_device_params *params);

/* Open a device. On success *out is owned by the caller: xl_device_close.
 * Errors: XL_EINVAL an unknown name; XL_EDEVICE no such GPU, or one that cannot be used (not with
 * "auto", which then takes the CPU, and results warn of it); XL_ENOMEM */
enum xl_status xl_device_open(const struct xl_device_params *params, struct xl_device **out,
                              struct xl_err *err);

/* Release a device and everything it holds. NULL is fine. Models may be closed before or after. */
void xl_device_close(struct xl_device *device);

struct xl_device_info {
    const char *name;      /* "cpu": what xl_device_params.name means it */
    const char *isa;       /* "AVX-512 with BF16": what the kernels were chosen for; of a GPU its
                              name, what it is and its driver */
    const char *libraries; /* "oneDNN 2.6.3": those that compute; "" for none */
    int n_threads;
};

/* Valid until the device is closed. */
const struct xl_device_info *xl_device_info(const struct xl_device *device);

/* What a precision means on this device: what is asked for, or AUTO's choice. */
enum xl_precision xl_device_precision(const struct xl_device *device, enum xl_precision asked);
/* Whether the device computes in it. Errors: XL_EINVAL */
enum xl_status xl_device_check_precision(const struct xl_device *device, enum xl_precision asked,
                                         struct xl_err *err);
/* "F32", "BF16", "F16", "F8", "AUTO" */
const char *xl_precision_name(enum xl_precision precision);
/* And back, in either case; AUTO for any other name. */
enum xl_precision xl_precision_of_name(const char *name);

/* How this device computes, a JSON object: {program, device, isa, libraries, precision (as chosen
 * for `asked`), vae_precision}. Records have it as "drawn_by": where it is equal, the same request
 * gives the same picture to the byte. *json: malloc'd, the caller's. Errors: XL_EINVAL a precision
 * that it does not compute in; XL_ENOMEM */
enum xl_status xl_device_fingerprint(const struct xl_device *device, enum xl_precision asked,
                                     char **json, struct xl_err *err);

/* --- Models ---------------------------------------------------------------------------------- */

/* A LoRA: a file of changes that are added to a model's weights (docs/LORA.md says which kinds). A
 * model with LoRAs is a model of its own; whatever they do not change, devices share with the model
 * without them. The order of several does not matter. Both scales 0: as if it were not there. */
struct xl_lora {
    const char *file;
    double text_scale, unet_scale; /* how much of it the text encoders and the UNet get; 1: as is */
};

struct xl_model_params {
    const char *model;           /* repository id ("org/name") in the cache, one file of it
                                    ("org/name:file.safetensors"), a folder, or a .safetensors file:
                                    diffusers' layout, or a checkpoint with the original names */
    const char *revision;        /* branch, tag or commit; NULL: main */
    const char *vae;             /* another VAE than the model's own, named likewise: a VAE, or a
                                    model that has one; NULL: its own */
    const struct xl_lora *loras; /* [n_loras], added up */
    int n_loras;
    bool is_brief; /* to be looked at alone: no file is read for its digest. Those in info are NULL,
                      and there is no drawing with such a model */
};

struct xl_model; /* opaque */

/* Fill in the defaults; only `model` is then missing. */
void xl_model_params_default(struct xl_model_params *params);

/* Open a model: its files are found, mapped and checked; configurations and tokenizers are read. No
 * device is touched. Weights are read when they are first drawn with; but of a file outside a cache
 * that names it by its digest all is read once to find that. Digests of large files are kept in
 * "sdxl-lab/digests" of XDG_CACHE_HOME, by default ~/.cache, until the file changes.
 * On success *out is owned by the caller: xl_model_close.
 * Errors: XL_EMODEL not in the cache or incomplete (each missing file is named), XL_EFORMAT;
 * XL_EINVAL a scale that is no number */
enum xl_status xl_model_open(const struct xl_model_params *params, struct xl_model **out,
                             struct xl_err *err);

/* Give a model up; devices may hold on to it until they need its memory. NULL is fine. */
void xl_model_close(struct xl_model *model);

/* A file that decides pixels. */
struct xl_file_info {
    const char *role; /* "unet", "unet/config.json", "scheduler", "tokenizer/merges.txt";
                         "checkpoint": one file for all components */
    const char *path;
    const char *digest; /* hexadecimal: the cache's name of its blob, or SHA-256 of the file */
};

struct xl_component_info {
    const char *name; /* "unet", "vae", "text_encoder", "text_encoder_2" */
    int64_t n_parameters, bytes;
    const char *dtype;                /* that most bytes have: "F16" */
    const struct xl_file_info *files; /* [n_files]: of the weights */
    int n_files;
};

/* A LoRA of an open model. */
struct xl_lora_info {
    const char *name; /* of the file, without ".safetensors" */
    const char *path;
    const char *digest; /* hexadecimal: the cache's name of its blob, or SHA-256 of the file */
    double text_scale, unet_scale;
    int n_modules, n_applied; /* that the file changes; those of them that the model has */
};

struct xl_model_info {
    const char *id;              /* "org/name", or the folder or file as given */
    const char *name;            /* what records call it: "org/name", "org/name:file", or the last
                                    part of a path */
    const char *commit;          /* 40 hex digits; NULL for a plain folder */
    const char *dir;             /* folder of model_index.json, or of the one file */
    int width, height;           /* the model's own size, pixels */
    int unit;                    /* sides are multiples of it */
    const char *scheduler_class; /* that the scheduler "default" draws with */
    bool force_zeros_for_empty_prompt;
    const struct xl_component_info *components; /* [n_components], the UNet first */
    int n_components;
    const struct xl_file_info *files; /* [n_files]: all that decide pixels, but LoRAs */
    int n_files;
    const struct xl_lora_info *loras; /* [n_loras]: in the order of their digests */
    int n_loras;
    /* 64 hexadecimal digits over the digests of all files, LoRAs and their scales, and what else of
     * the model decides pixels. No paths: a model that was moved keeps it. */
    const char *digest;
};

/* Valid until the model is closed. */
const struct xl_model_info *xl_model_info(const struct xl_model *model);

/* --- Pictures -------------------------------------------------------------------------------- */

/* An 8-bit RGB picture. pixels: [height, width, 3], rows top down, no padding. */
struct xl_image {
    int width, height;
    uint8_t *pixels;
};

/* Free the pixels and reset to {0}. NULL and {0} are fine. */
void xl_image_free(struct xl_image *image);

/* One picture. Strings are borrowed for the call. */
struct xl_picture {
    const char *prompt;   /* required; "" is allowed */
    const char *negative; /* NULL: omitted (zeros where the model says so); "" is encoded */
    uint64_t seed;
    const char *extra; /* a JSON object whose members are added to the record, or NULL; those that
                          the record has of its own stay as they are. "prompt" and "negative" say
                          what was asked for, where it is not what is drawn. "profile" (a text) and
                          "requested_width" with "requested_height" (integers) get into the A1111
                          text as well */
};

/* Called after every model evaluation with the latents of the batch: f32 [batch, h/8, w/8,
 * channels], valid during the call. For previews and for comparing steps. */
typedef void xl_latents_fn(void *user, int evaluation, const float *latents, int64_t count);

/* A textual inversion: a file of vectors for both text encoders, which a word of the texts stands
 * for (docs/EMBEDDINGS.md). Unlike LoRAs it belongs to the request: no model changes. */
struct xl_embedding {
    const char *file;   /* .safetensors */
    const char *word;   /* found whatever its case where it stands by itself; no blank or comma */
    const char *digest; /* SHA-256 that the file must have, hexadecimal; NULL: whichever */
};
enum { XL_EMBEDDINGS_MAX = 64 }; /* of a request */

/* How a text is read. PLAIN: as it stands and cut to one chunk (75 tokens), as diffusers has it.
 * A1111: (weights:1.2), [from:to:0.5], [a|b] and BREAK of AUTOMATIC1111. COMPEL: weights+, (of
 * compel)1.2, .blend() and .and(). Both take longer texts in several chunks. docs/PROMPTS.md */
enum xl_prompt_syntax { XL_PROMPT_PLAIN, XL_PROMPT_A1111, XL_PROMPT_COMPEL };
enum { XL_CLIP_SKIP_OWN = 2 }; /* the one before the last, which SDXL was trained with */
/* "plain", "a1111", "compel" */
const char *xl_prompt_syntax_name(enum xl_prompt_syntax syntax);

/* What to draw: pictures that share everything but their texts and seeds. Each is drawn as it would
 * be alone, to the byte. Get defaults from xl_request_default; strings are borrowed for the call.
 */
struct xl_request {
    const struct xl_picture *pictures; /* [n_pictures] */
    int n_pictures;                    /* 1..64 */
    int width, height;                 /* pixels, multiples of 8; 0: the model's own size */
    int steps;                         /* 1..1000 (at most the training steps of the model) */
    double guidance;                   /* classifier-free guidance scale; <= 1 turns it off */
    double guidance_rescale;           /* 0..1, default 0 */
    const char *scheduler; /* "default": the repository's own; see `sdxl-lab generate --help` */
    enum xl_prompt_syntax prompt_syntax; /* default XL_PROMPT_PLAIN */
    int clip_skip; /* the hidden states of the text encoders that are used, counted from the last,
                      1; 0 means XL_CLIP_SKIP_OWN */
    const struct xl_embedding *embeddings; /* [n_embeddings]; words that differ */
    int n_embeddings;
    enum xl_rng rng;             /* default XL_RNG_TORCH_CPU */
    const struct xl_image *init; /* img2img: the picture to start from, or NULL */
    double strength;             /* img2img: 0..1, how much of the schedule is run */
    int vae_tile;                /* decode in seamless tiles of this many pixels; 0: whole, unless
                                    memory is short */
    enum xl_precision precision; /* default AUTO */
    xl_progress_fn *progress;    /* may be NULL */
    void *progress_user;
    xl_latents_fn *latents; /* may be NULL */
    void *latents_user;
    int latents_every; /* it is called after every so many evaluations, and after the last; 0: 1 */
};

void xl_request_default(struct xl_request *request);

/* A picture that was drawn, and how. */
struct xl_drawn_picture {
    struct xl_image image;
    char *record;     /* JSON object, UTF-8: everything that decides the pixels, and `extra` */
    char *parameters; /* the same as AUTOMATIC1111's tools write it */
    void *png;        /* the file, once xl_result_encode_png has made it; else NULL */
    size_t png_bytes;
};

struct xl_result {
    int n_pictures;
    struct xl_drawn_picture *pictures;   /* in the order of the request */
    double encode_s, sample_s, decode_s; /* seconds */
    int n_evaluations; /* UNet calls (steps that were really run, times the order) */
    char *warnings;    /* newline-separated sentences ("" when none): truncation, clamps */
};

/* Draw the pictures of a request. The result is the caller's: xl_result_free.
 * Errors: XL_EINVAL a field of the request, XL_ENOMEM, XL_ENUMERIC (NaN or infinity in latents or
 * picture: nothing is returned), XL_ECANCELLED, XL_EMODEL/XL_EFORMAT from reading weights and
 * embeddings, XL_EINPUT an embedding of another digest */
enum xl_status xl_generate(struct xl_device *device, struct xl_model *model,
                           const struct xl_request *request, struct xl_result *out,
                           struct xl_err *err);

void xl_result_free(struct xl_result *result);

/* What drawing a request would take, in bytes and floating-point operations (a multiplication and
 * an addition are two). Bytes of work come on top of the weights. */
struct xl_need {
    int64_t weight_bytes; /* packed weights that the device does not hold yet */
    int64_t work_bytes;   /* everything else at its peak, the VAE decoding whole pictures */
    int64_t tiled_bytes;  /* the same when it decodes in tiles (of request->vae_tile, else 512) */
    int64_t least_bytes;  /* the same in tiles and with one part of the model at a time, as it is
                             done when memory is short */
    int64_t held_weight_bytes, held_work_bytes; /* held by the device now, of all models; what is
                                                   held for work is used again or given back */
    int64_t available_bytes; /* what weight_bytes and work may take together: what is free within
                                the budget, and what the device would give up for the request */
    int n_evaluations;       /* of the UNet, each on all pictures */
    double init_flops;       /* of encoding the init image, once for all pictures; 0 without one */
    double step_flops;       /* of one UNet evaluation of all pictures */
    double decode_flops, tiled_decode_flops; /* of decoding one picture */
};

/* Whether the model has all that drawing asks for: every tensor with its shape, a scheduler and
 * tokenizers that go with it. Reads headers, no weights, and needs no device.
 * Errors: XL_EMODEL a tensor is missing; XL_EFORMAT one of another shape or dtype, or what a
 * configuration cannot do; XL_ENOMEM */
enum xl_status xl_model_check_whole(struct xl_model *model, struct xl_err *err);

/* Whether the model can draw a request: what xl_generate refuses before it draws, this refuses with
 * the same sentence. Needs no device; the pixels of request->init are not looked at.
 * Errors: XL_EINVAL a field of the request; XL_EFORMAT what the model's configuration cannot do;
 * those of embeddings; XL_ENOMEM */
enum xl_status xl_model_check(struct xl_model *model, const struct xl_request *request,
                              struct xl_err *err);

/* Tell what xl_generate would need, without drawing, reading weights or taking that memory. The
 * pixels of request->init are not looked at. The first time for a shape takes up to a second.
 * Errors: XL_EINVAL as xl_generate; XL_ENOMEM */
enum xl_status xl_model_need(struct xl_device *device, struct xl_model *model,
                             const struct xl_request *request, struct xl_need *out,
                             struct xl_err *err);

/* Read the files that a picture is drawn with into the page cache, so that opening and drawing
 * later finds them there: weights of a model, its other VAE and LoRAs, embeddings (as in a
 * request). params->model NULL: only what is said beside it. Nothing is kept. For another thread
 * than the one that draws; reads in pieces of a megabyte and calls progress (may be NULL) between
 * them (XL_PHASE_LOAD, bytes of all these files), which may cancel. Stops early when less memory is
 * available than is left to read.
 * Errors: XL_EMODEL and XL_EFORMAT as xl_model_open; XL_ECANCELLED; XL_ENOMEM */
enum xl_status xl_model_prefetch(const struct xl_model_params *params,
                                 const struct xl_embedding *embeddings, int n_embeddings,
                                 xl_progress_fn *progress, void *user, struct xl_err *err);

/* Whether models can be made ready on a device while it draws: on a GPU, which copies and computes
 * at the same time. On a CPU only reading ahead is worth it: xl_model_prefetch. */
bool xl_device_prepares(const struct xl_device *device);

/* Make a model ready for a request on another thread than the one that draws with the device, one
 * at a time: weights are brought there and plans compiled, as far as there is memory that the model
 * that draws does not want; models that were used longest ago may go for it. xl_generate then finds
 * it; it waits where this is still at work for the same model. request->progress is called on this
 * thread and may cancel; nothing else of the request's functions is. The device must stay open.
 * *is_ready: whether all of it is there. Does nothing where xl_device_prepares is false.
 * Errors: as xl_generate, which will meet them again */
enum xl_status xl_model_prepare(struct xl_device *device, struct xl_model *model,
                                const struct xl_request *request, bool *is_ready,
                                struct xl_err *err);

/* --- Files ----------------------------------------------------------------------------------- */

/* Read a PNG, JPEG or WebP file (told by its content) as 8-bit RGB; alpha is dropped.
 * Errors: XL_EINPUT unreadable, damaged or larger than 64 megapixels */
enum xl_status xl_image_load(const char *path, struct xl_image *out, struct xl_err *err);

/* Make the files that xl_result_save_png writes (which else makes them itself, one at a time) on so
 * many threads; 0: on all cores. They are held until xl_result_free. Errors: XL_ENOMEM, which
 * leaves those that were made */
enum xl_status xl_result_encode_png(struct xl_result *result, int n_threads, struct xl_err *err);

/* Write a PNG with the record of a picture (A1111 `parameters` text and full JSON). i: its index in
 * result->pictures. Whole or absent: a temporary file is renamed; an existing file is not replaced.
 * Errors: XL_EINVAL no such picture, XL_EDISK */
enum xl_status xl_result_save_png(const struct xl_result *result, int i, const char *path,
                                  struct xl_err *err);

/* "format" of a record. Records of version 0.1.0 have no number: program, isa, ... stand beside the
 * rest there, and the prompt as drawn is called "prompt". */
enum { XL_RECORD_FORMAT = 2 };

/* The record in a PNG that xl_result_save_png wrote; other texts in it may be damaged. The pixels
 * are not looked at. *record: JSON object, malloc'd, the caller's.
 * Errors: XL_EINPUT no such file, no PNG, shortened, no record or a damaged one; XL_ENOMEM */
enum xl_status xl_record_read(const char *path, char **record, struct xl_err *err);

/* The same for the bytes of any file, which name stands for; *record NULL: there is none in them.
 * Errors: XL_EINPUT a PNG that is damaged or shortened, or whose record is; XL_ENOMEM */
enum xl_status xl_record_find(const char *name, const void *data, size_t n, char **record,
                              struct xl_err *err);

#ifdef __cplusplus
}
#endif
#endif
