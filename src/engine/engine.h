/* engine.h - models, devices and drawings, as the files of this folder share them. The public face
 * is sdxl/sdxl.h.
 *
 * A model is what was read from its files; it does not change once it is open. A device has a
 * backend and, for each model that was drawn with it, a `resident`: the compiled parts of the model
 * (stages, one for each shape) and its encoded prompts. A drawing is a request on its way: it
 * belongs to the thread that draws with the device, or to one that makes a model ready for it. Each
 * of the two has one resident at a time, whose stages and prompts nobody else touches.
 */
#ifndef XL_ENGINE_ENGINE_H
#define XL_ENGINE_ENGINE_H

#include "backend/backend.h"
#include "base/arena.h"
#include "base/json.h"
#include "base/sha256.h"
#include "base/str.h"
#include "hub/hub.h"
#include "model/clip.h"
#include "model/denoise.h"
#include "model/lora_map.h"
#include "model/picture.h"
#include "sampler/sampler.h"
#include "text/chunks.h"
#include "text/prompt_steps.h"
#include "weights/weights.h"

#include <pthread.h>
#include <stdatomic.h>

/* --- Models ---------------------------------------------------------------------------------- */

enum { XL_N_ENCODERS = 2 };

struct xl_model {
    atomic_int n_refs; /* whoever opened it, and residents */
    struct xl_arena arena;
    struct xl_snapshot snapshot;
    struct xl_pipeline_files files;
    struct xl_model_info info;

    char *notices; /* sentences about choices made while opening, one a line; "" when none */

    struct xl_clip_config clip[XL_N_ENCODERS];
    struct xl_unet_config unet;
    struct xl_vae_config vae;
    json_t *scheduler_config;             /* scheduler_config.json, or what stands for it */
    const char *derived[XL_N_COMPONENTS]; /* configurations from shapes, as JSON; else NULL */
    const char *scheduler;                /* the class that the scheduler "default" draws with */
    struct xl_tokenizer *tokenizer[XL_N_ENCODERS];
    struct xl_weights *weights[XL_N_COMPONENTS];
    struct xl_file_tensors tensors[XL_N_COMPONENTS]; /* the same, with what their ids begin with */
    int n_tokens;                                    /* of a padded prompt: 77 */

    /* Where LoRAs are added; NULL and 0 without them. */
    struct xl_lora_map *lora_map;
    struct xl_lora_file **lora_files; /* [info.n_loras] */
    struct xl_lora_tensors lora_tensors[XL_N_COMPONENTS];
};

struct xl_model *xl_model_ref(struct xl_model *model);

/* scheduler_config.json of the model. */
struct xl_json xl_model_scheduler(const struct xl_model *model);

/* The tensors of a component as they are drawn with: of its files, and what LoRAs add. */
struct xl_source xl_model_source(const struct xl_model *model, enum xl_component component);

/* loras.c: whether it changes anything: one of its scales is not 0. */
bool xl_lora_is_used(const struct xl_lora *lora);
/* Open the LoRAs of a model whose configurations are read, and list them in model->info in
 * the order of their digests. Those with both scales 0 are left out. Notices get a line for each
 * that has modules which the model has not.
 * Errors: XL_EINVAL a scale that is no number; XL_EMODEL missing; XL_EFORMAT damaged, or for a
 * model of another kind; XL_ENOMEM */
enum xl_status xl_model_open_loras(struct xl_model *model, const struct xl_model_params *params,
                                   struct xl_str *notices, struct xl_err *err) XL_CHECKED;
void xl_model_close_loras(struct xl_model *model);
/* As xl_weights_verify, of all LoRAs. */
enum xl_status xl_model_verify_loras(const struct xl_model *model, struct xl_err *err) XL_CHECKED;

/* The file that sentences about a component's configuration name. */
const char *xl_model_config_name(const struct xl_model *model, enum xl_component component);

/* components.c: map the weights of all components, under diffusers' names. Errors: as
 * xl_weights_open and xl_original_select */
enum xl_status xl_model_open_weights(struct xl_model *model, struct xl_err *err) XL_CHECKED;
/* The configuration of a component from the shapes of its tensors, into model->derived and *out,
 * which is the caller's. Encoders come before the UNet. Errors: see model/shapes.h */
enum xl_status xl_model_derive_config(struct xl_model *model, enum xl_component component,
                                      json_t **out, struct xl_err *err) XL_CHECKED;

