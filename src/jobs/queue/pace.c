/* pace.c - running means of seconds by cost. */
#include "jobs/queue/pace.h"

#include <string.h>

/* Decoding takes about as long as so many evaluations. */
static const double DECODE_EVALUATIONS = 2;

double xl_pace_cell(const struct xl_cell *cell) {
    double evaluations = cell->init_image ? cell->steps * cell->strength : cell->steps;
    double megapixels = (double)cell->width * cell->height / 1e6;
    return megapixels * (evaluations * (cell->guidance > 1 ? 2 : 1) + DECODE_EVALUATIONS);
}

double xl_pace_sweep(const struct xl_sweep *sweep) {
    double cost = 0;
    for (int i = 0; i < sweep->n_cells; i++) cost += xl_pace_cell(&sweep->cells[i]);
    return cost;
}

/* The first pictures count alike, later ones a fifth. */
static void mean(double *at, int n, double value) {
    double share = n < 4 ? 1.0 / (n + 1) : 0.2;
    *at += (value - *at) * share;
}

/* How far a size is from another one, as a factor; without one, what is known best is near. */
static double distance(const struct xl_pace_row *row, int64_t pixels) {
    if (!pixels) return 1.0 / row->n;
    double ratio = (double)row->pixels / (double)pixels;
    return ratio < 1 ? 1 / ratio : ratio;
}

static const struct xl_pace_row *find(const struct xl_pace *pace, const char *digest,
                                      int64_t pixels) {
    const struct xl_pace_row *nearest = NULL;
    for (int i = 0; i < pace->n_rows; i++) {
        const struct xl_pace_row *row = &pace->rows[i];
        if (strcmp(row->digest, digest) != 0) continue;
        if (!nearest || distance(row, pixels) < distance(nearest, pixels)) nearest = row;
    }
    return nearest;
}

/* A row of its own; the one that was added first is forgotten where there is no room. */
static struct xl_pace_row *add(struct xl_pace *pace, const char *digest, int64_t pixels) {
    if (pace->n_rows == XL_PACE_ROWS) {
        memmove(pace->rows, pace->rows + 1, (XL_PACE_ROWS - 1) * sizeof pace->rows[0]);
        pace->n_rows--;
    }
    struct xl_pace_row *row = &pace->rows[pace->n_rows++];
    *row = (struct xl_pace_row){.pixels = pixels};
    strcpy(row->digest, digest);
    return row;
}

void xl_pace_learn(struct xl_pace *pace, const char *digest, int64_t pixels, double cost,
                   double seconds) {
    if (cost <= 0 || seconds <= 0 || pixels <= 0) return;
    if (strlen(digest) >= sizeof pace->rows[0].digest) return;
    const struct xl_pace_row *known = find(pace, digest, pixels);
    struct xl_pace_row *row = known && known->pixels == pixels ? &pace->rows[known - pace->rows]
                                                               : add(pace, digest, pixels);
    mean(&row->s_per_cost, row->n++, seconds / cost);
    mean(&pace->s_per_cost, pace->s_per_cost > 0 ? 4 : 0, seconds / cost);
}

double xl_pace_tell(const struct xl_pace *pace, const char *digest, int64_t pixels, double cost) {
    const struct xl_pace_row *row = find(pace, digest, pixels);
    double rate = row ? row->s_per_cost : pace->s_per_cost;
    return rate > 0 ? rate * cost : -1;
}

double xl_pace_tell_sweep(const struct xl_pace *pace, const struct xl_sweep *sweep) {
    double all_s = 0;
    for (int i = 0; i < sweep->n_cells; i++) {
        const struct xl_cell *cell = &sweep->cells[i];
        double own_s = xl_pace_tell(pace, sweep->models[cell->model].digest,
                                    (int64_t)cell->width * cell->height, xl_pace_cell(cell));
        if (own_s < 0) return -1;
        all_s += own_s;
    }
    return all_s;
}
