/* config.c - scheduler_config.json, read by diffusers' from_config rule (keys that the wanted class
 * knows are kept, the rest take the class's defaults) and written as it was understood. */
#include "base/json.h"
#include "base/str.h"
#include "sampler/draft.h"

#include <math.h>
#include <stddef.h>
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
static const struct choice sigma_schedules[] = {
    {"karras", XL_SIGMA_KARRAS}, {"exponential", XL_SIGMA_EXPONENTIAL}, {NULL, 0}};
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
    {XL_KEYS_BETAS, "trained_betas", "betas listed one by one"},
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

/* --- The keys --------------------------------------------------------------------------------- */

enum type { INT, REAL, BOOL, CHOICE, BOOL_CHOICE /* of two words */, CHECKED /* and not used */ };

struct key {
    unsigned group; /* enum xl_key_group; 0: every class knows it */
    const char *name;
    enum type type;
    size_t offset; /* in struct xl_scheduler_config */
    double min, max;
    bool is_relative; /* max is added to the number of training steps */
    const struct choice *choices;
};

#define AT(field) offsetof(struct xl_scheduler_config, field)
static const struct key keys[] = {
    {0, "num_train_timesteps", INT, AT(n_train), 2, 10000, false, NULL},
    {XL_KEYS_BETAS, "beta_start", REAL, AT(beta_start), 1e-9, 0.999, false, NULL},
    {XL_KEYS_BETAS, "beta_end", REAL, AT(beta_end), 1e-9, 0.999, false, NULL},
    {XL_KEYS_BETAS, "beta_schedule", CHOICE, AT(beta_schedule), 0, 0, false, beta_schedules},
    {0, "prediction_type", CHOICE, AT(prediction), 0, 0, false, predictions},
    {XL_KEYS_BETAS, "timestep_spacing", CHOICE, AT(spacing), 0, 0, false, spacings},
    {XL_KEYS_BETAS, "steps_offset", INT, AT(steps_offset), 0, -1, true, NULL},
    {XL_KEYS_SIGMAS | XL_KEYS_EDM, "sigma_min", REAL, AT(sigma_min), 1e-6, 1e6, false, NULL},
    {XL_KEYS_SIGMAS | XL_KEYS_EDM, "sigma_max", REAL, AT(sigma_max), 1e-6, 1e6, false, NULL},
    {XL_KEYS_EDM, "sigma_data", REAL, AT(sigma_data), 1e-6, 1e6, false, NULL},
    {XL_KEYS_EDM, "rho", REAL, AT(rho), 1e-3, 1e3, false, NULL},
    {XL_KEYS_EDM, "sigma_schedule", CHOICE, AT(sigma_spacing), 0, 0, false, sigma_schedules},
    {XL_KEYS_FINAL_SIGMA, "final_sigmas_type", CHOICE, AT(final_sigma), 0, 0, false, final_sigmas},
    {XL_KEYS_ZERO_SNR, "rescale_betas_zero_snr", BOOL, AT(rescale_zero_snr), 0, 0, false, NULL},
    {XL_KEYS_ALPHA_TO_ONE, "set_alpha_to_one", BOOL, AT(set_alpha_to_one), 0, 0, false, NULL},
    {XL_KEYS_CLIP, "clip_sample", BOOL, AT(clip_sample), 0, 0, false, NULL},
    {XL_KEYS_CLIP, "clip_sample_range", REAL, AT(clip_range), 1e-3, 1e6, false, NULL},
    {XL_KEYS_SOLVER, "solver_order", INT, AT(solver_order), 1, 3, false, NULL},
    {XL_KEYS_SOLVER, "solver_type", CHOICE, AT(solver), 0, 0, false, solvers},
    {XL_KEYS_SOLVER, "lower_order_final", BOOL, AT(lower_order_final), 0, 0, false, NULL},
    {XL_KEYS_EULER, "interpolation_type", BOOL_CHOICE, AT(log_interpolation), 0, 0, false,
     interpolations},
    {XL_KEYS_EULER, "timestep_type", BOOL_CHOICE, AT(continuous_timesteps), 0, 0, false,
     timestep_types},
    {XL_KEYS_DPM | XL_KEYS_EDM_DPM, "algorithm_type", CHOICE, AT(algorithm), 0, 0, false,
     algorithms},
    {XL_KEYS_DPM | XL_KEYS_EDM_DPM, "euler_at_final", BOOL, AT(euler_at_final), 0, 0, false, NULL},
    {XL_KEYS_DPM, "lambda_min_clipped", REAL, AT(lambda_min_clipped), -1e9, 1e9, false, NULL},
    {XL_KEYS_DPM, "variance_type", CHECKED, 0, 0, 0, false, variances},
    {XL_KEYS_UNIPC, "predict_x0", BOOL, AT(predict_x0), 0, 0, false, NULL},
    {XL_KEYS_DDPM, "variance_type", CHOICE, AT(variance), 0, 0, false, variances},
    {XL_KEYS_PNDM, "skip_prk_steps", BOOL, AT(skip_prk_steps), 0, 0, false, NULL},
    {XL_KEYS_LCM, "original_inference_steps", INT, AT(original_inference_steps), 1, 0, true, NULL},
    {XL_KEYS_LCM, "timestep_scaling", REAL, AT(timestep_scaling), 0, 1e6, false, NULL},
};
enum { N_KEYS = sizeof keys / sizeof *keys };

