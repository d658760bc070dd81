/* verify_list.c - files, folders and runs as a list of pictures. */
#include "lab/run/verify_list.h"

#include "base/file.h"
#include "base/json.h"
#include "lab/cell/cell_text.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

enum { DEEPEST = 16, RUN_JSON_MAX = 1 << 30 };

static enum xl_status append(struct xl_verify_list *list, struct xl_verify_item item,
                             struct xl_err *err) {
    if (list->n == list->capacity) {
        int capacity = list->capacity ? 2 * list->capacity : 64;
        size_t bytes = (size_t)capacity * sizeof *list->items;
        struct xl_verify_item *grown = xl_arena_alloc(&list->arena, bytes);
        if (!grown) return xl_fail_nomem(err, "a list of pictures", bytes);
        if (list->n) memcpy(grown, list->items, (size_t)list->n * sizeof *grown);
        list->items = grown;
        list->capacity = capacity;
    }
    list->items[list->n++] = item;
    return XL_OK;
}

/* --- What a run lacks ------------------------------------------------------------------------- */

/* The ids of the cells that the pictures items[first..n) show, as the keys of an object. */
static enum xl_status collect_ids(const struct xl_verify_list *list, int first, json_t **out,
                                  struct xl_err *err) {
    json_t *ids = json_object();
    enum xl_status status = ids ? XL_OK : xl_fail_nomem(err, "cells", 0);
    for (int i = first; !status && i < list->n; i++) {
        char *text = NULL;
        if (xl_record_read(list->items[i].path, &text, NULL)) continue; /* that is told later */
        json_t *record = json_loads(text, 0, NULL);
        const char *id = json_string_value(json_object_get(record, "cell"));
        if (id && json_object_set_new(ids, id, json_true()))
            status = xl_fail_nomem(err, "cells", 0);
        json_decref(record);
        free(text);
    }
    if (status)
        json_decref(ids);
    else
        *out = ids;
    return status;
}

/* "SDXL Turbo, Watercolor, seed 7": what a person knows a cell by. */
static const char *name_cell(struct xl_verify_list *list, const struct xl_cell *cell) {
    struct xl_str text = {0};
    struct xl_cell_column column;
    for (int i = 0; xl_cell_column_at(i, &column); i++) {
        if (!(column.field->bits & XL_CELL_ALWAYS)) continue;
        if (text.len) xl_str_puts(&text, ", ");
        xl_cell_put_label(&text, cell, &column);
    }
    char *taken = xl_str_take(&text);
    const char *kept = taken ? xl_arena_strdup(&list->arena, taken) : NULL;
    free(taken);
    return kept;
}

static enum xl_status add_cell(struct xl_verify_list *list, const char *path, const json_t *object,
                               struct xl_err *err) {
    struct xl_cell cell;
    enum xl_status status = xl_cell_read(object, path, &list->arena, &cell, err);
    if (status) return status;
    struct xl_verify_item item = {.path = path, .lacks = name_cell(list, &cell), .is_found = true};
    return item.lacks ? append(list, item, err) : xl_fail_nomem(err, "a list of pictures", 0);
}

/* Of the run in a folder whose pictures are items[first..n). */
static enum xl_status add_missing(struct xl_verify_list *list, const char *path, int first,
                                  struct xl_err *err) {
    const struct xl_read_rule rule = {RUN_JSON_MAX, XL_EINPUT, XL_EINPUT};
    char *text = NULL;
    size_t n = 0, i;
    json_t *root = NULL, *ids = NULL, *cell;
    enum xl_status status = xl_file_read(path, rule, &text, &n, err);
    if (!status) status = xl_json_parse(path, text, n, &root, err);
    free(text);
    if (!status) status = collect_ids(list, first, &ids, err);
    json_array_foreach(json_object_get(root, "cells"), i, cell) {
        const char *id = json_string_value(json_object_get(cell, "id"));
        if (status || !id || json_object_get(ids, id)) continue;
        status = add_cell(list, path, cell, err);
    }
    json_decref(root);
    json_decref(ids);
    return status == XL_EFORMAT ? XL_EINPUT : status;
}

/* --- Folders ---------------------------------------------------------------------------------- */

static bool is_picture(const char *name, bool takes_all) {
    static const char *const ends[] = {".png", ".jpg", ".jpeg", ".webp"};
    size_t n = strlen(name);
    for (int i = 0; i < (takes_all ? 4 : 1); i++) {
        size_t n_end = strlen(ends[i]);
        if (n > n_end && !strcasecmp(name + n - n_end, ends[i])) return true;
    }
    return false;
}

static int is_visible(const struct dirent *entry) {
    return entry->d_name[0] != '.';
}

static enum xl_status add_folder(struct xl_verify_list *list, const char *dir, int depth,
                                 struct xl_err *err);

static enum xl_status add_entry(struct xl_verify_list *list, const char *dir, const char *name,
                                int depth, struct xl_err *err) {
    const char *separator = dir[strlen(dir) - 1] == '/' ? "" : "/";
    const char *path = xl_arena_printf(&list->arena, "%s%s%s", dir, separator, name);
    struct stat st;
    if (!path) return xl_fail_nomem(err, "a path", 0);
    if (lstat(path, &st)) return XL_OK; /* gone since */
    if (S_ISDIR(st.st_mode))
        return depth < DEEPEST ? add_folder(list, path, depth + 1, err) : XL_OK;
    if (!is_picture(name, list->takes_all)) return XL_OK;
    return append(list, (struct xl_verify_item){.path = path, .is_found = true}, err);
}

static enum xl_status add_folder(struct xl_verify_list *list, const char *dir, int depth,
                                 struct xl_err *err) {
    struct dirent **entries = NULL;
    int n = scandir(dir, &entries, is_visible, alphasort), first = list->n;
    if (n < 0) return xl_fail(err, XL_EINPUT, "%s: cannot be read: %s", dir, strerror(errno));
    enum xl_status status = XL_OK;
    for (int i = 0; i < n; i++) {
        if (!status) status = add_entry(list, dir, entries[i]->d_name, depth, err);
        free(entries[i]);
    }
    free(entries);
    const char *run = xl_arena_printf(&list->arena, "%s/run.json", dir);
    if (!status && !run) status = xl_fail_nomem(err, "a path", 0);
    return !status && !list->takes_all && xl_file_exists(run) ? add_missing(list, run, first, err)
                                                              : status;
}

enum xl_status xl_verify_list_add(struct xl_verify_list *list, const char *path,
                                  struct xl_err *err) {
    if (xl_dir_exists(path)) return add_folder(list, path, 0, err);
    return append(list, (struct xl_verify_item){.path = path}, err);
}

void xl_verify_list_deinit(struct xl_verify_list *list) {
    xl_arena_deinit(&list->arena);
    *list = (struct xl_verify_list){.n = 0};
}
