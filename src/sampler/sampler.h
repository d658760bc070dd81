/* sampler.h - schedules: which noise levels are visited, and how to get from one to the next.
 *
 * Every sampler that SDXL repositories name is linear in the current sample x, the model's output,
 * earlier outputs and fresh noise, with coefficients known before the first step. So a sampler is a
 * function that fills a table of steps, and one routine (a fused kernel on a GPU) applies any
 * table:
 *
 *   model input  = input_scale * x                      at `timestep`
 *   m            = convert_x * x + convert_out * out    (noise, x0 or derivative; perhaps clipped)
 *   base         = sum of base_coef[i] * source i       (source: x, saved, history slots)
 *   x'           = sum of coef[i] * source i            (source: base, out, history slots, noise)
 *   history[store_slot] = m (before the sums);  saved = base (after them)
 *
 * Notation follows diffusers: sigma, alphas_cumprod, timestep_spacing.
 */
#ifndef XL_SAMPLER_SAMPLER_H
#define XL_SAMPLER_SAMPLER_H

#include "base/status.h"

enum xl_prediction { XL_PREDICT_EPSILON, XL_PREDICT_V, XL_PREDICT_SAMPLE };
enum xl_spacing { XL_SPACING_LEADING, XL_SPACING_TRAILING, XL_SPACING_LINSPACE };
enum xl_beta_schedule { XL_BETA_LINEAR, XL_BETA_SCALED_LINEAR, XL_BETA_SQUAREDCOS_CAP_V2 };
enum xl_sigma_spacing {
    XL_SIGMA_PLAIN,
    XL_SIGMA_KARRAS,
    XL_SIGMA_EXPONENTIAL,
    XL_SIGMA_BETA,
    XL_SIGMA_LU,
};
enum xl_final_sigma { XL_FINAL_SIGMA_ZERO, XL_FINAL_SIGMA_MIN };

/* One sampler: its names, its defaults for a scheduler_config.json, its table. sampler.c lists
 * them; a new sampler is a new file and a row there. */
struct xl_sampler;

/* scheduler_config.json, read with the defaults of one diffusers class. */
struct xl_scheduler_config {
    const struct xl_sampler *sampler;
    int n_train; /* num_train_timesteps */
    double beta_start, beta_end;
    enum xl_beta_schedule beta_schedule;
    enum xl_prediction prediction;
    enum xl_spacing spacing; /* timestep_spacing */
    int steps_offset;
    enum xl_sigma_spacing sigma_spacing;
    enum xl_final_sigma final_sigma;
    bool rescale_zero_snr; /* rescale_betas_zero_snr */
    bool set_alpha_to_one, skip_prk_steps, clip_sample, lower_order_final, euler_at_final;
    bool log_interpolation; /* Euler's interpolation_type "log_linear" */
    double clip_range;      /* clip_sample_range */
    int solver_order;
    const char *algorithm; /* "dpmsolver++", "sde-dpmsolver++", "bh1", "bh2", ...; a literal */
    bool heun;             /* DPM++: solver_type "heun" instead of "midpoint" */
    int original_inference_steps; /* LCM */
    double timestep_scaling;      /* LCM */
    double eta;                   /* DDIM */
};

/* Read a repository's scheduler_config.json for `name`:
 *   "default": its own class; others ("euler", "euler-a", "dpmpp-2m", "dpmpp-2m-karras",
 *   "dpmpp-2m-sde", "dpmpp-2m-sde-karras", "unipc", "ddim", "ddpm", "deis", "pndm", "lcm", "heun",
 *   A1111's names "Euler a", "DPM++ 2M Karras", ..., and diffusers' class names): that class, by
 * the from_config rule: keys that the class knows are kept, the rest take the class's defaults. An
 * unknown class under "default" falls back to Euler with the same betas; *notice then holds a
 * sentence (malloc'd), else NULL.
 * Errors: XL_EMODEL no file, XL_EFORMAT damaged or impossible values, XL_EINVAL unknown name (the
 * names are listed) */
enum xl_status xl_scheduler_config_load(const char *path, const char *name,
                                        struct xl_scheduler_config *out, char **notice,
                                        struct xl_err *err) XL_CHECKED;

/* "euler-a" and "EulerAncestralDiscreteScheduler" of a config's sampler. */
const char *xl_scheduler_name(const struct xl_scheduler_config *config);
const char *xl_scheduler_class(const struct xl_scheduler_config *config);
/* A1111's "Sampler" and "Schedule type" for the infotext ("DPM++ 2M", "Karras"). */
const char *xl_scheduler_a1111_name(const struct xl_scheduler_config *config);
const char *xl_scheduler_a1111_schedule(const struct xl_scheduler_config *config);
/* The i-th name that --scheduler takes, NULL after the last. */
const char *xl_scheduler_list(int i);

enum { XL_HISTORY_SLOTS = 13 }; /* PNDM's Runge-Kutta start looks back twelve calls */

enum xl_source {           /* indexes into the coefficients of a step */
                 XL_SRC_X, /* base_coef: the sample before the step; coef: the base */
                 XL_SRC_SAVED,
                 XL_SRC_OUT, /* the model's output itself */
                 XL_SRC_NOISE,
                 XL_SRC_HISTORY, /* + slot */
                 XL_N_SOURCES = XL_SRC_HISTORY + XL_HISTORY_SLOTS,
};

/* One call of the model and the update after it. */
struct xl_step {
    float timestep;
    float input_scale;
    float convert_x, convert_out; /* m */
    float clip;                   /* m is clamped to +-clip; 0: not */
    int store_slot;               /* history slot that receives m */
    float base_coef[XL_N_SOURCES];
    float coef[XL_N_SOURCES];
    bool uses_noise; /* draws one latent of noise per image */
};

struct xl_schedule {
    int n_timesteps, n_sigmas;  /* as diffusers shows them after set_timesteps */
    double *timesteps, *sigmas; /* n_sigmas is 0 for samplers without sigmas (DDIM, DDPM, ...) */
    double init_noise_sigma;    /* first sample = noise * init_noise_sigma */
    /* img2img: first sample = start_x0 * encoded picture + start_noise * noise */
    double start_x0, start_noise;
    int n_steps; /* calls of the model */
    struct xl_step *steps;
};

/* The schedule for `steps` steps. strength 1 and txt2img run all; img2img runs the last
 * int(steps * strength) of them (at least one: the caller says when that was a clamp, *clamped).
 * Errors: XL_EINVAL steps out of range for this sampler, XL_ENOMEM */
enum xl_status xl_schedule_new(const struct xl_scheduler_config *config, int steps, double strength,
                               bool *clamped, struct xl_schedule **out,
                               struct xl_err *err) XL_CHECKED;
void xl_schedule_free(struct xl_schedule *schedule);

/* What is carried from step to step for n numbers. Errors: XL_ENOMEM */
struct xl_sampler_state; /* opaque */
enum xl_status xl_sampler_state_new(const struct xl_schedule *schedule, int64_t n,
                                    struct xl_sampler_state **out, struct xl_err *err);
void xl_sampler_state_free(struct xl_sampler_state *state);

/* Apply step i. x: [n] sample, updated; out: [n] model output (after guidance); noise: [n] or NULL
 * when the step uses none. */
void xl_sampler_step(const struct xl_schedule *schedule, int i, struct xl_sampler_state *state,
                     float *x, const float *out, const float *noise);

#endif
