/* night_run.h - what the files of a running night share: night_run.c begins and ends it,
 * night_plan.c gives it jobs, night_watch.c looks at clock, disk and GPUs, night_hooks.c follows
 * its pictures.
 */
#ifndef XL_JOBS_NIGHT_NIGHT_RUN_H
#define XL_JOBS_NIGHT_NIGHT_RUN_H

#include "jobs/night/crew.h"
#include "jobs/night/guard.h"
#include "jobs/night/jobs.h"
#include "jobs/night/night.h"
#include "lab/run/run.h"

#include <sdxl/gpu.h>

#include <pthread.h>
#include <stdatomic.h>

struct xl_night {
    const struct xl_night_params *params;
    const struct xl_night_config *config;
    struct xl_settings defaults; /* of its jobs, and of its run */
    struct xl_night_source *source;
    struct xl_sweep sweep; /* between rounds the main thread's, in a round read alone */
    struct xl_run_dir dir; /* likewise; its outcomes are the writer's */
    struct xl_crew *crew;
    bool has_dir;

    atomic_int verdict;         /* enum xl_night_verdict of the watch */
    atomic_bool ends;           /* nothing new is begun any more */
    atomic_bool gives_up_now;   /* nor is anything finished */
    atomic_bool is_added;       /* jobs are waiting: the round ends, and they come next */
    atomic_bool is_over;        /* the watch may end */
    atomic_bool is_interrupted; /* the end was asked for by a signal */

    pthread_mutex_t mutex; /* for what follows */
    struct xl_night_state state;
    enum xl_night_phase end; /* how it will have ended, when ends is set */
    int n_in_a_row;          /* failures without a picture between them */
    int n_pauses;            /* likewise */
    double pause_until_s;    /* of xl_now_s; 0: no pause */
    char last_failure[300];
    struct {
        unsigned life;
        json_t *entry;
    } losses[XL_GPUS_MAX]; /* by painter: of the process that was lost last, while it is told */
    double counted_s;      /* of xl_now_s: elapsed_s is right for this moment */
    pthread_t watch;
    bool has_watch;
};

/* The end of a night, for the first reason that there is. */
void xl_night_end(struct xl_night *night, enum xl_night_phase phase, const char *why);
/* An event, for people and for night.json. */
void xl_night_tell(struct xl_night *night, const char *sentence);
/* Write night.json; on a disk that refuses, the next time. */
void xl_night_write(struct xl_night *night);

/* night_plan.c: jobs of the list, or those that were added, as cells of the run directory.
 * *n: cells that are new. Errors: as xl_night_plan, XL_EDISK */
enum xl_status xl_night_plan_more(struct xl_night *night, int *n, struct xl_err *err) XL_CHECKED;
enum xl_status xl_night_plan_added(struct xl_night *night, struct xl_err *err) XL_CHECKED;
/* Failed pictures that are to be tried again wait again; those that were given up in an earlier
 * process have failed. Returns how many pictures wait. */
int xl_night_settle(struct xl_night *night);

/* night_hooks.c: how the runner is followed, with the night as its user. */
struct xl_hooks xl_night_hooks(struct xl_night *night);
/* End the night where that is asked for. */
void xl_night_heed_interrupt(struct xl_night *night);
/* Something failed that is no picture's fault: it counts for the breaker. */
void xl_night_note_failure(struct xl_night *night, const char *why);

/* night_watch.c: begin and end the thread. Errors: XL_ENOMEM */
enum xl_status xl_night_watch(struct xl_night *night, struct xl_err *err) XL_CHECKED;
void xl_night_unwatch(struct xl_night *night);
/* Bytes that are free where the pictures go; -1: not known. */
int64_t xl_night_free_bytes(const char *dir);

#endif
