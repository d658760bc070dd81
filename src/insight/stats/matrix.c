/* matrix.c - Cholesky's factors of small dense matrices. */
#include "insight/stats/matrix.h"

#include <math.h>
#include <string.h>

bool xl_cholesky(double *a, size_t n) {
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j <= i; j++) {
            const double *x = a + i * n, *y = a + j * n;
            double sum = x[j];
            for (size_t k = 0; k < j; k++) sum -= x[k] * y[k];
            if (i == j && !(sum > 0 && sum < INFINITY)) return false;
            a[i * n + j] = i == j ? sqrt(sum) : sum / a[j * n + j];
        }
    return true;
}

void xl_cholesky_solve(const double *l, size_t n, double *b) {
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < i; k++) b[i] -= l[i * n + k] * b[k];
        b[i] /= l[i * n + i];
    }
    for (size_t i = n; i-- > 0;) {
        b[i] /= l[i * n + i];
        for (size_t k = 0; k < i; k++) b[k] -= l[i * n + k] * b[i];
    }
}

void xl_cholesky_inverse(const double *l, size_t n, double *inverse, double *work) {
    for (size_t j = 0; j < n; j++) {
        memset(work, 0, n * sizeof *work);
        work[j] = 1;
        xl_cholesky_solve(l, n, work);
        for (size_t i = 0; i < n; i++) inverse[i * n + j] = work[i];
    }
}
