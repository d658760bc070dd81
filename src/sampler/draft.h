/* draft.h - what the sampler files share: a schedule under construction and the description of a
 * diffusers class. Private to src/sampler.
 *
 * xl_schedule_new makes a draft, lets the class space its timesteps and sigmas, and then lets it
 * fill one step after the other. Arithmetic follows diffusers down to the precision of each
 * operation where that shows in the result: tensors there are float32, numpy's arrays float64.
 */
#ifndef XL_SAMPLER_DRAFT_H
#define XL_SAMPLER_DRAFT_H

#include "sampler/sampler.h"

struct xl_draft {
    const struct xl_scheduler_config *config;
    int steps; /* num_inference_steps */
    int begin; /* index into timesteps of the first call of the model; img2img starts late */
    float *alphas_cumprod;        /* [n_train] */
    float *train_sigmas;          /* [n_train] sqrt((1 - alphas_cumprod) / alphas_cumprod) */
    struct xl_schedule *schedule; /* timesteps and sigmas have room for xl_draft_capacity entries */
};

/* In what x and the noise levels are expressed. */
enum xl_family {
    XL_FAMILY_SIGMA,  /* x = x0 + sigma noise; the model sees x / sqrt(sigma^2 + 1) */
    XL_FAMILY_LAMBDA, /* x = alpha x0 + sigma_t noise, both from sigma = sigma_t / alpha */
    XL_FAMILY_ALPHA,  /* the same, from alphas_cumprod at whole timesteps; no list of sigmas */
    XL_FAMILY_EDM,    /* as sigma, but of models trained without betas (edm.c) */
};

/* Groups of keys of scheduler_config.json that only some classes know. */
enum xl_key_group {
    XL_KEYS_SIGMAS = 1 << 0, /* use_{karras,exponential,beta}_sigmas, sigma_min, sigma_max */
    XL_KEYS_FINAL_SIGMA = 1 << 1,
    XL_KEYS_ZERO_SNR = 1 << 2,
    XL_KEYS_ALPHA_TO_ONE = 1 << 3,
    XL_KEYS_CLIP = 1 << 4,
    XL_KEYS_SOLVER = 1 << 5, /* solver_order, solver_type, lower_order_final */
    XL_KEYS_EULER = 1 << 6,
    XL_KEYS_DPM = 1 << 7,
    XL_KEYS_UNIPC = 1 << 8,
    XL_KEYS_DDPM = 1 << 9,
    XL_KEYS_PNDM = 1 << 10,
    XL_KEYS_LCM = 1 << 11,
    XL_KEYS_THRESHOLD = 1 << 12, /* thresholding */
    XL_KEYS_FLOW = 1 << 13,      /* use_flow_sigmas, use_dynamic_shifting */
    XL_KEYS_BETAS = 1 << 14,     /* betas and what spaces timesteps: all but EDM's classes */
    XL_KEYS_EDM = 1 << 15,       /* sigma_data, rho, sigma_schedule; sigma_min, sigma_max */
    XL_KEYS_EDM_DPM = 1 << 16,   /* the keys of XL_KEYS_DPM that EDM's class has, too */
};

struct xl_sampler_class {
    const char *name; /* in diffusers */
    enum xl_family family;
    unsigned keys;     /* enum xl_key_group */
    bool takes_sample; /* prediction_type "sample", beside epsilon and v_prediction */
    int order;         /* calls of the model per step */
    /* Where the class's defaults differ from the common ones of config.c; may be NULL. */
    void (*set_defaults)(struct xl_scheduler_config *config);
    /* Fill schedule->timesteps and, outside the alpha family, schedule->sigmas. */
    enum xl_status (*space)(struct xl_draft *draft, struct xl_err *err);
    /* Fill the step at timesteps[i]. It comes with timestep and input_scale, with base = x and all
     * other coefficients 0, and without a store_slot. */
    void (*fill)(const struct xl_draft *draft, int i, struct xl_step *step);
};

extern const struct xl_sampler_class xl_class_euler, xl_class_euler_ancestral, xl_class_heun,
    xl_class_dpmpp, xl_class_unipc, xl_class_deis, xl_class_ddim, xl_class_ddpm, xl_class_pndm,
    xl_class_lcm, xl_class_edm_euler, xl_class_edm_dpmpp;

/* The family of models that a class draws: those trained with betas, or EDM's. */
static inline bool xl_class_is_edm(const struct xl_sampler_class *class) {
    return class->family == XL_FAMILY_EDM;
}

