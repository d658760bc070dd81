/* posterior.c - what the model knows of models, profiles and sizes, for whoever draws one by lot.
 */
#include "insight/taste/analysis.h"

#include "insight/stats/matrix.h"

#include <math.h>
#include <string.h>

const char *const xl_posterior_columns[XL_POSTERIOR_FACTORS] = {"model", "profile", "resolution"};

/* The levels of a column that have a coefficient. */
static void add_levels(const struct xl_analysis *analysis, int k, struct xl_taste_posterior *out,
                       uint32_t *level, uint32_t *coefficient) {
    uint32_t f = out->factor[k], column = f == XL_NO_LEVEL ? XL_NO_LEVEL : analysis->column_of[f];
    if (column == XL_NO_LEVEL) return;
    out->spread[k] = sqrt(analysis->model.variance[column]);
    for (uint32_t i = 0; i < analysis->observations->factors[f].level_count; i++) {
        if (analysis->coefficient[column][i] == XL_NO_COEFFICIENT) continue;
        level[out->n] = i;
        coefficient[out->n++] = analysis->coefficient[column][i] + 1;
        out->count[k]++;
    }
}

enum xl_status xl_analyse_posterior(struct xl_analysis *analysis, struct xl_err *err) {
    struct xl_taste_posterior *out = &analysis->taste->posterior;
    const struct xl_logistic *model = &analysis->model;
    enum { MOST = XL_POSTERIOR_FACTORS * XL_FEW_LEVELS };
    uint32_t coefficient[MOST];
    if (!analysis->taste->has_model) return XL_OK;
    uint32_t *level = xl_arena_alloc(analysis->arena, MOST * sizeof *level);
    if (!level) return xl_fail_nomem(err, "what is known of levels", 0);
    for (int k = 0; k < XL_POSTERIOR_FACTORS; k++) {
        int f = xl_taste_factor(analysis->observations, xl_posterior_columns[k]);
        out->factor[k] = f < 0 ? XL_NO_LEVEL : (uint32_t)f;
        add_levels(analysis, k, out, level, coefficient);
    }
    size_t n = out->n;
    double *mean = xl_arena_alloc(analysis->arena, (n + n * n + 1) * sizeof *mean);
    if (!mean) return xl_fail_nomem(err, "what is known of levels", n * n * sizeof *mean);
    double *root = mean + n;
    for (size_t i = 0; i < n; i++) {
        mean[i] = model->beta[coefficient[i]];
        for (size_t j = 0; j <= i; j++)
            root[i * n + j] = model->covariance[coefficient[i] * model->n + coefficient[j]];
    }
    out->level = level;
    out->mean = mean;
    out->root = root;
    if (!xl_cholesky(root, n)) memset(root, 0, n * n * sizeof *root); /* rounding: none is unsure */
    return XL_OK;
}
