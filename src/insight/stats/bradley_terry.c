/* bradley_terry.c - Newton's method for Bradley and Terry's model with a normal prior. */
#include "insight/stats/bradley_terry.h"

#include "insight/stats/matrix.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_STEPS = 100 };

static double objective(const double *wins, size_t n, double penalty, const double *strength) {
    double sum = 0;
    for (size_t a = 0; a < n; a++) {
        for (size_t b = 0; b < n; b++)
            if (wins[a * n + b] > 0) sum -= wins[a * n + b] * log1p(exp(strength[b] - strength[a]));
        sum -= penalty * strength[a] * strength[a] / 2;
    }
    return sum;
}

static void derive(const double *wins, size_t n, double penalty, const double *strength,
                   double *gradient, double *hessian) {
    memset(hessian, 0, n * n * sizeof *hessian);
    for (size_t a = 0; a < n; a++) {
        gradient[a] = -penalty * strength[a];
        hessian[a * n + a] = penalty;
    }
    for (size_t a = 0; a < n; a++)
        for (size_t b = 0; b < n; b++) {
            double count = wins[a * n + b], p = 1 / (1 + exp(strength[b] - strength[a]));
            double weight = count * p * (1 - p);
            if (a == b || !(count > 0)) continue;
            gradient[a] += count * (1 - p);
            gradient[b] -= count * (1 - p);
            hessian[a * n + a] += weight;
            hessian[b * n + b] += weight;
            hessian[a * n + b] -= weight;
            hessian[b * n + a] -= weight;
        }
}

/* Climb to the maximum; hessian is then the Cholesky factor there. */
static void climb(const double *wins, size_t n, double penalty, double *strength, double *hessian,
                  double *gradient, double *work) {
    double value = objective(wins, n, penalty, strength), *trial = work + n;
    for (int step = 0; step < MOST_STEPS; step++) {
        derive(wins, n, penalty, strength, gradient, hessian);
        if (!xl_cholesky(hessian, n)) return;
        double gain = 0, next, size = 1;
        memcpy(work, gradient, n * sizeof *work);
        xl_cholesky_solve(hessian, n, work);
        for (size_t i = 0; i < n; i++) gain += work[i] * gradient[i];
        if (gain < 1e-12 * (fabs(value) + 1)) return;
        for (;; size /= 2) {
            for (size_t i = 0; i < n; i++) trial[i] = strength[i] + size * work[i];
            next = objective(wins, n, penalty, trial);
            if (next >= value || size < 1e-6) break;
        }
        if (!(next >= value)) return;
        memcpy(strength, trial, n * sizeof *strength);
        value = next;
    }
}

enum xl_status xl_bradley_terry(const double *wins, size_t n, double prior_variance,
                                double *strength, double *error, struct xl_err *err) {
    double *scratch = malloc((2 * n * n + 3 * n + 1) * sizeof *scratch);
    if (!scratch) return xl_fail_nomem(err, "a ranking", n * n * sizeof *scratch);
    double *hessian = scratch, *inverse = scratch + n * n, *gradient = inverse + n * n;
    memset(strength, 0, n * sizeof *strength);
    climb(wins, n, 1 / prior_variance, strength, hessian, gradient, gradient + n);
    xl_cholesky_inverse(hessian, n, inverse, gradient);
    for (size_t i = 0; i < n; i++) error[i] = sqrt(inverse[i * n + i]);
    free(scratch);
    return XL_OK;
}
