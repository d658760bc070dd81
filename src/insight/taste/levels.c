/* levels.c - each level of each column: how much of it is loved, whether that is chance, and what
 * it does when the other columns are held fixed. */
#include "insight/taste/analysis.h"

#include "insight/stats/multiple.h"

#include <math.h>
#include <stdlib.h>

/* Which levels of a column are looked at: all that are few. Of many those that can be tested or are
 * loved, and of the rest, that come last in a table, the most often drawn. Returns how many; only
 * counts where `levels` is NULL. */
static size_t pick(const struct xl_level_count *counts, size_t n, struct xl_taste_level *levels) {
    size_t room[XL_TASTE_LEAST] = {0}, left = XL_TASTE_LEVELS, picked = 0;
    bool is_few = n <= XL_FEW_LEVELS;
    for (size_t i = 0; i < n; i++)
        if (!counts[i].loved && counts[i].made < XL_TASTE_LEAST) room[counts[i].made]++;
    room[0] = 0;
    for (int made = XL_TASTE_LEAST - 1; made > 0; left -= room[made--])
        if (room[made] > left) room[made] = left;
    for (size_t i = 0; i < n; i++) {
        bool counts_alone = counts[i].loved || counts[i].made >= XL_TASTE_LEAST;
        if (!is_few && !counts_alone && !room[counts[i].made]) continue;
        if (!is_few && !counts_alone) room[counts[i].made]--;
        if (levels) levels[picked].level = (uint32_t)i;
        picked++;
    }
    return picked;
}

static enum xl_status count_column(struct xl_analysis *analysis, size_t f, struct xl_err *err) {
    const struct xl_observations *rows = analysis->observations;
    const uint32_t *level_of = rows->level[f];
    size_t n_all = rows->factors[f].level_count;
    struct xl_level_count *counts =
        xl_arena_alloc(&analysis->scratch, (n_all + 1) * sizeof *counts);
    if (!counts) return xl_fail_nomem(err, "levels of columns", n_all * sizeof *counts);
    for (size_t i = 0; i < rows->row_count; i++) {
        if (level_of[i] == XL_NO_LEVEL) continue;
        counts[level_of[i]].made++;
        counts[level_of[i]].loved += rows->loved[i] != 0;
    }
    size_t n = pick(counts, n_all, NULL);
    struct xl_taste_level *levels = xl_arena_alloc(&analysis->scratch, (n + 1) * sizeof *levels);
    if (!levels) return xl_fail_nomem(err, "levels of columns", n * sizeof *levels);
    pick(counts, n_all, levels);
    for (struct xl_taste_level *level = levels; level < levels + n; level++) {
        const struct xl_level_count *of = &counts[level->level];
        level->rate = xl_rate_of(analysis, of->made, of->loved);
        level->p = level->strength = level->strength_error = NAN;
        level->with_factor = level->with_level = XL_NO_LEVEL;
    }
    analysis->counts[f] = counts;
    analysis->levels[f] = levels;
    analysis->n_levels[f] = n;
    return XL_OK;
}

static enum xl_status count(struct xl_analysis *analysis, struct xl_err *err) {
    size_t F = analysis->observations->factor_count;
    struct xl_arena *scratch = &analysis->scratch;
    analysis->counts = xl_arena_alloc(scratch, (F + 1) * sizeof *analysis->counts);
    analysis->levels = xl_arena_alloc(scratch, (F + 1) * sizeof *analysis->levels);
    analysis->n_levels = xl_arena_alloc(scratch, (F + 1) * sizeof *analysis->n_levels);
    bool ok = analysis->counts && analysis->levels && analysis->n_levels;
    enum xl_status status = ok ? XL_OK : xl_fail_nomem(err, "levels of columns", 0);
    for (size_t f = 0; f < F && !status; f++) status = count_column(analysis, f, err);
    return status;
}

/* Fisher's test of all that have enough pictures, corrected together. */
static enum xl_status test(struct xl_analysis *analysis, struct xl_err *err) {
    const struct xl_observations *rows = analysis->observations;
    const struct xl_taste_rate *all = &analysis->taste->all;
    size_t total = 0, n = 0;
    for (size_t f = 0; f < rows->factor_count; f++) total += analysis->n_levels[f];
    double *least = malloc((total + 1) * sizeof *least);
    if (!least) return xl_fail_nomem(err, "tests of levels", total * sizeof *least);
    for (int pass = 0; pass < 2; pass++) {
        size_t factor = pass ? xl_tarone_factor(least, n, XL_SHARE_LEVELS) : 0, at = 0;
        analysis->n_level_tests = factor;
        for (size_t f = 0; f < rows->factor_count; f++)
            for (size_t i = 0; i < analysis->n_levels[f]; i++) {
                struct xl_taste_level *level = &analysis->levels[f][i];
                const struct xl_taste_rate *rate = &level->rate;
                bool is_tested = rate->made >= XL_TASTE_LEAST && rate->made < all->made;
                if (!pass && is_tested) least[n++] = xl_least_p(analysis, rate->made);
                if (!pass) continue;
                if (is_tested &&
                    xl_corrected(least[at++], factor, XL_SHARE_LEVELS) <= XL_TASTE_ALPHA)
                    level->p =
                        xl_corrected(xl_fisher(rate->loved, rate->made, all->loved, all->made),
                                     factor, XL_SHARE_LEVELS);
                level->verdict = xl_verdict_of(analysis, rate, level->p);
            }
    }
    free(least);
    return XL_OK;
}

/* The effects of a column's levels against their average, weighted by how much was made of each,
 * and how sure they are. */
