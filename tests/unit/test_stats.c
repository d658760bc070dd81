/* test_stats.c - intervals, tests and models against SciPy and statsmodels
 * (tools/reference/topics/taste.py). */
#include "base/json.h"
#include "insight/stats/bradley_terry.h"
#include "insight/stats/logistic.h"
#include "insight/stats/multiple.h"
#include "insight/stats/normal.h"
#include "insight/stats/shrinkage.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

static json_t *load(const char *key) {
    json_t *root = NULL;
    struct xl_err err;
    cr_assert(!xl_json_load(XL_SOURCE_DIR "/tests/data/taste/stats.json", &root, &err), "%s",
              err.text);
    json_t *value = json_incref(json_object_get(root, key));
    json_decref(root);
    cr_assert_not_null(value, "%s", key);
    return value;
}

static double number(const json_t *array, size_t i) {
    return json_number_value(json_array_get(array, i));
}
static uint64_t whole(const json_t *array, size_t i) {
    return (uint64_t)number(array, i);
}

/* Relative, and absolute near 0. */
static void expect_near(double found, double expected, double tolerance, const char *what,
                        size_t i) {
    cr_expect(fabs(found - expected) <= tolerance * (fabs(expected) + 1e-300) ||
                  fabs(found - expected) < 1e-14,
              "%s %zu: %.17g instead of %.17g", what, i, found, expected);
}

Test(stats, distributions_intervals_and_exact_tests_agree_with_scipy_and_statsmodels) {
    json_t *cases = load("quantiles"), *row;
    size_t i;
    json_array_foreach(cases, i, row)
        expect_near(xl_normal_quantile(number(row, 0)), number(row, 1), 1e-12, "quantile", i);
    json_decref(cases);
    cases = load("wilson");
    json_array_foreach(cases, i, row) {
        struct xl_interval interval = xl_wilson(whole(row, 0), whole(row, 1), number(row, 2));
        expect_near(interval.low, number(row, 3), 1e-12, "wilson, low", i);
        expect_near(interval.high, number(row, 4), 1e-12, "wilson, high", i);
    }
    json_decref(cases);
    cases = load("fisher"); /* lgamma of a million loses digits; SciPy's, too */
    json_array_foreach(cases, i, row)
        expect_near(xl_fisher(whole(row, 0), whole(row, 1), whole(row, 2), whole(row, 3)),
                    number(row, 4), 1e-7, "fisher", i);
    json_decref(cases);
    cases = load("poisson");
    json_array_foreach(cases, i, row) expect_near(xl_poisson_tail(whole(row, 0), number(row, 1)),
                                                  number(row, 2), 1e-10, "poisson", i);
    json_decref(cases);
    cases = load("spread");
    json_array_foreach(cases, i, row)
        expect_near(xl_spread_tail(whole(row, 0), number(row, 1), number(row, 2)), number(row, 3),
                    1e-7, "negative binomial", i);
    json_decref(cases);
}

Test(stats, ends_and_impossible_values) {
    cr_expect(xl_normal_quantile(0) == -INFINITY && xl_normal_quantile(1) == INFINITY);
    cr_expect(isnan(xl_normal_quantile(-0.1)) && isnan(xl_normal_quantile(NAN)));
    struct xl_interval nothing = xl_wilson(0, 0, 0.95);
    cr_expect(nothing.low == 0 && nothing.high == 1);
    cr_expect(isnan(xl_fisher(5, 4, 10, 20)) && isnan(xl_fisher(5, 10, 4, 20)));
    cr_expect(xl_fisher(0, 0, 4, 20) == 1 && xl_fisher(4, 20, 4, 20) == 1);
    cr_expect(xl_poisson_tail(0, 0) == 1 && xl_poisson_tail(1, 0) == 0);
}

/* Every two-sided p-value of small tables, by adding up all tables that are at most as likely. */
Test(stats, fisher_by_adding_up) {
    for (uint64_t n = 1; n < 14; n++)
        for (uint64_t m = 0; m <= n; m++)
            for (uint64_t K = 0; K <= n; K++) {
                double chance[16] = {0}, total = 0;
                for (uint64_t k = 0; k <= m && k <= K; k++) {
                    if (K - k > n - m) continue;
                    chance[k] = exp(lgamma((double)m + 1) - lgamma((double)k + 1) -
                                    lgamma((double)(m - k) + 1) + lgamma((double)(n - m) + 1) -
                                    lgamma((double)(K - k) + 1) -
                                    lgamma((double)(n - m - K + k) + 1));
                    total += chance[k];
                }
                for (uint64_t k = 0; k <= m && k <= K; k++) {
                    double sum = 0;
                    if (K - k > n - m) continue;
                    for (int j = 0; j < 16; j++)
                        if (chance[j] <= chance[k] * (1 + 1e-7)) sum += chance[j];
                    cr_assert_float_eq(xl_fisher(k, m, K, n), sum / total, 1e-9,
                                       "%d of %d, %d of %d", (int)k, (int)m, (int)K, (int)n);
                }
            }
}