/* text.c: the ids [n_tokens] of a padded prompt are in the vocabulary of encoder e, or among the
 * n_extra behind it. Errors: XL_EFORMAT */
enum xl_status xl_model_check_ids(const struct xl_model *model, int e, const int32_t *ids,
                                  int n_extra, struct xl_err *err) XL_CHECKED;

/* info.c: fill in model->info, the digests of its files among it unless is_brief. Errors:
 * XL_ENOMEM; XL_EMODEL a file cannot be read any more */
enum xl_status xl_model_describe(struct xl_model *model, bool is_brief,
                                 struct xl_err *err) XL_CHECKED;

/* --- Parts and stages ------------------------------------------------------------------------ */

/* What a request runs, in the order of running. */
enum xl_part {
    XL_PART_ENCODER,
    XL_PART_ENCODER_2,
    XL_PART_VAE_ENCODER,
    XL_PART_UNET,
    XL_PART_VAE_DECODER,
    XL_N_PARTS,
};

/* A part at a shape: what a plan is built and compiled for. Fields that a part does not have are 0.
 */
struct xl_part_key {
    enum xl_part part;
    enum xl_dtype act_dtype;
    bool in_f8;        /* UNet */
    int n;             /* samples of a run */
    int tokens;        /* encoders, UNet */
    int height, width; /* of the latents: UNet, VAE */
    bool is_tile;      /* VAE decoder */
    int skip, extra;   /* encoders: as in xl_clip_shape */
    bool is_masked;    /* encoders */
    int batch;         /* UNet: pictures; n may be twice as many */
    /* UNet: rows and slots that the loop needs. A stage with more of them does as well. */
    int steps, history, noise;
};

/* The inputs and outputs of its plan. */
union xl_part_io {
    struct xl_clip_io clip;
    struct xl_denoise_io denoise;
    struct xl_picture_io picture;
};

/* part.c: the plan of a part; the caller's. Errors: see model/ */
enum xl_status xl_part_build(const struct xl_model *model, const struct xl_part_key *key,
                             union xl_part_io *io, struct xl_plan **plan,
                             struct xl_err *err) XL_CHECKED;
enum xl_component xl_part_component(enum xl_part part);

/* A compiled part. It stays until its device wants the memory, or is closed. */
struct xl_stage {
    struct xl_stage *next;
    struct xl_part_key key;
    union xl_part_io io;
    struct xl_plan *plan;
    struct xl_exec *exec;
    uint64_t last_used; /* by the device's clock */
};

/* --- Devices --------------------------------------------------------------------------------- */

/* What a text became. */
struct xl_encoded {
    char *prompt; /* NULL: an unused entry */
    enum xl_dtype act_dtype;
    enum xl_prompt_syntax syntax;
    int skip;
    char embeddings[XL_SHA256_HEX]; /* as in struct xl_drawing_embeddings */
    int n_chunks;
    float *text;   /* [chunks, tokens, width of both encoders] */
    float *pooled; /* [pooled width] */
    uint64_t last_used;
};

enum { XL_N_ENCODED = 32 };

/* A model on a device. */
struct xl_resident {
    struct xl_resident *next;
    struct xl_model *model; /* a reference: the weights that were read come from here */
    uint64_t last_used;     /* by the device's clock */
    struct xl_stage *stages;
    struct xl_encoded encoded[XL_N_ENCODED];
    atomic_llong load_done; /* bytes of weights: read so far... */
    int64_t load_total;     /* ... of all parts */
    bool is_loaded[XL_N_COMPONENTS];
};

struct xl_drawing;

struct xl_device {
    struct xl_device_params params;
    struct xl_device_info info;
    char *notice; /* why "auto" took no GPU where one may be expected; NULL: nothing to say */
    struct xl_backend *backend;
    bool prepares; /* xl_device_prepares; tests have a CPU do it as well */
    atomic_ullong clock;
    atomic_bool is_recalled; /* whoever makes a model ready is to stop */
    pthread_mutex_t mutex;   /* for what follows */
    pthread_cond_t changed;
    struct xl_resident *residents;
    struct xl_resident *at_work; /* of the drawing, or the last one; NULL: none yet */
    struct xl_resident *ahead;   /* is being made ready; NULL: none */
    struct xl_part_key
        widest[2]; /* rows and slots of UNets, of the one at work and the one before */
    bool is_tight; /* the one at work had to give something up, or will: nothing is left for others
                    */
};

