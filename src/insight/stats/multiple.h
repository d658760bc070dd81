/* multiple.h - many tests at once: how likely is it that any of them claims something that is not
 * so? */
#ifndef XL_INSIGHT_STATS_MULTIPLE_H
#define XL_INSIGHT_STATS_MULTIPLE_H

#include <stddef.h>

/* Bonferroni's factor, as R. E. Tarone (Biometrics 46, 1990) made it smaller: least[i] is the
 * smallest p-value that test i could give whatever was loved, which follows from how many pictures
 * it is about. Tests that could claim nothing need no correction for the others. p * factor is the
 * adjusted p-value of a test with least * factor <= alpha; of the others it is 1. At least 1. */
size_t xl_tarone_factor(const double *least, size_t n, double alpha);

#endif
