/* night.h - a night: jobs drawn one after the other on as many GPUs as are idle, until a limit is
 * reached or somebody stops it; what is killed goes on where it was, each job once.
 *
 * A night is a run directory that grows: jobs are planned some at a time, drawn by the runner
 * (lab/run/runner.h) with painters that last all night, and logged as those of every run.
 * night.json beside run.json knows how far it is. A process has one night at a time.
 */
#ifndef XL_JOBS_NIGHT_NIGHT_H
#define XL_JOBS_NIGHT_NIGHT_H

#include "jobs/night/config.h"
#include "jobs/night/state.h"
#include "lab/cell/cell.h"

/* How somebody follows a night. All may be NULL. */
struct xl_night_follow {
    /* Asked often, on any thread: whether it is to end with the pictures at hand. */
    bool (*is_interrupted)(void *user);
    /* Something happened, for people: it begins, pauses, goes on. On any thread. */
    void (*tell)(void *user, const char *sentence);
    /* A picture is there. On the writer's thread. */
    void (*saved)(void *user, const struct xl_cell *cell, const char *path);
    /* Now and then, with what is known then. On a thread of the night's own. */
    void (*now)(void *user, const struct xl_night_state *state);
    void *user;
};

struct xl_night_params {
    const struct xl_night_config *config;
    const struct xl_settings *settings; /* those of config, with what was said beside it */
    const char *dir;                    /* the night to go on with; NULL: a new one begins */
    struct xl_night_follow follow;
};

/* What favourites taught when a night began, in its folder (learned.json). *out: the caller's.
 * Errors: XL_EINPUT it is not there or cannot be read; XL_EDISK, XL_ENOMEM */
enum xl_status xl_night_learned_read(const char *dir, json_t **out, struct xl_err *err) XL_CHECKED;
enum xl_status xl_night_learned_write(const json_t *learned, const char *dir,
                                      struct xl_err *err) XL_CHECKED;

/* Work until the night ends. *dir: malloc'd, of the night, also after a failure where there is one;
 * phase: how it ended. Errors: those of planning, before anything is there; XL_EPARTIAL pictures
 * failed for good, or it gave up; XL_ECANCELLED interrupted; XL_EINPUT the configuration decides
 * other jobs than when the night began; XL_EDISK another process works on it */
enum xl_status xl_night_run(const struct xl_night_params *params, char **dir,
                            enum xl_night_phase *phase, struct xl_err *err) XL_CHECKED;

#endif