/* The next tick of the device's clock. */
uint64_t xl_device_now(struct xl_device *device);

/* A drawing wants a UNet of this key: note how many rows and slots. */
void xl_device_note_width(struct xl_device *device, const struct xl_part_key *key);
/* Give a UNet that is about to be compiled as many as the drawings of this model and the one before
 * wanted: the next model of a run is drawn with the same samplers, and only the first of them is
 * known when it is made ready. Nothing where models are not. */
void xl_device_widen(const struct xl_drawing *drawing, struct xl_part_key *key);

/* Give the drawing the resident of its model and put that to work. Waits while it is being made
 * ready, which is reported as XL_PHASE_LOAD. Errors: XL_ENOMEM, XL_ECANCELLED */
enum xl_status xl_device_put_to_work(struct xl_drawing *drawing, struct xl_err *err) XL_CHECKED;
/* The same, to make it ready until xl_device_end_ahead. The one that is at work is left alone:
 * drawing->resident stays NULL. Errors: XL_ENOMEM */
enum xl_status xl_device_begin_ahead(struct xl_drawing *drawing, struct xl_err *err) XL_CHECKED;
void xl_device_end_ahead(struct xl_device *device);

/* Wait for a moment, or until something changed. With the mutex held. */
void xl_device_wait_a_moment(struct xl_device *device);

/* Give up the stages of a resident; everything. */
void xl_resident_release(struct xl_resident *resident);
void xl_resident_free(struct xl_resident *resident);

/* device.c: the act_dtype of encoders and UNet for a precision that is asked for.
 * Errors: XL_EINVAL one that the device does not compute in */
enum xl_status xl_device_act_dtype(const struct xl_device *device, enum xl_precision asked,
                                   enum xl_dtype *out, struct xl_err *err) XL_CHECKED;

/* What may be taken for plans that use so many bytes of the weights that are held: what is free
 * within the budget, and everything else that the device holds. */
int64_t xl_device_available(const struct xl_device *device, int64_t held_bytes);

/* Whether there is room for `bytes` beside held weights that will be used. Other models go for it,
 * the one that was used longest ago before the others, and for the one at work the one that is
 * being made ready, last. is_ahead: for one to be made ready: the one at work loses nothing, nor
 * what it may still want. */
bool xl_device_find_room(struct xl_device *device, bool is_ahead, int64_t bytes,
                         int64_t held_bytes);
/* Make room for the one at work: other models go first, then stages of this one; then weights that
 * no stage uses. Does what can be done: whether it was enough shows when the memory is taken. */
void xl_device_make_room(struct xl_device *device, int64_t bytes, int64_t held_bytes);

/* Give up all stages; packed weights stay. */
void xl_device_release(struct xl_device *device);

enum { XL_PICTURES_MAX = 64 }; /* of a request */

/* --- Drawings -------------------------------------------------------------------------------- */

/* A text of a picture: prompt or negative prompt. */
struct xl_drawing_text {
    struct xl_prompt_parts parts; /* by steps; n 0: nothing, the text is zeros */
    int n_chunks;                 /* the most of a part */
};

/* The textual inversions of a request. Vectors are ids behind each encoder's vocabulary, in the
 * order of the request. */
struct xl_drawing_embeddings {
    int n;
    int n_rows; /* of `rows`: all vectors, and zeros up to a round number, so that few plans do */
    struct xl_trigger *triggers[XL_N_ENCODERS]; /* [n] */
    float *rows[XL_N_ENCODERS];                 /* [n_rows, hidden_size] */
    const char **digests;                       /* [n], of their files */
    char key[XL_SHA256_HEX];                    /* a hash over words and digests, "" without any */
};

/* A request after validation: every default filled in, every size known. */
struct xl_drawing {
    struct xl_device *device;
    struct xl_model *model;
    struct xl_resident *resident;
    struct xl_early *early; /* parts that are made on a thread of their own; NULL: none */
    const struct xl_request *request;
    bool is_ahead;           /* nothing is drawn: its model is made ready */
    enum xl_dtype act_dtype; /* of text encoders and UNet; the VAE's: xl_backend_picture_dtype */
    bool in_f8;              /* large products of the UNet are in F8 */
    int n_tokens;            /* of a chunk of text: 77 */
    int n_chunks;            /* of each encoded prompt */
    int skip;                /* request->clip_skip, or 2 */
    struct xl_drawing_embeddings embeddings;
    struct xl_drawing_text *texts; /* [samples], the unguided half first; in the arena */
    struct xl_arena arena;
    int width, height, latent_width, latent_height;
    int64_t latent_count; /* numbers of one latent */
    bool has_guidance;
    struct xl_scheduler_config scheduler;
    struct xl_schedule *schedule;
    int n_steps;    /* that are run: calls of the model may be more */
    int vae_tile;   /* latent pixels; 0: whole; set as well when memory is short */
    json_t **extra; /* [pictures]: of each for its record; NULL where there is none */
    struct xl_str warnings;
};