static void put_effects(struct xl_analysis *analysis, size_t column) {
    const struct xl_logistic *model = &analysis->model;
    uint32_t factor = analysis->groups.factor[column];
    const uint32_t *coefficient = analysis->coefficient[column];
    struct xl_taste_level *levels = analysis->levels[factor];
    size_t n_levels = analysis->observations->factors[factor].level_count;
    double z = xl_normal_quantile(0.5 + XL_TASTE_CONFIDENCE / 2), total = 0, mean = 0, spread = 0;
    for (size_t i = 0; i < n_levels; i++)
        if (coefficient[i] != XL_NO_COEFFICIENT) total += (double)levels[i].rate.made;
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < n_levels; i++) {
            if (coefficient[i] == XL_NO_COEFFICIENT) continue;
            size_t at = coefficient[i] + 1;
            double with_mean = 0, weight = (double)levels[i].rate.made / total;
            for (size_t j = 0; j < n_levels; j++)
                if (coefficient[j] != XL_NO_COEFFICIENT)
                    with_mean += (double)levels[j].rate.made / total *
                                 model->covariance[at * model->n + coefficient[j] + 1];
            if (!pass) {
                mean += weight * model->beta[at];
                spread += weight * with_mean;
                continue;
            }
            double effect = model->beta[at] - mean;
            double variance = model->covariance[at * model->n + at] - 2 * with_mean + spread;
            double error = sqrt(fmax(variance, 0));
            levels[i].has_effect = true;
            levels[i].odds = exp(effect);
            levels[i].odds_interval =
                (struct xl_interval){exp(effect - z * error), exp(effect + z * error)};
        }
}

/* A claimed level that does nothing by itself: which other one does it come with? That whose share
 * of its pictures is above its share of all by most, weighted by what it does. */
static void explain(struct xl_analysis *analysis, size_t column, struct xl_taste_level *level) {
    const struct xl_groups *groups = &analysis->groups;
    size_t F = groups->factor_count;
    double most = 0, all = (double)analysis->taste->all.made;
    int sign = level->verdict == XL_TASTE_MORE ? 1 : -1;
    for (size_t f = 0; f < F; f++) {
        uint32_t factor = groups->factor[f];
        if (f == column) continue;
        for (size_t i = 0; i < analysis->observations->factors[factor].level_count; i++) {
            const struct xl_taste_level *other = &analysis->levels[factor][i];
            if (!other->has_effect || sign * log(other->odds) <= 0) continue;
            uint64_t both = 0;
            for (size_t g = 0; g < groups->count; g++)
                if (groups->levels[g * F + column] == level->level &&
                    groups->levels[g * F + f] == i)
                    both += groups->made[g];
            double share = (double)both / (double)level->rate.made;
            double gain = (share - (double)other->rate.made / all) * sign * log(other->odds);
            if (gain <= most) continue;
            most = gain;
            level->with_factor = factor;
            level->with_level = (uint32_t)i;
            level->with_share = share;
        }
    }
}

/* The same level without the pictures of combinations that are more than their parts: a level is
 * not loved for its own sake if only one combination of it is. */
static bool holds_without_combinations(const struct xl_analysis *analysis, size_t column,
                                       const struct xl_taste_level *level) {
    const struct xl_groups *groups = &analysis->groups;
    size_t F = groups->factor_count, seen = analysis->data.factor_count;
    const struct xl_taste_rate *rate = &level->rate, *all = &analysis->taste->all;
    uint64_t made = rate->made, loved = rate->loved, all_made = all->made, all_loved = all->loved;
    for (size_t g = 0; g < groups->count; g++) {
        bool is_apart = false;
        for (size_t b = F; b < seen; b++)
            is_apart |= analysis->data.levels[g * seen + b] != XL_NO_COEFFICIENT;
        if (!is_apart) continue;
        all_made -= groups->made[g];
        all_loved -= groups->loved[g];
        if (groups->levels[g * F + column] != level->level) continue;
        made -= groups->made[g];
        loved -= groups->loved[g];
    }
    if (made == rate->made) return true;
    double p = xl_fisher(loved, made, all_loved, all_made);
    bool is_more = loved * all_made > made * all_loved;
    return p * (double)analysis->n_level_tests * XL_TASTE_ALPHA / XL_SHARE_LEVELS <=
               XL_TASTE_ALPHA &&
           is_more == (level->verdict == XL_TASTE_MORE);
}

/* Whether a claim about a level is due to something else, and to what. */
static void judge(struct xl_analysis *analysis, size_t column, struct xl_taste_level *level) {
    bool is_more = level->verdict == XL_TASTE_MORE, is_less = level->verdict == XL_TASTE_LESS;
    if (!level->has_effect || !(is_more || is_less)) return;
    bool has_no_effect = is_more ? level->odds_interval.low <= 1 : level->odds_interval.high >= 1;
    level->is_explained = has_no_effect || !holds_without_combinations(analysis, column, level);
    if (has_no_effect) explain(analysis, column, level);
}

enum xl_status xl_analyse_levels(struct xl_analysis *analysis, struct xl_err *err) {
    enum xl_status status = count(analysis, err);
    if (!status) status = test(analysis, err);
    if (status || !analysis->taste->has_model) return status;
    size_t F = analysis->groups.factor_count;
    for (size_t f = 0; f < F; f++) put_effects(analysis, f);
    for (size_t f = 0; f < F; f++) {
        uint32_t factor = analysis->groups.factor[f];
        for (size_t i = 0; i < analysis->observations->factors[factor].level_count; i++)
            judge(analysis, f, &analysis->levels[factor][i]);
    }
    return XL_OK;
}