/* --- Models ----------------------------------------------------------------------------------- */

struct cells {
    struct xl_logistic_data data;
    uint32_t levels[3 * 100], made[100], loved[100], first_of[4];
};

static void read_cells(const json_t *from, struct cells *out) {
    json_t *levels = json_object_get(from, "levels"), *sizes = json_object_get(from, "sizes");
    size_t F = json_array_size(sizes), n = json_array_size(levels);
    cr_assert(F <= 3 && n <= 100 && n > 5);
    out->first_of[0] = 0;
    for (size_t f = 0; f < F; f++)
        out->first_of[f + 1] = out->first_of[f] + (uint32_t)whole(sizes, f);
    for (size_t i = 0; i < n; i++) {
        for (size_t f = 0; f < F; f++) {
            json_t *level = json_array_get(json_array_get(levels, i), f);
            out->levels[i * F + f] = json_is_null(level) ? XL_NO_COEFFICIENT
                                                         : (uint32_t)json_integer_value(level);
        }
        out->made[i] = (uint32_t)whole(json_object_get(from, "made"), i);
        out->loved[i] = (uint32_t)whole(json_object_get(from, "loved"), i);
    }
    out->data = (struct xl_logistic_data){
        n, F, out->levels, out->made, out->loved, out->first_of[F], out->first_of};
}

Test(stats, ridge_regression_agrees_with_scipy) {
    json_t *expected = load("ridge");
    struct cells cells;
    struct xl_arena arena = {0};
    struct xl_logistic model;
    struct xl_err err;
    bool fitted;
    read_cells(expected, &cells);
    double variance = json_number_value(json_object_get(expected, "variance"));
    cr_assert(!xl_logistic_fit(&cells.data, &(struct xl_logistic_prior){.variance = variance},
                               &arena, &model, &fitted, &err) &&
              fitted);
    cr_assert_eq(model.n, json_array_size(json_object_get(expected, "beta")));
    for (size_t i = 0; i < model.n; i++) {
        cr_expect_float_eq(model.beta[i], number(json_object_get(expected, "beta"), i), 1e-6);
        json_t *row = json_array_get(json_object_get(expected, "covariance"), i);
        for (size_t j = 0; j < model.n; j++)
            cr_expect_float_eq(model.covariance[i * model.n + j], number(row, j), 1e-6);
    }
    xl_arena_deinit(&arena);
    json_decref(expected);
}

/* A model that begins where one without its last factor ended is the same as one from nothing. */
Test(stats, ridge_regression_goes_on_from_a_smaller_one) {
    json_t *expected = load("ridge");
    struct cells cells;
    struct xl_arena arena = {0};
    struct xl_logistic small, model;
    struct xl_err err;
    bool fitted;
    read_cells(expected, &cells);
    struct xl_logistic_prior prior = {
        .variance = json_number_value(json_object_get(expected, "variance"))};
    struct xl_logistic_data data = cells.data;
    size_t F = data.factor_count;
    uint32_t *levels = malloc(data.cell_count * F * sizeof *levels);
    cr_assert(levels && F > 1);
    for (size_t i = 0; i < data.cell_count; i++)
        memcpy(levels + i * (F - 1), cells.levels + i * F, (F - 1) * sizeof *levels);
    data.levels = levels;
    data.factor_count = F - 1;
    data.coefficient_count = data.first_of[F - 1];
    cr_assert(!xl_logistic_fit(&data, &prior, &arena, &small, &fitted, &err) && fitted);
    cr_assert_eq(small.n, data.coefficient_count + 1);
    prior.from = &small;
    cr_assert(!xl_logistic_fit(&cells.data, &prior, &arena, &model, &fitted, &err) && fitted);
    for (size_t i = 0; i < model.n; i++)
        cr_expect_float_eq(model.beta[i], number(json_object_get(expected, "beta"), i), 1e-6);
    free(levels);
    xl_arena_deinit(&arena);
    json_decref(expected);
}

