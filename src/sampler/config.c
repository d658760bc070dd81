/* config.c - reading scheduler_config.json by diffusers' from_config rule: keys that the wanted
 * class knows are kept, the rest take the class's defaults. */
#include "base/json.h"
#include "base/str.h"
#include "sampler/draft.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The defaults that most classes share. */
static const struct xl_scheduler_config common_defaults = {
    .n_train = 1000,
    .beta_start = 0.0001,
    .beta_end = 0.02,
    .beta_schedule = XL_BETA_LINEAR,
    .prediction = XL_PREDICT_EPSILON,
    .spacing = XL_SPACING_LINSPACE,
    .lambda_min_clipped = -INFINITY,
    .set_alpha_to_one = true,
    .clip_range = 1,
    .solver_order = 2,
    .lower_order_final = true,
    .predict_x0 = true,
    .original_inference_steps = 50,
    .timestep_scaling = 10,
};

/* A word of the file and what it means; the list ends with a NULL word. */
struct choice {
    const char *word;
    int value;
};

static const struct choice beta_schedules[] = {{"linear", XL_BETA_LINEAR},
                                               {"scaled_linear", XL_BETA_SCALED_LINEAR},
                                               {"squaredcos_cap_v2", XL_BETA_SQUAREDCOS_CAP_V2},
                                               {NULL, 0}};
static const struct choice predictions[] = {{"epsilon", XL_PREDICT_EPSILON},
                                            {"v_prediction", XL_PREDICT_V},
                                            {"sample", XL_PREDICT_SAMPLE},
                                            {"original_sample", XL_PREDICT_SAMPLE},
                                            {NULL, 0}};
static const struct choice spacings[] = {{"leading", XL_SPACING_LEADING},
                                         {"trailing", XL_SPACING_TRAILING},
                                         {"linspace", XL_SPACING_LINSPACE},
                                         {NULL, 0}};
static const struct choice final_sigmas[] = {
    {"zero", XL_FINAL_SIGMA_ZERO}, {"sigma_min", XL_FINAL_SIGMA_MIN}, {NULL, 0}};
static const struct choice interpolations[] = {{"linear", false}, {"log_linear", true}, {NULL, 0}};
static const struct choice timestep_types[] = {
    {"discrete", false}, {"continuous", true}, {NULL, 0}};
static const struct choice algorithms[] = {{"dpmsolver++", XL_ALGORITHM_DPMSOLVER_PP},
                                           {"dpmsolver", XL_ALGORITHM_DPMSOLVER},
                                           {"sde-dpmsolver++", XL_ALGORITHM_SDE_DPMSOLVER_PP},
                                           {"sde-dpmsolver", XL_ALGORITHM_SDE_DPMSOLVER},
                                           {"deis", XL_ALGORITHM_DPMSOLVER_PP},
                                           {NULL, 0}};
static const struct choice solvers[] = {{"midpoint", XL_SOLVER_DEFAULT}, {"heun", XL_SOLVER_HEUN},
                                        {"logrho", XL_SOLVER_DEFAULT},   {"bh1", XL_SOLVER_BH1},
                                        {"bh2", XL_SOLVER_DEFAULT},      {NULL, 0}};
static const struct choice variances[] = {{"fixed_small", XL_VARIANCE_FIXED_SMALL},
                                          {"fixed_small_log", XL_VARIANCE_FIXED_SMALL_LOG},
                                          {"fixed_large", XL_VARIANCE_FIXED_LARGE},
                                          {NULL, 0}};

static enum xl_status wrong_choice(struct xl_json json, const char *key, const char *word,
                                   const struct choice *choices, struct xl_err *err) {
    char known[160] = "";
    for (const struct choice *c = choices; c->word; c++)
        strcat(strcat(known, c == choices ? "" : ", "), c->word);
    return xl_fail(err, XL_EFORMAT, "%s: \"%s\" is \"%.64s\", supported are %s", json.name, key,
                   word, known);
}

static enum xl_status read_choice(struct xl_json json, const char *key,
                                  const struct choice *choices, int *value, struct xl_err *err) {
    const char *word = NULL;
    enum xl_status status = xl_json_string(json, key, &word, err);
    if (status || !word) return status;
    for (const struct choice *c = choices; c->word; c++)
        if (!strcmp(c->word, word)) {
            *value = c->value;
            return XL_OK;
        }
    return wrong_choice(json, key, word, choices, err);
}

/* Settings that change the numbers in ways that no table of linear steps can follow, or that no
 * SDXL model has been seen with. keys: the group that knows the key, 0: all classes. */
