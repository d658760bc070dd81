/* document.c - an analysis as JSON. */
#include "insight/report/document.h"

#include "base/json.h"
#include "base/str.h"
#include "insight/report/plan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static json_t *real(double value) {
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *interval(struct xl_interval value) {
    return json_pack("[o, o]", real(value.low), real(value.high));
}

static void put_rate(json_t *object, const struct xl_taste_rate *rate, bool *ok) {
    xl_json_put(object, "made", json_integer((json_int_t)rate->made), ok);
    xl_json_put(object, "loved", json_integer((json_int_t)rate->loved), ok);
    xl_json_put(object, "rate", real(rate->rate), ok);
    xl_json_put(object, "interval", interval(rate->interval), ok);
    xl_json_put(object, "lift", real(rate->lift), ok);
}

static void put_claim(json_t *object, double p, enum xl_taste_verdict verdict, bool *ok) {
    xl_json_put(object, "p", real(p), ok);
    xl_json_put(object, "verdict", json_string(xl_taste_verdict_key(verdict)), ok);
}

static const char *column_name(const struct xl_taste *taste, uint32_t factor) {
    return taste->observations->factors[factor].name;
}

/* A NULL among what is appended makes *ok false. */
static void append(json_t *array, json_t *value, bool *ok) {
    *ok &= !json_array_append_new(array, value);
}

/* --- Names ------------------------------------------------------------------------------------ */

/* A number does not say what it is a number of: what goes before it, and behind. */
static const struct unit {
    const char *column, *before, *behind;
} units[] = {{"steps", "", " steps"}, {"guidance", "guidance ", ""}, {"seed", "seed ", ""}};

static struct unit unit_of(const char *column) {
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (!strcmp(units[i].column, column)) return units[i];
    return (struct unit){column, "", ""};
}

/* "Photoreal + 24 steps" */
static json_t *name_of(const struct xl_taste *taste, const struct xl_taste_combination *what) {
    struct xl_str text = {0};
    for (size_t k = 0; k < what->n; k++) {
        struct unit unit = unit_of(column_name(taste, what->factor[k]));
        xl_str_printf(&text, "%s%s%s%s", k ? " + " : "", unit.before,
                      xl_taste_text(taste, what->factor[k], what->level[k]), unit.behind);
    }
    char *taken = xl_str_take(&text);
    json_t *value = taken ? xl_json_text(taken) : NULL;
    free(taken);
    return value;
}

/* --- Tables ----------------------------------------------------------------------------------- */

static json_t *describe_level(const struct xl_taste *taste, uint32_t factor,
                              const struct xl_taste_level *level, bool *ok) {
    json_t *object = json_object();
    xl_json_put(object, "value", xl_json_text(xl_taste_text(taste, factor, level->level)), ok);
    put_rate(object, &level->rate, ok);
    put_claim(object, level->p, level->verdict, ok);
    json_t *odds = level->has_effect ? json_pack("{s:o, s:o}", "ratio", real(level->odds),
                                                 "interval", interval(level->odds_interval))
                                     : json_null();
    xl_json_put(object, "odds", odds, ok);
    xl_json_put(object, "explained", json_boolean(level->is_explained), ok);
    json_t *with = json_null();
    if (level->is_explained && level->with_level != XL_NO_LEVEL)
        with = json_pack("{s:s, s:o, s:o}", "column", column_name(taste, level->with_factor),
                         "value",
                         xl_json_text(xl_taste_text(taste, level->with_factor, level->with_level)),
                         "share", real(level->with_share));
    xl_json_put(object, "comes_with", with, ok);
    json_t *choices = json_null();
    if (level->n_chosen || level->n_passed)
        choices = json_pack("{s:I, s:I, s:o, s:o}", "won", (json_int_t)level->n_chosen, "lost",
                            (json_int_t)level->n_passed, "strength", real(level->strength), "error",
                            real(level->strength_error));
    xl_json_put(object, "choices", choices, ok);
    return object;
}

