/* steps.c - the sampling loop: the step's row of the table, guidance, and any sampler's step. A few
 * numbers beside the UNet's; tasks are runs of numbers, and whole samples for guidance, whose
 * deviations are sums in one order. */
#include "backend/cpu/cpu.h"

#include <assert.h>
#include <math.h>

enum { TASK_NUMBERS = 1 << 13 };

struct steps {
    const float *table;
    const int32_t *counter;
    int64_t n_rows;
};

static float *floats_at(const struct xl_compiler *c, xl_val value) {
    return (float *)(void *)xl_operand(c, value).data;
}

static int32_t *int_at(const struct xl_compiler *c, xl_val value) {
    return (int32_t *)(void *)xl_operand(c, value).data;
}

static int64_t count_of(const struct xl_compiler *c, xl_val value) {
    return xl_shape_count(xl_plan_value(c->plan, value)->shape);
}

static struct steps steps_of(const struct xl_compiler *c, xl_val table, xl_val counter) {
    return (struct steps){floats_at(c, table), int_at(c, counter),
                          xl_plan_value(c->plan, table)->shape.dim[0]};
}

static const float *row_of(const struct steps *steps) {
    assert(*steps->counter >= 0 && *steps->counter < steps->n_rows);
    return steps->table + *steps->counter * XL_N_STEP_COLUMNS;
}

struct step_value {
    struct steps steps;
    struct xl_step_value attr;
    float *out;
};

static void run_step_value(void *user, int64_t task, int worker) {
    const struct step_value *s = user;
    (void)task;
    (void)worker;
    for (int i = 0; i < s->attr.n; i++) s->out[i] = row_of(&s->steps)[s->attr.column];
}

enum xl_status xl_compile_step_value(struct xl_compiler *c, struct xl_err *err) {
    struct step_value *s = xl_state(c, sizeof *s, err);
    if (!s) return XL_ENOMEM;
    s->steps = steps_of(c, c->op->in[0], c->op->in[1]);
    s->attr = c->op->attr.step_value;
    s->out = floats_at(c, c->op->out);
    xl_add_loop(c, run_step_value, s, 1);
    return XL_OK;
}

struct scale_input {
    struct steps steps;
    const float *x;
    float *out;
    int64_t n;
    int repeat;
};

static void run_scale_input(void *user, int64_t task, int worker) {
    const struct scale_input *s = user;
    float scale = row_of(&s->steps)[XL_STEP_INPUT_SCALE];
    int64_t first = task * TASK_NUMBERS, last = xl_min(first + TASK_NUMBERS, s->n);
    (void)worker;
    for (int r = 0; r < s->repeat; r++)
        for (int64_t i = first; i < last; i++) s->out[r * s->n + i] = s->x[i] * scale;
}

enum xl_status xl_compile_scale_input(struct xl_compiler *c, struct xl_err *err) {
    struct scale_input *s = xl_state(c, sizeof *s, err);
    if (!s) return XL_ENOMEM;
    s->steps = steps_of(c, c->op->in[1], c->op->in[2]);
    s->x = floats_at(c, c->op->in[0]);
    s->out = floats_at(c, c->op->out);
    s->n = count_of(c, c->op->in[0]);
    s->repeat = c->op->attr.repeat;
    xl_add_loop(c, run_scale_input, s, xl_div_up(s->n, TASK_NUMBERS));
    return XL_OK;
}

struct guide {
    const float *unguided, *guided, *params;
    float *out;
    int64_t n; /* of a sample */
};

static double deviation(const float *x, int64_t n) {
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < n; i++) sum += (double)x[i];
    double mean = sum / (double)n;
    for (int64_t i = 0; i < n; i++) squares += ((double)x[i] - mean) * ((double)x[i] - mean);
    return sqrt(squares / (double)(n > 1 ? n - 1 : 1));
}

static void run_guide(void *user, int64_t task, int worker) {
    const struct guide *g = user;
    const float *unguided = g->unguided + task * g->n, *guided = g->guided + task * g->n;
    float *out = g->out + task * g->n, scale = g->params[0], rescale = g->params[1];
    (void)worker;
    for (int64_t i = 0; i < g->n; i++) out[i] = unguided[i] + scale * (guided[i] - unguided[i]);
    if (rescale <= 0) return;
    float ratio = (float)(deviation(guided, g->n) / deviation(out, g->n));
    for (int64_t i = 0; i < g->n; i++) out[i] = rescale * (out[i] * ratio) + (1 - rescale) * out[i];
}

