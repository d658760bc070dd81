/* parts.h - what the files of the queue share: open.c opens and closes it, ask.c plans what is
 * asked for and submit.c queues it, order.c changes what waits, history.c writes the journal and
 * reads it back, dispatch.c gives places to jobs, slots.c has places get and lose their devices,
 * drawing.c draws a job, proxy.c is a painter without a place, next.c tells places what they draw
 * next, tell.c says what there is.
 */
#ifndef XL_JOBS_QUEUE_PARTS_H
#define XL_JOBS_QUEUE_PARTS_H

#include "base/arena.h"
#include "jobs/queue/journal.h"
#include "jobs/queue/pace.h"
#include "jobs/queue/queue.h"
#include "jobs/workers.h"
#include "lab/run/run.h"

#include <pthread.h>
#include <stdatomic.h>

/* A place where one picture at a time is drawn: a worker's painter. It is given to a job, and then
 * taken up by one of the job's proxies; the painter is called by the thread of that proxy alone. */
struct xl_slot {
    struct xl_painter *painter;
    bool has_device;            /* the CPU, or a GPU that is locked */
    bool is_resting;            /* its worker is being ended, or its GPU looked for */
    struct xl_job *job;         /* NULL: free */
    struct xl_proxy *proxy;     /* NULL: not taken up yet */
    char digest[XL_SHA256_HEX]; /* of the model at hand; "": none, or not known */
    char *model_id;             /* likewise, where it came from */
    int unit;                   /* of that model */
    int n_at_hand;              /* cells that are being drawn */
    struct {
        char job[XL_JOB_ID]; /* whose model the worker was told to expect, or has; "": none */
        int64_t change;      /* of the queue, when that was looked for last */
        double at_s;         /* likewise, of xl_now_s */
    } next;
    double since_s, used_s; /* of xl_now_s: given or counted last; drew last */
    int n_hitches;          /* workers that it lost in a row */
    double held_until_s;    /* after several of them, of xl_now_s; 0: it is not held */
    char held[200];         /* why */
    struct {
        enum xl_phase phase;
        int64_t done, total; /* total 0: nothing is drawn */
        double begun_s;      /* the phase was first heard of, of xl_now_s */
        int64_t begun_done;  /* and was that far */
        double told_s;
    } progress;
    /* Of the GPU that it has, or had last; "": none yet. */
    char name[96], uuid[XL_PAINTER_LABEL]; /* name of the CPU: "CPU" */
};

/* The list of jobs, first to last. */
struct xl_jobs {
    struct xl_job *first, *last;
    int n;
};

/* What a client had of devices, as of `at_s`. */
struct xl_client {
    char name[XL_QUEUE_CLIENT + 1];
    double served_s, at_s;
};
enum { XL_QUEUE_CLIENTS = 256 };

/* The newest small picture of a job that is drawn. */
struct xl_preview_kept {
    char job[XL_JOB_ID];
    int64_t number;
    void *bytes;
    size_t n;
};
enum { XL_QUEUE_PREVIEWS = 16 };

struct xl_queue {
    struct xl_settings settings; /* with output_dir from the root */
    char *output_dir;
    const char *uploads;
    double idle_s, patience_s;
    double
        rest_s; /* a place that drew last before this, of xl_now_s, has been idle for long enough */
    int most_waiting;
    struct xl_workers workers;
    struct xl_journal *journal;
    struct xl_event_ring *events;
    struct xl_job_log *log;
    pthread_t dispatcher, watch;
    bool has_dispatcher, has_watch;
    atomic_bool is_closing;

    pthread_mutex_t mutex; /* for what follows */
    pthread_cond_t changed;
    struct xl_jobs order;  /* those that wait or run */
    struct xl_jobs coming; /* those whose line is being written; nobody else knows them yet */
    struct xl_jobs ended;  /* the last one last */
    int64_t change;        /* number of the last change, for the journal */
    int64_t revision;      /* of the order, as people change it */
    uint64_t last_id;
    bool is_paused, is_reading; /* reading: the journal is read back */
    struct xl_slot slots[XL_PLACES_MAX];
    int n_slots;
    struct xl_client clients[XL_QUEUE_CLIENTS];
    int n_clients;
    struct xl_pace pace;
    double pace_saved_s;           /* of xl_now_s */
    struct xl_queue_counts counts; /* what only grows */
    int n_hitches;                 /* jobs in a row that a full disk stopped */
    double held_until_s;           /* of xl_now_s: nothing is begun before; 0: it is */
    char held[300];                /* why */
    double previews_until_s;
    int64_t n_previews;
    struct xl_preview_kept previews[XL_QUEUE_PREVIEWS];
};

