/* options.h - the option table: every setting of a picture and of a run, declared once.
 * Command-line flags, environment names, keys of job files and requests, --help, the man page and
 * shell completion are read off this table; no second list exists.
 */
#ifndef XL_LAB_OPTIONS_H
#define XL_LAB_OPTIONS_H

#include "base/status.h"

enum xl_option_type {
    XL_OPTION_STRING,
    XL_OPTION_INT,
    XL_OPTION_REAL,
    XL_OPTION_SEED,   /* 0 .. 2^64-1, or -1 for random */
    XL_OPTION_CHOICE, /* index into choices */
    XL_OPTION_SWITCH, /* a flag without a value; elsewhere true or false */
    XL_OPTION_LIST,   /* a text that may be given several times */
};

/* Which commands take an option (bits). */
enum {
    XL_FOR_GENERATE = 1,
    XL_FOR_MODEL = 2,    /* inspect model */
    XL_FOR_TOKENS = 4,   /* inspect tokens */
    XL_FOR_SCHEDULE = 8, /* inspect schedule */
    XL_FOR_NOISE = 16,   /* inspect noise */
    XL_FOR_RESUME = 32,
    XL_FOR_VERIFY = 64,
    XL_FOR_PROFILES = 128,  /* profiles list, show, import */
    XL_FOR_CATALOGUE = 256, /* models list, show */
    XL_FOR_PRESETS = 512,
    XL_FOR_COMPLETION = 1024,
    XL_FOR_MANUAL = 2048,
    XL_FOR_WORKER = 4096,
    XL_FOR_SHOW = 8192,
    XL_FOR_MODELS_VERIFY = 1 << 14,
    XL_FOR_DOCTOR = 1 << 15,     /* models doctor */
    XL_FOR_MODELS_ADD = 1 << 16, /* models add */
    XL_FOR_DOWNLOAD = 1 << 17,   /* models download */
    XL_FOR_MODELS = XL_FOR_CATALOGUE | XL_FOR_MODELS_VERIFY | XL_FOR_DOCTOR | XL_FOR_MODELS_ADD |
                    XL_FOR_DOWNLOAD,
    XL_FOR_NAMED = 1 << 18,    /* loras list, loras show, embeddings list */
    XL_FOR_COMPARE = 1 << 19,  /* beside what generate takes */
    XL_FOR_GPU_LIST = 1 << 20, /* gpu list, gpu watch */
    XL_FOR_GPU_PICK = 1 << 21,
    XL_FOR_PROMPTS = 1 << 22,   /* prompts generate, preview, check */
    XL_FOR_RUN = 1 << 23,       /* run */
    XL_FOR_SLURM = 1 << 24,     /* slurm status, cancel, collect */
    XL_FOR_NIGHT = 1 << 25,     /* night, night check, night resume */
    XL_FOR_NIGHT_ASK = 1 << 26, /* night status, stop, report */
    XL_FOR_NIGHT_ADD = 1 << 27,
    XL_FOR_NIGHTS = XL_FOR_NIGHT | XL_FOR_NIGHT_ASK | XL_FOR_NIGHT_ADD,
    XL_FOR_INDEX = 1 << 28,     /* index update, ..., favorite add, ..., duel */
    XL_FOR_PICTURES = 1 << 29,  /* pictures list, count */
    XL_FOR_FAVORITES = 1 << 30, /* favorites */
    XL_FOR_ALL = 0x7fffffff,
};

/* What values a shell completes after the option. */
enum xl_completion {
    XL_COMPLETE_NOTHING,
    XL_COMPLETE_FILE,
    XL_COMPLETE_DIR,
    XL_COMPLETE_MODEL,
    XL_COMPLETE_PROFILE,
    XL_COMPLETE_PRESET,
    XL_COMPLETE_SCHEDULER,
    XL_COMPLETE_LORA,
    XL_COMPLETE_LORA_FILE, /* one that is there, and not "none" */
    XL_COMPLETE_VAE,
    XL_COMPLETE_EMBEDDING,
    XL_COMPLETE_THEME, /* by name, or a file */
    XL_COMPLETE_AXIS,  /* a name that can be swept, '=', and its values */
};

/* Whether a text is a path: what "~" and variables stand for is filled in when it is read, wherever
 * it comes from (base/path.h). */
enum xl_path_kind {
    XL_PATH_NONE,
    XL_PATH_SHOWN,   /* stays relative, as people read it in what is printed */
    XL_PATH_KEPT,    /* made absolute: runs and records hold it, and it must mean the same later */
    XL_PATH_MODEL,   /* a name, or a path where it begins with '~', '$', '.' or '/' */
    XL_PATH_WEIGHTS, /* likewise, or of a file that is there; made absolute. Of a LIST each name
                        in "A:0.5 + B" (data/lora_text.h) */
    XL_PATH_EMBEDDING, /* likewise, of "FILE:WORD" (data/embedding_text.h) */
};

struct xl_option {
    const char *name;     /* "output-dir": --output-dir; in JSON and YAML output_dir */
    const char *argument; /* "DIR", NULL for a switch */
    enum xl_option_type type;
    unsigned commands;
    size_t offset;              /* in struct xl_settings */
    double min, max;            /* INT, REAL */
    const char *const *choices; /* CHOICE: NULL-terminated */
    const char *const *same_as; /* CHOICE: what others call a choice, and it: NULL-terminated pairs;
                                   NULL: none */
    /* STRING, LIST: refuses what can be no value of it; NULL: takes any text */
    enum xl_status (*check)(const char *text, struct xl_err *err);
    const char *implied;     /* its value where none follows; NULL: one has to */
    const char *environment; /* names, the preferred one first, blanks between; NULL: none */
    bool is_axis;            /* --sweep takes it */
    bool is_replaced;        /* LIST: by a source that comes before the one that said it */
    bool is_prose;           /* any text is meant as it stands, quotes around it included */
    enum xl_path_kind path;
    bool is_passing; /* of one call: run.json does not keep it */
    bool is_place;   /* where things go: its variable counts for typed commands, too */
    enum xl_completion completion;
    const char *group, *help;
    const char *fallback; /* the default as text; NULL: none worth showing */
};

/* The i-th option, NULL after the last. At most XL_OPTIONS_MAX. */
enum { XL_OPTIONS_MAX = 128 };
const struct xl_option *xl_option_at(int i);
int xl_option_index(const struct xl_option *option);
/* A set of options: bit i is option i. */
typedef unsigned __int128 xl_option_set;
xl_option_set xl_option_bit(const struct xl_option *option);
/* By name; '_' and '-' are the same. NULL: none */
const struct xl_option *xl_option_find(const char *name);
/* other_names.c: the option that somebody may have meant: the one that another program, or the
 * environment, calls so, or that of the nearest name. NULL when none is near. */
const struct xl_option *xl_option_nearest(const char *name, unsigned commands);
/* The i-th row of other programs' names, blanks between, for *option; NULL after the last. */
const char *xl_option_other_names(int i, const char **option);

/* The i-th name (0, 1, ...) of an option's environment variable into out; false after the last. */
enum { XL_ENVIRONMENT_NAME_MAX = 40 };
bool xl_option_environment(const struct xl_option *option, int i,
                           char out[XL_ENVIRONMENT_NAME_MAX]);

#endif
