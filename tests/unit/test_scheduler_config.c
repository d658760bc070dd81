/* test_scheduler_config.c - reading scheduler_config.json: names, the from_config rule, and the
 * sentence for every file that cannot be used. */
#include "sampler_cases.h"

#include <math.h>
#include <string.h>

/* Load and free the notice. */
static struct xl_scheduler_config loaded(const char *text, const char *name) {
    struct xl_scheduler_config config;
    struct xl_err err = {0};
    char *notice = NULL;
    cr_assert_eq(load_config(text, name, &config, &notice, &err), XL_OK, "%s: %s", name, err.text);
    cr_assert_null(notice, "%s", notice);
    return config;
}

/* says: what follows "PATH: ". */
static void expect_refusal(const char *text, const char *name, const char *says) {
    struct xl_scheduler_config config = {.n_train = -1};
    struct xl_err err = {0};
    char *notice = (char *)-1;
    cr_expect_eq(load_config(text, name, &config, &notice, &err), XL_EFORMAT, "%s", text);
    const char *sentence = strstr(err.text, ": ");
    cr_assert_not_null(sentence, "%s: %s", text, err.text);
    cr_expect_str_eq(sentence + 2, says, "%s: %s", text, err.text);
    cr_expect(config.n_train == -1 && notice == (char *)-1, "outputs are untouched");
}

/* ---- Names ---- */

