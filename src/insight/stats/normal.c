/* normal.c - the normal distribution, Wilson's interval, Fisher's exact test, Poisson's tail. */
#include "insight/stats/normal.h"

#include <math.h>

double xl_normal_cdf(double z) {
    return 0.5 * erfc(-z / sqrt(2));
}

/* P. J. Acklam's coefficients (2003): relative error below 1.15e-9. */
static double rough_quantile(double p) {
    static const double a[] = {-3.969683028665376e+01, 2.209460984245205e+02,
                               -2.759285104469687e+02, 1.383577518672690e+02,
                               -3.066479806614716e+01, 2.506628277459239e+00};
    static const double b[] = {-5.447609879822406e+01, 1.615858368580409e+02,
                               -1.556989798598866e+02, 6.680131188771972e+01,
                               -1.328068155288572e+01};
    static const double c[] = {-7.784894002430293e-03, -3.223964580411365e-01,
                               -2.400758277161838e+00, -2.549732539343734e+00,
                               4.374664141464968e+00,  2.938163982698783e+00};
    static const double d[] = {7.784695709041462e-03, 3.224671290700398e-01, 2.445134137142996e+00,
                               3.754408661907416e+00};
    double tail = p < 0.5 ? p : 1 - p;
    if (tail < 0.02425) {
        double q = sqrt(-2 * log(tail));
        double z = (((((c[0] * q + c[1]) * q + c[2]) * q + c[3]) * q + c[4]) * q + c[5]) /
                   ((((d[0] * q + d[1]) * q + d[2]) * q + d[3]) * q + 1);
        return p < 0.5 ? z : -z;
    }
    double q = p - 0.5, r = q * q;
    return (((((a[0] * r + a[1]) * r + a[2]) * r + a[3]) * r + a[4]) * r + a[5]) * q /
           (((((b[0] * r + b[1]) * r + b[2]) * r + b[3]) * r + b[4]) * r + 1);
}

double xl_normal_quantile(double p) {
    if (p == 0) return -INFINITY;
    if (p == 1) return INFINITY;
    if (!(p > 0 && p < 1)) return NAN;
    if (p > 0.5) return -xl_normal_quantile(1 - p); /* small tails keep their digits */
    double z = rough_quantile(p);
    double error = xl_normal_cdf(z) - p, u = error * sqrt(2 * M_PI) * exp(z * z / 2);
    return z - u / (1 + z * u / 2);
}

struct xl_interval xl_wilson(uint64_t k, uint64_t n, double confidence) {
    if (!n) return (struct xl_interval){0, 1};
    double z = xl_normal_quantile(0.5 + confidence / 2), total = (double)n;
    double rate = (double)k / total, over = 1 + z * z / total;
    double middle = (rate + z * z / (2 * total)) / over;
    double half = z / over * sqrt(rate * (1 - rate) / total + z * z / (4 * total * total));
    /* At the ends the formula is exact but rounding is not. */
    return (struct xl_interval){k ? fmax(middle - half, 0) : 0, k < n ? fmin(middle + half, 1) : 1};
}

/* lgamma without its global sign. */
static double log_gamma(double x) {
    int sign;
    return lgamma_r(x, &sign);
}

static double log_choose(double n, double k) {
    return log_gamma(n + 1) - log_gamma(k + 1) - log_gamma(n - k + 1);
}

/* The sum of a hypergeometric distribution from `at` outwards, relative to the probability there:
 * each term follows from the one before it, and what no longer counts is left out. */
static double outer_sum(double at, double m, double K, double n, int direction) {
    double sum = 0, term = 1;
    for (double i = at; term > 0; i += direction) {
        sum += term;
        if (term < sum * 1e-17) break;
        term *= direction > 0 ? (m - i) * (K - i) / ((i + 1) * (n - m - K + i + 1))
                              : i * (n - m - K + i) / ((m - i + 1) * (K - i + 1));
    }
    return sum;
}

static double log_probability(double k, double m, double K, double n) {
    return log_choose(m, k) + log_choose(n - m, K - k) - log_choose(n, K);
}

/* The first value on the far side of the mode that is at most as likely as k; far: beyond the end.
 */
static double other_side(double k, double m, double K, double n, double mode, double end) {
    double limit = log_probability(k, m, K, n) + 1e-7; /* as SciPy: equal but for rounding */
    double near = mode, far = end, step = end > mode ? 1 : -1;
    if (log_probability(end, m, K, n) > limit) return end + step;
    while ((far - near) * step > 1) {
        double middle = floor((near + far) / 2);
        if (log_probability(middle, m, K, n) > limit)
            near = middle;
        else
            far = middle;
    }
    return far;
}

double xl_fisher(uint64_t k_, uint64_t m_, uint64_t K_, uint64_t n_) {
    double k = (double)k_, m = (double)m_, K = (double)K_, n = (double)n_;
    double least = fmax(0, m + K - n), most = fmin(m, K);
    if (k < least || k > most) return NAN;
    if (least == most) return 1;
    double mode = floor((m + 1) * (K + 1) / (n + 2));
    mode = fmin(fmax(mode, least), most);
    if (log_probability(mode, m, K, n) <= log_probability(k, m, K, n) + 1e-7) return 1;
    int side = k > mode ? 1 : -1;
    double p = exp(log_probability(k, m, K, n)) * outer_sum(k, m, K, n, side);
    double end = side > 0 ? least : most;
    double other = mode == end ? end : other_side(k, m, K, n, mode, end);
    if (mode == end && log_probability(end, m, K, n) > log_probability(k, m, K, n) + 1e-7)
        return fmin(p, 1);
    if (other >= least && other <= most)
        p += exp(log_probability(other, m, K, n)) * outer_sum(other, m, K, n, -side);
    return fmin(p, 1);
}

double xl_poisson_tail(uint64_t k, double mean) {
    if (!k) return 1;
    if (mean <= 0) return 0;
    double at = (double)k, first = at * log(mean) - mean - log_gamma(at + 1);
    if (at > mean) { /* from k upwards: terms fall */
        double sum = 0, term = 1;
        for (double i = at; term > sum * 1e-17; i++) sum += term, term *= mean / (i + 1);
        return exp(first) * sum;
    }
    double sum = 0, term = at / mean; /* of 0 .. k - 1, from the largest downwards */
    for (double i = at - 1; i >= 0 && term > sum * 1e-17; i--) sum += term, term *= i / mean;
    return fmax(0, 1 - exp(first) * sum);
}

double xl_spread_tail(uint64_t k, double mean, double shape) {
    if (!k) return 1;
    if (!(mean > 0)) return 0;
    if (!(shape < 1e9)) return xl_poisson_tail(k, mean);
    double at = (double)k, share = mean / (shape + mean);
    double first = log_gamma(at + shape) - log_gamma(shape) - log_gamma(at + 1) -
                   shape * log1p(mean / shape) + at * log(share);
    if (at > mean) { /* from k upwards: terms fall */
        double sum = 0, term = 1;
        for (double i = at; term > sum * 1e-17; i++)
            sum += term, term *= (i + shape) / (i + 1) * share;
        return fmin(1, exp(first) * sum);
    }
    double sum = 0, term = at / ((at - 1 + shape) * share); /* of k - 1 .. 0 */
    for (double i = at - 1; i >= 0; i--) {
        sum += term;
        term *= i / ((i - 1 + shape) * share);
    }
    return fmax(0, 1 - exp(first) * sum);
}
