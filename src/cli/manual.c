/* manual.c - sdxl-lab manual: the man page, or the same as Markdown (docs/COMMAND.md). */
#include "cli/manual.h"

#include "base/str.h"
#include "cli/cli.h"
#include "cli/page.h"
#include "cli/table.h"
#include "sampler/sampler.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Print what was put together, and free it. */
static void put_text(struct xl_page *page, struct xl_str *str) {
    char *text = xl_str_take(str);
    if (text) xl_page_text(page, text);
    free(text);
}

/* ---- Commands ---- */

static void put_usage(struct xl_page *page, const struct xl_command *command) {
    char usage[400];
    const char *words = command->positional;
    snprintf(usage, sizeof usage, "sdxl-lab %s%s%s%s%s", command->name, words ? " " : "",
             words ? words : "", command->usage[0] ? " " : "", command->usage);
    xl_page_code(page, usage);
}

static void put_own_options(struct xl_page *page, const struct xl_command *command) {
    const struct xl_option *option;
    struct xl_str list = {0};
    for (int i = 0; (option = xl_option_at(i)); i++)
        if (option->commands & command->commands)
            xl_str_printf(&list, "%s`--%s`", list.len ? ", " : "Options: ", option->name);
    if (list.len) xl_str_puts(&list, ".");
    put_text(page, &list);
}

static void put_commands(struct xl_page *page) {
    const struct xl_command *command;
    xl_page_heading(page, 1, "Commands");
    for (int i = 0; (command = xl_command_at(i)); i++) {
        if (command->is_hidden) continue;
        struct xl_str summary = {0};
        xl_str_printf(&summary, "%c%s.", toupper(command->summary[0]), command->summary + 1);
        xl_page_heading(page, 2, command->name);
        put_text(page, &summary);
        put_usage(page, command);
        put_own_options(page, command);
        if (command->epilogue) xl_page_text(page, command->epilogue);
    }
}

/* ---- Options ---- */

static const char *const option_headings[] = {"Option", "Meaning",
                                              "Default:", "Environment:", "Sweep:"};
enum { N_OPTION_COLUMNS = sizeof option_headings / sizeof *option_headings };

static void put_option(struct xl_page *page, const struct xl_option *option) {
    char name[XL_ENVIRONMENT_NAME_MAX], flag[64], about[512], environment[128] = "";
    char fallback[128] = "";
    size_t used;
    snprintf(flag, sizeof flag, "`--%s%s%s`", option->name, option->argument ? " " : "",
             option->argument ? option->argument : "");
    snprintf(about, sizeof about, "%s", option->help);
    for (int c = 0; option->choices && option->choices[c]; c++) {
        used = strlen(about);
        snprintf(about + used, sizeof about - used, "%s`%s`", c ? ", " : "; one of ",
                 option->choices[c]);
    }
    for (int i = 0; xl_option_environment(option, i, name); i++) {
        used = strlen(environment);
        snprintf(environment + used, sizeof environment - used, "%s`%s`", i ? ", " : "", name);
    }
    snprintf(fallback, sizeof fallback, "%s", option->fallback ? option->fallback : "");
    const char *const cells[] = {flag, about, fallback, environment, option->is_axis ? "yes" : ""};
    xl_page_row(page, option_headings, cells, N_OPTION_COLUMNS);
}

static void put_options(struct xl_page *page) {
    const struct xl_option *option;
    const char *group = "";
    xl_page_heading(page, 1, "Options");
    xl_page_text(page,
                 "An option and its value are two words or one, `--steps 30` or `--steps=30`. "
                 "`--help` and `-h` list the options of a command.");
    for (int i = 0; (option = xl_option_at(i)); i++) {
        if (strcmp(group, option->group)) {
            if (group[0]) xl_page_end(page);
            xl_page_heading(page, 2, group = option->group);
            xl_page_table(page, option_headings, N_OPTION_COLUMNS);
        }
        put_option(page, option);
    }
    xl_page_end(page);
}

