/* model.c - which columns and levels the model of rates has, and fitting it. */
#include "insight/taste/analysis.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_COEFFICIENTS = 160 };

static const char *const bundle_names[XL_BUNDLE_FACTORS] = {"model", "profile", "resolution",
                                                            "scheduler", "lora"};

/* Columns of bundles first, then the others; not seeds, and none with very many levels. */
static enum xl_status choose_columns(struct xl_analysis *analysis, uint32_t *columns, size_t *n,
                                     struct xl_err *err) {
    const struct xl_observations *rows = analysis->observations;
    uint32_t *column_of =
        xl_arena_alloc(&analysis->scratch, (rows->factor_count + 1) * sizeof *column_of);
    if (!column_of) return xl_fail_nomem(err, "a model of rates", 0);
    *n = 0;
    for (size_t f = 0; f < rows->factor_count; f++) column_of[f] = XL_NO_LEVEL;
    for (size_t i = 0; i < XL_BUNDLE_FACTORS; i++) {
        int f = xl_taste_factor(rows, bundle_names[i]);
        if (f < 0 || rows->factors[f].level_count > XL_FEW_LEVELS) continue;
        column_of[f] = (uint32_t)*n;
        columns[(*n)++] = (uint32_t)f;
    }
    analysis->n_bundle_columns = *n;
    for (size_t f = 0; f < rows->factor_count && *n < XL_GROUP_FACTORS; f++) {
        bool is_seed = !strcmp(rows->factors[f].name, "seed");
        if (is_seed || column_of[f] != XL_NO_LEVEL || rows->factors[f].level_count > XL_FEW_LEVELS)
            continue;
        column_of[f] = (uint32_t)*n;
        columns[(*n)++] = (uint32_t)f;
    }
    analysis->column_of = column_of;
    return XL_OK;
}

/* How many pictures each level of each column of the groups has: [columns][levels]. NULL: memory */
static uint64_t **count_levels(struct xl_analysis *analysis) {
    const struct xl_groups *groups = &analysis->groups;
    size_t F = groups->factor_count;
    uint64_t **made = xl_arena_alloc(&analysis->scratch, (F + 1) * sizeof *made);
    for (size_t f = 0; made && f < F; f++) {
        size_t n = analysis->observations->factors[groups->factor[f]].level_count;
        made[f] = xl_arena_alloc(&analysis->scratch, (n + 1) * sizeof **made);
        if (!made[f]) return NULL;
        for (size_t g = 0; g < groups->count; g++) {
            uint32_t level = groups->levels[g * F + f];
            if (level != XL_NO_LEVEL) made[f][level] += groups->made[g];
        }
    }
    return made;
}

static int descending(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x < y) - (x > y);
}

/* How many pictures a level must have to get a coefficient, so that there are not too many. */
static uint64_t least_made(struct xl_analysis *analysis, uint64_t **made, struct xl_err *err,
                           enum xl_status *status) {
    const struct xl_groups *groups = &analysis->groups;
    size_t n = 0;
    uint64_t *all = malloc((groups->factor_count * XL_FEW_LEVELS + 1) * sizeof *all);
    if (!all) *status = xl_fail_nomem(err, "a model of rates", 0);
    for (size_t f = 0; all && f < groups->factor_count; f++)
        for (size_t i = 0; i < analysis->observations->factors[groups->factor[f]].level_count; i++)
            if (made[f][i]) all[n++] = made[f][i];
    if (all) qsort(all, n, sizeof *all, descending);
    uint64_t least = all && n > MOST_COEFFICIENTS ? all[MOST_COEFFICIENTS] + 1 : 1;
    free(all);
    return least;
}

/* Number the coefficients; a column whose pictures all have one level needs none. */
static enum xl_status number(struct xl_analysis *analysis, struct xl_err *err) {
    const struct xl_groups *groups = &analysis->groups;
    size_t F = groups->factor_count;
    enum xl_status status = XL_OK;
    uint64_t **made = count_levels(analysis);
    uint32_t **coefficient = xl_arena_alloc(&analysis->scratch, (F + 1) * sizeof *coefficient);
    uint32_t *first_of =
        xl_arena_alloc(&analysis->scratch, (XL_MODEL_COLUMNS + 1) * sizeof *first_of);
    uint32_t n = 0;
    if (!made || !coefficient || !first_of) return xl_fail_nomem(err, "a model of rates", 0);
    uint64_t least = least_made(analysis, made, err, &status);
    for (size_t f = 0; !status && f < F; f++) {
        size_t n_levels = analysis->observations->factors[groups->factor[f]].level_count, used = 0;
        coefficient[f] = xl_arena_alloc(&analysis->scratch, (n_levels + 1) * sizeof **coefficient);
        if (!coefficient[f]) return xl_fail_nomem(err, "a model of rates", 0);
        first_of[f] = n;
        for (size_t i = 0; i < n_levels; i++) used += made[f][i] > 0;
        for (size_t i = 0; i < n_levels; i++) {
            bool counts = used > 1 && made[f][i] >= least;
            coefficient[f][i] = counts ? n++ : XL_NO_COEFFICIENT;
        }
    }
    for (uint32_t b = 0; b <= XL_MOST_BEYOND; b++) first_of[F + b] = n + b;
    analysis->coefficient = (const uint32_t *const *)coefficient;
    analysis->data.first_of = first_of;
    return status;
}

