/* apply.c - applying any table of steps: the whole numerical work of sampling. */
#include "sampler/sampler.h"

#include <assert.h>
#include <stdlib.h>

struct xl_sampler_state {
    int64_t n;
    float *saved;                     /* [n] */
    float *history[XL_HISTORY_SLOTS]; /* [n] each, NULL: a slot that this schedule does not use */
};

enum xl_status xl_sampler_state_new(const struct xl_schedule *schedule, int64_t n,
                                    struct xl_sampler_state **out, struct xl_err *err) {
    size_t bytes = (size_t)n * sizeof(float);
    struct xl_sampler_state *state = calloc(1, sizeof *state);
    if (!state) return xl_fail_nomem(err, "the sampler's state", sizeof *state);
    state->n = n;
    bool ok = (state->saved = calloc(1, bytes));
    for (int i = 0; ok && i < schedule->n_steps; i++) {
        int slot = schedule->steps[i].store_slot;
        if (slot >= 0 && !state->history[slot]) ok = (state->history[slot] = calloc(1, bytes));
    }
    if (!ok) {
        xl_sampler_state_free(state);
        return xl_fail_nomem(err, "the sampler's history", bytes);
    }
    *out = state;
    return XL_OK;
}

void xl_sampler_state_free(struct xl_sampler_state *state) {
    if (!state) return;
    free(state->saved);
    for (int i = 0; i < XL_HISTORY_SLOTS; i++) free(state->history[i]);
    free(state);
}

/* The sources that a sum really has, so that absent ones are never read. */
struct sum {
    int n;
    const float *source[XL_N_SOURCES];
    double coef[XL_N_SOURCES];
};

static struct sum sum_of(const float *coef, const float *const *sources) {
    struct sum sum = {0};
    for (int i = 0; i < XL_N_SOURCES; i++) {
        if (coef[i] == 0) continue;
        assert(sources[i]);
        sum.source[sum.n] = sources[i];
        sum.coef[sum.n++] = (double)coef[i];
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

static void store(const struct xl_step *step, int64_t n, const float *x, const float *out,
                  float *m) {
    for (int64_t k = 0; k < n; k++) {
        float value = (float)((double)step->convert_x * (double)x[k] +
                              (double)step->convert_out * (double)out[k]);
        if (step->clip > 0)
            value = value > step->clip ? step->clip : value < -step->clip ? -step->clip : value;
        m[k] = value;
    }
}

void xl_sampler_step(const struct xl_schedule *schedule, int i, struct xl_sampler_state *state,
                     float *x, const float *out, const float *noise) {
    assert(i >= 0 && i < schedule->n_steps);
    const struct xl_step *step = &schedule->steps[i];
    if (step->store_slot >= 0) store(step, state->n, x, out, state->history[step->store_slot]);
    const float *sources[XL_N_SOURCES] = {
        [XL_SRC_X] = x, [XL_SRC_SAVED] = state->saved, [XL_SRC_OUT] = out, [XL_SRC_NOISE] = noise};
    for (int slot = 0; slot < XL_HISTORY_SLOTS; slot++)
        sources[XL_SRC_HISTORY + slot] = state->history[slot];
    struct sum base = sum_of(step->base_coef, sources);
    sources[XL_SRC_BASE] = x; /* where the base of number k stands once it is known */
    struct sum next = sum_of(step->coef, sources);
    for (int64_t k = 0; k < state->n; k++) {
        float value = evaluate(&base, k);
        x[k] = value;
        x[k] = evaluate(&next, k);
        state->saved[k] = value;
    }
}
