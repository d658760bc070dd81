/* test_sampler_steps.c - whole trajectories, step by step, against diffusers: every sampler and
 * solver option, txt2img and img2img, with a function of one line in the UNet's place. */
#include "backend/backend.h"
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
/* The same from EDM's sigma 80 to a result of about 0.5. */
static const double tolerance_edm = 4e-5;

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
    if (json_object_get(c, "class") && !strncmp(name, "euler", 5)) return tolerance_edm;
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

/* A plan of the op sampler_step alone: the model's output is an input. */
struct sampling {
    struct xl_plan *plan;
    struct xl_exec *exec;
    xl_val x, out, noise, steps, counter, flag;
};

static void build(struct sampling *s, const struct xl_schedule *schedule) {
    struct xl_plan *plan = s->plan = xl_plan_new(XL_DTYPE_F32);
    int n_history = xl_schedule_n_history(schedule), n_noise = xl_schedule_n_noise(schedule);
    struct xl_shape shape = XL_SHAPE(WIDTH), table = XL_SHAPE(schedule->n_steps, XL_N_STEP_COLUMNS);
    s->x = xl_plan_state(plan, "x", XL_DTYPE_F32, shape);
    s->out = xl_plan_input(plan, "out", XL_DTYPE_F32, shape, XL_PER_RUN);
    s->steps = xl_plan_input(plan, "steps", XL_DTYPE_F32, table, XL_PER_PROMPT);
    s->counter = xl_plan_state(plan, "counter", XL_DTYPE_I32, XL_SHAPE(1));
    s->flag = xl_plan_state(plan, "flag", XL_DTYPE_I32, XL_SHAPE(1));
    if (n_noise)
        s->noise =
            xl_plan_input(plan, "noise", XL_DTYPE_F32, XL_SHAPE(n_noise, WIDTH), XL_PER_PROMPT);
    struct xl_sampler_step attr = {
        .noise = s->noise, .steps = s->steps, .counter = s->counter, .flag = s->flag};
    attr.saved = xl_plan_state(plan, "saved", XL_DTYPE_F32, shape);
    if (n_history)
        attr.history = xl_plan_state(plan, "history", XL_DTYPE_F32, XL_SHAPE(n_history, WIDTH));
    xl_sampler_step(plan, s->x, s->out, attr);
    struct xl_err err = {0};
    cr_assert_eq(xl_plan_finish(plan, &err), XL_OK, "%s", err.text);
}

static void write_steps(const struct sampling *s, const struct xl_schedule *schedule,
                        const json_t *noise) {
    float *table = malloc((size_t)schedule->n_steps * XL_N_STEP_COLUMNS * sizeof *table);
    float fresh[WIDTH];
    int32_t zero = 0;
    cr_assert(table);
    xl_schedule_table(schedule, table);
    xl_exec_write(s->exec, s->steps, table);
    xl_exec_write(s->exec, s->counter, &zero);
    xl_exec_write(s->exec, s->flag, &zero);
    for (int i = 0; i < xl_schedule_n_noise(schedule); i++) {
        read_row(json_array_get(noise, (size_t)i + 1), fresh); /* the first starts the picture */
        xl_exec_write_at((struct xl_place){s->exec, s->noise, i * WIDTH}, fresh, WIDTH);
    }
    free(table);
}

static void run(struct xl_backend *backend, const json_t *c, const json_t *noise) {
    char label[512];
    struct xl_schedule *schedule = open_schedule(c, label);
    struct sampling s = {0};
    const json_t *draws = json_object_get(c, "draws");
    float x[WIDTH], out[WIDTH];
    int32_t counter, flag;
    cr_assert_eq((size_t)schedule->n_steps, json_array_size(draws), "%s", label);
    build(&s, schedule);
    cr_assert_eq(xl_compile(backend, s.plan, NULL, &s.exec, NULL), XL_OK);
    write_steps(&s, schedule, noise);
    start(c, noise, schedule, x);
    expect_sample(c, label, 0, x);
    xl_exec_write(s.exec, s.x, x);
    for (int i = 0; i < schedule->n_steps; i++) {
        const struct xl_step *step = &schedule->steps[i];
        for (int k = 0; k < WIDTH; k++) out[k] = model(step->input_scale * x[k], step->timestep);
        cr_expect_eq(step->uses_noise, json_integer_value(json_array_get(draws, (size_t)i)),
                     "%s: step %d draws", label, i);
        xl_exec_write(s.exec, s.out, out);
        cr_assert_eq(xl_exec_run(s.exec, 1, NULL, NULL), XL_OK);
        xl_exec_read(s.exec, s.x, x);
        expect_sample(c, label, i + 1, x);
    }
    xl_exec_read(s.exec, s.counter, &counter);
    xl_exec_read(s.exec, s.flag, &flag);
    cr_expect(counter == schedule->n_steps && flag == 0);
    xl_exec_free(s.exec);
    xl_plan_free(s.plan);
    xl_schedule_free(schedule);
}

static void run_all(struct xl_backend *backend) {
    json_t *root = open_cases(SCHEDULER_DATA "trajectories.json"), *c;
    size_t i;
    json_array_foreach(json_object_get(root, "cases"), i, c)
        run(backend, c, json_object_get(root, "noise"));
    cr_assert_gt(i, 250);
    json_decref(root);
    xl_backend_free(backend);
}

Test(sampler_steps, equal_diffusers) {
    struct xl_backend *backend = NULL;
    cr_assert_eq(xl_backend_reference(&backend, NULL), XL_OK);
    run_all(backend);
}

Test(sampler_steps, equal_diffusers_on_the_cpu_backend) {
    struct xl_backend *backend = NULL;
    cr_assert_eq(xl_backend_cpu(2, &backend, NULL), XL_OK);
    run_all(backend);
}
