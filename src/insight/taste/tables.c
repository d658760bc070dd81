/* tables.c - the levels of each column in order, and where its numbers lie. */
#include "insight/taste/analysis.h"

#include <math.h>
#include <stdlib.h>

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

static enum xl_status put_quartiles(const struct xl_observed_factor *factor,
                                    struct xl_taste_table *table, struct xl_err *err) {
    struct number *numbers = malloc((table->count + 1) * sizeof *numbers);
    if (!numbers) return xl_fail_nomem(err, "a table", 0);
    table->is_number = table->count > 0;
    for (size_t i = 0; i < table->count; i++) {
        const struct xl_taste_level *level = &table->levels[i];
        const char *text = factor->levels[level->level];
        char *end;
        double value = strtod(text, &end);
        table->is_number &= *text && !*end && isfinite(value);
        numbers[i] = (struct number){value, level->rate.made, level->rate.loved};
    }
    table->of_all = table->of_loved = (struct xl_taste_quartiles){NAN, NAN, NAN};
    if (table->is_number) {
        qsort(numbers, table->count, sizeof *numbers, ascending);
        table->of_all = quartiles(numbers, table->count, false);
        table->of_loved = quartiles(numbers, table->count, true);
    }
    free(numbers);
    return XL_OK;
}

enum xl_status xl_analyse_tables(struct xl_analysis *analysis, struct xl_err *err) {
    const struct xl_observations *rows = analysis->observations;
    size_t F = rows->factor_count;
    struct xl_taste_table *tables = xl_arena_alloc(analysis->arena, (F + 1) * sizeof *tables);
    enum xl_status status = tables ? XL_OK : xl_fail_nomem(err, "tables", 0);
    for (size_t f = 0; !status && f < F; f++) {
        struct xl_taste_table *table = &tables[f];
        size_t n = rows->factors[f].level_count;
        struct xl_taste_level *levels = xl_arena_alloc(analysis->arena, (n + 1) * sizeof *levels);
        if (!levels) return xl_fail_nomem(err, "tables", n * sizeof *levels);
        table->factor = (uint32_t)f;
        table->n_unset = rows->row_count;
        for (size_t i = 0; i < n; i++) {
            if (!analysis->levels[f][i].rate.made) continue;
            levels[table->count++] = analysis->levels[f][i];
            table->n_unset -= analysis->levels[f][i].rate.made;
        }
        qsort(levels, table->count, sizeof *levels, surest);
        table->levels = levels;
        status = put_quartiles(&rows->factors[f], table, err);
    }
    analysis->taste->tables = tables;
    analysis->taste->table_count = status ? 0 : F;
    return status;
}
