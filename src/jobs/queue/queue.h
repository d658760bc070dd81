/* queue.h - the queue of a server: jobs that people and programs ask for, drawn one after the other
 * or side by side by worker processes that stay warm. Knows nothing of HTTP, and touches no device.
 * docs/QUEUE.md tells its states, its journal, how it chooses, and what it does when things fail.
 *
 * A job is what `sdxl-lab generate` draws for the same settings: the same pictures, records, lines
 * of the job log and run directories. It is on the disk before it is accepted, and comes back after
 * whatever ends this process; what it drew by then is not drawn again.
 *
 * Any thread may call anything here. Threads of its own: one assigns devices to jobs, one looks for
 * GPUs and writes the journal anew, and one for each job at work, with those of its run. Its mutex
 * guards jobs, their order and the places; no other is taken and nothing is called with it held.
 * JSON is built under the caller's xl_json_watch; what is returned is the caller's (json_decref).
 */
#ifndef XL_JOBS_QUEUE_QUEUE_H
#define XL_JOBS_QUEUE_QUEUE_H

#include "base/arena.h"
#include "jobs/queue/events.h"
#include "jobs/queue/job.h"
#include "lab/settings/settings.h"

struct xl_queue; /* opaque */

struct xl_queue_params {
    /* What jobs do not say, and who draws: output_dir, instance, device, gpus, workers, threads,
     * memory. Copied; its texts are borrowed until the queue is closed. */
    const struct xl_settings *settings;
    const char *program; /* of the workers; NULL: this one */
    const char *uploads; /* the one folder that a job may name init images of by path, beside
                            output_dir; NULL: none. Borrowed */
    double idle_s;     /* a place that draws nothing for so long ends its worker, and gives its GPU
                          back; 0: XL_QUEUE_IDLE_S */
    double patience_s; /* for so long a job is passed over for the sake of a model that is at hand;
                          0: XL_QUEUE_PATIENCE_S */
    int most_waiting;  /* so many jobs may wait; 0: XL_QUEUE_MOST_WAITING */
};
enum {
    XL_QUEUE_IDLE_S = 300,
    XL_QUEUE_PATIENCE_S = 60,
    XL_QUEUE_MOST_WAITING = 20000,
    XL_QUEUE_MOST_ENDED = 1000, /* jobs that have ended and are still known */
    XL_QUEUE_EVENTS = 4096,     /* events that can be had again */
};

/* Bring the queue of an output directory back, and begin to draw. SIGPIPE must be ignored.
 * Errors: XL_EDISK another process has it, or the directory cannot be written to; XL_EDEVICE no GPU
 * where one is asked for; XL_EINVAL, XL_ENOMEM */
enum xl_status xl_queue_open(const struct xl_queue_params *params, struct xl_queue **out,
                             struct xl_err *err) XL_CHECKED;

/* Give up the steps at hand, keep what is drawn, end all workers. Jobs stay as they are on the
 * disk. Nobody subscribes any more. NULL is fine. */
void xl_queue_close(struct xl_queue *queue);

/* --- Asking ----------------------------------------------------------------------------------- */

struct xl_queue_ask {
    const json_t *settings; /* object: settings that the network may set (XL_FOR_API) */
    const char *client; /* whose turn it is, among clients; at most XL_QUEUE_CLIENT bytes count */
    const char *origin; /* "page", "api", ... */
    bool is_next;       /* before all that are not */
};
enum { XL_QUEUE_CLIENT = 64 };

/* What a job would come to. */
struct xl_queue_plan {
    int n_cells;
    double estimate_s; /* -1: nothing was drawn yet that tells */
    char *notices;     /* sentences, one a line, malloc'd; "": none */
};

/* Plan a job, which reads files, and queue it. *plan (may be NULL): the caller frees its notices.
 * Errors: those of planning (xl_sweep_plan), with the sentences of the option table: XL_EINVAL,
 * XL_EMODEL, XL_EFORMAT, XL_EINPUT; XL_EYIELD so many jobs wait already; XL_EDISK it cannot be
 * written to the journal. Nothing is queued then */
enum xl_status xl_queue_submit(struct xl_queue *queue, const struct xl_queue_ask *ask,
                               char id[XL_JOB_ID], struct xl_queue_plan *plan,
                               struct xl_err *err) XL_CHECKED;
/* The same without queueing it. */
enum xl_status xl_queue_check(struct xl_queue *queue, const json_t *settings,
                              struct xl_queue_plan *plan, struct xl_err *err) XL_CHECKED;

/* Read settings of a job as submitting does, and plan nothing: for whoever asks about a part of
 * them. Texts live in the arena. Errors: XL_EINVAL, with the sentences of the option table */
enum xl_status xl_queue_read_settings(const struct xl_queue *queue, const json_t *settings,
                                      struct xl_arena *arena, struct xl_settings *out,
                                      struct xl_err *err) XL_CHECKED;

