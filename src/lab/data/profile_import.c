/* profile_import.c - which rows become profiles, and the YAML file of them. */
#include "lab/data/profile_import.h"
#include "base/file.h"
#include "base/str.h"
#include "lab/data/data.h"
#include "lab/data/slug.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_BYTES = 4 << 20, MAX_TEXT = 8 << 10 };

void xl_import_deinit(struct xl_import *import) {
    xl_arena_deinit(&import->arena);
    *import = (struct xl_import){0};
}

/* One line without blanks at its ends; NULL is "". */
static const char *tidy(struct xl_arena *arena, const char *text) {
    static const char blanks[] = " \t\r\n";
    if (!text) return "";
    text += strspn(text, blanks);
    size_t n = strlen(text), length = 0;
    while (n && strchr(blanks, text[n - 1])) n--;
    char *copy = xl_arena_strndup(arena, text, n);
    for (size_t i = 0; copy && i < n; i++) {
        if (copy[i] == '\r' && copy[i + 1] == '\n') continue;
        copy[length++] = strchr(blanks, copy[i]) ? ' ' : copy[i];
    }
    if (copy) copy[length] = 0;
    return copy;
}

static enum xl_status leave_out(struct xl_import *import, struct xl_import_row *row,
                                const char *why, struct xl_err *err) {
    row->left_out = xl_arena_strdup(&import->arena, why);
    return row->left_out ? XL_OK : xl_fail_nomem(err, "styles", 0);
}

/* What is wrong with the texts of a row; false: nothing. */
static bool is_unusable(const struct xl_import_row *row, char *why, size_t size) {
    const char *const texts[] = {row->name, row->prompt, row->negative};
    static const char *const words[] = {"name", "prompt", "negative"};
    for (int i = 0; i < 3; i++) {
        int32_t bad = xl_data_bad_character(texts[i], i == 0);
        size_t limit = i ? MAX_TEXT : XL_NAME_MAX;
        if (bad)
            return snprintf(why, size, "its %s holds the character U+%04X", words[i], bad), true;
        if (strlen(texts[i]) > limit)
            return snprintf(why, size, "its %s is longer than %zu bytes", words[i], limit), true;
    }
    if (!row->name[0]) return snprintf(why, size, "it has no name"), true;
    if (!row->prompt[0] && !row->negative[0]) return snprintf(why, size, "it has no words"), true;
    return false;
}

static enum xl_status check_row(struct xl_import *import, int i, const struct xl_profiles *known,
                                bool is_forced, struct xl_err *err) {
    struct xl_import_row *row = &import->rows[i];
    char why[600];
    const char **texts[] = {&row->name, &row->prompt, &row->negative};
    for (int t = 0; t < 3; t++)
        if (!(*texts[t] = tidy(&import->arena, *texts[t]))) return xl_fail_nomem(err, "styles", 0);
    if (row->left_out) return XL_OK;
    if (is_unusable(row, why, sizeof why)) return leave_out(import, row, why, err);
    if (xl_profile_is_reserved(row->name))
        return leave_out(import, row, "it has the name of the profile that changes nothing", err);
    for (int k = 0; k < i; k++)
        if (!import->rows[k].left_out && xl_name_matches(import->rows[k].name, row->name))
            return leave_out(import, row, "the file has that name already", err);
    for (int k = 0; !is_forced && k < xl_profiles_count(known); k++) {
        const struct xl_profile *profile = xl_profiles_at(known, k);
        if (!xl_name_matches(profile->name, row->name)) continue;
        snprintf(why, sizeof why, "there is a profile \"%s\" already (%.300s); --force replaces it",
                 profile->name, profile->origin);
        return leave_out(import, row, why, err);
    }
    return XL_OK;
}

/* A double-quoted scalar; control characters have been refused. */
static void put_quoted(struct xl_str *out, const char *text) {
    xl_str_puts(out, "\"");
    for (; *text; text++) {
        if (*text == '"' || *text == '\\') xl_str_puts(out, "\\");
        xl_str_append(out, text, 1);
    }
    xl_str_puts(out, "\"");
}

