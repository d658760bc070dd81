/* engine.h - a loaded model, as the files of this folder share it. The public face is sdxl/sdxl.h.
 *
 * Nothing is computed by opening: the files are found, mapped and checked, the configurations and
 * tokenizers read. Each part of the model becomes a `stage` (a plan and its executable) when it is
 * first needed at a shape; a stage is kept until another shape is asked for, packed weights for as
 * long as the model is open.
 */
#ifndef XL_ENGINE_ENGINE_H
#define XL_ENGINE_ENGINE_H

#include "backend/backend.h"
#include "base/arena.h"
#include "base/str.h"
#include "hub/hub.h"
#include "model/clip.h"
#include "model/unet.h"
#include "model/vae.h"
#include "sampler/sampler.h"
#include "text/tokenizer.h"
#include "weights/weights.h"

/* A compiled plan; all zero when there is none. */
struct xl_stage {
    struct xl_plan *plan;
    struct xl_exec *exec;
};

/* What a prompt became. */
struct xl_encoded {
    char *prompt;  /* NULL: an unused entry */
    float *text;   /* [tokens, width of both encoders] */
    float *pooled; /* [pooled width] */
    int n_dropped; /* tokens cut off, the larger of the two encoders */
    uint64_t last_used;
};

enum { XL_N_ENCODERS = 2, XL_N_ENCODED = 32 };

struct xl_model {
    struct xl_model_params params;
    struct xl_arena arena;
    struct xl_snapshot snapshot;
    struct xl_pipeline_files files;

    char *notices; /* sentences about choices made while opening, one a line; "" when none */

    struct xl_clip_config clip[XL_N_ENCODERS];
    struct xl_unet_config unet;
    struct xl_vae_config vae;
    struct xl_tokenizer *tokenizer[XL_N_ENCODERS];
    struct xl_weights *weights[XL_N_COMPONENTS];
    int n_tokens; /* of a padded prompt: 77 */

    struct xl_backend *backend;
    enum xl_dtype act_dtype; /* of text encoders and UNet; the VAE always computes in f32 */

    struct xl_stage clip_stage[XL_N_ENCODERS];
    struct xl_clip_io clip_io[XL_N_ENCODERS];
    struct xl_stage unet_stage;
    struct xl_unet_io unet_io;
    struct xl_unet_shape unet_shape;
    struct xl_stage vae_stage; /* decoder or encoder, whichever was used last */
    struct xl_vae_io vae_io;
    bool vae_is_encoder;
    struct xl_vae_shape vae_shape;

    struct xl_encoded encoded[XL_N_ENCODED];
    uint64_t encoded_clock;

    int64_t load_done, load_total; /* bytes of weights: read so far, of the parts begun */
    bool loaded[XL_N_COMPONENTS];
};

/* Compile a finished plan into stage, which owns both afterwards (the plan is freed on failure,
 * too). When memory is short, all other stages are given up for it: a stage is sure to be there
 * only from its compilation to the next. Reports XL_PHASE_LOAD. Errors: XL_ENOMEM, XL_ECANCELLED */
enum xl_status xl_stage_compile(struct xl_model *model, enum xl_component component,
                                struct xl_plan *plan, struct xl_stage *stage,
                                struct xl_err *err) XL_CHECKED;
void xl_stage_deinit(struct xl_stage *stage);
/* Give up all stages but one (NULL: all); packed weights stay. */
void xl_stages_release(struct xl_model *model, const struct xl_stage *keep);

/* Run a stage; the user's progress function may cancel it between two ops. */
enum xl_status xl_stage_run(struct xl_model *model, struct xl_stage *stage,
                            struct xl_err *err) XL_CHECKED;

/* False when the user wants to stop. */
bool xl_model_progress(struct xl_model *model, enum xl_phase phase, int64_t done, int64_t total);

/* Where the tensors of a component come from. */
struct xl_source xl_model_source(const struct xl_model *model, enum xl_component component);

/* text.c: encode a prompt (kept for later requests). The result is the model's, valid until the
 * next call but thirty. Errors: XL_ENOMEM, XL_EINVAL not UTF-8, XL_EFORMAT ids outside the
 * vocabulary */
enum xl_status xl_model_encode_prompt(struct xl_model *model, const char *prompt,
                                      const struct xl_encoded **out, struct xl_err *err) XL_CHECKED;
void xl_encoded_deinit(struct xl_encoded *encoded);

/* A request after validation: every default filled in, every size known. */
struct xl_job {
    const struct xl_request *request;
    int width, height, latent_width, latent_height;
    int64_t latent_count; /* numbers of one latent */
    bool has_guidance;
    struct xl_scheduler_config scheduler;
    struct xl_schedule *schedule;
    int vae_tile;     /* latent pixels; 0: whole; set as well when memory is short */
    bool was_clamped; /* strength asked for less than one step */
    struct xl_str warnings;
};