void xl_model_levels(const struct xl_analysis *analysis, const uint32_t *levels, uint32_t *out) {
    size_t F = analysis->groups.factor_count;
    for (size_t f = 0; f < F; f++)
        out[f] = levels[f] == XL_NO_LEVEL ? XL_NO_COEFFICIENT : analysis->coefficient[f][levels[f]];
    for (size_t b = 0; b < analysis->n_beyond; b++) {
        const struct xl_beyond *beyond = &analysis->beyond[b];
        bool has = true;
        for (size_t k = 0; k < beyond->n; k++) has &= levels[beyond->column[k]] == beyond->level[k];
        out[F + b] = has ? analysis->data.first_of[F + b] : XL_NO_COEFFICIENT;
    }
}

enum xl_status xl_model_fit(struct xl_analysis *analysis, struct xl_err *err) {
    const struct xl_groups *groups = &analysis->groups;
    struct xl_logistic_data *data = &analysis->data;
    size_t F = groups->factor_count, columns = F + analysis->n_beyond;
    struct xl_arena before = analysis->fitted; /* the model that this one begins with */
    const struct xl_logistic model = analysis->model;
    const struct xl_logistic_prior prior = {
        .variance = 1, .is_learned = true, .from = analysis->taste->has_model ? &model : NULL};
    analysis->fitted = (struct xl_arena){0};
    uint32_t *levels =
        xl_arena_alloc(&analysis->fitted, (groups->count * columns + 1) * sizeof *levels);
    enum xl_status status = levels ? XL_OK : xl_fail_nomem(err, "a model of rates", 0);
    for (size_t g = 0; !status && g < groups->count; g++)
        xl_model_levels(analysis, groups->levels + g * F, levels + g * columns);
    data->cell_count = groups->count;
    data->factor_count = columns;
    data->coefficient_count = data->first_of[F] + analysis->n_beyond;
    data->levels = levels;
    data->made = groups->made;
    data->loved = groups->loved;
    if (!status)
        status = xl_logistic_fit(data, &prior, &analysis->fitted, &analysis->model,
                                 &analysis->taste->has_model, err);
    xl_arena_deinit(&before);
    for (size_t g = 0; !status && analysis->taste->has_model && g < groups->count; g++)
        analysis->expected[g] = groups->made[g] *
                                xl_logistic_rate(xl_logistic_predict(
                                    &analysis->model, levels + g * columns, columns, NULL));
    return status;
}

struct xl_expected xl_model_without(const struct xl_analysis *analysis, const uint32_t *columns,
                                    const uint32_t *levels, size_t n, double loved,
                                    double expected) {
    enum { MOST = MOST_COEFFICIENTS + XL_MOST_BEYOND + 1 };
    const struct xl_groups *groups = &analysis->groups;
    const struct xl_logistic *model = &analysis->model;
    size_t F = groups->factor_count, seen = analysis->data.factor_count;
    double weight = 0, with[MOST] = {0}, taken = 0;
    for (size_t g = 0; g < groups->count; g++) {
        const uint32_t *own = groups->levels + g * F, *known = analysis->data.levels + g * seen;
        bool has = true;
        for (size_t k = 0; k < n; k++) has &= own[columns[k]] == levels[k];
        if (!has) continue;
        double made = groups->made[g],
               w = analysis->expected[g] * (1 - analysis->expected[g] / made);
        weight += w;
        with[0] += w;
        for (size_t f = 0; f < seen; f++)
            if (known[f] != XL_NO_COEFFICIENT) with[known[f] + 1] += w;
    }
    for (size_t i = 0; i < model->n; i++)
        for (size_t j = 0; with[i] > 0 && j < model->n; j++)
            taken += with[i] * model->covariance[i * model->n + j] * with[j];
    /* The leverage of these groups: how much of their count the model follows, in logarithms; and
     * the variance of what it would say without them. */
    double leverage = weight > 0 ? fmin(taken / weight, 0.99) : 0;
    double variance = weight > 0 ? taken / (weight * weight) / (1 - leverage) : 0;
    return (struct xl_expected){exp((log(expected) - leverage * log(loved)) / (1 - leverage)),
                                1 / expm1(variance)};
}

enum xl_status xl_analyse_model(struct xl_analysis *analysis, struct xl_err *err) {
    uint32_t columns[XL_GROUP_FACTORS];
    size_t n = 0;
    enum xl_status status = choose_columns(analysis, columns, &n, err);
    if (!status)
        status = xl_group_rows(analysis->observations, columns, n, &analysis->scratch,
                               &analysis->groups, err);
    if (!status) status = number(analysis, err);
    if (status) return status;
    analysis->expected = xl_arena_alloc(&analysis->scratch,
                                        (analysis->groups.count + 1) * sizeof *analysis->expected);
    if (!analysis->expected) return xl_fail_nomem(err, "a model of rates", 0);
    return xl_model_fit(analysis, err);
}
