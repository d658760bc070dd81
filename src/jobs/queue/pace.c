/* pace.c - running means of seconds by cost. */
#include "jobs/queue/pace.h"

#include <stdio.h>
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

struct xl_pace_key xl_pace_key_of(const char *device, const struct xl_sweep *sweep,
                                  const struct xl_cell *cell) {
    return (struct xl_pace_key){.device = device,
                                .digest = sweep->models[cell->model].digest,
                                .precision = (int)cell->precision,
                                .pixels = (int64_t)cell->width * cell->height};
}

/* The first pictures count alike, later ones a fifth. */
static void mean(double *at, int n, double value) {
    double share = n < 4 ? 1.0 / (n + 1) : 0.2;
    *at += (value - *at) * share;
}

/* How far a row is from what is asked, as a factor; without a size, what is known best is near. */
static double distance(const struct xl_pace_row *row, const struct xl_pace_key *key) {
    static const double OTHER_PRECISION = 1e12; /* farther than any size */
    double other = key->precision >= 0 && row->precision != key->precision ? OTHER_PRECISION : 1;
    if (!key->pixels) return other / row->n;
    double ratio = (double)row->pixels / (double)key->pixels;
    return other * (ratio < 1 ? 1 / ratio : ratio);
}

static bool is_of_device(const struct xl_pace_row *row, const char *device) {
    return device[0] ? !strcmp(row->device, device) : strcmp(row->device, "CPU") != 0;
}

static const struct xl_pace_row *find(const struct xl_pace *pace, const struct xl_pace_key *key) {
    const struct xl_pace_row *nearest = NULL;
    for (int i = 0; i < pace->n_rows; i++) {
        const struct xl_pace_row *row = &pace->rows[i];
        if (!is_of_device(row, key->device) || strcmp(row->digest, key->digest) != 0) continue;
        if (!nearest || distance(row, key) < distance(nearest, key)) nearest = row;
    }
    return nearest;
}

/* Of all that a kind of device has drawn; 0: nothing */
static double mean_of(const struct xl_pace *pace, const char *device) {
    double sum = 0;
    int n = 0;
    for (int i = 0; i < pace->n_rows; i++)
        if (is_of_device(&pace->rows[i], device)) sum += pace->rows[i].s_per_cost, n++;
    return n ? sum / n : 0;
}

/* A row of its own; the one that was added first is forgotten where there is no room. */
static struct xl_pace_row *add(struct xl_pace *pace, const struct xl_pace_key *key) {
    if (pace->n_rows == XL_PACE_ROWS) {
        memmove(pace->rows, pace->rows + 1, (XL_PACE_ROWS - 1) * sizeof pace->rows[0]);
        pace->n_rows--;
    }
    struct xl_pace_row *row = &pace->rows[pace->n_rows++];
    *row = (struct xl_pace_row){.precision = key->precision, .pixels = key->pixels};
    snprintf(row->device, sizeof row->device, "%s", key->device);
    snprintf(row->digest, sizeof row->digest, "%s", key->digest);
    return row;
}

void xl_pace_learn(struct xl_pace *pace, const struct xl_pace_key *key, double cost,
                   double seconds) {
    if (cost <= 0 || seconds <= 0 || key->pixels <= 0 || key->precision < 0) return;
    if (!key->device[0] || strlen(key->device) >= XL_PACE_DEVICE) return;
    if (strlen(key->digest) >= XL_SHA256_HEX) return;
    const struct xl_pace_row *known = find(pace, key);
    bool is_it = known && known->pixels == key->pixels && known->precision == key->precision;
    struct xl_pace_row *row = is_it ? &pace->rows[known - pace->rows] : add(pace, key);
    mean(&row->s_per_cost, row->n++, seconds / cost);
}

double xl_pace_tell(const struct xl_pace *pace, const struct xl_pace_key *key, double cost) {
    const struct xl_pace_row *row = find(pace, key);
    double rate = row ? row->s_per_cost : mean_of(pace, key->device);
    return rate > 0 ? rate * cost : -1;
}

double xl_pace_tell_sweep(const struct xl_pace *pace, const char *device,
                          const struct xl_sweep *sweep) {
    double all_s = 0;
    for (int i = 0; i < sweep->n_cells; i++) {
        const struct xl_cell *cell = &sweep->cells[i];
        const struct xl_pace_key key = xl_pace_key_of(device, sweep, cell);
        double own_s = xl_pace_tell(pace, &key, xl_pace_cell(cell));
        if (own_s < 0) return -1;
        all_s += own_s;
    }
    return all_s;
}
