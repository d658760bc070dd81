/* next.c - what is not known yet, and which pictures would tell.
 *
 * The next sweep is a grid over the columns of bundles, grown level by level: each time by the
 * level whose new cells promise most. What a cell promises is its expected improvement over the
 * best that is known (J. Mockus, 1975; D. Jones and others, 1998): large where the model expects
 * much, and where it is unsure. */
#include "insight/taste/analysis.h"
#include "lab/settings/settings.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CANDIDATES = 6, LEAST_BATCH = 10 };

/* --- What was tried too little ---------------------------------------------------------------- */

/* Pictures with which a rate of twice the average would show: a test of one proportion at 5 %, four
 * times in five. Where so many were made and it is still not clear, as many as make it clear if the
 * rate stays what it is. */
static uint64_t pictures_needed(const struct xl_analysis *analysis,
                                const struct xl_taste_rate *rate) {
    double p = analysis->taste->all.rate, q = fmin(2 * p, (1 + p) / 2);
    double a = xl_normal_quantile(0.975), b = xl_normal_quantile(0.8);
    double root = (a * sqrt(p * (1 - p)) + b * sqrt(q * (1 - q))) / (q - p);
    double n = ceil(root * root), made = (double)rate->made;
    if (n <= made)
        for (n = made * 1.1; n < made * 20; n *= 1.1) {
            uint64_t loved = (uint64_t)(rate->rate * n + 0.5);
            struct xl_interval then = xl_wilson(loved, (uint64_t)n, XL_TASTE_CONFIDENCE);
            if (then.low > p || then.high < p || (then.low > p / 2 && then.high < 2 * p)) break;
        }
    return (uint64_t)(ceil(n) - made);
}

/* How much a level may be worth: the ratio to the average, and one standard deviation. */
static double promise(const struct xl_analysis *analysis, const struct xl_taste_rate *rate) {
    double expected = (double)rate->made * analysis->taste->all.rate;
    return ((double)rate->loved + 1 + sqrt((double)rate->loved + 1)) / (expected + 1);
}

static enum xl_status find_gaps(struct xl_analysis *analysis, struct xl_err *err) {
    struct xl_taste *taste = analysis->taste;
    struct xl_taste_gap *gaps = xl_arena_alloc(analysis->arena, XL_TASTE_GAPS * sizeof *gaps);
    if (!gaps) return xl_fail_nomem(err, "what was tried too little", 0);
    for (size_t c = 0; taste->has_model && c < analysis->groups.factor_count; c++) {
        uint32_t factor = analysis->groups.factor[c];
        for (size_t i = 0; i < analysis->observations->factors[factor].level_count; i++) {
            const struct xl_taste_level *level = &analysis->levels[factor][i];
            const struct xl_taste_rate *rate = &level->rate;
            if (!rate->made || rate->made == taste->all.made || level->verdict != XL_TASTE_UNKNOWN)
                continue;
            size_t at = taste->gap_count < XL_TASTE_GAPS ? taste->gap_count++ : XL_TASTE_GAPS;
            for (; at > 0 && promise(analysis, rate) > promise(analysis, &gaps[at - 1].rate); at--)
                if (at < XL_TASTE_GAPS) gaps[at] = gaps[at - 1];
            if (at < XL_TASTE_GAPS)
                gaps[at] = (struct xl_taste_gap){factor, (uint32_t)i, *rate,
                                                 pictures_needed(analysis, rate)};
        }
    }
    taste->gaps = gaps;
    return XL_OK;
}

/* --- The next sweep --------------------------------------------------------------------------- */

/* A grid of candidates: levels of each column, and what each cell promises. */
struct grid {
    size_t n;                           /* columns */
    uint32_t column[XL_BUNDLE_FACTORS]; /* of the groups */
    size_t count[XL_BUNDLE_FACTORS];
    uint32_t level[XL_BUNDLE_FACTORS][CANDIDATES];
    size_t n_cells;
    double *gain;     /* [n_cells] */
    uint32_t *loved;  /* [n_cells] */
    double *expected; /* [n_cells] */
    double *log_odds, *variance;
    bool is_in[XL_BUNDLE_FACTORS][CANDIDATES];
    size_t usual[XL_BUNDLE_FACTORS]; /* index of the level that most loved pictures have */
};

