/* favorites_open.c - rows from the index, and lists of favourites laid over their marks. */
#include "cli/favorites_open.h"

#include "base/json.h"
#include "cli/index_open.h"
#include "cli/picture_filter.h"
#include "insight/index/favorites_rows.h"
#include "insight/index/observe.h"

#include <stdlib.h>
#include <string.h>

struct row_of {
    int64_t id;
    size_t row;
};

static int by_id(const void *a, const void *b) {
    int64_t x = ((const struct row_of *)a)->id, y = ((const struct row_of *)b)->id;
    return (x > y) - (x < y);
}

/* Rows by their ids, in order; NULL: out of memory */
static struct row_of *rows_by_id(const struct xl_observations *rows) {
    struct row_of *list = malloc((rows->row_count + 1) * sizeof *list);
    for (size_t i = 0; list && i < rows->row_count; i++)
        list[i] = (struct row_of){rows->picture[i], i};
    if (list) qsort(list, rows->row_count, sizeof *list, by_id);
    return list;
}

/* Rows that a filter left out are found, but do not count. */
static bool lay_over(struct xl_favorites *favorites, const struct xl_favorites_in *list,
                     const int64_t *ids) {
    struct row_of *rows = rows_by_id(&favorites->rows);
    json_t *missing = json_array();
    bool ok = rows && missing;
    int n_found = 0;
    for (int i = 0; ok && i < list->n; i++) {
        const struct row_of wanted = {ids[i], 0}, *found;
        if (!ids[i]) {
            ok = !json_array_append_new(missing, xl_json_text(list->items[i].path));
            continue;
        }
        n_found++;
        found = bsearch(&wanted, rows, favorites->rows.row_count, sizeof wanted, by_id);
        if (!found || list->items[i].rating == 0) continue;
        favorites->loved[found->row] = 1;
        if (list->items[i].rating > 0)
            favorites->rating[found->row] = (uint8_t)list->items[i].rating;
    }
    free(rows);
    favorites->given = json_object();
    ok &= favorites->given != NULL;
    xl_json_put(favorites->given, "listed", json_integer(list->n), &ok);
    xl_json_put(favorites->given, "found", json_integer(n_found), &ok);
    xl_json_put(favorites->given, "not_found", missing, &ok);
    return ok;
}

static enum xl_status read_lists(const struct xl_settings *settings, struct xl_favorites *favorites,
                                 struct xl_err *err) {
    struct xl_favorites_in list = {0};
    size_t n = favorites->rows.row_count;
    enum xl_status status = XL_OK;
    for (int i = 0; i < settings->n_arguments && !status; i++)
        status = xl_favorites_in_read(&list, settings->arguments[i], err);
    int64_t *ids = status ? NULL : calloc((size_t)list.n + 1, sizeof *ids);
    favorites->loved = calloc(n + 1, 1);
    favorites->rating = calloc(n + 1, 1);
    if (!status && (!ids || !favorites->loved || !favorites->rating))
        status = xl_fail_nomem(err, "favourites", n);
    if (!status) status = xl_favorites_rows(favorites->index, &list, ids, err);
    if (!status && !lay_over(favorites, &list, ids)) status = xl_fail_nomem(err, "favourites", 0);
    favorites->rows.loved = favorites->loved;
    favorites->rows.rating = favorites->rating;
    free(ids);
    xl_favorites_in_deinit(&list);
    return status;
}

enum xl_status xl_favorites_open(const struct xl_settings *settings, struct xl_favorites *out,
                                 struct xl_err *err) {
    struct xl_picture_query query;
    enum xl_status status = xl_picture_query_read(settings, &query, err);
    if (!status) status = xl_index_open_for(settings, XL_INDEX_UPDATE, &out->index, err);
    if (!status) status = xl_observe(out->index, &query.filter, &out->filled, err);
    if (status) return status;
    out->rows = *out->filled;
    return settings->n_arguments ? read_lists(settings, out, err) : XL_OK;
}

void xl_favorites_close(struct xl_favorites *favorites) {
    json_decref(favorites->given);
    free(favorites->loved);
    free(favorites->rating);
    xl_observe_free(favorites->filled);
    xl_index_close(favorites->index);
    *favorites = (struct xl_favorites){.index = NULL};
}
