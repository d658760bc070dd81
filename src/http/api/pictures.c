/* pictures.c - lists of pictures, and one. Keeps no state. */
#include "http/api/pictures.h"

#include "base/json.h"
#include "base/moment.h"
#include "base/str.h"
#include "insight/index/pictures.h"
#include "lab/data/presets.h"

#include <stdlib.h>
#include <string.h>

enum { PAGE = 100, PAGE_MAX = 1000 };

/* --- Filters ---------------------------------------------------------------------------------- */

static const char *const sorts[] = {
    [XL_NEWEST_FIRST] = "newest", [XL_OLDEST_FIRST] = "oldest", [XL_BEST_FIRST] = "best", NULL};
static const char *const havings[] = {
    [XL_HAVING_OR_NOT] = "with", [XL_HAVING] = "only", [XL_NOT_HAVING] = "without", NULL};
static const char *const formats[] = {"json", "binary", NULL};

#define KEY(name_)                                                                                 \
    { .name = name_, .help = "pictures that were made with this " name_ }
#define NUMBER(name_, range_)                                                                      \
    {                                                                                              \
        .name = name_,                                                                             \
        .help = "pictures that were made with this " name_ "; >N, >=N, <N, <=N, or " range_        \
    }
#define HAVING(name_, help_)                                                                       \
    { .name = name_, .type = XL_PARAM_CHOICE, .choices = havings, .help = help_ }
#define FILTER                                                                                     \
    KEY("model"), KEY("profile"), KEY("scheduler"), KEY("lora"), KEY("vae"), KEY("size"),          \
        NUMBER("steps", "20..40"), NUMBER("guidance", "5..7.5"), NUMBER("seed", "1000..1999"),     \
        KEY("run"), {.name = "text", .help = "words of the prompt, all of them"},                  \
        {.name = "exclude", .help = "words that the prompt has not, none of them"},                \
        {.name = "since", .help = "a day, a time, or how long ago: 12h, 7d"},                      \
        {.name = "until", .help = "likewise"},                                                     \
        {.name = "loved", .type = XL_PARAM_SWITCH, .help = "favourites only"},                     \
        {.name = "min_rating",                                                                     \
         .type = XL_PARAM_INT,                                                                     \
         .min = 1,                                                                                 \
         .max = XL_RATING_MAX,                                                                     \
         .help = "rated so or better"},                                                            \
        HAVING("rejected", "with those that were rejected, without, or only those"),               \
        HAVING("judged", "only what is loved, rated or rejected, or what is none of it"),          \
        HAVING("trash", "with those in the trash, or only those; without where it is not said")
#define SORT                                                                                       \
    {                                                                                              \
        .name = "sort", .type = XL_PARAM_CHOICE, .choices = sorts,                                 \
        .help = "newest first where it is not said; best: rated ones"                              \
    }

/* What a call's parameters mean. */
struct query {
    struct xl_picture_filter filter;
    struct xl_picture_where where[XL_FILTER_KEYS_MAX];
    char size[32];
};

static enum xl_status read_size(const char *text, char *out, size_t size, struct xl_err *err) {
    struct xl_presets *presets = NULL;
    int width, height;
    enum xl_status status = xl_presets_load(&presets, err);
    if (!status) status = xl_presets_find(presets, text, &width, &height, err);
    if (!status) snprintf(out, size, "%dx%d", width, height);
    xl_presets_free(presets);
    return status;
}

static enum xl_status read_query(struct xl_call *call, struct xl_reply *reply, struct query *out,
                                 struct xl_err *err) {
    const struct xl_filter_key *key;
    const char *since = xl_call_text(call, "since"), *until = xl_call_text(call, "until");
    enum xl_status status = XL_OK;
    *out = (struct query){
        .filter = {.text = xl_call_text(call, "text"),
                   .exclude = xl_call_text(call, "exclude"),
                   .only_loved = xl_call_switch(call, "loved", false),
                   .min_rating = (int)xl_call_int(call, "min_rating", 0),
                   .trashed = (enum xl_picture_having)xl_call_choice(call, "trash", XL_NOT_HAVING),
                   .rejected = (enum xl_picture_having)xl_call_choice(call, "rejected", 0),
                   .judged = (enum xl_picture_having)xl_call_choice(call, "judged", 0),
                   .sort = (enum xl_picture_sort)xl_call_choice(call, "sort", 0)}};
    for (int i = 0; (key = xl_filter_key_at(i)) && !status; i++) {
        const char *value = xl_call_text(call, key->name);
        if (!value) continue;
        if (!strcmp(key->name, "size")) {
            status =
                xl_reply_about(reply, "size", read_size(value, out->size, sizeof out->size, err));
            value = out->size;
        }
        const struct xl_picture_where where = {key->column, value};
        if (!status) status = xl_reply_about(reply, key->name, xl_filter_check(&where, err));
        out->where[out->filter.n_where++] = where;
    }
    out->filter.where = out->where;
    if (!status && since)
        status = xl_reply_about(reply, "since",
                                xl_moment_parse("since", since, false, &out->filter.since, err));
    if (!status && until)
        status = xl_reply_about(reply, "until",
                                xl_moment_parse("until", until, true, &out->filter.until, err));
    return status;
}