enum xl_status xl_compile_guide(struct xl_compiler *c, struct xl_err *err) {
    struct guide *g = xl_state(c, sizeof *g, err);
    if (!g) return XL_ENOMEM;
    int64_t half = count_of(c, c->op->out);
    int64_t n_samples = xl_plan_value(c->plan, c->op->out)->shape.dim[0];
    g->unguided = floats_at(c, c->op->in[0]);
    g->guided = g->unguided + half;
    g->params = floats_at(c, c->op->in[1]);
    g->out = floats_at(c, c->op->out);
    g->n = half / n_samples;
    xl_add_loop(c, run_guide, g, n_samples);
    return XL_OK;
}

struct sampler_step {
    struct steps steps;
    float *x, *saved, *history; /* history: NULL if there is none */
    const float *out, *noise;
    int64_t n;
    int32_t *counter, *flag;
    atomic_bool is_broken; /* this step has made a number that is none */
};

/* The sources that a sum really has, so that absent ones are never read. */
struct sum {
    int n;
    const float *source[XL_N_SOURCES];
    double coef[XL_N_SOURCES];
};

static struct sum sum_of(const float *coefs, const float *const *sources) {
    struct sum sum = {0};
    for (int i = 0; i < XL_N_SOURCES; i++) {
        if (coefs[i] == 0) continue;
        assert(sources[i]);
        sum.source[sum.n] = sources[i];
        sum.coef[sum.n++] = (double)coefs[i];
    }
    return sum;
}

/* In double: the rounding of a sum of large terms that cancel is then left to the model's output.
 */
static float evaluate(const struct sum *sum, int64_t k) {
    double total = 0;
    for (int i = 0; i < sum->n; i++) total += sum->coef[i] * (double)sum->source[i][k];
    return (float)total;
}

static float converted(const float *row, float x, float out) {
    float m = (float)((double)row[XL_STEP_CONVERT_X] * (double)x +
                      (double)row[XL_STEP_CONVERT_OUT] * (double)out);
    float clip = row[XL_STEP_CLIP];
    if (clip > 0) m = m > clip ? clip : m < -clip ? -clip : m;
    return m;
}

static void run_sampler_step(void *user, int64_t task, int worker) {
    struct sampler_step *s = user;
    const float *row = row_of(&s->steps);
    int64_t first = task * TASK_NUMBERS, last = xl_min(first + TASK_NUMBERS, s->n);
    int64_t slot = (int64_t)row[XL_STEP_STORE_SLOT], drawn = (int64_t)row[XL_STEP_NOISE_ROW];
    const float *sources[XL_N_SOURCES] = {
        [XL_SRC_X] = s->x,
        [XL_SRC_SAVED] = s->saved,
        [XL_SRC_OUT] = s->out,
        [XL_SRC_NOISE] = drawn >= 0 ? s->noise + drawn * s->n : NULL,
    };
    for (int i = 0; s->history && i < XL_HISTORY_SLOTS; i++)
        sources[XL_SRC_HISTORY + i] = s->history + i * s->n;
    struct sum base = sum_of(row + XL_STEP_BASE_COEF, sources);
    struct sum next = sum_of(row + XL_STEP_COEF, sources); /* x stands where the base is kept */
    (void)worker;
    for (int64_t k = first; k < last; k++) {
        if (slot >= 0) s->history[slot * s->n + k] = converted(row, s->x[k], s->out[k]);
        float value = evaluate(&base, k);
        s->x[k] = value;
        s->x[k] = evaluate(&next, k);
        s->saved[k] = value;
        if (!isfinite(s->x[k])) atomic_store_explicit(&s->is_broken, true, memory_order_relaxed);
    }
}

static void count_step(void *user, int64_t task, int worker) {
    struct sampler_step *s = user;
    (void)task;
    (void)worker;
    if (atomic_exchange(&s->is_broken, false) && !*s->flag) *s->flag = *s->counter + 1;
    ++*s->counter;
}

enum xl_status xl_compile_sampler_step(struct xl_compiler *c, struct xl_err *err) {
    const xl_val *in = c->op->in;
    struct sampler_step *s = xl_state(c, sizeof *s, err);
    if (!s) return XL_ENOMEM;
    s->x = floats_at(c, in[0]);
    s->out = floats_at(c, in[1]);
    s->saved = floats_at(c, in[2]);
    s->history = floats_at(c, in[3]);
    s->noise = floats_at(c, in[4]);
    s->steps = steps_of(c, in[5], in[6]);
    s->counter = int_at(c, in[6]);
    s->flag = int_at(c, in[7]);
    s->n = count_of(c, in[0]);
    xl_add_loop(c, run_sampler_step, s, xl_div_up(s->n, TASK_NUMBERS));
    xl_add_loop(c, count_step, s, 1);
    return XL_OK;
}