static const struct {
    unsigned keys;
    const char *key, *what;
} unsupported[] = {
    {0, "trained_betas", "betas listed one by one"},
    {XL_KEYS_THRESHOLD, "thresholding", "dynamic thresholding"},
    {XL_KEYS_FLOW, "use_flow_sigmas", "flow matching"},
    {XL_KEYS_FLOW, "use_dynamic_shifting", "flow matching"},
    {XL_KEYS_UNIPC, "shift_terminal", "flow matching"},
    {XL_KEYS_UNIPC, "solver_p", "a second solver as predictor"},
};

static enum xl_status refuse_unsupported(struct xl_json json, unsigned keys, struct xl_err *err) {
    for (size_t i = 0; i < sizeof unsupported / sizeof *unsupported; i++) {
        if (unsupported[i].keys && !(keys & unsupported[i].keys)) continue;
        const json_t *value = json_object_get(json.object, unsupported[i].key);
        if (value && !json_is_null(value) && !json_is_false(value))
            return xl_fail(
                err, XL_EFORMAT,
                "%s: \"%s\" is set, but there is no support for %s; choose another scheduler "
                "by name or take the key out",
                json.name, unsupported[i].key, unsupported[i].what);
    }
    return XL_OK;
}

/* Keys that every class knows. */
static enum xl_status read_common(struct xl_json json, struct xl_scheduler_config *c,
                                  struct xl_err *err) {
    int beta_schedule = c->beta_schedule, prediction = c->prediction, spacing = c->spacing;
    enum xl_status status = xl_json_int(json, "num_train_timesteps", 2, 10000, &c->n_train, err);
    if (!status) status = xl_json_double(json, "beta_start", 1e-9, 0.999, &c->beta_start, err);
    if (!status) status = xl_json_double(json, "beta_end", 1e-9, 0.999, &c->beta_end, err);
    if (!status) status = read_choice(json, "beta_schedule", beta_schedules, &beta_schedule, err);
    if (!status) status = read_choice(json, "prediction_type", predictions, &prediction, err);
    if (!status) status = read_choice(json, "timestep_spacing", spacings, &spacing, err);
    if (!status)
        status = xl_json_int(json, "steps_offset", 0, c->n_train - 1, &c->steps_offset, err);
    c->beta_schedule = (enum xl_beta_schedule)beta_schedule;
    c->prediction = (enum xl_prediction)prediction;
    c->spacing = (enum xl_spacing)spacing;
    return status;
}

static enum xl_status read_sigma_ends(struct xl_json json, struct xl_scheduler_config *c,
                                      struct xl_err *err) {
    enum xl_status status = xl_json_double(json, "sigma_min", 1e-6, 1e6, &c->sigma_min, err);
    if (!status) status = xl_json_double(json, "sigma_max", 1e-6, 1e6, &c->sigma_max, err);
    if (!status && c->sigma_max > 0 && c->sigma_min >= c->sigma_max)
        return xl_fail(err, XL_EFORMAT, "%s: \"sigma_min\" is %g, expected less than sigma_max, %g",
                       json.name, c->sigma_min, c->sigma_max);
    return status;
}

static enum xl_status read_sigmas(struct xl_json json, struct xl_scheduler_config *c,
                                  struct xl_err *err) {
    static const char *const keys[XL_N_SIGMA_SPACINGS] = {
        [XL_SIGMA_KARRAS] = "use_karras_sigmas",
        [XL_SIGMA_EXPONENTIAL] = "use_exponential_sigmas",
        [XL_SIGMA_BETA] = "use_beta_sigmas"};
    for (int i = XL_SIGMA_KARRAS; i <= XL_SIGMA_BETA; i++) {
        bool is_used = false;
        enum xl_status status = xl_json_bool(json, keys[i], &is_used, err);
        if (status) return status;
        if (is_used && c->sigma_spacing != XL_SIGMA_PLAIN)
            return xl_fail(err, XL_EFORMAT, "%s: \"%s\" and \"%s\" are both true, expected one",
                           json.name, keys[c->sigma_spacing], keys[i]);
        if (is_used) c->sigma_spacing = (enum xl_sigma_spacing)i;
    }
    return read_sigma_ends(json, c, err);
}

static enum xl_status read_final_sigma(struct xl_json json, struct xl_scheduler_config *c,
                                       struct xl_err *err) {
    int value = c->final_sigma;
    enum xl_status status = read_choice(json, "final_sigmas_type", final_sigmas, &value, err);
    c->final_sigma = (enum xl_final_sigma)value;
    return status;
}

static enum xl_status read_zero_snr(struct xl_json json, struct xl_scheduler_config *c,
                                    struct xl_err *err) {
    return xl_json_bool(json, "rescale_betas_zero_snr", &c->rescale_zero_snr, err);
}

static enum xl_status read_alpha_to_one(struct xl_json json, struct xl_scheduler_config *c,
                                        struct xl_err *err) {
    return xl_json_bool(json, "set_alpha_to_one", &c->set_alpha_to_one, err);
}

