/* learned.c - weights of several themes in one object, and what is known of settings. */
#include "insight/report/learned.h"

#include "base/json.h"
#include "insight/report/plan.h"
#include "insight/report/weights.h"
#include "insight/taste/taste.h"
#include "lab/data/presets.h"
#include "lab/data/themes.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Themes may have lists of one name: their entries go together. */
static enum xl_status add_theme(const struct xl_observations *rows, const char *name,
                                json_t *weights, struct xl_err *err) {
    struct xl_grammar *grammar = NULL;
    enum xl_status status = xl_theme_load(name, NULL, &grammar, err);
    if (status) return status;
    json_t *own = xl_taste_weights(rows, grammar), *list;
    const char *list_name;
    bool ok = own != NULL;
    json_object_foreach(json_object_get(own, "weights"), list_name, list) {
        json_t *all = json_object_get(weights, list_name);
        ok = ok &&
             !(all ? json_object_update(all, list) : json_object_set(weights, list_name, list));
    }
    json_decref(own);
    xl_grammar_free(grammar);
    return ok ? XL_OK : xl_fail_nomem(err, "weights", 0);
}

/* Sizes have names, by which a grammar may decide them. */
static void put_names_of_size(json_t *factors, const struct xl_presets *presets, const char *size,
                              double factor, bool *ok) {
    int width = 0, height = 0;
    if (sscanf(size, "%dx%d", &width, &height) != 2) return;
    for (int i = 0; i < xl_presets_count(presets); i++) {
        const struct xl_preset *preset = xl_presets_at(presets, i);
        if (preset->width != width || preset->height != height) continue;
        xl_json_put(factors, preset->name, json_real(factor), ok);
        for (int k = 0; k < preset->n_aliases; k++)
            xl_json_put(factors, preset->aliases[k], json_real(factor), ok);
    }
}

/* What values of settings do to the odds, the others being held fixed: a factor for the values that
 * a grammar decides, within the bounds of those of its entries. */
static json_t *describe_table(const struct xl_taste *taste, const struct xl_taste_table *table,
                              const char *option, const struct xl_presets *presets) {
    json_t *factors = json_object();
    bool ok = factors != NULL;
    for (size_t i = 0; i < table->count; i++) {
        const struct xl_taste_level *level = &table->levels[i];
        const char *text = xl_taste_text(taste, table->factor, level->level);
        double factor = round(fmin(fmax(level->odds, 0.25), 4) * 1000) / 1000;
        if (!level->has_effect) continue;
        xl_json_put(factors, text, json_real(factor), &ok);
        if (!strcmp(option, "size")) put_names_of_size(factors, presets, text, factor, &ok);
    }
    return xl_json_finish(factors, ok);
}

static json_t *describe_settings(const struct xl_taste *taste, const struct xl_presets *presets) {
    json_t *settings = json_object();
    bool ok = settings != NULL;
    for (size_t i = 0; ok && i < taste->table_count; i++) {
        const struct xl_taste_table *table = &taste->tables[i];
        const char *option = xl_plan_option(taste->observations->factors[table->factor].name);
        if (option)
            xl_json_put(settings, option, describe_table(taste, table, option, presets), &ok);
    }
    return xl_json_finish(settings, ok);
}

static json_t *describe_numbers(const double *numbers, size_t n) {
    json_t *list = json_array();
    bool ok = list != NULL;
    for (size_t i = 0; ok && i < n; i++) ok = !json_array_append_new(list, json_real(numbers[i]));
    return xl_json_finish(list, ok);
}

static json_t *describe_column(const struct xl_taste *taste, int k, size_t first) {
    const struct xl_taste_posterior *known = &taste->posterior;
    json_t *column = json_object(), *values = json_array();
    bool ok = column && values;
    for (size_t i = first; ok && i < first + known->count[k]; i++)
        ok = !json_array_append_new(
            values, xl_json_text(xl_taste_text(taste, known->factor[k], known->level[i])));
    xl_json_put(column, "values", values, &ok);
    xl_json_put(column, "spread", json_real(known->spread[k]), &ok);
    return xl_json_finish(column, ok);
}

static json_t *describe_lots(const struct xl_taste *taste) {
    const struct xl_taste_posterior *known = &taste->posterior;
    if (!taste->has_model) return json_null();
    json_t *lots = json_object(), *root = json_array();
    bool ok = lots && root;
    size_t first = 0;
    for (int k = 0; k < XL_POSTERIOR_FACTORS; first += known->count[k++])
        xl_json_put(lots, xl_plan_option(xl_posterior_columns[k]), describe_column(taste, k, first),
                    &ok);
    for (size_t i = 0; ok && i < known->n; i++)
        ok = !json_array_append_new(root, describe_numbers(known->root + i * known->n, i + 1));
    xl_json_put(lots, "mean", describe_numbers(known->mean, known->n), &ok);
    xl_json_put(lots, "root", root, &ok);
    return xl_json_finish(lots, ok);
}

enum xl_status xl_favourites_learn(const struct xl_observations *rows, const char *const *themes,
                                   int n_themes, json_t **out, struct xl_err *err) {
    struct xl_taste taste = {0};
    struct xl_presets *presets = NULL;
    json_t *object = json_object(), *weights = json_object();
    bool ok = object && weights;
    enum xl_status status = ok ? XL_OK : xl_fail_nomem(err, "weights", 0);
    for (int i = 0; i < n_themes && !status; i++) status = add_theme(rows, themes[i], weights, err);
    if (!status) status = xl_presets_load(&presets, err);
    if (!status) status = xl_taste_find(rows, NULL, &taste, err);
    xl_json_put(object, "format", json_integer(1), &ok);
    xl_json_put(object, "weights", weights, &ok);
    if (!status) xl_json_put(object, "settings", describe_settings(&taste, presets), &ok);
    if (!status) xl_json_put(object, "lots", describe_lots(&taste), &ok);
    xl_taste_deinit(&taste);
    xl_presets_free(presets);
    object = xl_json_finish(object, ok && !status);
    if (!status && !object) status = xl_fail_nomem(err, "weights", 0);
    if (!status) *out = object;
    return status;
}
