/* test_taste.c - what an analysis says of owners whose tastes are known, and of too little.
 *
 * XL_OWNERS=200 tries so many owners of each kind; a few by default, which takes seconds. What must
 * hold in 90 % (or 5 %) of all owners may fail (or be claimed) in as many of those few as happens
 * once in a thousand times at that share.
 */
#include "insight/taste/taste.h"
#include "unit/owner.h"

#include <criterion/criterion.h>

enum { PICTURES = 20000, FEW = 8 };

static int n_owners(void) {
    const char *said = getenv("XL_OWNERS");
    return said && atoi(said) > 0 ? atoi(said) : FEW;
}

/* The least k with P(X > k) <= 0.001 for X of n trials that come true with this chance. */
static int at_most(int n, double chance) {
    double sum = 0, term = pow(1 - chance, n);
    for (int k = 0; k <= n; k++) {
        sum += term;
        if (1 - sum <= 0.001) return k;
        term *= (n - k) * chance / ((k + 1) * (1 - chance));
    }
    return n;
}

static void find(const struct owner *owner, struct xl_taste *taste) {
    struct xl_err err;
    cr_assert(!xl_taste_find(&owner->rows, NULL, taste, &err), "%s", err.text);
}

static bool claims_anything(const struct xl_taste *taste) {
    bool does = taste->bundle_count > 0;
    for (size_t f = 0; f < taste->table_count; f++)
        for (size_t i = 0; i < taste->tables[f].count; i++)
            does |= taste->tables[f].levels[i].verdict >= XL_TASTE_MORE;
    for (size_t i = 0; i < taste->word_count; i++) does |= taste->words[i].verdict >= XL_TASTE_MORE;
    for (size_t i = 0; i < taste->pair_count; i++)
        does |= taste->pairs[i].verdict >= XL_TASTE_MORE || taste->pairs[i].is_beyond;
    return does;
}

static bool names_best(const struct owner *owner, const struct xl_taste_bundle *bundle) {
    int n = 0;
    for (size_t k = 0; k < bundle->what.n; k++) {
        uint32_t factor = bundle->what.factor[k];
        n += factor <= SIZE && bundle->what.level[k] == owner->best[factor];
    }
    return n == 3;
}

/* How often an interval holds what is true. */
struct covered {
    int n, held;
};

static void count_rates(const struct owner *owner, const struct xl_taste *taste,
                        struct covered *covered) {
    for (size_t f = 0; f < taste->table_count; f++) {
        const struct xl_taste_table *table = &taste->tables[f];
        for (size_t i = 0; i < table->count; i++) {
            const struct xl_taste_level *level = &table->levels[i];
            double sum = 0;
            for (size_t r = 0; r < owner->rows.row_count; r++)
                sum += owner->level[f][r] == level->level ? owner->chance[r] : 0;
            double rate = sum / (double)level->rate.made;
            covered->n++;
            covered->held += level->rate.interval.low <= rate && rate <= level->rate.interval.high;
        }
    }
}

static void count_effects(const struct owner *owner, const struct xl_taste *taste,
                          struct covered *covered) {
    for (size_t f = 0; f < taste->table_count; f++) {
        const struct xl_taste_table *table = &taste->tables[f];
        double mean = 0;
        for (size_t i = 0; i < table->count; i++)
            mean += owner->effect[f][table->levels[i].level] * (double)table->levels[i].rate.made /
                    (double)owner->rows.row_count;
        for (size_t i = 0; i < table->count; i++) {
            const struct xl_taste_level *level = &table->levels[i];
            double odds = exp(owner->effect[f][level->level] - mean);
            if (!level->has_effect || f > SIZE) continue;
            covered->n++;
            covered->held += level->odds_interval.low <= odds && odds <= level->odds_interval.high;
        }
    }
}

static void expect_covered(const struct covered *covered, int owners, const char *what) {
    double share = (double)covered->held / covered->n;
    /* Nominal +- 3 %; of few owners, three standard errors more (those of one column are not
     * independent: as if a third were). */
    double allowed = 0.03 + (owners < 100 ? 3 * sqrt(0.05 * 0.95 / (covered->n / 3.0)) : 0);
    printf("%s: %d of %d intervals hold the truth, %.1f %%\n", what, covered->held, covered->n,
           share * 100);
    cr_expect(fabs(share - XL_TASTE_CONFIDENCE) <= allowed, "%s: %f", what, share);
}

