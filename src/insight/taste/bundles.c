/* bundles.c - the combinations that somebody loves most.
 *
 * Which columns matter is read off what was claimed: a level that is loved more or less for its own
 * sake, or a combination that is more than its parts. Pictures are grouped by these columns alone.
 * What a group would go on to give is what the model expects of it times a ratio that is shrunk
 * towards 1 (stats/shrinkage.h). A group is suggested if that is certainly above the average, and
 * something that was claimed to be loved more is part of it. */
#include "insight/taste/analysis.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The columns of the groups that matter. */
static size_t active_columns(const struct xl_analysis *analysis, uint32_t *columns) {
    size_t n = 0;
    for (uint32_t c = 0; c < analysis->n_bundle_columns; c++) {
        uint32_t factor = analysis->groups.factor[c];
        bool matters = false;
        for (size_t i = 0; i < analysis->observations->factors[factor].level_count; i++) {
            const struct xl_taste_level *level = &analysis->levels[factor][i];
            matters |= xl_level_stands(level, 1) || xl_level_stands(level, -1);
        }
        for (size_t b = 0; b < analysis->n_beyond; b++)
            for (size_t k = 0; analysis->beyond[b].is_bundle && k < analysis->beyond[b].n; k++)
                matters |= analysis->beyond[b].factor[k] == factor;
        if (matters) columns[n++] = c;
    }
    return n;
}

static bool contains(const struct xl_taste_combination *what, const struct xl_beyond *beyond) {
    for (size_t k = 0; k < beyond->n; k++) {
        bool has = false;
        for (size_t i = 0; i < what->n; i++)
            has |= what->factor[i] == beyond->factor[k] && what->level[i] == beyond->level[k];
        if (!has) return false;
    }
    return true;
}

static bool is_supported(const struct xl_analysis *analysis,
                         const struct xl_taste_combination *what) {
    for (size_t i = 0; i < what->n; i++)
        if (xl_level_stands(&analysis->levels[what->factor[i]][what->level[i]], 1)) return true;
    for (size_t b = 0; b < analysis->n_beyond; b++)
        if (contains(what, &analysis->beyond[b])) return true;
    return false;
}

/* The expected rate of a group and its interval: what the model is unsure of, and the ratio. */
static void expect(const struct xl_analysis *analysis, const struct xl_shrinkage *shrinkage,
                   double expected, double model_variance, struct xl_taste_bundle *bundle) {
    double variance, made = (double)bundle->what.rate.made, all = analysis->taste->all.rate;
    double z = xl_normal_quantile(0.5 + XL_TASTE_CONFIDENCE / 2);
    double ratio =
        xl_shrinkage_ratio(shrinkage, (uint32_t)bundle->what.rate.loved, expected, &variance);
    double spread = z * sqrt(variance + model_variance);
    bundle->expected_rate = fmin(expected / made * ratio, 1);
    bundle->expected_interval = (struct xl_interval){bundle->expected_rate * exp(-spread),
                                                     fmin(bundle->expected_rate * exp(spread), 1)};
    bundle->expected_lift = bundle->expected_rate / all;
}

static int best_first(const void *a, const void *b) {
    const struct xl_taste_bundle *x = a, *y = b;
    if (x->expected_rate != y->expected_rate) return x->expected_rate > y->expected_rate ? -1 : 1;
    if (x->what.rate.loved != y->what.rate.loved)
        return x->what.rate.loved > y->what.rate.loved ? -1 : 1;
    for (size_t k = 0; k < x->what.n; k++)
        if (x->what.level[k] != y->what.level[k])
            return x->what.level[k] < y->what.level[k] ? -1 : 1;
    return 0;
}

/* --- What shows a bundle ---------------------------------------------------------------------- */

static bool row_has(const struct xl_observations *rows, const struct xl_taste_combination *what,
                    size_t row) {
    for (size_t k = 0; k < what->n; k++)
        if (rows->level[what->factor[k]][row] != what->level[k]) return false;
    return true;
}

