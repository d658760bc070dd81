/* run.h - a run of a sweep: where to, who draws, who follows, and what it all comes to. What it
 * draws is the sweep's affair (sweep.h), drawing it the runner's (runner.h).
 */
#ifndef XL_LAB_RUN_H
#define XL_LAB_RUN_H

#include "base/str.h"
#include "lab/log/job_log.h"
#include "lab/run/claims.h"
#include "lab/run/painter.h"
#include "lab/run/run_dir.h"

/* Pictures that begin together. */
struct xl_beginning {
    const struct xl_cell *first, *last;
    int n_together;
    int i, n; /* i of the n that are to be drawn were begun before */
};

/* A painter that was lost over pictures, or that left the run. */
struct xl_loss {
    int painter;           /* its number among the painters of the run */
    unsigned life;         /* of its processes: one that is lost over two groups is told twice */
    const char *label;     /* who it was; borrowed, as what follows */
    enum xl_status status; /* XL_EWORKER its process died, XL_EDEVICE its GPU is lost, XL_EYIELD
                              that is somebody else's now */
    const char *text;      /* the sentence */
    const int *cells;      /* [n] what it had in hand that is not on the disk: to be drawn again */
    int n;
};

/* How a caller follows a run. All may be NULL. */
struct xl_hooks {
    /* Of the group that began last; also asked now and then whether to go on. On the threads of the
     * painters. */
    xl_progress_fn *progress;
    /* A painter turns to model m, which is read as it is needed; pictures begin. On the threads of
     * the painters. */
    void (*model)(void *user, int m);
    void (*begin)(void *user, const struct xl_beginning *beginning);
    /* On the writer's thread: a picture is on disk. path, and the label of the painter, are
     * borrowed. */
    void (*saved)(void *user, const struct xl_cell *cell, const char *path, const char *label);
    /* Asked before each share whether the run ends with the pictures at hand, XL_EYIELD. On the
     * threads of the painters. */
    bool (*ends)(void *user);
    /* Asked before each share whether this painter may draw now, again and again while it may not;
     * NULL: always. Where it is there, a painter that has left may come back (xl_painter). On the
     * threads of the painters. */
    bool (*may_draw)(void *user, int painter);
    /* This painter has nothing to draw for now, or for good: what is left is in the hands of
     * others. It asks whether it may draw before it draws again. On the threads of the painters. */
    void (*rests)(void *user, int painter);
    /* On the writer's thread: a picture failed, for now or for good. */
    void (*failed)(void *user, const struct xl_cell *cell, enum xl_status status, const char *text);
    /* On the writer's thread, or on that of the painter. */
    void (*lost)(void *user, const struct xl_loss *loss);
    void *user;
};

/* A run of a sweep: where to, who draws, who follows. */
struct xl_run {
    const struct xl_settings *settings;
    const struct xl_sweep *sweep;
    struct xl_run_dir *dir;
    struct xl_claims *claims; /* of a run that others draw, too; NULL: nobody else does */
    struct xl_hooks hooks;
    struct xl_painter *const *painters; /* [n_painters], at least one; the caller closes them */
    int n_painters;
    bool has_no_sheets;     /* contact sheets are not this run's: more of it is drawn later */
    struct xl_job_log *log; /* where its jobs are logged, for several runs of one process; NULL: it
                               opens the log of its settings for itself */
    const char *job;        /* the job of a queue that it draws, for the log; NULL: none */
};

struct xl_run_counts {
    int n_done, n_there, n_failed, n_waiting; /* there: made by an earlier process */
    int n_elsewhere;                          /* another process of a shared run has them */
    double encode_s, sample_s, decode_s, total_s;
    int n_evaluations;
    struct xl_str warnings; /* sentences of the engine, one a line, each once */
    char *log_path;         /* malloc'd */
};
void xl_run_counts_deinit(struct xl_run_counts *counts);

#endif
