/* worker.h - what `sdxl-lab worker` does: it takes requests from one descriptor and answers on
 * another, draws with the engine of its process, and puts the pictures on disk itself, while it
 * draws the next ones. docs/WORKERS.md describes the messages.
 *
 * It ends when nobody speaks to it any more, and gives up what it is drawing then.
 */
#ifndef XL_JOBS_WORKER_H
#define XL_JOBS_WORKER_H

#include "lab/settings/settings.h"

struct xl_worker {
    const struct xl_settings *settings; /* device, threads, memory */
    int input, output;
    bool (*goes_on)(void *user); /* asked many times while it draws */
    void *user;
};

/* Work until input is closed. Errors: XL_ECANCELLED goes_on said no; XL_EINPUT, XL_EFORMAT what it
 * was told is no request; XL_ENOMEM */
enum xl_status xl_worker_run(const struct xl_worker *worker, struct xl_err *err) XL_CHECKED;

#endif
