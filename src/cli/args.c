/* args.c - reading argv by the option table, and --help from it. */
#include "cli/cli.h"

#include "sampler/sampler.h"

#include <stdio.h>
#include <string.h>

static enum xl_status unknown_flag(const struct xl_command *command, const char *name,
                                   struct xl_err *err) {
    const struct xl_option *near = xl_option_nearest(name, command->commands);
    if (near)
        return xl_fail(err, XL_EINVAL, "--%.60s: no such option of %s; did you mean --%s?", name,
                       command->name, near->name);
    return xl_fail(err, XL_EINVAL, "--%.60s: no such option; see sdxl-lab %s --help", name,
                   command->name);
}

/* One argument, which may take the next one as its value (*i is moved on). */
static enum xl_status parse_one(const struct xl_command *command, int n, char **argv, int *i,
                                struct xl_settings *settings, struct xl_err *err) {
    const char *argument = argv[*i];
    if (strncmp(argument, "--", 2) || !argument[2])
        return xl_fail(err, XL_EINVAL,
                       "\"%.60s\": expected an option such as --prompt; a text with blanks needs "
                       "quotes",
                       argument);
    char name[64];
    const char *equals = strchr(argument, '=');
    size_t len = equals ? (size_t)(equals - argument) - 2 : strlen(argument) - 2;
    if (len >= sizeof name) len = sizeof name - 1;
    snprintf(name, sizeof name, "%.*s", (int)len, argument + 2);
    const struct xl_option *option = xl_option_find(name);
    if (!option || !(option->commands & command->commands)) return unknown_flag(command, name, err);
    char origin[72];
    snprintf(origin, sizeof origin, "--%s", name);
    const char *value = equals ? equals + 1 : NULL;
    if (option->type == XL_OPTION_SWITCH) {
        if (value) return xl_fail(err, XL_EINVAL, "%s takes no value", origin);
    } else if (!value) {
        if (*i + 1 >= n)
            return xl_fail(err, XL_EINVAL, "%s: expected %s after it", origin, option->argument);
        value = argv[++*i];
    }
    return xl_settings_set(settings, option, origin, value, err);
}

enum xl_status xl_args_parse(const struct xl_command *command, int n, char **argv,
                             struct xl_settings *settings, bool *help, struct xl_err *err) {
    *help = false;
    for (int i = 0; i < n; i++) {
        if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) {
            *help = true;
            return XL_OK;
        }
        enum xl_status status = parse_one(command, n, argv, &i, settings, err);
        if (status) return status;
    }
    return XL_OK;
}

static const struct xl_command *const commands[] = {
    &xl_command_generate,         &xl_command_inspect_model, &xl_command_inspect_tokens,
    &xl_command_inspect_schedule, &xl_command_inspect_noise,
};

void xl_print_overview(void) {
    printf(
        "sdxl-lab %s - Stable Diffusion XL pictures from the models you already have, offline\n\n",
        XL_VERSION);
    printf("usage: sdxl-lab COMMAND [OPTIONS]\n\n");
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        printf("  %-18s %s\n", commands[i]->name, commands[i]->summary);
    printf("\nThe first picture:\n"
           "  sdxl-lab generate --model stabilityai/stable-diffusion-xl-base-1.0 \\\n"
           "                    --prompt \"a lighthouse at dusk\"\n\n"
           "sdxl-lab COMMAND --help lists a command's options.\n");
}

static void print_options(const struct xl_command *command) {
    const char *group = "";
    const struct xl_option *option;
    for (int i = 0; (option = xl_option_at(i)); i++) {
        if (!(option->commands & command->commands)) continue;
        if (strcmp(group, option->group)) printf("\n%s\n", group = option->group);
        char flag[48];
        snprintf(flag, sizeof flag, "--%s%s%s", option->name, option->argument ? " " : "",
                 option->argument ? option->argument : "");
        printf("  %-26s %s", flag, option->help);
        if (option->choices) {
            printf(": ");
            for (int c = 0; option->choices[c]; c++)
                printf("%s%s", c ? ", " : "", option->choices[c]);
        }
        printf(option->fallback[0] ? " (default: %s)\n" : "\n", option->fallback);
    }
}

static void print_schedulers(void) {
    printf("\nSchedulers: default (the repository's own)");
    int column = 44;
    const char *name;
    for (int i = 0; (name = xl_scheduler_list(i)); i++) {
        if (!strcmp(name, "default")) continue;
        column += (int)strlen(name) + 2;
        if (column > 96)
            printf(",\n  %s", name), column = (int)strlen(name) + 2;
        else
            printf(", %s", name);
    }
    printf("\n");
}

void xl_print_help(const struct xl_command *command) {
    printf("%s\n\nusage: sdxl-lab %s %s\n", command->summary, command->name, command->usage);
    print_options(command);
    if (command->commands & (XL_FOR_GENERATE | XL_FOR_SCHEDULE)) print_schedulers();
    if (command->epilogue) printf("\n%s\n", command->epilogue);
}
