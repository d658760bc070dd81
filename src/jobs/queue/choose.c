/* choose.c - next, then fair, then warm. */
#include "jobs/queue/choose.h"

#include <math.h>

static const double HALF_LIFE_S = 600;

/* Seconds of which nobody says that they are more: two clients that drew the same. */
static const double EQUAL_S = 1e-3;

double xl_choose_fade(double served_s, double passed_s) {
    return passed_s > 0 ? served_s * exp2(-passed_s / HALF_LIFE_S) : served_s;
}

/* The first of the client that was served least; only_warm: of those whose model is at hand. */
static int find_fair(const struct xl_contender *candidates, int n, bool only_warm) {
    int found = -1;
    for (int i = 0; i < n; i++) {
        if (only_warm && !candidates[i].is_warm) continue;
        if (found < 0 || candidates[i].served_s < candidates[found].served_s - EQUAL_S) found = i;
    }
    return found;
}

int xl_choose(const struct xl_contender *candidates, int n, double patience_s, int *passed) {
    *passed = -1;
    for (int i = 0; i < n; i++)
        if (candidates[i].is_next) return i;
    int fair = find_fair(candidates, n, false);
    if (fair < 0 || candidates[fair].is_warm || candidates[fair].passed_s > patience_s) return fair;
    int warm = find_fair(candidates, n, true);
    if (warm < 0) return fair;
    *passed = fair;
    return warm;
}