static void try_owners(enum taste_kind kind, const char *what) {
    struct covered rates = {0}, effects = {0};
    int n = n_owners(), n_named = 0;
    for (int i = 0; i < n; i++) {
        struct owner *owner = owner_new((uint64_t)i + 1, kind, PICTURES, 0.02);
        struct xl_taste taste;
        bool is_named = false;
        find(owner, &taste);
        for (size_t b = 0; b < taste.bundle_count && b < 3; b++) {
            is_named |= names_best(owner, &taste.bundles[b]);
            cr_expect(taste.bundles[b].n_pictures > 0 || !taste.bundles[b].what.rate.loved);
        }
        n_named += is_named;
        count_rates(owner, &taste, &rates);
        if (kind == LOVES_PARTS) count_effects(owner, &taste, &effects);
        xl_taste_deinit(&taste);
        owner_free(owner);
    }
    printf("%s: the truth is among the first three in %d of %d\n", what, n_named, n);
    cr_expect(n - n_named <= (n < 100 ? at_most(n, 0.1) : n / 10), "%s: %d of %d", what, n_named,
              n);
    expect_covered(&rates, n, what);
    if (kind == LOVES_PARTS) expect_covered(&effects, n, "effects");
}

Test(taste, an_owner_who_loves_parts) {
    try_owners(LOVES_PARTS, "parts");
}

Test(taste, an_owner_who_loves_one_combination) {
    try_owners(LOVES_ONE, "one combination");
}

Test(taste, an_owner_without_taste) {
    int n = n_owners(), n_claimed = 0;
    for (int i = 0; i < n; i++) {
        struct owner *owner = owner_new((uint64_t)i + 1, LOVES_NOTHING, PICTURES, 0.02);
        struct xl_taste taste;
        find(owner, &taste);
        n_claimed += claims_anything(&taste);
        xl_taste_deinit(&taste);
        owner_free(owner);
    }
    printf("without taste: something is claimed of %d of %d\n", n_claimed, n);
    cr_expect(n_claimed <= (n < 100 ? at_most(n, 0.05) : n / 20), "%d of %d", n_claimed, n);
}

/* --- Little, nothing, everything -------------------------------------------------------------- */

static void expect_no_claim(const struct owner *owner, const char *what) {
    struct xl_taste taste;
    find(owner, &taste);
    cr_expect(!claims_anything(&taste), "%s", what);
    cr_expect(taste.next.batch == 0 || taste.has_model, "%s", what);
    xl_taste_deinit(&taste);
}

Test(taste, nothing_is_claimed_of_nothing_and_of_everything) {
    for (size_t n = 0; n < 4; n++) {
        static const size_t counts[] = {0, 1, 2, 3000};
        struct owner *owner = owner_new(5, LOVES_NOTHING, counts[n], 0.02);
        memset(owner->loved, 0, counts[n]);
        expect_no_claim(owner, "nothing is loved");
        memset(owner->loved, 1, counts[n]);
        expect_no_claim(owner, "everything is loved");
        owner_free(owner);
    }
    struct xl_observations nothing = {.row_count = 0};
    struct xl_taste taste;
    struct xl_err err;
    cr_assert(!xl_taste_find(&nothing, NULL, &taste, &err));
    cr_expect(!taste.all.made && isnan(taste.all.rate) && !taste.bundle_count &&
              !taste.table_count);
    xl_taste_deinit(&taste);
}

Test(taste, rows_without_values_are_counted_and_claim_nothing) {
    struct owner *owner = owner_new(3, LOVES_NOTHING, 2000, 0.1);
    for (size_t f = 0; f < OWNER_FACTORS; f++)
        for (size_t r = 0; r < 2000; r++) owner->level[f][r] = XL_NO_LEVEL;
    struct xl_taste taste;
    find(owner, &taste);
    cr_expect(!claims_anything(&taste) && taste.tables[MODEL].n_unset == 2000);
    cr_expect_eq(taste.tables[MODEL].count, 0);
    xl_taste_deinit(&taste);
    owner_free(owner);
}

