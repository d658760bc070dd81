/* cli.h - the subcommands of sdxl-lab. Only this folder ends the process or reads argv. */
#ifndef XL_CLI_CLI_H
#define XL_CLI_CLI_H

#include "cli/interrupt.h"
#include "cli/progress.h"
#include "lab/settings/settings.h"

/* A subcommand: what it is called, what its options are, and what it does. */
struct xl_command {
    const char *name;    /* "generate", "inspect model" */
    const char *summary; /* one line of the overview */
    const char *usage;   /* after the name */
    /* What the words that are no options mean: "NAME", "NAME..." (one or more), "[NAME]",
     * "[NAME...]"; NULL: the command takes none. They go to settings->arguments. */
    const char *positional;
    enum xl_completion words; /* what a shell completes for them */
    xl_command_set commands;  /* its bit in struct xl_option.commands */
    const char *epilogue;     /* after the options of --help, a paragraph a line; may be NULL */
    const char *also;         /* another word for it; NULL: none */
    const char *link;         /* another name of the program that means this command; NULL: none */
    bool link_is_group;       /* and, where a command of the same group is named first, that one */
    bool is_hidden;           /* for shells, not for people */
    bool compares;            /* several values of an option, --dtype A,B, are an axis */
    enum xl_status (*run)(const struct xl_settings *settings, struct xl_err *err);
};

extern const struct xl_command xl_command_generate;
extern const struct xl_command xl_command_resume;
extern const struct xl_command xl_command_verify;
extern const struct xl_command xl_command_show;
extern const struct xl_command xl_command_compare;
extern const struct xl_command xl_command_inspect_model;
extern const struct xl_command xl_command_inspect_tokens;
extern const struct xl_command xl_command_inspect_schedule;
extern const struct xl_command xl_command_inspect_noise;
extern const struct xl_command xl_command_profiles_list;
extern const struct xl_command xl_command_profiles_show;
extern const struct xl_command xl_command_profiles_import;
extern const struct xl_command xl_command_models_list;
extern const struct xl_command xl_command_models_add;
extern const struct xl_command xl_command_models_doctor;
extern const struct xl_command xl_command_models_show;
extern const struct xl_command xl_command_models_verify;
extern const struct xl_command xl_command_models_download;
extern const struct xl_command xl_command_loras_list;
extern const struct xl_command xl_command_loras_show;
extern const struct xl_command xl_command_embeddings_list;
extern const struct xl_command xl_command_presets_list;
extern const struct xl_command xl_command_run;
extern const struct xl_command xl_command_serve;
extern const struct xl_command xl_command_slurm_status;
extern const struct xl_command xl_command_slurm_cancel;
extern const struct xl_command xl_command_slurm_collect;
extern const struct xl_command xl_command_night;
extern const struct xl_command xl_command_night_check;
extern const struct xl_command xl_command_night_keys;
extern const struct xl_command xl_command_night_resume;
extern const struct xl_command xl_command_night_status;
extern const struct xl_command xl_command_night_stop;
extern const struct xl_command xl_command_night_add;
extern const struct xl_command xl_command_night_report;
extern const struct xl_command xl_command_gpu_list;
extern const struct xl_command xl_command_gpu_pick;
extern const struct xl_command xl_command_gpu_watch;
extern const struct xl_command xl_command_favorite_add;
extern const struct xl_command xl_command_favorite_remove;
extern const struct xl_command xl_command_favorite_rate;
extern const struct xl_command xl_command_favorite_import;
extern const struct xl_command xl_command_favorite_list;
extern const struct xl_command xl_command_duel;
extern const struct xl_command xl_command_pictures_list;
extern const struct xl_command xl_command_pictures_count;
extern const struct xl_command xl_command_index_update;
extern const struct xl_command xl_command_index_rebuild;
extern const struct xl_command xl_command_index_status;
extern const struct xl_command xl_command_index_check;
extern const struct xl_command xl_command_index_add;
extern const struct xl_command xl_command_index_remove;
extern const struct xl_command xl_command_prompts_generate;
extern const struct xl_command xl_command_prompts_preview;
extern const struct xl_command xl_command_prompts_check;
extern const struct xl_command xl_command_favorites;
extern const struct xl_command xl_command_completion;
extern const struct xl_command xl_command_manual;
extern const struct xl_command xl_command_complete_words;
extern const struct xl_command xl_command_complete_line;
extern const struct xl_command xl_command_worker;
extern const struct xl_command xl_command_clean_picture;

/* The i-th command, NULL after the last. */
const struct xl_command *xl_command_at(int i);

/* Whether a command begins with this word, or is called so, too; *second: its other word, NULL when
 * it has none. */
bool xl_command_has_word(const struct xl_command *command, const char *word, const char **second);

/* The command that the program's name means, where it is called by a link (gpu_pick); path:
 * argv[0]. NULL: it is called by its own. */
const struct xl_command *xl_command_of_link(const char *path);
/* The command of the same group that a word names, where the link takes one ("prompt_generator
 * check"). NULL: none */
const struct xl_command *xl_command_of_group(const struct xl_command *linked, const char *word);

/* The command that argv[1..argc) names, in one word or two; *n_words: how many words it took.
 * Errors: XL_EINVAL no such command (what there is instead is listed) */
enum xl_status xl_command_find(int argc, char **argv, const struct xl_command **out, int *n_words,
                               struct xl_err *err);

/* Read argv[0..n) into settings; argv is rearranged: settings->arguments is its beginning. After
 * "--" every word is an argument. *help is set when --help was among the options.
 * Errors: XL_EINVAL unknown flag (the nearest is suggested), missing or wrong value, too few or too
 * many arguments */
enum xl_status xl_args_parse(const struct xl_command *command, int n, char **argv,
                             struct xl_settings *settings, bool *help, struct xl_err *err);

/* Whether a command takes several values of an option, with commas: they are an axis then. */
bool xl_takes_values(const struct xl_command *command, const struct xl_option *option);

/* What a process ends with. The i-th, NULL after the last. */
struct xl_exit_code {
    int code;
    const char *text;
};
const struct xl_exit_code *xl_exit_code_at(int i);
int xl_exit_code_of(enum xl_status status);

/* generate.c: draw what the settings ask for, or go on with a run, and tell what came of it; of a
 * comparison, also that. Errors: those of planning and drawing */
enum xl_status xl_run_and_tell(const struct xl_settings *given, struct xl_err *err) XL_CHECKED;

/* dry_run.c: what drawing a sweep would take, on standard output, for people or, with
 * settings->json, as a document. Errors: those of xl_estimate, XL_EDISK */
struct xl_sweep;
enum xl_status xl_print_dry_run(const struct xl_settings *settings, struct xl_sweep *sweep,
                                struct xl_err *err) XL_CHECKED;

/* help.c: on standard output, wrapped to the width of the terminal. */
void xl_print_overview(void);
void xl_print_help(const struct xl_command *command);

/* Print a document on stdout, pretty, and a newline. Errors: XL_ENOMEM */
struct json_t;
enum xl_status xl_print_json(const struct json_t *document, struct xl_err *err);
/* XL_EINVAL where no model was named. */
enum xl_status xl_require_model(const struct xl_settings *settings, struct xl_err *err);

#endif