/* Flags of which one may be true, by sigma spacing. */
static const struct {
    unsigned group;
    const char *name;
} spacing_keys[XL_N_SIGMA_SPACINGS] = {
    [XL_SIGMA_KARRAS] = {XL_KEYS_SIGMAS, "use_karras_sigmas"},
    [XL_SIGMA_EXPONENTIAL] = {XL_KEYS_SIGMAS, "use_exponential_sigmas"},
    [XL_SIGMA_BETA] = {XL_KEYS_SIGMAS, "use_beta_sigmas"},
    [XL_SIGMA_LU] = {XL_KEYS_DPM, "use_lu_lambdas"},
};

static bool knows(const struct xl_sampler_class *class, unsigned group) {
    return !group || class->keys & group;
}

/* --- Reading ---------------------------------------------------------------------------------- */

/* Enums are read as the int that they are. */
_Static_assert(sizeof(enum xl_spacing) == sizeof(int), "enums of a config are int");

static enum xl_status read_key(struct xl_json json, const struct key *key,
                               struct xl_scheduler_config *config, struct xl_err *err) {
    void *out = (char *)config + key->offset;
    double max = key->max + (key->is_relative ? config->n_train : 0);
    int word = 0;
    switch (key->type) {
    case INT:
        return xl_json_int(json, key->name, (int64_t)key->min, (int64_t)max, out, err);
    case REAL:
        return xl_json_double(json, key->name, key->min, max, out, err);
    case BOOL:
        return xl_json_bool(json, key->name, out, err);
    case CHOICE:
        return read_choice(json, key->name, key->choices, out, err);
    case BOOL_CHOICE:
    case CHECKED:
        break;
    }
    if (key->type == BOOL_CHOICE) word = *(bool *)out;
    enum xl_status status = read_choice(json, key->name, key->choices, &word, err);
    if (!status && key->type == BOOL_CHOICE) *(bool *)out = word;
    return status;
}

/* LU gives way to another one; of the others only one may be there. */
static enum xl_status read_sigma_spacing(struct xl_json json, const struct xl_sampler_class *class,
                                         struct xl_scheduler_config *c, struct xl_err *err) {
    for (int i = XL_SIGMA_KARRAS; i < XL_N_SIGMA_SPACINGS; i++) {
        bool is_used = false;
        if (!knows(class, spacing_keys[i].group)) continue;
        enum xl_status status = xl_json_bool(json, spacing_keys[i].name, &is_used, err);
        if (status) return status;
        if (!is_used || (i == XL_SIGMA_LU && c->sigma_spacing != XL_SIGMA_PLAIN)) continue;
        if (c->sigma_spacing != XL_SIGMA_PLAIN)
            return xl_fail(err, XL_EFORMAT, "%s: \"%s\" and \"%s\" are both true, expected one",
                           json.name, spacing_keys[c->sigma_spacing].name, spacing_keys[i].name);
        c->sigma_spacing = (enum xl_sigma_spacing)i;
    }
    if (c->sigma_max > 0 && c->sigma_min >= c->sigma_max)
        return xl_fail(err, XL_EFORMAT, "%s: \"sigma_min\" is %g, expected less than sigma_max, %g",
                       json.name, c->sigma_min, c->sigma_max);
    return XL_OK;
}

static enum xl_status read_corrector(struct xl_json json, struct xl_scheduler_config *c,
                                     struct xl_err *err) {
    const json_t *disabled = json_object_get(json.object, "disable_corrector");
    if (json_is_array(disabled) && json_array_size(disabled) == 0) return XL_OK;
    return xl_json_int_array(json, "disable_corrector", 0, c->n_train, c->uncorrected_steps,
                             XL_MAX_UNCORRECTED, &c->n_uncorrected_steps, err);
}

