/* matrix.h - symmetric positive definite matrices, dense and small: at most a few hundred rows.
 * Only the lower triangle counts, stored in full, row by row: a[i * n + j], j <= i.
 */
#ifndef XL_INSIGHT_STATS_MATRIX_H
#define XL_INSIGHT_STATS_MATRIX_H

#include <stdbool.h>
#include <stddef.h>

/* Replace a by L with a = L L^T. False: a is not positive definite, and holds nothing of use. */
bool xl_cholesky(double *a, size_t n);

/* Solve L L^T x = b in place of b. */
void xl_cholesky_solve(const double *l, size_t n, double *b);

/* The inverse of L L^T, both triangles. work: [n] */
void xl_cholesky_inverse(const double *l, size_t n, double *inverse, double *work);

#endif
