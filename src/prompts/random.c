/* random.c - SplitMix64, numbers below a limit, and a shuffling without memory. Keeps no state. */
#include "prompts/random.h"

static const uint64_t golden = UINT64_C(0x9E3779B97F4A7C15);

uint64_t xl_mix_bits(uint64_t x) {
    x = (x ^ (x >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94D049BB133111EB);
    return x ^ (x >> 31);
}

struct xl_dice xl_dice_begin(uint64_t seed, uint64_t stream) {
    return (struct xl_dice){xl_mix_bits(xl_mix_bits(seed + golden) ^ (stream * golden))};
}

uint64_t xl_dice_next(struct xl_dice *dice) {
    dice->state += golden;
    return xl_mix_bits(dice->state);
}

uint64_t xl_dice_below(struct xl_dice *dice, uint64_t n) {
    unsigned __int128 product = (unsigned __int128)xl_dice_next(dice) * n;
    uint64_t unfair = -n % n; /* so many low halves would make some results likelier */
    while ((uint64_t)product < unfair) product = (unsigned __int128)xl_dice_next(dice) * n;
    return (uint64_t)(product >> 64);
}

unsigned __int128 xl_shuffled(unsigned __int128 i, unsigned __int128 n, uint64_t seed) {
    enum { ROUNDS = 4 };
    int half = 1; /* bits of each half; together they hold every number below n */
    while (half < 64 && n > (unsigned __int128)1 << (2 * half)) half++;
    uint64_t mask = half < 64 ? (UINT64_C(1) << half) - 1 : UINT64_MAX;
    do {
        uint64_t left = (uint64_t)(i >> half) & mask, right = (uint64_t)i & mask;
        for (uint64_t round = 0; round < ROUNDS; round++) {
            struct xl_dice dice = xl_dice_begin(seed + round, right);
            uint64_t next = left ^ (xl_dice_next(&dice) & mask);
            left = right;
            right = next;
        }
        i = (unsigned __int128)left << half | right;
    } while (i >= n);
    return i;
}
