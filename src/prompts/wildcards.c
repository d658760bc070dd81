/* wildcards.c - reading folders of wildcards, and finding values by pattern. */
#include "prompts/wildcards.h"
#include "base/file.h"
#include "base/text_file.h"
#include "base/yaml.h"
#include "prompts/bounds.h"

#include <dirent.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_DEPTH = 16, MAX_BYTES = 16 << 20, MAX_NAMES = 20000, MAX_PATTERN = 1000 };

struct collection {
    const char *name;
    struct xl_wildcard_value *values;
    int n, capacity;
};

struct xl_wildcards {
    struct xl_arena arena;
    struct collection *at;
    int n, capacity;
};

struct reader {
    struct xl_wildcards *wildcards;
    struct xl_str *notices;
    struct xl_err *err;
    int n_odd;       /* of a file: what is neither a list nor a text where these are expected */
    const char *odd; /* the name of the first */
};

static enum xl_status no_memory(struct reader *reader) {
    return xl_fail_nomem(reader->err, "wildcards", 0);
}

/* --- Collections ------------------------------------------------------------------------------ */

/* A collection of this name, empty: of several files the last one counts. */
static enum xl_status collection_of(struct reader *reader, const char *name,
                                    struct collection **out) {
    struct xl_wildcards *wildcards = reader->wildcards;
    for (int i = 0; i < wildcards->n; i++)
        if (!strcmp(wildcards->at[i].name, name)) {
            *out = &wildcards->at[i];
            (*out)->n = 0;
            return XL_OK;
        }
    if (wildcards->n == MAX_NAMES)
        return xl_fail(reader->err, XL_EINPUT, "more than %d wildcards; name a smaller folder",
                       MAX_NAMES);
    if (wildcards->n == wildcards->capacity) {
        int capacity = wildcards->capacity ? 2 * wildcards->capacity : 64;
        struct collection *grown = realloc(wildcards->at, (size_t)capacity * sizeof *grown);
        if (!grown) return no_memory(reader);
        wildcards->at = grown;
        wildcards->capacity = capacity;
    }
    const char *copy = xl_arena_strdup(&wildcards->arena, name);
    if (!copy) return no_memory(reader);
    *out = &wildcards->at[wildcards->n++];
    **out = (struct collection){.name = copy};
    return XL_OK;
}

static enum xl_status add_value(struct reader *reader, struct collection *collection,
                                const char *text, size_t n, uint64_t weight) {
    if (!weight || !n) return XL_OK;
    if (collection->n == collection->capacity) {
        int capacity = collection->capacity ? 2 * collection->capacity : 16;
        struct xl_wildcard_value *grown =
            realloc(collection->values, (size_t)capacity * sizeof *grown);
        if (!grown) return no_memory(reader);
        collection->values = grown;
        collection->capacity = capacity;
    }
    const char *copy = xl_arena_strndup(&reader->wildcards->arena, text, n);
    if (!copy) return no_memory(reader);
    collection->values[collection->n++] = (struct xl_wildcard_value){copy, weight};
    return XL_OK;
}

/* --- Files ------------------------------------------------------------------------------------ */

static enum xl_status read_text(struct reader *reader, const char *path, const char *name) {
    char *text = NULL;
    size_t size;
    struct xl_err why = {0};
    enum xl_status status = xl_text_file_read(path, MAX_BYTES, &text, &size, &why);
    if (status == XL_ENOMEM) return xl_fail(reader->err, status, "%s", why.text);
    if (status) {
        xl_str_printf(reader->notices, "%s; it is left out\n", why.text);
        return XL_OK;
    }
    struct collection *collection = NULL;
    status = collection_of(reader, name, &collection);
    struct xl_text_line line = {.next = text};
    while (!status && xl_text_line_next(&line)) {
        while (line.n && strchr(" \t", line.at[0])) line.at++, line.n--;
        while (line.n && strchr(" \t", line.at[line.n - 1])) line.n--;
        if (line.n && line.at[0] != '#')
            status = add_value(reader, collection, line.at, line.n, XL_WEIGHT_UNIT);
    }
    free(text);
    return status;
}

static void leave_out(struct reader *reader, const char *name) {
    if (!reader->n_odd++) reader->odd = name;
}

