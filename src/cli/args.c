/* args.c - reading argv by the option table. */
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

static enum xl_status unknown_flag(const struct xl_command *command, const char *dashes,
                                   const char *name, struct xl_err *err) {
    const struct xl_option *near = xl_option_nearest(name, command->commands);
    if (near)
        return xl_fail(err, XL_EINVAL, "%s%.60s: no such option of %s; did you mean --%s?", dashes,
                       name, command->name, near->name);
    return xl_fail(err, XL_EINVAL, "%s%.60s: no such option; see sdxl-lab %s --help", dashes, name,
                   command->name);
}

/* Options have two dashes: what has one comes from another program, or is a slip. "-W", "-W512" and
 * "-steps=3" are told apart by what is known. */
static enum xl_status one_dash(const struct xl_command *command, const char *argument,
                               struct xl_err *err) {
    char name[64];
    int n = (int)strcspn(argument + 1, "=");
    bool has_number = argument[2] >= '0' && argument[2] <= '9';
    snprintf(name, sizeof name, "%.*s", has_number ? 1 : n < 60 ? n : 60, argument + 1);
    return unknown_flag(command, "-", name, err);
}

/* A word where an option should be: a prompt, most often. */
static enum xl_status stray_word(const struct xl_command *command, const char *word,
                                 struct xl_err *err) {
    if (command->commands & XL_FOR_GENERATE)
        return xl_fail(
            err, XL_EINVAL,
            "\"%.60s\": expected an option such as --prompt \"%.60s\"; a text with blanks "
            "needs quotes",
            word, word);
    return xl_fail(err, XL_EINVAL, "\"%.60s\": expected an option; see sdxl-lab %s --help", word,
                   command->name);
}

bool xl_takes_values(const struct xl_command *command, const struct xl_option *option) {
    return command->compares && option->is_axis && !option->is_prose;
}

static enum xl_status set(const struct xl_command *command, struct xl_settings *settings,
                          const struct xl_option *option, const char *origin, const char *value,
                          struct xl_err *err) {
    bool is_axis = xl_takes_values(command, option) && value && strchr(value, ',');
    if (!is_axis) return xl_settings_set(settings, option, origin, value, err);
    const char *axis = xl_arena_printf(settings->arena, "%s=%s", option->name, value);
    if (!axis) return xl_fail_nomem(err, "an axis", 0);
    enum xl_status status = xl_settings_set(settings, xl_option_find("sweep"), origin, axis, err);
    settings->n_compared++;
    settings->compared = settings->sweep.n - 1;
    return status;
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
    if (!option || !(option->commands & command->commands))
        return unknown_flag(command, "--", name, err);
    char origin[72];
    snprintf(origin, sizeof origin, "--%s", name);
    const char *value = equals ? equals + 1 : NULL;
    if (option->type == XL_OPTION_SWITCH) {
        if (value) return xl_fail(err, XL_EINVAL, "%s takes no value", origin);
    } else if (!value && option->implied && (*i + 1 >= n || argv[*i + 1][0] == '-')) {
        value = option->implied;
    } else if (!value) {
        if (*i + 1 >= n)
            return xl_fail(err, XL_EINVAL, "%s: expected %s after it", origin, option->argument);
        value = argv[++*i];
    }
    return set(command, settings, option, origin, value, err);
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

/* "-" is a word, and so is what begins with it where a command takes few options. */
static bool is_word(const struct xl_command *command, const char *argument) {
    if (command->compares && argument[0] == '-' && argument[1] && argument[1] != '-') return false;
    return !is_option(argument) && strcmp(argument, "-h") != 0;
}

enum xl_status xl_args_parse(const struct xl_command *command, int n, char **argv,
                             struct xl_settings *settings, bool *help, struct xl_err *err) {
    int n_words = 0;
    bool only_words = false;
    *help = false;
    for (int i = 0; i < n; i++) {
        if (only_words || (command->positional && is_word(command, argv[i]))) {
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
        if (argv[i][0] == '-' && argv[i][1] && argv[i][1] != '-')
            return one_dash(command, argv[i], err);
        if (!is_option(argv[i])) return stray_word(command, argv[i], err);
        enum xl_status status = parse_one(command, n, argv, &i, settings, err);
        if (status) return status;
    }
    settings->arguments = (const char *const *)argv;
    settings->n_arguments = n_words;
    return check_count(command, n_words, err);
}
