/* logistic.c - Newton's method for a penalised logistic regression, and EM for its priors. */
#include "insight/stats/logistic.h"

#include "insight/stats/matrix.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_STEPS = 60, MOST_ROUNDS = 40 };
static const double LEAST_VARIANCE = 1e-4, MOST_VARIANCE = 25;

/* What a fit works on: [n] and [n][n]. */
struct work {
    const struct xl_logistic_data *data;
    size_t n;
    double *beta, *trial, *penalty, *gradient, *hessian, *covariance, *row, *variance;
};

double xl_logistic_rate(double x) {
    return x >= 0 ? 1 / (1 + exp(-x)) : exp(x) / (1 + exp(x));
}

static double log_odds(const double *beta, const uint32_t *levels, size_t factor_count) {
    double sum = beta[0];
    for (size_t f = 0; f < factor_count; f++)
        if (levels[f] != XL_NO_COEFFICIENT) sum += beta[levels[f] + 1];
    return sum;
}

/* The penalised log-likelihood at beta, its gradient, and minus its second derivatives: in one pass
 * over the cells, for all three need the same exponential. */
static double derive(struct work *work, const double *beta) {
    const struct xl_logistic_data *data = work->data;
    size_t n = work->n, F = data->factor_count;
    double value = 0;
    memset(work->gradient, 0, n * sizeof *work->gradient);
    memset(work->hessian, 0, n * n * sizeof *work->hessian);
    for (size_t c = 0; c < data->cell_count; c++) {
        const uint32_t *levels = data->levels + c * F;
        double x = log_odds(beta, levels, F), small = exp(-fabs(x));
        double rate = (x >= 0 ? 1 : small) / (1 + small);
        double rest = data->loved[c] - data->made[c] * rate,
               weight = data->made[c] * rate * (1 - rate);
        value += data->loved[c] * x - data->made[c] * (fmax(x, 0) + log1p(small));
        work->gradient[0] += rest;
        work->hessian[0] += weight;
        for (size_t f = 0; f < F; f++) { /* coefficients rise with the factor: the lower triangle */
            if (levels[f] == XL_NO_COEFFICIENT) continue;
            size_t i = levels[f] + 1;
            double *row = work->hessian + i * n;
            work->gradient[i] += rest;
            row[0] += weight;
            for (size_t g = 0; g <= f; g++)
                if (levels[g] != XL_NO_COEFFICIENT) row[levels[g] + 1] += weight;
        }
    }
    for (size_t i = 1; i < n; i++) {
        value -= work->penalty[i] * beta[i] * beta[i] / 2;
        work->gradient[i] -= work->penalty[i] * beta[i];
        work->hessian[i * n + i] += work->penalty[i];
    }
    return value;
}

/* Climb to the maximum; hessian is then the Cholesky factor there. */
static bool climb(struct work *work) {
    size_t n = work->n;
    double value = derive(work, work->beta);
    for (int step = 0; step < MOST_STEPS; step++) {
        double gain = 0, size = 1, next;
        if (!xl_cholesky(work->hessian, n)) return false;
        memcpy(work->row, work->gradient, n * sizeof *work->row);
        xl_cholesky_solve(work->hessian, n, work->row);
        for (size_t i = 0; i < n; i++) gain += work->row[i] * work->gradient[i];
        if (gain < 1e-12 * (fabs(value) + 1)) return true;
        for (;;
             size /= 2) { /* a whole step is nearly always taken: what is derived there is used */
            for (size_t i = 0; i < n; i++) work->trial[i] = work->beta[i] + size * work->row[i];
            next = derive(work, work->trial);
            if (next >= value || size < 1e-6) break;
        }
        if (!(next >= value)) break; /* as high as rounding allows */
        memcpy(work->beta, work->trial, n * sizeof *work->beta);
        value = next;
    }
    derive(work, work->beta);
    return xl_cholesky(work->hessian, n);
}