/* The level that most loved pictures have and the model knows; UINT32_MAX: it knows none. */
static uint32_t usual_level(const struct xl_analysis *analysis, size_t column) {
    uint32_t factor = analysis->groups.factor[column], usual = UINT32_MAX;
    const struct xl_taste_level *levels = analysis->levels[factor];
    for (uint32_t i = 0; i < analysis->observations->factors[factor].level_count; i++) {
        if (analysis->coefficient[column][i] == XL_NO_COEFFICIENT) continue;
        const struct xl_taste_rate *rate = &levels[i].rate;
        const struct xl_taste_rate *best = usual == UINT32_MAX ? NULL : &levels[usual].rate;
        if (!best || rate->loved > best->loved ||
            (rate->loved == best->loved && rate->made > best->made))
            usual = i;
    }
    return usual;
}

/* Whether drawing more of a level may tell something: of one that is known to be as usual, or less,
 * and of which no combination is loved, nothing is to be expected. Without this an untried cell
 * would be drawn for its being untried, whatever is known of its levels. */
static bool may_tell(const struct xl_analysis *analysis, size_t column, uint32_t i) {
    uint32_t factor = analysis->groups.factor[column];
    const struct xl_taste_level *level = &analysis->levels[factor][i];
    bool is_known = level->verdict == XL_TASTE_USUAL || level->verdict == XL_TASTE_LESS;
    if (!is_known || (level->has_effect && level->odds_interval.low > 1)) return true;
    for (size_t b = 0; b < analysis->n_beyond; b++)
        for (size_t k = 0; k < analysis->beyond[b].n; k++)
            if (analysis->beyond[b].column[k] == column && analysis->beyond[b].level[k] == i)
                return true;
    return false;
}

/* The levels of a column that may be best: the model's estimate and 1.6 standard errors. The usual
 * one is always among them. */
static void choose_levels(const struct xl_analysis *analysis, struct grid *grid, size_t k) {
    const uint32_t *coefficient = analysis->coefficient[grid->column[k]];
    uint32_t factor = analysis->groups.factor[grid->column[k]];
    double scores[CANDIDATES];
    uint32_t usual = usual_level(analysis, grid->column[k]);
    for (uint32_t i = 0; i < analysis->observations->factors[factor].level_count; i++) {
        if (coefficient[i] == XL_NO_COEFFICIENT) continue;
        if (i != usual && !may_tell(analysis, grid->column[k], i)) continue;
        size_t c = coefficient[i] + 1;
        const struct xl_logistic *model = &analysis->model;
        double score = model->beta[c] + 1.6 * sqrt(model->covariance[c * model->n + c]);
        size_t at = grid->count[k] < CANDIDATES ? grid->count[k]++ : CANDIDATES;
        for (; at > 0 && score > scores[at - 1]; at--) {
            if (at == CANDIDATES) continue;
            scores[at] = scores[at - 1];
            grid->level[k][at] = grid->level[k][at - 1];
        }
        if (at == CANDIDATES) continue;
        scores[at] = score;
        grid->level[k][at] = i;
    }
    size_t at = 0;
    while (at < grid->count[k] && grid->level[k][at] != usual) at++;
    if (at == grid->count[k] && usual != UINT32_MAX) grid->level[k][--at] = usual;
    grid->usual[k] = at;
}

/* Which cell of the grid levels of the groups' columns are in; SIZE_MAX: none. */
static size_t cell_of(const struct grid *grid, const uint32_t *levels) {
    size_t cell = 0;
    for (size_t k = 0; k < grid->n; k++) {
        size_t i = 0;
        while (i < grid->count[k] && grid->level[k][i] != levels[grid->column[k]]) i++;
        if (i == grid->count[k]) return SIZE_MAX;
        cell = cell * grid->count[k] + i;
    }
    return cell;
}

static size_t index_in(const struct grid *grid, size_t cell, size_t k) {
    for (size_t j = grid->n - 1; j > k; j--) cell /= grid->count[j];
    return cell % grid->count[k];
}

