/* sampler.h - schedules: which noise levels are visited, and how to get from one to the next.
 *
 * Every sampler that SDXL repositories name is linear in the current sample x, the model's output,
 * earlier outputs and fresh noise, with coefficients known before the first step. So a sampler is a
 * function that fills a table of steps, and one op (sampler_step) applies any table:
 *
 *   model input  = input_scale * x                      at `timestep`
 *   m            = convert_x * x + convert_out * out    (x0 or noise; perhaps clipped)
 *   base         = sum of base_coef[i] * source i       (source: x, saved, history slots)
 *   x'           = sum of coef[i] * source i            (source: base, out, history slots, noise)
 *   history[store_slot] = m (before the sums);  saved = base (after them)
 *
 * Notation follows diffusers: sigma, alphas_cumprod, timestep_spacing. docs/SAMPLERS.md derives
 * each sampler in this form.
 */
#ifndef XL_SAMPLER_SAMPLER_H
#define XL_SAMPLER_SAMPLER_H

#include "backend/ops.h"
#include "base/json.h"

enum xl_prediction { XL_PREDICT_EPSILON, XL_PREDICT_V, XL_PREDICT_SAMPLE };
enum xl_spacing { XL_SPACING_LEADING, XL_SPACING_TRAILING, XL_SPACING_LINSPACE };
enum xl_beta_schedule { XL_BETA_LINEAR, XL_BETA_SCALED_LINEAR, XL_BETA_SQUAREDCOS_CAP_V2 };
enum xl_sigma_spacing {
    XL_SIGMA_PLAIN,
    XL_SIGMA_KARRAS,
    XL_SIGMA_EXPONENTIAL,
    XL_SIGMA_BETA,
    XL_SIGMA_LU,
    XL_N_SIGMA_SPACINGS,
};
enum xl_final_sigma { XL_FINAL_SIGMA_ZERO, XL_FINAL_SIGMA_MIN };
/* algorithm_type of DPMSolverMultistepScheduler */
enum xl_algorithm {
    XL_ALGORITHM_DPMSOLVER_PP,
    XL_ALGORITHM_DPMSOLVER,
    XL_ALGORITHM_SDE_DPMSOLVER_PP,
    XL_ALGORITHM_SDE_DPMSOLVER,
};
/* solver_type. The default is midpoint in DPM++ and bh2 in UniPC, and stands in for a type that
 * only another class knows. */
enum xl_solver { XL_SOLVER_DEFAULT, XL_SOLVER_HEUN, XL_SOLVER_BH1 };
enum xl_variance { XL_VARIANCE_FIXED_SMALL, XL_VARIANCE_FIXED_SMALL_LOG, XL_VARIANCE_FIXED_LARGE };

/* One sampler: its names and its diffusers class, which has the defaults for a
 * scheduler_config.json and the table. sampler.c lists them; a new sampler is a new file and a row
 * there. */
struct xl_sampler;

enum { XL_MAX_UNCORRECTED = 32 };

/* scheduler_config.json, read with the defaults of one diffusers class. A plain value: copy it
 * freely. */
struct xl_scheduler_config {
    const struct xl_sampler *sampler;
    int n_train; /* num_train_timesteps */
    double beta_start, beta_end;
    enum xl_beta_schedule beta_schedule;
    enum xl_prediction prediction;
    enum xl_spacing spacing; /* timestep_spacing */
    int steps_offset;
    enum xl_sigma_spacing sigma_spacing;
    double sigma_min, sigma_max; /* ends of the sigma spacing; 0: of the training schedule */
    double sigma_data, rho;      /* EDM */
    enum xl_final_sigma final_sigma;
    double lambda_min_clipped; /* -INFINITY: nothing is clipped */
    bool rescale_zero_snr;     /* rescale_betas_zero_snr */
    bool log_interpolation;    /* Euler: interpolation_type "log_linear" */
    bool continuous_timesteps; /* Euler: timestep_type "continuous" */
    bool set_alpha_to_one, skip_prk_steps;
    bool clip_sample;
    double clip_range; /* clip_sample_range */
    int solver_order;
    bool lower_order_final, euler_at_final;
    enum xl_algorithm algorithm;
    enum xl_solver solver;
    bool predict_x0;                           /* UniPC */
    int uncorrected_steps[XL_MAX_UNCORRECTED]; /* UniPC: disable_corrector */
    int n_uncorrected_steps;
    enum xl_variance variance;    /* DDPM: variance_type */
    int original_inference_steps; /* LCM */
    double timestep_scaling;      /* LCM */
    double eta;                   /* DDIM; no key: 0 unless the caller sets it */
};