static json_t *quartiles(struct xl_taste_quartiles value) {
    return json_pack("[o, o, o]", real(value.low), real(value.middle), real(value.high));
}

static void put_tables(json_t *document, const struct xl_taste *taste, bool *ok) {
    json_t *tables = json_object(), *typical = json_object(), *used = json_object();
    for (size_t t = 0; t < taste->table_count; t++) {
        const struct xl_taste_table *table = &taste->tables[t];
        const char *name = column_name(taste, table->factor);
        json_t *levels = json_array();
        for (size_t i = 0; i < table->count; i++)
            append(levels, describe_level(taste, table->factor, &table->levels[i], ok), ok);
        xl_json_put(tables, name, levels, ok);
        xl_json_put(used, name, json_integer((json_int_t)table->n_used), ok);
        if (table->is_number && strcmp(name, "seed"))
            xl_json_put(typical, name,
                        json_pack("{s:o, s:o}", "all", quartiles(table->of_all), "loved",
                                  quartiles(table->of_loved)),
                        ok);
    }
    xl_json_put(document, "tables", tables, ok);
    xl_json_put(document, "used", used, ok);
    xl_json_put(document, "typical", typical, ok);
}

static void put_words(json_t *document, const struct xl_taste *taste, bool *ok) {
    json_t *words = json_array();
    for (size_t i = 0; i < taste->word_count; i++) {
        const struct xl_taste_word *word = &taste->words[i];
        json_t *object = json_object();
        xl_json_put(object, "value", xl_json_text(taste->observations->words[word->word]), ok);
        put_rate(object, &word->rate, ok);
        put_claim(object, word->p, word->verdict, ok);
        append(words, object, ok);
    }
    xl_json_put(document, "words", words, ok);
    xl_json_put(document, "words_used", json_integer((json_int_t)taste->n_words), ok);
}

static void put_pairs(json_t *document, const struct xl_taste *taste, bool *ok) {
    json_t *pairs = json_array();
    for (size_t i = 0; i < taste->pair_count; i++) {
        const struct xl_taste_pair *pair = &taste->pairs[i];
        json_t *object = json_object(), *columns = json_array(), *values = json_array();
        for (size_t k = 0; k < pair->both.n; k++) {
            append(columns, json_string(column_name(taste, pair->both.factor[k])), ok);
            append(values,
                   xl_json_text(xl_taste_text(taste, pair->both.factor[k], pair->both.level[k])),
                   ok);
        }
        xl_json_put(object, "columns", columns, ok);
        xl_json_put(object, "values", values, ok);
        xl_json_put(object, "name", name_of(taste, &pair->both), ok);
        put_rate(object, &pair->both.rate, ok);
        put_claim(object, pair->p, pair->verdict, ok);
        xl_json_put(object, "expected", real(pair->expected), ok);
        xl_json_put(object, "beyond_its_parts", json_boolean(pair->is_beyond), ok);
        append(pairs, object, ok);
    }
    xl_json_put(document, "pairs", pairs, ok);
    xl_json_put(document, "pairs_used", json_integer((json_int_t)taste->n_pairs), ok);
}

/* --- Bundles ---------------------------------------------------------------------------------- */

/* "31 of 120 loved, 3.1 times your average". */
static json_t *sentence(const struct xl_taste_bundle *bundle) {
    const struct xl_taste_rate *rate = &bundle->what.rate;
    struct xl_str text = {0};
    xl_str_printf(&text, "%llu of %llu loved", (unsigned long long)rate->loved,
                  (unsigned long long)rate->made);
    if (bundle->is_counted)
        xl_str_printf(&text, ", %.1f times your average; more of it should give %.1f times",
                      rate->lift, bundle->expected_lift);
    else
        xl_str_printf(&text,
                      "; too few to say by themselves, but its parts are loved: %.1f times your "
                      "average is to be expected",
                      bundle->expected_lift);
    char *taken = xl_str_take(&text);
    json_t *value = taken ? json_string(taken) : NULL;
    free(taken);
    return value;
}

