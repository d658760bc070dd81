/* jobs.h - the jobs that a night's configuration decides, one after the other: those that it says
 * itself, then those that its grammars make. From one seed the same list everywhere, so where a
 * night stands in it is a number.
 *
 * Looking at them touches no device, and planning them only reads files: whoever draws them is
 * another's affair (night.h here; a batch system).
 */
#ifndef XL_JOBS_NIGHT_JOBS_H
#define XL_JOBS_NIGHT_JOBS_H

#include "jobs/night/config.h"
#include "lab/run/sweep.h"

/* One decided job. */
struct xl_night_job {
    int64_t number;        /* 0, 1, ... in the list */
    json_t *settings;      /* as xl_settings_read_object reads them, seed included */
    char *prompt_template; /* NULL: its prompt was asked for as it stands */
};
void xl_night_job_deinit(struct xl_night_job *job);

/* The seed of its list: that which the configuration says, or one by chance. */
uint64_t xl_night_seed(const struct xl_night_config *config);

struct xl_night_source; /* opaque; one thread at a time */

/* The list of a configuration, which lives longer, from its beginning. Where it learns from
 * favourites, config->learned is there.
 * Errors: XL_EINPUT a grammar that is wrong, or decides what is not allowed; XL_ENOMEM */
enum xl_status xl_night_source_open(const struct xl_night_config *config, uint64_t seed,
                                    struct xl_night_source **out, struct xl_err *err) XL_CHECKED;
void xl_night_source_close(struct xl_night_source *source);

/* The next job, the caller's (xl_night_job_deinit); *is_there false: there are no more.
 * Errors: those of xl_sequence_next; XL_ENOMEM */
enum xl_status xl_night_source_next(struct xl_night_source *source, struct xl_night_job *out,
                                    bool *is_there, struct xl_err *err) XL_CHECKED;
/* Leave out the next n. */
enum xl_status xl_night_source_skip(struct xl_night_source *source, int64_t n,
                                    struct xl_err *err) XL_CHECKED;

/* How many different prompts its grammars make, in words ("1,204 different prompts"), malloc'd;
 * "" where none makes any. NULL: out of memory */
char *xl_night_source_possible(struct xl_night_source *source);

/* Where favourites decide by lot (lots.h): of each setting, how often each of its values will come,
 * {"model": {"A": 0.62, ...}}; {} where nothing does. Caller: json_decref. NULL: out of memory */
json_t *xl_night_source_shares(struct xl_night_source *source);

/* Plan up to n jobs of the list: the cells of a new sweep (all zero), or more cells of one. kind of
 * the sweep: "night". A job that cannot be planned is told to refused and left out, or with NULL
 * ends it. Errors: as xl_sweep_plan_jobs */
struct xl_night_planned {
    int n_taken; /* of the list; fewer than n: there are no more */
    int n_added; /* cells */
};
typedef void xl_night_refused_fn(void *user, const char *name, const struct xl_err *why);
struct xl_night_plan {
    struct xl_night_source *source;
    const struct xl_settings *defaults; /* of the jobs */
    int n;
    xl_night_refused_fn *refused;
    void *user;
};
enum xl_status xl_night_plan(const struct xl_night_plan *plan, struct xl_sweep *sweep,
                             struct xl_night_planned *out, struct xl_err *err) XL_CHECKED;

/* The same of jobs that somebody has. names: what opens the sentence of each. */
enum xl_status xl_night_plan_jobs(const struct xl_night_plan *plan, const struct xl_night_job *jobs,
                                  int n, struct xl_sweep *sweep, int *n_added,
                                  struct xl_err *err) XL_CHECKED;

/* What the settings of a night's configuration give to its jobs: all but the seed, which is that of
 * the list. */
struct xl_settings xl_night_defaults(const struct xl_night_config *config);

#endif
