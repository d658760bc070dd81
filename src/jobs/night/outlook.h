/* outlook.h - what a night would be: when it ends, how many prompts there are, its first jobs. Jobs
 * are planned, so that a model that is not there is told now; nothing is made, and nothing kept.
 */
#ifndef XL_JOBS_NIGHT_OUTLOOK_H
#define XL_JOBS_NIGHT_OUTLOOK_H

#include "jobs/night/config.h"
#include "jobs/night/jobs.h"

enum { XL_NIGHT_FIRST_JOBS = 3 };

struct xl_night_outlook {
    char *end;      /* "500 jobs, 8 h, 20 GB of pictures, whatever comes first" */
    json_t *shares; /* xl_night_source_shares */
    char *possible; /* "1,204 different prompts"; "" where no grammar makes any */
    struct xl_night_job jobs[XL_NIGHT_FIRST_JOBS]; /* of a seed that nobody chose others come */
    int n;
};

/* On success the caller: xl_night_outlook_deinit. Errors: those of planning (xl_night_plan_jobs),
 * XL_EINPUT a grammar that is wrong; XL_ENOMEM */
enum xl_status xl_night_outlook_read(const struct xl_night_config *config,
                                     struct xl_night_outlook *out, struct xl_err *err) XL_CHECKED;
void xl_night_outlook_deinit(struct xl_night_outlook *outlook);

/* {"config", "until", "prompts", "lots", "settings", "first_jobs"}. NULL: out of memory */
json_t *xl_night_outlook_describe(const struct xl_night_config *config,
                                  const struct xl_night_outlook *outlook);

#endif
