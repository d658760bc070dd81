/* cell_order.c - which cells are drawn together, and in which order. Keeps no state. */
#include "lab/cell/cell.h"

#include "lab/cell/cell_fields.h"

#include <stdlib.h>

static bool same(const struct xl_cell *a, const struct xl_cell *b,
                 const struct xl_cell_field *field) {
    bool has = xl_cell_has(a, field);
    if (has != xl_cell_has(b, field)) return false;
    return !has || !xl_cell_compare(a, b, field);
}

bool xl_cell_fits(const struct xl_cell *a, const struct xl_cell *b) {
    const struct xl_cell_field *field;
    for (int i = 0; (field = xl_cell_field_at(i)); i++)
        if (field->bits & XL_CELL_SHARED && !same(a, b, field)) return false;
    return true;
}

/* --- Order ------------------------------------------------------------------------------------ */

/* A field that orders. Texts are ordered by where they first came: rank, by cell. */
struct key {
    const struct xl_cell_field *field;
    int *rank; /* NULL: the values have an order of their own */
};

struct work {
    const struct xl_cell *cells;
    struct key keys[XL_CELL_MAX_FIELDS]; /* what changes least comes first */
    int n_keys;
};

static int by_work(const void *left, const void *right, void *user) {
    const struct work *work = user;
    int x = *(const int *)left, y = *(const int *)right;
    for (int k = 0; k < work->n_keys; k++) {
        const struct key *key = &work->keys[k];
        int order = key->rank ? key->rank[x] - key->rank[y]
                              : xl_cell_compare(&work->cells[x], &work->cells[y], key->field);
        if (order) return order;
    }
    return x - y;
}

struct texts {
    const struct xl_cell *cells;
    const struct xl_cell_field *field;
};

static int by_text(const void *left, const void *right, void *user) {
    const struct texts *texts = user;
    int x = *(const int *)left, y = *(const int *)right;
    int order = xl_cell_compare(&texts->cells[x], &texts->cells[y], texts->field);
    return order ? order : x - y;
}

/* The first cell with the same text, by cell. Leaves order sorted by text. NULL: out of memory */
static int *rank_texts(const struct xl_cell *cells, const struct xl_cell_field *field, int *order,
                       int n) {
    int *rank = calloc((size_t)n + 1, sizeof *rank);
    if (!rank) return NULL;
    struct texts texts = {cells, field};
    qsort_r(order, (size_t)n, sizeof *order, by_text, &texts);
    for (int i = 0, first = 0; i < n; i++) {
        if (xl_cell_compare(&cells[order[first]], &cells[order[i]], field)) first = i;
        rank[order[i]] = order[first];
    }
    return rank;
}

static int by_order(const void *left, const void *right) {
    return ((const struct key *)left)->field->order - ((const struct key *)right)->field->order;
}

static enum xl_status find_keys(struct work *work, int *order, int n, struct xl_err *err) {
    const struct xl_cell_field *field;
    for (int i = 0; (field = xl_cell_field_at(i)); i++) {
        if (!field->order) continue;
        struct key *key = &work->keys[work->n_keys++];
        key->field = field;
        if (field->type != XL_CELL_TEXT) continue;
        key->rank = rank_texts(work->cells, field, order, n);
        if (!key->rank) return xl_fail_nomem(err, "cells", (size_t)n * sizeof(int));
    }
    qsort(work->keys, (size_t)work->n_keys, sizeof *work->keys, by_order);
    return XL_OK;
}

enum xl_status xl_cells_sort(const struct xl_cell *cells, int n, int *order, struct xl_err *err) {
    struct work work = {.cells = cells};
    for (int i = 0; i < n; i++) order[i] = i;
    enum xl_status status = find_keys(&work, order, n, err);
    if (!status) qsort_r(order, (size_t)n, sizeof *order, by_work, &work);
    for (int k = 0; k < work.n_keys; k++) free(work.keys[k].rank);
    return status;
}
