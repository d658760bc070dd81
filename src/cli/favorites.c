/* favorites.c - sdxl-lab favorites: what is loved, and what to make next. */
#include "cli/cli.h"
#include "cli/favorites_open.h"

#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "insight/index/pictures.h"
#include "insight/report/csv.h"
#include "insight/report/document.h"
#include "insight/report/export.h"
#include "insight/report/html.h"
#include "insight/taste/taste.h"

#include <stdio.h>
#include <stdlib.h>

enum { MOST_TOLD = 10 };

/* Where pictures are: the last one that was asked for. */
struct paths {
    struct xl_index *index;
    json_t *picture;
};

static const char *path_of(void *user, int64_t id) {
    struct paths *paths = user;
    struct xl_err ignored;
    json_decref(paths->picture);
    paths->picture = NULL;
    if (xl_picture_get(paths->index, id, &paths->picture, &ignored)) return NULL;
    return json_string_value(json_object_get(paths->picture, "path"));
}

static void warn_of_missing(const json_t *given) {
    const json_t *missing = json_object_get(given, "not_found"), *path;
    size_t i, n = json_array_size(missing);
    json_array_foreach(missing, i, path) {
        if (i == MOST_TOLD) break;
        xl_warn("%s: no log or record of this output directory names it", json_string_value(path));
    }
    if (n > MOST_TOLD) xl_warn("and %zu more that are not ours", n - MOST_TOLD);
}

static enum xl_status write_page(const char *path, const json_t *document, struct xl_err *err) {
    struct xl_str page = {0};
    xl_report_html(document, &page);
    size_t n = page.len;
    char *text = xl_str_take(&page);
    enum xl_status status = text ? xl_file_replace(path, text, n, err)
                                 : xl_fail_nomem(err, "a report", 0);
    free(text);
    return status;
}

static enum xl_status print_csv(const json_t *document, struct xl_err *err) {
    struct xl_str table = {0};
    xl_report_csv(document, &table);
    char *text = xl_str_take(&table);
    if (!text) return xl_fail_nomem(err, "a table", 0);
    fputs(text, stdout);
    free(text);
    return XL_OK;
}

/* What was written is said where nothing else goes to standard output. */
static enum xl_status put_files(const struct xl_settings *settings, const struct xl_taste *taste,
                                const json_t *document, const struct xl_report_pictures *pictures,
                                struct xl_err *err) {
    bool is_told = !settings->json && !settings->csv;
    enum xl_status status = XL_OK;
    if (settings->html) status = write_page(settings->html, document, err);
    if (!status && settings->html && is_told) printf("\nwritten: %s\n", settings->html);
    if (!status && settings->export_dir)
        status = xl_report_export(settings->export_dir, taste, document, pictures, err);
    if (!status && settings->export_dir && is_told)
        printf("\nwritten: %s (report.html, contact sheets, a job file of each bundle, the next "
               "sweep)\n",
               settings->export_dir);
    return status;
}

static enum xl_status report(const struct xl_settings *settings,
                             const struct xl_favorites *favorites, const struct xl_taste *taste,
                             struct xl_err *err) {
    struct paths paths = {favorites->index, NULL};
    const struct xl_report_pictures pictures = {path_of, &paths};
    json_t *document = xl_report_document(taste, &pictures);
    enum xl_status status = document ? XL_OK : xl_fail_nomem(err, "a report", 0);
    if (!status && favorites->given && json_object_set(document, "given", favorites->given))
        status = xl_fail_nomem(err, "a report", 0);
    if (!status && settings->json)
        status = xl_print_json(document, err);
    else if (!status && settings->csv)
        status = print_csv(document, err);
    else if (!status)
        status = xl_favorites_tell(document, err);
    if (!status) status = put_files(settings, taste, document, &pictures, err);
    json_decref(document);
    json_decref(paths.picture);
    return status;
}

static enum xl_status run(const struct xl_settings *settings, struct xl_err *err) {
    struct xl_favorites favorites = {0};
    struct xl_taste taste = {0};
    const struct xl_taste_wish wish = {.budget = (size_t)settings->budget};
    if (settings->json && settings->csv)
        return xl_fail(err, XL_EINVAL, "--json and --csv: standard output can be one of them");
    enum xl_status status = xl_favorites_open(settings, &favorites, err);
    if (!status) warn_of_missing(favorites.given);
    if (!status) status = xl_taste_find(&favorites.rows, &wish, &taste, err);
    if (!status) status = report(settings, &favorites, &taste, err);
    xl_taste_deinit(&taste);
    xl_favorites_close(&favorites);
    return status;
}

const struct xl_command xl_command_favorites = {
    .name = "favorites",
    .link = "analyze_favorites",
    .summary =
        "what you love: by model, profile, size, ..., favourite bundles, and what to make next",
    .usage = "[OPTIONS]",
    .positional = "[FILE|DIR...]",
    .words = XL_COMPLETE_FILE,
    .commands = XL_FOR_FAVORITES,
    .epilogue = "Without an argument, of the marks that sdxl-lab favorite and the pages made. With "
                "one, what it lists is "
                "what is loved: a text file of paths, a CSV file, or a folder of pictures or links "
                "to them.\n"
                "What is not more than chance is not claimed. docs/FAVOURITES.md tells how the "
                "numbers are made.",
    .run = run,
};
