/* shrinkage.h - how far to believe the best of many: of thousands of combinations some look
 * wonderful by luck. Each combination has a count and the count that was expected of it; the ratio
 * of its true rate to the expected one is 1 for most combinations and comes from a gamma
 * distribution for some. Both are learned from all combinations together (an empirical Bayes model
 * of two parts, after W. DuMouchel, The American Statistician 53, 1999).
 */
#ifndef XL_INSIGHT_STATS_SHRINKAGE_H
#define XL_INSIGHT_STATS_SHRINKAGE_H

#include <stddef.h>
#include <stdint.h>

struct xl_shrinkage {
    double share;       /* of combinations whose ratio is not 1 */
    double shape, mean; /* of the gamma distribution of those */
};

/* The most likely model over a grid. count, expected: [n], expected > 0. */
struct xl_shrinkage xl_shrinkage_fit(const uint32_t *count, const double *expected, size_t n);

/* The expected ratio of a combination after its count is known, and in *variance (which may be
 * NULL) how much its logarithm may vary. */
double xl_shrinkage_ratio(const struct xl_shrinkage *model, uint32_t count, double expected,
                          double *variance);

#endif