/* A name of --scheduler. */
struct xl_sampler {
    const char *names[XL_N_SIGMA_SPACINGS]; /* by sigma spacing; NULL: the class has none such */
    const char *alias;                      /* another word for names[0], or NULL */
    const char *a1111_name;
    const struct xl_sampler_class *class;
    bool is_sde; /* algorithm_type is sde-dpmsolver++ */
};

/* What a name says. */
struct xl_sampler_choice {
    const struct xl_sampler *sampler; /* NULL: none of this family has that name */
    bool has_spacing;                 /* it names a sigma spacing too; else the file's is kept */
    enum xl_sigma_spacing spacing;
};
/* sampler.c: look a name up; "euler" of an EDM model is EDM's Euler. Errors: XL_EINVAL no family
 * has it */
enum xl_status xl_sampler_find(const char *name, bool is_edm, struct xl_sampler_choice *out,
                               struct xl_err *err) XL_CHECKED;
/* The row of a class that says best what the config holds; NULL: unknown class. */
const struct xl_sampler *xl_sampler_of_class(const char *class_name, bool is_sde);

/* alphas.c: the noise levels that the model was trained on.
 * alphas_cumprod, train_sigmas: [config->n_train]; floor: smallest last value under zero terminal
 * SNR. Errors: XL_ENOMEM */
enum xl_status xl_alphas_fill(const struct xl_scheduler_config *config, float floor,
                              float *alphas_cumprod, float *train_sigmas,
                              struct xl_err *err) XL_CHECKED;
/* torch.linspace(start, end, n)[i] in float32. */
float xl_linspace_f32(float start, float end, int n, int i);

/* spacing.c. Timesteps are written in descending order. */
static inline int xl_draft_capacity(int steps) {
    return 2 * steps + 16;
}

struct xl_spacing_rule {
    int n_points;  /* points from 0 to n_train, of which the highest `steps` are used */
    int end;       /* n_train, or less: the top is cut off */
    bool is_whole; /* linspace timesteps are rounded */
};
void xl_space_timesteps(struct xl_draft *draft, struct xl_spacing_rule rule);
/* Sigmas at the timesteps, linear between whole ones. */
void xl_interpolate_sigmas(struct xl_draft *draft);
/* Replace sigmas by `steps` sigmas between two ends as config->sigma_spacing says, and timesteps by
 * those where the model was trained on them. The config's sigma_max and sigma_min come first. */
void xl_respace_sigmas(struct xl_draft *draft, double sigma_max, double sigma_min);
void xl_append_sigma(struct xl_draft *draft, double sigma);
/* The usual spacing of multistep solvers: `steps` of steps + 1 points, Karras and others between
 * the ends of the training schedule. Timesteps are whole: those of Karras and Lu sigmas are rounded
 * when is_rounded, all others cut off. */
void xl_space_solver(struct xl_draft *draft, int end, bool is_rounded);
/* The x with I_x(a, a) = p: scipy.stats.beta.ppf(p, a, a). */
double xl_beta_quantile(double p, double a);

/* steps.c: pieces of a step. */
struct xl_level {
    float alpha, sigma; /* x = alpha x0 + sigma noise */
    float lambda;       /* log(alpha / sigma) */
};
/* The level of sigmas[i]. */
struct xl_level xl_level_at(const struct xl_draft *draft, int i);
/* The level of alphas_cumprod at a whole timestep (lambda is not set). */
struct xl_level xl_level_of_alpha(float alphas_cumprod);
float xl_sigma_at(const struct xl_draft *draft, int i);
int xl_timestep_at(const struct xl_draft *draft, int i);
/* d = (x - x0) / sigma in the sigma family, as x and the model's output give it. */
struct xl_slope {
    double x, out;
};
struct xl_slope xl_slope_at(const struct xl_draft *draft, float sigma);
/* Make m the model's x0 or its noise. */
void xl_convert_to_x0(const struct xl_draft *draft, struct xl_level level, struct xl_step *step);
void xl_convert_to_noise(const struct xl_draft *draft, struct xl_level level, struct xl_step *step);
/* dpmpp.c, for the class of EDM models, too: the levels are all that differs. */
void xl_dpmpp_fill(const struct xl_draft *draft, int i, struct xl_step *step);
/* edm.c: make m the model's x0; by what the model's input is scaled. */
void xl_edm_convert_to_x0(const struct xl_draft *draft, float sigma, struct xl_step *step);
double xl_edm_input_scale(const struct xl_scheduler_config *config, float sigma);
/* The history slot of the m of call i, and the source that reads it. Up to four calls are
 * remembered. */
int xl_slot(const struct xl_draft *draft, int i);
int xl_source_of(const struct xl_draft *draft, int i);

#endif
