/* analysis.h - what the parts of an analysis share while it is made. */
#ifndef XL_INSIGHT_TASTE_ANALYSIS_H
#define XL_INSIGHT_TASTE_ANALYSIS_H

#include "insight/stats/shrinkage.h"
#include "insight/taste/taste.h"

/* What the families of tests may claim falsely; together XL_TASTE_ALPHA. */
#define XL_SHARE_LEVELS 0.02
#define XL_SHARE_WORDS 0.01
#define XL_SHARE_PAIRS 0.01
#define XL_SHARE_BEYOND 0.01

/* A combination that is more than its parts: the model has a coefficient for it. */
struct xl_beyond {
    size_t n;
    uint32_t column[XL_BUNDLE_FACTORS]; /* of the groups */
    uint32_t factor[XL_BUNDLE_FACTORS], level[XL_BUNDLE_FACTORS];
    bool is_bundle; /* all of its factors are those of bundles */
};
enum { XL_MOST_BEYOND = 6, XL_MODEL_COLUMNS = XL_GROUP_FACTORS + XL_MOST_BEYOND };

/* Pictures of a level. */
struct xl_level_count {
    uint32_t made, loved;
};

/* A column of more levels is in no model and no ranking, and not all of its levels are looked at: a
 * million seeds that were drawn once each say nothing. */
enum { XL_FEW_LEVELS = 200 };

struct xl_analysis {
    const struct xl_observations *observations;
    struct xl_taste *taste;
    struct xl_arena *arena;  /* the result's */
    struct xl_arena scratch; /* until the analysis is done */

    struct xl_groups groups;   /* by the columns that the model has */
    const uint32_t *column_of; /* [factor_count] which of the groups' columns; XL_NO_LEVEL: none */
    size_t n_bundle_columns;   /* the first ones */

    struct xl_logistic_data data;
    struct xl_logistic model;
    const uint32_t *const *coefficient; /* [columns][levels] */
    struct xl_arena fitted;             /* memory of the newest model */
    double *expected;                   /* [groups.count] loved pictures that the model expects */

    struct xl_level_count **counts; /* [factor_count][level_count] */
    /* [factor_count][n_levels]: all of them by level where they are few; else those that can be
     * tested or are loved, and of the others as many as a table has. */
    struct xl_taste_level **levels;
    size_t *n_levels;
    size_t n_level_tests;                    /* the correction of their p-values */
    struct xl_beyond beyond[XL_MOST_BEYOND]; /* claims, the surest first */
    size_t n_beyond;
    const uint32_t *loved_rows; /* [taste->all.loved] */
};

struct xl_taste_rate xl_rate_of(const struct xl_analysis *analysis, uint64_t made, uint64_t loved);

/* The smallest p-value that Fisher's test can give for a level with so many pictures. */
double xl_least_p(const struct xl_analysis *analysis, uint64_t made);
/* The corrected p-value within a family. */
double xl_corrected(double p, size_t factor, double share);
/* What to call a rate, given its corrected p-value (NAN: not tested). */
enum xl_taste_verdict xl_verdict_of(const struct xl_analysis *analysis,
                                    const struct xl_taste_rate *rate, double p);
/* Whether a level is loved more (or, sign -1, less) for its own sake. */
bool xl_level_stands(const struct xl_taste_level *level, int sign);

/* What the model sees of a group: levels [groups.factor_count] to coefficients
 * [data.factor_count]. */
void xl_model_levels(const struct xl_analysis *analysis, const uint32_t *levels, uint32_t *out);
/* Fit the model again after combinations were added. Errors: XL_ENOMEM */
enum xl_status xl_model_fit(struct xl_analysis *analysis, struct xl_err *err) XL_CHECKED;

/* What the model would expect of groups that have these levels in these columns, had it not seen
 * them: it gives in to what it sees, the more the less else it knows of the same levels. loved,
 * expected: their count, and what the model expects. */
struct xl_expected {
    double mean, shape; /* of a gamma distribution, as xl_spread_tail takes it */
};
struct xl_expected xl_model_without(const struct xl_analysis *analysis, const uint32_t *columns,
                                    const uint32_t *levels, size_t n, double loved,
                                    double expected);

/* The steps, in this order. Errors: XL_ENOMEM */
enum xl_status xl_analyse_model(struct xl_analysis *analysis, struct xl_err *err) XL_CHECKED;
enum xl_status xl_analyse_pairs(struct xl_analysis *analysis, struct xl_err *err) XL_CHECKED;
enum xl_status xl_analyse_levels(struct xl_analysis *analysis, struct xl_err *err) XL_CHECKED;
enum xl_status xl_analyse_choices(struct xl_analysis *analysis, struct xl_err *err) XL_CHECKED;
enum xl_status xl_analyse_words(struct xl_analysis *analysis, struct xl_err *err) XL_CHECKED;
enum xl_status xl_analyse_bundles(struct xl_analysis *analysis, struct xl_err *err) XL_CHECKED;
enum xl_status xl_analyse_next(struct xl_analysis *analysis, size_t budget,
                               struct xl_err *err) XL_CHECKED;
enum xl_status xl_analyse_posterior(struct xl_analysis *analysis, struct xl_err *err) XL_CHECKED;

/* Put the levels of a table in order and find its quartiles; after everything is known of them. */
enum xl_status xl_analyse_tables(struct xl_analysis *analysis, struct xl_err *err) XL_CHECKED;

#endif
