/* a1111.h - samplers and schedules by the names that AUTOMATIC1111's web UI has for them, for
 * programs that speak its API. The samplers themselves, and the spellings that are taken for each,
 * are rows of sampler.c.
 */
#ifndef XL_SAMPLER_A1111_H
#define XL_SAMPLER_A1111_H

#include "sampler/sampler.h"

enum { XL_A1111_ALIASES = 3 };

struct xl_a1111_sampler {
    const char *name;                      /* "DPM++ 2M" */
    const char *aliases[XL_A1111_ALIASES]; /* "k_dpmpp_2m"; NULL behind the last */
    enum xl_sigma_spacing automatic;       /* what it draws with where no schedule is said */
    double eta; /* how much of each step is fresh noise; NAN: it has none to begin with */
};
/* The i-th that can be drawn with here; false: there is none. */
bool xl_a1111_sampler_at(int i, struct xl_a1111_sampler *out);

struct xl_a1111_schedule {
    const char *name, *label; /* "karras", "Karras" */
    double rho;               /* of Karras's sigmas; 0: it has none */
};
/* The i-th, "automatic" first; NULL after the last. */
const struct xl_a1111_schedule *xl_a1111_schedule_at(int i);

/* The one that stands for a spacing; NULL: none, and the plain one, which needs none. */
const struct xl_a1111_schedule *xl_a1111_schedule_of(enum xl_sigma_spacing spacing);

/* What a sampler and a schedule (by name or label; NULL or "": automatic) are called here
 * ("dpmpp-2m-karras", as xl_scheduler_list has it), and the sampler. A schedule at the end of the
 * sampler's name ("DPM++ 2M Karras") comes before the other one. The model's own steps stand for
 * "uniform" and "normal". Errors: XL_EINVAL no such sampler; no such schedule (is_schedule), or
 * none with it */
struct xl_a1111_choice {
    struct xl_a1111_sampler sampler;
    const char *name; /* here */
    bool is_schedule; /* what is wrong is the schedule */
};
enum xl_status xl_a1111_choose(const char *sampler, const char *schedule,
                               struct xl_a1111_choice *out, struct xl_err *err) XL_CHECKED;

#endif
