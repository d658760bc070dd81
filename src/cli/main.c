/* main.c - the command sdxl-lab: picks the subcommand, turns its status into an exit code. */
#include "cli/cli.h"

#include "base/log.h"

#include <stdio.h>
#include <string.h>

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
    const struct xl_command *command;
    struct xl_err err = {0};
    enum xl_status status = xl_command_find(argc, argv, &command, &n_words, &err);
    if (status) return report(status, &err);
    return run_command(command, argc - 1 - n_words, argv + 1 + n_words);
}
