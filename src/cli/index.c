/* index.c - sdxl-lab index update, rebuild, status, add, remove: the index of an output directory.
 */
#include "cli/cli.h"
#include "cli/index_open.h"
#include "cli/table.h"

#include "base/json.h"
#include "base/path.h"
#include "base/str.h"
#include "insight/index/check.h"
#include "insight/marks/marks.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

/* --- Opening, for all commands that ask the index --------------------------------------------- */

enum xl_status xl_index_open_for(const struct xl_settings *settings, enum xl_index_how how,
                                 struct xl_index **out, struct xl_err *err) {
    const struct xl_index_params params = {.output_dir = settings->output_dir,
                                           .index_dir = settings->index_dir,
                                           .threads = settings->threads};
    return xl_index_open(&params, how, out, err);
}

/* --- Telling ---------------------------------------------------------------------------------- */

static void put_int(json_t *object, const char *key, int64_t value, bool *ok) {
    xl_json_put(object, key, json_integer(value), ok);
}

static enum xl_status print_json(const struct xl_index_report *report, struct xl_err *err) {
    xl_json_watch();
    json_t *object = json_object();
    bool ok = object != NULL;
    xl_json_put(object, "path", xl_json_text(report->path), &ok);
    put_int(object, "bytes", report->bytes, &ok);
    xl_json_put(object, "is_current", json_boolean(report->is_current), &ok);
    xl_json_put(object, "rebuilt", xl_json_text(report->rebuilt), &ok);
    xl_json_put(object, "network", xl_json_text(report->network), &ok);
    xl_json_put(object, "journal", json_string(report->network ? "rollback" : "wal"), &ok);
    put_int(object, "pictures", report->n_pictures, &ok);
    put_int(object, "pictures_from_logs", report->n_from_logs, &ok);
    put_int(object, "pictures_from_records", report->n_from_records, &ok);
    put_int(object, "new_pictures", report->n_new, &ok);
    put_int(object, "files_without_record", report->n_without_record, &ok);
    put_int(object, "pictures_that_disagree", report->n_disagree, &ok);
    put_int(object, "logs", report->n_logs, &ok);
    put_int(object, "packed_logs", report->n_packed, &ok);
    put_int(object, "log_lines", report->n_lines, &ok);
    put_int(object, "damaged_lines", report->n_damaged, &ok);
    put_int(object, "failed_jobs", report->n_failed, &ok);
    put_int(object, "folders", report->n_folders, &ok);
    put_int(object, "named_folders", report->n_named_folders, &ok);
    put_int(object, "loved", report->n_loved, &ok);
    put_int(object, "rated", report->n_rated, &ok);
    put_int(object, "duels", report->n_duels, &ok);
    put_int(object, "marks_of_unknown_pictures", report->n_unknown, &ok);
    xl_json_put(object, "seconds", json_real(report->seconds), &ok);
    object = xl_json_finish(object, ok);
    enum xl_status status = object ? xl_print_json(object, err) : xl_fail_nomem(err, "JSON", 0);
    json_decref(object);
    return status;
}

/* "3 favourites" and such; nothing for none. */
static void put_count(struct xl_str *text, int64_t n, const char *one, const char *many) {
    if (n)
        xl_str_printf(text, "%s%lld %s", text->len ? ", " : "", (long long)n,
                      xl_plural(n, one, many));
}

static void print_line(const char *lead, struct xl_str *text) {
    if (text->len) xl_print_lines(0, lead, text->text, XL_COLOR_NONE);
    xl_str_deinit(text);
}

static void print_sources(const struct xl_index_report *report) {
    struct xl_str text = {0};
    xl_str_printf(&text, "%lld from %lld %s of %lld %s", (long long)report->n_from_logs,
                  (long long)report->n_lines, xl_plural(report->n_lines, "line", "lines"),
                  (long long)report->n_logs, xl_plural(report->n_logs, "job log", "job logs"));
    put_count(&text, report->n_from_records, "from its own record", "from their own records");
    print_line("", &text);
    put_count(&text, report->n_failed, "job failed", "jobs failed");
    put_count(&text, report->n_damaged, "line of a log is damaged", "lines of logs are damaged");
    put_count(&text, report->n_packed, "packed log was not read: unpack it",
              "packed logs were not read: unpack them");
    put_count(&text, report->n_without_record, "picture says nothing of itself",
              "pictures say nothing of themselves");
    put_count(&text, report->n_disagree,
              "picture says otherwise than its log: sdxl-lab index check tells",
              "pictures say otherwise than their logs: sdxl-lab index check tells");
    print_line("", &text);
}