static enum xl_status read_item(struct reader *reader, const char *name,
                                struct collection *collection, const json_t *item) {
    uint64_t weight = XL_WEIGHT_UNIT;
    char number[XL_REAL_MAX];
    const char *text = json_string_value(item);
    if (json_is_object(item)) {
        const json_t *said = json_object_get(item, "weight");
        text = json_string_value(json_object_get(item, "text"));
        if (!text) text = json_string_value(json_object_get(item, "content"));
        if (said && !xl_weight_of(said, &weight)) text = NULL;
    } else if (json_is_number(item)) {
        xl_real_text(json_number_value(item), number);
        text = number;
    } else if (text) {
        xl_weight_read(&text, &weight);
    }
    if (text) return add_value(reader, collection, text, strlen(text), weight);
    leave_out(reader, name);
    return XL_OK;
}

static enum xl_status read_list(struct reader *reader, const char *name, const json_t *list) {
    struct collection *collection = NULL;
    enum xl_status status = collection_of(reader, name, &collection);
    if (!json_is_array(list)) return status ? status : read_item(reader, name, collection, list);
    for (size_t i = 0; !status && i < json_array_size(list); i++)
        status = read_item(reader, name, collection, json_array_get(list, i));
    return status;
}

/* Maps in maps: names with slashes. prefix: "" or "a/b/" */
static enum xl_status read_map(struct reader *reader, const char *prefix, const json_t *map) {
    const char *key;
    json_t *value;
    enum xl_status status = XL_OK;
    json_object_foreach((json_t *)map, key, value) {
        const char *name = xl_arena_printf(&reader->wildcards->arena, "%s%s", prefix, key);
        const char *below = xl_arena_printf(&reader->wildcards->arena, "%s%s/", prefix, key);
        if (!name || !below) return no_memory(reader);
        if (json_is_object(value))
            status = read_map(reader, below, value);
        else if (json_is_array(value) || json_is_string(value))
            status = read_list(reader, name, value);
        else
            leave_out(reader, name);
        if (status) return status;
    }
    return status;
}

static enum xl_status read_yaml(struct reader *reader, const char *path, const char *prefix,
                                const char *name) {
    json_t *root = NULL;
    struct xl_err why = {0};
    enum xl_status status = xl_yaml_load(path, NULL, &root, &why);
    if (status == XL_ENOMEM) return xl_fail(reader->err, status, "%s", why.text);
    if (status) {
        xl_str_printf(reader->notices, "%s; it is left out\n", why.text);
        return XL_OK;
    }
    reader->n_odd = 0;
    if (json_is_object(root))
        status = read_map(reader, prefix, root);
    else if (json_is_array(root))
        status = read_list(reader, name, root);
    else
        xl_str_printf(reader->notices, "%s: neither lists nor maps; it is left out\n", path);
    if (reader->n_odd)
        xl_str_printf(reader->notices, "%s: left out: %d %s no text, the first in %s\n", path,
                      reader->n_odd, xl_plural(reader->n_odd, "entry that is", "entries that are"),
                      reader->odd);
    json_decref(root);
    return status;
}

/* prefix: of the folder that the file is in; file: its name there */
static enum xl_status read_file(struct reader *reader, const char *path, const char *prefix,
                                const char *file) {
    const char *dot = strrchr(file, '.');
    struct xl_arena *arena = &reader->wildcards->arena;
    if (!dot || dot == file) return XL_OK;
    const char *name = xl_arena_printf(arena, "%s%.*s", prefix, (int)(dot - file), file);
    if (!name) return no_memory(reader);
    if (!strcmp(dot, ".txt")) return read_text(reader, path, name);
    if (!strcmp(dot, ".yaml") || !strcmp(dot, ".yml") || !strcmp(dot, ".json"))
        return read_yaml(reader, path, prefix, name);
    return XL_OK;
}

static int by_name(const struct dirent **a, const struct dirent **b) {
    return strcmp((*a)->d_name, (*b)->d_name);
}

