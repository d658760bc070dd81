/* claims_files.h - the files of claims.h, read and written; for claims.c, claims_beat.c and
 * claims_see.c.
 *
 *   worker-NAME   host HOST boot ID namespace N process PID start TICKS
 *                 instance NAME
 *                 every SECONDS
 *                 state working | left
 *                 beat NUMBER
 *   CELL.N        worker NAME
 *                 done | failed SENTENCE      (once it is known)
 */
#ifndef XL_LAB_CLAIMS_FILES_H
#define XL_LAB_CLAIMS_FILES_H

#include "base/process_id.h"
#include "lab/log/instance.h"

#define XL_CLAIMS_DIR ".claims"
#define XL_WORKER_PREFIX "worker-"

enum { XL_CLAIM_SENTENCE = 1024, XL_WORKER_NAME = 96 };

struct xl_worker_file {
    struct xl_process_id process;
    char instance[XL_INSTANCE_MAX + 1];
    double every_s;
    bool has_left;
    unsigned long long beat;
};

enum { XL_WORKER_TEXT = 640 };
/* Texts of one file have one length: it is written over. */
void xl_worker_file_write(const struct xl_worker_file *file, char out[XL_WORKER_TEXT]);
/* text is "" where there is no file. False: not, or not yet, a whole one */
bool xl_worker_file_read(const char *path, char text[XL_WORKER_TEXT], struct xl_worker_file *out);

enum xl_claim_mark { XL_MARK_NONE, XL_MARK_DONE, XL_MARK_FAILED };
struct xl_claim_file {
    char worker[XL_WORKER_NAME]; /* "": it is just being written, or who did so died */
    enum xl_claim_mark mark;
    char sentence[XL_CLAIM_SENTENCE];
};
/* False: not there. */
bool xl_claim_file_read(const char *path, struct xl_claim_file *out);

/* As whom a process took cells, and where that is written: all that a worker process of its needs.
 */
struct xl_claimant {
    const char *dir;  /* of the claims */
    const char *name; /* of the worker file, without the prefix; NULL: nobody else draws there */
};
/* Whether the last word about a cell is this process's, and none of it being done or failed. */
bool xl_claimant_has(const struct xl_claimant *claimant, const char *id);

/* --- claims_beat.c: who lives
 * --------------------------------------------------------------------- */

struct xl_beat; /* opaque: our own sign of life, and what is known of others' */

/* dir: of the claims. Errors: XL_EDISK, XL_ENOMEM */
enum xl_status xl_beat_start(const char *dir, const char *instance, double every_s,
                             struct xl_beat **out, struct xl_err *err) XL_CHECKED;
/* Say that we have left. NULL is fine. */
void xl_beat_end(struct xl_beat *beat);
/* Of our file, without the prefix. */
const char *xl_beat_name(const struct xl_beat *beat);

/* Whether our file was removed: who did so has the run for itself, or has collected all of it,
 * while this process stood still. Not where all of the run is gone. */
bool xl_beat_is_forgotten(const struct xl_beat *beat);

enum xl_life { XL_LIFE_UNHEARD, XL_LIFE_HEARD, XL_LIFE_LEFT, XL_LIFE_DEAD };
/* How it is with the process of this name. Unheard: not since we began to listen. One thread at a
 * time. */
enum xl_life xl_beat_look(struct xl_beat *beat, const char *name);
void xl_beat_listen(struct xl_beat *beat);

#endif