static void predict(const struct xl_analysis *analysis, struct grid *grid) {
    uint32_t levels[XL_GROUP_FACTORS], seen[XL_MODEL_COLUMNS];
    for (size_t cell = 0; cell < grid->n_cells; cell++) {
        for (size_t f = 0; f < analysis->groups.factor_count; f++) levels[f] = XL_NO_LEVEL;
        for (size_t k = 0; k < grid->n; k++)
            levels[grid->column[k]] = grid->level[k][index_in(grid, cell, k)];
        xl_model_levels(analysis, levels, seen);
        grid->log_odds[cell] = xl_logistic_predict(
            &analysis->model, seen, analysis->data.factor_count, &grid->variance[cell]);
    }
}

/* Expected improvement of each cell over the best expected one. */
static void put_gains(const struct xl_analysis *analysis, struct grid *grid) {
    const struct xl_groups *groups = &analysis->groups;
    double best = -INFINITY;
    for (size_t g = 0; g < groups->count; g++) {
        size_t cell = cell_of(grid, groups->levels + g * groups->factor_count);
        if (cell == SIZE_MAX) continue;
        grid->loved[cell] += groups->loved[g];
        grid->expected[cell] += analysis->expected[g];
    }
    struct xl_shrinkage shrinkage = xl_shrinkage_fit(grid->loved, grid->expected, grid->n_cells);
    if (shrinkage.share <= 0) /* never quite sure that the parts are all */
        shrinkage = (struct xl_shrinkage){.share = 0.01, .shape = 1, .mean = 2};
    for (size_t cell = 0; cell < grid->n_cells; cell++) {
        double variance;
        grid->log_odds[cell] +=
            log(xl_shrinkage_ratio(&shrinkage, grid->loved[cell], grid->expected[cell], &variance));
        grid->variance[cell] += variance;
        best = fmax(best, grid->log_odds[cell]);
    }
    for (size_t cell = 0; cell < grid->n_cells; cell++) {
        double s = sqrt(grid->variance[cell]), z = (grid->log_odds[cell] - best) / s;
        grid->gain[cell] = s * (z * xl_normal_cdf(z) + exp(-z * z / 2) / sqrt(2 * M_PI));
    }
}

/* The mean gain of the cells that a level would add. */
static double mean_gain(const struct grid *grid, size_t column, size_t level) {
    double sum = 0;
    size_t n = 0;
    for (size_t cell = 0; cell < grid->n_cells; cell++) {
        bool is_in = true;
        for (size_t k = 0; k < grid->n; k++) {
            size_t i = index_in(grid, cell, k);
            is_in &= k == column ? i == level : grid->is_in[k][i];
        }
        if (is_in) sum += grid->gain[cell], n++;
    }
    return n ? sum / (double)n : 0;
}

static size_t chosen(const struct grid *grid, size_t k) {
    size_t n = 0;
    for (size_t i = 0; i < grid->count[k]; i++) n += grid->is_in[k][i];
    return n;
}

/* The same cell with the usual level of a column. */
static size_t with_usual(const struct grid *grid, size_t cell, size_t k) {
    size_t stride = 1;
    for (size_t j = grid->n - 1; j > k; j--) stride *= grid->count[j];
    return cell - index_in(grid, cell, k) * stride + grid->usual[k] * stride;
}

/* The cell that promises most. Where a column does nothing, the best of its levels is so by a hair:
 * then it is the usual one, and not one that happened to come first. */
static size_t first_cell(const struct grid *grid) {
    const double AS_MUCH = 0.9;
    size_t first = 0;
    for (size_t cell = 1; cell < grid->n_cells; cell++)
        if (grid->gain[cell] > grid->gain[first]) first = cell;
    double most = grid->gain[first];
    for (size_t k = 0; k < grid->n; k++) {
        size_t usual = with_usual(grid, first, k);
        if (grid->gain[usual] >= AS_MUCH * most) first = usual;
    }
    return first;
}

/* Begin with the cell that promises most, and add levels while the budget lasts and they promise
 * anything beside that. The number of cells. */