/* --- Lists ------------------------------------------------------------------------------------ */

static enum xl_status get_page(struct xl_call *call, struct xl_reply *reply, struct xl_err *err) {
    struct query query;
    struct xl_index *index = NULL;
    json_t *page = NULL;
    enum xl_status status = read_query(call, reply, &query, err);
    if (!status) status = xl_library_take(call->user, &index, err);
    if (!status)
        status = xl_pictures_page(index, &query.filter, (int)xl_call_int(call, "limit", PAGE),
                                  xl_call_text(call, "after"), &page, err);
    xl_library_give(call->user, index);
    return status ? status : xl_reply_json(reply, 200, page, err);
}

/* {"total", "ids", "widths", "heights"}: written here, as it may be long. */
static void reply_order(struct xl_reply *reply, const struct xl_picture_order *order) {
    static const char *const keys[] = {"ids", "widths", "heights"};
    struct xl_str text = {0};
    xl_str_printf(&text, "{\"total\":%zu", order->n);
    for (int k = 0; k < 3; k++) {
        xl_str_printf(&text, ",\"%s\":[", keys[k]);
        for (size_t i = 0; i < order->n; i++) {
            const struct xl_picture_short *at = &order->at[i];
            long long value = k == 0 ? (long long)at->id : k == 1 ? at->width : at->height;
            char number[24];
            int n = snprintf(number, sizeof number, "%s%lld", i ? "," : "", value);
            xl_str_append(&text, number, (size_t)n);
        }
        xl_str_puts(&text, "]");
    }
    xl_str_puts(&text, "}");
    size_t n = text.len;
    char *taken = xl_str_take(&text);
    if (taken) xl_reply_text(reply, NULL, taken, n);
}

static unsigned char *put_number(unsigned char *out, uint64_t value, int n_bytes) {
    for (int k = 0; k < n_bytes; k++) *out++ = (unsigned char)(value >> 8 * k);
    return out;
}

/* Columns, each number with its least byte first: of every picture 32 bits of what its id is more
 * than that of the one before it, then 16 of the widths, then 16 of the heights. That way it
 * becomes small when it is compressed: ids mostly go down by one. */
static void reply_order_bytes(struct xl_reply *reply, const struct xl_picture_order *order) {
    unsigned char *bytes = malloc(8 * order->n + 1), *out = bytes;
    uint64_t before = 0;
    for (size_t i = 0; i < order->n && bytes; before = (uint64_t)order->at[i++].id)
        out = put_number(out, (uint64_t)order->at[i].id - before, 4);
    for (size_t i = 0; i < order->n && bytes; i++)
        out = put_number(out, (uint64_t)order->at[i].width, 2);
    for (size_t i = 0; i < order->n && bytes; i++)
        out = put_number(out, (uint64_t)order->at[i].height, 2);
    if (bytes) xl_reply_text(reply, "application/octet-stream", (char *)bytes, 8 * order->n);
}

static enum xl_status get_order(struct xl_call *call, struct xl_reply *reply, struct xl_err *err) {
    struct query query;
    struct xl_index *index = NULL;
    struct xl_picture_order order = {.n = 0};
    enum xl_status status = read_query(call, reply, &query, err);
    if (!status) status = xl_library_take(call->user, &index, err);
    if (!status) status = xl_pictures_order(index, &query.filter, &order, err);
    xl_library_give(call->user, index);
    if (!status && xl_call_choice(call, "format", 0))
        reply_order_bytes(reply, &order);
    else if (!status)
        reply_order(reply, &order);
    free(order.at);
    return status || reply->text ? status : xl_fail_nomem(err, "a list of pictures", 0);
}

