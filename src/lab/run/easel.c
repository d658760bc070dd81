/* easel.c - from a share of cells to groups that were drawn. */
#include "lab/run/easel.h"

#include "base/clock.h"
#include "base/log.h"
#include "lab/run/request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct xl_cell *cell_at(const struct xl_easel *easel, int index) {
    return &easel->run->sweep->cells[index];
}

/* --- Following -------------------------------------------------------------------------------- */

/* What a painter reports goes to the caller when it is this easel's turn to be shown. */
static bool on_progress(void *user, enum xl_phase phase, int64_t done, int64_t total) {
    const struct xl_easel *easel = user;
    const struct xl_hooks *hooks = &easel->run->hooks;
    if (!hooks->progress) return true;
    if (atomic_load(easel->shown) != easel->number) done = total = -1;
    return hooks->progress(hooks->user, phase, done, total);
}

static void tell_loss(const struct xl_easel *easel, const struct xl_share *share,
                      enum xl_status status, const char *text) {
    const struct xl_hooks *hooks = &easel->run->hooks;
    const struct xl_loss loss = {.painter = easel->number,
                                 .life = easel->painter->life,
                                 .label = easel->painter->label,
                                 .status = status,
                                 .text = text,
                                 .cells = share->cells,
                                 .n = share->n};
    if (hooks->lost) hooks->lost(hooks->user, &loss);
}

/* What it had in hand, if anything, is told when that comes back. */
static void on_died(void *user, const char *text) {
    tell_loss(user, &(struct xl_share){.n = 0}, XL_EWORKER, text);
}

static bool asked_to_stop(struct xl_easel *easel) {
    return !on_progress(easel, XL_PHASE_LOAD, -1, -1);
}

static void begin(struct xl_easel *easel, const struct xl_share *share) {
    const struct xl_hooks *hooks = &easel->run->hooks;
    const struct xl_beginning beginning = {.first = cell_at(easel, share->cells[0]),
                                           .last = cell_at(easel, share->cells[share->n - 1]),
                                           .n_together = share->n,
                                           .i = share->n_before,
                                           .n = xl_work_count(easel->work)};
    if (hooks->begin) hooks->begin(hooks->user, &beginning);
}

/* --- Models ----------------------------------------------------------------------------------- */

static void forget_model(struct xl_easel *easel) {
    easel->model = -1;
    easel->n_fittings = 0;
    easel->precedent.cell = NULL;
}

/* Tell the painter what comes after the model at hand. */
static void expect_next(struct xl_easel *easel) {
    struct xl_painter *painter = easel->painter;
    struct xl_share share;
    if (!painter->expect) return;
    bool is_there = xl_work_expect(easel->work, easel->number, &share);
    if (is_there) {
        const struct xl_cell *cell = cell_at(easel, share.cells[0]);
        easel->next =
            (struct xl_group){.sweep = easel->run->sweep,
                              .cells = share.cells,
                              .n = share.n,
                              .rung = {cell->vae_tile, share.n, cell->width, cell->height},
                              .dir = easel->run->dir->model_dirs[share.model],
                              .stamp = easel->run->dir->stamp,
                              .claimant = easel->claimant};
    }
    painter->expect(painter, is_there ? &easel->next : NULL);
}

static enum xl_status take_model(struct xl_easel *easel, int m, struct xl_err *err) {
    const struct xl_sweep *sweep = easel->run->sweep;
    if (easel->model == m) return XL_OK;
    forget_model(easel);
    const struct xl_hooks *hooks = &easel->run->hooks;
    if (hooks->model) hooks->model(hooks->user, m);
    enum xl_status status = easel->painter->open(easel->painter, sweep, m, &easel->unit, err);
    if (status) return status;
    easel->model = m;
    expect_next(easel);
    return XL_OK;
}

/* A run goes on where only what computes it is another than before, and says so once; not where
 * that was asked for. Errors: XL_EINVAL */
static enum xl_status check_drawn_by(struct xl_easel *easel, struct xl_err *err) {
    char *differs = xl_run_dir_differs(easel->run->dir, easel->painter->drawn_by);
    enum xl_status status = XL_OK;
    if (differs && easel->run->settings->strict)
        status = xl_fail(err, XL_EINVAL,
                         "--strict: pictures that are there were drawn in another way: %s; go on "
                         "without --strict, or start a new run",
                         differs);
    else if (differs && !atomic_exchange(easel->is_told, true))
        xl_warn("pictures that are there were drawn in another way: %s; the record of each says "
                "how",
                differs);
    free(differs);
    return status;
}