/* drawing.c: validate a request. Caller: xl_drawing_deinit, also on failure. Errors: XL_EINVAL,
 * XL_ENOMEM */
enum xl_status xl_drawing_init(struct xl_device *device, struct xl_model *model,
                               const struct xl_request *request, struct xl_drawing *drawing,
                               struct xl_err *err) XL_CHECKED;
/* The same to make its model ready; resident: as xl_device_begin_ahead has it. */
enum xl_status xl_drawing_init_ahead(struct xl_device *device, struct xl_model *model,
                                     const struct xl_request *request, struct xl_drawing *drawing,
                                     struct xl_err *err) XL_CHECKED;
void xl_drawing_deinit(struct xl_drawing *drawing);

/* Whether pictures are decoded in one piece, as far as it is known yet. */
bool xl_drawing_is_whole(const struct xl_drawing *drawing);

/* UNet evaluations run on so many samples: the pictures, twice that with guidance. */
int xl_drawing_n_samples(const struct xl_drawing *drawing);

/* The key of a part for this drawing; VAE parts whole. */
struct xl_part_key xl_drawing_part(const struct xl_drawing *drawing, enum xl_part part);

/* False when the user wants to stop. */
bool xl_drawing_progress(const struct xl_drawing *drawing, enum xl_phase phase, int64_t done,
                         int64_t total);

/* stage.c: a stage for a key, compiled unless it is there. When memory is short, other stages are
 * given up for it: a stage is sure to be there only from its call to the next. The stage is the
 * device's. Reports XL_PHASE_LOAD. Errors: XL_ENOMEM, XL_ECANCELLED, those of building */
enum xl_status xl_stage_get(struct xl_drawing *drawing, const struct xl_part_key *key,
                            struct xl_stage **out, struct xl_err *err) XL_CHECKED;
/* Compile it only where there is room without giving up other stages of the model. *is_there:
 * whether it is there now. Errors: as above, but that memory is short */
enum xl_status xl_stage_try(struct xl_drawing *drawing, const struct xl_part_key *key,
                            bool *is_there, struct xl_err *err) XL_CHECKED;
/* A stage if it is there already; else NULL. */
struct xl_stage *xl_stage_find(struct xl_resident *resident, const struct xl_part_key *key);
void xl_stage_free(struct xl_stage *stage);

/* On a thread of its own (early.c): build the plan of a stage that has its key and nothing else
 * yet, and tell the backend that it will be compiled. Errors: those of building */
enum xl_status xl_stage_expect(struct xl_drawing *drawing, struct xl_stage *stage,
                               struct xl_err *err) XL_CHECKED;
/* Then compile it, where there is room without giving up other stages of the model. The user is not
 * asked; is_given_up is. Errors: as xl_stage_get */
enum xl_status xl_stage_make_aside(struct xl_drawing *drawing, struct xl_stage *stage,
                                   const atomic_bool *is_given_up, struct xl_err *err) XL_CHECKED;

/* early.c: begin to compile UNet and decoder beside what the drawing does first; nothing where the
 * device cannot, or they are there. */
void xl_early_begin(struct xl_drawing *drawing);
/* The part that was made, the caller's; waits while it is being made. NULL: there is none. */
struct xl_stage *xl_early_take(struct xl_drawing *drawing, enum xl_part part);
/* Whether a part is being made, or was and is not taken yet. */
bool xl_early_has(const struct xl_drawing *drawing, enum xl_part part);
/* Give up what was not taken, and wait for the thread. */
void xl_early_end(struct xl_drawing *drawing);

/* Run a stage once; the user's progress function may cancel it between two ops. */
enum xl_status xl_stage_run(struct xl_drawing *drawing, struct xl_stage *stage,
                            struct xl_err *err) XL_CHECKED;