/* A painter of a job, which draws with whatever place the job is given (proxy.c). */
struct xl_proxy {
    struct xl_painter painter; /* first: one is the other */
    struct xl_job_run *drawing;
    int number;
    struct xl_slot *slot; /* NULL: none */
    bool wants;           /* it has something to draw, and no place */
};

/* A job at work: its thread, and what belongs to that. */
struct xl_job_run {
    struct xl_queue *queue;
    struct xl_job *job;
    pthread_t thread;
    atomic_bool is_given_up; /* the job was cancelled, or the queue closes */
    bool has_begun;          /* of the mutex, as the next two; else it only waits for a place */
    bool has_ended;
    struct xl_proxy *proxies; /* [n_proxies], once it has begun */
    int n_proxies;
    struct xl_group first; /* what it draws first, once it is planned; n 0: not known. Whoever reads
                              it without the mutex is counted: */
    int n_readers;
};

/* --- ask.c ------------------------------------------------------------------------------------ */

/* What a job asks for, planned. */
struct xl_asked {
    struct xl_arena arena;
    json_t *ask; /* as it was asked, with init images as paths */
    struct xl_settings settings;
    struct xl_sweep sweep;
};
/* ask: an object of settings. is_settled: it is one that xl_asked_settle gave, so what it names was
 * allowed. Errors: as xl_queue_submit */
enum xl_status xl_asked_plan(const struct xl_queue *queue, const json_t *ask, bool is_settled,
                             struct xl_asked *out, struct xl_err *err) XL_CHECKED;
void xl_asked_deinit(struct xl_asked *asked);
/* The ask with all that planning decided: seeds, the model. NULL: out of memory */
json_t *xl_asked_settle(const struct xl_asked *asked);
/* The model that is drawn first: a digest, or "". */
const char *xl_asked_digest(const struct xl_asked *asked);

/* --- history.c (without the mutex, unless said) ----------------------------------------------- */

/* A line about a job, to be added to and handed to xl_history_put. With the mutex held: it gives
 * the change its number. job NULL: of the queue. NULL: out of memory */
json_t *xl_history_line(struct xl_queue *queue, struct xl_job *job, const char *what);
/* Write a line. must_be: what it says has not happened where this fails, so what is missing in the
 * journal is written first. Else it is written later. Errors: XL_EDISK, XL_ENOMEM */
enum xl_status xl_history_put(struct xl_queue *queue, json_t *line, bool is_synced, bool must_be,
                              struct xl_err *err) XL_CHECKED;
void xl_history_note(struct xl_queue *queue, json_t *line, bool is_synced);
/* Write the journal anew from what there is. Errors: XL_EDISK, XL_ENOMEM */
enum xl_status xl_history_renew(struct xl_queue *queue, struct xl_err *err) XL_CHECKED;
/* Bring jobs, their order and whether it pauses back; before any thread is there.
 * Errors: XL_EINPUT, XL_EDISK, XL_ENOMEM */
enum xl_status xl_history_read(struct xl_queue *queue, struct xl_err *err) XL_CHECKED;

/* --- pace_file.c (without the mutex) ---------------------------------------------------------- */

/* What was learnt of this output directory's devices before; nothing where there is no such file,
 * or it is of others. */
void xl_pace_file_read(struct xl_queue *queue);
/* Keep what is known now; not more often than now and then, unless it must be. That it could not be
 * written is no failure: it is learnt again. */
void xl_pace_file_save(struct xl_queue *queue, bool must_be);

/* --- estimate.c (with the mutex held) --------------------------------------------------------- */

/* Seconds of a sweep that is not begun, at all places that there are; -1: not known. */
double xl_estimate_sweep(const struct xl_queue *queue, const struct xl_sweep *sweep);
/* Seconds that are left of a job, at the places that draw it, or else at all; -1: not known. */
double xl_estimate_left(const struct xl_queue *queue, const struct xl_job *job);

/* --- order.c (with the mutex held) ------------------------------------------------------------ */