/* --- Memory ----------------------------------------------------------------------------------- */

/* Only what had to be given up: a group that was small to begin with says nothing. */
static void remember(struct xl_easel *easel, const struct xl_ladder *ladder) {
    if (!memcmp(&ladder->asked, &ladder->now, sizeof ladder->now)) return;
    struct xl_fitting *fitting = NULL;
    for (int i = 0; i < easel->n_fittings; i++)
        if (easel->fittings[i].width == ladder->asked.width &&
            easel->fittings[i].height == ladder->asked.height)
            fitting = &easel->fittings[i];
    if (!fitting && easel->n_fittings < XL_MAX_SIZES)
        fitting = &easel->fittings[easel->n_fittings++];
    if (fitting)
        *fitting = (struct xl_fitting){ladder->asked.width, ladder->asked.height, ladder->now};
}

/* Begin at the rung that fitted this size before: the rest of a sweep does not fail again. */
static void recall(const struct xl_easel *easel, struct xl_ladder *ladder) {
    for (int i = 0; i < easel->n_fittings; i++) {
        const struct xl_rung *rung = &easel->fittings[i].rung;
        if (easel->fittings[i].width != ladder->asked.width ||
            easel->fittings[i].height != ladder->asked.height)
            continue;
        while ((ladder->now.width > rung->width || ladder->now.height > rung->height ||
                ladder->now.group > rung->group || (rung->vae_tile && !ladder->now.vae_tile)) &&
               xl_ladder_lower(ladder)) {
        }
    }
}

/* Whether what the plan needs is there. The engine gives up one part of the model at a time by
 * itself before a rung with tiles fails. */
static bool fits(const struct xl_need *need, const struct xl_rung *rung, int64_t *short_by) {
    int64_t work = rung->vae_tile ? need->least_bytes : need->work_bytes;
    *short_by = need->weight_bytes + work - need->available_bytes;
    return *short_by <= 0;
}

/* With --verbose: what was tried, why it is not drawn like that, what is tried next. */
static void tell_attempt(const struct xl_rung *tried, const struct xl_rung *next, const char *why) {
    char text[2][XL_LADDER_TEXT];
    xl_rung_describe(tried, text[0]);
    xl_rung_describe(next, text[1]);
    xl_info("memory: %s: %s; next: %s", text[0], why, text[1]);
}

static bool is_like_before(const struct xl_easel *easel, const struct xl_cell *cell,
                           const struct xl_rung *rung, int n) {
    const struct xl_precedent *before = &easel->precedent;
    return before->cell && before->n == n && xl_cell_fits(before->cell, cell) &&
           !memcmp(&before->rung, rung, sizeof *rung);
}

static int smaller(int a, int b) {
    return a < b ? a : b;
}

/* The first of n cells as a group at the ladder's rung. */
static struct xl_group make_group(const struct xl_easel *easel, const int *cells, int n,
                                  const struct xl_ladder *ladder) {
    struct xl_group group = {.sweep = easel->run->sweep,
                             .cells = cells,
                             .n = smaller(ladder->now.group, n),
                             .rung = ladder->now,
                             .dir = easel->run->dir->model_dirs[easel->model],
                             .stamp = easel->run->dir->stamp,
                             .claimant = easel->claimant};
    xl_ladder_describe(ladder, group.fallback);
    return group;
}

