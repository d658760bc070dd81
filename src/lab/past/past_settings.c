/* past_settings.c - a record as settings: what was said otherwise comes before it. */
#include "lab/past/past_take.h"

#include <stdio.h>
#include <string.h>

bool xl_take_is_said(const struct xl_take *take, const char *name) {
    const struct xl_settings *first = take->first;
    if (xl_settings_is_given(first, name)) return true;
    if (!strcmp(name, "profile") && (first->all_profiles || first->all_models)) return true;
    if (!strcmp(name, "model") && first->all_models) return true;
    for (int i = 0; i < first->sweep.n; i++) {
        char key[64];
        size_t n = strcspn(first->sweep.item[i], "=");
        snprintf(key, sizeof key, "%.*s", (int)(n < sizeof key ? n : 0), first->sweep.item[i]);
        const struct xl_option *option = xl_option_find(key);
        if (option && !strcmp(option->name, name)) return true;
    }
    return false;
}

enum xl_status xl_take_set(struct xl_take *take, const char *name, const char *text) {
    if (!text || xl_take_is_said(take, name)) return XL_OK;
    char origin[512];
    snprintf(origin, sizeof origin, "%.400s: %s", take->path, name);
    const char *kept = xl_arena_strdup(take->settings->arena, text);
    if (!kept) return xl_fail_nomem(take->err, "a setting", 0);
    return xl_settings_set(take->settings, xl_option_find(name), origin, kept, take->err);
}

enum xl_status xl_past_settings(const char *path, const struct xl_settings *first,
                                struct xl_settings *settings, struct xl_err *err) {
    struct xl_past past;
    struct xl_take take = {
        .path = path, .past = &past, .first = first, .settings = settings, .err = err};
    enum xl_status status = xl_past_load(&past, path, err);
    if (!status)
        status =
            xl_catalogue_load(first->model_files.item, first->model_files.n, &take.catalogue, err);
    if (!status) status = past.record ? xl_take_ours(&take) : xl_take_others(&take);
    xl_catalogue_free(take.catalogue);
    xl_past_deinit(&past);
    return status;
}