/* The question whether to go on, as a tick: user is the drawing. */
bool xl_drawing_tick(void *user);

/* embeddings.c: read those of the request into the drawing's arena. Errors: XL_EINVAL a word that
 * is none or comes twice, more vectors than a chunk has tokens, too many; XL_EMODEL a file is
 * missing; XL_EFORMAT no textual inversion for this model; XL_EINPUT another digest than the
 * request's; XL_ENOMEM */
enum xl_status xl_embeddings_open(struct xl_drawing *drawing, struct xl_err *err) XL_CHECKED;

/* prompts.c: read the texts of all pictures: what stands in them at which step, and how many chunks
 * that takes. Fills in drawing->texts and n_chunks; warns of what is cut off or drawn otherwise
 * than it may have been meant. Errors: XL_EINVAL a text too long or nested too deep; XL_ENOMEM */
enum xl_status xl_prompts_read(struct xl_drawing *drawing, struct xl_err *err) XL_CHECKED;
/* How texts are cut for encoder e. */
struct xl_chunk_rule xl_prompt_rule(const struct xl_drawing *drawing, int e);
/* A text, as one step sees it, cut for encoder e. Kept in the arena. Errors: as above */
enum xl_status xl_prompt_chunks(const struct xl_drawing *drawing, int e, const char *text,
                                struct xl_arena *arena, struct xl_chunks *out,
                                struct xl_err *err) XL_CHECKED;
/* Chunks of picture i: the more of its two texts. */
int xl_prompts_of_picture(const struct xl_drawing *drawing, int i);
/* Evaluations (calls of the model) of the first `step` steps. */
int xl_drawing_evaluations(const struct xl_drawing *drawing, int step);

/* What encoder e made of a text. */
struct xl_states {
    float *at;     /* [chunks, tokens, hidden_size], malloc'd */
    float *pooled; /* [projection_dim]: the caller's; NULL: not wanted */
    int n_chunks;
};
/* Where those of one chunk go. */
struct xl_states_place {
    float *states; /* [tokens, hidden_size] */
    float *pooled; /* [projection_dim]: filled in by the encoder that has one; NULL: not wanted */
};

/* text.c: encoder e on one chunk of ids. mask: [tokens], 0 hides one from all others; NULL: none is
 * hidden. Errors: XL_EFORMAT ids outside the vocabulary; those of stages */
enum xl_status xl_text_run(struct xl_drawing *drawing, int e, const int32_t *ids,
                           const int32_t *mask, struct xl_states_place out,
                           struct xl_err *err) XL_CHECKED;
/* compel.c: all of a text in compel's syntax. out->at is the caller's. Errors: as above; those of
 * xl_compel_parse and xl_chunks_compel */
enum xl_status xl_compel_encode(struct xl_drawing *drawing, int e, const char *text,
                                struct xl_states *out, struct xl_err *err) XL_CHECKED;
/* Its chunks, for encoder e; what it asks for and is not done, in *has_swap. */
enum xl_status xl_compel_count(const struct xl_drawing *drawing, int e, const char *text,
                               int *n_chunks, bool *has_swap, struct xl_err *err) XL_CHECKED;

/* text.c: encode a text as one step sees it (kept for later requests). The result is the resident's
 * and is sure to be there only until the next call. Errors: XL_ENOMEM, XL_EFORMAT ids outside the
 * vocabulary; those of xl_prompt_chunks */
enum xl_status xl_drawing_encode(struct xl_drawing *drawing, const char *prompt,
                                 const struct xl_encoded **out, struct xl_err *err) XL_CHECKED;
void xl_encoded_deinit(struct xl_encoded *encoded);

/* What the UNet is told about each sample, the unguided half first, as diffusers has it. A sample
 * has a text for each part of its prompt; most have one. */
struct xl_conditions {
    float *text;   /* [texts, chunks * tokens, cross_attention_dim] */
    float *pooled; /* [texts, pooled_dim] */
    float *ids;    /* [samples, XL_UNET_TIME_IDS]: sizes */
    int *first;    /* [samples]: its first text */
};

/* conditions.c: encode the texts of all pictures. Caller: xl_conditions_deinit, also on failure.
 * Errors: XL_ENOMEM, XL_ECANCELLED, those of encoding */
enum xl_status xl_conditions_init(struct xl_drawing *drawing, struct xl_conditions *out,
                                  struct xl_err *err) XL_CHECKED;
