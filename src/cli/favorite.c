/* favorite.c - sdxl-lab favorite add, remove, rate, import, list: marks of pictures. */
#include "cli/cli.h"
#include "cli/index_open.h"
#include "cli/table.h"

#include "base/json.h"
#include "base/str.h"
#include "base/threads.h"
#include "insight/index/pictures.h"
#include "insight/marks/favorites_in.h"
#include "insight/marks/marks.h"
#include "insight/report/csv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { AT_ONCE = 64, MOST_TOLD = 20 };

/* What is being marked. */
struct marking {
    const struct xl_settings *settings;
    struct xl_favorites_in list;
    int loved; /* 1, 0; -1: only rated */
    struct xl_marks *marks;
    struct xl_mark_file files[AT_ONCE];
    struct xl_err errors[AT_ONCE];
    enum xl_status statuses[AT_ONCE];
    int first; /* of the list, of files[0] */
    int n_marked;
    json_t *refused; /* [{"path", "why"}] */
};

static void read_one(void *user, int64_t task, int worker) {
    struct marking *marking = user;
    const struct xl_favorite_in *item = &marking->list.items[marking->first + task];
    (void)worker;
    marking->statuses[task] =
        item->why ? xl_fail(&marking->errors[task], XL_EINPUT, "%s: %s", item->path, item->why)
                  : xl_mark_file_read(item->path, &marking->files[task], &marking->errors[task]);
}

static void refuse(struct marking *marking, const struct xl_favorite_in *item, const char *why) {
    json_t *object = json_object();
    bool ok = object != NULL;
    xl_json_put(object, "path", xl_json_text(item->path), &ok);
    if (item->line) xl_json_put(object, "line", json_integer(item->line), &ok);
    xl_json_put(object, "why", xl_json_text(why), &ok);
    json_array_append_new(marking->refused, object);
}

static enum xl_status mark_some(struct marking *marking, struct xl_pool *pool, int n,
                                struct xl_err *err) {
    xl_pool_run(pool, n, read_one, marking);
    for (int i = 0; i < n; i++) {
        const struct xl_favorite_in *item = &marking->list.items[marking->first + i];
        if (marking->statuses[i] == XL_EINPUT) {
            refuse(marking, item, marking->errors[i].text);
            continue;
        }
        enum xl_status status = marking->statuses[i];
        if (status && err) *err = marking->errors[i];
        int rating = marking->loved == 0 ? 0 : item->rating;
        if (!status)
            status =
                xl_marks_put(marking->marks, &marking->files[i].is, marking->loved, rating, err);
        if (status) return status;
        marking->n_marked++;
    }
    return XL_OK;
}

static enum xl_status mark_all(struct marking *marking, struct xl_err *err) {
    const struct xl_settings *settings = marking->settings;
    struct xl_pool *pool = NULL;
    enum xl_status status = xl_pool_new(settings->threads, NULL, &pool, err);
    if (!status)
        status = xl_marks_open(settings->output_dir, settings->instance, &marking->marks, err);
    for (; marking->first < marking->list.n && !status; marking->first += AT_ONCE) {
        int left = marking->list.n - marking->first;
        status = mark_some(marking, pool, left < AT_ONCE ? left : AT_ONCE, err);
    }
    enum xl_status closed = xl_marks_close(marking->marks, status ? NULL : err);
    xl_pool_free(pool);
    return status ? status : closed;
}

/* --- What came of it -------------------------------------------------------------------------- */

static void print_refused(const struct marking *marking) {
    size_t i, n = json_array_size(marking->refused);
    const json_t *object;
    json_array_foreach(marking->refused, i, object) {
        if (i == MOST_TOLD) break;
        xl_print_lines(0, "not marked: ", json_string_value(json_object_get(object, "why")),
                       XL_COLOR_YELLOW);
    }
    if (n > MOST_TOLD) printf("and %zu more that could not be marked\n", n - MOST_TOLD);
}

static enum xl_status tell(struct marking *marking, struct xl_err *err) {
    struct xl_index *index = NULL;
    struct xl_index_report report;
    enum xl_status status = xl_index_open_for(marking->settings, XL_INDEX_UPDATE, &index, err);
    if (!status) status = xl_index_tell(index, &report, err);
    xl_index_close(index);
    if (status) return status;
    int64_t n_refused = (int64_t)json_array_size(marking->refused);
    if (marking->settings->json) {
        bool ok = true;
        json_t *object = json_object();
        xl_json_put(object, "marked", json_integer(marking->n_marked), &ok);
        xl_json_put(object, "refused", json_incref(marking->refused), &ok);
        xl_json_put(object, "loved", json_integer(report.n_loved), &ok);
        xl_json_put(object, "rated", json_integer(report.n_rated), &ok);
        xl_json_put(object, "marks_of_unknown_pictures", json_integer(report.n_unknown), &ok);
        object = xl_json_finish(object, ok);
        status = object ? xl_print_json(object, err) : xl_fail_nomem(err, "JSON", 0);
        json_decref(object);
    } else {
        print_refused(marking);
        printf("%d %s marked; %lld %s in all\n", marking->n_marked,
               xl_plural(marking->n_marked, "picture", "pictures"), (long long)report.n_loved,
               xl_plural(report.n_loved, "favourite", "favourites"));
        if (report.n_unknown)
            printf(
                "%lld %s: no log or record of %s names them; sdxl-lab favorite list says which\n",
                (long long)report.n_unknown,
                xl_plural(report.n_unknown, "is not ours", "are not ours"),
                marking->settings->output_dir);
    }
    if (!status && !marking->n_marked && n_refused)
        return xl_fail(err, XL_EINPUT, "none of %lld %s could be marked", (long long)n_refused,
                       xl_plural(n_refused, "picture", "pictures"));
    return status;
}