struct xl_job *xl_order_find(const struct xl_queue *queue, const char *id);
/* Among those that wait or run: before another (NULL: last). One that is next stays with those. */
void xl_order_insert(struct xl_queue *queue, struct xl_job *job, struct xl_job *before);
void xl_order_remove(struct xl_queue *queue, struct xl_job *job);
/* One that is coming; and it has come, or is taken back. */
void xl_order_expect(struct xl_queue *queue, struct xl_job *job);
void xl_order_settle(struct xl_queue *queue, struct xl_job *job, bool has_come);
/* The first that is not to be next, before which those that are end; NULL: all are. */
struct xl_job *xl_order_first_plain(const struct xl_queue *queue);
/* Move it to those that have ended; those that ended longest ago are forgotten. */
void xl_order_end(struct xl_queue *queue, struct xl_job *job);

/* --- dispatch.c ------------------------------------------------------------------------------- */

void *xl_dispatch_run(void *queue); /* the dispatcher's thread */
/* The job that a place should draw for now, as if it were free; NULL: none. With the mutex held. */
struct xl_job *xl_dispatch_choose(struct xl_queue *queue, struct xl_slot *slot);
/* The job that it would be given if what it draws were through now; NULL: none. Likewise. */
struct xl_job *xl_dispatch_foresee(struct xl_queue *queue, const struct xl_slot *slot);
/* Count the time that a place was at work for its job until now. With the mutex held. */
void xl_dispatch_charge(struct xl_queue *queue, struct xl_slot *slot);
/* Take a place from its job. With the mutex held. */
void xl_dispatch_free(struct xl_queue *queue, struct xl_slot *slot);
/* Begin nothing for a while: each time in a row for twice as long. With the mutex held. */
void xl_dispatch_hold(struct xl_queue *queue, const char *why);
/* The same of a place that lost its worker, from the second time on. */
void xl_dispatch_hold_place(struct xl_slot *slot, const char *why);
bool xl_dispatch_is_held(const struct xl_slot *slot);

/* --- slots.c ---------------------------------------------------------------------------------- */

enum xl_status xl_slots_open(struct xl_queue *queue, const struct xl_queue_params *params,
                             struct xl_err *err) XL_CHECKED;
void *xl_slots_run(void *queue); /* the watch's thread */
void xl_slots_close(struct xl_queue *queue);
/* The kind of device that drew what has a painter's label, as the pace knows it; "": not known any
 * more. With the mutex held. */
const char *xl_slots_device(const struct xl_queue *queue, const char *label);

/* --- drawing.c, proxy.c ----------------------------------------------------------------------- */

/* Begin the thread of a job that is to be drawn soon. With the mutex held. false: the system has no
 * thread; err says */
bool xl_job_run_start(struct xl_queue *queue, struct xl_job *job, struct xl_err *err);
/* Give up what a job draws, if it does. With the mutex held. */
void xl_job_run_give_up(struct xl_job *job);
/* Wait for the end of one that has ended. Without the mutex. */
void xl_job_run_join(struct xl_job_run *drawing);

void xl_proxy_init(struct xl_proxy *proxy, struct xl_job_run *drawing, int number);
void xl_proxy_deinit(struct xl_proxy *proxy);
/* On its thread: wait a moment for a place, or ask whether it keeps the one that it has. */
bool xl_proxy_may_draw(struct xl_proxy *proxy);
/* On its thread, or when that has ended: it needs none for now. */
void xl_proxy_rest(struct xl_proxy *proxy);

/* --- next.c ----------------------------------------------------------------------------------- */

/* A job is planned: what it draws first may be got ready elsewhere. */
void xl_next_offer(struct xl_job_run *drawing, const struct xl_asked *asked);
/* That is over, or goes away: waits until nobody reads it. */
void xl_next_withdraw(struct xl_job_run *drawing);
/* On the thread that draws at a place, between two steps: have its worker make the model ready that
 * comes after this one, if that is another job's. */
void xl_next_tell(struct xl_queue *queue, struct xl_slot *slot);

/* --- tell.c ----------------------------------------------------------------------------------- */

/* With the mutex held; NULL: out of memory. */
json_t *xl_tell_job(struct xl_queue *queue, const struct xl_job *job, bool is_brief);
json_t *xl_tell_queue(struct xl_queue *queue);
json_t *xl_tell_places(struct xl_queue *queue);
json_t *xl_tell_progress(struct xl_queue *queue, const struct xl_slot *slot);
/* A picture of a job is so far; whether anybody wants to know. Without the mutex. */
void xl_tell_preview(struct xl_queue *queue, const struct xl_slot *slot, const char *job,
                     const struct xl_preview *preview);
bool xl_tell_wants_previews(struct xl_queue *queue);
/* The wall clock, seconds since 1970. */
double xl_tell_now(void);

#endif