static enum xl_status read_keys(struct xl_json json, const struct xl_sampler_class *class,
                                struct xl_scheduler_config *config, struct xl_err *err) {
    *config = common_defaults;
    if (class->set_defaults) class->set_defaults(config);
    enum xl_status status = refuse_unsupported(json, class->keys, err);
    for (int i = 0; !status && i < N_KEYS; i++)
        if (knows(class, keys[i].group)) status = read_key(json, &keys[i], config, err);
    if (!status) status = read_sigma_spacing(json, class, config, err);
    if (!status && knows(class, XL_KEYS_UNIPC)) status = read_corrector(json, config, err);
    return status;
}

/* --- Writing ---------------------------------------------------------------------------------- */

/* The word of a value; of several words for one value the one that the class says. */
static json_t *word_of(const struct key *key, int value, const struct xl_sampler_class *class) {
    if (key->choices == solvers && value == XL_SOLVER_DEFAULT)
        return json_string(class->keys & XL_KEYS_UNIPC                     ? "bh2"
                           : class->keys & (XL_KEYS_DPM | XL_KEYS_EDM_DPM) ? "midpoint"
                                                                           : "logrho");
    const struct choice *choice = key->choices;
    while (choice->value != value) choice++;
    return json_string(choice->word);
}

static json_t *value_of(const struct key *key, const struct xl_scheduler_config *config) {
    const void *at = (const char *)config + key->offset;
    switch (key->type) {
    case INT:
        return json_integer(*(const int *)at);
    case REAL:
        return json_real(*(const double *)at);
    case BOOL:
        return json_boolean(*(const bool *)at);
    case CHOICE:
        return word_of(key, *(const int *)at, config->sampler->class);
    case BOOL_CHOICE:
        return word_of(key, *(const bool *)at, config->sampler->class);
    case CHECKED:
        break;
    }
    return NULL;
}

/* What nobody said is outside of what can be said: ends of the sigma spacing, a clipped lambda. */
static bool is_said(const struct key *key, const struct xl_scheduler_config *config) {
    if (key->type != REAL) return key->type != CHECKED;
    double value = *(const double *)((const char *)config + key->offset);
    return value >= key->min && value <= key->max;
}

static json_t *describe_corrector(const struct xl_scheduler_config *config) {
    json_t *steps = json_array();
    bool ok = steps != NULL;
    for (int i = 0; i < config->n_uncorrected_steps; i++)
        ok &= !json_array_append_new(steps, json_integer(config->uncorrected_steps[i]));
    return xl_json_finish(steps, ok);
}

json_t *xl_scheduler_config_describe(const struct xl_scheduler_config *config) {
    const struct xl_sampler_class *class = config->sampler->class;
    json_t *object = json_object();
    bool ok = object != NULL;
    xl_json_put(object, "_class_name", json_string(class->name), &ok);
    for (int i = 0; i < N_KEYS; i++)
        if (knows(class, keys[i].group) && is_said(&keys[i], config))
            xl_json_put(object, keys[i].name, value_of(&keys[i], config), &ok);
    for (int i = XL_SIGMA_KARRAS; i < XL_N_SIGMA_SPACINGS; i++)
        if (config->sigma_spacing == (enum xl_sigma_spacing)i &&
            knows(class, spacing_keys[i].group))
            xl_json_put(object, spacing_keys[i].name, json_true(), &ok);
    if (config->n_uncorrected_steps)
        xl_json_put(object, "disable_corrector", describe_corrector(config), &ok);
    return xl_json_finish(object, ok);
}

/* --- A file ----------------------------------------------------------------------------------- */

static bool is_plus_plus(enum xl_algorithm algorithm) {
    return algorithm == XL_ALGORITHM_DPMSOLVER_PP || algorithm == XL_ALGORITHM_SDE_DPMSOLVER_PP;
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
    if (xl_class_is_edm(class) && !is_plus_plus(c->algorithm))
        return xl_fail(err, XL_EFORMAT,
                       "%s: \"algorithm_type\" is one without ++, which %s does not take, expected "
                       "dpmsolver++ or sde-dpmsolver++",
                       json.name, class->name);
    if (xl_class_is_edm(class) && c->algorithm == XL_ALGORITHM_SDE_DPMSOLVER_PP &&
        c->solver_order == 3)
        return xl_fail(
            err, XL_EFORMAT,
            "%s: \"solver_order\" is 3, but \"algorithm_type\" sde-dpmsolver++ of %s has "
            "only 1 and 2",
            json.name, class->name);
    if (is_dpm && is_sde && c->solver_order == 3)
        return xl_fail(err, XL_EFORMAT,
                       "%s: \"solver_order\" is 3, but \"algorithm_type\" sde-dpmsolver has only 1 "
                       "and 2",
                       json.name);
    return XL_OK;
}

