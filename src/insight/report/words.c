/* words.c - sentences and numbers of reports. */
#include "insight/report/words.h"

#include "base/str.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

const char *xl_words_percent(double rate, char out[XL_WORDS_MAX]) {
    if (!isfinite(rate))
        snprintf(out, XL_WORDS_MAX, "-");
    else
        snprintf(out, XL_WORDS_MAX, rate < 0.001 && rate > 0 ? "%.2f %%" : "%.1f %%", rate * 100);
    return out;
}

const char *xl_words_times(double ratio, char out[XL_WORDS_MAX]) {
    if (!isfinite(ratio))
        snprintf(out, XL_WORDS_MAX, "-");
    else
        snprintf(out, XL_WORDS_MAX, "%.1f\xC3\x97", ratio);
    return out;
}

const char *xl_words_interval(const json_t *interval, char out[XL_WORDS_MAX]) {
    snprintf(out, XL_WORDS_MAX, "%.1f-%.1f %%",
             100 * json_number_value(json_array_get(interval, 0)),
             100 * json_number_value(json_array_get(interval, 1)));
    return out;
}

const char *xl_words_text(const json_t *row, const char *key) {
    const char *text = json_string_value(json_object_get(row, key));
    return text ? text : "";
}

double xl_words_number(const json_t *row, const char *key) {
    const json_t *value = json_object_get(row, key);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

static json_int_t whole(const json_t *row, const char *key) {
    return json_integer_value(json_object_get(row, key));
}

const char *xl_words_total(const json_t *document, char out[XL_WORDS_MAX]) {
    json_int_t made = whole(document, "made"), loved = whole(document, "loved");
    if (!made)
        snprintf(out, XL_WORDS_MAX, "There are no pictures");
    else
        snprintf(out, XL_WORDS_MAX, "%lld of %lld %s %s loved", (long long)loved, (long long)made,
                 xl_plural(made, "picture", "pictures"), loved == 1 ? "is" : "are");
    return out;
}

const char *xl_words_column(const char *column) {
    static const char *const names[][2] = {
        {"model", "Model"}, {"profile", "Profile"},   {"resolution", "Resolution"},
        {"steps", "Steps"}, {"guidance", "Guidance"}, {"scheduler", "Scheduler"},
        {"seed", "Seed"},   {"lora", "LoRA"},         {"run", "Run"},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(names[i][0], column)) return names[i][1];
    return column;
}

const char *xl_words_verdict(const char *key) {
    static const char *const texts[][2] = {{"more", "loved more"},
                                           {"less", "loved less"},
                                           {"usual", "as usual"},
                                           {"unknown", "not enough data"}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (!strcmp(texts[i][0], key)) return texts[i][1];
    return "";
}

bool xl_words_why(const json_t *row, char out[XL_WORDS_MAX]) {
    const json_t *with = json_object_get(row, "comes_with");
    if (json_is_true(json_object_get(row, "beyond_its_parts"))) {
        snprintf(out, XL_WORDS_MAX, "beyond its parts");
        return true;
    }
    if (!json_is_true(json_object_get(row, "explained"))) return false;
    if (json_is_object(with))
        snprintf(out, XL_WORDS_MAX, "not by itself: it often comes with %.120s (%.0f %%)",
                 json_string_value(json_object_get(with, "value")),
                 100 * json_number_value(json_object_get(with, "share")));
    else
        snprintf(out, XL_WORDS_MAX, "not by itself");
    return true;
}

bool xl_words_typical(const json_t *document, const char *column, char out[XL_WORDS_MAX]) {
    const json_t *typical = json_object_get(json_object_get(document, "typical"), column);
    const json_t *all = json_object_get(typical, "all"), *loved = json_object_get(typical, "loved");
    if (!json_is_number(json_array_get(loved, 1))) return false;
    snprintf(
        out, XL_WORDS_MAX,
        "Half of what you love lies between %g and %g, the middle is %g; of all pictures between "
        "%g and %g, the middle is %g.",
        json_number_value(json_array_get(loved, 0)), json_number_value(json_array_get(loved, 2)),
        json_number_value(json_array_get(loved, 1)), json_number_value(json_array_get(all, 0)),
        json_number_value(json_array_get(all, 2)), json_number_value(json_array_get(all, 1)));
    return true;
}

bool xl_words_too_few(const json_t *document, const char *column, char out[XL_WORDS_MAX]) {
    enum { ENOUGH = 5 };
    const json_t *levels = json_object_get(json_object_get(document, "tables"), column), *row;
    size_t i;
    json_array_foreach(levels, i, row) if (whole(row, "made") >= ENOUGH) return false;
    snprintf(out, XL_WORDS_MAX, "%lld values, none of %d pictures or more.",
             (long long)whole(json_object_get(document, "used"), column), ENOUGH);
    return true;
}

const char *xl_words_no_bundle(const json_t *document) {
    json_int_t made = whole(document, "made"), loved = whole(document, "loved");
    if (!made) return "There are no pictures to say anything of.";
    if (!loved) return "Nothing is loved yet. Mark some pictures as favourites.";
    if (loved == made) return "Everything is loved: nothing can be told apart.";
    return "Nothing can be claimed yet: what differs may be chance. More favourites, or more "
           "pictures of "
           "fewer kinds, would tell.";
}

const char *xl_words_explanation(int i) {
    static const char *const texts[] = {
        "Rate: loved pictures of those that were made. Interval: where the true rate lies, 19 "
        "times in 20 "
        "(Wilson). Of average: the rate over that of all pictures; the dashed line is the average.",
        "Loved more, loved less: a claim. Of all claims together, one is wrong by chance in at "
        "most one report "
        "of twenty (Fisher's exact test, corrected for the number of tests). As usual: the rate is "
        "neither half nor twice the average. Not enough data: it could be either.",
        "By itself: what it does to the odds of being loved while all other columns stay as they "
        "are, against "
        "the average of its column (a logistic model with a ridge penalty). Two things that are "
        "mostly used "
        "together are told apart by it; 1 is nothing.",
        "Expected: what more pictures of a bundle should give. The best of many is partly luck, so "
        "that is less "
        "than was counted. Pictures count as independent of each other; a hundred of one prompt "
        "know less than they seem to.",
    };
    return i >= 0 && i < (int)(sizeof texts / sizeof *texts) ? texts[i] : NULL;
}