static enum xl_status mark(struct marking *marking, struct xl_err *err) {
    marking->refused = json_array();
    enum xl_status status = marking->refused ? mark_all(marking, err)
                                             : xl_fail_nomem(err, "JSON", 0);
    if (!status) status = tell(marking, err);
    json_decref(marking->refused);
    return status;
}

/* --- Commands --------------------------------------------------------------------------------- */

/* Mark the files that are named from the `first` argument on. */
static enum xl_status mark_arguments(const struct xl_settings *settings, int first, int loved,
                                     int rating, struct xl_err *err) {
    struct marking *marking = calloc(1, sizeof *marking);
    if (!marking) return xl_fail_nomem(err, "favourites", sizeof *marking);
    enum xl_status status = XL_OK;
    marking->settings = settings;
    marking->loved = loved;
    for (int i = first; i < settings->n_arguments && !status; i++)
        status = xl_favorites_in_add(&marking->list, settings->arguments[i], rating, err);
    if (!status) status = mark(marking, err);
    xl_favorites_in_deinit(&marking->list);
    free(marking);
    return status;
}

static enum xl_status add(const struct xl_settings *settings, struct xl_err *err) {
    return mark_arguments(settings, 0, 1, -1, err);
}

static enum xl_status drop(const struct xl_settings *settings, struct xl_err *err) {
    return mark_arguments(settings, 0, 0, 0, err);
}

static enum xl_status rate(const struct xl_settings *settings, struct xl_err *err) {
    char *end;
    const char *text = settings->arguments[0];
    long rating = strtol(text, &end, 10);
    if (*end || end == text || rating < 0 || rating > XL_RATING_MAX)
        return xl_fail(err, XL_EINVAL,
                       "favorite rate: \"%.60s\" is no rating; expected 1 to 5 (0 takes it away) "
                       "before the pictures",
                       text);
    if (settings->n_arguments < 2)
        return xl_fail(err, XL_EINVAL, "favorite rate: say which pictures after the rating");
    return mark_arguments(settings, 1, -1, (int)rating, err);
}

static enum xl_status import(const struct xl_settings *settings, struct xl_err *err) {
    struct marking *marking = calloc(1, sizeof *marking);
    if (!marking) return xl_fail_nomem(err, "favourites", sizeof *marking);
    enum xl_status status = XL_OK;
    marking->settings = settings;
    marking->loved = 1;
    for (int i = 0; i < settings->n_arguments && !status; i++)
        status = xl_favorites_in_read(&marking->list, settings->arguments[i], err);
    if (!status && !marking->list.n)
        status = xl_fail(err, XL_EINPUT, "%s: lists no picture", settings->arguments[0]);
    if (!status) status = mark(marking, err);
    xl_favorites_in_deinit(&marking->list);
    free(marking);
    return status;
}

/* A mark as a row, and whether the index knows the picture. */
static json_t *describe(const struct xl_mark *mark, bool is_known) {
    json_t *object = json_object();
    bool ok = object != NULL;
    xl_json_put(object, "path", xl_json_text(mark->picture.path), &ok);
    xl_json_put(object, "loved", json_boolean(mark->is_loved), &ok);
    xl_json_put(object, "rating", json_integer(mark->rating), &ok);
    xl_json_put(object, "sha256", xl_json_text(mark->picture.sha256), &ok);
    xl_json_put(object, "cell", xl_json_text(mark->picture.cell), &ok);
    xl_json_put(object, "is_known", json_boolean(is_known), &ok);
    return xl_json_finish(object, ok);
}

/* The columns that lists of favourites have, and what else is known of a mark. */
static enum xl_status print_csv(const json_t *list, struct xl_err *err) {
    static const char *const texts[] = {"sha256", "cell"};
    struct xl_str out = {0};
    const json_t *object;
    size_t i;
    xl_str_puts(&out, "path,rating,loved,known,sha256,cell\n");
    json_array_foreach(list, i, object) {
        json_int_t rating = json_integer_value(json_object_get(object, "rating"));
        const char *path = json_string_value(json_object_get(object, "path"));
        xl_report_csv_cell(&out, path ? path : "");
        xl_str_puts(&out, ",");
        if (rating) xl_str_printf(&out, "%" JSON_INTEGER_FORMAT, rating);
        xl_str_printf(&out, ",%d,%d", json_is_true(json_object_get(object, "loved")),
                      json_is_true(json_object_get(object, "is_known")));
        for (int k = 0; k < 2; k++) {
            const char *text = json_string_value(json_object_get(object, texts[k]));
            xl_str_puts(&out, ",");
            xl_report_csv_cell(&out, text ? text : "");
        }
        xl_str_puts(&out, "\n");
    }
    char *text = xl_str_take(&out);
    if (!text) return xl_fail_nomem(err, "favourites", 0);
    fputs(text, stdout);
    free(text);
    return XL_OK;
}

