/* tables.c - the levels of each column in order, and where its numbers lie. */
#include "insight/taste/analysis.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int surest(const void *a, const void *b) {
    const struct xl_taste_level *x = a, *y = b;
    double p = x->rate.interval.low, q = y->rate.interval.low;
    if (p != q) return p > q ? -1 : 1;
    if (x->rate.made != y->rate.made) return x->rate.made > y->rate.made ? -1 : 1;
    return x->level < y->level ? -1 : 1;
}

struct number {
    double value;
    uint64_t made, loved;
};

static int ascending(const void *a, const void *b) {
    double x = ((const struct number *)a)->value, y = ((const struct number *)b)->value;
    return (x > y) - (x < y);
}

/* The smallest value that at least this share of the pictures does not exceed. */
static double quantile(const struct number *numbers, size_t n, bool of_loved, double share) {
    uint64_t total = 0, seen = 0;
    for (size_t i = 0; i < n; i++) total += of_loved ? numbers[i].loved : numbers[i].made;
    for (size_t i = 0; total && i < n; i++) {
        seen += of_loved ? numbers[i].loved : numbers[i].made;
        if ((double)seen >= share * (double)total) return numbers[i].value;
    }
    return NAN;
}

static struct xl_taste_quartiles quartiles(const struct number *numbers, size_t n, bool of_loved) {
    return (struct xl_taste_quartiles){quantile(numbers, n, of_loved, 0.25),
                                       quantile(numbers, n, of_loved, 0.5),
                                       quantile(numbers, n, of_loved, 0.75)};
}

/* Seeds are digits and no quantity. */
static enum xl_status put_quartiles(const struct xl_observed_factor *factor,
                                    const struct xl_level_count *counts,
                                    struct xl_taste_table *table, struct xl_err *err) {
    size_t n = 0;
    table->of_all = table->of_loved = (struct xl_taste_quartiles){NAN, NAN, NAN};
    if (!strcmp(factor->name, "seed") || !table->n_used) return XL_OK;
    struct number *numbers = malloc((table->n_used + 1) * sizeof *numbers);
    if (!numbers) return xl_fail_nomem(err, "a table", 0);
    table->is_number = true;
    for (size_t i = 0; i < factor->level_count; i++) {
        const char *text = factor->levels[i];
        char *end;
        double value = strtod(text, &end);
        if (!counts[i].made) continue;
        table->is_number &= *text && !*end && isfinite(value);
        numbers[n++] = (struct number){value, counts[i].made, counts[i].loved};
    }
    if (table->is_number) {
        qsort(numbers, n, sizeof *numbers, ascending);
        table->of_all = quartiles(numbers, n, false);
        table->of_loved = quartiles(numbers, n, true);
    }
    free(numbers);
    return XL_OK;
}

/* Put a level among those that are kept, which are in order. */
static void keep(struct xl_taste_level *kept, struct xl_taste_table *table,
                 const struct xl_taste_level *level) {
    size_t at = table->count < XL_TASTE_LEVELS ? table->count++ : XL_TASTE_LEVELS;
    if (at == XL_TASTE_LEVELS && surest(level, &kept[at - 1]) > 0) return;
    for (; at > 0 && surest(level, &kept[at - 1]) < 0; at--)
        if (at < XL_TASTE_LEVELS) kept[at] = kept[at - 1];
    kept[at] = *level;
}

/* The levels that were used, the surest ones in order. */
static enum xl_status put_levels(struct xl_analysis *analysis, size_t f,
                                 struct xl_taste_table *table, struct xl_err *err) {
    const struct xl_observed_factor *factor = &analysis->observations->factors[f];
    size_t n = factor->level_count, most = n < XL_TASTE_LEVELS ? n : XL_TASTE_LEVELS;
    struct xl_taste_level *kept = xl_arena_alloc(analysis->arena, (most + 1) * sizeof *kept);
    if (!kept) return xl_fail_nomem(err, "tables", most * sizeof *kept);
    table->factor = (uint32_t)f;
    table->levels = kept;
    table->n_unset = analysis->observations->row_count;
    for (size_t i = 0; i < n; i++) {
        table->n_unset -= analysis->counts[f][i].made;
        table->n_used += analysis->counts[f][i].made > 0;
    }
    for (size_t i = 0; i < analysis->n_levels[f]; i++)
        if (analysis->levels[f][i].rate.made) keep(kept, table, &analysis->levels[f][i]);
    return put_quartiles(factor, analysis->counts[f], table, err);
}

enum xl_status xl_analyse_tables(struct xl_analysis *analysis, struct xl_err *err) {
    size_t F = analysis->observations->factor_count;
    struct xl_taste_table *tables = xl_arena_alloc(analysis->arena, (F + 1) * sizeof *tables);
    enum xl_status status = tables ? XL_OK : xl_fail_nomem(err, "tables", 0);
    for (size_t f = 0; !status && f < F; f++) status = put_levels(analysis, f, &tables[f], err);
    analysis->taste->tables = tables;
    analysis->taste->table_count = status ? 0 : F;
    return status;
}
