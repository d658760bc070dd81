/* picture_filter.c - options as a filter of the index. Keeps no state. */
#include "cli/picture_filter.h"
#include "base/moment.h"
#include "base/str.h"
#include "lab/data/presets.h"

#include <stdio.h>
#include <string.h>

/* The value of an option that is a number; NULL: it is a text. */
static const char *number_of(const struct xl_settings *settings, const struct xl_option *option,
                             char out[XL_QUERY_VALUE_MAX]) {
    const void *at = (const char *)settings + option->offset;
    if (option->type == XL_OPTION_INT)
        snprintf(out, XL_QUERY_VALUE_MAX, "%d", *(const int *)at);
    else if (option->type == XL_OPTION_REAL)
        xl_real_text(*(const double *)at, out);
    else if (option->type == XL_OPTION_SEED)
        snprintf(out, XL_QUERY_VALUE_MAX, "%llu", (unsigned long long)*(const uint64_t *)at);
    else
        return NULL;
    return out;
}

/* A size by its name is that of the list of sizes. */
static enum xl_status read_size(const char *text, char out[XL_QUERY_VALUE_MAX],
                                struct xl_err *err) {
    struct xl_presets *presets = NULL;
    int width, height;
    enum xl_status status = xl_presets_load(&presets, err);
    if (!status) status = xl_presets_find(presets, text, &width, &height, err);
    if (!status) snprintf(out, XL_QUERY_VALUE_MAX, "%dx%d", width, height);
    xl_presets_free(presets);
    return status;
}

/* One more condition, whose value is in values[n] or borrowed. */
static enum xl_status add_where(struct xl_picture_query *query, const char *column,
                                const char *value, struct xl_err *err) {
    size_t n = query->filter.n_where++;
    bool is_size = !strcmp(column, "size");
    enum xl_status status = is_size ? read_size(value, query->values[n], err) : XL_OK;
    query->where[n] = (struct xl_picture_where){column, is_size ? query->values[n] : value};
    return status;
}

static enum xl_status add_options(const struct xl_settings *settings,
                                  struct xl_picture_query *query, struct xl_err *err) {
    const struct xl_filter_key *key;
    enum xl_status status = XL_OK;
    for (int i = 0; !status && (key = xl_filter_key_at(i)); i++) {
        const struct xl_option *option = xl_option_find(key->name);
        if (!xl_settings_is_given(settings, key->name)) continue;
        const char *value = number_of(settings, option, query->values[query->filter.n_where]);
        if (!value) value = xl_settings_text(settings, option);
        status = add_where(query, key->column, value, err);
    }
    return status;
}

static enum xl_status add_search(const char *typed, struct xl_picture_query *query,
                                 struct xl_err *err) {
    struct xl_search_words *words = &query->words;
    enum xl_status status = xl_search_words_read(typed, words, err);
    for (size_t i = 0; !status && i < words->n_where; i++)
        status = add_where(query, words->where[i].column, words->where[i].value, err);
    query->filter.text = words->text;
    query->filter.exclude = words->exclude;
    return status;
}

enum xl_status xl_picture_query_read(const struct xl_settings *settings,
                                     struct xl_picture_query *out, struct xl_err *err) {
    *out = (struct xl_picture_query){.filter = {.only_loved = settings->only_loved,
                                                .min_rating = settings->min_rating,
                                                .sort = (enum xl_picture_sort)settings->sort}};
    out->filter.where = out->where;
    enum xl_status status = add_options(settings, out, err);
    if (!status && settings->text) status = add_search(settings->text, out, err);
    if (!status && settings->since)
        status = xl_moment_parse("--since", settings->since, false, &out->filter.since, err);
    if (!status && settings->until)
        status = xl_moment_parse("--until", settings->until, true, &out->filter.until, err);
    return status;
}
