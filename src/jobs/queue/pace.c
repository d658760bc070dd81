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

static int find(const struct xl_pace *pace, const char *digest) {
    for (int i = 0; i < pace->n_models; i++)
        if (!strcmp(pace->models[i].digest, digest)) return i;
    return -1;
}

void xl_pace_learn(struct xl_pace *pace, const char *digest, double cost, double seconds) {
    if (cost <= 0 || seconds <= 0 || strlen(digest) >= sizeof pace->models[0].digest) return;
    int i = find(pace, digest);
    if (i < 0 && pace->n_models == XL_PACE_MODELS) { /* the one that was added first is forgotten */
        memmove(pace->models, pace->models + 1, (XL_PACE_MODELS - 1) * sizeof pace->models[0]);
        pace->n_models--;
    }
    if (i < 0) {
        i = pace->n_models++;
        memset(&pace->models[i], 0, sizeof pace->models[i]);
        strcpy(pace->models[i].digest, digest);
    }
    mean(&pace->models[i].s_per_cost, pace->models[i].n++, seconds / cost);
    mean(&pace->s_per_cost, pace->s_per_cost > 0 ? 4 : 0, seconds / cost);
}

double xl_pace_tell(const struct xl_pace *pace, const char *digest, double cost) {
    int i = find(pace, digest);
    double rate = i >= 0 ? pace->models[i].s_per_cost : pace->s_per_cost;
    return rate > 0 ? rate * cost : -1;
}