/* generate.c: validate a request. Caller: xl_job_deinit, also on failure. Errors: XL_EINVAL */
enum xl_status xl_job_init(const struct xl_model *model, const struct xl_request *request,
                           struct xl_job *job, struct xl_err *err) XL_CHECKED;
void xl_job_deinit(struct xl_job *job);

/* Picture i of the batch, whether they differ or only their seeds do. */
struct xl_picture xl_job_picture(const struct xl_job *job, int i);

/* UNet evaluations run on so many samples: the batch, twice that with guidance. */
int xl_job_n_samples(const struct xl_job *job);

/* What the UNet is told about each sample, the unguided half first, as diffusers has it. */
struct xl_conditions {
    float *text;   /* [samples, tokens, cross_attention_dim] */
    float *pooled; /* [samples, pooled_dim] */
    float *ids;    /* [samples, XL_UNET_TIME_IDS]: sizes */
};

/* conditions.c: encode the prompts of all pictures; warns of those that are too long. Caller:
 * xl_conditions_deinit, also on failure. Errors: XL_ENOMEM, XL_ECANCELLED, those of encoding */
enum xl_status xl_conditions_init(struct xl_model *model, struct xl_job *job,
                                  struct xl_conditions *out, struct xl_err *err) XL_CHECKED;
void xl_conditions_deinit(struct xl_conditions *conditions);

/* denoise.c: latents [batch, h, w, c], from noise or an encoded picture to the last step. noise:
 * one seeded generator an image. Errors: XL_ENUMERIC, XL_ECANCELLED, XL_ENOMEM */
struct xl_noise;
enum xl_status xl_denoise(struct xl_model *model, const struct xl_job *job, struct xl_noise *noise,
                          float *latents, struct xl_err *err) XL_CHECKED;
/* Make the UNet ready for the job. */
enum xl_status xl_unet_prepare(struct xl_model *model, const struct xl_job *job,
                               const struct xl_conditions *conditions,
                               struct xl_err *err) XL_CHECKED;
/* One latent of noise in the order [c, h, w] that PyTorch draws it, stored as [h, w, c]. scratch:
 * as large as out. */
void xl_latent_noise(const struct xl_model *model, const struct xl_job *job, struct xl_noise *noise,
                     float *out, float *scratch);

/* latents.c: between pictures and latents.
 * encode: init picture (the job's size) -> latents [h, w, c], scaled; draws from noise. */
enum xl_status xl_latents_encode(struct xl_model *model, const struct xl_job *job,
                                 const struct xl_image *image, struct xl_noise *noise,
                                 float *latents, struct xl_err *err) XL_CHECKED;
/* decode: one latent -> picture. Sets job->vae_tile and warns when memory is short.
 * Errors: XL_ENUMERIC not a number in the picture */
enum xl_status xl_latents_decode(struct xl_model *model, struct xl_job *job, const float *latents,
                                 struct xl_image *out, struct xl_err *err) XL_CHECKED;

/* Tiles of a picture along one axis: n of them, each `size` latents. */
struct xl_tiling {
    int n, size, extent;
};
struct xl_tiling xl_tile_axis(int extent, int size);
enum { XL_TILE_PIXELS = 512 }; /* a side, when memory is short */

/* Plans of the model's parts as the engine runs them; the caller's. Errors: see model/ */
enum xl_status xl_build_encoder(struct xl_model *model, int e, struct xl_clip_io *io,
                                struct xl_plan **plan, struct xl_err *err) XL_CHECKED;
enum xl_status xl_build_unet(struct xl_model *model, const struct xl_job *job,
                             struct xl_unet_io *io, struct xl_plan **plan,
                             struct xl_err *err) XL_CHECKED;
enum xl_status xl_build_vae(struct xl_model *model, bool encoder, int height, int width,
                            struct xl_vae_io *io, struct xl_plan **plan,
                            struct xl_err *err) XL_CHECKED;

/* record.c: the JSON record of a finished job into result->record, with pictures that differ also
 * result->records. Errors: XL_ENOMEM */
enum xl_status xl_record_write(const struct xl_model *model, const struct xl_job *job,
                               struct xl_result *result, struct xl_err *err) XL_CHECKED;
/* Whether `extra` (NULL is fine) may join a record. Errors: XL_EINVAL not a JSON object, or with a
 * key of the engine */
enum xl_status xl_record_check_extra(const char *extra, struct xl_err *err) XL_CHECKED;

#endif
