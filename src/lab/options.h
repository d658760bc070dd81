/* options.h - the option table: every setting of a picture declared once.
 * Command-line flags, --help and (as they arrive) environment names, job files, API fields, the man
 * page and shell completion are read off this table; no second list exists.
 */
#ifndef XL_LAB_OPTIONS_H
#define XL_LAB_OPTIONS_H

#include "base/status.h"

/* The settings of one request. Strings are borrowed from whoever set them (argv, a parsed file). */
struct xl_settings {
    const char *model, *revision;
    const char *prompt, *negative; /* negative NULL: omitted */
    int width, height;             /* 0: the model's own size */
    int steps;
    double guidance, guidance_rescale;
    bool has_seed; /* false: a random seed is drawn once */
    uint64_t seed;
    int batch;
    const char *scheduler;
    int rng; /* enum xl_rng */
    const char *init_image;
    double strength;
    int vae_tile;
    int device;    /* enum xl_device_choice */
    int precision; /* enum xl_precision */
    int threads;
    const char *output_dir;
    bool json, quiet, verbose;
    int count; /* inspect noise: how many numbers */

    const char *const *arguments; /* words that are no options, where a command takes them */
    int n_arguments;
};

enum xl_device_choice { XL_DEVICE_AUTO, XL_DEVICE_CPU, XL_DEVICE_REFERENCE };

enum xl_option_type {
    XL_OPTION_STRING,
    XL_OPTION_INT,
    XL_OPTION_REAL,
    XL_OPTION_SEED,   /* 0 .. 2^64-1, or -1 for random */
    XL_OPTION_CHOICE, /* index into choices */
    XL_OPTION_SWITCH, /* no value */
};

/* Which commands take an option (bits). */
enum {
    XL_FOR_GENERATE = 1,
    XL_FOR_MODEL = 2,    /* inspect model */
    XL_FOR_TOKENS = 4,   /* inspect tokens */
    XL_FOR_SCHEDULE = 8, /* inspect schedule */
    XL_FOR_NOISE = 16,   /* inspect noise */
    XL_FOR_ALL = 31,
};

struct xl_option {
    const char *name;     /* "output-dir": --output-dir; in JSON and YAML output_dir */
    const char *argument; /* "DIR", NULL for a switch */
    enum xl_option_type type;
    size_t offset;              /* in struct xl_settings */
    double min, max;            /* INT, REAL */
    const char *const *choices; /* CHOICE: NULL-terminated */
    unsigned commands;
    const char *group, *help;
    const char *fallback; /* the default as text, "" when there is none worth showing */
};

/* The i-th option, NULL after the last. */
const struct xl_option *xl_option_at(int i);
const struct xl_option *xl_option_find(const char *name);
/* The option whose name is nearest to a mistyped one, or NULL when none is near. */
const struct xl_option *xl_option_nearest(const char *name, unsigned commands);

void xl_settings_default(struct xl_settings *settings);

/* Set one option from text (NULL for a switch). origin: "--steps" or "STEPS", opens the sentence.
 * Errors: XL_EINVAL not a value of this option */
enum xl_status xl_settings_set(struct xl_settings *settings, const struct xl_option *option,
                               const char *origin, const char *text, struct xl_err *err);

#endif
