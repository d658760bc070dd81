/* data.c - data files: where they are, reading them, and which entry counts. */
#include "lab/data/data.h"
#include "base/file.h"
#include "base/path.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct xl_data_file {
    const char *name;
    json_t *root;
    struct xl_yaml_places places;
    struct xl_data_file *next;
};

static enum xl_status nomem(struct xl_err *err) {
    return xl_fail_nomem(err, "data files", 0);
}

void xl_data_deinit(struct xl_data *data) {
    for (struct xl_data_file *file = data->files; file; file = file->next) {
        json_decref(file->root);
        xl_yaml_places_deinit(&file->places);
    }
    free(data->entries);
    xl_arena_deinit(&data->arena);
    *data = (struct xl_data){0};
}

const char *xl_data_file_name(const struct xl_data_entry *entry) {
    return entry->file->name;
}

const struct xl_yaml_places *xl_data_places(const struct xl_data_entry *entry) {
    return &entry->file->places;
}

struct xl_yaml_place xl_data_place(const struct xl_data_entry *entry, const char *field) {
    const struct xl_data_file *file = entry->file;
    struct xl_yaml_place place = {0};
    if (field) place = xl_yaml_value_place(&file->places, entry->fields, field, 0);
    return place.line ? place : xl_yaml_key_place(&file->places, file->root, entry->name);
}

/* ---- Entries ---- */

static enum xl_status check_name(const struct xl_data_entry *entry, struct xl_err *err) {
    const char *name = entry->name;
    size_t n = strlen(name);
    if (!n || n > XL_NAME_MAX)
        return xl_data_fail(entry, NULL, err, "a name has 1 to %d bytes, found %zu", XL_NAME_MAX,
                            n);
    if (name[0] == ' ' || name[n - 1] == ' ')
        return xl_data_fail(entry, NULL, err, "the name begins or ends with a blank");
    int32_t bad = xl_data_bad_character(name, true);
    if (bad) return xl_data_fail(entry, NULL, err, "the name holds the character U+%04X", bad);
    return XL_OK;
}

static void remove_entry(struct xl_data *data, int i) {
    memmove(&data->entries[i], &data->entries[i + 1],
            (size_t)(data->n - i - 1) * sizeof *data->entries);
    data->n--;
}

static enum xl_status add_entry(struct xl_data *data, const struct xl_data_entry *entry,
                                struct xl_err *err) {
    int i = 0;
    while (i < data->n && strcmp(data->entries[i].name, entry->name)) i++;
    if (i == data->n)
        for (i = 0; i < data->n && !xl_name_matches(data->entries[i].name, entry->name); i++) {
        }
    if (i < data->n && data->entries[i].file == entry->file)
        return xl_data_fail(entry, NULL, err, "this file has \"%s\" already",
                            data->entries[i].name);
    if (json_is_null(entry->fields)) {
        if (i < data->n) remove_entry(data, i);
        return XL_OK;
    }
    if (!json_is_object(entry->fields)) {
        const struct xl_data_file *file = entry->file;
        return xl_data_fail_at(entry,
                               xl_yaml_value_place(&file->places, file->root, entry->name, 0), NULL,
                               err, "expected fields below the name, such as prompt:");
    }
    if (i == data->n) {
        if (data->n == data->capacity) {
            int capacity = data->capacity ? 2 * data->capacity : 64;
            void *grown = realloc(data->entries, (size_t)capacity * sizeof *data->entries);
            if (!grown) return nomem(err);
            data->entries = grown;
            data->capacity = capacity;
        }
        data->n++;
    }
    data->entries[i] = *entry;
    return XL_OK;
}

static enum xl_status add_entries(struct xl_data *data, const struct xl_data_file *file,
                                  const char *origin, struct xl_err *err) {
    const char *name;
    json_t *fields;
    if (json_is_null(file->root)) return XL_OK; /* nothing but comments */
    if (!json_is_object(file->root)) {
        struct xl_yaml_place place = xl_yaml_value_place(&file->places, NULL, NULL, 0);
        return xl_fail(err, XL_EINPUT, "%s:%d:%d: expected names with fields below them",
                       file->name, place.line, place.column);
    }
    json_object_foreach(file->root, name, fields) {
        struct xl_data_entry entry = {name, fields, origin, file};
        enum xl_status status = check_name(&entry, err);
        if (!status) status = add_entry(data, &entry, err);
        if (status) return status;
    }
    return XL_OK;
}