static json_t *describe_bundle(const struct xl_taste *taste, const struct xl_taste_bundle *bundle,
                               const struct xl_report_pictures *pictures, bool *ok) {
    json_t *object = json_object(), *settings = json_object(), *paths = json_array();
    const struct xl_taste_combination *what = &bundle->what;
    for (size_t k = 0; k < what->n; k++)
        xl_json_put(object, column_name(taste, what->factor[k]),
                    xl_json_text(xl_taste_text(taste, what->factor[k], what->level[k])), ok);
    xl_json_put(object, "name", name_of(taste, what), ok);
    xl_json_put(object, "text", sentence(bundle), ok);
    put_rate(object, &what->rate, ok);
    xl_json_put(object, "p", real(bundle->p), ok);
    xl_json_put(object, "basis", json_string(bundle->is_counted ? "counted" : "parts"), ok);
    xl_json_put(object, "expected",
                json_pack("{s:o, s:o, s:o}", "rate", real(bundle->expected_rate), "interval",
                          interval(bundle->expected_interval), "lift", real(bundle->expected_lift)),
                ok);
    for (uint32_t f = 0; f < taste->observations->factor_count; f++) {
        bool is_place = !strcmp(column_name(taste, f), "seed") ||
                        !strcmp(column_name(taste, f), "run");
        if (bundle->usual[f] != XL_NO_LEVEL && !is_place)
            xl_json_put(settings, column_name(taste, f),
                        xl_json_text(xl_taste_text(taste, f, bundle->usual[f])), ok);
    }
    xl_json_put(object, "settings", settings, ok);
    for (size_t i = 0; pictures && i < bundle->n_pictures; i++) {
        const char *path = pictures->path(pictures->user, bundle->pictures[i]);
        if (path) append(paths, xl_json_text(path), ok);
    }
    xl_json_put(object, "pictures", paths, ok);
    return object;
}

static void put_bundles(json_t *document, const struct xl_taste *taste,
                        const struct xl_report_pictures *pictures, bool *ok) {
    json_t *bundles = json_array();
    for (size_t i = 0; i < taste->bundle_count; i++)
        append(bundles, describe_bundle(taste, &taste->bundles[i], pictures, ok), ok);
    xl_json_put(document, "bundles", bundles, ok);
}

/* --- What is next ----------------------------------------------------------------------------- */

static void put_gaps(json_t *document, const struct xl_taste *taste, bool *ok) {
    json_t *gaps = json_array();
    for (size_t i = 0; i < taste->gap_count; i++) {
        const struct xl_taste_gap *gap = &taste->gaps[i];
        json_t *object = json_object();
        xl_json_put(object, "column", json_string(column_name(taste, gap->factor)), ok);
        xl_json_put(object, "value", xl_json_text(xl_taste_text(taste, gap->factor, gap->level)),
                    ok);
        put_rate(object, &gap->rate, ok);
        xl_json_put(object, "pictures_needed", json_integer((json_int_t)gap->n_needed), ok);
        append(gaps, object, ok);
    }
    xl_json_put(document, "gaps", gaps, ok);
}

