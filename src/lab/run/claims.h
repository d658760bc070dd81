/* claims.h - several processes that draw one run directory, on one machine or on many: which of
 * them draws which cell.
 *
 * RUN/.claims holds a file for each process, worker-NAME: who it is, and a number that it counts up
 * every few seconds. A process whose number stands still for six of its own intervals is dead, by
 * the watch of whoever looks (clocks of machines differ, and are set back); one of this container
 * that has ended is known at once. Another file, CELL.N, says which process has a cell, and behind
 * it "done" or "failed" what became of it. It is made by whoever comes first (O_EXCL) and written
 * by nobody else. When its process ends without a word about the cell, CELL.N+1 is the next to be
 * made: the last counts, and no file is ever removed while somebody works, so no two can both think
 * that they took a cell over. Needs no locks of the file system.
 *
 * Functions may be called on any thread; a thread of its own counts.
 */
#ifndef XL_LAB_CLAIMS_H
#define XL_LAB_CLAIMS_H

#include "base/arena.h"
#include "lab/run/claims_files.h"

struct xl_claims; /* opaque */

/* Join the processes that draw a run. instance: as of the job log; beat_s: seconds between two
 * signs of life. Errors: XL_EDISK, XL_ENOMEM */
enum xl_status xl_claims_open(const char *run_dir, const char *instance, double beat_s,
                              struct xl_claims **out, struct xl_err *err) XL_CHECKED;

/* Leave: what we took and did not settle is anybody's. NULL is fine. */
void xl_claims_close(struct xl_claims *claims);

enum xl_claim {
    XL_CLAIM_OURS,
    XL_CLAIM_FREE,   /* of xl_claims_look_at alone: nobody's, or of a process that has ended */
    XL_CLAIM_THEIRS, /* of a process at work */
    XL_CLAIM_DONE,
    XL_CLAIM_FAILED, /* for what the cell asks for */
};

/* Take a cell (by its id). *n_dead: processes that had it and died: its picture may be there.
 * Where the run was collected while this process stood still, all of it is done. Errors: XL_EDISK,
 * XL_ENOMEM */
enum xl_status xl_claims_take(struct xl_claims *claims, const char *id, enum xl_claim *how,
                              int *n_dead, struct xl_err *err) XL_CHECKED;

/* The same without taking it. is_alive: the process that has it was heard of since we joined, or
 * since xl_claims_listen. */
enum xl_claim xl_claims_look_at(struct xl_claims *claims, const char *id, bool *is_alive);
void xl_claims_listen(struct xl_claims *claims);

/* As whom we take cells; its texts are ours. */
struct xl_claimant xl_claims_claimant(const struct xl_claims *claims);

/* Whether a cell that we took is still ours: we may have been taken for dead. */
bool xl_claims_is_ours(struct xl_claims *claims, const char *id);

/* What became of a cell of ours; sentence NULL: done. Errors: XL_EDISK */
enum xl_status xl_claims_settle(struct xl_claims *claims, const char *id, const char *sentence,
                                struct xl_err *err) XL_CHECKED;

/* --- For who does not draw
 * ------------------------------------------------------------------------
 */

struct xl_claims_worker {
    const char *instance;
    struct xl_process_id process;
    bool has_left, is_dead;
    double silent_s; /* by the clock of the storage */
    int n_done, n_failed, n_in_hand;
};

struct xl_claims_seen {
    struct xl_claims_worker *workers; /* [n], in the order of their names */
    int n, n_at_work;
    int n_done, n_failed, n_in_hand;
};

/* Everything that is there to be seen; nothing where nobody ever joined. Errors: XL_EDISK,
 * XL_ENOMEM
 */
enum xl_status xl_claims_see(const char *run_dir, struct xl_arena *arena,
                             struct xl_claims_seen *out, struct xl_err *err) XL_CHECKED;

/* Whether a cell failed, by whichever process. */
bool xl_claims_has_failed(const char *run_dir, const char *id, char sentence[XL_CLAIM_SENTENCE]);

/* Take a cell whose picture is there from whoever has it, living or not, as done: for who collects,
 * before it logs the picture. Nothing where the cell is settled, or nobody's. Errors: XL_EDISK */
enum xl_status xl_claims_seize(const char *run_dir, const char *id, struct xl_err *err) XL_CHECKED;

/* Forget everything: for who has the run directory for itself. */
void xl_claims_clear(const char *run_dir);

#endif