/* text NULL: the file is read from the disk. */
static enum xl_status add_file(struct xl_data *data, const char *path, const char *text,
                               size_t size, struct xl_err *err) {
    struct xl_data_file *file = xl_arena_alloc(&data->arena, sizeof *file);
    const char *name = xl_arena_strdup(&data->arena, path);
    if (!file || !name) return nomem(err);
    file->name = name;
    enum xl_status status = text ? xl_yaml_parse(name, text, size, &file->places, &file->root, err)
                                 : xl_yaml_load(name, &file->places, &file->root, err);
    file->next = data->files; /* deinit frees it from here on */
    data->files = file;
    return status ? status : add_entries(data, file, text ? XL_DATA_BUILT_IN : name, err);
}

/* ---- Where files are ---- */

/* An absolute path from the environment; the specification ignores others. */
static const char *absolute_variable(const char *name, struct xl_arena *arena) {
    const char *value = getenv(name), *path = NULL;
    if (!value || xl_path_expand(value, arena, &path, NULL)) return NULL;
    return path[0] == '/' ? path : NULL;
}

const char *xl_config_dir(struct xl_arena *arena) {
    const char *config = absolute_variable("XDG_CONFIG_HOME", arena), *own = NULL;
    if (config) return xl_arena_printf(arena, "%s/sdxl-lab", config);
    return xl_path_expand("~/.config/sdxl-lab", arena, &own, NULL) ? NULL : own;
}

static const char *existing(struct xl_arena *arena, const char *dir, const char *name) {
    const char *path = xl_arena_printf(arena, "%s/%s", dir, name);
    return path && !access(path, F_OK) ? path : NULL;
}

const char *xl_share_find(const char *name, struct xl_arena *arena) {
    const char *share = absolute_variable("SDXL_LAB_SHARE", arena), *path = NULL;
    if (share) return existing(arena, share, name);
    char program[4096];
    ssize_t n = readlink("/proc/self/exe", program, sizeof program - 1);
    for (int up = 0; n > 0 && up < 2; up++) { /* the folder above that of the program */
        program[n] = 0;
        char *slash = strrchr(program, '/');
        n = slash ? slash - program : 0;
    }
    if (n > 0) {
        program[n] = 0;
        const char *beside = xl_arena_printf(arena, "%s/share/sdxl-lab", program);
        if (beside) path = existing(arena, beside, name);
        if (!path) path = existing(arena, program, name);
    }
    return path ? path : existing(arena, XL_SHARE_DIR, name);
}

static int is_yaml(const struct dirent *entry) {
    const char *dot = strrchr(entry->d_name, '.');
    return entry->d_name[0] != '.' && dot && (!strcmp(dot, ".yaml") || !strcmp(dot, ".yml"));
}
static int by_bytes(const struct dirent **a, const struct dirent **b) {
    return strcmp((*a)->d_name, (*b)->d_name);
}

static enum xl_status add_directory(struct xl_data *data, const char *dir, struct xl_err *err) {
    struct dirent **names = NULL;
    int n = scandir(dir, &names, is_yaml, by_bytes);
    enum xl_status status = XL_OK;
    for (int i = 0; i < n; i++) {
        const char *path = status ? NULL
                                  : xl_arena_printf(&data->arena, "%s/%s", dir, names[i]->d_name);
        if (!status) status = path ? add_file(data, path, NULL, 0, err) : nomem(err);
        free(names[i]);
    }
    free(names);
    return status;
}

enum xl_status xl_data_load(const struct xl_data_source *source, struct xl_data *out,
                            struct xl_err *err) {
    struct xl_data data = {0};
    const char *shown = xl_arena_printf(&data.arena, "%s.yaml (built-in)", source->kind);
    const char *config = xl_config_dir(&data.arena);
    const char *file = config ? xl_arena_printf(&data.arena, "%s/%s.yaml", config, source->kind)
                              : NULL;
    const char *dir = config ? xl_arena_printf(&data.arena, "%s/%s.d", config, source->kind) : NULL;
    enum xl_status status = shown ? add_file(&data, shown, source->text, source->size, err)
                                  : nomem(err);
    if (!status && file && !access(file, F_OK)) status = add_file(&data, file, NULL, 0, err);
    if (!status && dir) status = add_directory(&data, dir, err);
    for (int i = 0; !status && i < source->n_extra; i++)
        status = add_file(&data, source->extra[i], NULL, 0, err);
    if (status)
        xl_data_deinit(&data);
    else
        *out = data;
    return status;
}
