/* sdxl.h - the public interface of libsdxl: open a Stable Diffusion XL model, draw pictures, close.
 *
 * A model is opened once and draws any number of pictures. One thread at a time may draw with a
 * model; different models are independent. Every function that can fail returns an xl_status and
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

/* Every status of the library: name, exit code of the command, short text.
 * XL_OK is 0, so `if (status)` reads "if it failed". */
#define XL_STATUS_LIST(X)                                                                          \
    X(XL_OK, 0, "ok")                                                                              \
    X(XL_EINVAL, 2, "invalid value")                                                               \
    X(XL_EINPUT, 2, "unusable input file")                                                         \
    X(XL_EMODEL, 5, "model missing or incomplete")                                                 \
    X(XL_EFORMAT, 5, "damaged or unsupported model file")                                          \
    X(XL_EDISK, 6, "cannot write")                                                                 \
    X(XL_ENOMEM, 3, "out of memory")                                                               \
    X(XL_ENUMERIC, 3, "not a number in the result")                                                \
    X(XL_EPARTIAL, 3, "some pictures failed")                                                      \
    X(XL_ECANCELLED, 130, "interrupted")                                                           \
    X(XL_EINTERNAL, 1, "internal error")

enum xl_status {
#define X(name, exit_code, text) name,
    XL_STATUS_LIST(X)
#undef X
};

/* The short text of a status ("out of memory"); never NULL. */
const char *xl_status_text(enum xl_status status);

/* The sentence of a failure. Zero-initialise: struct xl_err err = {0}; */
struct xl_err {
    char text[1024]; /* UTF-8, one line, no trailing period needed, "" when nothing failed */
};

/* Precision of the arithmetic. AUTO takes bf16 where the CPU has AVX512_BF16 or AMX, else f32. */
enum xl_precision { XL_PRECISION_AUTO, XL_PRECISION_F32, XL_PRECISION_BF16 };

/* Whose random numbers a seed means: PyTorch's CPU generator or its CUDA generator. */
enum xl_rng { XL_RNG_TORCH_CPU, XL_RNG_TORCH_CUDA };

/* Phases that progress is reported for. */
enum xl_phase { XL_PHASE_LOAD, XL_PHASE_ENCODE, XL_PHASE_SAMPLE, XL_PHASE_DECODE };

/* Called between units of work, on the calling thread. `done` of `total` units of `phase` are
 * finished (bytes for LOAD, model evaluations for SAMPLE, pictures for ENCODE, tiles for DECODE).
 * total < 0: nothing new, only asks whether to go on; this happens many times within a unit.
 * Return false to cancel: the running call ends with XL_ECANCELLED. */
typedef bool xl_progress_fn(void *user, enum xl_phase phase, int64_t done, int64_t total);

/* Called after every model evaluation with the latents of the batch: f32 [batch, h/8, w/8,
 * channels], valid during the call. For previews and for comparing steps. */
typedef void xl_latents_fn(void *user, int evaluation, const float *latents, int64_t count);

struct xl_model_params {
    const char *model;           /* repository id ("org/name") in the cache, or a folder */
    const char *revision;        /* branch, tag or commit; NULL: main */
    enum xl_precision precision; /* default AUTO */
    int n_threads;               /* 0: all cores this process may use */
    bool use_reference_backend;  /* the plain-C oracle instead of the fast backend */
    xl_progress_fn *progress;    /* may be NULL; kept for the life of the model */
    void *progress_user;
};

struct xl_model; /* opaque */

/* Fill in the defaults; only `model` is then missing. */
void xl_model_params_default(struct xl_model_params *params);

/* Open a model. Nothing is computed yet; weights are mapped, checked and read on first use.
 * On success *out is owned by the caller: xl_model_close.
 * Errors: XL_EMODEL not in the cache or incomplete (each missing file is named), XL_EFORMAT */
enum xl_status xl_model_open(const struct xl_model_params *params, struct xl_model **out,
                             struct xl_err *err);

/* Release a model and everything it holds. NULL is fine. */
void xl_model_close(struct xl_model *model);

/* What decides pixels on the side of model and program: program version, backend, instruction set,
 * precisions, and a digest of each file of weights and configuration (from the cache's blob names;
 * of files that have none, a fingerprint: a sampled hash). No paths, so a model that was moved
 * keeps its identity. *json: JSON object, compact, the same bytes each time, malloc'd, the
 * caller's. Errors: XL_ENOMEM; XL_EMODEL a file cannot be read any more */
enum xl_status xl_model_identity(const struct xl_model *model, char **json, struct xl_err *err);

/* An 8-bit RGB picture. pixels: [height, width, 3], rows top down, no padding. */
struct xl_image {
    int width, height;
    uint8_t *pixels;
};

/* Free the pixels and reset to {0}. NULL and {0} are fine. */
void xl_image_free(struct xl_image *image);

/* One picture of a batch whose pictures differ: drawn as a request with batch 1 draws it, to the
 * byte. Strings are borrowed for the call. */
struct xl_picture {
    const char *prompt; /* as in struct xl_request, also the others */
    const char *negative;
    uint64_t seed;
    const char *extra;
};

