/* presets.c - sdxl-lab presets list: sizes by name. */
#include "cli/cli.h"
#include "cli/table.h"

#include "base/json.h"
#include "lab/data/describe.h"

#include <stdio.h>
#include <string.h>

static enum xl_status print_json(const struct xl_presets *presets, struct xl_err *err) {
    json_t *document = json_object(), *array = json_array();
    for (int i = 0; i < xl_presets_count(presets); i++)
        json_array_append_new(array, xl_preset_object(xl_presets_at(presets, i)));
    json_object_set_new(document, "presets", array);
    enum xl_status status = xl_print_json(document, err);
    json_decref(document);
    return status;
}

static enum xl_status print_table(const struct xl_presets *presets, struct xl_err *err) {
    struct xl_table table = {.n_columns = 4};
    const char *group = "";
    for (int i = 0; i < xl_presets_count(presets); i++) {
        const struct xl_preset *preset = xl_presets_at(presets, i);
        const char *const heading[] = {preset->group, "", "", ""};
        char name[128], size[32], ratio[32], about[400];
        snprintf(name, sizeof name, "  %.100s", preset->name);
        snprintf(size, sizeof size, "%dx%d", preset->width, preset->height);
        snprintf(ratio, sizeof ratio, "%.2f", (double)preset->width / preset->height);
        snprintf(about, sizeof about, "%.200s", preset->about);
        for (int k = 0; k < preset->n_aliases; k++) {
            size_t used = strlen(about);
            snprintf(about + used, sizeof about - used, "%s%.60s",
                     k      ? ", "
                     : used ? "; also "
                            : "also ",
                     preset->aliases[k]);
        }
        const char *const cells[] = {name, size, ratio, about};
        if (strcmp(group, preset->group)) xl_table_add(&table, heading, XL_COLOR_BOLD);
        group = preset->group;
        xl_table_add(&table, cells, XL_COLOR_DIM);
    }
    return xl_table_print(&table, 0, err);
}

static enum xl_status list(const struct xl_settings *settings, struct xl_err *err) {
    struct xl_presets *presets = NULL;
    enum xl_status status = xl_presets_load(&presets, err);
    if (!status) status = settings->json ? print_json(presets, err) : print_table(presets, err);
    xl_presets_free(presets);
    return status;
}

const struct xl_command xl_command_presets_list = {
    .name = "presets list",
    .summary = "sizes of pictures by name, for --size",
    .usage = "[OPTIONS]",
    .commands = XL_FOR_PRESETS,
    .epilogue = "--size also takes WIDTHxHEIGHT. Own sizes: ~/.config/sdxl-lab/presets.yaml.",
    .run = list,
};
