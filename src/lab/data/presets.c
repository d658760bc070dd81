/* presets.c - sizes by name: data/presets.yaml, built in, and a person's own over it. */
#include "lab/data/presets.h"
#include "lab/data/data.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { UNIT = 8, MIN_SIDE = 64, MAX_SIDE = 16384 };

struct xl_presets {
    struct xl_data data; /* holds every text */
    struct xl_preset *items;
    struct xl_named *named;
    int n;
};

#define AT(field) offsetof(struct xl_preset, field)
static const struct xl_data_field fields[] = {
    {"aliases", XL_DATA_NAMES, AT(aliases), 0, 0, NULL},
    {"width", XL_DATA_INT, AT(width), MIN_SIDE, MAX_SIDE, NULL},
    {"height", XL_DATA_INT, AT(height), MIN_SIDE, MAX_SIDE, NULL},
    {"group", XL_DATA_TEXT, AT(group), 0, 0, NULL},
    {"about", XL_DATA_TEXT, AT(about), 0, 0, NULL},
    {0},
};

static enum xl_status read_preset(const struct xl_data_entry *entry, struct xl_arena *arena,
                                  struct xl_preset *out, struct xl_err *err) {
    struct xl_preset preset = {
        .name = entry->name, .group = "Own", .about = "", .origin = entry->origin};
    enum xl_status status = xl_data_read(entry, fields, arena, &preset, err);
    if (status) return status;
    const int sides[] = {preset.width, preset.height};
    static const char *const names[] = {"width", "height"};
    for (int i = 0; i < 2; i++)
        if (!sides[i] || sides[i] % UNIT)
            return xl_data_fail(entry, sides[i] ? names[i] : NULL, err,
                                sides[i] ? "%d is no multiple of %d"
                                         : "width and height are missing",
                                sides[i], UNIT);
    *out = preset;
    return XL_OK;
}

static enum xl_status read_all(struct xl_presets *presets, struct xl_err *err) {
    struct xl_arena *arena = &presets->data.arena;
    int n = presets->data.n;
    presets->items = xl_arena_alloc(arena, (size_t)n * sizeof *presets->items);
    presets->named = xl_arena_alloc(arena, (size_t)n * sizeof *presets->named);
    if (!presets->items || !presets->named) return xl_fail_nomem(err, "presets", 0);
    for (int i = 0; i < n; i++) {
        struct xl_preset *item = &presets->items[i];
        enum xl_status status = read_preset(&presets->data.entries[i], arena, item, err);
        if (status) return status;
        presets->named[i] = (struct xl_named){item->name, item->aliases, item->n_aliases};
    }
    presets->n = n;
    return XL_OK;
}

enum xl_status xl_presets_load(struct xl_presets **out, struct xl_err *err) {
    struct xl_data_source source = {"presets", xl_data_presets, xl_data_presets_size, NULL, 0};
    struct xl_presets *presets = calloc(1, sizeof *presets);
    if (!presets) return xl_fail_nomem(err, "presets", 0);
    enum xl_status status = xl_data_load(&source, &presets->data, err);
    if (!status) status = read_all(presets, err);
    if (status)
        xl_presets_free(presets);
    else
        *out = presets;
    return status;
}

void xl_presets_free(struct xl_presets *presets) {
    if (!presets) return;
    xl_data_deinit(&presets->data);
    free(presets);
}

int xl_presets_count(const struct xl_presets *presets) {
    return presets->n;
}

const struct xl_preset *xl_presets_at(const struct xl_presets *presets, int i) {
    return i >= 0 && i < presets->n ? &presets->items[i] : NULL;
}

/* A number of at most five digits; *text moves behind it. -1: none. */
static int read_side(const char **text) {
    size_t n = strspn(*text, "0123456789");
    if (!n || n > 5) return -1;
    int side = atoi(*text);
    *text += n;
    return side;
}

/* "1024x768". */
static bool parse_size(const char *text, int *width, int *height) {
    static const char *const times[] = {"x", "X", "*", "\xC3\x97"};
    *width = read_side(&text);
    size_t n = 0;
    for (size_t i = 0; !n && i < sizeof times / sizeof *times; i++)
        if (!strncmp(text, times[i], strlen(times[i]))) n = strlen(times[i]);
    text += n;
    *height = read_side(&text);
    return n && *width >= 0 && *height >= 0 && !*text;
}

/* The nearest that a side may be. */
static int fit_side(int side) {
    int fit = (side + UNIT / 2) / UNIT * UNIT;
    return fit < MIN_SIDE ? MIN_SIDE : fit > MAX_SIDE ? MAX_SIDE : fit;
}

/* "16x9" means 16:9, and 1000x562 the next size that there is. */
static enum xl_status check_size(const struct xl_presets *presets, const char *name, int width,
                                 int height, struct xl_err *err) {
    char ratio[32], fit[32];
    int fit_width = fit_side(width), fit_height = fit_side(height);
    if (width == fit_width && height == fit_height) return XL_OK;
    snprintf(ratio, sizeof ratio, "%d:%d", width, height);
    snprintf(fit, sizeof fit, "%dx%d", fit_width, fit_height);
    bool is_ratio = width < MIN_SIDE && height < MIN_SIDE &&
                    xl_named_find(presets->named, presets->n, ratio) >= 0;
    return xl_fail(
        err, XL_EINVAL,
        "size %.40s: a side of %d; expected a multiple of %d, %d to %d; did you mean %s?", name,
        width != fit_width ? width : height, UNIT, MIN_SIDE, MAX_SIDE, is_ratio ? ratio : fit);
}

enum xl_status xl_presets_find(const struct xl_presets *presets, const char *name, int *width,
                               int *height, struct xl_err *err) {
    int w, h, i = xl_named_find(presets->named, presets->n, name);
    if (i >= 0) {
        *width = presets->items[i].width;
        *height = presets->items[i].height;
        return XL_OK;
    }
    if (parse_size(name, &w, &h)) {
        enum xl_status status = check_size(presets, name, w, h, err);
        if (status) return status;
        *width = w;
        *height = h;
        return XL_OK;
    }
    char near[200];
    xl_named_nearest(presets->named, presets->n, name, near, sizeof near);
    return xl_fail(err, XL_EINVAL,
                   "size \"%.60s\": neither WIDTHxHEIGHT nor a name of sdxl-lab presets list%s%s%s",
                   name, near[0] ? "; did you mean " : "", near, near[0] ? "?" : "");
}