/* Each level of the sweep, and why it is there. */
static json_t *reasons(const struct xl_taste *taste, bool *ok) {
    static const char *const keys[] = {[XL_WHY_LOVED] = "loved",
                                       [XL_WHY_UNKNOWN] = "unknown",
                                       [XL_WHY_USUAL] = "usual",
                                       [XL_WHY_PROMISE] = "promise"};
    static const char *const texts[] = {
        [XL_WHY_LOVED] = "loved more",
        [XL_WHY_UNKNOWN] = "may be better than what is known: too little was made of it",
        [XL_WHY_USUAL] = "most favourites have it, and no other promises more",
        [XL_WHY_PROMISE] = "with the others here it promises most"};
    const struct xl_taste_sweep *sweep = &taste->next;
    json_t *list = json_array();
    for (size_t k = 0; k < sweep->factor_count; k++)
        for (size_t i = 0; i < sweep->level_count[k]; i++) {
            json_t *object = json_object();
            xl_json_put(object, "column", json_string(column_name(taste, sweep->factor[k])), ok);
            xl_json_put(object, "value",
                        xl_json_text(xl_taste_text(taste, sweep->factor[k], sweep->levels[k][i])),
                        ok);
            xl_json_put(object, "why", json_string(keys[sweep->why[k][i]]), ok);
            xl_json_put(object, "text", json_string(texts[sweep->why[k][i]]), ok);
            append(list, object, ok);
        }
    return list;
}

static void put_next(json_t *document, const struct xl_taste *taste, bool *ok) {
    const struct xl_taste_sweep *sweep = &taste->next;
    json_t *next = json_null();
    if (sweep->batch) {
        json_t *axes = json_object();
        for (size_t k = 0; k < sweep->factor_count; k++) {
            json_t *values = json_array();
            for (size_t i = 0; i < sweep->level_count[k]; i++)
                append(values,
                       xl_json_text(xl_taste_text(taste, sweep->factor[k], sweep->levels[k][i])),
                       ok);
            xl_json_put(axes, column_name(taste, sweep->factor[k]), values, ok);
        }
        next = json_object();
        xl_json_put(next, "pictures", json_integer((json_int_t)(sweep->n_cells * sweep->batch)),
                    ok);
        xl_json_put(next, "cells", json_integer((json_int_t)sweep->n_cells), ok);
        xl_json_put(next, "batch", json_integer((json_int_t)sweep->batch), ok);
        json_t *job = *ok ? xl_plan_job(axes, (int)sweep->batch) : NULL;
        char *command = job ? xl_plan_command(job) : NULL;
        xl_json_put(next, "command", command ? json_string(command) : NULL, ok);
        xl_json_put(next, "job", job, ok);
        xl_json_put(next, "axes", axes, ok);
        xl_json_put(next, "reasons", reasons(taste, ok), ok);
        free(command);
    }
    xl_json_put(document, "next", next, ok);
}

/* --- All of it -------------------------------------------------------------------------------- */

static json_t *moment(int64_t at) {
    struct tm when;
    char text[32];
    time_t seconds = (time_t)at;
    if (!at || !gmtime_r(&seconds, &when)) return json_null();
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &when);
    return json_string(text);
}

json_t *xl_report_document(const struct xl_taste *taste,
                           const struct xl_report_pictures *pictures) {
    xl_json_watch();
    json_t *document = json_object(), *ratings = json_object();
    bool ok = document && ratings;
    xl_json_put(document, "format", json_integer(1), &ok);
    put_rate(document, &taste->all, &ok);
    xl_json_put(document, "rated", json_integer((json_int_t)taste->n_rated), &ok);
    for (int i = 1; i <= 5; i++) {
        char key[2] = {(char)('0' + i), 0};
        xl_json_put(ratings, key, json_integer((json_int_t)taste->n_by_rating[i]), &ok);
    }
    xl_json_put(document, "ratings", ratings, &ok);
    xl_json_put(document, "first_at", moment(taste->first_at), &ok);
    xl_json_put(document, "last_at", moment(taste->last_at), &ok);
    xl_json_put(document, "confidence", json_real(XL_TASTE_CONFIDENCE), &ok);
    xl_json_put(document, "false_claims_at_most", json_real(XL_TASTE_ALPHA), &ok);
    put_bundles(document, taste, pictures, &ok);
    put_tables(document, taste, &ok);
    put_words(document, taste, &ok);
    put_pairs(document, taste, &ok);
    put_gaps(document, taste, &ok);
    put_next(document, taste, &ok);
    return xl_json_finish(document, ok && !xl_json_ran_out());
}