static char *write_yaml(const struct xl_import *import, const char *path) {
    struct xl_str out = {0};
    char from[201];
    const char *slash = strrchr(path, '/');
    snprintf(from, sizeof from, "%.100s", slash ? slash + 1 : path);
    for (char *c = from; *c; c++)
        if ((unsigned char)*c < 32 || (unsigned char)*c >= 127) *c = '?';
    xl_str_printf(&out, "# Style profiles, imported from %s by sdxl-lab profiles import.\n", from);
    for (int i = 0; i < import->n; i++) {
        const struct xl_import_row *row = &import->rows[i];
        if (row->left_out) continue;
        xl_str_puts(&out, "\n");
        put_quoted(&out, row->name);
        xl_str_puts(&out, ":\n  group: Imported\n");
        if (row->prompt[0]) xl_str_puts(&out, "  prompt: "), put_quoted(&out, row->prompt);
        if (row->prompt[0]) xl_str_puts(&out, "\n");
        if (row->negative[0]) xl_str_puts(&out, "  negative: "), put_quoted(&out, row->negative);
        if (row->negative[0]) xl_str_puts(&out, "\n");
    }
    return xl_str_take(&out);
}

/* The name of a file without its ending. */
static const char *stem_of(const char *path, struct xl_arena *arena) {
    const char *slash = strrchr(path, '/'), *stem = slash ? slash + 1 : path;
    const char *dot = strrchr(stem, '.');
    return xl_arena_strndup(arena, stem, dot && dot > stem ? (size_t)(dot - stem) : strlen(stem));
}

/* CONFIG/profiles.d/NAME.yaml; the folder is made. */
static enum xl_status choose_path(struct xl_import *import, const char *name, struct xl_err *err) {
    char slug[XL_SLUG_MAX + 1];
    if (!name) return xl_fail_nomem(err, "a path", 0);
    xl_slug(name, XL_SLUG_MAX, slug);
    const char *config = xl_config_dir(&import->arena);
    if (!config)
        return xl_fail(err, XL_EDISK,
                       "no home directory to keep profiles in: set HOME or "
                       "XDG_CONFIG_HOME");
    const char *dir = xl_arena_printf(&import->arena, "%s/profiles.d", config);
    if (dir) import->path = xl_arena_printf(&import->arena, "%s/%s.yaml", dir, slug);
    return import->path ? xl_dir_create(dir, err) : xl_fail_nomem(err, "a path", 0);
}

static enum xl_status write_file(const struct xl_import *import, const char *path, bool is_forced,
                                 struct xl_err *err) {
    bool exists = false;
    char *yaml = write_yaml(import, path);
    if (!yaml) return xl_fail_nomem(err, path, 0);
    enum xl_status status = is_forced
                                ? xl_file_replace(import->path, yaml, strlen(yaml), err)
                                : xl_file_write_new(import->path, yaml, strlen(yaml), &exists, err);
    free(yaml);
    if (exists)
        return xl_fail(
            err, XL_EINVAL,
            "%s: exists already; --force replaces it, --name NAME keeps it and writes another",
            import->path);
    return status;
}

static enum xl_status import_rows(struct xl_import *import, const char *path, const char *name,
                                  const struct xl_profiles *known, bool is_forced,
                                  struct xl_err *err) {
    enum xl_status status = XL_OK;
    if (!import->n) return xl_fail(err, XL_EINPUT, "%s: no styles in it", path);
    for (int i = 0; !status && i < import->n; i++) {
        status = check_row(import, i, known, is_forced, err);
        if (!status) import->n_imported += !import->rows[i].left_out;
    }
    if (!status && !import->n_imported)
        status = xl_fail(err, XL_EINPUT, "%s: none of its %d %s can be imported; \"%.60s\": %s",
                         path, import->n, xl_plural(import->n, "style", "styles"),
                         import->rows[0].name, import->rows[0].left_out);
    if (!name) name = stem_of(path, &import->arena);
    if (!status) status = choose_path(import, name, err);
    if (!status) status = write_file(import, path, is_forced, err);
    return status;
}

enum xl_status xl_profiles_import(const char *path, const char *name,
                                  const struct xl_profiles *known, bool is_forced,
                                  struct xl_import *out, struct xl_err *err) {
    struct xl_read_rule rule = {MAX_BYTES, XL_EINPUT, XL_EINPUT};
    struct xl_import import = {.n = 0};
    char *text;
    size_t n;
    enum xl_status status = xl_file_read(path, rule, &text, &n, err);
    if (status) return status;
    status = xl_import_read(path, text, n, &import, err);
    free(text);
    if (!status) status = import_rows(&import, path, name, known, is_forced, err);
    if (status)
        xl_import_deinit(&import);
    else
        *out = import;
    return status;
}
