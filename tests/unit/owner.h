/* owner.h - owners with known tastes: pictures as somebody makes them, who then loves some of them.
 *
 * 10 models, 28 profiles, 5 sizes, 4 schedulers, 2 numbers of steps and 3 guidances. Some columns
 * are confounded: each model has four profiles and one size of its own that it is mostly used with,
 * and what is loved most is mostly made with a model that does nothing for it.
 */
#ifndef XL_TESTS_OWNER_H
#define XL_TESTS_OWNER_H

#include "insight/observations.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MODEL, PROFILE, SIZE, SCHEDULER, STEPS, GUIDANCE, SEED, OWNER_FACTORS };
enum { OWNER_WORDS = 60, OWNER_WORDS_EACH = 6 };

static const size_t owner_levels[OWNER_FACTORS] = {10, 28, 5, 4, 2, 3, 50};

/* What somebody loves: log(odds) of each level, and of one combination of model, profile and size.
 */
enum taste_kind { LOVES_NOTHING, LOVES_PARTS, LOVES_ONE, N_TASTES };

struct owner {
    uint64_t random;
    enum taste_kind kind;
    double effect[OWNER_FACTORS][64], base;
    uint32_t best[3];   /* the combination of model, profile and size that is loved most */
    double best_extra;  /* what it has beyond its parts */
    uint32_t companion; /* the model that the best profile is mostly made with */

    struct xl_observations rows;
    struct xl_observed_factor factors[OWNER_FACTORS];
    uint32_t *level[OWNER_FACTORS];
    uint8_t *loved;
    int64_t *picture, *made_at;
    double *chance; /* [rows] the true one */
    char texts[OWNER_FACTORS][64][24];
    const char *names[OWNER_FACTORS][64];
    char word_texts[OWNER_WORDS][16];
    const char *words[OWNER_WORDS];
    size_t *word_start;
    uint32_t *word_ids, *prompt;
};

/* SplitMix64 */
static inline uint64_t owner_next(struct owner *owner) {
    uint64_t z = owner->random += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}
static inline double owner_uniform(struct owner *owner) {
    return (double)(owner_next(owner) >> 11) * 0x1p-53;
}
static inline uint32_t owner_below(struct owner *owner, size_t n) {
    return (uint32_t)(owner_uniform(owner) * (double)n);
}
static inline double owner_normal(struct owner *owner) {
    return sqrt(-2 * log(1 - owner_uniform(owner))) * cos(2 * M_PI * owner_uniform(owner));
}

static inline void owner_name_levels(struct owner *owner) {
    static const char *const columns[] = {"model", "profile",  "resolution", "scheduler",
                                          "steps", "guidance", "seed"};
    static const char *const sizes[] = {"512x512", "768x768", "1024x1024", "832x1216", "1344x768"};
    for (size_t f = 0; f < OWNER_FACTORS; f++) {
        for (size_t i = 0; i < owner_levels[f]; i++) {
            char *text = owner->texts[f][i];
            if (f == SIZE)
                snprintf(text, 24, "%s", sizes[i]);
            else if (f == STEPS || f == GUIDANCE || f == SEED)
                snprintf(text, 24, "%zu", f == STEPS ? 20 + 10 * i : f == GUIDANCE ? 5 + 2 * i : i);
            else
                snprintf(text, 24, "%s %zu", columns[f], i + 1);
            owner->names[f][i] = text;
        }
        owner->factors[f] =
            (struct xl_observed_factor){columns[f], owner_levels[f], owner->names[f]};
    }
    for (size_t i = 0; i < OWNER_WORDS; i++) {
        snprintf(owner->word_texts[i], 16, "word%zu", i + 1);
        owner->words[i] = owner->word_texts[i];
    }
}

/* What the owner loves. LOVES_PARTS: one model (3 times the odds), one profile (4), one size (2)
 * and some that are loved less; the others differ a little. LOVES_ONE: nothing but one combination,
 * which they often go back to. */
static inline void owner_choose(struct owner *owner) {
    for (size_t f = 0; f < 3; f++) owner->best[f] = owner_below(owner, owner_levels[f]);
    owner->companion = (owner->best[0] + 1 + owner_below(owner, 9)) % 10;
    if (owner->kind == LOVES_ONE) owner->best_extra = log(15);
    if (owner->kind != LOVES_PARTS) return;
    static const double most[3] = {3, 4, 2};
    for (size_t f = 0; f < 3; f++) {
        for (size_t i = 0; i < owner_levels[f]; i++) {
            bool is_disliked = owner_uniform(owner) < 0.2;
            owner->effect[f][i] = is_disliked ? log(0.4) : fmin(0.2 * owner_normal(owner), 0.3);
        }
        owner->effect[f][owner->best[f]] = log(most[f]);
    }
}