/* Whether row a shows a bundle better than row b. */
static bool is_better(const struct xl_observations *rows, uint32_t a, uint32_t b) {
    int x = rows->rating ? rows->rating[a] : 0, y = rows->rating ? rows->rating[b] : 0;
    int64_t at_a = rows->made_at ? rows->made_at[a] : 0,
            at_b = rows->made_at ? rows->made_at[b] : 0;
    if (x != y) return x > y;
    return at_a != at_b ? at_a > at_b : a > b;
}

static enum xl_status put_pictures(struct xl_analysis *analysis, struct xl_taste_bundle *bundle,
                                   struct xl_err *err) {
    const struct xl_observations *rows = analysis->observations;
    uint32_t best[XL_TASTE_PICTURES];
    size_t n = 0;
    for (size_t i = 0; i < analysis->taste->all.loved; i++) {
        uint32_t row = analysis->loved_rows[i];
        if (!row_has(rows, &bundle->what, row)) continue;
        size_t at = n < XL_TASTE_PICTURES ? n++ : XL_TASTE_PICTURES;
        for (; at > 0 && is_better(rows, row, best[at - 1]); at--)
            if (at < XL_TASTE_PICTURES) best[at] = best[at - 1];
        if (at < XL_TASTE_PICTURES) best[at] = row;
    }
    int64_t *pictures = xl_arena_alloc(analysis->arena, XL_TASTE_PICTURES * sizeof *pictures);
    if (!pictures) return xl_fail_nomem(err, "pictures of a bundle", 0);
    for (size_t i = 0; i < n; i++) pictures[i] = rows->picture[best[i]];
    bundle->pictures = pictures;
    bundle->n_pictures = n;
    return XL_OK;
}

/* What the loved pictures of a bundle mostly have in each column. */
static enum xl_status put_usual(struct xl_analysis *analysis, struct xl_taste_bundle *bundle,
                                struct xl_err *err) {
    const struct xl_observations *rows = analysis->observations;
    uint32_t *usual = xl_arena_alloc(analysis->arena, (rows->factor_count + 1) * sizeof *usual);
    if (!usual) return xl_fail_nomem(err, "a bundle", 0);
    for (size_t f = 0; f < rows->factor_count; f++) {
        size_t n = rows->factors[f].level_count;
        uint32_t *count = calloc(n + 1, sizeof *count), most = 0;
        usual[f] = XL_NO_LEVEL;
        if (!count) return xl_fail_nomem(err, "a bundle", n * sizeof *count);
        for (size_t i = 0; i < analysis->taste->all.loved; i++) {
            uint32_t row = analysis->loved_rows[i], level = rows->level[f][row];
            if (level != XL_NO_LEVEL && row_has(rows, &bundle->what, row)) count[level]++;
        }
        for (size_t i = 0; i < n; i++)
            if (count[i] > most) most = count[i], usual[f] = (uint32_t)i;
        free(count);
    }
    for (size_t k = 0; k < bundle->what.n; k++)
        usual[bundle->what.factor[k]] = bundle->what.level[k];
    bundle->usual = usual;
    return XL_OK;
}

/* --- Finding them ----------------------------------------------------------------------------- */

/* Groups by the columns that matter, and what the model says of them. */
struct cells {
    struct xl_groups groups;
    double *expected, *variance; /* [groups.count]; of log(odds), that of the largest finer group */
};

