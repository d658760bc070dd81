/* crew.h - who draws in a night: a worker process for each GPU that it may have, as many as are
 * idle, or on the CPU as many as were asked for. A place without a GPU gets one when one is idle,
 * and loses it to its owner, to a fault, or when the night rests.
 *
 * The painters stay the same all night; models stay loaded in their processes.
 */
#ifndef XL_JOBS_NIGHT_CREW_H
#define XL_JOBS_NIGHT_CREW_H

#include "jobs/night/config.h"
#include "lab/run/painter.h"

struct xl_crew; /* opaque */

struct xl_crew_params {
    const struct xl_night_config *config;
    const struct xl_settings *settings; /* of the workers; copied, its texts are borrowed */
    bool (*goes_on)(void *user);        /* asked while GPUs are looked at */
    void *user;
};

/* Places for painters; nothing is locked yet. Errors: XL_EDEVICE no driver or GPU where GPUs are
 * asked for; XL_EINVAL, XL_ENOMEM */
enum xl_status xl_crew_open(const struct xl_crew_params *params, struct xl_crew **out,
                            struct xl_err *err) XL_CHECKED;
void xl_crew_close(struct xl_crew *crew);

/* A descriptor that workers which start from now on keep open: the lock of the run. */
void xl_crew_keep_open(struct xl_crew *crew, int descriptor);

int xl_crew_count(const struct xl_crew *crew);
struct xl_painter *const *xl_crew_painters(const struct xl_crew *crew);
/* "8 GPUs", "2 workers on the CPU". Returns out. */
enum { XL_CREW_TEXT = 80 };
const char *xl_crew_text(const struct xl_crew *crew, char out[XL_CREW_TEXT]);

/* On the thread of painter i: whether it may draw: it has a GPU that is cool enough, and there is
 * power for it. rest: it ends its process, and gives its GPU back. */
bool xl_crew_may_draw(struct xl_crew *crew, int i);
void xl_crew_rest(struct xl_crew *crew, int i);
enum { XL_CREW_NAME = 96 };
/* What the GPU of painter i is called if its UUID is label; "": it is another by now, or none.
 * Returns out. */
const char *xl_crew_name_of(struct xl_crew *crew, int i, const char *label, char out[XL_CREW_NAME]);
/* A picture of it is on the disk. */
void xl_crew_count_picture(struct xl_crew *crew, const char *label);

/* On one thread of the night's own, now and then: lock idle GPUs for places that have none, which
 * takes a second or two; read all GPUs of ours, passed_s seconds after the last time. Errors:
 * XL_EDISK the folder of locks; XL_ECANCELLED; what else goes wrong is tried again the next time */
enum xl_status xl_crew_seek(struct xl_crew *crew, struct xl_err *err) XL_CHECKED;
void xl_crew_look(struct xl_crew *crew, double passed_s);
/* Add what the GPUs took since the last time to an object, joules by UUID. */
void xl_crew_take_energy(struct xl_crew *crew, json_t *energy);

/* Who draws now, for night.json: {"worker", "name", "state", "temperature", "power_w",
 * "pictures"}. NULL: out of memory */
json_t *xl_crew_describe(struct xl_crew *crew);

#endif
