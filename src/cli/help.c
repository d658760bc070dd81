/* help.c - --help: the overview of the commands and each command's options, read off the tables and
 * wrapped to the width of the terminal. */
#include "cli/cli.h"

#include "base/str.h"
#include "sampler/sampler.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* ---- Lines ---- */

/* Lines beyond 100 columns are hard to read, and below 50 nothing fits beside the flags. */
enum { UNKNOWN_WIDTH = 80, MIN_WIDTH = 50, MAX_WIDTH = 100 };

/* Words on their way to standard output. */
struct lines {
    int width, indent; /* indent: of every line but the first */
    int column;
    bool has_word; /* on this line */
};

static int line_width(void) {
    struct winsize size;
    int width = !ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_col ? size.ws_col : 0;
    if (!width) return UNKNOWN_WIDTH;
    return width < MIN_WIDTH ? MIN_WIDTH : width > MAX_WIDTH ? MAX_WIDTH : width;
}

static void break_line(struct lines *lines) {
    printf("\n%*s", lines->indent, "");
    lines->column = lines->indent;
    lines->has_word = false;
}

/* Text that is broken at its blanks; a newline in it begins a line. */
static void put_text(struct lines *lines, const char *text) {
    while (*text) {
        int n = (int)strcspn(text, " \n");
        if (lines->has_word && lines->column + 1 + n > lines->width) break_line(lines);
        lines->column += printf("%s%.*s", lines->has_word ? " " : "", n, text);
        lines->has_word = true;
        text += n;
        if (*text == '\n') break_line(lines);
        if (*text) text++;
    }
}

static void put_paragraph(const char *text, int indent) {
    struct lines lines = {.width = line_width(), .indent = indent};
    put_text(&lines, text);
    putchar('\n');
}

/* A term, and its text in a column of its own; below it where the term is too long. */
static void put_entry(const char *term, const char *text, int column) {
    struct lines lines = {.width = line_width(), .indent = column};
    int n = printf("%s", term);
    if (n + 2 > column)
        break_line(&lines);
    else
        printf("%*s", column - n, "");
    lines.column = column;
    put_text(&lines, text);
    putchar('\n');
}

/* ---- The overview ---- */

static bool is_shown(const struct xl_command *command) {
    return !command->is_hidden;
}

void xl_print_overview(void) {
    const struct xl_command *command;
    int column = 0;
    printf("sdxl-lab %s\nStable Diffusion XL pictures from the models you already have, offline.\n",
           XL_VERSION);
    printf("\nusage: sdxl-lab COMMAND [OPTIONS]\n\n");
    for (int i = 0; (command = xl_command_at(i)); i++)
        if (is_shown(command) && (int)strlen(command->name) + 4 > column)
            column = (int)strlen(command->name) + 4;
    for (int i = 0; (command = xl_command_at(i)); i++) {
        char term[64];
        snprintf(term, sizeof term, "  %s", command->name);
        if (is_shown(command)) put_entry(term, command->summary, column);
    }
    printf("\nThe first picture:\n"
           "  sdxl-lab generate --prompt \"a lighthouse at dusk\"\n\n"
           "with the first model of sdxl-lab models list that is there, or a small one that\n"
           "is built in.\n\n"
           "sdxl-lab COMMAND --help lists a command's options.\n");
}

/* ---- A command ---- */

/* What the shape of a command's help depends on. */
struct help {
    const struct xl_command *command;
    bool has_environment; /* its settings may come from the environment */
    bool has_axes;        /* it takes --sweep */
    int column;           /* of the texts */
};

static int write_flag(const struct help *help, const struct xl_option *option, char out[64]) {
    return snprintf(out, 64, "%s --%s%s%s", help->has_axes && option->is_axis ? "*" : " ",
                    option->name, option->argument ? " " : "",
                    option->argument ? option->argument : "");
}