static void print_marks(const struct xl_index_report *report) {
    struct xl_str text = {0};
    put_count(&text, report->n_loved, "favourite", "favourites");
    put_count(&text, report->n_rated, "rating", "ratings");
    put_count(&text, report->n_duels, "choice between two", "choices between two");
    put_count(&text, report->n_unknown, "mark is of a picture that is not in the index",
              "marks are of pictures that are not in the index");
    print_line("", &text);
}

static void print_report(const struct xl_index_report *report) {
    printf("%lld %s, %.1f MB in ", (long long)report->n_pictures,
           xl_plural(report->n_pictures, "picture", "pictures"), (double)report->bytes / 1e6);
    xl_print_text(report->path, XL_COLOR_NONE);
    printf("\n");
    print_sources(report);
    print_marks(report);
    if (report->network)
        printf("on %s: no write-ahead log there, readers wait while it is written\n",
               report->network);
    if (!report->is_current) printf("files have changed since: sdxl-lab index update\n");
}

static enum xl_status tell(const struct xl_settings *settings, struct xl_index *index,
                           bool is_update, struct xl_err *err) {
    struct xl_index_report report;
    enum xl_status status = xl_index_tell(index, &report, err);
    if (status) return status;
    if (settings->json) return print_json(&report, err);
    if (is_update && report.rebuilt)
        printf("made anew in %.2f s: %s\n", report.seconds, report.rebuilt);
    else if (is_update)
        printf("%lld new %s in %.2f s\n", (long long)report.n_new,
               xl_plural(report.n_new, "picture", "pictures"), report.seconds);
    print_report(&report);
    return XL_OK;
}

static enum xl_status open_and_tell(const struct xl_settings *settings, enum xl_index_how how,
                                    struct xl_err *err) {
    struct xl_index *index = NULL;
    enum xl_status status = xl_index_open_for(settings, how, &index, err);
    if (!status) status = tell(settings, index, how != XL_INDEX_LOOK, err);
    xl_index_close(index);
    return status;
}

static enum xl_status update(const struct xl_settings *settings, struct xl_err *err) {
    return open_and_tell(settings, XL_INDEX_UPDATE, err);
}

static enum xl_status rebuild(const struct xl_settings *settings, struct xl_err *err) {
    return open_and_tell(settings, XL_INDEX_REBUILD, err);
}

static enum xl_status look(const struct xl_settings *settings, struct xl_err *err) {
    return open_and_tell(settings, XL_INDEX_LOOK, err);
}

/* --- Checking --------------------------------------------------------------------------------- */

static enum xl_status print_disagreements(const json_t *document, struct xl_err *err) {
    enum { SHOWN = 50 };
    static const char *const keys[] = {"field", "log", "record", "path"};
    static const char *const names[] = {"FIELD", "LOG", "RECORD", "PICTURE"};
    const json_t *list = json_object_get(document, "disagreements"), *object;
    json_int_t n_checked = json_integer_value(json_object_get(document, "checked"));
    struct xl_table table = {.n_columns = 4};
    size_t i, n = json_array_size(list);
    if (n) xl_table_add(&table, names, XL_COLOR_BOLD);
    json_array_foreach(list, i, object) {
        const char *cells[4];
        for (int k = 0; k < 4; k++) cells[k] = json_string_value(json_object_get(object, keys[k]));
        if (i < SHOWN) xl_table_add(&table, cells, XL_COLOR_NONE);
    }
    enum xl_status status = n ? xl_table_print(&table, 0, err) : XL_OK;
    if (status) return status;
    if (n > SHOWN) printf("and %zu more: --json has all\n", n - SHOWN);
    printf("%lld %s read, %zu %s\n", (long long)n_checked,
           xl_plural(n_checked, "picture", "pictures"), n,
           xl_plural((long long)n, "disagreement", "disagreements"));
    return XL_OK;
}