/* Go down until the plan fits; the sentence of the last try stays in err. */
static enum xl_status plan_rung(struct xl_easel *easel, const int *cells, int n,
                                struct xl_ladder *ladder, double *flops, struct xl_err *err) {
    const struct xl_settings *settings = easel->run->settings;
    *flops = easel->precedent.flops;
    if (is_like_before(easel, cell_at(easel, cells[0]), &ladder->now,
                       smaller(ladder->now.group, n)))
        return XL_OK;
    for (;;) {
        struct xl_group group = make_group(easel, cells, n, ladder);
        struct xl_need need;
        int64_t short_by = 0;
        enum xl_status status = easel->painter->need(easel->painter, &group, &need, err);
        if (status) return status;
        *flops = xl_need_flops(&need, &ladder->now, group.n);
        if (fits(&need, &ladder->now, &short_by)) return XL_OK;
        const struct xl_rung tried = ladder->now;
        if (settings->oom == XL_OOM_FAIL || !xl_ladder_lower(ladder))
            return xl_fail(err, XL_ENOMEM,
                           "%d x %d needs %.3f GB more memory than there is%s; close "
                           "other programs or ask for a smaller picture",
                           ladder->now.width, ladder->now.height, (double)short_by / 1e9,
                           settings->oom == XL_OOM_FAIL ? "" : ", the least there is");
        char why[80];
        snprintf(why, sizeof why, "%.3f GB more than there is", (double)short_by / 1e9);
        tell_attempt(&tried, &ladder->now, why);
    }
}

/* --- Groups ----------------------------------------------------------------------------------- */

/* Hand a group over, with who drew it or failed at it. */
static void hand_over(const struct xl_easel *easel, struct xl_drawn *drawn) {
    memcpy(drawn->label, easel->painter->label, sizeof drawn->label);
    drawn->life = easel->painter->life;
    xl_writer_put(easel->writer, drawn);
}

/* What became, or is about to become, of cells of a share. NULL: out of memory */
static struct xl_drawn *new_drawn(const struct xl_easel *easel, const struct xl_share *share) {
    struct xl_drawn *drawn = calloc(1, sizeof *drawn);
    if (!drawn) return NULL;
    drawn->painter = easel->painter;
    drawn->who = easel->number;
    drawn->n_lost = share->n_lost;
    return drawn;
}

/* Draw as many of a share's cells, from first on, as the ladder's rung takes together, and hand
 * them over. *n_drawn: how many; 0 where memory ran out and the ladder has a lower rung. */
static enum xl_status draw_part(struct xl_easel *easel, const struct xl_share *share, int first,
                                struct xl_ladder *ladder, int *n_drawn, struct xl_err *err) {
    const int *cells = share->cells + first;
    double flops = 0;
    *n_drawn = 0;
    enum xl_status status = plan_rung(easel, cells, share->n - first, ladder, &flops, err);
    if (status) return status;
    struct xl_drawn *drawn = new_drawn(easel, share);
    if (!drawn) return xl_fail_nomem(err, "pictures", 0);
    drawn->group = make_group(easel, cells, share->n - first, ladder);
    status = easel->painter->draw(easel->painter, drawn, err);
    if (status) {
        xl_drawn_free(drawn);
        const struct xl_rung tried = ladder->now;
        bool is_lower = status == XL_ENOMEM && easel->run->settings->oom == XL_OOM_SHRINK &&
                        xl_ladder_lower(ladder);
        if (is_lower) tell_attempt(&tried, &ladder->now, err->text);
        return is_lower ? XL_OK : status; /* the next rung */
    }
    if (drawn->group.fallback[0]) xl_warn("memory is short: %s", drawn->group.fallback);
    drawn->tflop = flops / 1e12;
    *n_drawn = drawn->group.n;
    easel->precedent =
        (struct xl_precedent){cell_at(easel, share->cells[0]), ladder->now, drawn->group.n, flops};
    remember(easel, ladder);
    hand_over(easel, drawn);
    return XL_OK;
}

/* Draw a share, in parts where the ladder says so. *n_drawn: how much of it was handed over. */
static enum xl_status draw_share(struct xl_easel *easel, const struct xl_share *share, int *n_drawn,
                                 struct xl_err *err) {
    const struct xl_cell *cell = cell_at(easel, share->cells[0]);
    struct xl_ladder ladder;
    struct xl_rung asked = {cell->vae_tile, share->n, cell->width, cell->height};
    xl_ladder_init(&ladder, asked, easel->unit);
    recall(easel, &ladder);
    enum xl_status status = XL_OK;
    while (!status && *n_drawn < share->n) {
        int part = 0;
        status = draw_part(easel, share, *n_drawn, &ladder, &part, err);
        *n_drawn += part;
    }
    return status;
}

