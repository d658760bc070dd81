/* test_schedule.c - timesteps, sigmas and the scale of the first noise against diffusers', and what
 * a schedule promises whatever the sampler. */
#include "sampler/draft.h"
#include "sampler_cases.h"

#include <math.h>

/* Timesteps are whole numbers, or float32 in Euler's and Heun's case: there a sigma's rounding
 * (2^-24) moves the timestep that is interpolated from its logarithm by up to 1e-4, most where
 * sigma hardly changes from one timestep to the next. Sigmas are chains of some ten float32
 * operations, each within 2^-24 and not the same on every machine that runs torch. */
static const double timestep_tolerance = 1e-4, sigma_tolerance = 2e-6;

static void expect_list(const char *label, const char *what, const json_t *expected, int n,
                        const double *found, double absolute, double relative) {
    cr_assert_eq((int)json_array_size(expected), n, "%s: %d %s, expected %zu", label, n, what,
                 json_array_size(expected));
    for (int i = 0; i < n; i++) {
        double wanted = json_number_value(json_array_get(expected, (size_t)i));
        cr_expect(fabs(found[i] - wanted) <= absolute + relative * fabs(wanted),
                  "%s: %s[%d] is %.9g, expected %.9g", label, what, i, found[i], wanted);
    }
}

Test(schedule, equals_diffusers) {
    json_t *root = open_cases(SCHEDULER_DATA "schedules.json"), *c;
    size_t i;
    json_array_foreach(json_object_get(root, "cases"), i, c) {
        char label[512];
        struct xl_schedule *schedule = open_schedule(c, label);
        expect_list(label, "timesteps", json_object_get(c, "timesteps"), schedule->n_timesteps,
                    schedule->timesteps, timestep_tolerance, 1e-7);
        expect_list(label, "sigmas", json_object_get(c, "sigmas"), schedule->n_sigmas,
                    schedule->sigmas, 0, sigma_tolerance);
        double init = case_number(c, "init_noise_sigma", 0);
        cr_expect(fabs(schedule->init_noise_sigma - init) <= sigma_tolerance * init,
                  "%s: init_noise_sigma is %.9g, expected %.9g", label, schedule->init_noise_sigma,
                  init);
        xl_schedule_free(schedule);
    }
    cr_assert_gt(i, 300);
    json_decref(root);
}

Test(schedule, beta_quantiles_equal_scipys) {
    json_t *root = open_cases(SCHEDULER_DATA "quantiles.json"), *c;
    size_t i;
    json_array_foreach(json_object_get(root, "cases"), i, c) {
        double p = case_number(c, "p", -1), a = case_number(c, "a", 0), x = case_number(c, "x", -1);
        cr_expect_float_eq(xl_beta_quantile(p, a), x, 1e-13, "p %g a %g: %.17g, expected %.17g", p,
                           a, xl_beta_quantile(p, a), x);
    }
    json_decref(root);
}

static const char sdxl[] =
    "{\"_class_name\": \"EulerDiscreteScheduler\", \"beta_start\": 0.00085, \"beta_end\": 0.012, "
    "\"beta_schedule\": \"scaled_linear\", \"timestep_spacing\": \"leading\", \"steps_offset\": 1}";

static void sdxl_config(const char *name, struct xl_scheduler_config *config) {
    struct xl_err err = {0};
    char *notice;
    cr_assert_eq(load_config(sdxl, name, config, &notice, &err), XL_OK, "%s", err.text);
}

/* Every sampler, every count of steps: finite numbers or a refusal. xl_schedule_new checks the
 * coefficients itself; here it shows that none trips an assertion, overruns a list or reads a slot
 * that was not written. */
Test(schedule, any_number_of_steps) {
    const char *name;
    for (int k = 0; (name = xl_scheduler_list(k)); k++) {
        struct xl_scheduler_config config;
        sdxl_config(name, &config);
        for (int steps = 1; steps <= 1000; steps += steps < 40 ? 1 : 137) {
            for (int spacing = 0; spacing < 3; spacing++) {
                struct xl_schedule *schedule;
                struct xl_err err = {0};
                bool clamped;
                config.spacing = (enum xl_spacing)spacing;
                enum xl_status status =
                    xl_schedule_new(&config, steps, 0.7, &clamped, &schedule, &err);
                if (status) {
                    cr_expect(status == XL_EINVAL && *err.text, "%s %d", name, steps);
                    continue;
                }
                unsigned written = 0;
                for (int i = 0; i < schedule->n_steps; i++) {
                    const struct xl_step *step = &schedule->steps[i];
                    if (step->store_slot >= 0) written |= 1u << step->store_slot;
                    for (int slot = 0; slot < XL_HISTORY_SLOTS; slot++)
                        cr_assert(written >> slot & 1 ||
                                      (step->coef[XL_SRC_HISTORY + slot] == 0 &&
                                       step->base_coef[XL_SRC_HISTORY + slot] == 0),
                                  "%s, %d steps: step %d reads slot %d", name, steps, i, slot);
                    cr_assert(step->uses_noise || step->coef[XL_SRC_NOISE] == 0);
                    cr_assert(i > 0 || step->base_coef[XL_SRC_SAVED] == 0);
                }
                xl_schedule_free(schedule);
            }
        }
    }
}

