/* shrinkage.c - a ratio that is 1 for most and gamma-distributed for some, by empirical Bayes. */
#include "insight/stats/shrinkage.h"

#include <math.h>

static double log_gamma(double x) {
    int sign;
    return lgamma_r(x, &sign);
}

/* How much likelier a count is where the ratio is gamma-distributed than where it is 1: log of the
 * negative binomial probability over the Poisson probability. */
static double log_odds(uint32_t count, double expected, double shape, double mean) {
    double k = count, mu = expected * mean;
    double rising = count ? log_gamma(k + shape) - log_gamma(shape) : 0;
    return rising + shape * log(shape / (shape + mu)) + k * log(mean / (shape + mu)) + expected;
}

static void likelihoods(const uint32_t *count, const double *expected, size_t n, double shape,
                        double mean, const double *shares, size_t n_shares, double *sums) {
    for (size_t s = 0; s < n_shares; s++) sums[s] = 0;
    for (size_t i = 0; i < n; i++) {
        double ratio = exp(fmin(log_odds(count[i], expected[i], shape, mean), 600));
        for (size_t s = 0; s < n_shares; s++) sums[s] += log1p(shares[s] * (ratio - 1));
    }
}

struct xl_shrinkage xl_shrinkage_fit(const uint32_t *count, const double *expected, size_t n) {
    static const double shares[] = {0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 0.9};
    static const double shapes[] = {0.5, 1, 2, 4, 16}, means[] = {0.5, 1, 2, 4, 8, 16};
    enum { SHARES = sizeof shares / sizeof *shares };
    struct xl_shrinkage best = {.share = 0, .shape = 1, .mean = 1};
    double most = 0; /* of a share of 0: every ratio is 1 */
    for (size_t a = 0; a < sizeof shapes / sizeof *shapes; a++)
        for (size_t m = 0; m < sizeof means / sizeof *means; m++) {
            double sums[SHARES];
            likelihoods(count, expected, n, shapes[a], means[m], shares, SHARES, sums);
            for (size_t s = 0; s < SHARES; s++) {
                if (!(sums[s] > most)) continue;
                most = sums[s];
                best = (struct xl_shrinkage){shares[s], shapes[a], means[m]};
            }
        }
    return best;
}

double xl_shrinkage_ratio(const struct xl_shrinkage *model, uint32_t count, double expected,
                          double *variance) {
    double shape = model->shape + count, ratio = shape / (model->shape / model->mean + expected);
    double odds = 0;
    if (model->share > 0)
        odds = model->share / (1 - model->share) *
               exp(fmin(log_odds(count, expected, model->shape, model->mean), 600));
    double weight = odds / (1 + odds), mean = 1 - weight + weight * ratio;
    if (variance) { /* of a mixture: within its parts and between them */
        double log_ratio = log(ratio);
        *variance = weight / shape + weight * (1 - weight) * log_ratio * log_ratio;
    }
    return mean;
}