static enum xl_status read_folder(struct reader *reader, const char *folder, const char *prefix,
                                  int depth) {
    struct dirent **entries = NULL;
    int n = scandir(folder, &entries, NULL, by_name);
    enum xl_status status = XL_OK;
    for (int i = 0; i < n; i++) {
        const char *file = entries[i]->d_name;
        char *path = xl_path_join(folder, file);
        const char *below = xl_arena_printf(&reader->wildcards->arena, "%s%s/", prefix, file);
        if (!status && (!path || !below)) status = no_memory(reader);
        if (!status && file[0] != '.')
            status = !xl_dir_exists(path) ? read_file(reader, path, prefix, file)
                     : depth < MAX_DEPTH  ? read_folder(reader, path, below, depth + 1)
                                          : XL_OK;
        free(path);
        free(entries[i]);
    }
    free(entries);
    return status;
}

enum xl_status xl_wildcards_open(const char *const *folders, int n, struct xl_str *notices,
                                 struct xl_wildcards **out, struct xl_err *err) {
    struct xl_wildcards *wildcards = calloc(1, sizeof *wildcards);
    if (!wildcards) return xl_fail_nomem(err, "wildcards", 0);
    struct reader reader = {.wildcards = wildcards, .notices = notices, .err = err};
    enum xl_status status = XL_OK;
    for (int i = 0; !status && i < n; i++)
        status = xl_dir_exists(folders[i])
                     ? read_folder(&reader, folders[i], "", 0)
                     : xl_fail(err, XL_EINPUT, "%s: no such folder of wildcards", folders[i]);
    if (status)
        xl_wildcards_free(wildcards);
    else
        *out = wildcards;
    return status;
}

void xl_wildcards_free(struct xl_wildcards *wildcards) {
    if (!wildcards) return;
    for (int i = 0; i < wildcards->n; i++) free(wildcards->at[i].values);
    free(wildcards->at);
    xl_arena_deinit(&wildcards->arena);
    free(wildcards);
}

int xl_wildcards_count(const struct xl_wildcards *wildcards) {
    return wildcards->n;
}

const char *xl_wildcards_name(const struct xl_wildcards *wildcards, int i) {
    return wildcards->at[i].name;
}

/* --- Finding ---------------------------------------------------------------------------------- */

static int by_text(const void *a, const void *b) {
    return strcmp(((const struct xl_wildcard_value *)a)->text,
                  ((const struct xl_wildcard_value *)b)->text);
}

static bool matches(const char *pattern, const char *name, bool is_end) {
    if (!is_end) return !fnmatch(pattern, name, FNM_NOESCAPE);
    for (const char *slash = name; (slash = strchr(slash, '/')); slash++)
        if (!fnmatch(pattern, slash + 1, FNM_NOESCAPE)) return true;
    return false;
}

static enum xl_status collect(const struct xl_wildcards *wildcards, const char *pattern,
                              bool is_end, struct xl_wildcard_value **out, int *n,
                              struct xl_err *err) {
    size_t most = 0;
    for (int i = 0; i < wildcards->n; i++)
        if (matches(pattern, wildcards->at[i].name, is_end)) most += (size_t)wildcards->at[i].n;
    *n = 0;
    *out = malloc(most * sizeof **out + 1);
    if (!*out) return xl_fail_nomem(err, "wildcards", most * sizeof **out);
    for (int i = 0; i < wildcards->n; i++)
        for (int k = 0; matches(pattern, wildcards->at[i].name, is_end) && k < wildcards->at[i].n;
             k++)
            (*out)[(*n)++] = wildcards->at[i].values[k];
    if (*n) qsort(*out, (size_t)*n, sizeof **out, by_text);
    int kept = 0;
    for (int i = 0; i < *n; i++)
        if (!kept || strcmp((*out)[kept - 1].text, (*out)[i].text) != 0) (*out)[kept++] = (*out)[i];
    *n = kept;
    return XL_OK;
}

enum xl_status xl_wildcards_find(const struct xl_wildcards *wildcards, const char *pattern,
                                 struct xl_wildcard_value **out, int *n, struct xl_err *err) {
    *out = NULL;
    *n = 0;
    if (strlen(pattern) > MAX_PATTERN || strstr(pattern, "..")) return XL_OK;
    enum xl_status status = collect(wildcards, pattern, false, out, n, err);
    if (status || *n) return status;
    free(*out);
    return collect(wildcards, pattern, true, out, n, err);
}