static enum xl_status get_facets(struct xl_call *call, struct xl_reply *reply, struct xl_err *err) {
    struct query query;
    struct xl_index *index = NULL;
    json_t *facets = NULL;
    enum xl_status status = read_query(call, reply, &query, err);
    if (!status) status = xl_library_take(call->user, &index, err);
    if (!status) status = xl_pictures_facets(index, &query.filter, &facets, err);
    xl_library_give(call->user, index);
    return status ? status : xl_reply_json(reply, 200, facets, err);
}

/* --- One -------------------------------------------------------------------------------------- */

static enum xl_status find_picture(struct xl_index *index, const char *text, json_t **out,
                                   struct xl_err *err) {
    size_t n = strlen(text), n_digits = strspn(text, "0123456789");
    int64_t id = 0;
    enum xl_status status = XL_OK;
    if (n == 32)
        status = xl_picture_of_cell(index, text, &id, err);
    else if (n_digits == n && n < 19)
        id = strtoll(text, NULL, 10);
    if (status) return status;
    if (id) return xl_picture_get(index, id, out, err);
    return xl_fail(err, XL_EINPUT, "there is no picture %.60s", text);
}

enum xl_status xl_picture_of_id(struct xl_call *call, struct xl_reply *reply, const char *field,
                                const char *id, json_t **out, struct xl_err *err) {
    struct xl_index *index = NULL;
    enum xl_status status = xl_library_take(call->user, &index, err);
    if (status) return status;
    status = find_picture(index, id, out, err);
    xl_library_give(call->user, index);
    if (status == XL_EINPUT) {
        reply->code = 404;
        reply->field = field;
    }
    return status;
}

enum xl_status xl_picture_of_call(struct xl_call *call, struct xl_reply *reply, json_t **out,
                                  struct xl_err *err) {
    return xl_picture_of_id(call, reply, "id", xl_call_text(call, "id"), out, err);
}

enum xl_status xl_picture_open(struct xl_call *call, struct xl_reply *reply, const json_t *picture,
                               int *fd, struct xl_err *err) {
    const char *path = json_string_value(json_object_get(picture, "path"));
    enum xl_status status = path ? xl_library_open(call->user, path, fd, err)
                                 : xl_fail(err, XL_EINPUT, "this picture has no path");
    if (!status || status == XL_EDISK) return status;
    bool is_trashed = json_is_true(json_object_get(picture, "trashed"));
    if (is_trashed)
        return xl_reply_refuse(reply, 410, err,
                               "this picture is in the trash; POST .../restore brings it back");
    reply->code = 404;
    return status;
}

static enum xl_status get_one(struct xl_call *call, struct xl_reply *reply, struct xl_err *err) {
    json_t *picture = NULL;
    enum xl_status status = xl_picture_of_call(call, reply, &picture, err);
    return status ? status : xl_reply_json(reply, 200, picture, err);
}

/* --- Rows ------------------------------------------------------------------------------------- */

static json_t *mark_schema(void) {
    return json_pack("{s:s, s:b, s:{s:{s:s}, s:{s:s, s:i, s:i}, s:{s:s}, s:{s:s, s:i, s:i}}}",
                     "type", "object", "additionalProperties", 0, "properties", "favorite", "type",
                     "boolean", "rating", "type", "integer", "minimum", 0, "maximum", XL_RATING_MAX,
                     "rejected", "type", "boolean", "age_s", "type", "number", "minimum", 0,
                     "maximum", XL_MARK_AGE_MAX_S);
}

static json_t *many_schema(void) {
    return json_pack("{s:s, s:b, s:[s], s:{s:{s:s, s:i, s:{s:[s, s]}}}}", "type", "object",
                     "additionalProperties", 0, "required", "pictures", "properties", "pictures",
                     "type", "array", "minItems", 1, "items", "type", "integer", "string");
}

static const struct xl_param list_params[] = {
    FILTER,
    SORT,
    {.name = "after", .help = "\"next\" of the page before"},
    {.name = "limit",
     .type = XL_PARAM_INT,
     .min = 1,
     .max = PAGE_MAX,
     .help = "pictures of a page"},
    {.name = NULL}};
static const struct xl_param order_params[] = {
    FILTER,
    SORT,
    {.name = "format",
     .type = XL_PARAM_CHOICE,
     .choices = formats,
     .help =
         "binary: columns, each number with its least byte first: 32 bits of what an id is more "
         "than the one before it, then 16 of the widths, then 16 of the heights"},
    {.name = NULL}};