static void put_schedulers(struct xl_page *page) {
    struct xl_str list = {0};
    const char *name;
    xl_page_heading(page, 1, "Schedulers");
    xl_str_puts(&list, "`default` is the repository's own");
    for (int i = 0; (name = xl_scheduler_list(i)); i++)
        if (strcmp(name, "default")) xl_str_printf(&list, ", `%s`", name);
    xl_str_puts(&list, ". The names of diffusers classes are understood, too.");
    put_text(page, &list);
}

/* ---- The rest ---- */

static void put_items(struct xl_page *page, const struct xl_manual_entry *entry) {
    for (; entry->term; entry++) xl_page_item(page, entry->term, entry->text);
    xl_page_end(page);
}

static void put_environment(struct xl_page *page) {
    const struct xl_option *option;
    char name[XL_ENVIRONMENT_NAME_MAX];
    xl_page_heading(page, 1, "Environment");
    xl_page_text(page, xl_manual_environment);
    for (int i = 0; (option = xl_option_at(i)); i++)
        for (int k = 0; xl_option_environment(option, k, name); k++) {
            char flag[64];
            snprintf(flag, sizeof flag, "`--%s`", option->name);
            xl_page_item(page, name, flag);
        }
    xl_page_end(page);
    xl_page_text(page, "These count always:");
    put_items(page, xl_manual_variables);
}

static void put_paths(struct xl_page *page) {
    xl_page_heading(page, 1, "Paths");
    xl_page_text(page, xl_manual_paths);
}

static void put_exit_codes(struct xl_page *page) {
    const struct xl_exit_code *code;
    xl_page_heading(page, 1, "Exit status");
    for (int i = 0; (code = xl_exit_code_at(i)); i++) {
        char term[16];
        snprintf(term, sizeof term, "%d", code->code);
        xl_page_item(page, term, code->text);
    }
    xl_page_end(page);
}

static void put_beginning(struct xl_page *page) {
    static const char synopsis[] = "sdxl-lab COMMAND [OPTIONS]\n"
                                   "HEADLESS=1 sdxl-lab [OPTIONS]\n"
                                   "sdxl-lab COMMAND --help";
    if (page->is_markdown) {
        printf(
            "# sdxl-lab\n\nWritten by `sdxl-lab manual --markdown` (`make docs`) from the tables "
            "of commands and options.\n");
    } else {
        printf(
            ".\\\" Written by sdxl-lab manual.\n.TH SDXL-LAB 1 %s \"sdxl-lab %s\" \"SDXL Lab\"\n",
            XL_RELEASE_DATE, XL_VERSION);
        printf(".SH NAME\nsdxl-lab \\- Stable Diffusion XL pictures from the models you already "
               "have\n");
    }
    xl_page_heading(page, 1, "Synopsis");
    xl_page_code(page, synopsis);
    xl_page_heading(page, 1, "Description");
    xl_page_text(page, xl_manual_description);
}

static enum xl_status manual(const struct xl_settings *settings, struct xl_err *err) {
    struct xl_page page = {.is_markdown = settings->markdown};
    (void)err;
    put_beginning(&page);
    put_commands(&page);
    put_options(&page);
    put_schedulers(&page);
    xl_page_heading(&page, 1, "Sweeps");
    xl_page_text(&page, xl_manual_sweeps);
    put_items(&page, xl_manual_axes);
    put_environment(&page);
    put_paths(&page);
    xl_page_heading(&page, 1, "Files");
    put_items(&page, xl_manual_files);
    put_exit_codes(&page);
    xl_page_heading(&page, 1, "Examples");
    for (const struct xl_manual_entry *entry = xl_manual_examples; entry->term; entry++) {
        xl_page_text(&page, entry->term);
        xl_page_code(&page, entry->text);
    }
    return XL_OK;
}

const struct xl_command xl_command_manual = {
    .name = "manual",
    .summary = "the whole manual, as a man page or as Markdown",
    .usage = "[--markdown]",
    .commands = XL_FOR_MANUAL,
    .epilogue = "To read it where it is not installed: sdxl-lab manual | man -l -",
    .run = manual,
};
