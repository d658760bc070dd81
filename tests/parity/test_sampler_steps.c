/* test_sampler_steps.c - whole trajectories, step by step, against diffusers: every sampler and
 * solver option, txt2img and img2img, with a function of one line in the UNet's place. */
#include "sampler_cases.h"

#include <math.h>
#include <string.h>

enum { WIDTH = 8 };

/* Error of a sample: greatest difference over the greatest number of the sample. Both sides round
 * to 2^-24 at each of some ten operations a step, diffusers also its scalar coefficients, whose
 * differences (DEIS) lose a digit; the stand-in model hardly lets errors grow. 2.9e-6 was the
 * largest seen. */
static const double tolerance = 6e-6;
/* Euler from sigma 4096 (zero terminal SNR): diffusers computes x + d dt with terms around 4096 and
 * a result around 10, which leaves 2^-24 * 4096 / 10 of a rounding error, several times. Here the
 * coefficients are summed first and that error does not arise. */
static const double tolerance_zero_snr = 2e-4;

/* The same function as model() in tools/reference/topics/schedulers.py. */
static float model(float input, float t) {
    return tanhf(0.7f * input + 0.1f * sinf(3 * input) + t / 1000);
}

static void read_row(const json_t *row, float *out) {
    cr_assert_eq(json_array_size(row), WIDTH);
    for (size_t i = 0; i < WIDTH; i++) out[i] = (float)json_number_value(json_array_get(row, i));
}

static double tolerance_of(const json_t *c) {
    const char *name = json_string_value(json_object_get(c, "scheduler"));
    const json_t *config = json_object_get(c, "config");
    bool is_zero_snr = json_is_true(json_object_get(config, "rescale_betas_zero_snr"));
    return is_zero_snr && !strncmp(name, "euler", 5) ? tolerance_zero_snr : tolerance;
}

static void expect_sample(const json_t *c, const char *label, int i, const float *x) {
    char key[12];
    snprintf(key, sizeof key, "%d", i);
    const json_t *row = json_object_get(json_object_get(c, "samples"), key);
    if (!row) return;
    float wanted[WIDTH];
    read_row(row, wanted);
    double worst = 0, greatest = 0;
    for (int k = 0; k < WIDTH; k++) {
        worst = fmax(worst, fabs((double)x[k] - (double)wanted[k]));
        greatest = fmax(greatest, fabs((double)wanted[k]));
    }
    cr_expect(worst <= tolerance_of(c) * greatest, "%s: after %d steps the error is %.2e", label, i,
              worst / greatest);
}

static void start(const json_t *c, const json_t *noise, const struct xl_schedule *schedule,
                  float *x) {
    float fresh[WIDTH], picture[WIDTH];
    read_row(json_array_get(noise, 0), fresh);
    read_row(json_array_get(noise, json_array_size(noise) - 1), picture);
    bool has_picture = json_object_get(c, "strength");
    for (int k = 0; k < WIDTH; k++)
        x[k] = has_picture ? (float)(schedule->start_x0 * (double)picture[k] +
                                     schedule->start_noise * (double)fresh[k])
                           : (float)(schedule->init_noise_sigma * (double)fresh[k]);
}

static void run(const json_t *c, const json_t *noise) {
    char label[512];
    struct xl_schedule *schedule = open_schedule(c, label);
    struct xl_sampler_state *state;
    const json_t *draws = json_object_get(c, "draws");
    float x[WIDTH], out[WIDTH], fresh[WIDTH];
    size_t n_drawn = 1; /* the first row starts the picture */
    cr_assert_eq(xl_sampler_state_new(schedule, WIDTH, &state, NULL), XL_OK);
    cr_assert_eq((size_t)schedule->n_steps, json_array_size(draws), "%s", label);
    start(c, noise, schedule, x);
    expect_sample(c, label, 0, x);
    for (int i = 0; i < schedule->n_steps; i++) {
        const struct xl_step *step = &schedule->steps[i];
        for (int k = 0; k < WIDTH; k++) out[k] = model(step->input_scale * x[k], step->timestep);
        cr_expect_eq(step->uses_noise, json_integer_value(json_array_get(draws, (size_t)i)),
                     "%s: step %d draws", label, i);
        if (step->uses_noise) read_row(json_array_get(noise, n_drawn++), fresh);
        xl_sampler_step(schedule, i, state, x, out, step->uses_noise ? fresh : NULL);
        expect_sample(c, label, i + 1, x);
    }
    xl_sampler_state_free(state);
    xl_schedule_free(schedule);
}

Test(sampler_steps, equal_diffusers) {
    json_t *root = open_cases(SCHEDULER_DATA "trajectories.json"), *c;
    size_t i;
    json_array_foreach(json_object_get(root, "cases"), i, c) run(c, json_object_get(root, "noise"));
    cr_assert_gt(i, 250);
    json_decref(root);
}
