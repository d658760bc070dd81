/* pictures.c - sdxl-lab pictures list, facets: what the index has, filtered and sorted. */
#include "cli/cli.h"
#include "cli/index_open.h"
#include "cli/picture_filter.h"
#include "cli/table.h"

#include "base/json.h"
#include "base/str.h"
#include "insight/index/pictures.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* --- Lists ------------------------------------------------------------------------------------ */

/* Pictures that were removed stay in the index: they were made. */
static enum xl_status note_missing(json_t *page, struct xl_err *err) {
    size_t i;
    json_t *picture;
    json_array_foreach(json_object_get(page, "pictures"), i, picture) {
        const char *path = json_string_value(json_object_get(picture, "path"));
        bool is_missing = !path || access(path, F_OK) != 0;
        json_object_del(picture, "id"); /* changes when the index is made anew */
        if (is_missing && json_object_set_new(picture, "is_missing", json_true()))
            return xl_fail_nomem(err, "JSON", 0);
    }
    return XL_OK;
}

static const char *text_of(const json_t *picture, const char *key) {
    const char *text = json_string_value(json_object_get(picture, key));
    return text ? text : "";
}

static void put_number(struct xl_str *out, const json_t *picture, const char *key,
                       const char *format) {
    char number[XL_REAL_MAX];
    const json_t *value = json_object_get(picture, key);
    if (!json_is_number(value)) return;
    xl_real_text(json_number_value(value), number);
    xl_str_printf(out, format, number);
}

static void add_row(struct xl_table *table, const json_t *picture) {
    struct xl_str what = {0}, marks = {0};
    int stars = (int)json_integer_value(json_object_get(picture, "rating"));
    if (json_is_true(json_object_get(picture, "loved"))) xl_str_puts(&marks, "loved ");
    xl_str_printf(&marks, "%.*s", stars, "*****");
    if (json_object_get(picture, "is_missing")) xl_str_puts(&marks, "missing");
    xl_str_printf(&what, "%s, %s", text_of(picture, "model_key"), text_of(picture, "profile"));
    put_number(&what, picture, "width", ", %s");
    put_number(&what, picture, "height", "x%s");
    xl_str_printf(&what, ", %s", text_of(picture, "scheduler"));
    put_number(&what, picture, "steps", ", %s steps");
    put_number(&what, picture, "guidance", ", guidance %s");
    const char *const cells[] = {text_of(picture, "path"), marks.text ? marks.text : "",
                                 what.text ? what.text : "", text_of(picture, "prompt")};
    xl_table_add(table, cells, XL_COLOR_DIM);
    xl_str_deinit(&what);
    xl_str_deinit(&marks);
}

static enum xl_status print_page(const json_t *page, struct xl_err *err) {
    struct xl_table table = {.n_columns = 4, .spared = {3, 2}};
    size_t i;
    json_t *picture;
    json_array_foreach(json_object_get(page, "pictures"), i, picture) add_row(&table, picture);
    enum xl_status status = xl_table_print(&table, 0, err);
    const char *next = json_string_value(json_object_get(page, "next"));
    if (!status && next) printf("and more: --after %s\n", next);
    return status;
}

static enum xl_status list(const struct xl_settings *settings, struct xl_err *err) {
    struct xl_picture_query query;
    struct xl_index *index = NULL;
    json_t *page = NULL;
    enum xl_status status = xl_picture_query_read(settings, &query, err);
    if (!status) status = xl_index_open_for(settings, XL_INDEX_UPDATE, &index, err);
    if (!status)
        status =
            xl_pictures_page(index, &query.filter, settings->count, settings->after, &page, err);
    xl_index_close(index);
    if (!status) status = note_missing(page, err);
    if (!status) status = settings->json ? xl_print_json(page, err) : print_page(page, err);
    json_decref(page);
    return status;
}

/* --- Facets ----------------------------------------------------------------------------------- */

static enum xl_status print_facets(const json_t *facets, struct xl_err *err) {
    struct xl_table table = {.n_columns = 3};
    const char *key;
    json_t *list, *object;
    size_t i;
    json_object_foreach(json_object_get(facets, "facets"), key, list) {
        const char *const heading[] = {key, "pictures", "loved"};
        xl_table_add(&table, heading, XL_COLOR_BOLD);
        json_array_foreach(list, i, object) {
            char value[256], pictures[32], loved[32];
            snprintf(value, sizeof value, "  %.200s", text_of(object, "value"));
            snprintf(pictures, sizeof pictures, "%lld",
                     (long long)json_integer_value(json_object_get(object, "pictures")));
            snprintf(loved, sizeof loved, "%lld",
                     (long long)json_integer_value(json_object_get(object, "loved")));
            const char *const cells[] = {value, pictures, loved};
            xl_table_add(&table, cells, XL_COLOR_NONE);
        }
    }
    return xl_table_print(&table, 0, err);
}

static enum xl_status count(const struct xl_settings *settings, struct xl_err *err) {
    struct xl_picture_query query;
    struct xl_index *index = NULL;
    json_t *facets = NULL;
    enum xl_status status = xl_picture_query_read(settings, &query, err);
    if (!status) status = xl_index_open_for(settings, XL_INDEX_UPDATE, &index, err);
    if (!status) status = xl_pictures_facets(index, &query.filter, &facets, err);
    xl_index_close(index);
    if (!status) status = settings->json ? xl_print_json(facets, err) : print_facets(facets, err);
    json_decref(facets);
    return status;
}

#define ABOUT                                                                                      \
    "Pictures of --output-dir by what they were made with. A name that no picture has whole is "   \
    "looked for as a part: --model cyber. --since and --until take a day, a time, or how long "    \
    "ago "                                                                                         \
    "(12h, 7d). What was made is listed, also what has been removed since."

const struct xl_command xl_command_pictures_list = {
    .name = "pictures list",
    .summary = "pictures that were made, by what they were made with",
    .usage = "[OPTIONS]",
    .commands = XL_FOR_PICTURES,
    .epilogue = ABOUT,
    .run = list,
};

const struct xl_command xl_command_pictures_count = {
    .name = "pictures count",
    .summary = "how many pictures were made with which model, profile, size, ...",
    .usage = "[OPTIONS]",
    .commands = XL_FOR_PICTURES,
    .epilogue = ABOUT,
    .run = count,
};
