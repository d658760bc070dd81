/* profiles.c - sdxl-lab profiles: list, show, import. */
#include "cli/cli.h"
#include "cli/table.h"

#include "base/json.h"
#include "base/log.h"
#include "base/str.h"
#include "lab/data/describe.h"
#include "lab/data/names.h"
#include "lab/data/profile_import.h"

#include <stdio.h>
#include <string.h>

static enum xl_status load(const struct xl_settings *settings, struct xl_profiles **out,
                           struct xl_err *err) {
    return xl_profiles_load(settings->profile_files.item, settings->profile_files.n, out, err);
}

static enum xl_status print_document(const char *key, json_t *list, struct xl_err *err) {
    json_t *document = json_object();
    json_object_set_new(document, key, list);
    enum xl_status status = xl_print_json(document, err);
    json_decref(document);
    return status;
}

/* ---- list ---- */

static enum xl_status print_list(const struct xl_profiles *profiles, struct xl_err *err) {
    struct xl_table table = {.n_columns = 2};
    const char *group = "";
    for (int i = 0; i < xl_profiles_count(profiles); i++) {
        const struct xl_profile *profile = xl_profiles_at(profiles, i);
        const char *const heading[] = {profile->group, ""};
        const char *about = profile->about[0] ? profile->about : profile->prompt;
        char cell[XL_NAME_MAX + 8];
        snprintf(cell, sizeof cell, "  %s", profile->name);
        const char *const cells[] = {cell, about};
        if (strcmp(group, profile->group)) xl_table_add(&table, heading, XL_COLOR_BOLD);
        group = profile->group;
        xl_table_add(&table, cells, XL_COLOR_DIM);
    }
    return xl_table_print(&table, 0, err);
}

static enum xl_status list(const struct xl_settings *settings, struct xl_err *err) {
    struct xl_profiles *profiles = NULL;
    enum xl_status status = load(settings, &profiles, err);
    if (!status && settings->json) {
        json_t *array = json_array();
        for (int i = 0; i < xl_profiles_count(profiles); i++)
            json_array_append_new(array, xl_profile_object(xl_profiles_at(profiles, i)));
        status = print_document("profiles", array, err);
    } else if (!status) {
        status = print_list(profiles, err);
    }
    xl_profiles_free(profiles);
    return status;
}

const struct xl_command xl_command_profiles_list = {
    .name = "profiles list",
    .summary = "the style profiles, those of the program and your own",
    .usage = "[OPTIONS]",
    .commands = XL_FOR_PROFILES,
    .epilogue = "Own profiles: ~/.config/sdxl-lab/profiles.yaml; docs/PROFILES.md says how.",
    .run = list,
};

/* ---- show ---- */

static void print_field(const char *name, const char *text) {
    if (!text || !text[0]) return;
    printf("  %-10s ", name);
    xl_print_text(text, XL_COLOR_NONE);
    putchar('\n');
}

static void print_profile(const struct xl_profile *profile) {
    char steps[16] = "", guidance[32] = "", aliases[512] = "";
    if (profile->steps) snprintf(steps, sizeof steps, "%d", profile->steps);
    if (xl_has_guidance(profile->guidance)) xl_real_text(profile->guidance, guidance);
    for (int i = 0; i < profile->n_aliases; i++) {
        size_t used = strlen(aliases);
        snprintf(aliases + used, sizeof aliases - used, "%s%s", i ? ", " : "", profile->aliases[i]);
    }
    xl_print_text(profile->name, XL_COLOR_BOLD);
    putchar('\n');
    print_field("about", profile->about);
    print_field("prompt", profile->prompt);
    print_field("negative", profile->negative);
    print_field("steps", steps);
    print_field("guidance", guidance);
    print_field("scheduler", profile->scheduler);
    print_field("group", profile->group);
    print_field("aliases", aliases);
    print_field("from", profile->origin);
}

enum { MAX_STACK = 16 };