/* Hand over a failure as what became of a share. */
static void put_failure(struct xl_easel *easel, const struct xl_share *share, enum xl_status status,
                        const struct xl_err *why) {
    if (!share->n) return;
    struct xl_drawn *drawn = new_drawn(easel, share);
    if (!drawn) {
        xl_work_stop(easel->work, XL_ENOMEM, why->text);
        return;
    }
    drawn->group = (struct xl_group){.sweep = easel->run->sweep,
                                     .cells = share->cells,
                                     .n = share->n,
                                     .dir = easel->run->dir->model_dirs[share->model],
                                     .stamp = easel->run->dir->stamp,
                                     .claimant = easel->claimant};
    drawn->status = status;
    drawn->err = *why;
    hand_over(easel, drawn);
}

/* The painter is gone from this run, or for now; the share is somebody else's. */
static void leave(struct xl_easel *easel, const struct xl_share *share, enum xl_status status,
                  const struct xl_err *why) {
    const struct xl_leaving leaving = {.painter = easel->number,
                                       .may_return = easel->run->hooks.may_draw != NULL,
                                       .share = *share,
                                       .status = status,
                                       .text = why->text};
    struct xl_err failure = {0};
    if (easel->run->n_painters > 1 || leaving.may_return) xl_warn("%s", why->text);
    tell_loss(easel, share, status, why->text);
    forget_model(easel);
    if (xl_work_leave(easel->work, &leaving, &failure))
        xl_work_stop(easel->work, XL_ENOMEM, failure.text);
}

/* One share: drawn and handed over, or failed and handed over. */
static void paint(struct xl_easel *easel, struct xl_share share) {
    struct xl_err why = {0};
    int n_drawn = 0;
    atomic_store(easel->shown, easel->number);
    enum xl_status opened = take_model(easel, share.model, &why);
    if (!opened) begin(easel, &share);
    if (!opened && check_drawn_by(easel, &why)) {
        xl_work_stop(easel->work, XL_EINVAL, why.text);
        return;
    }
    enum xl_status status = opened ? opened : draw_share(easel, &share, &n_drawn, &why);
    if (status == XL_ECANCELLED) {
        xl_work_stop(easel->work, status, why.text);
        return;
    }
    if (!status) {
        xl_work_succeeded(easel->work);
        return;
    }
    share.cells += n_drawn;
    share.n -= n_drawn;
    if (easel->painter->has_left) {
        leave(easel, &share, status, &why);
        return;
    }
    if (status == XL_EDEVICE) { /* nothing after it can be drawn; a resumed run draws it */
        xl_work_stop(easel->work, status, why.text);
        return;
    }
    put_failure(easel, &share, status, &why);
    if (status == XL_EWORKER) { /* the writer sees what is to be drawn again */
        forget_model(easel);
        return;
    }
    if (opened && !easel->run->claims) { /* then all of its cells fail alike, in one go */
        struct xl_share rest = xl_work_take_model(easel->work, easel->number, share.model);
        put_failure(easel, &rest, status, &why);
    }
    if (easel->run->sweep->is_grid) xl_warn("%s", why.text);
    xl_work_failed(easel->work, status, why.text);
}

/* --- A run that others draw, too -------------------------------------------------------------- */

/* Who draws a cell. */
enum draws { DRAWS_US, DRAWS_THEM, DRAWS_NOBODY /* who did died: its picture may be there */ };

static enum xl_status claim(struct xl_easel *easel, const struct xl_share *share, int i,
                            enum draws *who, int *n_dead, struct xl_err *err) {
    enum xl_claim how;
    enum xl_status status =
        xl_claims_take(easel->run->claims, cell_at(easel, share->cells[i])->id, &how, n_dead, err);
    *who = how == XL_CLAIM_OURS ? DRAWS_US : DRAWS_THEM;
    if (*who == DRAWS_US && *n_dead && !share->n_lost) *who = DRAWS_NOBODY;
    return status;
}

static void put_theirs(struct xl_easel *easel, const struct xl_share *share) {
    struct xl_drawn *drawn = new_drawn(easel, share);
    if (!drawn) {
        xl_work_stop(easel->work, XL_ENOMEM, "out of memory for pictures");
        return;
    }
    drawn->group =
        (struct xl_group){.sweep = easel->run->sweep, .cells = share->cells, .n = share->n};
    drawn->is_theirs = true;
    xl_writer_put(easel->writer, drawn);
}