static enum xl_status make_cells(struct xl_analysis *analysis, const uint32_t *columns, size_t n,
                                 struct cells *cells, struct xl_err *err) {
    const struct xl_groups *fine = &analysis->groups;
    enum xl_status status =
        xl_group_again(fine, columns, n, &analysis->scratch, &cells->groups, err);
    if (status) return status;
    size_t count = cells->groups.count;
    cells->expected = xl_arena_alloc(&analysis->scratch, (count + 1) * sizeof *cells->expected);
    cells->variance = xl_arena_alloc(&analysis->scratch, (count + 1) * sizeof *cells->variance);
    uint32_t *largest = xl_arena_alloc(&analysis->scratch, (count + 1) * sizeof *largest);
    if (!cells->expected || !cells->variance || !largest) return xl_fail_nomem(err, "bundles", 0);
    for (size_t i = 0; i < fine->count; i++) {
        uint32_t cell = cells->groups.group_of[i];
        cells->expected[cell] += analysis->expected[i];
        if (fine->made[i] <= largest[cell]) continue;
        largest[cell] = fine->made[i];
        size_t seen = analysis->data.factor_count;
        xl_logistic_predict(&analysis->model, analysis->data.levels + i * seen, seen,
                            &cells->variance[cell]);
    }
    return XL_OK;
}

/* What of a cell may be suggested. */
static bool read_cell(struct xl_analysis *analysis, const struct cells *cells,
                      const struct xl_shrinkage *shrinkage, size_t at,
                      struct xl_taste_bundle *bundle) {
    const struct xl_groups *groups = &cells->groups;
    struct xl_taste_combination *what = &bundle->what;
    if (!xl_group_is_whole(groups, at)) return false;
    *bundle = (struct xl_taste_bundle){.what = {.n = groups->factor_count}};
    for (size_t k = 0; k < what->n; k++) {
        what->factor[k] = groups->factor[k];
        what->level[k] = groups->levels[at * what->n + k];
    }
    what->rate = xl_rate_of(analysis, groups->made[at], groups->loved[at]);
    expect(analysis, shrinkage, cells->expected[at], cells->variance[at], bundle);
    const struct xl_taste_rate *all = &analysis->taste->all;
    bundle->p = xl_corrected(xl_fisher(what->rate.loved, what->rate.made, all->loved, all->made),
                             groups->count, XL_SHARE_BEYOND);
    bundle->is_counted = bundle->p <= XL_TASTE_ALPHA && what->rate.rate > all->rate;
    return bundle->expected_interval.low > all->rate && is_supported(analysis, what);
}

enum xl_status xl_analyse_bundles(struct xl_analysis *analysis, struct xl_err *err) {
    struct xl_taste *taste = analysis->taste;
    uint32_t columns[XL_BUNDLE_FACTORS];
    size_t n = taste->has_model ? active_columns(analysis, columns) : 0, found = 0;
    struct cells cells;
    if (!n) return XL_OK;
    enum xl_status status = make_cells(analysis, columns, n, &cells, err);
    if (status) return status;
    struct xl_taste_bundle *list =
        xl_arena_alloc(&analysis->scratch, (cells.groups.count + 1) * sizeof *list);
    if (!list) return xl_fail_nomem(err, "bundles", cells.groups.count * sizeof *list);
    struct xl_shrinkage shrinkage =
        xl_shrinkage_fit(cells.groups.loved, cells.expected, cells.groups.count);
    for (size_t i = 0; i < cells.groups.count; i++)
        found += read_cell(analysis, &cells, &shrinkage, i, &list[found]);
    qsort(list, found, sizeof *list, best_first);
    size_t kept = found < XL_TASTE_BUNDLES ? found : XL_TASTE_BUNDLES;
    struct xl_taste_bundle *bundles = xl_arena_alloc(analysis->arena, (kept + 1) * sizeof *bundles);
    if (!bundles) return xl_fail_nomem(err, "bundles", 0);
    memcpy(bundles, list, kept * sizeof *list);
    for (size_t i = 0; !status && i < kept; i++) {
        status = put_pictures(analysis, &bundles[i], err);
        if (!status) status = put_usual(analysis, &bundles[i], err);
    }
    taste->bundles = bundles;
    taste->bundle_count = status ? 0 : kept;
    return status;
}
