/* analysis.c - an analysis from beginning to end, and what its parts ask of counts. */
#include "insight/taste/taste.h"

#include "insight/taste/analysis.h"

#include <math.h>
#include <string.h>

const char *xl_taste_verdict_text(enum xl_taste_verdict verdict) {
    static const char *const texts[] = {[XL_TASTE_UNKNOWN] = "not enough data",
                                        [XL_TASTE_USUAL] = "as usual",
                                        [XL_TASTE_MORE] = "loved more",
                                        [XL_TASTE_LESS] = "loved less"};
    return texts[verdict];
}

const char *xl_taste_verdict_key(enum xl_taste_verdict verdict) {
    static const char *const keys[] = {[XL_TASTE_UNKNOWN] = "unknown",
                                       [XL_TASTE_USUAL] = "usual",
                                       [XL_TASTE_MORE] = "more",
                                       [XL_TASTE_LESS] = "less"};
    return keys[verdict];
}

int xl_taste_factor(const struct xl_observations *observations, const char *name) {
    for (size_t f = 0; f < observations->factor_count; f++)
        if (!strcmp(observations->factors[f].name, name)) return (int)f;
    return -1;
}

const char *xl_taste_text(const struct xl_taste *taste, uint32_t factor, uint32_t level) {
    return level == XL_NO_LEVEL ? "" : taste->observations->factors[factor].levels[level];
}

struct xl_taste_rate xl_rate_of(const struct xl_analysis *analysis, uint64_t made, uint64_t loved) {
    const struct xl_taste_rate *all = &analysis->taste->all;
    struct xl_taste_rate rate = {.made = made, .loved = loved};
    rate.rate = made ? (double)loved / (double)made : NAN;
    rate.interval = xl_wilson(loved, made, XL_TASTE_CONFIDENCE);
    rate.lift = all->loved ? rate.rate / ((double)all->loved / (double)all->made) : NAN;
    return rate;
}

double xl_least_p(const struct xl_analysis *analysis, uint64_t made) {
    uint64_t n = analysis->taste->all.made, K = analysis->taste->all.loved;
    uint64_t most = made < K ? made : K, least = made + K > n ? made + K - n : 0;
    return fmin(xl_fisher(most, made, K, n), xl_fisher(least, made, K, n));
}

double xl_corrected(double p, size_t factor, double share) {
    return fmin(1, p * (double)factor * XL_TASTE_ALPHA / share);
}

enum xl_taste_verdict xl_verdict_of(const struct xl_analysis *analysis,
                                    const struct xl_taste_rate *rate, double p) {
    double base = analysis->taste->all.rate;
    bool is_unlike_all = rate->made < analysis->taste->all.made;
    if (p <= XL_TASTE_ALPHA && is_unlike_all)
        return rate->rate > base ? XL_TASTE_MORE : XL_TASTE_LESS;
    bool is_known = rate->interval.high < 2 * base && rate->interval.low > base / 2;
    return is_known && analysis->taste->all.loved ? XL_TASTE_USUAL : XL_TASTE_UNKNOWN;
}

bool xl_level_stands(const struct xl_taste_level *level, int sign) {
    return level->verdict == (sign > 0 ? XL_TASTE_MORE : XL_TASTE_LESS) && !level->is_explained;
}

/* How many there are, and when. */
static enum xl_status count_all(struct xl_analysis *analysis, struct xl_err *err) {
    const struct xl_observations *rows = analysis->observations;
    struct xl_taste *taste = analysis->taste;
    uint64_t loved = 0;
    for (size_t i = 0; i < rows->row_count; i++) {
        loved += rows->loved[i] != 0;
        uint8_t rating = rows->rating ? rows->rating[i] : 0;
        if (rating >= 1 && rating <= 5) taste->n_rated++, taste->n_by_rating[rating]++;
        int64_t at = rows->made_at ? rows->made_at[i] : 0;
        if (!at) continue;
        if (!taste->first_at || at < taste->first_at) taste->first_at = at;
        if (at > taste->last_at) taste->last_at = at;
    }
    taste->all = (struct xl_taste_rate){.made = rows->row_count, .loved = loved};
    taste->all = xl_rate_of(analysis, rows->row_count, loved);
    uint32_t *list = xl_arena_alloc(&analysis->scratch, (loved + 1) * sizeof *list);
    if (!list) return xl_fail_nomem(err, "favourites", loved * sizeof *list);
    analysis->loved_rows = list;
    for (size_t i = 0; i < rows->row_count; i++)
        if (rows->loved[i]) *list++ = (uint32_t)i;
    return XL_OK;
}

enum xl_status xl_taste_find(const struct xl_observations *observations,
                             const struct xl_taste_wish *wish, struct xl_taste *out,
                             struct xl_err *err) {
    *out = (struct xl_taste){.observations = observations};
    struct xl_analysis analysis = {
        .observations = observations, .taste = out, .arena = &out->arena};
    size_t budget = wish && wish->budget ? wish->budget : XL_TASTE_BUDGET;
    enum xl_status status = count_all(&analysis, err);
    if (!status) status = xl_analyse_model(&analysis, err);
    if (!status) status = xl_analyse_pairs(&analysis, err);
    if (!status) status = xl_analyse_levels(&analysis, err);
    if (!status) status = xl_analyse_choices(&analysis, err);
    if (!status) status = xl_analyse_words(&analysis, err);
    if (!status) status = xl_analyse_bundles(&analysis, err);
    if (!status) status = xl_analyse_next(&analysis, budget, err);
    if (!status) status = xl_analyse_posterior(&analysis, err);
    if (!status) status = xl_analyse_tables(&analysis, err);
    xl_arena_deinit(&analysis.fitted);
    xl_arena_deinit(&analysis.scratch);
    return status;
}

void xl_taste_deinit(struct xl_taste *taste) {
    xl_arena_deinit(&taste->arena);
    *taste = (struct xl_taste){.observations = NULL};
}
