/* taste.h - what marks say about what somebody loves: of each level, word, pair and combination how
 * much was made and loved, and what of that is more than chance.
 *
 * Claims. With no preference at all, the chance that anything is claimed is at most XL_TASTE_ALPHA:
 * it is shared out among four families of tests (levels of columns, words, pairs, combinations that
 * are more than their parts), and in each corrected for the number of tests (stats/multiple.h).
 * Pictures count as independent of each other.
 *
 * Nothing here opens a file. Texts are those of the observations, which have to outlive the result.
 */
#ifndef XL_INSIGHT_TASTE_TASTE_H
#define XL_INSIGHT_TASTE_TASTE_H

#include "insight/stats/logistic.h"
#include "insight/stats/normal.h"
#include "insight/taste/groups.h"

#define XL_TASTE_ALPHA 0.05
#define XL_TASTE_CONFIDENCE 0.95

enum {
    XL_TASTE_LEAST = 5,  /* pictures that a level must have before anything is tested */
    XL_TASTE_PAIRS = 60, /* pairs, words and combinations that are kept */
    XL_TASTE_WORDS = 60,
    XL_TASTE_LEVELS = 400, /* of a column: seeds may be millions */
    XL_TASTE_BUNDLES = 5,
    XL_TASTE_GAPS = 10,
    XL_TASTE_PICTURES = 6, /* that show a bundle */
    XL_BUNDLE_FACTORS = 5, /* model, profile, resolution, scheduler, lora */
};

enum xl_taste_verdict {
    XL_TASTE_UNKNOWN, /* too little was made to tell it from twice or half the average */
    XL_TASTE_USUAL,   /* it was not: what there is, is less than that */
    XL_TASTE_MORE,    /* loved more than the rest: a claim */
    XL_TASTE_LESS,    /* loved less than the rest: a claim */
};
/* "loved more", "not enough data" */
const char *xl_taste_verdict_text(enum xl_taste_verdict verdict);
/* "more", "unknown": for programs */
const char *xl_taste_verdict_key(enum xl_taste_verdict verdict);

struct xl_taste_rate {
    uint64_t made, loved;
    double rate;                 /* loved / made; NAN where nothing was made */
    struct xl_interval interval; /* Wilson's, of the rate */
    double lift;                 /* rate / the rate of all; NAN where nothing is loved */
};

struct xl_taste_level {
    uint32_t level;
    struct xl_taste_rate rate;
    double p; /* of Fisher's test against all others, corrected; NAN: not tested */
    enum xl_taste_verdict verdict;
    /* What it does to the odds when the other columns are held fixed, against the average of its
     * column: 1 is nothing. Of the model of stats/logistic.h. */
    bool has_effect;
    double odds;
    struct xl_interval odds_interval;
    /* A claim that the model does not bear out: the level mostly comes with another one, which
     * explains it. with_level XL_NO_LEVEL: with none in particular. */
    bool is_explained;
    uint32_t with_factor, with_level;
    double with_share; /* of its pictures that have that one */
    /* From choices between two pictures; NAN without any. Bradley and Terry's strength: the
     * logarithm of odds against the average level. */
    double strength, strength_error;
    uint64_t n_chosen, n_passed;
};

/* Of a column of numbers: quartiles of all pictures and of those that are loved. */
struct xl_taste_quartiles {
    double low, middle, high;
};

struct xl_taste_table {
    uint32_t factor;
    size_t count;  /* levels that are kept, the most certainly loved (by the interval's low end)
                      first */
    size_t n_used; /* levels that were used */
    const struct xl_taste_level *levels;
    uint64_t n_unset; /* rows that have no level here */
    bool is_number;
    struct xl_taste_quartiles of_all, of_loved; /* NAN where there are none */
};

struct xl_taste_word {
    uint32_t word;
    struct xl_taste_rate rate;
    double p;
    enum xl_taste_verdict verdict;
};

/* Levels of different columns together. */
struct xl_taste_combination {
    size_t n;
    uint32_t factor[XL_BUNDLE_FACTORS], level[XL_BUNDLE_FACTORS];
    struct xl_taste_rate rate;
};

struct xl_taste_pair {
    struct xl_taste_combination both;
    double p;
    enum xl_taste_verdict verdict;
    double expected; /* loved pictures that its two levels alone would have; NAN without a model */
    bool is_beyond;  /* a claim: more are loved than that */
};

