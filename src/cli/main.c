/* main.c - the command sdxl-lab: picks the subcommand, turns its status into an exit code. */
#include "cli/cli.h"

#include "base/json.h"
#include "base/log.h"
#include "lab/past/past.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int report(enum xl_status status, const struct xl_err *err) {
    if (status == XL_OK) return 0;
    if (status == XL_ECANCELLED && xl_interrupted()) {
        fprintf(stderr, "sdxl-lab: interrupted\n");
        return xl_interrupt_exit_code();
    }
    fprintf(stderr, "sdxl-lab: error: %s\n", err->text[0] ? err->text : xl_status_text(status));
    return xl_exit_code_of(status);
}

/* Where settings come from, beside the words of the command. */
struct sources {
    const struct xl_command *command;
    int n;
    char **argv;
    bool only_places; /* the environment counts for these alone */
    struct xl_arena *arena;
    const char *job;                 /* a job file; NULL: none */
    const struct xl_settings *first; /* with a picture to draw from; NULL: none */
};

/* Settings in the order of their say: a picture's record, a job file, the environment where it
 * counts, the flags. */
static enum xl_status read_sources(const struct sources *sources, struct xl_settings *settings,
                                   bool *help, struct xl_err *err) {
    enum xl_status status = XL_OK;
    xl_settings_default(settings);
    settings->arena = sources->arena;
    if (sources->first)
        status = xl_past_settings(sources->first->from, sources->first, settings, err);
    xl_settings_end_source(settings);
    if (!status && sources->job)
        status = xl_settings_read_file(settings, sources->job, sources->arena, err);
    xl_settings_end_source(settings);
    if (!status) status = xl_settings_read_environment(settings, sources->only_places, err);
    xl_settings_end_source(settings);
    if (!status)
        status = xl_args_parse(sources->command, sources->n, sources->argv, settings, help, err);
    return status;
}

/* The flags name the job file, and either the picture: so they are read first, and again above
 * those. */
static enum xl_status read_settings(struct sources *sources, struct xl_settings *settings,
                                    bool *help, struct xl_err *err) {
    enum xl_status status = read_sources(sources, settings, help, err);
    if (status || *help) return status;
    sources->job = settings->job_file;
    if (sources->job) status = read_sources(sources, settings, help, err);
    if (status || !settings->from || settings->resume) return status;
    const struct xl_settings first = *settings;
    sources->first = &first;
    if (first.quiet) xl_log_set_level(XL_LOG_ERROR);
    status = read_sources(sources, settings, help, err);
    sources->first = NULL;
    return status;
}

/* is_headless: the environment asked for it; reads_environment: and what it says counts. */
static int run_command(const struct xl_command *command, int n, char **argv, bool reads_environment,
                       bool is_headless) {
    struct xl_err err = {0};
    struct xl_settings settings;
    struct xl_arena arena = {0};
    bool help = false;
    struct sources sources = {.command = command,
                              .n = n,
                              .argv = argv,
                              .only_places = !reads_environment,
                              .arena = &arena};
    enum xl_status status = read_settings(&sources, &settings, &help, &err);
    if (!status && help) {
        xl_print_help(command);
        return 0;
    }
    if (settings.quiet) xl_log_set_level(XL_LOG_ERROR);
    if (settings.verbose) xl_log_set_level(XL_LOG_INFO);
    settings.reads_environment = reads_environment;
    settings.is_headless = is_headless;
    if (!status) xl_environment_warn(&settings);
    xl_json_watch(); /* of documents that are built from here on; xl_print_json looks */
    if (!status) status = command->run(&settings, &err);
    xl_arena_deinit(&arena);
    return report(status, &err);
}

static bool is_word(const char *argument, const char *word) {
    return !strcmp(argument, word) || (!strncmp(argument, "--", 2) && !strcmp(argument + 2, word));
}

/* sdxl-lab help COMMAND; argv[0] is "help". */
static int help_on(int argc, char **argv) {
    int n_words;
    const struct xl_command *command;
    struct xl_err err = {0};
    enum xl_status status = xl_command_find(argc, argv, &command, &n_words, &err);
    if (!status) xl_print_help(command);
    return report(status, &err);
}

/* Flags without a command go with the environment; without either the page is served. */
static int run_environment(int n, char **argv) {
    bool is_headless = false;
    struct xl_err err = {0};
    enum xl_status status = xl_environment_is_headless(&is_headless, &err);
    if (status) return report(status, &err);
    if (n || is_headless) return run_command(&xl_command_generate, n, argv, true, is_headless);
    return run_command(&xl_command_serve, 0, argv, false, false);
}

static int run_linked(const struct xl_command *linked, int argc, char **argv) {
    const struct xl_command *other = argc > 1 ? xl_command_of_group(linked, argv[1]) : NULL;
    int n_words = other ? 2 : 1;
    return run_command(other ? other : linked, argc - n_words, argv + n_words, false, false);
}

static int run(int argc, char **argv) {
    struct xl_err err = {0};
    const struct xl_command *linked = argc ? xl_command_of_link(argv[0]) : NULL;
    /* Shells ask under any name. */
    if (linked && (argc < 2 || strcmp(argv[1], "complete") != 0))
        return run_linked(linked, argc, argv);
    if (argc == 2 && (is_word(argv[1], "help") || !strcmp(argv[1], "-h"))) {
        xl_print_overview();
        return 0;
    }
    if (argc > 2 && !strcmp(argv[1], "help")) return help_on(argc - 1, argv + 1);
    if (argc > 1 && is_word(argv[1], "version")) {
        printf("sdxl-lab %s\n", XL_VERSION);
        return 0;
    }
    if (argc < 2 || argv[1][0] == '-') return run_environment(argc - 1, argv + 1);
    int n_words;
    const struct xl_command *command;
    enum xl_status status = xl_command_find(argc, argv, &command, &n_words, &err);
    if (status) return report(status, &err);
    return run_command(command, argc - 1 - n_words, argv + 1 + n_words, false, false);
}

/* A descriptor of these that is closed would go to the next file that is opened, and what is
 * printed into that file. In its place stands one that refuses, as the closed one would. */
static void hold_standard_descriptors(void) {
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
            (void)!open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

/* Whether nobody reads at the other end of a pipe. */
static bool is_hung_up(int fd) {
    struct pollfd state = {.fd = fd, .events = POLLOUT};
    return poll(&state, 1, 0) == 1 && state.revents & POLLERR;
}

/* An answer that could not be written is no success. Every command comes by here, so none looks
 * itself. Whoever closed a pipe ("| head") knows that it did and is told nothing. */
static int end_output(int code) {
    errno = 0;
    bool had_failed = ferror(stdout); /* the reason is lost, unless the rest fails again */
    if (!fflush(stdout) && !had_failed) return code;
    const char *why = errno ? strerror(errno) : "a part of the answer is lost";
    if (errno != EPIPE && !is_hung_up(STDOUT_FILENO))
        fprintf(stderr, "sdxl-lab: error: standard output: cannot write: %s\n", why);
    return code ? code : xl_exit_code_of(XL_EDISK);
}

int main(int argc, char **argv) {
    hold_standard_descriptors();
    xl_interrupt_install();
    return end_output(run(argc, argv));
}
