/* lots.h - what nobody decided of a job: which of the models, profiles and sizes that a night's
 * configuration allows, and the seed. From one seed the same everywhere.
 *
 * All are as likely, unless favourites taught something ("lots" of prompts/learned.h): then each
 * job asks how much everything may be loved, drawn from what is known of it, and takes the best
 * (Thompson 1933). What is loved comes more often, what nobody tried yet now and then.
 */
#ifndef XL_JOBS_NIGHT_LOTS_H
#define XL_JOBS_NIGHT_LOTS_H

#include "jobs/night/config.h"
#include "prompts/learned.h"

enum { XL_NIGHT_LOTS = 3 };

/* A setting that is drawn by lot, and the key that says what is allowed of it. */
struct xl_night_lot {
    const char *option, *key; /* "model", "models" */
    size_t offset;            /* of the allowed texts in the configuration */
};
extern const struct xl_night_lot xl_night_lots[XL_NIGHT_LOTS];

/* What is allowed; n 0: all. */
const struct xl_night_texts *xl_night_allowed(const struct xl_night_config *config, int lot);

struct xl_night_urn; /* opaque; one thread at a time */

/* config lives longer; learned may be NULL. Errors: XL_EINPUT lots that are wrong; XL_ENOMEM */
enum xl_status xl_night_urn_new(const struct xl_night_config *config, uint64_t seed,
                                const struct xl_learned *learned, struct xl_night_urn **out,
                                struct xl_err *err) XL_CHECKED;
void xl_night_urn_free(struct xl_night_urn *urn); /* NULL is fine */

/* Put what is missing into the settings of job `number`. *ok false: out of memory */
void xl_night_urn_draw(struct xl_night_urn *urn, int64_t number, json_t *job, bool *ok);

/* How often each of the allowed texts of a lot comes, of many jobs that say nothing: share [texts].
 * False: all are as likely. */
bool xl_night_urn_shares(struct xl_night_urn *urn, int lot, double *share);

#endif
