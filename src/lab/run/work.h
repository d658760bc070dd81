/* work.h - what a run still has to draw, handed out to any number of painters: who may take what,
 * what came back, what failed, and when to stop.
 *
 * A share is cells that can be drawn together. A painter gets shares of the model that it has at
 * hand for as long as there are any, then of a model that nobody has, so that each model is loaded
 * by as few as possible. What is taken is settled (drawn, or failed for good) or comes back. Any
 * thread may call; a painter is known by its number.
 */
#ifndef XL_LAB_WORK_H
#define XL_LAB_WORK_H

#include "lab/run/run_dir.h"

struct xl_work; /* opaque */

struct xl_share {
    const int *cells; /* [n] indices into the sweep; there as long as the work */
    int n, model;
    int n_lost;   /* how often a painter was lost with them */
    int n_before; /* cells that were handed out before */
};

/* The cells of run that wait, in the order of the sweep. most: cells in a share; 0: those of one
 * job. Errors: XL_ENOMEM */
enum xl_status xl_work_new(const struct xl_sweep *sweep, const struct xl_run_dir *run, int most,
                           int n_painters, struct xl_work **out, struct xl_err *err) XL_CHECKED;
void xl_work_free(struct xl_work *work);
/* How many of cells[0..n_cells) of a sweep, from the first on, would be one share. most: as above
 */
int xl_share_size(const struct xl_sweep *sweep, const int *cells, int n_cells, int most);
int xl_work_count(const struct xl_work *work);

/* The next share for a painter. Waits where others may bring something back. false: there is
 * nothing left, or the run stops. */
bool xl_work_take(struct xl_work *work, int painter, struct xl_share *out);

/* The rest of a model that cannot be used, all at once: [n] more cells; n 0 for none. */
struct xl_share xl_work_take_model(struct xl_work *work, int painter, int model);

/* Wait until all but n of the cells that this painter took are settled or came back, or the run
 * stops. */
void xl_work_wait(struct xl_work *work, int painter, int n);

/* Whether a painter that took something now would get it without waiting. */
bool xl_work_offers(struct xl_work *work);

/* Wait a moment, for a painter that may not draw. Returns whether there may be something for it
 * later: false when all is drawn or the run stops. */
bool xl_work_pause(struct xl_work *work);

/* n cells of a share that this painter took are settled. Returns true when they were the last of
 * their model. */
bool xl_work_settle(struct xl_work *work, int painter, int model, int n);

/* Bring cells[0..n) of a share back: they are lost once more. Errors: XL_ENOMEM */
enum xl_status xl_work_return(struct xl_work *work, int painter, const struct xl_share *share,
                              struct xl_err *err) XL_CHECKED;

/* A painter leaves the run: what it did not draw of the share that it took comes back, and is not
 * to blame. The last one that leaves for good stops the run, for its reason. Errors: XL_ENOMEM */
struct xl_leaving {
    int painter;
    bool may_return;
    struct xl_share share;
    enum xl_status status;
    const char *text;
};
enum xl_status xl_work_leave(struct xl_work *work, const struct xl_leaving *leaving,
                             struct xl_err *err) XL_CHECKED;

/* A group was drawn; a group failed. Ten equal failures in a row stop the run. */
void xl_work_succeeded(struct xl_work *work);
void xl_work_failed(struct xl_work *work, enum xl_status status, const char *text);

/* Hand out nothing more. The first reason counts. */
void xl_work_stop(struct xl_work *work, enum xl_status status, const char *text);
bool xl_work_is_stopped(struct xl_work *work);
/* XL_OK, or why the run stopped. */
enum xl_status xl_work_status(struct xl_work *work, struct xl_err *err);

/* What a painter will draw when the model that it has at hand is through, of a model that nobody
 * has at hand or expects; it goes to this painter as long as nobody else is out of work. Nothing is
 * taken. false: there is no such model */
bool xl_work_expect(struct xl_work *work, int painter, struct xl_share *out);

#endif