static enum xl_status read_clip(struct xl_json json, struct xl_scheduler_config *c,
                                struct xl_err *err) {
    enum xl_status status = xl_json_bool(json, "clip_sample", &c->clip_sample, err);
    if (!status) status = xl_json_double(json, "clip_sample_range", 1e-3, 1e6, &c->clip_range, err);
    return status;
}

static enum xl_status read_solver(struct xl_json json, struct xl_scheduler_config *c,
                                  struct xl_err *err) {
    int solver = c->solver;
    enum xl_status status = xl_json_int(json, "solver_order", 1, 3, &c->solver_order, err);
    if (!status) status = read_choice(json, "solver_type", solvers, &solver, err);
    if (!status) status = xl_json_bool(json, "lower_order_final", &c->lower_order_final, err);
    c->solver = (enum xl_solver)solver;
    return status;
}

static enum xl_status read_euler(struct xl_json json, struct xl_scheduler_config *c,
                                 struct xl_err *err) {
    int is_log = c->log_interpolation, is_continuous = c->continuous_timesteps;
    enum xl_status status = read_choice(json, "interpolation_type", interpolations, &is_log, err);
    if (!status) status = read_choice(json, "timestep_type", timestep_types, &is_continuous, err);
    c->log_interpolation = is_log;
    c->continuous_timesteps = is_continuous;
    return status;
}

static enum xl_status read_dpm(struct xl_json json, struct xl_scheduler_config *c,
                               struct xl_err *err) {
    int algorithm = c->algorithm, variance = XL_VARIANCE_FIXED_SMALL;
    bool is_lu = false;
    enum xl_status status = read_choice(json, "algorithm_type", algorithms, &algorithm, err);
    if (!status) status = xl_json_bool(json, "euler_at_final", &c->euler_at_final, err);
    if (!status) status = xl_json_bool(json, "use_lu_lambdas", &is_lu, err);
    if (!status)
        status = xl_json_double(json, "lambda_min_clipped", -1e9, 1e9, &c->lambda_min_clipped, err);
    if (!status) status = read_choice(json, "variance_type", variances, &variance, err);
    if (is_lu && c->sigma_spacing == XL_SIGMA_PLAIN) c->sigma_spacing = XL_SIGMA_LU;
    c->algorithm = (enum xl_algorithm)algorithm;
    return status;
}

static enum xl_status read_unipc(struct xl_json json, struct xl_scheduler_config *c,
                                 struct xl_err *err) {
    const json_t *disabled = json_object_get(json.object, "disable_corrector");
    enum xl_status status = xl_json_bool(json, "predict_x0", &c->predict_x0, err);
    if (!status && !(json_is_array(disabled) && json_array_size(disabled) == 0))
        status = xl_json_int_array(json, "disable_corrector", 0, c->n_train, c->uncorrected_steps,
                                   XL_MAX_UNCORRECTED, &c->n_uncorrected_steps, err);
    return status;
}

static enum xl_status read_ddpm(struct xl_json json, struct xl_scheduler_config *c,
                                struct xl_err *err) {
    int value = c->variance;
    enum xl_status status = read_choice(json, "variance_type", variances, &value, err);
    c->variance = (enum xl_variance)value;
    return status;
}

static enum xl_status read_pndm(struct xl_json json, struct xl_scheduler_config *c,
                                struct xl_err *err) {
    return xl_json_bool(json, "skip_prk_steps", &c->skip_prk_steps, err);
}

static enum xl_status read_lcm(struct xl_json json, struct xl_scheduler_config *c,
                               struct xl_err *err) {
    enum xl_status status = xl_json_int(json, "original_inference_steps", 1, c->n_train,
                                        &c->original_inference_steps, err);
    if (!status)
        status = xl_json_double(json, "timestep_scaling", 0, 1e6, &c->timestep_scaling, err);
    return status;
}

static const struct {
    enum xl_key_group keys;
    enum xl_status (*read)(struct xl_json json, struct xl_scheduler_config *config,
                           struct xl_err *err);
} readers[] = {
    {XL_KEYS_SIGMAS, read_sigmas},     {XL_KEYS_FINAL_SIGMA, read_final_sigma},
    {XL_KEYS_ZERO_SNR, read_zero_snr}, {XL_KEYS_ALPHA_TO_ONE, read_alpha_to_one},
    {XL_KEYS_CLIP, read_clip},         {XL_KEYS_SOLVER, read_solver},
    {XL_KEYS_EULER, read_euler},       {XL_KEYS_DPM, read_dpm},
    {XL_KEYS_UNIPC, read_unipc},       {XL_KEYS_DDPM, read_ddpm},
    {XL_KEYS_PNDM, read_pndm},         {XL_KEYS_LCM, read_lcm},
};