static const struct xl_param facet_params[] = {FILTER, {.name = NULL}};
#define ID                                                                                         \
    { .name = "id", .max = 32, .help = "a picture's number, or the id of its cell" }
static const struct xl_param id_params[] = {ID, {.name = NULL}};
static const struct xl_param file_params[] = {
    ID,
    {.name = "download", .type = XL_PARAM_SWITCH, .help = "for a file of the browser's user"},
    {.name = NULL}};
static const char *const sides[] = {"320", "640", "1024", NULL};
static const struct xl_param thumbnail_params[] = {
    ID,
    {.name = "side",
     .type = XL_PARAM_CHOICE,
     .choices = sides,
     .help = "its longer side in pixels; 320 where it is not said"},
    {.name = NULL}};

#define PICTURES "/api/v1/pictures"
static const struct xl_route rows[] = {
    {.method = "GET",
     .pattern = PICTURES,
     .run = get_page,
     .flags = XL_ROUTE_SLOW,
     .params = list_params,
     .summary = "Pictures, a page of them",
     .answer = "pictures, and next for the page after it"},
    {.method = "GET",
     .pattern = PICTURES "/order",
     .run = get_order,
     .flags = XL_ROUTE_SLOW,
     .params = order_params,
     .summary = "All pictures in short",
     .answer = "total, ids, widths, heights",
     .answer_type = "application/json application/octet-stream"},
    {.method = "GET",
     .pattern = PICTURES "/facets",
     .run = get_facets,
     .flags = XL_ROUTE_SLOW,
     .params = facet_params,
     .summary = "How many pictures have which model, profile, ...",
     .answer = "total, loved, facets"},
    {.method = "POST",
     .pattern = PICTURES "/trash",
     .run = xl_pictures_trash,
     .flags = XL_ROUTE_SLOW | XL_ROUTE_JSON,
     .summary = "Move pictures to the trash, at most 200: {\"pictures\": [ID, ...]}",
     .answer = "moved: how many; failed: which were not, and why",
     .body_schema = many_schema},
    {.method = "POST",
     .pattern = PICTURES "/restore",
     .run = xl_pictures_restore,
     .flags = XL_ROUTE_SLOW | XL_ROUTE_JSON,
     .summary = "Bring pictures back from the trash, at most 200: {\"pictures\": [ID, ...]}",
     .answer = "moved: how many; failed: which were not, and why",
     .body_schema = many_schema},
    {.method = "GET",
     .pattern = PICTURES "/{id}",
     .run = get_one,
     .flags = XL_ROUTE_SLOW,
     .params = id_params,
     .summary = "One picture",
     .answer = "the picture with its record"},
    {.method = "DELETE",
     .pattern = PICTURES "/{id}",
     .run = xl_picture_delete,
     .flags = XL_ROUTE_SLOW | XL_ROUTE_EMPTY,
     .params = id_params,
     .summary = "Move a picture to the trash",
     .answer = "nothing"},
    {.method = "POST",
     .pattern = PICTURES "/{id}/restore",
     .run = xl_picture_restore,
     .flags = XL_ROUTE_SLOW | XL_ROUTE_JSON | XL_ROUTE_EMPTY,
     .params = id_params,
     .summary = "Bring a picture back from the trash",
     .answer = "nothing"},
    {.method = "GET",
     .pattern = PICTURES "/{id}/file",
     .run = xl_picture_get_file,
     .flags = XL_ROUTE_SLOW,
     .params = file_params,
     .summary = "A picture's file",
     .answer = "the file, or the part of it that Range wants",
     .answer_type = "image/png"},
    {.method = "GET",
     .pattern = PICTURES "/{id}/thumbnail",
     .run = xl_picture_get_thumbnail,
     .flags = XL_ROUTE_SLOW,
     .params = thumbnail_params,
     .summary = "A picture, small",
     .answer = "a WebP",
     .answer_type = "image/webp"},
    {.method = "PUT",
     .pattern = PICTURES "/{id}/mark",
     .run = xl_picture_put_mark,
     .flags = XL_ROUTE_SLOW | XL_ROUTE_JSON,
     .params = id_params,
     .summary = "Say what is thought of a picture",
     .answer = "what holds now",
     .body_schema = mark_schema},
};

struct xl_route_table xl_pictures_table(struct xl_library *library) {
    return (struct xl_route_table){
        .rows = rows, .n = sizeof rows / sizeof *rows, .user = library, .prefix = "/api/v1/"};
}
