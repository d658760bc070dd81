/* config.h - what a night is to be: a YAML or JSON file with the keys of night_keys.c, and beside
 * them any setting of a job file (docs/HEADLESS.md), which is the default of every job.
 */
#ifndef XL_JOBS_NIGHT_CONFIG_H
#define XL_JOBS_NIGHT_CONFIG_H

#include "base/yaml.h"
#include "jobs/night/hours.h"
#include "lab/settings/settings.h"

enum { XL_NIGHT_TEXTS_MAX = 64, XL_NIGHT_HOURS_MAX = 16 };

/* One text or several. */
struct xl_night_texts {
    const char *item[XL_NIGHT_TEXTS_MAX];
    struct xl_yaml_place place[XL_NIGHT_TEXTS_MAX];
    int n;
};

struct xl_night_config {
    const char *path;            /* as it was said, for sentences */
    const char *absolute;        /* the same from the root */
    struct xl_settings settings; /* defaults of every job, and where and with what to draw */
    /* What is drawn. */
    struct xl_night_texts prompts; /* themes or files of grammars, in turn; n 0: settings.prompt */
    struct xl_night_texts models, profiles, sizes; /* one of them each time; n 0: as settings say */
    const char *learn_from;                        /* NULL: nothing was learned */
    json_t *learned;    /* owned; what "favourites" taught, laid in by whoever knows them */
    const json_t *jobs; /* drawn first; NULL: none */
    /* Until when: 0 or NULL: not said. */
    int until_jobs;
    double time_limit_s;
    const char *until; /* a time, or XL_NIGHT_UNTIL_STOPPED */
    int64_t disk_budget;
    /* What it keeps to. */
    struct xl_night_texts quiet_texts;
    struct xl_hours quiet[XL_NIGHT_HOURS_MAX];
    int n_quiet;
    int max_temperature; /* degrees Celsius of a GPU; 0: none */
    double max_power_w;  /* of all GPUs of the night together; 0: none */
    int64_t min_free;
    /* What it does about failures. */
    int retries, breaker_failures, breaker_rounds;
    double breaker_pause_s;

    json_t *root;
    struct xl_yaml_places places;
    struct xl_arena arena;
};
#define XL_NIGHT_UNTIL_STOPPED "stopped"

/* Read a configuration and check it as far as that can be done without planning: every value, names
 * of profiles and sizes, contradictions. now: what "until" is seen from. On success the caller owns
 * *out (xl_night_config_deinit), which stays where it is. Errors: XL_EINPUT, each sentence with
 * "FILE:LINE:COLUMN" where there is one; XL_ENOMEM */
enum xl_status xl_night_config_load(const char *path, time_t now, struct xl_night_config *out,
                                    struct xl_err *err) XL_CHECKED;
void xl_night_config_deinit(struct xl_night_config *config);

/* "FILE:LINE:COLUMN: KEY: why" of a key's value. Returns XL_EINPUT. */
enum xl_status xl_night_config_fail(const struct xl_night_config *config, const char *key,
                                    const char *why, struct xl_err *err);
/* The same of value i of a key that has several. */
enum xl_status xl_night_config_fail_at(const struct xl_night_config *config, const char *key,
                                       struct xl_yaml_place place, const char *why,
                                       struct xl_err *err);

/* A digest of what decides the jobs: two configurations with one digest decide the same ones. The
 * texts of grammar files are in it. Errors: XL_EINPUT a grammar file; XL_ENOMEM */
enum { XL_NIGHT_DIGEST = 65 };
enum xl_status xl_night_config_digest(const struct xl_night_config *config,
                                      char out[XL_NIGHT_DIGEST], struct xl_err *err) XL_CHECKED;

/* --- night_keys.c: the table of keys ---------------------------------------------------------- */

enum xl_night_type {
    XL_NIGHT_INT,
    XL_NIGHT_REAL,
    XL_NIGHT_DURATION, /* seconds */
    XL_NIGHT_BYTES,
    XL_NIGHT_TEXT,
    XL_NIGHT_PATH,
    XL_NIGHT_SEVERAL, /* one text or a list of them */
    XL_NIGHT_JOBS     /* a list of maps of settings */
};

struct xl_night_key {
    const char *name, *argument; /* "until_jobs", "N" */
    enum xl_night_type type;
    size_t offset; /* in struct xl_night_config */
    double min, max;
    const char *fallback; /* what counts where it is not said; NULL: nothing */
    const char *group, *help;
    bool decides_jobs; /* another value makes other jobs */
};
/* The i-th; NULL after the last. */
const struct xl_night_key *xl_night_key_at(int i);
/* By name, '-' and '_' being the same; NULL: none */
const struct xl_night_key *xl_night_key_find(const char *name);

/* Set every key that the root has, and the defaults of the others. Errors: as
 * xl_night_config_load */
enum xl_status xl_night_keys_read(struct xl_night_config *config, struct xl_err *err) XL_CHECKED;

/* A size of files, "500MB", "20 GB", "1.5TB": powers of ten. Errors: XL_EINVAL */
enum xl_status xl_size_read(const char *text, int64_t *out, struct xl_err *err) XL_CHECKED;
/* "1.2 GB". Returns out. */
enum { XL_SIZE_TEXT = 32 };
const char *xl_size_text(int64_t bytes, char out[XL_SIZE_TEXT]);

#endif
