/* download_plan.c - the plan of a download, for people and for programs. Keeps nothing. */
#include "cli/download.h"

#include "base/json.h"
#include "base/str.h"
#include "cli/models.h"
#include "cli/table.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* --- Licences ----------------------------------------------------------------------------------
 */

/* Words by which a licence that the catalogue does not know says so itself. */
static bool forbids_commerce(const char *licence) {
    static const char *const marks[] = {"-nc", "noncommercial", "non-commercial", "research"};
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (strcasestr(licence, marks[i])) return true;
    return false;
}

/* The catalogue's licence, and the card's where that is another. */
static void put_licence(struct xl_str *out, const struct xl_download_item *item) {
    const struct xl_catalogue_model *entry = item->entry;
    const char *card = item->plan.licence;
    bool is_known = entry && entry->licence && strcmp(entry->licence, "unknown") != 0;
    if (is_known) {
        xl_str_puts(out, entry->licence);
        if (!entry->is_commercial) xl_str_puts(out, ", NO COMMERCIAL USE");
        if (entry->licence_note && entry->licence_note[0])
            xl_str_printf(out, "; %s", entry->licence_note);
        if (card[0] && strcasecmp(card, entry->licence) != 0)
            xl_str_printf(out, "; its card says %s", card);
    } else if (card[0]) {
        xl_str_printf(out, "%s, as its card says%s", card,
                      forbids_commerce(card) ? ": NO COMMERCIAL USE" : "");
    } else {
        xl_str_puts(out, "its card names none: ask its makers before you use it");
    }
}

static bool is_commercial(const struct xl_download_item *item) {
    if (item->entry) return item->entry->is_commercial;
    return item->plan.licence[0] && !forbids_commerce(item->plan.licence);
}

/* --- For people --------------------------------------------------------------------------------
 */

static void print_line(const char *label, const char *text) {
    printf("  %-9s", label);
    xl_print_text(text, XL_COLOR_NONE);
    putchar('\n');
}

static void put_state(const struct xl_download_file *file, char *out, size_t size) {
    char bytes[XL_BYTES_MAX];
    if (file->state != XL_FILE_ABSENT)
        snprintf(out, size, "there");
    else if (file->partial)
        snprintf(out, size, "%s of it are there", xl_bytes_text(file->partial, bytes));
    else
        snprintf(out, size, "to download");
}

/* Files of some size one by one, the small ones in a row of their own. */
static enum xl_status print_files(const struct xl_download_plan *plan, bool is_verbose,
                                  struct xl_err *err) {
    struct xl_table table = {.n_columns = 3};
    char size[XL_BYTES_MAX], state[64], name[64];
    int n_small = 0, n_absent = 0;
    int64_t small = 0;
    for (int i = 0; i < plan->n; i++) {
        const struct xl_download_file *file = &plan->files[i];
        if (!is_verbose && file->file.size < 10000000 && plan->n > 1) {
            n_small++;
            n_absent += file->state == XL_FILE_ABSENT;
            small += file->file.size;
            continue;
        }
        put_state(file, state, sizeof state);
        const char *const cells[] = {file->file.path, xl_bytes_text(file->file.size, size), state};
        xl_table_add(&table, cells, file->state == XL_FILE_ABSENT ? XL_COLOR_NONE : XL_COLOR_DIM);
    }
    if (n_small) {
        snprintf(name, sizeof name, "%d small %s", n_small, xl_plural(n_small, "file", "files"));
        snprintf(state, sizeof state, n_absent == n_small ? "to download" : "%d to download",
                 n_absent);
        if (!n_absent) snprintf(state, sizeof state, "there");
        const char *const cells[] = {name, xl_bytes_text(small, size), state};
        xl_table_add(&table, cells, n_absent ? XL_COLOR_NONE : XL_COLOR_DIM);
    }
    return xl_table_print(&table, 2, err);
}

