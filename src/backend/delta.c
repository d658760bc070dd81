/* delta.c - which shapes make a delta. */
#include "backend/plan.h"

/* Far from overflow in any product of two. */
static bool is_countable(const struct xl_tensor *tensor) {
    static const int64_t most = INT64_C(1) << 40;
    int64_t count = 1;
    if (tensor->shape.rank < 1 || tensor->shape.rank > XL_MAX_RANK) return false;
    for (int i = 0; i < tensor->shape.rank; i++) {
        if (tensor->shape.dim[i] < 1 || tensor->shape.dim[i] > most / count) return false;
        count *= tensor->shape.dim[i];
    }
    return true;
}

static int64_t count_of(const struct xl_tensor *tensor) {
    return xl_shape_count(tensor->shape);
}

/* The right half. False: its tensors do not go together. */
static bool size_right(const struct xl_factor *factor, struct xl_factor_size *size) {
    int64_t first = factor->down->shape.dim[0];
    if (!factor->mid) {
        size->length = count_of(factor->down) / first;
        return first == size->r;
    }
    if (factor->mid->shape.rank < 2) return false;
    size->q = factor->mid->shape.dim[1];
    size->taps = count_of(factor->mid) / (factor->mid->shape.dim[0] * size->q);
    size->c = count_of(factor->down) / first;
    size->length = size->c * size->taps;
    return factor->mid->shape.dim[0] == size->r && first == size->q;
}

struct xl_factor_size xl_factor_size(const struct xl_factor *factor) {
    struct xl_factor_size size = {0};
    static const struct xl_factor_size none = {0};
    if (!factor->down || !is_countable(factor->down)) return none;
    if (!factor->up) {
        if (factor->mid) return none;
        size.rows = factor->down->shape.dim[0];
        size.length = count_of(factor->down) / size.rows;
        return size;
    }
    if (!is_countable(factor->up) || (factor->mid && !is_countable(factor->mid))) return none;
    size.rows = factor->up->shape.dim[0];
    size.r = count_of(factor->up) / size.rows;
    return size_right(factor, &size) ? size : none;
}

static bool is_magnitude(const struct xl_delta *delta, struct xl_shape shape) {
    if (!delta->magnitude) return true;
    int64_t wanted = delta->is_by_column ? shape.rank > 1 ? shape.dim[1] : 1 : shape.dim[0];
    return is_countable(delta->magnitude) && count_of(delta->magnitude) == wanted;
}

bool xl_delta_fits(const struct xl_delta *delta, struct xl_shape shape) {
    struct xl_factor_size a = xl_factor_size(&delta->a), b = {1, 0, 1, 0, 0, 0};
    int64_t rows = shape.dim[0], length = xl_shape_count(shape) / rows;
    if (delta->kind != XL_DELTA_PLAIN) b = xl_factor_size(&delta->b);
    if (!a.rows || !b.rows || !is_magnitude(delta, shape)) return false;
    if (delta->kind == XL_DELTA_KRONECKER)
        return rows % a.rows == 0 && rows / a.rows == b.rows && length % a.length == 0 &&
               length / a.length == b.length;
    bool fits = a.rows == rows && a.length == length;
    if (delta->kind == XL_DELTA_HADAMARD) fits = fits && b.rows == rows && b.length == length;
    return fits;
}
