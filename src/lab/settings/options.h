/* options.h - the option table: every setting of a picture and of a run, declared once.
 * Command-line flags, environment names, keys of job files and requests, --help, the man page and
 * shell completion are read off this table; no second list exists.
 */
#ifndef XL_LAB_OPTIONS_H
#define XL_LAB_OPTIONS_H

#include "base/status.h"

#include <stdint.h>

enum xl_option_type {
    XL_OPTION_STRING,
    XL_OPTION_INT,
    XL_OPTION_REAL,
    XL_OPTION_SEED,   /* 0 .. 2^64-1, or -1 for random */
    XL_OPTION_CHOICE, /* index into choices */
    XL_OPTION_SWITCH, /* a flag without a value; elsewhere true or false */
    XL_OPTION_LIST,   /* a text that may be given several times */
};

/* A set of commands, such as those that take an option: a bit each. */
typedef uint64_t xl_command_set;
#define XL_FOR(bit) (UINT64_C(1) << (bit))
#define XL_FOR_GENERATE XL_FOR(0)
#define XL_FOR_MODEL XL_FOR(1)    /* inspect model */
#define XL_FOR_TOKENS XL_FOR(2)   /* inspect tokens */
#define XL_FOR_SCHEDULE XL_FOR(3) /* inspect schedule */
#define XL_FOR_NOISE XL_FOR(4)    /* inspect noise */
#define XL_FOR_RESUME XL_FOR(5)
#define XL_FOR_VERIFY XL_FOR(6)
#define XL_FOR_PROFILES XL_FOR(7)  /* profiles list, show, import */
#define XL_FOR_CATALOGUE XL_FOR(8) /* models list, show */
#define XL_FOR_PRESETS XL_FOR(9)
#define XL_FOR_COMPLETION XL_FOR(10)
#define XL_FOR_MANUAL XL_FOR(11)
#define XL_FOR_WORKER XL_FOR(12)
#define XL_FOR_SHOW XL_FOR(13)
#define XL_FOR_MODELS_VERIFY XL_FOR(14)
#define XL_FOR_DOCTOR XL_FOR(15)     /* models doctor */
#define XL_FOR_MODELS_ADD XL_FOR(16) /* models add */
#define XL_FOR_DOWNLOAD XL_FOR(17)   /* models download */
#define XL_FOR_NAMED XL_FOR(18)      /* loras list, loras show, embeddings list */
#define XL_FOR_COMPARE XL_FOR(19)    /* beside what generate takes */
#define XL_FOR_GPU_LIST XL_FOR(20)   /* gpu list, gpu watch */
#define XL_FOR_GPU_PICK XL_FOR(21)
#define XL_FOR_PROMPTS XL_FOR(22)   /* prompts generate, preview, check */
#define XL_FOR_RUN XL_FOR(23)       /* run */
#define XL_FOR_SLURM XL_FOR(24)     /* slurm status, cancel, collect */
#define XL_FOR_NIGHT XL_FOR(25)     /* night, night check, night resume */
#define XL_FOR_NIGHT_ASK XL_FOR(26) /* night status, stop, report */
#define XL_FOR_NIGHT_ADD XL_FOR(27)
#define XL_FOR_INDEX XL_FOR(28)     /* index update, ..., favorite add, ..., duel */
#define XL_FOR_PICTURES XL_FOR(29)  /* pictures list, count */
#define XL_FOR_FAVORITES XL_FOR(30) /* favorites */
#define XL_FOR_SERVE XL_FOR(31)
#define XL_FOR_MARKS XL_FOR(32) /* favorite list, beside what those of the index take */
#define XL_FOR_END XL_FOR(33)   /* the bit that no command has yet */
#define XL_FOR_ALL (XL_FOR_END - 1)
#define XL_FOR_API XL_FOR(63) /* no command: what requests from the network may set */
#define XL_FOR_MODELS                                                                              \
    (XL_FOR_CATALOGUE | XL_FOR_MODELS_VERIFY | XL_FOR_DOCTOR | XL_FOR_MODELS_ADD | XL_FOR_DOWNLOAD)
#define XL_FOR_NIGHTS (XL_FOR_NIGHT | XL_FOR_NIGHT_ASK | XL_FOR_NIGHT_ADD)

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
    xl_command_set commands;    /* that take it */
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
const struct xl_option *xl_option_nearest(const char *name, xl_command_set commands);
/* The i-th row of other programs' names, blanks between, for *option; NULL after the last. */
const char *xl_option_other_names(int i, const char **option);

/* The i-th name (0, 1, ...) of an option's environment variable into out; false after the last. */
enum { XL_ENVIRONMENT_NAME_MAX = 40 };
bool xl_option_environment(const struct xl_option *option, int i,
                           char out[XL_ENVIRONMENT_NAME_MAX]);

#endif