/* The settings of a picture: what a column is confounded with decides three times in five. */
static inline void owner_make(struct owner *owner, size_t row) {
    uint32_t set[OWNER_FACTORS];
    for (size_t f = 0; f < OWNER_FACTORS; f++) set[f] = owner_below(owner, owner_levels[f]);
    if (owner_uniform(owner) < 0.4) set[PROFILE] = (set[MODEL] * 4 + owner_below(owner, 4)) % 28;
    if (owner_uniform(owner) < 0.3) set[SIZE] = set[MODEL] % 5;
    if (set[PROFILE] == owner->best[1] && owner_uniform(owner) < 0.6) set[MODEL] = owner->companion;
    bool goes_back = owner->kind == LOVES_ONE && owner_uniform(owner) < 0.005;
    goes_back |= row < 3; /* it was tried, at least */
    for (size_t f = 0; f < 3 && goes_back; f++) set[f] = owner->best[f];
    for (size_t f = 0; f < OWNER_FACTORS; f++) owner->level[f][row] = set[f];
}

static inline double owner_log_odds(const struct owner *owner, size_t row) {
    double sum = owner->base;
    bool is_best = true;
    for (size_t f = 0; f < OWNER_FACTORS; f++) sum += owner->effect[f][owner->level[f][row]];
    for (size_t f = 0; f < 3; f++) is_best &= owner->level[f][row] == owner->best[f];
    return sum + (is_best ? owner->best_extra : 0);
}

/* The base at which `share` of all pictures are loved. */
static inline void owner_settle(struct owner *owner, double share) {
    double low = -20, high = 5;
    for (int i = 0; i < 40; i++) {
        double sum = 0;
        owner->base = (low + high) / 2;
        for (size_t r = 0; r < owner->rows.row_count; r += 7)
            sum += 1 / (1 + exp(-owner_log_odds(owner, r)));
        if (sum * 7 < share * (double)owner->rows.row_count)
            low = owner->base;
        else
            high = owner->base;
    }
}

/* Make n pictures and love `share` of them. Caller: owner_deinit. */
static inline struct owner *owner_new(uint64_t seed, enum taste_kind kind, size_t n, double share) {
    struct owner *owner = calloc(1, sizeof *owner);
    owner->random = seed * UINT64_C(0xD1342543DE82EF95) + 1;
    owner->kind = kind;
    owner->rows = (struct xl_observations){.row_count = n, .factor_count = OWNER_FACTORS};
    for (size_t f = 0; f < OWNER_FACTORS; f++)
        owner->level[f] = calloc(n + 1, sizeof **owner->level);
    owner->loved = calloc(n + 1, 1);
    owner->picture = calloc(n + 1, sizeof *owner->picture);
    owner->made_at = calloc(n + 1, sizeof *owner->made_at);
    owner->chance = calloc(n + 1, sizeof *owner->chance);
    owner->word_start = calloc(n + 1, sizeof *owner->word_start);
    owner->word_ids = calloc(n * OWNER_WORDS_EACH + 1, sizeof *owner->word_ids);
    owner->prompt = calloc(n + 1, sizeof *owner->prompt);
    owner_name_levels(owner);
    owner_choose(owner);
    for (size_t r = 0; r < n; r++) owner_make(owner, r);
    owner_settle(owner, share);
    for (size_t r = 0; r < n; r++) {
        owner->chance[r] = 1 / (1 + exp(-owner_log_odds(owner, r)));
        owner->loved[r] = owner_uniform(owner) < owner->chance[r];
        owner->picture[r] = (int64_t)r + 1000;
        owner->made_at[r] = 1700000000 + (int64_t)r * 60;
        uint32_t word = owner_below(owner, OWNER_WORDS / OWNER_WORDS_EACH);
        for (size_t w = 0; w < OWNER_WORDS_EACH; w++)
            owner->word_ids[r * OWNER_WORDS_EACH + w] =
                (uint32_t)(w * (OWNER_WORDS / OWNER_WORDS_EACH)) + (word + (uint32_t)w * 3) % 10;
        owner->word_start[r + 1] = (r + 1) * OWNER_WORDS_EACH;
        owner->prompt[r] = (uint32_t)r;
    }
    owner->rows.factors = owner->factors;
    owner->rows.level = owner->level;
    owner->rows.loved = owner->loved;
    owner->rows.made_at = owner->made_at;
    owner->rows.picture = owner->picture;
    owner->rows.prompt_count = n;
    owner->rows.prompt = owner->prompt;
    owner->rows.word_count = OWNER_WORDS;
    owner->rows.words = owner->words;
    owner->rows.word_start = owner->word_start;
    owner->rows.word_ids = owner->word_ids;
    return owner;
}

static inline void owner_free(struct owner *owner) {
    for (size_t f = 0; f < OWNER_FACTORS; f++) free(owner->level[f]);
    free(owner->loved);
    free(owner->picture);
    free(owner->made_at);
    free(owner->chance);
    free(owner->word_start);
    free(owner->word_ids);
    free(owner->prompt);
    free(owner);
}

#endif
