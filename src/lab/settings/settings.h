/* settings.h - the settings of one request, whoever made it: command line, environment, job file.
 *
 * options.h declares each setting once; here is what they are read into. Strings are borrowed from
 * whoever set them (argv, the environment, an arena that the caller owns); paths that were filled
 * in are in `arena`.
 */
#ifndef XL_LAB_SETTINGS_H
#define XL_LAB_SETTINGS_H

#include "base/arena.h"
#include "lab/settings/options.h"

#include <jansson.h>

enum { XL_LIST_MAX = 64, XL_WORKERS_MAX = 64 };

/* What a repeatable option collected. */
struct xl_list {
    const char *item[XL_LIST_MAX];
    int n;
};

struct xl_axis_places; /* axes.h */

enum xl_mode_choice { XL_MODE_AUTO, XL_MODE_TXT2IMG, XL_MODE_IMG2IMG };
/* What --prompt and --negative are: texts, or templates that each picture's seed makes texts of. */
enum xl_prompt_generator {
    XL_PROMPTS_AS_THEY_STAND,
    XL_PROMPTS_DYNAMIC,
    XL_PROMPTS_COMBINATIONS, /* all texts of --prompt */
};
enum xl_oom_choice { XL_OOM_SHRINK, XL_OOM_FAIL };
enum xl_on_choice { XL_ON_HERE, XL_ON_SLURM, XL_ON_KUBERNETES };
enum xl_foreign_choice { XL_FOREIGN_GO_ON, XL_FOREIGN_YIELD };

enum { XL_BATCH_MAX = 64 }; /* pictures of each kind that a job may ask for */

struct xl_settings {
    const char *model, *revision;
    struct xl_list loras;          /* as data/lora_text.h reads them */
    struct xl_list embeddings;     /* as data/embedding_text.h reads them */
    struct xl_list wildcards;      /* folders of them */
    const char *vae;               /* NULL or "none": the model's own */
    const char *profile;           /* one, or several joined by " + " */
    const char *prompt, *negative; /* negative NULL: omitted */
    const char *size;              /* a preset or WxH; width and height come before it */
    int width, height;             /* 0: not said */
    int steps;
    double guidance, guidance_rescale;
    bool has_seed; /* false: a random seed is drawn once */
    uint64_t seed;
    int batch;
    const char *scheduler;
    enum xl_prompt_syntax prompt_syntax;
    enum xl_prompt_generator prompt_generator;
    int clip_skip;
    enum xl_rng rng;
    enum xl_mode_choice mode;
    const char *init_image;
    double strength;
    int vae_tile;
    const char *device; /* what xl_device_open takes */
    enum xl_precision precision;
    int threads;
    int workers; /* processes that draw; 0: this one */
    enum xl_oom_choice oom;
    double max_memory; /* GB that a model and its work may take; 0: what is free */
    int group;         /* pictures drawn together; 0: the batch */
    const char *gpus;  /* as gpus_text.h reads it; NULL: whatever device says */
    enum xl_foreign_choice on_foreign_process;
    int idle_memory, idle_utilization; /* what an idle GPU may show: MiB, percent */
    bool allow_processes;
    const char *wait; /* how long for an idle GPU, as base/clock.h reads it; NULL: not at all */
    double interval;  /* seconds between two looks */
    const char *gpu_lock_dir; /* NULL: the default */
    bool only_uuid;
    int repeat;                  /* run: how often; 0: until stopped */
    int container;               /* run: enum xl_container of jobs/container.h */
    const char *container_image; /* run: of the container */
    int on;                      /* enum xl_on_choice: who draws */
    bool print;                  /* what would be submitted */
    int tasks, at_once;          /* of a job array; at_once 0: all */
    const char *gres, *partition, *account, *qos, *time_limit;
    struct xl_list sbatch, volumes;
    bool all_profiles, all_models, dry_run, yes;
    struct xl_list sweep;                                   /* "key=values" */
    const struct xl_axis_places *sweep_places[XL_LIST_MAX]; /* of each; NULL: not from a file */
    const char *resume;                                     /* a run directory */
    const char *prompts_file;                               /* compare: a prompt a line */
    double min_psnr;      /* compare: dB that every picture must reach; 0: none */
    int n_compared;       /* compare: options that were given several values, an axis each */
    int compared;         /* which of the axes that is; of several, the last */
    bool compares;        /* the run is a comparison along its first axis */
    bool strict;          /* resume only with what drew the pictures that are there */
    bool share;           /* resume together with other processes */
    double heartbeat;     /* seconds between signs of life of such a process */
    bool collects;        /* open a run to say what others have drawn */
    const char *job_file; /* YAML or JSON */
    const char *from;     /* a picture whose record says what nobody else does */
    struct xl_list profile_files, model_files;
    const char *output_dir, *instance;
    const char *index_dir;     /* NULL: in output_dir */
    const char *run;           /* pictures: of this run */
    const char *text;          /* with these words in the prompt */
    const char *since, *until; /* as base/moment.h reads them */
    const char *after;         /* where the page before ended */
    bool only_loved;
    int min_rating; /* 1..5 */
    int sort;       /* enum xl_picture_sort */
    bool json, quiet, verbose, force, markdown;
    const char *import_name; /* profiles import: of what is written; models add: of the model */
    bool deep;               /* models doctor: every byte */
    bool all;                /* models verify, download: every one */
    int count;               /* inspect noise: how many numbers; prompts: how many of them */
    const char *learn_from;  /* prompts: a file of weights */
    int budget;              /* favorites: pictures of the next sweep */
    bool csv;                /* favorites: tables for spreadsheets */
    const char *html, *export_dir; /* favorites: what is written */
    const char *night;             /* night add: which; NULL: the newest */
    const char *jobs_file;         /* night add */
    bool is_new, is_demo;          /* night */
    bool now;                      /* night stop */
    int port;                      /* serve; 0: any */
    const char *bind, *base_path, *token_file;
    bool no_token, check;
    struct xl_list allow_hosts;
#ifdef XL_CELL_TEST_FIELD /* tests/field adds one here, and a row */
    double test_field;
#endif