static void write_about(const struct help *help, const struct xl_option *option,
                        struct xl_str *out) {
    char name[XL_ENVIRONMENT_NAME_MAX];
    xl_str_puts(out, option->help);
    for (int c = 0; option->choices && option->choices[c]; c++)
        xl_str_printf(out, "%s%s", c ? ", " : "; one of ", option->choices[c]);
    if (option->fallback) xl_str_printf(out, " (default: %s)", option->fallback);
    if (!help->has_environment || !xl_option_environment(option, 0, name)) return;
    xl_str_puts(out, " [");
    for (int i = 0; xl_option_environment(option, i, name); i++)
        xl_str_printf(out, "%s%s", i ? ", " : "", name);
    xl_str_puts(out, "]");
}

static void print_options(const struct help *help) {
    const char *group = "";
    const struct xl_option *option;
    for (int i = 0; (option = xl_option_at(i)); i++) {
        char flag[64];
        struct xl_str about = {0};
        if (!(option->commands & help->command->commands)) continue;
        if (strcmp(group, option->group)) printf("\n%s\n", group = option->group);
        write_flag(help, option, flag);
        write_about(help, option, &about);
        char *text = xl_str_take(&about);
        put_entry(flag, text ? text : option->help, help->column);
        free(text);
    }
}

/* The column is as wide as the flags, as long as they leave room for the texts. */
static int choose_column(const struct help *help) {
    const struct xl_option *option;
    int longest = 0, limit = line_width() * 2 / 5;
    for (int i = 0; (option = xl_option_at(i)); i++) {
        char flag[64];
        if (!(option->commands & help->command->commands)) continue;
        int n = write_flag(help, option, flag);
        if (n > longest) longest = n;
    }
    return longest + 2 < limit ? longest + 2 : limit;
}

static void print_schedulers(void) {
    struct xl_str text = {0};
    const char *name;
    xl_str_puts(&text, "Schedulers: default (the repository's own)");
    for (int i = 0; (name = xl_scheduler_list(i)); i++)
        if (strcmp(name, "default")) xl_str_printf(&text, ", %s", name);
    char *list = xl_str_take(&text);
    putchar('\n');
    if (list) put_paragraph(list, 2);
    free(list);
}

static void print_exit_codes(void) {
    const struct xl_exit_code *code;
    printf("\nExit codes\n");
    for (int i = 0; (code = xl_exit_code_at(i)); i++) {
        char term[16];
        snprintf(term, sizeof term, "  %d", code->code);
        put_entry(term, code->text, 7);
    }
}

static void print_usage(const struct xl_command *command) {
    struct lines lines = {.width = line_width(), .indent = 9};
    const char *words = command->positional;
    lines.column = printf("usage: sdxl-lab %s ", command->name);
    if (words) lines.column += printf("%s%s", words, command->usage[0] ? " " : "");
    put_text(&lines, command->usage);
    putchar('\n');
}

void xl_print_help(const struct xl_command *command) {
    struct help help = {.command = command,
                        .has_environment = command->commands == XL_FOR_GENERATE,
                        .has_axes = xl_option_find("sweep")->commands & command->commands};
    help.column = choose_column(&help);
    put_paragraph(command->summary, 0);
    putchar('\n');
    print_usage(command);
    print_options(&help);
    if (help.has_axes) {
        printf("\n");
        put_paragraph(
            command->compares
                ? "* takes several values, A,B, which are compared; or is an axis beside "
                  "that, --sweep KEY=VALUES"
            : help.has_environment
                ? "* can be an axis of a grid, --sweep KEY=VALUES; [NAME] is a variable of "
                  "the environment"
                : "* can be an axis of a grid, --sweep KEY=VALUES",
            2);
    }
    if (command->commands & (XL_FOR_GENERATE | XL_FOR_SCHEDULE)) print_schedulers();
    if (command->epilogue) {
        putchar('\n');
        put_paragraph(command->epilogue, 0);
    }
    if (command->commands & (XL_FOR_GENERATE | XL_FOR_RESUME | XL_FOR_RUN | XL_FOR_GPU_PICK))
        print_exit_codes();
}