/* A combination that is claimed to be loved. */
struct xl_taste_bundle {
    struct xl_taste_combination what;
    /* What more of it would bring: its count is shrunk to what its parts let expect. */
    double expected_rate, expected_lift;
    struct xl_interval expected_interval;
    bool is_counted;         /* its own count is enough for the claim; else its parts carry it */
    double p;                /* of its own count, corrected */
    const int64_t *pictures; /* [n_pictures] loved ones, the best rated, then the newest first */
    size_t n_pictures;
    /* What its loved pictures mostly have in the other columns; XL_NO_LEVEL: nothing.
     * [factor_count] */
    const uint32_t *usual;
};

/* A level of which too little was made. */
struct xl_taste_gap {
    uint32_t factor, level;
    struct xl_taste_rate rate;
    uint64_t
        n_needed; /* more pictures that would show (4 times in 5) that it is loved twice as much */
};

/* Why a level is in the next sweep. */
enum xl_taste_why {
    XL_WHY_LOVED,   /* it is loved more */
    XL_WHY_UNKNOWN, /* it may be better than what is known: too little was made of it */
    XL_WHY_USUAL,   /* most loved pictures have it, and no other promises more */
    XL_WHY_PROMISE, /* known as usual, and with the others it promises most */
};

/* Pictures to make next: a grid. */
struct xl_taste_sweep {
    size_t factor_count;
    uint32_t factor[XL_BUNDLE_FACTORS];
    size_t level_count[XL_BUNDLE_FACTORS];
    const uint32_t *levels[XL_BUNDLE_FACTORS];
    const enum xl_taste_why *why[XL_BUNDLE_FACTORS]; /* of each level */
    size_t n_cells, batch; /* batch: pictures of each cell; 0: nothing is suggested */
};

/* What the model knows of models, profiles and sizes: logarithms of odds, normally distributed
 * together. Columns in this order, and of each the levels that have a coefficient. */
enum { XL_POSTERIOR_FACTORS = 3 };
extern const char *const xl_posterior_columns[XL_POSTERIOR_FACTORS];
struct xl_taste_posterior {
    size_t n;                              /* levels of all columns */
    uint32_t factor[XL_POSTERIOR_FACTORS]; /* XL_NO_LEVEL: there is no such column */
    size_t count[XL_POSTERIOR_FACTORS];    /* levels of each */
    double spread[XL_POSTERIOR_FACTORS];   /* standard deviation of a level that nobody tried */
    const uint32_t *level;                 /* [n] */
    const double *mean;                    /* [n] */
    const double *root; /* [n][n] L with L L^T the covariance; the lower triangle counts */
};

struct xl_taste {
    const struct xl_observations *observations;
    struct xl_taste_rate all;
    uint64_t n_rated;
    uint64_t n_by_rating[6];   /* [1..5] */
    int64_t first_at, last_at; /* of the pictures; 0: not known */
    size_t table_count, word_count, pair_count, bundle_count, gap_count;
    const struct xl_taste_table *tables; /* one for each factor, in their order */
    const struct xl_taste_word *words;   /* claims first, then the surest */
    uint64_t n_words;                    /* that were used in prompts */
    const struct xl_taste_pair *pairs;
    uint64_t n_pairs;
    const struct xl_taste_bundle *bundles; /* the best first */
    const struct xl_taste_gap *gaps;       /* the most promising first */
    struct xl_taste_sweep next;
    bool has_model;                      /* effects were fitted */
    struct xl_taste_posterior posterior; /* with has_model */
    struct xl_arena arena;
};

struct xl_taste_wish {
    size_t budget; /* pictures of the next sweep; 0: XL_TASTE_BUDGET */
};
enum { XL_TASTE_BUDGET = 120 };

/* Errors: XL_ENOMEM. Caller, whatever comes back: xl_taste_deinit */
enum xl_status xl_taste_find(const struct xl_observations *observations,
                             const struct xl_taste_wish *wish, struct xl_taste *out,
                             struct xl_err *err) XL_CHECKED;
void xl_taste_deinit(struct xl_taste *taste);

/* The index of a column, or -1. */
int xl_taste_factor(const struct xl_observations *observations, const char *name);

/* "Cinematic" of a factor's level. */
const char *xl_taste_text(const struct xl_taste *taste, uint32_t factor, uint32_t level);

#endif