Test(scheduler_config, names) {
    static const struct {
        const char *given, *name, *class, *a1111, *a1111_schedule;
    } cases[] = {
        {"default", "ddim", "DDIMScheduler", "DDIM", "Automatic"},
        {"euler", "euler", "EulerDiscreteScheduler", "Euler", "Automatic"},
        {"Euler", "euler", "EulerDiscreteScheduler", "Euler", "Automatic"},
        {"k_euler", "euler", "EulerDiscreteScheduler", "Euler", "Automatic"},
        {"euler-exponential", "euler-exponential", "EulerDiscreteScheduler", "Euler",
         "Exponential"},
        {"Euler a", "euler-a", "EulerAncestralDiscreteScheduler", "Euler a", "Automatic"},
        {"k_euler_a", "euler-a", "EulerAncestralDiscreteScheduler", "Euler a", "Automatic"},
        {"k_euler_ancestral", "euler-a", "EulerAncestralDiscreteScheduler", "Euler a", "Automatic"},
        {"DPM++ 2M", "dpmpp-2m", "DPMSolverMultistepScheduler", "DPM++ 2M", "Uniform"},
        {"DPM++ 2M Karras", "dpmpp-2m-karras", "DPMSolverMultistepScheduler", "DPM++ 2M", "Karras"},
        {"k_dpmpp_2m_ka", "dpmpp-2m-karras", "DPMSolverMultistepScheduler", "DPM++ 2M", "Karras"},
        {"dpmpp-2m-lu", "dpmpp-2m-lu", "DPMSolverMultistepScheduler", "DPM++ 2M", "Automatic"},
        {"DPM++ 2M SDE Karras", "dpmpp-2m-sde-karras", "DPMSolverMultistepScheduler",
         "DPM++ 2M SDE", "Karras"},
        {"dpmpp_2m_sde", "dpmpp-2m-sde", "DPMSolverMultistepScheduler", "DPM++ 2M SDE", "Uniform"},
        {"UniPC", "unipc", "UniPCMultistepScheduler", "UniPC", "Automatic"},
        {"unipc-beta", "unipc-beta", "UniPCMultistepScheduler", "UniPC", "Beta"},
        {"deis", "deis", "DEISMultistepScheduler", "DEIS", "Automatic"},
        {"PLMS", "pndm", "PNDMScheduler", "PLMS", "Automatic"},
        {"ddpm", "ddpm", "DDPMScheduler", "DDPM", "Automatic"},
        {"LCM", "lcm", "LCMScheduler", "LCM", "Automatic"},
        {"heun-karras", "heun-karras", "HeunDiscreteScheduler", "Heun", "Karras"},
        {"PNDMScheduler", "pndm", "PNDMScheduler", "PLMS", "Automatic"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct xl_scheduler_config config =
            loaded("{\"_class_name\": \"DDIMScheduler\"}", cases[i].given);
        cr_expect_str_eq(xl_scheduler_name(&config), cases[i].name, "%s", cases[i].given);
        cr_expect_str_eq(xl_scheduler_class(&config), cases[i].class, "%s", cases[i].given);
        cr_expect_str_eq(xl_scheduler_a1111_name(&config), cases[i].a1111);
        cr_expect_str_eq(xl_scheduler_a1111_schedule(&config), cases[i].a1111_schedule);
    }
}

Test(scheduler_config, every_listed_name_means_itself) {
    const char *name;
    int n = 0;
    cr_assert_str_eq(xl_scheduler_list(0), "default");
    for (int i = 1; (name = xl_scheduler_list(i)); i++, n++) {
        struct xl_scheduler_config config = loaded("{}", name);
        cr_expect_str_eq(xl_scheduler_name(&config), name);
    }
    cr_assert_eq(n, 11 + 3 * 6 + 2);
}

/* What a file holds shows in the name, whichever way its class was chosen. */
Test(scheduler_config, the_name_tells_the_settings) {
    static const char sde[] =
        "{\"_class_name\": \"DPMSolverMultistepScheduler\", \"algorithm_type\": "
        "\"sde-dpmsolver++\", \"use_karras_sigmas\": true}";
    struct xl_scheduler_config config = loaded(sde, "default");
    cr_expect_str_eq(xl_scheduler_name(&config), "dpmpp-2m-sde-karras");
    config = loaded(sde, "dpmpp-2m");
    cr_expect_str_eq(xl_scheduler_name(&config), "dpmpp-2m-sde-karras");
    config = loaded(sde, "dpmpp-2m-exponential");
    cr_expect_str_eq(xl_scheduler_name(&config), "dpmpp-2m-sde-exponential");
    config = loaded(sde, "unipc");
    cr_expect_str_eq(xl_scheduler_name(&config), "unipc-karras");
    config = loaded("{\"use_lu_lambdas\": true}", "dpmpp-2m");
    cr_expect_str_eq(xl_scheduler_name(&config), "dpmpp-2m-lu");
    config = loaded(sde, "ddim");
    cr_expect_str_eq(xl_scheduler_name(&config), "ddim");
}

/* ---- The from_config rule ---- */

Test(scheduler_config, known_keys_are_kept_and_others_take_the_class_default) {
    static const char text[] =
        "{\"_class_name\": \"EulerDiscreteScheduler\", \"beta_start\": 0.00085, \"beta_end\": "
        "0.012, \"beta_schedule\": \"scaled_linear\", \"clip_sample\": false, "
        "\"set_alpha_to_one\": "
        "false, \"skip_prk_steps\": true, \"steps_offset\": 1, \"timestep_spacing\": \"leading\", "
        "\"interpolation_type\": \"linear\", \"trained_betas\": null}";
    struct xl_scheduler_config c = loaded(text, "pndm");
    cr_expect(c.skip_prk_steps && !c.set_alpha_to_one);
    cr_expect(c.beta_schedule == XL_BETA_SCALED_LINEAR && c.beta_start == 0.00085);
    c = loaded(text, "ddim");
    cr_expect(!c.clip_sample && !c.set_alpha_to_one && c.steps_offset == 1);
    c = loaded(text, "lcm");
    cr_expect(c.original_inference_steps == 50 && c.timestep_scaling == 10);
    c = loaded(text, "dpmpp-2m");
    cr_expect(c.solver_order == 2 && c.lower_order_final && !c.euler_at_final);
    cr_expect(c.algorithm == XL_ALGORITHM_DPMSOLVER_PP && c.final_sigma == XL_FINAL_SIGMA_ZERO);

    c = loaded("{}", "ddim");
    cr_expect(c.clip_sample && c.set_alpha_to_one && c.spacing == XL_SPACING_LEADING);
    cr_expect(c.beta_schedule == XL_BETA_LINEAR && c.beta_start == 0.0001 && c.beta_end == 0.02);
    c = loaded("{}", "heun");
    cr_expect(c.beta_start == 0.00085 && c.beta_schedule == XL_BETA_LINEAR);
    cr_expect(!c.clip_sample && c.spacing == XL_SPACING_LINSPACE && c.steps_offset == 0);
}

/* Keys that a class does not know are not even looked at. */
Test(scheduler_config, foreign_keys_do_not_matter) {
    struct xl_scheduler_config c =
        loaded("{\"thresholding\": true, \"use_flow_sigmas\": true, \"rescale_betas_zero_snr\": "
               "true, \"solver_order\": \"many\"}",
               "heun");
    cr_expect_not(c.rescale_zero_snr);
}

/* Solver and algorithm types of another class give way to the class's own. */
Test(scheduler_config, types_of_another_class) {
    struct xl_scheduler_config c =
        loaded("{\"algorithm_type\": \"deis\", \"solver_type\": \"logrho\"}", "dpmpp-2m");
    cr_expect(c.algorithm == XL_ALGORITHM_DPMSOLVER_PP && c.solver == XL_SOLVER_DEFAULT);
    c = loaded("{\"algorithm_type\": \"sde-dpmsolver++\", \"solver_type\": \"bh1\"}", "deis");
    cr_expect_str_eq(xl_scheduler_name(&c), "deis");
}

/* Python writes -Infinity, which JSON does not have. Inside a string it stays what it is. */
Test(scheduler_config, infinity) {
    struct xl_scheduler_config c =
        loaded("{\"lambda_min_clipped\": -Infinity, \"x\": \"\\\"-Infinity\", \"sigma_max\": "
               "Infinity, \"solver_order\": 3}",
               "dpmpp-2m");
    cr_expect(isinf(c.lambda_min_clipped) && c.lambda_min_clipped < 0);
    cr_expect(c.sigma_max == 0 && c.solver_order == 3);
    expect_refusal("{\"final_sigmas_type\": \"-Infinity\"}", "euler",
                   "\"final_sigmas_type\" is \"-Infinity\", supported are zero, sigma_min");
}

Test(scheduler_config, an_empty_list_of_uncorrected_steps) {
    struct xl_scheduler_config c = loaded("{\"disable_corrector\": []}", "unipc");
    cr_expect_eq(c.n_uncorrected_steps, 0);
    c = loaded("{\"disable_corrector\": [0, 3]}", "unipc");
    cr_expect(c.n_uncorrected_steps == 2 && c.uncorrected_steps[1] == 3);
}

/* ---- Falling back ---- */

static void expect_fallback(const char *text, const char *says) {
    struct xl_scheduler_config config;
    struct xl_err err = {0};
    char *notice = NULL;
    cr_assert_eq(load_config(text, "default", &config, &notice, &err), XL_OK, "%s", err.text);
    cr_expect_str_eq(xl_scheduler_class(&config), "EulerDiscreteScheduler");
    cr_expect_eq(config.beta_start, 0.00085);
    cr_assert_not_null(notice);
    cr_expect_str_eq(strchr(notice, ':'), says, "%s", notice);
    free(notice);
}

Test(scheduler_config, a_class_of_the_same_models_falls_back_to_euler_and_says_so) {
    expect_fallback("{\"_class_name\": \"LMSDiscreteScheduler\", \"beta_start\": 0.00085}",
                    ": scheduler class \"LMSDiscreteScheduler\" is not supported; "
                    "EulerDiscreteScheduler with the same betas is used instead");
    expect_fallback("{\"beta_start\": 0.00085}", ": \"_class_name\" is missing; "
                                                 "EulerDiscreteScheduler with the same betas is "
                                                 "used instead");
}

/* ---- The class of model_index.json ---- */

static const char euler_file[] =
    "{\"_class_name\": \"EulerDiscreteScheduler\", \"beta_start\": 0.00085, \"beta_end\": 0.012, "
    "\"set_alpha_to_one\": false, \"timestep_spacing\": \"leading\", \"sigma_min\": 0.5}";

static struct xl_scheduler_config of_class(const char *text, const char *class_name,
                                           const char *name) {
    struct xl_scheduler_config config;
    struct xl_err err = {0};
    char *notice = NULL;
    cr_assert_eq(load_config_of(text, class_name, name, &config, &notice, &err), XL_OK, "%s: %s",
                 class_name, err.text);
    cr_assert_null(notice, "%s", notice);
    return config;
}

/* diffusers makes the class that model_index.json names, with the keys of the file that it knows.
 */
Test(scheduler_config, the_class_of_model_index_decides) {
    for (int i = 1; xl_scheduler_list(i); i++) {
        struct xl_scheduler_config named = loaded(euler_file, xl_scheduler_list(i));
        if (strchr(xl_scheduler_name(&named), '-') && strcmp(xl_scheduler_name(&named), "euler-a"))
            continue; /* with sigmas or an algorithm that the file does not ask for */
        struct xl_scheduler_config own =
            of_class(euler_file, xl_scheduler_class(&named), "default");
        cr_expect_str_eq(xl_scheduler_class(&own), xl_scheduler_class(&named));
        cr_expect_eq(own.beta_start, 0.00085);
    }
    struct xl_scheduler_config c = of_class(euler_file, "DDIMScheduler", "default");
    cr_expect(!c.set_alpha_to_one && c.clip_sample && c.sigma_min == 0);
    c = of_class(euler_file, "DDIMScheduler", "euler");
    cr_expect_str_eq(xl_scheduler_class(&c), "EulerDiscreteScheduler");
    c = of_class("{}", "PNDMScheduler", "default");
    cr_expect_str_eq(xl_scheduler_class(&c), "PNDMScheduler");
}

/* The names of an EDM model are those of the same methods for it. */
Test(scheduler_config, edm_models_have_edm_classes) {
    static const struct {
        const char *class, *name, *drawn, *shown;
    } cases[] = {
        {"EDMEulerScheduler", "default", "EDMEulerScheduler", "euler-karras"},
        {"EDMEulerScheduler", "dpmpp-2m", "EDMDPMSolverMultistepScheduler", "dpmpp-2m-karras"},
        {"EDMEulerScheduler", "DPM++ 2M SDE Karras", "EDMDPMSolverMultistepScheduler",
         "dpmpp-2m-sde-karras"},
        {"EDMDPMSolverMultistepScheduler", "euler", "EDMEulerScheduler", "euler-karras"},
        {"EDMDPMSolverMultistepScheduler", "euler-exponential", "EDMEulerScheduler",
         "euler-exponential"},
        {"EDMDPMSolverMultistepScheduler", "EDMEulerScheduler", "EDMEulerScheduler",
         "euler-karras"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct xl_scheduler_config c = of_class(euler_file, cases[i].class, cases[i].name);
        cr_expect_str_eq(xl_scheduler_class(&c), cases[i].drawn, "%s", cases[i].name);
        cr_expect_str_eq(xl_scheduler_name(&c), cases[i].shown, "%s", cases[i].name);
        cr_expect(c.sigma_min == 0.5 && c.sigma_max == 80 && c.sigma_data == 0.5 && c.rho == 7);
    }
}

Test(scheduler_config, what_is_not_for_an_edm_model_gives_way_and_is_named) {
    struct xl_scheduler_config config;
    struct xl_err err = {0};
    for (int i = 1; xl_scheduler_list(i); i++) {
        const char *name = xl_scheduler_list(i);
        if (!strncmp(name, "euler-a", 8) || strstr(name, "dd") || strstr(name, "uni") ||
            !strcmp(name, "lcm")) {
            char *notice = NULL;
            cr_assert_eq(load_config_of("{}", "EDMDPMSolverMultistepScheduler", name, &config,
                                        &notice, &err),
                         XL_OK, "%s: %s", name, err.text);
            cr_expect_str_eq(xl_scheduler_class(&config), "EDMDPMSolverMultistepScheduler");
            cr_assert_not_null(notice);
            cr_expect_not_null(strstr(notice, name), "%s", notice);
            free(notice);
        }
    }
    char *notice = NULL;
    cr_expect_eq(load_config_of("{}", "EDMEulerScheduler", "eulre", &config, &notice, &err),
                 XL_EINVAL);
    cr_expect_eq(load_config_of(euler_file, NULL, "EDMEulerScheduler", &config, &notice, &err),
                 XL_EINVAL);
    cr_expect_not_null(strstr(err.text, "is for EDM models"), "%s", err.text);
}

/* Flow matching and others: no name makes a picture of them. */
Test(scheduler_config, classes_of_other_models_are_refused_whatever_is_asked_for) {
    static const char *const classes[] = {"FlowMatchEulerDiscreteScheduler",   "SCMScheduler",
                                          "CosineDPMSolverMultistepScheduler", "MyScheduler",
                                          "FlowMatchHeunDiscreteScheduler",    "UnCLIPScheduler"};
    static const char *const names[] = {"default", "euler", "ddim"};
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
        for (int k = 0; k < 3; k++) {
            struct xl_scheduler_config config;
            struct xl_err err = {0};
            char *notice = NULL;
            cr_expect_eq(load_config_of(euler_file, classes[i], names[k], &config, &notice, &err),
                         XL_EFORMAT, "%s", classes[i]);
            cr_expect_not_null(strstr(err.text, classes[i]), "%s", err.text);
        }
}

/* ---- Refusals ---- */

Test(scheduler_config, refusals) {
    static const char taken_out[] = "; choose another scheduler by name or take the key out";
    static const struct {
        const char *text, *name, *says;
        bool can_choose;
    } cases[] = {
        {"{\"num_train_timesteps\": 1}", "euler",
         "\"num_train_timesteps\" is 1, expected 2 to 10000", false},
        {"{\"num_train_timesteps\": 1e9}", "euler",
         "\"num_train_timesteps\" is a number, expected an integer", false},
        {"{\"beta_start\": \"0.00085\"}", "euler", "\"beta_start\" is a string, expected a number",
         false},
        {"{\"beta_end\": 1.5}", "euler", "\"beta_end\" is 1.5, expected 1e-09 to 0.999", false},
        {"{\"beta_start\": -0.1}", "euler", "\"beta_start\" is -0.1, expected 1e-09 to 0.999",
         false},
        {"{\"beta_schedule\": \"sigmoid\"}", "ddpm",
         "\"beta_schedule\" is \"sigmoid\", supported are linear, scaled_linear, "
         "squaredcos_cap_v2",
         false},
        {"{\"prediction_type\": \"flow_prediction\"}", "dpmpp-2m",
         "\"prediction_type\" is \"flow_prediction\", supported are epsilon, v_prediction, sample, "
         "original_sample",
         false},
        {"{\"timestep_spacing\": \"uniform\"}", "ddim",
         "\"timestep_spacing\" is \"uniform\", supported are leading, trailing, linspace", false},
        {"{\"steps_offset\": -1}", "ddim", "\"steps_offset\" is -1, expected 0 to 999", false},
        {"{\"trained_betas\": [0.1, 0.2]}", "euler",
         "\"trained_betas\" is set, but there is no support for betas listed one by one", true},
        {"{\"thresholding\": true}", "ddim",
         "\"thresholding\" is set, but there is no support for dynamic thresholding", true},
        {"{\"use_flow_sigmas\": true}", "dpmpp-2m",
         "\"use_flow_sigmas\" is set, but there is no support for flow matching", true},
        {"{\"use_dynamic_shifting\": true}", "unipc",
         "\"use_dynamic_shifting\" is set, but there is no support for flow matching", true},
        {"{\"solver_p\": {\"a\": 1}}", "unipc",
         "\"solver_p\" is set, but there is no support for a second solver as predictor", true},
        {"{\"solver_order\": 4}", "unipc", "\"solver_order\" is 4, expected 1 to 3", false},
        {"{\"algorithm_type\": \"magic\"}", "dpmpp-2m",
         "\"algorithm_type\" is \"magic\", supported are dpmsolver++, dpmsolver, sde-dpmsolver++, "
         "sde-dpmsolver, deis",
         false},
        {"{\"solver_type\": \"rk4\"}", "dpmpp-2m",
         "\"solver_type\" is \"rk4\", supported are midpoint, heun, logrho, bh1, bh2", false},
        {"{\"final_sigmas_type\": \"one\"}", "euler",
         "\"final_sigmas_type\" is \"one\", supported are zero, sigma_min", false},
        {"{\"variance_type\": \"learned_range\"}", "ddpm",
         "\"variance_type\" is \"learned_range\", supported are fixed_small, fixed_small_log, "
         "fixed_large",
         false},
        {"{\"use_karras_sigmas\": true, \"use_beta_sigmas\": true}", "euler",
         "\"use_karras_sigmas\" and \"use_beta_sigmas\" are both true, expected one", false},
        {"{\"sigma_min\": 5, \"sigma_max\": 1}", "euler",
         "\"sigma_min\" is 5, expected less than sigma_max, 1", false},
        {"{\"clip_sample\": 1}", "ddim", "\"clip_sample\" is an integer, expected true or false",
         false},
        {"{\"original_inference_steps\": 2000}", "lcm",
         "\"original_inference_steps\" is 2000, expected 1 to 1000", false},
        {"{\"prediction_type\": \"sample\"}", "euler-a",
         "\"prediction_type\" is \"sample\", which EulerAncestralDiscreteScheduler does not take, "
         "expected epsilon or v_prediction; choose another scheduler by name",
         false},
        {"{\"algorithm_type\": \"dpmsolver\"}", "dpmpp-2m",
         "\"final_sigmas_type\" is \"zero\", but an \"algorithm_type\" without ++ needs "
         "\"sigma_min\"",
         false},
        {"{\"predict_x0\": false}", "unipc",
         "\"final_sigmas_type\" is \"zero\", but \"predict_x0\" false needs \"sigma_min\"", false},
        {"{\"algorithm_type\": \"sde-dpmsolver\", \"final_sigmas_type\": \"sigma_min\", "
         "\"solver_order\": 3}",
         "dpmpp-2m", "\"solver_order\" is 3, but \"algorithm_type\" sde-dpmsolver has only 1 and 2",
         false},
        {"{\"_class_name\": 3}", "default", "\"_class_name\" is an integer, expected a string",
         false},
        {"[]", "default", "expected a JSON object", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char says[400];
        snprintf(says, sizeof says, "%s%s", cases[i].says, cases[i].can_choose ? taken_out : "");
        expect_refusal(cases[i].text, cases[i].name, says);
    }
}

Test(scheduler_config, unknown_names_list_the_known_ones) {
    struct xl_scheduler_config config;
    struct xl_err err = {0};
    char *notice;
    cr_expect_eq(load_config("{}", "dpm-adaptive", &config, &notice, &err), XL_EINVAL);
    cr_expect_str_eq(err.text,
                     "scheduler \"dpm-adaptive\" is unknown; choose default, euler, euler-a, heun, "
                     "dpmpp-2m, dpmpp-2m-sde, unipc, deis, ddim, ddpm, pndm, lcm (euler, heun, "
                     "dpmpp-2m, dpmpp-2m-sde, unipc, deis also with -karras, -exponential or -beta "
                     "behind the name) or the name of a diffusers class");
    cr_expect_eq(load_config("{}", "euler-a-karras", &config, &notice, &err), XL_EINVAL);
    cr_expect_str_eq(err.text,
                     "scheduler \"euler-a-karras\": euler-a has no such sigmas; leave \"-karras\" "
                     "out");
    char longest[300];
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = 0;
    cr_expect_eq(load_config("{}", longest, &config, &notice, &err), XL_EINVAL);
    cr_expect_eq(load_config("{}", "", &config, &notice, &err), XL_EINVAL);
}

/* A config that is written and read again is the same, whatever sampler it is for. */
Test(scheduler_config, what_was_understood_is_read_back) {
    const char *name;
    for (int i = 0; (name = xl_scheduler_list(i)); i++) {
        struct xl_scheduler_config config =
            loaded("{\"_class_name\": \"EulerDiscreteScheduler\", \"beta_schedule\": "
                   "\"scaled_linear\", \"beta_start\": 0.00085, \"beta_end\": 0.012, "
                   "\"steps_offset\": 1, \"timestep_spacing\": \"trailing\", "
                   "\"disable_corrector\": [0, 2], \"sigma_min\": 0.03, \"solver_type\": "
                   "\"heun\", \"rescale_betas_zero_snr\": true}",
                   name);
        json_t *object = xl_scheduler_config_describe(&config);
        char *text = json_dumps(object, JSON_REAL_PRECISION(17));
        struct xl_scheduler_config again = loaded(text, "default");
        json_t *object_again = xl_scheduler_config_describe(&again);
        cr_expect(json_equal(object, object_again), "%s: %s", name, text);
        cr_expect_eq(json_real_value(json_object_get(object, "beta_end")), 0.012);
        cr_expect(again.sampler == config.sampler && again.beta_start == config.beta_start &&
                      again.sigma_spacing == config.sigma_spacing &&
                      again.algorithm == config.algorithm && again.solver == config.solver &&
                      again.n_uncorrected_steps == config.n_uncorrected_steps &&
                      again.rescale_zero_snr == config.rescale_zero_snr,
                  "%s", name);
        json_decref(object);
        json_decref(object_again);
        free(text);
    }
}