/* With next to no penalty: what statsmodels' GLM says of each cell, and how sure it is. */
Test(stats, logistic_regression_agrees_with_statsmodels) {
    json_t *expected = load("plain");
    struct cells cells;
    struct xl_arena arena = {0};
    struct xl_logistic model;
    struct xl_err err;
    bool fitted;
    read_cells(expected, &cells);
    cr_assert(!xl_logistic_fit(&cells.data, &(struct xl_logistic_prior){.variance = 1e6}, &arena,
                               &model, &fitted, &err) &&
              fitted);
    for (size_t i = 0; i < cells.data.cell_count; i++) {
        double variance, log_odds = xl_logistic_predict(&model, cells.levels + i * 2, 2, &variance);
        cr_expect_float_eq(log_odds, number(json_object_get(expected, "log_odds"), i), 1e-4);
        cr_expect_float_eq(sqrt(variance), number(json_object_get(expected, "error"), i), 1e-4);
    }
    xl_arena_deinit(&arena);
    json_decref(expected);
}

Test(stats, what_has_no_finite_answer_is_not_fitted) {
    uint32_t levels[2] = {0, 1}, made[2] = {5, 5}, none[2] = {0, 0}, first_of[2] = {0, 2};
    struct xl_logistic_data data = {2, 1, levels, made, none, 2, first_of};
    struct xl_arena arena = {0};
    struct xl_logistic model;
    struct xl_err err;
    bool fitted = true;
    const struct xl_logistic_prior learned = {.variance = 1, .is_learned = true};
    cr_expect(!xl_logistic_fit(&data, &learned, &arena, &model, &fitted, &err) && !fitted);
    data.loved = made;
    cr_expect(!xl_logistic_fit(&data, &learned, &arena, &model, &fitted, &err) && !fitted);
    uint32_t apart[2] = {5, 0}; /* separated: the prior keeps it finite */
    data.loved = apart;
    cr_expect(!xl_logistic_fit(&data, &learned, &arena, &model, &fitted, &err) && fitted);
    cr_expect(isfinite(model.beta[1]) && model.beta[1] > model.beta[2]);
    xl_arena_deinit(&arena);
}

Test(stats, choices_agree_with_scipy) {
    json_t *expected = load("choices"), *rows = json_object_get(expected, "wins");
    double wins[36], strength[6], error[6];
    struct xl_err err;
    for (size_t i = 0; i < 36; i++) wins[i] = number(json_array_get(rows, i / 6), i % 6);
    cr_assert(!xl_bradley_terry(wins, 6, json_number_value(json_object_get(expected, "variance")),
                                strength, error, &err));
    for (size_t i = 0; i < 6; i++) {
        cr_expect_float_eq(strength[i], number(json_object_get(expected, "strength"), i), 1e-6);
        cr_expect_float_eq(error[i], number(json_object_get(expected, "error"), i), 1e-6);
    }
    json_decref(expected);
}

Test(stats, tests_that_can_claim_nothing_need_no_correction) {
    double least[] = {1e-9, 1e-9, 1e-9, 0.2, 0.3, 0.02};
    cr_expect_eq(xl_tarone_factor(least, 6, 0.05), 3);
    cr_expect_eq(xl_tarone_factor(least, 0, 0.05), 1);
    cr_expect_eq(xl_tarone_factor(least + 3, 2, 0.05), 1);
    double all[100] = {0};
    cr_expect_eq(xl_tarone_factor(all, 100, 0.05), 100);
}

Test(stats, ratios_are_shrunk_unless_there_is_much_behind_them) {
    uint32_t count[500];
    double expected[500], variance;
    for (size_t i = 0; i < 500; i++) expected[i] = 2, count[i] = (uint32_t)(i % 5);
    struct xl_shrinkage model = xl_shrinkage_fit(count, expected, 500);
    cr_expect(xl_shrinkage_ratio(&model, 4, 2, NULL) < 1.3, "chance is taken for more");
    count[17] = 40;
    model = xl_shrinkage_fit(count, expected, 500);
    double ratio = xl_shrinkage_ratio(&model, 40, 2, &variance);
    cr_expect(ratio > 10 && ratio < 21, "%f", ratio);
    cr_expect(variance > 0 && variance < 0.2, "%f", variance);
    cr_expect(xl_shrinkage_ratio(&model, 3, 2, NULL) < 1.3);
}
