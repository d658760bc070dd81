/* themes.c - finding themes by name. Keeps no state. */
#include "lab/data/themes.h"
#include "base/text_file.h"
#include "lab/data/data.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

static const char *const endings[] = {".yaml", ".yml", ".json", NULL};

/* The length of a name without such an ending; 0: it has none, or nothing else. */
static size_t without_ending(const char *name) {
    for (int i = 0; endings[i]; i++)
        if (xl_ends_with(name, endings[i])) return strlen(name) - strlen(endings[i]);
    return 0;
}

struct themes {
    struct xl_arena *arena;
    struct xl_theme *at;
    int n, capacity;
};

static enum xl_status add(struct themes *themes, const char *name, const char *path,
                          struct xl_err *err) {
    if (!name) return xl_fail_nomem(err, "themes", 0);
    for (int i = 0; i < themes->n; i++)
        if (xl_name_matches(themes->at[i].name, name)) return XL_OK; /* those before come first */
    if (themes->n == themes->capacity) {
        int capacity = themes->capacity ? 2 * themes->capacity : 32;
        struct xl_theme *grown = xl_arena_alloc(themes->arena, (size_t)capacity * sizeof *grown);
        if (!grown) return xl_fail_nomem(err, "themes", 0);
        if (themes->n) memcpy(grown, themes->at, (size_t)themes->n * sizeof *grown);
        themes->at = grown;
        themes->capacity = capacity;
    }
    themes->at[themes->n++] = (struct xl_theme){name, path};
    return XL_OK;
}

/* Those of a person's own folder. */
static enum xl_status add_own(struct themes *themes, struct xl_err *err) {
    const char *config = xl_config_dir(themes->arena);
    const char *dir = config ? xl_arena_printf(themes->arena, "%s/themes", config) : NULL;
    DIR *open = dir ? opendir(dir) : NULL;
    enum xl_status status = XL_OK;
    for (struct dirent *entry; !status && open && (entry = readdir(open));) {
        size_t n = without_ending(entry->d_name);
        if (!n || entry->d_name[0] == '.') continue;
        const char *path = xl_arena_printf(themes->arena, "%s/%s", dir, entry->d_name);
        if (!path) status = xl_fail_nomem(err, "themes", 0);
        if (!status)
            status = add(themes, xl_arena_strndup(themes->arena, entry->d_name, n), path, err);
    }
    if (open) closedir(open);
    return status;
}

static int by_name(const void *a, const void *b) {
    return strcmp(((const struct xl_theme *)a)->name, ((const struct xl_theme *)b)->name);
}

enum xl_status xl_themes_list(struct xl_arena *arena, const struct xl_theme **out, int *n,
                              struct xl_err *err) {
    struct themes themes = {.arena = arena};
    enum xl_status status = add_own(&themes, err);
    for (int i = 0; !status && i < xl_n_theme_texts; i++)
        status = add(&themes, xl_theme_texts[i].name, NULL, err);
    if (status) return status;
    if (themes.n) qsort(themes.at, (size_t)themes.n, sizeof *themes.at, by_name);
    *out = themes.at;
    *n = themes.n;
    return XL_OK;
}

static enum xl_status read_file(const char *path, const struct xl_learned *learned,
                                struct xl_grammar **out, struct xl_err *err) {
    char *text = NULL;
    size_t n = 0;
    enum xl_status status = xl_text_file_read(path, XL_YAML_MAX_BYTES, &text, &n, err);
    if (!status) status = xl_grammar_parse(path, text, n, learned, out, err);
    free(text);
    return status;
}

static enum xl_status read_built_in(const char *name, struct xl_arena *arena,
                                    const struct xl_learned *learned, struct xl_grammar **out,
                                    struct xl_err *err) {
    int i = 0;
    while (strcmp(xl_theme_texts[i].name, name) != 0) i++;
    const char *shown = xl_arena_printf(arena, "themes/%s.yaml (built in)", name);
    if (!shown) return xl_fail_nomem(err, "a theme", 0);
    return xl_grammar_parse(shown, xl_theme_texts[i].text, *xl_theme_texts[i].size, learned, out,
                            err);
}

static enum xl_status no_theme(const char *name, const struct xl_theme *themes, int n,
                               struct xl_arena *arena, struct xl_err *err) {
    struct xl_named *named = xl_arena_alloc(arena, (size_t)n * sizeof *named + 1);
    char near[3 * XL_NAME_MAX + 32] = "";
    if (!named) return xl_fail_nomem(err, "themes", 0);
    for (int i = 0; i < n; i++) named[i].name = themes[i].name;
    xl_named_nearest(named, n, name, near, sizeof near);
    if (near[0])
        return xl_fail(err, XL_EINPUT, "there is no theme \"%.80s\"; did you mean %s?", name, near);
    return xl_fail(
        err, XL_EINPUT,
        "there is no theme \"%.80s\"; sdxl-lab prompts check names those that there are, "
        "and a file ends in .yaml or .json",
        name);
}

static enum xl_status load(const char *name, struct xl_arena *arena,
                           const struct xl_learned *learned, struct xl_grammar **out,
                           struct xl_err *err) {
    const struct xl_theme *themes;
    int n;
    if (strchr(name, '/') || without_ending(name)) return read_file(name, learned, out, err);
    enum xl_status status = xl_themes_list(arena, &themes, &n, err);
    if (status) return status;
    for (int exact = 1; exact >= 0; exact--)
        for (int i = 0; i < n; i++) {
            if (exact ? strcmp(themes[i].name, name) != 0 : !xl_name_matches(themes[i].name, name))
                continue;
            return themes[i].path ? read_file(themes[i].path, learned, out, err)
                                  : read_built_in(themes[i].name, arena, learned, out, err);
        }
    return no_theme(name, themes, n, arena, err);
}

enum xl_status xl_theme_load(const char *name, const struct xl_learned *learned,
                             struct xl_grammar **out, struct xl_err *err) {
    struct xl_arena arena = {0};
    enum xl_status status = load(name, &arena, learned, out, err);
    xl_arena_deinit(&arena);
    return status;
}