/* Check what settings from the network name, without planning: a new object, the caller's, with
 * init images by their paths from the root. What is no setting for the network is left in it, for
 * whoever reads it to refuse. Errors: XL_EINVAL; XL_ENOMEM */
enum xl_status xl_queue_vet(const struct xl_queue *queue, const json_t *settings, json_t **out,
                            struct xl_err *err) XL_CHECKED;

/* --- Changing --------------------------------------------------------------------------------- */

enum xl_queue_answer {
    XL_QUEUE_OK,
    XL_QUEUE_UNKNOWN,  /* there is no such job */
    XL_QUEUE_CONFLICT, /* it is not in a state for that, or the order is another by now; err says */
};

/* Give a job up, within a step of what it draws; what is drawn stays. */
enum xl_queue_answer xl_queue_cancel(struct xl_queue *queue, const char *id, struct xl_err *err);
/* All that wait or run. Returns how many. */
int xl_queue_cancel_all(struct xl_queue *queue);
/* Queue a cancelled or failed job again, last; what it drew stays. */
enum xl_queue_answer xl_queue_restore(struct xl_queue *queue, const char *id, struct xl_err *err);

/* Move a job that waits or runs: to the top (it is next then), to the bottom, or before another.
 * revision: of the order that the caller has seen; -1: whatever it is. */
enum xl_queue_place { XL_QUEUE_TOP, XL_QUEUE_BOTTOM, XL_QUEUE_BEFORE };
struct xl_queue_move {
    const char *id, *before; /* before: of XL_QUEUE_BEFORE */
    enum xl_queue_place place;
    int64_t revision;
};
enum xl_queue_answer xl_queue_move(struct xl_queue *queue, const struct xl_queue_move *move,
                                   struct xl_err *err);

/* Begin nothing new, or go on. What is being drawn when it pauses is finished, picture by picture.
 */
void xl_queue_pause(struct xl_queue *queue, bool is_paused);

/* Places that draw nothing now end their workers and give their GPUs back, for somebody else who is
 * about to look for idle ones. */
void xl_queue_rest(struct xl_queue *queue);

/* --- Looking ---------------------------------------------------------------------------------- */

/* A job as xl_job_write has it, with "estimate_s" (left; null: not known) and, while it is drawn,
 * "progress": an array of what each place draws of it. NULL: none of this id, or out of memory */
json_t *xl_queue_job(struct xl_queue *queue, const char *id);

/* {"revision", "paused", "held" (a sentence: why nothing is begun; null), "jobs": those in the
 * order of the queue, then those that have ended, the last one first}, without their pictures.
 * state: only of this one; -1: all. NULL: out of memory */
json_t *xl_queue_list(struct xl_queue *queue, int state);

/* Places: [{"place", "label", "name", "state": "draws", "idle" or "no GPU", "job", "model",
 * "next": the job whose model is made ready meanwhile}]. */
json_t *xl_queue_places(struct xl_queue *queue);

/* The job log of this instance; the queue's. */
const char *xl_queue_log_path(const struct xl_queue *queue);

/* The path of a file that lies beside the journal, INSTANCE.ending, malloc'd: whoever has the queue
 * has it alone. NULL: out of memory */
char *xl_queue_file(const struct xl_queue *queue, const char *ending);

/* Figures, for metrics. */
struct xl_queue_counts {
    int n_waiting, n_running, n_places, n_at_work;
    int64_t n_done, n_failed, n_cancelled, n_pictures; /* since it was opened */
    double device_s;                                   /* that places were at work */
    bool is_paused;
};
void xl_queue_count(struct xl_queue *queue, struct xl_queue_counts *out);

/* What happens: events.h. Types and their data:
 *   "job"       a job, as above without its pictures, whenever something but its progress changes
 *   "progress"  {"job", "place", "phase", "step", "steps", "rate" (steps a second; null), "left_s"
 * (of this picture; null), "job_left_s"}, some times a second "cell"      {"job", "cell", "path",
 * "seconds"} or {"job", "cell", "status", "error"} "preview"   {"job", "place", "number", "step"}:
 * there is a newer one, see below "queue"     {"revision", "paused", "held", "n": that wait or run,
 * "order": ids of the first 50} "places"    xl_queue_places */
struct xl_event_ring *xl_queue_events(struct xl_queue *queue);

/* Small pictures of what is being drawn are made while somebody asks for them: for the next
 * XL_QUEUE_PREVIEW_S seconds, from the next picture that is begun. */
enum { XL_QUEUE_PREVIEW_S = 60 };
void xl_queue_want_previews(struct xl_queue *queue);
/* The newest of a job, which is wanted by that, too. *number: grows with each; the same as known:
 * nothing newer. *bytes: a JPEG, malloc'd; NULL: none yet, none newer, or no such job. */
void xl_queue_preview(struct xl_queue *queue, const char *id, int64_t known, int64_t *number,
                      void **bytes, size_t *n);

#endif