/* What to draw. Get defaults from xl_request_default; strings are borrowed for the call. */
struct xl_request {
    const char *prompt;      /* required; "" is allowed */
    const char *negative;    /* NULL: omitted (zeros where the model says so); "" is encoded */
    int width, height;       /* pixels, multiples of 8; 0: the model's own size */
    int steps;               /* 1..1000 (at most the training steps of the model) */
    double guidance;         /* classifier-free guidance scale; <= 1 turns guidance off */
    double guidance_rescale; /* 0..1, default 0 */
    uint64_t seed;           /* image i of the batch is drawn from seed + i */
    int batch;               /* images, 1.. */
    const char *scheduler;   /* "default": the repository's own; see `sdxl-lab generate --help` */
    enum xl_rng rng;         /* default XL_RNG_TORCH_CPU */
    const struct xl_image *init; /* img2img: the picture to start from, or NULL */
    double strength;             /* img2img: 0..1, how much of the schedule is run */
    int vae_tile;                /* decode in seamless tiles of this many pixels; 0: whole, unless
                                    memory is short */
    xl_latents_fn *latents;      /* may be NULL */
    void *latents_user;
    const struct xl_picture *pictures; /* [batch], in place of prompt, negative, seed and extra; or
                                          NULL */
    const char *extra; /* a JSON object whose members are added to the record, or NULL. The engine's
                          own keys are refused. "profile" (a text) and "requested_width" with
                          "requested_height" (integers) get into the A1111 text as well */
};

void xl_request_default(struct xl_request *request);

/* What was drawn, and how. */
struct xl_result {
    int n_images;
    struct xl_image *images;
    char *record;   /* JSON object, UTF-8: everything that decides the pixels */
    char **records; /* [n_images], with request->pictures: each its own; record is then the first's.
                       NULL otherwise */
    double encode_s, sample_s, decode_s; /* seconds */
    int n_evaluations; /* UNet calls (steps that were really run, times the order) */
    char *warnings;    /* newline-separated sentences ("" when none): truncation, clamps */
};

/* Draw request->batch pictures. The result is the caller's: xl_result_free.
 * Errors: XL_EINVAL a field of the request, XL_ENOMEM, XL_ENUMERIC (NaN or infinity in latents or
 * picture: nothing is returned), XL_ECANCELLED, XL_EMODEL/XL_EFORMAT from reading weights */
enum xl_status xl_generate(struct xl_model *model, const struct xl_request *request,
                           struct xl_result *out, struct xl_err *err);

void xl_result_free(struct xl_result *result);

/* What drawing a request would take, in bytes and floating-point operations (a multiplication and
 * an addition are two). Bytes of work come on top of the weights. */
struct xl_need {
    int64_t weight_bytes; /* packed weights that are not held yet, of all parts of the model */
    int64_t work_bytes;   /* everything else at its peak, the VAE decoding whole pictures */
    int64_t tiled_bytes;  /* the same when it decodes in tiles (of request->vae_tile, else 512) */
    int64_t least_bytes;  /* the same in tiles and with one part of the model at a time, as it is
                             done when memory is short */
    int64_t held_weight_bytes, held_work_bytes; /* held by the model now; what is held for work is
                                                   used again or given back */
    int n_evaluations;                          /* of the UNet, each on the whole batch */
    double encode_flops;                        /* of one prompt, both encoders */
    double init_flops; /* of encoding the init image once; each picture does. 0 without one */
    double step_flops; /* of one UNet evaluation of the batch */
    double decode_flops, tiled_decode_flops; /* of decoding one picture */
};

/* Tell what xl_generate would need, without drawing, reading weights or taking that memory. The
 * pixels of request->init are not looked at. The first time for a shape takes up to a second, which
 * xl_generate then saves. Errors: XL_EINVAL as xl_generate; XL_ENOMEM */
enum xl_status xl_model_need(struct xl_model *model, const struct xl_request *request,
                             struct xl_need *out, struct xl_err *err);

/* Read the weight files of a model into the page cache, so that opening and drawing with it later
 * finds them there. Nothing is kept. For another thread than the one that draws; reads in pieces of
 * a megabyte and calls params->progress between them (XL_PHASE_LOAD, bytes), which may cancel.
 * Stops early when less memory is available than is left to read. Of params only model, revision
 * and progress count. Errors: XL_EMODEL and XL_EFORMAT as xl_model_open; XL_ECANCELLED; XL_ENOMEM
 */
enum xl_status xl_model_prefetch(const struct xl_model_params *params, struct xl_err *err);

/* Read a PNG, JPEG or WebP file (told by its content) as 8-bit RGB; alpha is dropped.
 * Errors: XL_EINPUT unreadable, damaged or larger than 64 megapixels */
enum xl_status xl_image_load(const char *path, struct xl_image *out, struct xl_err *err);

/* The record that a PNG of picture `image` carries: result's, and which picture it is.
 * *record: JSON object, malloc'd, the caller's. Errors: XL_EINVAL no such picture, XL_ENOMEM */
enum xl_status xl_result_record(const struct xl_result *result, int image, char **record,
                                struct xl_err *err);

/* Write a PNG with the record of `result` (A1111 `parameters` text and full JSON). image: its index
 * in result->images. Whole or absent: a temporary file is renamed; an existing file is not
 * replaced. Errors: XL_EDISK */
enum xl_status xl_result_save_png(const struct xl_result *result, int image, const char *path,
                                  struct xl_err *err);

/* The record in a PNG that xl_result_save_png wrote; other texts in it may be damaged. The pixels
 * are not looked at. *record: JSON object, malloc'd, the caller's.
 * Errors: XL_EINPUT no such file, no PNG, shortened, no record or a damaged one; XL_ENOMEM */
enum xl_status xl_record_read(const char *path, char **record, struct xl_err *err);

#ifdef __cplusplus
}
#endif
#endif
