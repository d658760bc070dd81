/* normal.h - the standard normal distribution, and what is asked of counts and rates: intervals and
 * exact tests. Pure functions; any thread.
 */
#ifndef XL_INSIGHT_STATS_NORMAL_H
#define XL_INSIGHT_STATS_NORMAL_H

#include <stdint.h>

/* P(Z <= z). */
double xl_normal_cdf(double z);

/* The z with P(Z <= z) = p; -INFINITY and INFINITY at 0 and 1, NAN outside. Full double precision:
 * Acklam's rational approximation, then one step of Halley's method. */
double xl_normal_quantile(double p);

/* An interval of a rate. */
struct xl_interval {
    double low, high;
};

/* Wilson's score interval of k successes in n trials (E. B. Wilson, JASA 22, 1927), without
 * correction for continuity. confidence: 0.95. n 0 gives 0..1: nothing is known. As
 * statsmodels.stats.proportion.proportion_confint(method="wilson"). */
struct xl_interval xl_wilson(uint64_t k, uint64_t n, double confidence);

/* Fisher's exact test of a 2x2 table, the two-sided p-value: of n rows K are loved, a level has m
 * of the rows and k of the loved ones; tables at most as likely as this one count. What is
 * impossible (k above m or K) gives NAN. As scipy.stats.fisher_exact. */
double xl_fisher(uint64_t k, uint64_t m, uint64_t K, uint64_t n);

/* P(X >= k) of a Poisson variable of this mean (mean >= 0). As scipy.stats.poisson.sf(k - 1, mean).
 */
double xl_poisson_tail(uint64_t k, double mean);

/* The same where the mean itself is only known up to a gamma distribution of this shape (the
 * negative binomial distribution); INFINITY: it is known. As scipy.stats.nbinom.sf(k - 1, shape,
 * shape / (shape + mean)). */
double xl_spread_tail(uint64_t k, double mean, double shape);

#endif