/* Read a repository's scheduler_config.json for `name`. class_name: the class that model_index.json
 * names, which decides what the model was trained for; NULL: the file's own "_class_name".
 *   "default": that class; others ("euler", "euler-a", "dpmpp-2m", "dpmpp-2m-karras",
 *   "dpmpp-2m-sde", "dpmpp-2m-sde-karras", "unipc", "ddim", "ddpm", "deis", "pndm", "lcm", "heun",
 *   A1111's names "Euler a", "DPM++ 2M Karras", ..., and diffusers' class names): that class, by
 * the from_config rule: keys that the class knows are kept, the rest take the class's defaults.
 * "default" for a class of diffusers that is not written here but draws the same models is Euler
 * with the same betas. The names of an EDM model mean EDM's classes; one that has no such class is
 * replaced by the model's own. *notice then holds a sentence (malloc'd), else NULL.
 * Errors: XL_EFORMAT a class of another kind of model, impossible or unsupported values; XL_EINVAL
 * unknown name (the names are listed), or EDM's for another model; XL_ENOMEM */
enum xl_status xl_scheduler_config_read(struct xl_json json, const char *class_name,
                                        const char *name, struct xl_scheduler_config *out,
                                        char **notice, struct xl_err *err) XL_CHECKED;

/* What a single-file checkpoint says of its schedule. */
struct xl_checkpoint_marks {
    bool is_v_prediction;
    bool is_zero_snr;            /* betas are rescaled, and steps begin at the last of them */
    bool is_edm;                 /* Playground v2.5; with is_v_prediction CosXL */
    double sigma_min, sigma_max; /* CosXL: the ends of its sigmas; 0: those of the first */
};

/* The scheduler_config.json of such a model, its class in "_class_name": what diffusers'
 * from_single_file makes of it. Caller: json_decref. NULL: out of memory */
json_t *xl_scheduler_of_checkpoint(struct xl_checkpoint_marks marks);

/* The class that "default" draws with: class_name as above, or Euler in its place. Errors:
 * XL_EFORMAT */
enum xl_status xl_scheduler_own_class(struct xl_json json, const char *class_name,
                                      const char **drawn, struct xl_err *err) XL_CHECKED;

/* A config as a scheduler_config.json with every key that its class knows and that changes numbers,
 * defaults included. Caller: json_decref. NULL: out of memory (within xl_json_watch) */
json_t *xl_scheduler_config_describe(const struct xl_scheduler_config *config);

/* "dpmpp-2m-karras" and "DPMSolverMultistepScheduler": what a config really is. */
const char *xl_scheduler_name(const struct xl_scheduler_config *config);
const char *xl_scheduler_class(const struct xl_scheduler_config *config);
/* A1111's "Sampler" and "Schedule type" for the infotext ("DPM++ 2M", "Karras"). */
const char *xl_scheduler_a1111_name(const struct xl_scheduler_config *config);
const char *xl_scheduler_a1111_schedule(const struct xl_scheduler_config *config);
/* The i-th name that --scheduler takes, NULL after the last. */
const char *xl_scheduler_list(int i);
/* Whether there is a scheduler of this name, in any of its spellings. Errors: XL_EINVAL unknown
 * (the nearest is suggested, or all are listed), or sigmas that it does not have */
enum xl_status xl_scheduler_check_name(const char *name, struct xl_err *err) XL_CHECKED;

/* One call of the model and the update after it. */
struct xl_step {
    float timestep;
    float input_scale;
    float convert_x, convert_out; /* m */
    float clip;                   /* m is clamped to +-clip; 0: not */
    int store_slot;               /* history slot that receives m; -1: m is not needed */
    float base_coef[XL_N_SOURCES];
    float coef[XL_N_SOURCES];
    bool uses_noise; /* draws one latent of noise per image, perhaps with coefficient 0 */
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
 * Errors: XL_EINVAL steps or strength out of range for this sampler, XL_ENOMEM */
enum xl_status xl_schedule_new(const struct xl_scheduler_config *config, int steps, double strength,
                               bool *clamped, struct xl_schedule **out,
                               struct xl_err *err) XL_CHECKED;
void xl_schedule_free(struct xl_schedule *schedule);

/* History slots that the steps use, and steps that draw noise. */
int xl_schedule_n_history(const struct xl_schedule *schedule);
int xl_schedule_n_noise(const struct xl_schedule *schedule);
/* The steps as the op sampler_step takes them (ops.h). table: [n_steps, XL_N_STEP_COLUMNS] */
void xl_schedule_table(const struct xl_schedule *schedule, float *table);

#endif
