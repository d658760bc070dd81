/* tap_maps.c - the maps as outer products of what happens to rows and to columns. */
#include "backend/cpu/tap_maps.h"

#include <stddef.h>

/* The outer product of two rows of three as nine numbers in braces. */
#define OUTER(...) OUTER_OF(__VA_ARGS__)
#define OUTER_OF(a, b, c, x, y, z)                                                                 \
    {                                                                                              \
        (a) * (x), (a) * (y), (a) * (z), (b) * (x), (b) * (y), (b) * (z), (c) * (x), (c) * (y),    \
            (c) * (z)                                                                              \
    }

/* A row of the enlarged picture's even rows sees the small picture's row before (first tap) and its
 * own (the other two); of its odd rows its own and the next. */
#define FIRST 1, 0, 0
#define LAST_TWO 0, 1, 1
#define FIRST_TWO 1, 1, 0
#define LAST 0, 0, 1
static const float quarters[4][4][9] = {
    {OUTER(FIRST, FIRST), OUTER(FIRST, LAST_TWO), OUTER(LAST_TWO, FIRST),
     OUTER(LAST_TWO, LAST_TWO)},
    {OUTER(FIRST, FIRST_TWO), OUTER(FIRST, LAST), OUTER(LAST_TWO, FIRST_TWO),
     OUTER(LAST_TWO, LAST)},
    {OUTER(FIRST_TWO, FIRST), OUTER(FIRST_TWO, LAST_TWO), OUTER(LAST, FIRST),
     OUTER(LAST, LAST_TWO)},
    {OUTER(FIRST_TWO, FIRST_TWO), OUTER(FIRST_TWO, LAST), OUTER(LAST, FIRST_TWO),
     OUTER(LAST, LAST)},
};

/* G g G^T of Winograd's F(2x2, 3x3); rows of G: */
#define G0 1, 0, 0
#define G1 0.5F, 0.5F, 0.5F
#define G2 0.5F, -0.5F, 0.5F
#define G3 0, 0, 1
#define ALL_WITH(...)                                                                              \
    OUTER(__VA_ARGS__, G0), OUTER(__VA_ARGS__, G1), OUTER(__VA_ARGS__, G2), OUTER(__VA_ARGS__, G3)
#define SPARSE_WITH(...) OUTER(__VA_ARGS__, G0), OUTER(__VA_ARGS__, G1), OUTER(__VA_ARGS__, G3)
static const float all_sets[16][9] = {ALL_WITH(G0), ALL_WITH(G1), ALL_WITH(G2), ALL_WITH(G3)};
static const float sparse_sets[9][9] = {SPARSE_WITH(G0), SPARSE_WITH(G1), SPARSE_WITH(G3)};

const float *xl_tap_map(enum xl_tap_map map) {
    if (map == XL_TAPS_AS_THEY_ARE) return NULL;
    if (map == XL_TAPS_WINOGRAD) return &all_sets[0][0];
    if (map == XL_TAPS_WINOGRAD_SPARSE) return &sparse_sets[0][0];
    return &quarters[map - XL_TAPS_QUARTER][0][0];
}

int xl_tap_map_sets(enum xl_tap_map map) {
    if (map == XL_TAPS_WINOGRAD) return 16;
    return map == XL_TAPS_WINOGRAD_SPARSE ? 9 : 1;
}