void xl_conditions_deinit(struct xl_conditions *conditions);
/* Tell the UNet's stage what evaluation i (from 0) needs and evaluation i - 1 had not; 0: all. */
void xl_conditions_write(const struct xl_drawing *drawing, const struct xl_conditions *conditions,
                         struct xl_stage *unet, int i);
/* The first evaluation behind i that needs something else; else the number of evaluations. */
int xl_conditions_next(const struct xl_drawing *drawing, int i);
/* Texts that are encoded, of all samples. */
int64_t xl_conditions_n_texts(const struct xl_drawing *drawing);

/* denoise.c: latents [pictures, h, w, c] from noise or an encoded picture to the last step. noise:
 * one seeded generator a picture, whose latents have been started. The results stay in the
 * stage. pictures: with memory for their pixels, which is cleared meanwhile. Errors: XL_ENUMERIC,
 * XL_ECANCELLED, XL_ENOMEM */
struct xl_noise;
enum xl_status xl_unet_prepare(struct xl_drawing *drawing, const struct xl_conditions *conditions,
                               struct xl_noise *noise, const float *latents, struct xl_stage **unet,
                               struct xl_err *err) XL_CHECKED;
enum xl_status xl_denoise(struct xl_drawing *drawing, const struct xl_conditions *conditions,
                          struct xl_stage *unet, struct xl_drawn_picture *pictures,
                          struct xl_err *err) XL_CHECKED;

/* latents.c: between pictures and latents.
 * One latent of noise in the order [c, h, w] that PyTorch draws it, stored as [h, w, c]. scratch:
 * as large as out. */
void xl_latent_noise(const struct xl_drawing *drawing, struct xl_noise *noise, float *out,
                     float *scratch);
/* Samples of the init picture (the drawing's size), each with a noise of its own, scaled.
 * latents: [pictures, h, w, c] */
enum xl_status xl_latents_encode(struct xl_drawing *drawing, const struct xl_image *image,
                                 struct xl_noise *noise, float *latents,
                                 struct xl_err *err) XL_CHECKED;
/* The pictures of all latents in the UNet's stage. saved: room for them, [pictures, h, w, c], in
 * case that stage has to make way. Sets drawing->vae_tile and warns when memory is short.
 * pictures: with memory for their pixels. Errors: XL_ENUMERIC not a number in a
 * picture; XL_ECANCELLED, XL_ENOMEM */
enum xl_status xl_latents_decode(struct xl_drawing *drawing, struct xl_stage *unet, float *saved,
                                 struct xl_drawn_picture *pictures, struct xl_err *err) XL_CHECKED;
/* Have the decoder ready before sampling where another model may be made ready meanwhile, and there
 * is room: so that the other one takes no memory that this drawing still wants. Errors: as
 * xl_stage_try */
enum xl_status xl_latents_expect(struct xl_drawing *drawing, struct xl_err *err) XL_CHECKED;
/* Tell a stage of the VAE how latents are scaled. */
void xl_stage_write_affine(const struct xl_drawing *drawing, struct xl_stage *vae);
enum xl_status xl_fail_picture(struct xl_err *err); /* XL_ENUMERIC, with its sentence */

/* tiles.c: decode one latent in tiles and blend them. latents: [h, w, c]; image: with its pixels */
enum xl_status xl_tiles_decode(struct xl_drawing *drawing, const float *latents,
                               struct xl_image *image, struct xl_err *err) XL_CHECKED;

/* Tiles of a picture along one axis: n of them, each `size` latents. */
struct xl_tiling {
    int n, size, extent;
};
struct xl_tiling xl_tile_axis(int extent, int size);
enum { XL_TILE_PIXELS = 512 }; /* a side, when memory is short */
/* Bytes of what tiles.c takes beside the decoder. */
int64_t xl_tiles_bytes(const struct xl_drawing *drawing, struct xl_tiling ty, struct xl_tiling tx);

/* record.c: records and A1111 texts of a finished drawing into result->pictures. Errors: XL_ENOMEM
 */
enum xl_status xl_record_write(const struct xl_drawing *drawing, struct xl_result *result,
                               struct xl_err *err) XL_CHECKED;
/* Read `extra` of a picture; NULL gives NULL. Caller: json_decref. Errors: XL_EINVAL not a JSON
 * object */
enum xl_status xl_record_read_extra(const char *extra, json_t **out, struct xl_err *err) XL_CHECKED;

#endif
