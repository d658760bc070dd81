/* lots.c - what favourites taught is read, and each job draws its lots: all as likely, or by
 * samples of how much everything may be loved. */
#include "jobs/night/lots.h"

#include "base/json.h"
#include "lab/data/names.h"
#include "lab/data/presets.h"
#include "prompts/random.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_KNOWN = 1000, TRIALS = 1000 };

const struct xl_night_lot xl_night_lots[XL_NIGHT_LOTS] = {
    {"model", "models", offsetof(struct xl_night_config, models)},
    {"profile", "profiles", offsetof(struct xl_night_config, profiles)},
    {"size", "sizes", offsetof(struct xl_night_config, sizes)},
};

const struct xl_night_texts *xl_night_allowed(const struct xl_night_config *config, int lot) {
    return (const void *)((const char *)config + xl_night_lots[lot].offset);
}

struct xl_night_urn {
    const struct xl_night_config *config;
    uint64_t seed;
    bool has_learned;
    size_t n;                     /* levels that something is known of */
    double *mean, *root;          /* [n], [n][n]: as struct xl_taste_posterior has them */
    double *chance, *sample;      /* [n] scratch */
    double spread[XL_NIGHT_LOTS]; /* of what nothing is known of */
    int known[XL_NIGHT_LOTS][XL_NIGHT_TEXTS_MAX]; /* of each allowed text which level; -1: none */
};

/* --- What was learned ------------------------------------------------------------------------- */

static enum xl_status refuse(const struct xl_night_urn *urn, const char *what, struct xl_err *err) {
    char why[200];
    snprintf(why, sizeof why, "its lots: %s; let sdxl-lab favorites --export write it anew", what);
    return xl_night_config_fail(urn->config, "learn_from", why, err);
}

/* Sizes are known as WIDTHxHEIGHT, and allowed by any of their names. */
static void write_size(const struct xl_presets *presets, const char *text, char out[32]) {
    int width, height;
    if (!xl_presets_find(presets, text, &width, &height, NULL))
        snprintf(out, 32, "%dx%d", width, height);
    else
        out[0] = 0;
}

static int find_value(const json_t *values, const char *text) {
    for (size_t i = 0; i < json_array_size(values); i++)
        if (xl_name_matches(json_string_value(json_array_get(values, i)), text)) return (int)i;
    return -1;
}

static enum xl_status read_column(struct xl_night_urn *urn, int lot, const json_t *column,
                                  const struct xl_presets *presets, struct xl_err *err) {
    const struct xl_night_texts *texts = xl_night_allowed(urn->config, lot);
    const json_t *values = json_object_get(column, "values"), *value;
    double spread = json_number_value(json_object_get(column, "spread"));
    size_t i;
    if (!json_is_array(values) || !(spread >= 0 && spread <= 1000))
        return refuse(urn, "expected values and spread of model, profile and size", err);
    json_array_foreach(values, i, value) if (!json_is_string(value)) return refuse(
        urn, "expected texts as values", err);
    urn->spread[lot] = spread;
    for (int k = 0; k < texts->n; k++) {
        char size[32];
        bool is_size = !strcmp(xl_night_lots[lot].option, "size");
        if (is_size) write_size(presets, texts->item[k], size);
        int at = find_value(values, is_size ? size : texts->item[k]);
        urn->known[lot][k] = at < 0 ? -1 : (int)urn->n + at;
    }
    urn->n += json_array_size(values);
    return XL_OK;
}

static bool read_numbers(const json_t *list, size_t n, double *out) {
    bool ok = json_array_size(list) == n;
    for (size_t i = 0; ok && i < n; i++) {
        const json_t *number = json_array_get(list, i);
        out[i] = json_number_value(number);
        ok = json_is_number(number) && fabs(out[i]) < 1e6;
    }
    return ok;
}

static enum xl_status read_posterior(struct xl_night_urn *urn, const json_t *lots,
                                     struct xl_err *err) {
    const json_t *root = json_object_get(lots, "root");
    size_t n = urn->n;
    if (n > MOST_KNOWN) return refuse(urn, "there are more than 1000 values", err);
    urn->mean = calloc(3 * n + n * n + 1, sizeof *urn->mean);
    if (!urn->mean) return xl_fail_nomem(err, "lots", n * n * sizeof *urn->mean);
    urn->chance = urn->mean + n;
    urn->sample = urn->chance + n;
    urn->root = urn->sample + n;
    bool ok = read_numbers(json_object_get(lots, "mean"), n, urn->mean) &&
              json_array_size(root) == n;
    for (size_t i = 0; ok && i < n; i++)
        ok = read_numbers(json_array_get(root, i), i + 1, urn->root + i * n);
    if (!ok) return refuse(urn, "expected a mean for each value, and a triangle as root", err);
    urn->has_learned = true;
    return XL_OK;
}

static enum xl_status learn(struct xl_night_urn *urn, const json_t *lots, struct xl_err *err) {
    struct xl_presets *presets = NULL;
    if (!lots || json_is_null(lots)) return XL_OK;
    enum xl_status status = xl_presets_load(&presets, err);
    for (int lot = 0; lot < XL_NIGHT_LOTS && !status; lot++)
        status =
            read_column(urn, lot, json_object_get(lots, xl_night_lots[lot].option), presets, err);
    if (!status) status = read_posterior(urn, lots, err);
    xl_presets_free(presets);
    return status;
}

