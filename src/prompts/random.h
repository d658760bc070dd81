/* random.h - the random numbers of prompts: integers alone, so that a seed means the same list on
 * every machine.
 *
 * A stream is SplitMix64 (Steele, Lea, Flood 2014: "Fast splittable pseudorandom number
 * generators"), begun at a mix of a seed and the number of the stream. What is read off it: whole
 * numbers below a limit, by Lemire's multiplication (2019), which favours none.
 */
#ifndef XL_PROMPTS_RANDOM_H
#define XL_PROMPTS_RANDOM_H

#include <stdint.h>

struct xl_dice {
    uint64_t state;
};

/* Streams of one seed are as different as those of two seeds. */
struct xl_dice xl_dice_begin(uint64_t seed, uint64_t stream);
uint64_t xl_dice_next(struct xl_dice *dice);
/* 0 .. n - 1; n: 1 or more */
uint64_t xl_dice_below(struct xl_dice *dice, uint64_t n);

/* SplitMix64's finishing step: every bit of the result depends on every bit of x. */
uint64_t xl_mix_bits(uint64_t x);

/* Where a walk over 0 .. n - 1 that looks random is after i steps (i < n): each number comes once.
 * A Feistel network of four rounds, walked on until it lands below n. */
unsigned __int128 xl_shuffled(unsigned __int128 i, unsigned __int128 n, uint64_t seed);

#endif
