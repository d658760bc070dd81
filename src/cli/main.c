/* main.c - the command sdxl-lab: picks the subcommand, turns its status into an exit code. */
#include "cli/cli.h"

#include "base/log.h"

#include <stdio.h>
#include <string.h>

static const struct xl_command *const inspections[] = {
    &xl_command_inspect_model,
    &xl_command_inspect_tokens,
    &xl_command_inspect_schedule,
    &xl_command_inspect_noise,
};

/* The command that argv names; *n_words: how many words it took. */
static const struct xl_command *find_command(int argc, char **argv, int *n_words) {
    *n_words = 1;
    if (!strcmp(argv[1], "generate")) return &xl_command_generate;
    if (strcmp(argv[1], "inspect") || argc < 3) return NULL;
    *n_words = 2;
    for (size_t i = 0; i < sizeof inspections / sizeof *inspections; i++)
        if (!strcmp(argv[2], strchr(inspections[i]->name, ' ') + 1)) return inspections[i];
    return NULL;
}

static int report(enum xl_status status, const struct xl_err *err) {
    if (status == XL_OK) return 0;
    if (status == XL_ECANCELLED && xl_interrupted()) {
        fprintf(stderr, "sdxl-lab: interrupted\n");
        return xl_interrupt_exit_code();
    }
    fprintf(stderr, "sdxl-lab: error: %s\n", err->text[0] ? err->text : xl_status_text(status));
    return xl_status_exit_code(status);
}

static int run_command(const struct xl_command *command, int n, char **argv) {
    struct xl_err err = {0};
    struct xl_settings settings;
    bool help;
    xl_settings_default(&settings);
    enum xl_status status = xl_args_parse(command, n, argv, &settings, &help, &err);
    if (!status && help) {
        xl_print_help(command);
        return 0;
    }
    if (settings.quiet) xl_log_set_level(XL_LOG_ERROR);
    if (settings.verbose) xl_log_set_level(XL_LOG_INFO);
    if (!status) status = command->run(&settings, &err);
    return report(status, &err);
}

int main(int argc, char **argv) {
    xl_interrupt_install();
    if (argc < 2 || !strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") ||
        !strcmp(argv[1], "help")) {
        xl_print_overview();
        return 0;
    }
    if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "version")) {
        printf("sdxl-lab %s\n", XL_VERSION);
        return 0;
    }
    int n_words;
    const struct xl_command *command = find_command(argc, argv, &n_words);
    if (command) return run_command(command, argc - 1 - n_words, argv + 1 + n_words);
    struct xl_err err;
    if (!strcmp(argv[1], "inspect"))
        xl_fail(&err, XL_EINVAL,
                "inspect: say what to inspect: model, tokens, schedule or noise%s%.40s",
                argc > 2 ? "; found " : "", argc > 2 ? argv[2] : "");
    else
        xl_fail(&err, XL_EINVAL,
                "\"%.60s\" is no command; there are generate and inspect, see "
                "sdxl-lab --help",
                argv[1]);
    return report(XL_EINVAL, &err);
}