enum xl_status xl_night_urn_new(const struct xl_night_config *config, uint64_t seed,
                                const struct xl_learned *learned, struct xl_night_urn **out,
                                struct xl_err *err) {
    struct xl_night_urn *urn = calloc(1, sizeof *urn);
    if (!urn) return xl_fail_nomem(err, "lots", sizeof *urn);
    urn->config = config;
    urn->seed = seed;
    enum xl_status status = learn(urn, xl_learned_lots(learned), err);
    if (status)
        xl_night_urn_free(urn);
    else
        *out = urn;
    return status;
}

void xl_night_urn_free(struct xl_night_urn *urn) {
    if (!urn) return;
    free(urn->mean);
    free(urn);
}

/* --- Drawing ---------------------------------------------------------------------------------- */

static struct xl_dice dice_of(const struct xl_night_urn *urn, int64_t number, int what) {
    return xl_dice_begin(xl_mix_bits(urn->seed ^ 0x6e69676874), /* apart from the grammars' */
                         (uint64_t)number * (XL_NIGHT_LOTS + 1) + (uint64_t)what);
}

/* A standard normal number (Box and Muller 1958). */
static double draw_normal(struct xl_dice *dice) {
    double a = ((double)(xl_dice_next(dice) >> 11) + 0.5) / 9007199254740992.0;
    double b = (double)(xl_dice_next(dice) >> 11) / 9007199254740992.0;
    return sqrt(-2 * log(a)) * cos(6.283185307179586 * b);
}

/* For a job, how much each level may be loved: *sample, and the dice for levels that are not known.
 */
static struct xl_dice draw_sample(struct xl_night_urn *urn, int64_t number) {
    struct xl_dice dice = xl_dice_begin(xl_mix_bits(urn->seed ^ 0x6c6f7665), (uint64_t)number);
    size_t n = urn->n;
    for (size_t i = 0; i < n; i++) urn->chance[i] = draw_normal(&dice);
    for (size_t i = 0; i < n; i++) {
        urn->sample[i] = urn->mean[i];
        for (size_t j = 0; j <= i; j++) urn->sample[i] += urn->root[i * n + j] * urn->chance[j];
    }
    return dice;
}

/* Which of the allowed texts may be loved most. Every text takes its numbers, also where it was
 * decided: what one lot decides changes no other. */
static int best_of(const struct xl_night_urn *urn, int lot, struct xl_dice *dice) {
    const struct xl_night_texts *texts = xl_night_allowed(urn->config, lot);
    double most = -INFINITY;
    int best = 0;
    for (int i = 0; i < texts->n; i++) {
        int known = urn->known[lot][i];
        double unknown = urn->spread[lot] * draw_normal(dice);
        double value = known >= 0 ? urn->sample[known] : unknown;
        if (value <= most) continue;
        most = value;
        best = i;
    }
    return best;
}

static void choose(struct xl_night_urn *urn, int64_t number, int chosen[XL_NIGHT_LOTS]) {
    if (urn->has_learned) {
        struct xl_dice dice = draw_sample(urn, number);
        for (int lot = 0; lot < XL_NIGHT_LOTS; lot++) chosen[lot] = best_of(urn, lot, &dice);
        return;
    }
    for (int lot = 0; lot < XL_NIGHT_LOTS; lot++) {
        struct xl_dice dice = dice_of(urn, number, lot);
        int n = xl_night_allowed(urn->config, lot)->n;
        chosen[lot] = n ? (int)xl_dice_below(&dice, (uint64_t)n) : 0;
    }
}

void xl_night_urn_draw(struct xl_night_urn *urn, int64_t number, json_t *job, bool *ok) {
    const json_t *sweep = json_object_get(job, "sweep");
    int chosen[XL_NIGHT_LOTS];
    choose(urn, number, chosen);
    for (int lot = 0; lot < XL_NIGHT_LOTS; lot++) {
        const struct xl_night_texts *texts = xl_night_allowed(urn->config, lot);
        const char *name = xl_night_lots[lot].option;
        if (!texts->n || json_object_get(job, name) || json_object_get(sweep, name)) continue;
        xl_json_put(job, name, xl_json_text(texts->item[chosen[lot]]), ok);
    }
    if (json_object_get(job, "seed") || json_object_get(sweep, "seed")) return;
    struct xl_dice dice = dice_of(urn, number, XL_NIGHT_LOTS);
    xl_json_put(job, "seed", xl_json_seed(xl_dice_next(&dice) >> 32), ok);
}

bool xl_night_urn_shares(struct xl_night_urn *urn, int lot, double *share) {
    int n = xl_night_allowed(urn->config, lot)->n, chosen[XL_NIGHT_LOTS];
    if (!urn->has_learned) return false;
    for (int i = 0; i < n; i++) share[i] = 0;
    for (int64_t k = 0; k < TRIALS && n; k++) {
        choose(urn, k, chosen);
        share[chosen[lot]] += 1.0 / TRIALS;
    }
    return true;
}
