/* beta_quantile.c - the inverse of the regularised incomplete beta function I_x(a, a). */
#include "sampler/draft.h"

#include <math.h>

/* The continued fraction of I_x(a, b) by Lentz's method, which converges fast for
 * x < (a + 1) / (a + b + 2). Source: NIST Digital Library of Mathematical Functions, 8.17.22. */
static double continued_fraction(double x, double a, double b) {
    const double tiny = 1e-300;
    double c = 1, d = 1 - (a + b) * x / (a + 1);
    d = 1 / (fabs(d) < tiny ? tiny : d);
    double value = d;
    for (int m = 1; m < 200; m++) {
        double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        const double terms[] = {even, odd};
        double change = 1;
        for (int i = 0; i < 2; i++) {
            d = 1 + terms[i] * d;
            d = 1 / (fabs(d) < tiny ? tiny : d);
            c = 1 + terms[i] / c;
            if (fabs(c) < tiny) c = tiny;
            change *= c * d;
        }
        value *= change;
        if (fabs(change - 1) < 1e-15) break;
    }
    return value;
}

/* I_x(a, a) for x <= 1/2 */
static double incomplete_beta(double x, double a) {
    double front = pow(x * (1 - x), a) * tgamma(2 * a) / (tgamma(a) * tgamma(a));
    return front * continued_fraction(x, a, a) / a;
}

/* Bisection on the lower half: the function is its own mirror image, I_x = 1 - I_(1-x). */
double xl_beta_quantile(double p, double a) {
    if (p > 0.5) return 1 - xl_beta_quantile(1 - p, a);
    if (p <= 0) return 0;
    double low = 0, high = 0.5;
    for (int i = 0; i < 60; i++) {
        double middle = (low + high) / 2;
        if (incomplete_beta(middle, a) < p)
            low = middle;
        else
            high = middle;
    }
    return (low + high) / 2;
}
