/* wait.h - calls that wait for a job of the queue: other programs' APIs answer with the pictures.
 *
 * One thread follows the queue for all of them. What takes its time (reading pictures, writing them
 * anew) is done on threads of a pool.
 */
#ifndef XL_HTTP_API_WAIT_H
#define XL_HTTP_API_WAIT_H

#include "jobs/queue/queue.h"

struct xl_waits; /* opaque; any thread */

/* Errors: XL_ENOMEM, also for threads */
enum xl_status xl_waits_new(struct xl_queue *queue, struct xl_waits **out,
                            struct xl_err *err) XL_CHECKED;
/* Have all that wait end now, and take no more. Before the server stops. NULL is fine. */
void xl_waits_stop(struct xl_waits *waits);
/* After the server's end. NULL is fine. */
void xl_waits_free(struct xl_waits *waits);

/* What somebody who waits is asked and told. */
struct xl_wait {
    /* Some times a second, on the one thread of all: whether nobody wants the job any more. It is
     * cancelled then, and ends. */
    bool (*is_gone)(void *user);
    /* Something has happened to the job: "progress", "preview", "cell", with the data that queue.h
     * lists. On the thread of all, which must not wait for long. NULL: this is not asked for */
    void (*event)(void *user, const char *type, const json_t *data);
    /* Once, on a thread that has the time: the job has ended, as xl_queue_job has it; the reference
     * is handed over. NULL: the server is stopping, or nobody knows of the job any more */
    void (*end)(void *user, json_t *job);
    void *user;
};

/* Wait for a job, which may have ended already. Errors: XL_ECANCELLED the server is stopping;
 * XL_ENOMEM. `end` is not called then */
enum xl_status xl_waits_add(struct xl_waits *waits, const char *id, const struct xl_wait *wait,
                            struct xl_err *err) XL_CHECKED;

#endif
