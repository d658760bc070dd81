/* facets.c - how many pictures have which value: one pass over the pictures, whatever is asked. */
#include "base/json.h"
#include "insight/index/columns.h"
#include "insight/index/levels.h"
#include "insight/index/pictures.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_VALUES = 200 }; /* shown of a facet */

struct count {
    int64_t n_pictures, n_loved;
};

struct facet {
    struct xl_levels levels;
    struct count *counts; /* [capacity] */
    size_t capacity;
};

struct counting {
    struct xl_index *index;
    struct facet facets[XL_FACTOR_SOURCES_MAX];
    struct count total;
};

/* Seeds are hardly ever the same: nobody picks pictures by a list of them. */
static bool is_shown(const struct xl_factor_source *source) {
    return strcmp(source->name, "seed") != 0;
}

static bool count_value(struct facet *facet, const uint64_t value[2], bool is_loved) {
    uint32_t number = xl_levels_number(&facet->levels, value[0], value[1]);
    if (number == UINT32_MAX) return false;
    if (number >= facet->capacity) {
        size_t capacity = facet->capacity ? 2 * facet->capacity : 64;
        struct count *larger = realloc(facet->counts, capacity * sizeof *larger);
        if (!larger) return false;
        memset(larger + facet->capacity, 0, (capacity - facet->capacity) * sizeof *larger);
        facet->counts = larger;
        facet->capacity = capacity;
    }
    facet->counts[number].n_pictures++;
    facet->counts[number].n_loved += is_loved;
    return true;
}

static enum xl_status count_rows(struct counting *counting, sqlite3_stmt *rows,
                                 struct xl_err *err) {
    enum xl_status status = XL_OK;
    const struct xl_factor_source *source;
    while (xl_database_row(&counting->index->database, rows, &status, err)) {
        bool is_loved = sqlite3_column_int(rows, 0);
        int at = 1;
        counting->total.n_pictures++;
        counting->total.n_loved += is_loved;
        for (int i = 0; (source = xl_factor_source_at(i)); at += xl_level_columns(source), i++) {
            uint64_t value[2];
            if (is_shown(source) && xl_level_of_row(source, rows, at, value) &&
                !count_value(&counting->facets[i], value, is_loved))
                return xl_fail_nomem(err, "facets", 0);
        }
    }
    return status;
}

/* For the order: the most frequent first, then the one that came first. */
struct place {
    int64_t n;
    size_t at;
};

static int by_count(const void *a, const void *b) {
    const struct place *x = a, *y = b;
    if (x->n != y->n) return x->n < y->n ? 1 : -1;
    return (x->at > y->at) - (x->at < y->at);
}

static enum xl_status put_facet(struct counting *counting, int i, sqlite3_stmt *name,
                                json_t *facets, struct xl_err *err) {
    const struct xl_factor_source *source = xl_factor_source_at(i);
    const struct xl_level_writer writer = xl_level_writer(counting->index, source, name);
    struct facet *facet = &counting->facets[i];
    struct place *order = calloc(facet->levels.n + 1, sizeof *order);
    json_t *list = json_array();
    bool ok = order && list;
    enum xl_status status = XL_OK;
    for (size_t k = 0; k < facet->levels.n && ok; k++)
        order[k] = (struct place){facet->counts[k].n_pictures, k};
    if (ok) qsort(order, facet->levels.n, sizeof *order, by_count);
    for (size_t k = 0; k < facet->levels.n && k < MOST_VALUES && ok && !status; k++) {
        struct xl_str text = {0};
        const struct count *count = &facet->counts[order[k].at];
        status = xl_level_text(&writer, facet->levels.values[order[k].at], &text, err);
        json_t *object = json_object();
        xl_json_put(object, "value", xl_json_text(text.text ? text.text : ""), &ok);
        xl_json_put(object, "pictures", json_integer(count->n_pictures), &ok);
        xl_json_put(object, "loved", json_integer(count->n_loved), &ok);
        if (json_array_append_new(list, object)) ok = false;
        xl_str_deinit(&text);
    }
    free(order);
    xl_json_put(facets, source->facet, list, &ok);
    return status || ok ? status : xl_fail_nomem(err, "facets", 0);
}

static enum xl_status put_facets(struct counting *counting, json_t **out, struct xl_err *err) {
    sqlite3_stmt *name = NULL;
    json_t *object = json_object(), *facets = json_object();
    bool ok = object && facets;
    enum xl_status status = xl_database_prepare(&counting->index->database,
                                                "SELECT text FROM names WHERE id = ?", &name, err);
    for (int i = 0; xl_factor_source_at(i) && !status; i++)
        if (is_shown(xl_factor_source_at(i))) status = put_facet(counting, i, name, facets, err);
    sqlite3_finalize(name);
    xl_json_put(object, "total", json_integer(counting->total.n_pictures), &ok);
    xl_json_put(object, "loved", json_integer(counting->total.n_loved), &ok);
    xl_json_put(object, "facets", facets, &ok);
    object = xl_json_finish(object, ok);
    if (!status && !object) status = xl_fail_nomem(err, "facets", 0);
    if (status)
        json_decref(object);
    else
        *out = object;
    return status;
}

static enum xl_status try_facets(struct xl_index *index, const struct xl_picture_filter *filter,
                                 json_t **out, struct xl_err *err) {
    struct counting counting = {.index = index};
    struct xl_str query = {0};
    sqlite3_stmt *rows = NULL;
    xl_str_puts(&query, "SELECT ifnull(loved, 0)");
    xl_levels_select(&query);
    xl_str_puts(&query, " FROM pictures LEFT JOIN loves ON loves.picture = pictures.id");
    enum xl_status status = xl_filter_sql(index, filter, &query, err);
    if (!status) status = xl_database_prepare(&index->database, query.text, &rows, err);
    xl_json_watch();
    if (!status) status = count_rows(&counting, rows, err);
    if (!status) status = put_facets(&counting, out, err);
    sqlite3_finalize(rows);
    xl_str_deinit(&query);
    for (int i = 0; i < XL_FACTOR_SOURCES_MAX; i++) {
        xl_levels_deinit(&counting.facets[i].levels);
        free(counting.facets[i].counts);
    }
    return status;
}

enum xl_status xl_pictures_facets(struct xl_index *index, const struct xl_picture_filter *filter,
                                  json_t **out, struct xl_err *err) {
    enum xl_status status = try_facets(index, filter, out, err);
    return xl_index_mended(index, status, err) ? try_facets(index, filter, out, err) : status;
}
