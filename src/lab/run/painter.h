/* painter.h - who draws: the engine in this process, a worker process at the end of a pipe, or a
 * test's fake that fails on demand. The runner knows a painter by these six functions alone.
 *
 * A painter draws one group at a time. All but save are called by one thread; save by
 * the writer's thread, while the next group is being drawn. A painter whose process ends unasked
 * (killed, crashed) answers XL_EWORKER: what it had in hand is lost, the next call finds it ready
 * again, with no model at hand. One that cannot go on in this run (its GPU is lost, or is left to
 * somebody else) says so with has_left when it fails; what it did not draw is another's then.
 */
#ifndef XL_LAB_PAINTER_H
#define XL_LAB_PAINTER_H

#include "lab/run/claims_files.h"
#include "lab/run/ladder.h"
#include "lab/run/sweep.h"

#include <jansson.h>

enum { XL_GROUP_MAX = 64, XL_PAINTER_LABEL = 96 };

/* Cells that are drawn together, and how. Borrowed for as long as the group is on its way. */
struct xl_group {
    const struct xl_sweep *sweep;
    const int *cells; /* [n] indices into the sweep; of one model */
    int n;
    struct xl_rung rung;
    char fallback[XL_LADDER_TEXT]; /* what was given up for memory; "": nothing */
    const char *dir, *stamp;       /* the folder of the pictures, and how their names begin */
    /* Where others draw, too: they may take over a cell, and a picture of it that is there by now
     * is kept. */
    struct xl_claimant claimant;
    bool has_previews; /* small pictures are wanted while it is drawn */
};

/* How the first picture of a group looks by now. */
struct xl_preview {
    const void *jpeg; /* [n] bytes, borrowed; an eighth of the picture's size */
    size_t n;
    int step; /* evaluations so far */
};

/* A group that was drawn, or failed, as a whole. */
struct xl_drawn {
    struct xl_group group;
    enum xl_status status;    /* XL_OK: all pictures were drawn */
    struct xl_err err;        /* the sentence of a failure */
    json_t *drawn_by;         /* who computed it: an object for the job log; NULL when it failed */
    json_t *scheduler_config; /* of its records; NULL when it failed */
    struct xl_result result;  /* its pictures only where the painter draws in this process */
    double total_s, tflop;
    struct xl_painter *painter;   /* who drew it */
    int who;                      /* its number among the painters of the run */
    char label[XL_PAINTER_LABEL]; /* its label then */
    unsigned life;                /* likewise */
    int n_lost;                   /* how often a painter was lost with these cells before */
    bool is_theirs;               /* nothing was drawn: another process has these cells */
    uint64_t ticket;              /* the painter's own number for the group */
};

void xl_drawn_free(struct xl_drawn *drawn);

struct xl_painter {
    /* Make model m of the sweep the one at hand, which may let go of the one before. The sweep says
     * what its weights were when the run was planned. *unit: sides are multiples of it
     * Errors: XL_EMODEL not there; XL_EINPUT its files are others; XL_EFORMAT, XL_ENOMEM */
    enum xl_status (*open)(struct xl_painter *painter, const struct xl_sweep *sweep, int m,
                           int *unit, struct xl_err *err);
    /* What will be drawn with the next model, once the one at hand is through; NULL: nothing. The
     * painter may use the time: have the files read, the model opened and brought to its device, as
     * far as the model at hand loses nothing. What goes wrong with that is told by open. What the
     * group points to must live until the call after the next. May be NULL */
    void (*expect)(struct xl_painter *painter, const struct xl_group *group);
    /* What drawing the group would take, and what there is. Errors: as draw */
    enum xl_status (*need)(struct xl_painter *painter, const struct xl_group *group,
                           struct xl_need *out, struct xl_err *err);
    /* Draw the group of drawn with the model at hand; fill in its result and ticket.
     * Errors: what xl_generate fails with; XL_EINPUT the init image */
    enum xl_status (*draw)(struct xl_painter *painter, struct xl_drawn *drawn, struct xl_err *err);
    /* Put picture i of a drawn group on disk, or wait until whoever drew it has. Pictures are asked
     * for in order. *path is malloc'd; NULL: nothing was put there, the cell is another process's
     * by now. Errors: XL_EDISK, XL_ENOMEM */
    enum xl_status (*save)(struct xl_painter *painter, struct xl_drawn *drawn, int i, char **path,
                           struct xl_err *err);
    /* Give everything back; the painter is freed. */
    void (*close)(struct xl_painter *painter);

    /* Set by the runner before the first call; called on the thread that draws, also to ask whether
     * to go on. */
    xl_progress_fn *progress;
    /* Likewise; some times a second for groups that have previews. NULL: nobody looks */
    void (*preview)(void *user, const struct xl_preview *preview);
    void *user;
    /* Likewise; NULL: nobody asks. On the thread that draws: its process has died since it was
     * asked last, whatever it had in hand. */
    void (*died)(void *user, const char *text);

    /* Filled in by open: how it computes, as drawn_by of its records has it. The painter's own;
     * NULL: not known. */
    json_t *drawn_by;

    /* Who it is, for the job log: a GPU's UUID, "CPU 2"; "": one of a run that has no other. */
    char label[XL_PAINTER_LABEL];
    unsigned life; /* which of its processes it is: the first, the second; 0: it is this one */

    bool has_left; /* set by the painter before it returns a failure: it is asked no more, until
                      the run's may_draw says that it may draw again */
};

#endif
