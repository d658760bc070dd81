/* observe_order.c - the rows of a table in the order of time, and values numbered as they come. */
#include "insight/index/observe_inner.h"

#include "base/threads.h"

#include <stdlib.h>
#include <string.h>

/* Ids are given as logs are read: an index that is made anew may have others. When and where
 * pictures were made stays, so rows are in that order, and values are numbered as rows name them.
 */
struct place {
    int64_t made_at, path_key;
    uint32_t row;
};

static int by_place(const void *a, const void *b) {
    const struct place *x = a, *y = b;
    if (x->made_at != y->made_at) return x->made_at < y->made_at ? -1 : 1;
    if (x->path_key != y->path_key) return x->path_key < y->path_key ? -1 : 1;
    return x->row < y->row ? -1 : 1;
}

static bool order_numbers(int64_t **numbers, const struct place *order, size_t n) {
    int64_t *ordered = malloc((n + 1) * sizeof *ordered);
    for (size_t i = 0; ordered && i < n; i++) ordered[i] = (*numbers)[order[i].row];
    if (!ordered) return false;
    free(*numbers);
    *numbers = ordered;
    return true;
}

static bool order_bytes(uint8_t **bytes, const struct place *order, size_t n) {
    uint8_t *ordered = malloc(n + 1);
    for (size_t i = 0; ordered && i < n; i++) ordered[i] = (*bytes)[order[i].row];
    if (!ordered) return false;
    free(*bytes);
    *bytes = ordered;
    return true;
}

static bool order_column(struct xl_observed_column *column, const struct place *order, size_t n) {
    size_t n_levels = column->levels.n, seen = 0;
    uint32_t *ordered = malloc((n + 1) * sizeof *ordered);
    uint32_t *number = malloc((n_levels + 1) * sizeof *number); /* of a level, now */
    uint64_t(*values)[2] = malloc((n_levels + 1) * sizeof *values);
    bool ok = ordered && number && values;
    if (ok) memset(number, 0xff, n_levels * sizeof *number);
    for (size_t i = 0; ok && i < n; i++) {
        uint32_t level = column->of_row[order[i].row];
        ordered[i] = XL_NO_LEVEL;
        if (level == XL_NO_LEVEL) continue;
        if (number[level] == UINT32_MAX) {
            memcpy(values[seen], column->levels.values[level], sizeof *values);
            number[level] = (uint32_t)seen++;
        }
        ordered[i] = number[level];
    }
    free(number);
    free(ok ? column->of_row : ordered);
    free(ok ? (void *)column->levels.values : (void *)values);
    if (!ok) return false;
    column->of_row = ordered;
    column->levels.values = values;
    return true;
}

static bool order_choices(struct xl_observed_table *table, const struct place *order, size_t n) {
    uint32_t *row = table->view.choice_count ? malloc((n + 1) * sizeof *row) : NULL;
    if (!table->view.choice_count) return true;
    for (size_t i = 0; row && i < n; i++) row[order[i].row] = (uint32_t)i;
    for (size_t i = 0; row && i < table->view.choice_count; i++)
        table->choices[i] =
            (struct xl_choice){row[table->choices[i].winner], row[table->choices[i].loser]};
    free(row);
    return row != NULL;
}

/* Ids come in the order of time but for what was made within one second, or read from another log:
 * where times rise, only what has the same time is sorted. */
static void sort(struct place *order, size_t n) {
    bool rises = true;
    for (size_t i = 1; i < n && rises; i++) rises = order[i - 1].made_at <= order[i].made_at;
    for (size_t first = 0, end; first < n; first = end) {
        end = rises ? first + 1 : n;
        while (end < n && order[end].made_at == order[first].made_at) end++;
        if (end - first > 1) qsort(order + first, end - first, sizeof *order, by_place);
    }
}

/* What is put in order, each by a task of its own. */
enum { NUMBERS = 2, BYTES = 2, TASKS = NUMBERS + BYTES + 1 + XL_FACTOR_SOURCES_MAX };

struct ordering {
    struct xl_observed_table *table;
    const struct place *order;
    size_t n;
    bool ok[TASKS];
};

static void run_task(void *user, int64_t task, int worker) {
    struct ordering *ordering = user;
    struct xl_observed_table *table = ordering->table;
    const struct place *order = ordering->order;
    int64_t **numbers[NUMBERS] = {&table->made_at, &table->picture};
    uint8_t **bytes[BYTES] = {&table->loved, &table->rating};
    size_t i = (size_t)task, n = ordering->n;
    (void)worker;
    if (i < NUMBERS)
        ordering->ok[task] = order_numbers(numbers[i], order, n);
    else if ((i -= NUMBERS) < BYTES)
        ordering->ok[task] = order_bytes(bytes[i], order, n);
    else if ((i -= BYTES) < 1)
        ordering->ok[task] = order_column(&table->prompts, order, n);
    else
        ordering->ok[task] = order_column(&table->columns[i - 1], order, n);
}

static bool order_all(struct xl_observed_table *table, const struct place *order, size_t n,
                      struct xl_pool *pool) {
    struct ordering ordering = {.table = table, .order = order, .n = n};
    int64_t n_tasks = NUMBERS + BYTES + 1;
    for (int i = 0; xl_factor_source_at(i); i++) n_tasks++;
    xl_pool_run(pool, n_tasks, run_task, &ordering);
    bool ok = order_choices(table, order, n);
    for (int64_t i = 0; i < n_tasks; i++) ok &= ordering.ok[i];
    return ok;
}

enum xl_status xl_observed_order(struct xl_observed_table *table, struct xl_err *err) {
    size_t n = table->view.row_count;
    struct xl_pool *pool = NULL;
    struct place *order = malloc((n + 1) * sizeof *order);
    bool is_in_order = true;
    if (!order) return xl_fail_nomem(err, "a table of pictures", n * sizeof *order);
    for (size_t i = 0; i < n; i++) {
        order[i] = (struct place){table->made_at[i], table->path_key[i], (uint32_t)i};
        is_in_order &= !i || by_place(&order[i - 1], &order[i]) < 0;
    }
    enum xl_status status = is_in_order ? XL_OK : xl_pool_new(0, NULL, &pool, err);
    if (!is_in_order && !status) {
        sort(order, n);
        if (!order_all(table, order, n, pool))
            status = xl_fail_nomem(err, "a table of pictures", 0);
    }
    xl_pool_free(pool);
    free(order);
    return status;
}