enum xl_status xl_print_download(const struct xl_download_item *item, bool is_verbose,
                                 struct xl_err *err) {
    const struct xl_download_plan *plan = &item->plan;
    struct xl_str licence = {0};
    char text[512], all[XL_BYTES_MAX], left[XL_BYTES_MAX];
    xl_print_text(item->name, XL_COLOR_BOLD);
    snprintf(text, sizeof text, "%s%s", strcmp(item->name, plan->id) ? ": " : "",
             strcmp(item->name, plan->id) ? plan->id : "");
    xl_print_text(text, XL_COLOR_NONE);
    snprintf(text, sizeof text, ", %s, commit %.12s\n", plan->revision, plan->commit);
    fputs(text, stdout);
    put_licence(&licence, item);
    if (licence.text) print_line("licence", licence.text);
    xl_str_deinit(&licence);
    if (plan->is_gated) print_line("gated", "its owner wants to know who downloads it");
    print_line("into", plan->store.dir);
    enum xl_status status = print_files(plan, is_verbose, err);
    xl_bytes_text(plan->bytes, all);
    if (plan->n_absent)
        snprintf(text, sizeof text, "%s, %s to download", all,
                 xl_bytes_text(plan->bytes_left, left));
    else
        snprintf(text, sizeof text, "%s, all there", all);
    print_line("in all", text);
    if (item->needs) {
        snprintf(text, sizeof text,
                 "\"%.100s\", which it changes and which is not there: sdxl-lab models download "
                 "\"%.100s\"",
                 item->needs, item->needs);
        print_line("needs", text);
    }
    return status;
}

/* --- For programs ------------------------------------------------------------------------------
 */

static json_t *describe_file(const struct xl_download_file *file) {
    json_t *object = json_object();
    bool ok = object != NULL;
    xl_json_put(object, "path", xl_json_text(file->file.path), &ok);
    xl_json_put(object, "bytes", json_integer(file->file.size), &ok);
    xl_json_put(object, "digest", json_string(file->file.blob), &ok);
    xl_json_put(object, "there", json_boolean(file->state != XL_FILE_ABSENT), &ok);
    xl_json_put(object, "partial_bytes", json_integer(file->partial), &ok);
    return xl_json_finish(object, ok);
}

static void put_plan(json_t *object, const struct xl_download_item *item, bool *ok) {
    const struct xl_download_plan *plan = &item->plan;
    json_t *files = json_array();
    for (int i = 0; i < plan->n; i++)
        *ok &= !json_array_append_new(files, describe_file(&plan->files[i]));
    xl_json_put(object, "commit", json_string(plan->commit), ok);
    xl_json_put(object, "licence", xl_json_text(item->entry ? item->entry->licence : plan->licence),
                ok);
    xl_json_put(object, "card_licence", xl_json_text(plan->licence), ok);
    xl_json_put(object, "commercial", json_boolean(is_commercial(item)), ok);
    xl_json_put(object, "gated", json_boolean(plan->is_gated), ok);
    xl_json_put(object, "dir", xl_json_text(plan->dir), ok);
    xl_json_put(object, "bytes", json_integer(plan->bytes), ok);
    xl_json_put(object, "bytes_to_download", json_integer(plan->bytes_left), ok);
    xl_json_put(object, "needs", xl_json_text(item->needs), ok);
    xl_json_put(object, "files", files, ok);
}

static json_t *describe(const struct xl_download_item *item) {
    json_t *object = json_object();
    bool ok = object != NULL;
    xl_json_put(object, "name", xl_json_text(item->name), &ok);
    xl_json_put(object, "key", xl_json_text(item->entry ? item->entry->key : NULL), &ok);
    xl_json_put(object, "repository", xl_json_text(item->request.id), &ok);
    xl_json_put(object, "revision",
                xl_json_text(item->request.revision ? item->request.revision : "main"), &ok);
    xl_json_put(object, "file", xl_json_text(item->request.file), &ok);
    xl_json_put(object, "state",
                json_string(item->status    ? "failed"
                            : item->is_done ? "ready"
                                            : "planned"),
                &ok);
    if (item->plan.commit) put_plan(object, item, &ok);
    if (item->status) xl_json_put(object, "error", xl_json_text(item->err.text), &ok);
    return xl_json_finish(object, ok);
}

enum xl_status xl_print_downloads_json(const struct xl_download_item *items, int n,
                                       struct xl_err *err) {
    xl_json_watch();
    json_t *document = json_object(), *models = json_array();
    bool ok = document && models;
    for (int i = 0; i < n; i++) ok &= !json_array_append_new(models, describe(&items[i]));
    xl_json_put(document, "models", models, &ok);
    document = xl_json_finish(document, ok);
    enum xl_status status = xl_print_json(document, err);
    json_decref(document);
    return status;
}