/* numpy.arange makes 62 points of 61 here, the last at timestep -1; the schedule leaves it out. */
Test(schedule, trailing_has_no_step_too_many) {
    struct xl_scheduler_config config;
    struct xl_schedule *schedule;
    bool clamped;
    sdxl_config("ddim", &config);
    config.spacing = XL_SPACING_TRAILING;
    cr_assert_eq(xl_schedule_new(&config, 61, 1, &clamped, &schedule, NULL), XL_OK);
    cr_assert_eq(schedule->n_timesteps, 61);
    cr_assert_eq(schedule->timesteps[60], 15);
    xl_schedule_free(schedule);
}

Test(schedule, strength_chooses_the_steps) {
    static const struct {
        const char *name;
        int steps;
        double strength;
        int n_calls;
        bool clamped;
    } cases[] = {
        {"euler", 20, 1, 20, false},   {"euler", 20, 0.3, 6, false},
        {"euler", 10, 0.29, 2, false}, {"euler", 2, 0.4, 1, true},
        {"euler", 1, 0, 1, true},      {"heun", 10, 1, 19, false},
        {"heun", 10, 0.6, 11, false},  {"heun", 10, 0.05, 1, true},
        {"lcm", 4, 0.5, 2, false},     {"dpmpp-2m", 4, 0.99, 3, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct xl_scheduler_config config;
        struct xl_schedule *schedule;
        bool clamped;
        sdxl_config(cases[i].name, &config);
        cr_assert_eq(
            xl_schedule_new(&config, cases[i].steps, cases[i].strength, &clamped, &schedule, NULL),
            XL_OK);
        cr_expect_eq(schedule->n_steps, cases[i].n_calls, "case %zu: %d calls", i,
                     schedule->n_steps);
        cr_expect_eq(clamped, cases[i].clamped, "case %zu", i);
        cr_expect_eq((double)schedule->steps[schedule->n_steps - 1].timestep,
                     schedule->timesteps[schedule->n_timesteps - 1]);
        xl_schedule_free(schedule);
    }
}

Test(schedule, refuses_what_it_cannot_do) {
    static const struct {
        const char *name;
        int steps;
        double strength;
        const char *says;
    } cases[] = {
        {"euler", 0, 1, "steps is 0, expected 1 to 1000"},
        {"euler", 1001, 1, "steps is 1001, expected 1 to 1000"},
        {"euler", 20, -0.1, "strength is -0.1, expected 0 to 1"},
        {"euler", 20, 1.5, "strength is 1.5, expected 0 to 1"},
        {"euler", 20, NAN, "strength is nan, expected 0 to 1"},
        {"lcm", 51, 1, "steps is 51, expected 1 to 50, the original_inference_steps of lcm"},
        {"pndm", 3, 1, "steps is 3, but pndm without skip_prk_steps needs 4 or more"},
        {"ddim", 1000, 1,
         "1000 steps with a steps_offset of 1 ask for timestep 1000, but the model was trained on "
         "0 "
         "to 999; use fewer steps"},
        {"dpmpp-2m", 1000, 1,
         "dpmpp-2m cannot take step 2 of 1000 (timestep 1): it divides by 0 where two noise levels "
         "are the same or one is the end of the scale; use fewer steps or another scheduler"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct xl_scheduler_config config;
        struct xl_schedule *schedule = NULL;
        struct xl_err err = {0};
        bool clamped;
        sdxl_config(cases[i].name, &config);
        cr_expect_eq(
            xl_schedule_new(&config, cases[i].steps, cases[i].strength, &clamped, &schedule, &err),
            XL_EINVAL);
        cr_expect_str_eq(err.text, cases[i].says, "case %zu: %s", i, err.text);
        cr_expect_null(schedule);
    }
}
