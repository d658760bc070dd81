/* pairs.c - levels of different columns together: pairs, and combinations of more that are loved
 * beyond what their parts let expect. */
#include "insight/taste/analysis.h"

#include "insight/stats/multiple.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One combination of levels that pictures have. */
struct found {
    size_t n;
    uint32_t column[XL_BUNDLE_FACTORS], level[XL_BUNDLE_FACTORS];
    uint32_t made, loved;
    double expected, of_parts;  /* loved ones: as the newest model has it, and the first one */
    struct xl_expected without; /* as it would have it without this combination */
    double p, p_beyond;         /* p: NAN where it is not tested */
    double least, least_beyond;
    bool is_beyond; /* it has its own coefficient */
};

struct list {
    struct found *items;
    size_t n, capacity;
    bool failed;
};

static struct found *add(struct list *list) {
    if (list->n == list->capacity) {
        size_t capacity = list->capacity ? list->capacity * 2 : 1024;
        struct found *items = realloc(list->items, capacity * sizeof *items);
        list->failed |= !items;
        if (!items) return NULL;
        list->items = items;
        list->capacity = capacity;
    }
    memset(&list->items[list->n], 0, sizeof *list->items);
    return &list->items[list->n++];
}

/* All combinations of these columns of the groups. */
static enum xl_status collect(struct xl_analysis *analysis, const uint32_t *columns, size_t n,
                              struct list *list, struct xl_err *err) {
    struct xl_arena arena = {0};
    struct xl_groups groups;
    enum xl_status status = xl_group_again(&analysis->groups, columns, n, &arena, &groups, err);
    double *expected = status ? NULL
                              : xl_arena_alloc(&arena, (groups.count + 1) * sizeof *expected);
    if (!status && !expected) status = xl_fail_nomem(err, "pairs", 0);
    for (size_t i = 0; !status && i < analysis->groups.count; i++)
        expected[groups.group_of[i]] += analysis->expected[i];
    for (size_t g = 0; !status && g < groups.count; g++) {
        if (!xl_group_is_whole(&groups, g)) continue;
        struct found *found = add(list);
        if (!found) break;
        found->n = n;
        memcpy(found->column, columns, n * sizeof *columns);
        memcpy(found->level, groups.levels + g * n, n * sizeof *found->level);
        found->made = groups.made[g];
        found->loved = groups.loved[g];
        found->expected = found->of_parts = analysis->taste->has_model ? expected[g] : NAN;
    }
    xl_arena_deinit(&arena);
    if (!status && list->failed) status = xl_fail_nomem(err, "pairs", 0);
    return status;
}

/* Every pair of columns, and every larger set of those that bundles have. A column of one level
 * tells nothing apart. */
static enum xl_status collect_all(struct xl_analysis *analysis, struct list *list,
                                  struct xl_err *err) {
    enum xl_status status = XL_OK;
    size_t F = analysis->groups.factor_count;
    for (unsigned set = 1; !status && set < 1u << F; set++) {
        int n = __builtin_popcount(set);
        bool is_bundle = set < 1u << analysis->n_bundle_columns, varies = true;
        uint32_t columns[XL_BUNDLE_FACTORS];
        if (n < 2 || (n > 2 && !is_bundle)) continue;
        for (uint32_t f = 0, i = 0; f < F; f++) {
            if (!(set & 1u << f)) continue;
            columns[i++] = f;
            varies &= analysis->data.first_of[f + 1] > analysis->data.first_of[f];
        }
        if (varies) status = collect(analysis, columns, (size_t)n, list, err);
    }
    return status;
}

static bool is_tested(const struct xl_analysis *analysis, const struct found *found) {
    return found->made >= XL_TASTE_LEAST && found->made < analysis->taste->all.made;
}

static void test_pairs(struct xl_analysis *analysis, struct list *list, double *least) {
    const struct xl_taste_rate *all = &analysis->taste->all;
    size_t n = 0;
    for (size_t i = 0; i < list->n; i++) {
        struct found *pair = &list->items[i];
        pair->least = 1;
        if (pair->n != 2 || !is_tested(analysis, pair)) continue;
        least[n++] = pair->least = xl_least_p(analysis, pair->made);
    }
    size_t factor = xl_tarone_factor(least, n, XL_SHARE_PAIRS);
    for (size_t i = 0; i < list->n; i++) {
        struct found *pair = &list->items[i];
        pair->p = NAN;
        if (pair->least < 1 && xl_corrected(pair->least, factor, XL_SHARE_PAIRS) <= XL_TASTE_ALPHA)
            pair->p = xl_corrected(xl_fisher(pair->loved, pair->made, all->loved, all->made),
                                   factor, XL_SHARE_PAIRS);
    }
}

