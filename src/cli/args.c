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

/* One option, which may take the next one as its value (*i is moved on). */
static enum xl_status parse_one(const struct xl_command *command, int n, char **argv, int *i,
                                struct xl_settings *settings, struct xl_err *err) {
    const char *argument = argv[*i];
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

/* How many words that are no options a command takes: see struct xl_command. */
static enum xl_status check_count(const struct xl_command *command, int n, struct xl_err *err) {
    const char *wanted = command->positional;
    if (!wanted) return XL_OK;
    bool may_be_absent = wanted[0] == '[', takes_many = strstr(wanted, "...") != NULL;
    if (!n && !may_be_absent)
        return xl_fail(err, XL_EINVAL, "%s: expected %s; see sdxl-lab %s --help", command->name,
                       wanted, command->name);
    if (n > 1 && !takes_many)
        return xl_fail(err, XL_EINVAL,
                       "%s: expected one %s, found %d; a name with blanks needs quotes",
                       command->name, wanted, n);
    return XL_OK;
}

static bool is_option(const char *argument) {
    return !strncmp(argument, "--", 2) && argument[2];
}

enum xl_status xl_args_parse(const struct xl_command *command, int n, char **argv,
                             struct xl_settings *settings, bool *help, struct xl_err *err) {
    int n_words = 0;
    bool only_words = false;
    *help = false;
    for (int i = 0; i < n; i++) {
        if (only_words || (command->positional && !is_option(argv[i]) && strcmp(argv[i], "-h"))) {
            if (!only_words && !strcmp(argv[i], "--"))
                only_words = true;
            else
                argv[n_words++] = argv[i]; /* n_words <= i: what is overwritten was read */
            continue;
        }
        if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) {
            *help = true;
            return XL_OK;
        }
        if (!is_option(argv[i]))
            return xl_fail(err, XL_EINVAL,
                           "\"%.60s\": expected an option such as --prompt; a text with blanks "
                           "needs quotes",
                           argv[i]);
        enum xl_status status = parse_one(command, n, argv, &i, settings, err);
        if (status) return status;
    }
    settings->arguments = (const char *const *)argv;
    settings->n_arguments = n_words;
    return check_count(command, n_words, err);
}

static const struct xl_command *const commands[] = {
    &xl_command_generate,       &xl_command_resume,           &xl_command_verify,
    &xl_command_profiles_list,  &xl_command_profiles_show,    &xl_command_profiles_import,
    &xl_command_models_list,    &xl_command_presets_list,     &xl_command_inspect_model,
    &xl_command_inspect_tokens, &xl_command_inspect_schedule, &xl_command_inspect_noise,
};
enum { N_COMMANDS = sizeof commands / sizeof commands[0] };

/* The first word of a command's name, its length; *second: the other word, NULL when there is none.
 */
static size_t first_word(const struct xl_command *command, const char **second) {
    size_t n = strcspn(command->name, " ");
    *second = command->name[n] ? command->name + n + 1 : NULL;
    return n;
}

/* What may follow the first word of a two-word command ("inspect"), or what may be a first word
 * (group NULL): "a, b, c" into out. */
static void list_words(const char *group, char *out, size_t size) {
    const char *second, *last = "";
    size_t n_last = 0;
    out[0] = 0;
    for (int i = 0; i < N_COMMANDS; i++) {
        size_t n = first_word(commands[i], &second), used = strlen(out);
        const char *word = group ? second : commands[i]->name;
        if (group && (!second || strlen(group) != n || strncmp(group, commands[i]->name, n)))
            continue;
        if (!group && n == n_last && !strncmp(last, word, n)) continue;
        snprintf(out + used, size - used, "%s%.*s", used ? ", " : "",
                 group ? (int)strlen(word) : (int)n, word);
        last = word;
        n_last = n;
    }
}

enum xl_status xl_command_find(int argc, char **argv, const struct xl_command **out, int *n_words,
                               struct xl_err *err) {
    bool is_group = false;
    char known[256];
    for (int i = 0; i < N_COMMANDS; i++) {
        const char *second;
        size_t n = first_word(commands[i], &second);
        if (strlen(argv[1]) != n || strncmp(argv[1], commands[i]->name, n)) continue;
        is_group = true;
        if (second && (argc < 3 || strcmp(argv[2], second))) continue;
        *n_words = second ? 2 : 1;
        *out = commands[i];
        return XL_OK;
    }
    list_words(is_group ? argv[1] : NULL, known, sizeof known);
    if (!is_group)
        return xl_fail(err, XL_EINVAL, "\"%.60s\" is no command; there are %s, see sdxl-lab --help",
                       argv[1], known);
    if (argc < 3) return xl_fail(err, XL_EINVAL, "%s: say what: %s", argv[1], known);
    return xl_fail(err, XL_EINVAL, "%s: say what: %s; found \"%.40s\"", argv[1], known, argv[2]);
}

void xl_print_overview(void) {
    printf(
        "sdxl-lab %s - Stable Diffusion XL pictures from the models you already have, offline\n\n",
        XL_VERSION);
    printf("usage: sdxl-lab COMMAND [OPTIONS]\n\n");
    for (int i = 0; i < N_COMMANDS; i++)
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
        printf(option->fallback ? " (default: %s)\n" : "\n", option->fallback);
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
    const char *words = command->positional;
    printf("%s\n\nusage: sdxl-lab %s %s%s%s\n", command->summary, command->name, words ? words : "",
           words && command->usage[0] ? " " : "", command->usage);
    print_options(command);
    if (command->commands & (XL_FOR_GENERATE | XL_FOR_SCHEDULE)) print_schedulers();
    if (command->epilogue) printf("\n%s\n", command->epilogue);
}