static enum xl_status show_one(const struct xl_profiles *profiles, const char *name, json_t *array,
                               struct xl_err *err) {
    const struct xl_profile *stack[MAX_STACK];
    int n;
    enum xl_status status = xl_profiles_parse_stack(profiles, name, stack, MAX_STACK, &n, err);
    for (int i = 0; !status && i < n; i++) {
        if (array)
            json_array_append_new(array, xl_profile_object(stack[i]));
        else
            print_profile(stack[i]);
    }
    return status;
}

static enum xl_status show(const struct xl_settings *settings, struct xl_err *err) {
    struct xl_profiles *profiles = NULL;
    json_t *array = settings->json ? json_array() : NULL;
    enum xl_status status = load(settings, &profiles, err);
    for (int i = 0; !status && i < settings->n_arguments; i++)
        status = show_one(profiles, settings->arguments[i], array, err);
    if (!status && array) status = print_document("profiles", json_incref(array), err);
    json_decref(array);
    xl_profiles_free(profiles);
    return status;
}

const struct xl_command xl_command_profiles_show = {
    .name = "profiles show",
    .summary = "what a profile adds to a prompt, and what suits it",
    .usage = "[OPTIONS]",
    .positional = "NAME...",
    .words = XL_COMPLETE_PROFILE,
    .commands = XL_FOR_PROFILES,
    .run = show,
};

/* ---- import ---- */

static json_t *describe_import(const struct xl_import *import) {
    json_t *document = json_object(), *imported = json_array(), *left_out = json_array();
    for (int i = 0; i < import->n; i++) {
        const struct xl_import_row *row = &import->rows[i];
        if (!row->left_out) {
            json_array_append_new(imported, json_string(row->name));
            continue;
        }
        json_t *entry = json_object();
        json_object_set_new(entry, "name", xl_json_text(row->name));
        json_object_set_new(entry, "line", json_integer(row->line));
        json_object_set_new(entry, "why", json_string(row->left_out));
        json_array_append_new(left_out, entry);
    }
    json_object_set_new(document, "path", xl_json_text(import->path));
    json_object_set_new(document, "columns_left_out", xl_json_text(import->columns));
    json_object_set_new(document, "imported", imported);
    json_object_set_new(document, "left_out", left_out);
    return document;
}

static void warn_left_out(const struct xl_import *import) {
    if (import->columns)
        xl_warn(
            "columns that are not understood are left out: %.400s; a style has name, prompt and "
            "negative_prompt",
            import->columns);
    for (int i = 0; i < import->n; i++) {
        const struct xl_import_row *row = &import->rows[i];
        if (row->left_out && row->line)
            xl_warn("line %d, \"%.100s\" is left out: %s", row->line, row->name, row->left_out);
        else if (row->left_out)
            xl_warn("style %d, \"%.100s\" is left out: %s", i + 1, row->name, row->left_out);
    }
}

static enum xl_status import_file(const struct xl_settings *settings, struct xl_err *err) {
    struct xl_profiles *profiles = NULL;
    struct xl_import import = {.n = 0};
    enum xl_status status = load(settings, &profiles, err);
    if (!status)
        status = xl_profiles_import(settings->arguments[0], settings->import_name, profiles,
                                    settings->force, &import, err);
    if (!status && settings->json) {
        json_t *document = describe_import(&import);
        status = xl_print_json(document, err);
        json_decref(document);
    } else if (!status) {
        warn_left_out(&import);
        printf("%d of %d %s imported into ", import.n_imported, import.n,
               xl_plural(import.n, "profile", "profiles"));
        xl_print_text(import.path, XL_COLOR_NONE);
        putchar('\n');
    }
    xl_import_deinit(&import);
    xl_profiles_free(profiles);
    return status;
}

const struct xl_command xl_command_profiles_import = {
    .name = "profiles import",
    .summary = "styles of AUTOMATIC1111 (styles.csv) or Fooocus (JSON) as profiles",
    .usage = "[OPTIONS]",
    .positional = "FILE",
    .words = XL_COMPLETE_FILE,
    .commands = XL_FOR_PROFILES,
    .epilogue =
        "Writes ~/.config/sdxl-lab/profiles.d/NAME.yaml, which is yours to edit; NAME is the "
        "file's, or that of --name. Styles "
        "whose name is taken are left out and named; with --force they replace the "
        "profile.",
    .run = import_file,
};