/* Whoever had these died: the writer looks whether the pictures are there, and brings them back or
 * says that they have been the end of too many. */
static void put_orphans(struct xl_easel *easel, const struct xl_share *share, int n_dead) {
    struct xl_share lost = *share;
    struct xl_err why = {0};
    lost.n_lost = n_dead - 1;
    xl_fail(&why, XL_EWORKER, "another process of this run died");
    put_failure(easel, &lost, XL_EWORKER, &why);
}

/* A part of a share with one fate. */
static void paint_part(struct xl_easel *easel, const struct xl_share *part, enum draws who,
                       int n_dead) {
    struct xl_err why = {0};
    if (who == DRAWS_THEM)
        put_theirs(easel, part);
    else if (who == DRAWS_NOBODY)
        put_orphans(easel, part, n_dead);
    else if (!easel->painter->has_left)
        paint(easel, *part);
    else if (xl_work_return(easel->work, easel->number, part,
                            &why)) /* our painter left meanwhile */
        xl_work_stop(easel->work, XL_ENOMEM, why.text);
}

static void paint_shared(struct xl_easel *easel, const struct xl_share *share) {
    enum draws who[XL_GROUP_MAX];
    int n_dead[XL_GROUP_MAX];
    for (int i = 0; i < share->n; i++) {
        struct xl_err why = {0};
        enum xl_status status = claim(easel, share, i, &who[i], &n_dead[i], &why);
        if (!status) continue;
        xl_work_stop(easel->work, status, why.text);
        return;
    }
    for (int first = 0, n; first < share->n && !xl_work_is_stopped(easel->work); first += n) {
        for (n = 1; first + n < share->n && who[first + n] == who[first] &&
                    n_dead[first + n] == n_dead[first];)
            n++;
        struct xl_share part = *share;
        part.cells += first;
        part.n = n;
        part.n_before += first;
        paint_part(easel, &part, who[first], n_dead[first]);
    }
}

/* --- A painter at work ------------------------------------------------------------------------ */

/* Ask the caller what it wants of this painter. Returns whether it may draw now. */
static bool may_draw(struct xl_easel *easel) {
    const struct xl_hooks *hooks = &easel->run->hooks;
    if (asked_to_stop(easel)) xl_work_stop(easel->work, XL_ECANCELLED, "interrupted");
    if (hooks->ends && hooks->ends(hooks->user))
        xl_work_stop(easel->work, XL_EYIELD, "stopped after the pictures at hand, as asked");
    if (!hooks->may_draw) return true;
    if (!hooks->may_draw(hooks->user, easel->number)) return false;
    if (easel->painter->has_left) forget_model(easel);
    easel->painter->has_left = false;
    return true;
}

/* Whether there is nothing to take for now. The painter may be somebody else's meanwhile. */
static bool rests(struct xl_easel *easel) {
    const struct xl_hooks *hooks = &easel->run->hooks;
    if (!hooks->rests || xl_work_offers(easel->work)) return false;
    hooks->rests(hooks->user, easel->number);
    return true;
}

void *xl_easel_run(void *user) {
    struct xl_easel *easel = user;
    struct xl_share share;
    if (easel->run->claims) easel->claimant = xl_claims_claimant(easel->run->claims);
    easel->painter->progress = on_progress;
    easel->painter->died = on_died;
    easel->painter->user = easel;
    for (;;) {
        if (rests(easel) || !may_draw(easel)) {
            if (!xl_work_pause(easel->work)) break;
            continue;
        }
        if (!xl_work_take(easel->work, easel->number, &share)) break;
        /* What lost a painter before is drawn alone, so that it is known what loses the next. */
        if (share.n_lost) xl_work_wait(easel->work, easel->number, share.n);
        if (easel->run->claims)
            paint_shared(easel, &share);
        else
            paint(easel, share);
        if (easel->painter->has_left && !easel->run->hooks.may_draw) break;
        if (share.n_lost) xl_work_wait(easel->work, easel->number, 0);
    }
    if (easel->painter->expect) easel->painter->expect(easel->painter, NULL);
    if (easel->run->hooks.rests) easel->run->hooks.rests(easel->run->hooks.user, easel->number);
    return NULL;
}