static enum xl_status print_marks(const struct xl_settings *settings, const json_t *list,
                                  struct xl_err *err) {
    if (settings->json && settings->csv)
        return xl_fail(err, XL_EINVAL, "--json and --csv: standard output can be one of them");
    if (settings->json) return xl_print_json(list, err);
    if (settings->csv) return print_csv(list, err);
    struct xl_table table = {.n_columns = 3};
    const json_t *object;
    size_t i;
    json_array_foreach(list, i, object) {
        char rating[16] = "";
        int stars = (int)json_integer_value(json_object_get(object, "rating"));
        snprintf(rating, sizeof rating, "%.*s", stars, "*****");
        bool is_known = json_is_true(json_object_get(object, "is_known"));
        const char *const cells[] = {json_string_value(json_object_get(object, "path")), rating,
                                     is_known ? "" : "not ours: no log or record names it"};
        xl_table_add(&table, cells, XL_COLOR_DIM);
    }
    return xl_table_print(&table, 0, err);
}

static enum xl_status list(const struct xl_settings *settings, struct xl_err *err) {
    struct xl_index *index = NULL;
    struct xl_mark_list *marks = NULL;
    json_t *array = json_array();
    enum xl_status status = xl_index_open_for(settings, XL_INDEX_UPDATE, &index, err);
    if (!status) status = xl_marks_read(settings->output_dir, &marks, err);
    const struct xl_mark_view view = marks ? xl_marks_view(marks) : (struct xl_mark_view){0};
    for (int i = 0; i < view.n_marks && !status; i++) {
        int64_t id = 0;
        if (!view.marks[i].is_loved && !view.marks[i].rating) continue;
        status = xl_picture_of_mark(index, &view.marks[i].picture, &id, err);
        if (!status && json_array_append_new(array, describe(&view.marks[i], id != 0)))
            status = xl_fail_nomem(err, "favourites", 0);
    }
    if (!status) status = print_marks(settings, array, err);
    json_decref(array);
    xl_marks_free(marks);
    xl_index_close(index);
    return status;
}

#define ABOUT                                                                                      \
    "Marks are lines of marks_INSTANCE.jsonl beside the job logs of --output-dir, and name "       \
    "pictures by content, cell and path: a copy, a renamed file or a link marks the picture that " \
    "it is of."

const struct xl_command xl_command_favorite_add = {
    .name = "favorite add",
    .summary = "mark pictures as favourites",
    .usage = "[OPTIONS] FILE...",
    .positional = "FILE...",
    .words = XL_COMPLETE_FILE,
    .commands = XL_FOR_INDEX,
    .epilogue = ABOUT,
    .run = add,
};

const struct xl_command xl_command_favorite_remove = {
    .name = "favorite remove",
    .summary = "take marks and ratings of pictures away",
    .usage = "[OPTIONS] FILE...",
    .positional = "FILE...",
    .words = XL_COMPLETE_FILE,
    .commands = XL_FOR_INDEX,
    .epilogue = ABOUT,
    .run = drop,
};

const struct xl_command xl_command_favorite_rate = {
    .name = "favorite rate",
    .summary = "rate pictures from 1 to 5; 0 takes a rating away",
    .usage = "[OPTIONS] RATING FILE...",
    .positional = "RATING...",
    .words = XL_COMPLETE_FILE,
    .commands = XL_FOR_INDEX,
    .epilogue = ABOUT,
    .run = rate,
};

const struct xl_command xl_command_favorite_import = {
    .name = "favorite import",
    .summary = "mark what a folder, a text file or a CSV file lists",
    .usage = "[OPTIONS] FILE|DIR...",
    .positional = "FILE|DIR...",
    .words = XL_COMPLETE_FILE,
    .commands = XL_FOR_INDEX,
    .epilogue =
        "A folder of pictures or of links to them; a text file with a path a line (lines that "
        "begin with # are left out); a CSV file with a column path (or file, filename, image, "
        "picture) and, if you like, rating (1 to 5).\nWhat is not there or is no picture is listed "
        "and counted; the rest is marked.\n" ABOUT,
    .run = import,
};

const struct xl_command xl_command_favorite_list = {
    .name = "favorite list",
    .summary = "favourites and ratings",
    .usage = "[OPTIONS]",
    .commands = XL_FOR_INDEX | XL_FOR_MARKS,
    .epilogue = ABOUT,
    .run = list,
};