static enum xl_status check(const struct xl_settings *settings, struct xl_err *err) {
    struct xl_index *index = NULL;
    json_t *document = NULL;
    enum xl_status status = xl_index_open_for(settings, XL_INDEX_UPDATE, &index, err);
    if (!status) status = xl_index_check(index, &document, err);
    xl_index_close(index);
    if (!status)
        status = settings->json ? xl_print_json(document, err) : print_disagreements(document, err);
    json_decref(document);
    return status;
}

/* --- Folders of other programs ---------------------------------------------------------------- */

static enum xl_status put_folders(const struct xl_settings *settings, bool counts,
                                  struct xl_err *err) {
    struct xl_marks *marks = NULL;
    enum xl_status status = xl_marks_open(settings->output_dir, settings->instance, &marks, err);
    for (int i = 0; i < settings->n_arguments && !status; i++) {
        char real[PATH_MAX];
        const char *path = settings->arguments[i];
        if (realpath(path, real))
            path = real;
        else if (counts)
            status = xl_fail(err, XL_EINPUT, "%s: no such folder", path);
        if (!status) status = xl_marks_put_folder(marks, path, counts, err);
    }
    enum xl_status closed = xl_marks_close(marks, status ? NULL : err);
    if (!status) status = closed;
    return status ? status : update(settings, err);
}

static enum xl_status add(const struct xl_settings *settings, struct xl_err *err) {
    return put_folders(settings, true, err);
}

static enum xl_status drop(const struct xl_settings *settings, struct xl_err *err) {
    return put_folders(settings, false, err);
}

#define ABOUT                                                                                      \
    "The index holds every picture of --output-dir, read from its job logs, from the records in "  \
    "pictures whose log is gone, and from marks (sdxl-lab favorite). It is in .index there, or "   \
    "where --index-dir says; it can be deleted at any time. Commands that need it bring it up "    \
    "to date themselves."

const struct xl_command xl_command_index_update = {
    .name = "index update",
    .summary = "bring the index of pictures up to date",
    .usage = "[OPTIONS]",
    .commands = XL_FOR_INDEX,
    .epilogue = ABOUT,
    .run = update,
};

const struct xl_command xl_command_index_rebuild = {
    .name = "index rebuild",
    .summary = "make the index of pictures anew",
    .usage = "[OPTIONS]",
    .commands = XL_FOR_INDEX,
    .epilogue = ABOUT,
    .run = rebuild,
};

const struct xl_command xl_command_index_status = {
    .name = "index status",
    .summary = "what is in the index, and whether it is up to date",
    .usage = "[OPTIONS]",
    .commands = XL_FOR_INDEX,
    .epilogue = ABOUT,
    .run = look,
};

const struct xl_command xl_command_index_check = {
    .name = "index check",
    .summary = "whether pictures say of themselves what their job logs say",
    .usage = "[OPTIONS]",
    .commands = XL_FOR_INDEX,
    .epilogue = "Reads every picture that a log names and that has a record of this program, and "
                "tells which field of which one says otherwise. The index goes by the log; index "
                "status counts what the last check found.",
    .run = check,
};

const struct xl_command xl_command_index_add = {
    .name = "index add",
    .summary = "have pictures of other programs in a folder count as well",
    .usage = "[OPTIONS] DIR...",
    .positional = "DIR...",
    .words = XL_COMPLETE_DIR,
    .commands = XL_FOR_INDEX,
    .epilogue = "Pictures there, and in folders within, are indexed by what they say of "
                "themselves: A1111, ComfyUI, InvokeAI, SwarmUI, Fooocus and others. The folder is "
                "noted in the marks of --output-dir; nothing is written to it.",
    .run = add,
};

const struct xl_command xl_command_index_remove = {
    .name = "index remove",
    .summary = "have a folder that was added count no more",
    .usage = "[OPTIONS] DIR...",
    .positional = "DIR...",
    .words = XL_COMPLETE_DIR,
    .commands = XL_FOR_INDEX,
    .run = drop,
};