/* A model that is only used with the profile that is loved looks loved, too: it is told apart. */
Test(taste, what_comes_along_is_told_from_what_is_loved) {
    struct owner *owner = owner_new(9, LOVES_NOTHING, 6000, 0.05);
    for (size_t r = 0; r < 6000; r++) {
        bool has = owner->level[PROFILE][r] < 4;
        owner->level[MODEL][r] = has && r % 8 ? 3 : r % 16 == 3 ? 3 : (uint32_t)(r % 3);
        owner->loved[r] = owner_uniform(owner) < (has ? 0.3 : 0.02);
    }
    struct xl_taste taste;
    find(owner, &taste);
    const struct xl_taste_level *model = &taste.tables[MODEL].levels[0];
    cr_expect(model->level == 3 && model->verdict == XL_TASTE_MORE && model->is_explained);
    cr_expect(model->with_factor == PROFILE && model->with_level < 4 && model->with_share > 0.1);
    const struct xl_taste_level *profile = &taste.tables[PROFILE].levels[0];
    cr_expect(profile->level < 4 && profile->verdict == XL_TASTE_MORE && !profile->is_explained);
    cr_assert(taste.bundle_count > 0);
    for (size_t b = 0; b < taste.bundle_count; b++)
        for (size_t k = 0; k < taste.bundles[b].what.n; k++)
            cr_expect_neq(taste.bundles[b].what.factor[k], MODEL, "the model does nothing");
    xl_taste_deinit(&taste);
    owner_free(owner);
}

Test(taste, counts_numbers_pictures_and_the_next_sweep) {
    struct owner *owner = owner_new(2, LOVES_PARTS, PICTURES, 0.02);
    uint8_t *rating = calloc(PICTURES, 1);
    for (size_t r = 0; r < PICTURES; r++) rating[r] = owner->loved[r] ? (uint8_t)(1 + r % 5) : 0;
    owner->rows.rating = rating;
    struct xl_taste taste;
    find(owner, &taste);
    uint64_t loved = 0, made = 0;
    for (size_t r = 0; r < PICTURES; r++) loved += owner->loved[r];
    cr_expect(taste.all.made == PICTURES && taste.all.loved == loved && taste.n_rated == loved);
    cr_expect(taste.first_at == owner->made_at[0] && taste.last_at == owner->made_at[PICTURES - 1]);
    for (size_t i = 0; i < taste.tables[PROFILE].count; i++)
        made += taste.tables[PROFILE].levels[i].rate.made;
    cr_expect_eq(made, PICTURES);
    cr_expect(taste.tables[STEPS].is_number && !taste.tables[MODEL].is_number);
    cr_expect(taste.tables[GUIDANCE].of_all.middle == 7 &&
              taste.tables[GUIDANCE].of_loved.high <= 9);
    cr_assert(taste.bundle_count > 0);
    for (size_t b = 0; b < taste.bundle_count; b++) {
        const struct xl_taste_bundle *bundle = &taste.bundles[b];
        int last = 6;
        for (size_t i = 0; i < bundle->n_pictures; i++) {
            size_t row = (size_t)bundle->pictures[i] - 1000;
            cr_expect(owner->loved[row] && rating[row] <= last);
            last = rating[row];
            for (size_t k = 0; k < bundle->what.n; k++)
                cr_expect_eq(owner->level[bundle->what.factor[k]][row], bundle->what.level[k]);
        }
    }
    cr_expect(taste.next.batch > 0 && taste.next.batch * taste.next.n_cells <= XL_TASTE_BUDGET);
    size_t cells = 1;
    for (size_t k = 0; k < taste.next.factor_count; k++) cells *= taste.next.level_count[k];
    cr_expect_eq(cells, taste.next.n_cells);
    for (size_t k = 0; k < taste.next.factor_count; k++)
        for (size_t i = 0; i < taste.next.level_count[k]; i++) {
            uint32_t factor = taste.next.factor[k], level = taste.next.levels[k][i];
            enum xl_taste_why why = taste.next.why[k][i];
            bool is_more = false;
            for (size_t t = 0; t < taste.tables[factor].count; t++)
                is_more |= taste.tables[factor].levels[t].level == level &&
                           taste.tables[factor].levels[t].verdict == XL_TASTE_MORE;
            cr_expect_eq(why == XL_WHY_LOVED, is_more);
        }
    for (size_t i = 0; i < taste.gap_count; i++) cr_expect_gt(taste.gaps[i].n_needed, 0);
    xl_taste_deinit(&taste);
    free(rating);
    owner_free(owner);
}