static void set_penalties(struct work *work) {
    const struct xl_logistic_data *data = work->data;
    for (size_t f = 0; f < data->factor_count; f++)
        for (uint32_t c = data->first_of[f]; c < data->first_of[f + 1]; c++)
            work->penalty[c + 1] = 1 / work->variance[f];
}

/* One round of EM: the variance of each factor from its coefficients. The largest change, relative.
 */
static double learn_variances(struct work *work) {
    const struct xl_logistic_data *data = work->data;
    double most = 0;
    for (size_t f = 0; f < data->factor_count; f++) {
        uint32_t first = data->first_of[f], n_levels = data->first_of[f + 1] - first;
        double sum = 0;
        if (!n_levels) continue;
        for (size_t i = first + 1; i <= first + n_levels; i++)
            sum += work->beta[i] * work->beta[i] + work->covariance[i * work->n + i];
        double variance = fmin(fmax(sum / n_levels, LEAST_VARIANCE), MOST_VARIANCE);
        most = fmax(most, fabs(variance / work->variance[f] - 1));
        work->variance[f] = variance;
    }
    set_penalties(work);
    return most;
}

static bool fit(struct work *work, bool learn) {
    set_penalties(work);
    for (int round = 0;; round++) {
        if (!climb(work)) return false;
        xl_cholesky_inverse(work->hessian, work->n, work->covariance, work->row);
        if (!learn || round == MOST_ROUNDS || learn_variances(work) < 0.02) return true;
    }
}

static void begin(struct work *work, const struct xl_logistic_prior *prior, double log_odds) {
    const struct xl_logistic *from = prior->from;
    work->penalty[0] = 0;
    work->beta[0] = log_odds;
    for (size_t f = 0; f < work->data->factor_count; f++)
        work->variance[f] = from && f < from->factor_count ? from->variance[f] : prior->variance;
    if (from) memcpy(work->beta, from->beta, from->n * sizeof *work->beta);
}

enum xl_status xl_logistic_fit(const struct xl_logistic_data *data,
                               const struct xl_logistic_prior *prior, struct xl_arena *arena,
                               struct xl_logistic *out, bool *fitted, struct xl_err *err) {
    size_t n = data->coefficient_count + 1;
    double made = 0, loved = 0;
    *fitted = false;
    for (size_t c = 0; c < data->cell_count; c++) made += data->made[c], loved += data->loved[c];
    if (loved <= 0 || loved >= made) return XL_OK;
    double *kept = xl_arena_alloc(arena, (n + n * n + data->factor_count) * sizeof *kept);
    double *scratch = malloc((4 * n + n * n) * sizeof *scratch);
    if (!kept || !scratch) {
        free(scratch);
        return xl_fail_nomem(err, "a model of rates", n * n * sizeof *scratch);
    }
    struct work work = {.data = data, .n = n, .beta = kept, .covariance = kept + n};
    work.variance = kept + n + n * n;
    work.trial = scratch;
    work.penalty = scratch + n;
    work.gradient = scratch + 2 * n;
    work.row = scratch + 3 * n;
    work.hessian = scratch + 4 * n;
    begin(&work, prior, log(loved / (made - loved)));
    *fitted = fit(&work, prior->is_learned);
    if (*fitted)
        *out = (struct xl_logistic){.n = n,
                                    .factor_count = data->factor_count,
                                    .beta = work.beta,
                                    .covariance = work.covariance,
                                    .variance = work.variance};
    free(scratch);
    return XL_OK;
}

double xl_logistic_predict(const struct xl_logistic *model, const uint32_t *levels,
                           size_t factor_count, double *variance) {
    double sum = model->covariance[0];
    for (size_t f = 0; variance && f < factor_count; f++) {
        if (levels[f] == XL_NO_COEFFICIENT) continue;
        const double *row = model->covariance + (levels[f] + 1) * model->n;
        sum += 2 * row[0];
        for (size_t g = 0; g < factor_count; g++)
            if (levels[g] != XL_NO_COEFFICIENT) sum += row[levels[g] + 1];
    }
    if (variance) *variance = sum;
    return log_odds(model->beta, levels, factor_count);
}
