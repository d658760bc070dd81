/* deltas.c - what is added to weights, as plan.h defines it. Sums are taken in double. */
#include "backend/reference/reference.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

bool xl_ref_read(float *out, const struct xl_tensor *tensor) {
    int64_t n = xl_shape_count(tensor->shape);
    void *plain = malloc((size_t)n * xl_dtype_size(tensor->dtype) + 1);
    if (!plain) return false;
    xl_tensor_read(tensor, 0, n, plain);
    xl_convert(out, XL_DTYPE_F32, plain, tensor->dtype, n);
    free(plain);
    return true;
}

/* All numbers of a tensor, malloc'd. NULL: no memory, or no tensor */
static double *numbers_of(const struct xl_tensor *tensor) {
    if (!tensor) return NULL;
    int64_t n = xl_shape_count(tensor->shape);
    float *narrow = malloc((size_t)n * sizeof *narrow);
    double *wide = malloc((size_t)n * sizeof *wide);
    bool ok = narrow && wide && xl_ref_read(narrow, tensor);
    for (int64_t i = 0; ok && i < n; i++) wide[i] = (double)narrow[i];
    free(narrow);
    if (ok) return wide;
    free(wide);
    return NULL;
}

/* Number i of row p of the right half. */
static double right(const double *mid, const double *down, const struct xl_factor_size *s,
                    int64_t p, int64_t i) {
    if (!mid) return down[p * s->length + i];
    double sum = 0;
    for (int64_t q = 0; q < s->q; q++)
        sum += mid[(p * s->q + q) * s->taps + i % s->taps] * down[q * s->c + i / s->taps];
    return sum;
}

/* A factor as a matrix, malloc'd. NULL: no memory */
static double *matrix_of(const struct xl_factor *factor, const struct xl_factor_size *s) {
    if (!factor->up) return numbers_of(factor->down);
    double *up = numbers_of(factor->up), *mid = numbers_of(factor->mid);
    double *down = numbers_of(factor->down);
    double *out = calloc((size_t)(s->rows * s->length), sizeof *out);
    if (!up || !down || !out || (factor->mid && !mid)) {
        free(out);
        out = NULL;
    }
    for (int64_t p = 0; out && p < s->r; p++)
        for (int64_t i = 0; i < s->length; i++) {
            double x = right(mid, down, s, p, i);
            for (int64_t o = 0; o < s->rows; o++) out[o * s->length + i] += up[o * s->r + p] * x;
        }
    free(up);
    free(mid);
    free(down);
    return out;
}

/* scale T, malloc'd. NULL: no memory */
static double *term_of(const struct xl_delta *delta, int64_t rows, int64_t length) {
    struct xl_factor_size sa = xl_factor_size(&delta->a), sb = {0};
    double *a = matrix_of(&delta->a, &sa), *b = NULL;
    double *out = malloc((size_t)(rows * length) * sizeof *out);
    if (delta->kind != XL_DELTA_PLAIN) {
        sb = xl_factor_size(&delta->b);
        b = matrix_of(&delta->b, &sb);
    }
    if (!a || !out || (delta->kind != XL_DELTA_PLAIN && !b)) {
        free(out);
        out = NULL;
    }
    for (int64_t k = 0; out && k < rows * length; k++) {
        int64_t i = k / length, j = k % length;
        double x = 0;
        switch (delta->kind) {
        case XL_DELTA_PLAIN:
            x = a[k];
            break;
        case XL_DELTA_HADAMARD:
            x = a[k] * b[k];
            break;
        case XL_DELTA_KRONECKER:
            x = a[i / sb.rows * sa.length + j / sb.length] *
                b[i % sb.rows * sb.length + j % sb.length];
            break;
        }
        out[k] = (double)delta->scale * x;
    }
    free(a);
    free(b);
    return out;
}

/* term, of W + term, becomes strength (F (W + term) - W). False: no memory */
static bool set_magnitude(const struct xl_delta *delta, const float *w, double *term,
                          struct xl_shape shape) {
    int64_t rows = shape.dim[0], length = xl_shape_count(shape) / rows;
    int64_t columns = shape.rank > 1 ? shape.dim[1] : 1, taps = length / columns;
    double *magnitude = numbers_of(delta->magnitude);
    double *squares = calloc((size_t)(rows + columns), sizeof *squares);
    bool ok = magnitude && squares;
    for (int64_t k = 0; ok && k < rows * length; k++) {
        int64_t f = delta->is_by_column ? k % length / taps : k / length;
        double x = (double)w[k] + term[k];
        squares[f] += x * x;
    }
    for (int64_t k = 0; ok && k < rows * length; k++) {
        int64_t f = delta->is_by_column ? k % length / taps : k / length;
        double factor = magnitude[f] / (sqrt(squares[f]) + (double)FLT_EPSILON);
        term[k] = (double)delta->strength * (factor * ((double)w[k] + term[k]) - (double)w[k]);
    }
    free(magnitude);
    free(squares);
    return ok;
}

bool xl_ref_add_deltas(float *x, const struct xl_weight_part *part) {
    struct xl_shape shape = part->tensor->shape;
    int64_t rows = shape.dim[0], n = xl_shape_count(shape);
    double *sum = calloc((size_t)n, sizeof *sum);
    bool ok = sum != NULL;
    for (int d = 0; ok && d < part->n_deltas; d++) {
        const struct xl_delta *delta = &part->deltas[d];
        double *term = term_of(delta, rows, n / rows);
        ok = term && (!delta->magnitude || set_magnitude(delta, x, term, shape));
        for (int64_t k = 0; ok && k < n; k++) sum[k] += term[k];
        free(term);
    }
    for (int64_t k = 0; ok && k < n; k++) x[k] = (float)((double)x[k] + sum[k]);
    free(sum);
    return ok;
}
