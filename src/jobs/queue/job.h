/* job.h - a job of the queue: what was asked for, and what became of it. Data; whoever has it sees
 * to its thread.
 */
#ifndef XL_JOBS_QUEUE_JOB_H
#define XL_JOBS_QUEUE_JOB_H

#include "base/sha256.h"
#include "base/status.h"

#include <jansson.h>

enum xl_job_state {
    XL_JOB_QUEUED,
    XL_JOB_RUNNING,
    XL_JOB_DONE,
    XL_JOB_FAILED, /* it, or some of its pictures */
    XL_JOB_CANCELLED,
};
/* "queued", "running", "done", "failed", "cancelled" */
const char *xl_job_state_name(enum xl_job_state state);
/* -1: no such state */
int xl_job_state_find(const char *name);

/* A number of the time in ten digits and two, of 0-9 and a-z without i, l, o and u: later jobs have
 * greater ones, as texts too. */
enum { XL_JOB_ID = 13 };
/* The id after `last`, a number that grows with the clock and never shrinks. */
void xl_job_id_make(uint64_t *last, char out[XL_JOB_ID]);
/* The number of an id; 0: it is none. */
uint64_t xl_job_id_number(const char *id);

/* The status that xl_status_name calls so. false: none */
bool xl_job_status_find(const char *name, enum xl_status *out);

enum { XL_JOB_PICTURES = 256 /* that are listed of a job that has ended */ };

struct xl_job {
    char id[XL_JOB_ID];
    enum xl_job_state state;
    char *client, *origin; /* who asked, and by which interface */
    json_t *ask;           /* settings, with what was decided when it was submitted */
    bool is_next;
    int n_cells, n_done, n_failed;
    double cost;                          /* of all its pictures, as pace.h counts */
    double created_s, started_s, ended_s; /* of the wall clock, since 1970; 0: not yet */
    enum xl_status status;                /* of a failure */
    char *error;                          /* its sentence, or why it is not begun; NULL: none */
    char *run_dir;                        /* absolute; NULL: not begun */
    char *stamp;                          /* of the names of its pictures; NULL: not begun */
    bool is_own;                          /* run_dir is its own */
    json_t *models;                       /* array of names */
    char digest[XL_SHA256_HEX];           /* of the first; "": not known */
    json_t *pictures;                     /* array of [cell, path, seconds], at first the first */
    int64_t revision;                     /* number of its last change in the journal */

    struct xl_job *before, *after; /* in the order of the queue, or of ending */
    struct xl_job_run *drawing;    /* while it has a thread; NULL: none */
    double passed_since_s;         /* of xl_now_s; 0: it was not passed over (choose.h) */
};

/* An empty one. NULL: out of memory */
struct xl_job *xl_job_new(void);
void xl_job_free(struct xl_job *job);

/* As an object for the journal and for who asks; to be built within xl_json_watch. brief: without
 * its pictures. NULL: out of memory */
json_t *xl_job_write(const struct xl_job *job, bool is_brief);
/* Errors: XL_EINPUT a member is missing or of another kind; XL_ENOMEM */
enum xl_status xl_job_read(const json_t *object, struct xl_job **out,
                           struct xl_err *err) XL_CHECKED;

/* Change a text, a copy of it. false: out of memory, and it is as it was */
bool xl_job_set_text(char **at, const char *text);
/* A picture is there. Out of memory: it is not listed. */
void xl_job_add_picture(struct xl_job *job, const char *cell, const char *path, double seconds);
/* It has ended: of many pictures the first ones stay. */
void xl_job_shrink(struct xl_job *job);

#endif