    const char *const *arguments; /* words that are no options, where a command takes them */
    int n_arguments;

    bool reads_environment;         /* variables count: there is no command */
    bool is_headless;               /* the environment asked for the run: it ends with a summary */
    xl_option_set given;            /* by somebody; see xl_settings_is_given */
    xl_option_set from_environment; /* and by the environment */
    xl_option_set from_below;       /* by a source that comes after the one that is read */
    /* Borrowed. NULL: paths are taken as they stand, as those of run.json, which were filled in
     * when they were first read. */
    struct xl_arena *arena;
};

void xl_settings_default(struct xl_settings *settings);

/* The device that the settings ask for. The name is borrowed. */
struct xl_device_params xl_settings_device(const struct xl_settings *settings);

/* Set one option from text (NULL for a switch: on). origin: "--steps" or "STEPS", opens the
 * sentence. A list grows by one. Errors: XL_EINVAL not a value of this option */
enum xl_status xl_settings_set(struct xl_settings *settings, const struct xl_option *option,
                               const char *origin, const char *text, struct xl_err *err) XL_CHECKED;

/* A word for true or false as every way in takes it: 1, true, yes, on; 0, false, no, off; case does
 * not matter. origin opens the sentence. Errors: XL_EINVAL another word */
enum xl_status xl_read_switch(const char *text, const char *origin, bool *out,
                              struct xl_err *err) XL_CHECKED;

/* The text of an option that holds one, or the last of a list; NULL where it has none, and of
 * others. */
const char *xl_settings_text(const struct xl_settings *settings, const struct xl_option *option);

/* Take over what was given to `from` of the options of these commands. Lists as a whole. */
void xl_settings_override(struct xl_settings *settings, const struct xl_settings *from,
                          xl_command_set commands);

/* What was set up to now comes after what is set from here on. */
void xl_settings_end_source(struct xl_settings *settings);

/* Whether somebody set the option of this name, as opposed to its default. */
bool xl_settings_is_given(const struct xl_settings *settings, const char *name);

/* axes.c: the text of an axis (--sweep), with paths (of FILE, or the values of an option that is
 * one) from the root, so that it means the same when it is read in another folder. What cannot be
 * read stays as it is: xl_axis_parse says why. *out: in the arena, or untouched where nothing is to
 * be filled in. Errors: XL_EINVAL a path that cannot be filled in; of init images those of
 * xl_axis_parse */
enum xl_status xl_axis_fill_in(const char *text, struct xl_arena *arena, const char **out,
                               struct xl_err *err) XL_CHECKED;

/* environment.c: whether the environment asks for a run without a page: HEADLESS is true, or PROMPT
 * is there. Errors: XL_EINVAL HEADLESS is neither true nor false */
enum xl_status xl_environment_is_headless(bool *out, struct xl_err *err) XL_CHECKED;

/* Set the options that environment variables name: all of them, or only the places where things go;
 * an empty variable counts as absent, and a list has its items on lines or between semicolons.
 * Errors: XL_EINVAL a wrong value, one with the quotes or the line end of the file that it came
 * from, or two spellings of one setting that differ */
enum xl_status xl_settings_read_environment(struct xl_settings *settings, bool only_places,
                                            struct xl_err *err) XL_CHECKED;

/* How to say an option in this run, for sentences: "--prompt", and where variables count "--prompt
 * (PROMPT)". Returns out. */
enum { XL_SAY_MAX = 96 };
const char *xl_settings_say(const struct xl_settings *settings, const char *name,
                            char out[XL_SAY_MAX]);

/* Warn of texts in use that have the quotes of such a file: they are drawn with them. */
void xl_environment_warn(const struct xl_settings *settings);

/* document.c: set every option that an object of names and values has ("output_dir" or
 * "output-dir"; "sweep" may be an object of axes). name opens every sentence. Texts are kept in the
 * arena. Errors: XL_EINVAL an unknown name (the nearest is suggested) or a wrong value */
enum xl_status xl_settings_read_object(struct xl_settings *settings, const char *name,
                                       const json_t *object, struct xl_arena *arena,
                                       struct xl_err *err) XL_CHECKED;

/* The same of an object of a file that has other keys as well: sentences begin
 * "NAME:LINE:COLUMN:". */
struct xl_yaml_places;
struct xl_settings_part {
    const char *name;
    const json_t *object;
    const struct xl_yaml_places *places;
    bool (*is_other)(const char *key); /* keys that are left alone; NULL: none */
    xl_command_set commands; /* whose settings count, such as XL_FOR_API; 0: XL_FOR_GENERATE */
};
enum xl_status xl_settings_read_part(struct xl_settings *settings,
                                     const struct xl_settings_part *part, struct xl_arena *arena,
                                     struct xl_err *err) XL_CHECKED;

/* A job file, YAML or JSON; sentences begin "FILE:LINE:COLUMN:". Errors: XL_EINPUT unreadable; as
 * above */
enum xl_status xl_settings_read_file(struct xl_settings *settings, const char *path,
                                     struct xl_arena *arena, struct xl_err *err) XL_CHECKED;

/* The settings that somebody gave, as an object that xl_settings_read_object reads back. NULL: out
 * of memory. Caller: json_decref */
json_t *xl_settings_write_object(const struct xl_settings *settings);

#endif