/* How much better a combination's count is explained by a rate of its own: a logarithm of
 * likelihoods. */
static double gain_of(const struct found *found, double expected) {
    double loved = found->loved;
    return loved > expected ? loved * log(loved / expected) - (loved - expected) : 0;
}

/* Combinations that may be more than their parts are held against what the model would expect
 * without them; [n] the most likely ones, for there is work to it. */
static void look_closer(struct xl_analysis *analysis, struct list *list) {
    enum { CLOSER = 40 };
    struct found *best[CLOSER];
    double gains[CLOSER];
    size_t n = 0;
    for (size_t i = 0; i < list->n; i++) {
        struct found *found = &list->items[i];
        double usual = found->made * analysis->taste->all.rate;
        found->without = (struct xl_expected){found->expected, INFINITY};
        if (!is_tested(analysis, found) || found->loved < 3) continue;
        double gain = gain_of(found, fmin(found->expected, usual));
        size_t at = n < CLOSER ? n++ : CLOSER;
        for (; at > 0 && gain > gains[at - 1]; at--)
            if (at < CLOSER) gains[at] = gains[at - 1], best[at] = best[at - 1];
        if (at < CLOSER) gains[at] = gain, best[at] = found;
    }
    for (size_t i = 0; i < n; i++)
        if (best[i]->loved > best[i]->expected)
            best[i]->without = xl_model_without(analysis, best[i]->column, best[i]->level,
                                                best[i]->n, best[i]->loved, best[i]->expected);
}

/* Poisson's tail: what is counted against what the model expects. It is a little longer than the
 * binomial one, so p-values are rather too large. */
static void test_beyond(struct xl_analysis *analysis, struct list *list, double *least) {
    uint64_t K = analysis->taste->all.loved;
    size_t n = 0;
    if (analysis->taste->has_model) look_closer(analysis, list);
    for (size_t i = 0; i < list->n; i++) {
        struct found *found = &list->items[i];
        found->least_beyond = 1;
        if (!is_tested(analysis, found) || !analysis->taste->has_model) continue;
        uint64_t most = found->made < K ? found->made : K;
        least[n++] = found->least_beyond = xl_poisson_tail(most, found->expected);
    }
    size_t factor = xl_tarone_factor(least, n, XL_SHARE_BEYOND);
    for (size_t i = 0; i < list->n; i++) {
        struct found *found = &list->items[i];
        found->p_beyond = 1;
        if (found->least_beyond < 1 && found->loved > found->without.mean &&
            xl_corrected(found->least_beyond, factor, XL_SHARE_BEYOND) <= XL_TASTE_ALPHA)
            found->p_beyond = xl_corrected(
                xl_spread_tail(found->loved, found->without.mean, found->without.shape), factor,
                XL_SHARE_BEYOND);
    }
}

static bool is_within(const struct found *part, const struct found *whole) {
    for (size_t k = 0; k < whole->n; k++) {
        bool has = false;
        for (size_t i = 0; i < part->n; i++)
            has |= part->column[i] == whole->column[k] && part->level[i] == whole->level[k];
        if (!has) return false;
    }
    return part->n > whole->n;
}

/* The surest claim, if there is one that the model does not have yet; or a part of it that explains
 * as much, for that says more. */
static struct found *surest_beyond(struct list *list) {
    const double AS_MUCH = 2; /* less likely by e^2 at most */
    struct found *best = NULL;
    for (size_t i = 0; i < list->n; i++) {
        struct found *found = &list->items[i];
        if (found->p_beyond > XL_TASTE_ALPHA || found->is_beyond) continue;
        if (!best || found->p_beyond < best->p_beyond) best = found;
    }
    for (size_t i = 0; best && i < list->n; i++) {
        struct found *found = &list->items[i];
        if (found->p_beyond <= XL_TASTE_ALPHA && !found->is_beyond && is_within(found, best) &&
            gain_of(found, found->without.mean) >= gain_of(best, best->without.mean) - AS_MUCH)
            best = found;
    }
    return best;
}