static enum xl_status read_keys(struct xl_json json, const struct xl_sampler_class *class,
                                struct xl_scheduler_config *config, struct xl_err *err) {
    *config = common_defaults;
    if (class->set_defaults) class->set_defaults(config);
    enum xl_status status = refuse_unsupported(json, class->keys, err);
    if (!status) status = read_common(json, config, err);
    for (size_t i = 0; !status && i < sizeof readers / sizeof *readers; i++)
        if (class->keys & readers[i].keys) status = readers[i].read(json, config, err);
    return status;
}

/* Combinations that diffusers refuses too, or that end in divisions by zero there. */
static enum xl_status check(struct xl_json json, const struct xl_sampler_class *class,
                            const struct xl_scheduler_config *c, struct xl_err *err) {
    bool is_dpm = class->keys & XL_KEYS_DPM;
    bool is_sde = c->algorithm == XL_ALGORITHM_SDE_DPMSOLVER;
    bool steps_in_noise = is_dpm ? is_sde || c->algorithm == XL_ALGORITHM_DPMSOLVER
                                 : (class->keys & XL_KEYS_UNIPC) && !c->predict_x0;
    if (c->prediction == XL_PREDICT_SAMPLE && !class->takes_sample)
        return xl_fail(err, XL_EFORMAT,
                       "%s: \"prediction_type\" is \"sample\", which %s does not take, expected "
                       "epsilon or v_prediction; choose another scheduler by name",
                       json.name, class->name);
    if (steps_in_noise && c->final_sigma == XL_FINAL_SIGMA_ZERO)
        return xl_fail(
            err, XL_EFORMAT, "%s: \"final_sigmas_type\" is \"zero\", but %s needs \"sigma_min\"",
            json.name, is_dpm ? "an \"algorithm_type\" without ++" : "\"predict_x0\" false");
    if (is_dpm && is_sde && c->solver_order == 3)
        return xl_fail(err, XL_EFORMAT,
                       "%s: \"solver_order\" is 3, but \"algorithm_type\" sde-dpmsolver has only 1 "
                       "and 2",
                       json.name);
    return XL_OK;
}

/* The sampler that "default" means. fallback: the class that was not known, borrowed from the file,
 * or NULL. */
static enum xl_status find_default(struct xl_json json, const struct xl_sampler **sampler,
                                   const char **fallback, struct xl_err *err) {
    const char *class_name = "";
    enum xl_status status = xl_json_string(json, "_class_name", &class_name, err);
    if (status) return status;
    *sampler = xl_sampler_of_class(class_name, false);
    if (!*sampler) {
        *sampler = xl_sampler_of_class(xl_class_euler.name, false);
        *fallback = class_name;
    }
    return XL_OK;
}

static enum xl_status write_notice(struct xl_json json, const char *fallback, char **notice,
                                   struct xl_err *err) {
    struct xl_str text = {0};
    if (*fallback)
        xl_str_printf(&text, "%s: scheduler class \"%.64s\" is not supported", json.name, fallback);
    else
        xl_str_printf(&text, "%s: \"_class_name\" is missing", json.name);
    xl_str_puts(&text, "; EulerDiscreteScheduler with the same betas is used instead");
    *notice = xl_str_take(&text);
    return *notice ? XL_OK : xl_fail_nomem(err, "a notice", 0);
}

enum xl_status xl_scheduler_config_read(struct xl_json json, const char *name,
                                        struct xl_scheduler_config *out, char **notice,
                                        struct xl_err *err) {
    struct xl_scheduler_config config;
    const struct xl_sampler *sampler;
    const char *fallback = NULL;
    char *text = NULL;
    bool has_spacing = false;
    enum xl_sigma_spacing spacing;
    enum xl_status status = !strcasecmp(name, "default") /* "Default" in the earlier app */
                                ? find_default(json, &sampler, &fallback, err)
                                : xl_sampler_find(name, &sampler, &has_spacing, &spacing, err);
    if (!status) status = read_keys(json, sampler->class, &config, err);
    if (status) return status;
    if (has_spacing) config.sigma_spacing = spacing;
    if (sampler->is_sde) config.algorithm = XL_ALGORITHM_SDE_DPMSOLVER_PP;
    status = check(json, sampler->class, &config, err);
    if (!status && fallback) status = write_notice(json, fallback, &text, err);
    if (status) return status;
    bool is_sde = config.algorithm == XL_ALGORITHM_SDE_DPMSOLVER_PP ||
                  config.algorithm == XL_ALGORITHM_SDE_DPMSOLVER;
    config.sampler = xl_sampler_of_class(sampler->class->name, is_sde);
    *out = config;
    *notice = text;
    return XL_OK;
}
