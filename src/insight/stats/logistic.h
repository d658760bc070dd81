/* logistic.h - logistic regression of rates on levels of factors, with a ridge penalty: what each
 * level does to the odds when the others are held fixed.
 *
 * Rows that are alike are one cell. log(odds) of a cell = intercept + the coefficients of its
 * levels. The penalty is a normal prior of mean 0; the variance of each factor's coefficients is
 * learned by EM from their estimates and their uncertainty (the Laplace approximation of a model
 * with random effects), so that a factor that does nothing is shrunk to nothing. Without learning,
 * the estimates are those of any ridge regression with these penalties.
 */
#ifndef XL_INSIGHT_STATS_LOGISTIC_H
#define XL_INSIGHT_STATS_LOGISTIC_H

#include "base/arena.h"

/* No coefficient: the level does not count, or there is none. */
#define XL_NO_COEFFICIENT UINT32_MAX

struct xl_logistic_data {
    size_t cell_count, factor_count;
    const uint32_t *levels;   /* [cell_count][factor_count] coefficients, or XL_NO_COEFFICIENT */
    const uint32_t *made;     /* [cell_count] */
    const uint32_t *loved;    /* [cell_count] */
    size_t coefficient_count; /* without the intercept */
    const uint32_t *first_of; /* [factor_count + 1] the coefficients of a factor lie together */
};

struct xl_logistic {
    size_t n, factor_count;   /* n: coefficient_count + 1 */
    const double *beta;       /* [n] the intercept first: coefficient c is beta[c + 1] */
    const double *covariance; /* [n][n] the inverse of the penalised information */
    const double *variance;   /* [factor_count] of the prior of each factor */
};

/* Where a fit begins. */
struct xl_logistic_prior {
    double variance; /* of every factor */
    bool is_learned; /* whether to go on from there */
    /* A fit of the same cells with fewer factors, of which these are the first: where it ended, the
     * rest begins as above. It ends in the same place within what EM leaves open. NULL: none */
    const struct xl_logistic *from;
};

/* Data without successes, or without failures, has no finite intercept: *out is untouched and
 * *fitted false. Errors: XL_ENOMEM */
enum xl_status xl_logistic_fit(const struct xl_logistic_data *data,
                               const struct xl_logistic_prior *prior, struct xl_arena *arena,
                               struct xl_logistic *out, bool *fitted,
                               struct xl_err *err) XL_CHECKED;

/* log(odds) of levels [factor_count], and the variance of that. variance may be NULL. */
double xl_logistic_predict(const struct xl_logistic *model, const uint32_t *levels,
                           size_t factor_count, double *variance);

/* 1 / (1 + exp(-x)) */
double xl_logistic_rate(double log_odds);

#endif
