/* bradley_terry.h - a ranking from choices between two (R. A. Bradley, M. E. Terry, Biometrika 39,
 * 1952): the odds that a wins over b are exp(strength a - strength b).
 */
#ifndef XL_INSIGHT_STATS_BRADLEY_TERRY_H
#define XL_INSIGHT_STATS_BRADLEY_TERRY_H

#include "base/status.h"

#include <stddef.h>

/* wins: [n][n], wins[a * n + b] how often a was taken before b. Strengths have a normal prior of
 * mean 0 and this variance, so that who won always, or never, has a finite one; without a
 * comparison it is 0. strength, error (standard errors): [n], the caller's. Errors: XL_ENOMEM */
enum xl_status xl_bradley_terry(const double *wins, size_t n, double prior_variance,
                                double *strength, double *error, struct xl_err *err) XL_CHECKED;

#endif