/* Schedulers do nothing to this owner, and enough was made of each to know it: the next sweep has
 * no reason to draw with another one than that of most pictures. */
Test(taste, the_next_sweep_keeps_what_is_usual_where_nothing_else_promises_more) {
    struct owner *owner = owner_new(6, LOVES_PARTS, PICTURES, 0.02);
    uint32_t last = (uint32_t)owner->factors[SCHEDULER].level_count - 1;
    for (size_t r = 0; r < PICTURES; r++)
        owner->level[SCHEDULER][r] = r % 2 ? last : (uint32_t)(r / 2 % last);
    struct xl_taste taste;
    find(owner, &taste);
    cr_assert(taste.next.batch > 0);
    bool has = false;
    for (size_t k = 0; k < taste.next.factor_count; k++) {
        if (taste.next.factor[k] != SCHEDULER) continue;
        has = true;
        cr_expect_eq(taste.next.level_count[k], 1);
        cr_expect_eq(taste.next.levels[k][0], last);
        cr_expect_eq(taste.next.why[k][0], XL_WHY_USUAL);
    }
    cr_expect(has);
    xl_taste_deinit(&taste);
    owner_free(owner);
}

/* What lots are drawn by is what the tables say: logarithms of odds, and what is loved ahead. */
Test(taste, a_posterior_is_what_tables_tell) {
    struct owner *owner = owner_new(3, LOVES_PARTS, PICTURES, 0.02);
    struct xl_taste taste;
    find(owner, &taste);
    const struct xl_taste_posterior *known = &taste.posterior;
    size_t first = 0;
    cr_assert(taste.has_model);
    cr_assert_eq(known->n, known->count[0] + known->count[1] + known->count[2]);
    for (int k = 0; k < XL_POSTERIOR_FACTORS; first += known->count[k++]) {
        const struct xl_taste_table *table = &taste.tables[known->factor[k]];
        double odds[64] = {0}, most = -INFINITY;
        size_t best = 0;
        cr_assert_eq(known->count[k], owner_levels[k]);
        cr_expect(known->spread[k] > 0.05 && known->spread[k] < 5);
        for (size_t i = 0; i < table->count; i++)
            odds[table->levels[i].level] = table->levels[i].odds;
        for (size_t i = first; i < first + known->count[k]; i++) {
            double variance = 0, apart = known->mean[i] - known->mean[first];
            double told = log(odds[known->level[i]] / odds[known->level[first]]);
            for (size_t j = 0; j <= i; j++)
                variance += known->root[i * known->n + j] * known->root[i * known->n + j];
            cr_expect_float_eq(apart, told, 1e-9, "%d %zu: %f, %f", k, i, apart, told);
            cr_expect(variance > 1e-4 && variance < 4, "%d %zu: %f", k, i, variance);
            if (known->mean[i] > most) most = known->mean[i], best = known->level[i];
        }
        cr_expect_eq(best, owner->best[k], "column %d", k);
    }
    xl_taste_deinit(&taste);
    owner_free(owner);
}

Test(taste, choices_rank_levels) {
    struct owner *owner = owner_new(4, LOVES_NOTHING, 2000, 0.02);
    struct xl_choice *choices = calloc(800, sizeof *choices);
    size_t n = 0;
    while (n < 800) {
        uint32_t a = owner_below(owner, 2000), b = owner_below(owner, 2000);
        if (a == b) continue;
        bool b_wins = owner->level[MODEL][b] == 6 && owner->level[MODEL][a] != 6;
        choices[n++] = b_wins ? (struct xl_choice){b, a} : (struct xl_choice){a, b};
    }
    owner->rows.choices = choices;
    owner->rows.choice_count = n;
    struct xl_taste taste;
    find(owner, &taste);
    double best = -INFINITY, own = NAN;
    for (size_t i = 0; i < taste.tables[MODEL].count; i++) {
        const struct xl_taste_level *level = &taste.tables[MODEL].levels[i];
        cr_expect(level->n_chosen + level->n_passed > 0 && level->strength_error > 0);
        if (level->level == 6) own = level->strength;
        best = fmax(best, level->strength);
    }
    cr_expect(own == best && own > 0.3);
    xl_taste_deinit(&taste);
    free(choices);
    owner_free(owner);
}
