/* multiple.c - a correction for many tests. */
#include "insight/stats/multiple.h"

size_t xl_tarone_factor(const double *least, size_t n, double alpha) {
    /* The smallest k with at most k tests that could reach alpha / k: their number falls as k
     * rises. */
    size_t low = 1, high = n > 1 ? n : 1;
    while (low < high) {
        size_t k = low + (high - low) / 2, able = 0;
        for (size_t i = 0; i < n; i++) able += least[i] <= alpha / (double)k;
        if (able <= k)
            high = k;
        else
            low = k + 1;
    }
    return low;
}