static void give_coefficient(struct xl_analysis *analysis, struct found *found) {
    struct xl_beyond *beyond = &analysis->beyond[analysis->n_beyond++];
    *beyond = (struct xl_beyond){.n = found->n, .is_bundle = true};
    for (size_t k = 0; k < found->n; k++) {
        beyond->column[k] = found->column[k];
        beyond->factor[k] = analysis->groups.factor[found->column[k]];
        beyond->level[k] = found->level[k];
        beyond->is_bundle &= found->column[k] < analysis->n_bundle_columns;
    }
    found->is_beyond = true;
}

/* What combinations the model expects now: those of the list, which are collected once more in the
 * same order. */
static enum xl_status expect_again(struct xl_analysis *analysis, struct list *list,
                                   struct xl_err *err) {
    struct list again = {0};
    enum xl_status status = xl_model_fit(analysis, err);
    if (!status) status = collect_all(analysis, &again, err);
    for (size_t i = 0; !status && i < list->n; i++)
        list->items[i].expected = again.items[i].expected;
    free(again.items);
    return status;
}

/* One after the other: a combination that is loved makes larger and smaller ones around it look
 * loved, too, until the model knows of it. */
static enum xl_status find_beyond(struct xl_analysis *analysis, struct list *list, double *least,
                                  struct xl_err *err) {
    enum xl_status status = XL_OK;
    while (!status) {
        test_beyond(analysis, list, least);
        struct found *found = surest_beyond(list);
        if (!found || analysis->n_beyond == XL_MOST_BEYOND) break;
        give_coefficient(analysis, found);
        status = expect_again(analysis, list, err);
    }
    return status;
}

/* The surest first: claims beyond the parts, then by the low end of the interval. */
static int surest(const void *a, const void *b) {
    const struct xl_taste_pair *x = a, *y = b;
    if (x->is_beyond != y->is_beyond) return x->is_beyond ? -1 : 1;
    double p = x->both.rate.interval.low, q = y->both.rate.interval.low;
    if (p != q) return p > q ? -1 : 1;
    for (size_t k = 0; k < 2; k++) {
        if (x->both.factor[k] != y->both.factor[k])
            return x->both.factor[k] < y->both.factor[k] ? -1 : 1;
        if (x->both.level[k] != y->both.level[k])
            return x->both.level[k] < y->both.level[k] ? -1 : 1;
    }
    return 0;
}

static enum xl_status keep_pairs(struct xl_analysis *analysis, const struct list *list,
                                 struct xl_err *err) {
    struct xl_taste *taste = analysis->taste;
    size_t n = 0;
    struct xl_taste_pair *pairs = malloc((list->n + 1) * sizeof *pairs);
    if (!pairs) return xl_fail_nomem(err, "pairs", list->n * sizeof *pairs);
    for (size_t i = 0; i < list->n; i++) {
        const struct found *found = &list->items[i];
        if (found->n != 2) continue;
        struct xl_taste_pair *pair = &pairs[n++];
        *pair = (struct xl_taste_pair){.p = found->p, .expected = found->of_parts};
        pair->both.n = 2;
        for (size_t k = 0; k < 2; k++) {
            pair->both.factor[k] = analysis->groups.factor[found->column[k]];
            pair->both.level[k] = found->level[k];
        }
        pair->both.rate = xl_rate_of(analysis, found->made, found->loved);
        pair->verdict = xl_verdict_of(analysis, &pair->both.rate, found->p);
        pair->is_beyond = found->is_beyond;
    }
    qsort(pairs, n, sizeof *pairs, surest);
    size_t kept = n < XL_TASTE_PAIRS ? n : XL_TASTE_PAIRS;
    struct xl_taste_pair *list_kept =
        xl_arena_alloc(analysis->arena, (kept + 1) * sizeof *list_kept);
    if (list_kept) memcpy(list_kept, pairs, kept * sizeof *pairs);
    free(pairs);
    if (!list_kept) return xl_fail_nomem(err, "pairs", 0);
    taste->pairs = list_kept;
    taste->pair_count = kept;
    taste->n_pairs = n;
    return XL_OK;
}

enum xl_status xl_analyse_pairs(struct xl_analysis *analysis, struct xl_err *err) {
    struct list list = {0};
    enum xl_status status = collect_all(analysis, &list, err);
    double *least = status ? NULL : malloc((list.n + 1) * sizeof *least);
    if (!status && !least) status = xl_fail_nomem(err, "tests of pairs", 0);
    if (!status) {
        test_pairs(analysis, &list, least);
        status = find_beyond(analysis, &list, least, err);
    }
    if (!status) status = keep_pairs(analysis, &list, err);
    free(least);
    free(list.items);
    return status;
}