/* Classes of diffusers that draw models trained with the same betas as those that are written here:
 * another way through the same noise levels, so that Euler gives a picture of the same model. */
static const char *const relatives[] = {
    "DDIMParallelScheduler",
    "DDPMParallelScheduler",
    "DPMSolverSDEScheduler",
    "DPMSolverSinglestepScheduler",
    "KDPM2AncestralDiscreteScheduler",
    "KDPM2DiscreteScheduler",
    "LMSDiscreteScheduler",
    "SASolverScheduler",
    "TCDScheduler",
};

static bool is_relative(const char *class_name) {
    for (size_t i = 0; i < sizeof relatives / sizeof *relatives; i++)
        if (!strcmp(relatives[i], class_name)) return true;
    return false;
}

/* The sampler of the model's own class, which tells what kind of model it is. *fallback: the class,
 * where Euler stands in for it; "" where none is named. */
static enum xl_status find_own(struct xl_json json, const char *class_name,
                               const struct xl_sampler **sampler, const char **fallback,
                               struct xl_err *err) {
    enum xl_status status = XL_OK;
    if (!class_name) {
        class_name = "";
        status = xl_json_string(json, "_class_name", &class_name, err);
        if (status) return status;
    }
    *sampler = xl_sampler_of_class(class_name, false);
    if (*sampler) return XL_OK;
    if (class_name[0] && !is_relative(class_name))
        return xl_fail(err, XL_EFORMAT,
                       "%s: scheduler class \"%.64s\" is not supported: its models need noise of "
                       "another kind than those of the classes that are (docs/SAMPLERS.md); take "
                       "another model",
                       json.name, class_name);
    *sampler = xl_sampler_of_class(xl_class_euler.name, false);
    *fallback = class_name;
    return XL_OK;
}

enum xl_status xl_scheduler_own_class(struct xl_json json, const char *class_name,
                                      const char **drawn, struct xl_err *err) {
    const struct xl_sampler *own = NULL;
    const char *fallback = NULL;
    enum xl_status status = find_own(json, class_name, &own, &fallback, err);
    if (!status) *drawn = own->class->name;
    return status;
}

/* Say what stands in for what: for a class of the file, or for the name that was asked for. */
static enum xl_status write_notice(struct xl_json json, const char *class_name, const char *name,
                                   const struct xl_sampler *own, char **notice,
                                   struct xl_err *err) {
    struct xl_str text = {0};
    if (name)
        xl_str_printf(&text, "scheduler \"%.64s\" is not for an EDM model; %s is used instead",
                      name, own->class->name);
    else if (*class_name)
        xl_str_printf(&text, "%s: scheduler class \"%.64s\" is not supported", json.name,
                      class_name);
    else
        xl_str_printf(&text, "%s: \"_class_name\" is missing", json.name);
    if (!name) xl_str_puts(&text, "; EulerDiscreteScheduler with the same betas is used instead");
    *notice = xl_str_take(&text);
    return *notice ? XL_OK : xl_fail_nomem(err, "a notice", 0);
}

enum xl_status xl_scheduler_config_read(struct xl_json json, const char *class_name,
                                        const char *name, struct xl_scheduler_config *out,
                                        char **notice, struct xl_err *err) {
    struct xl_scheduler_config config;
    struct xl_sampler_choice choice = {0};
    const struct xl_sampler *own = NULL;
    const char *fallback = NULL;
    char *text = NULL;
    bool is_default = !strcasecmp(name, "default"); /* "Default" in the earlier app */
    enum xl_status status = find_own(json, class_name, &own, &fallback, err);
    if (!status && !is_default)
        status = xl_sampler_find(name, xl_class_is_edm(own->class), &choice, err);
    if (status) return status;
    bool is_replaced = !is_default && !choice.sampler;
    if (!choice.sampler) choice.sampler = own;
    status = read_keys(json, choice.sampler->class, &config, err);
    if (status) return status;
    if (choice.has_spacing) config.sigma_spacing = choice.spacing;
    if (choice.sampler->is_sde) config.algorithm = XL_ALGORITHM_SDE_DPMSOLVER_PP;
    status = check(json, choice.sampler->class, &config, err);
    if (!status && (is_replaced || (is_default && fallback)))
        status = write_notice(json, fallback, is_replaced ? name : NULL, own, &text, err);
    if (status) return status;
    bool is_sde = config.algorithm == XL_ALGORITHM_SDE_DPMSOLVER_PP ||
                  config.algorithm == XL_ALGORITHM_SDE_DPMSOLVER;
    config.sampler = xl_sampler_of_class(choice.sampler->class->name, is_sde);
    *out = config;
    *notice = text;
    return XL_OK;
}