static size_t grow(struct grid *grid, size_t budget) {
    size_t first = first_cell(grid), n_cells = 1;
    for (size_t k = 0; k < grid->n; k++) grid->is_in[k][index_in(grid, first, k)] = true;
    for (;;) {
        double best = grid->gain[first] / 50;
        size_t best_k = SIZE_MAX, best_i = 0;
        for (size_t k = 0; k < grid->n; k++) {
            size_t n = chosen(grid, k);
            if (n_cells / n * (n + 1) * LEAST_BATCH > budget) continue;
            for (size_t i = 0; i < grid->count[k]; i++) {
                double gain = grid->is_in[k][i] ? 0 : mean_gain(grid, k, i);
                if (gain > best) best = gain, best_k = k, best_i = i;
            }
        }
        if (best_k == SIZE_MAX) return n_cells;
        n_cells = n_cells / chosen(grid, best_k) * (chosen(grid, best_k) + 1);
        grid->is_in[best_k][best_i] = true;
    }
}

static enum xl_taste_why why_of(const struct xl_analysis *analysis, const struct grid *grid,
                                size_t k, size_t i) {
    uint32_t factor = analysis->groups.factor[grid->column[k]];
    const struct xl_taste_level *level = &analysis->levels[factor][grid->level[k][i]];
    if (level->verdict == XL_TASTE_MORE) return XL_WHY_LOVED;
    if (i == grid->usual[k]) return XL_WHY_USUAL;
    return level->verdict == XL_TASTE_UNKNOWN ? XL_WHY_UNKNOWN : XL_WHY_PROMISE;
}

static enum xl_status keep(struct xl_analysis *analysis, const struct grid *grid, size_t n_cells,
                           size_t budget, struct xl_err *err) {
    struct xl_taste_sweep *sweep = &analysis->taste->next;
    for (size_t k = 0; k < grid->n; k++) {
        uint32_t *levels = xl_arena_alloc(analysis->arena, CANDIDATES * sizeof *levels);
        enum xl_taste_why *why = xl_arena_alloc(analysis->arena, CANDIDATES * sizeof *why);
        if (!levels || !why) return xl_fail_nomem(err, "the next sweep", 0);
        sweep->factor[k] = analysis->groups.factor[grid->column[k]];
        sweep->levels[k] = levels;
        sweep->why[k] = why;
        for (size_t i = 0; i < grid->count[k]; i++) {
            if (!grid->is_in[k][i]) continue;
            why[sweep->level_count[k]] = why_of(analysis, grid, k, i);
            levels[sweep->level_count[k]++] = grid->level[k][i];
        }
    }
    sweep->factor_count = grid->n;
    sweep->n_cells = n_cells;
    size_t batch = budget / n_cells ? budget / n_cells : 1;
    sweep->batch = batch < XL_BATCH_MAX ? batch : XL_BATCH_MAX;
    return XL_OK;
}

static enum xl_status find_sweep(struct xl_analysis *analysis, size_t budget, struct xl_err *err) {
    struct grid grid = {.n_cells = 1};
    for (uint32_t c = 0; c < analysis->n_bundle_columns; c++) {
        if (analysis->data.first_of[c + 1] == analysis->data.first_of[c]) continue;
        grid.column[grid.n] = c;
        choose_levels(analysis, &grid, grid.n);
        grid.n_cells *= grid.count[grid.n++];
    }
    if (!grid.n) return XL_OK; /* nothing varies */
    double *numbers = xl_arena_alloc(&analysis->scratch, 4 * grid.n_cells * sizeof *numbers);
    grid.loved = xl_arena_alloc(&analysis->scratch, grid.n_cells * sizeof *grid.loved);
    if (!numbers || !grid.loved) return xl_fail_nomem(err, "the next sweep", 0);
    grid.gain = numbers;
    grid.expected = numbers + grid.n_cells;
    grid.log_odds = numbers + 2 * grid.n_cells;
    grid.variance = numbers + 3 * grid.n_cells;
    predict(analysis, &grid);
    put_gains(analysis, &grid);
    return keep(analysis, &grid, grow(&grid, budget), budget, err);
}

enum xl_status xl_analyse_next(struct xl_analysis *analysis, size_t budget, struct xl_err *err) {
    enum xl_status status = find_gaps(analysis, err);
    if (!status && analysis->taste->has_model) status = find_sweep(analysis, budget, err);
    return status;
}
