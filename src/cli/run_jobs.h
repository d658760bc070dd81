/* run_jobs.h - jobs on idle GPUs: one command again and again, each time on a GPU that is ours
 * alone, several at a time where several GPUs are asked for. One thread.
 */
#ifndef XL_CLI_RUN_JOBS_H
#define XL_CLI_RUN_JOBS_H

#include "base/arena.h"
#include "lab/settings/settings.h"

#include <jansson.h>

struct xl_run_jobs {
    const struct xl_settings *settings;
    const char *const
        *words;         /* a command of sdxl-lab, NULL-terminated; none: from the environment */
    const char *output; /* folder of logs and pictures, from the root */
};

/* What came of it all. */
struct xl_run_result {
    int n_done, n_failed, n_stopped; /* jobs; stopped: begun, or given up, without an end */
    int first_code;                  /* exit code of the first that failed; 0: none did */
    char first[900];                 /* and its sentence */
    json_t *jobs;                    /* a list of all that have ended. Caller: json_decref */
};

/* Run them until they are through, none makes sense any more, or a signal asks for an end.
 * Errors: XL_EDEVICE no GPU in time; XL_EDISK, XL_ENOMEM; XL_ECANCELLED after a signal. The result
 * is filled in whatever is returned. */
enum xl_status xl_run_jobs(const struct xl_run_jobs *jobs, struct xl_run_result *out,
                           struct xl_err *err) XL_CHECKED;

#endif
