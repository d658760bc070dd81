/* run_dir.h - where the pictures of a request go, and what is already there.
 *
 * A sweep gets a directory of its own under the output directory, with a folder for each model when
 * there are several, and run.json: the request, the models and every cell. A single request writes
 * into the output directory itself and has no run.json. One process at a time works on a run
 * directory: it holds the lock of .lock in it, which ends with the process. Or several share it
 * (claims.h): then nobody takes the lock, and nothing is written but pictures and logs, until it is
 * collected by whoever has the lock.
 */
#ifndef XL_LAB_RUN_DIR_H
#define XL_LAB_RUN_DIR_H

#include "base/lock.h"
#include "lab/run/sweep.h"

enum xl_cell_state {
    XL_CELL_WAITING,
    XL_CELL_DONE,
    XL_CELL_FAILED,
    XL_CELL_ELSEWHERE, /* another process has it, or had it (claims.h) */
};
/* "waiting", "done", "failed", "elsewhere" */
const char *xl_cell_state_name(enum xl_cell_state state);

/* What became of a cell. */
struct xl_outcome {
    enum xl_cell_state state;
    bool was_there; /* made by an earlier process */
    char *path;     /* malloc'd; NULL unless done */
    char *error;    /* malloc'd sentence; NULL unless failed */
    enum xl_status status;
    int width, height;                   /* as drawn */
    json_t *scheduler_config, *drawn_by; /* of its record; NULL unless done */
    double seconds;
};

struct xl_run_dir {
    char *dir;               /* of the run; the output directory when it has none of its own */
    char *output_dir;        /* the job log is there */
    char stamp[16];          /* in the names of directory and pictures */
    bool is_own;             /* a directory of its own, with run.json */
    bool is_looked_at;       /* for a dry run: nothing in it is changed, and nobody is kept out */
    bool is_shared;          /* likewise, but pictures are added */
    struct xl_lock *lock;    /* NULL: none */
    const char **model_dirs; /* by model, in the sweep's arena */
    struct xl_outcome *outcomes; /* by cell */
    int n_outcomes;
    json_t *drawn_by; /* the different drawn_by of the pictures that were there; NULL: none */
};

/* Create what the sweep needs: directories and, for a sweep of several pictures, run.json.
 * Errors: XL_EDISK */
enum xl_status xl_run_dir_create(const struct xl_settings *settings, struct xl_sweep *sweep,
                                 struct xl_run_dir *out, struct xl_err *err) XL_CHECKED;

/* The same in two steps, for who notes where a run will be before anything is in it: a name that is
 * nobody else's, then what belongs there. Errors: XL_EDISK; after the second the caller closes it
 */
enum xl_status xl_run_dir_reserve(const struct xl_settings *settings, struct xl_sweep *sweep,
                                  struct xl_run_dir *out, struct xl_err *err) XL_CHECKED;
enum xl_status xl_run_dir_fill(struct xl_run_dir *run, const struct xl_settings *settings,
                               const struct xl_sweep *sweep, struct xl_err *err) XL_CHECKED;

/* Remove the directory that a process reserved that died before run.json was in it. */
void xl_run_dir_abandon(const char *dir);

/* Open a run directory: settings (that were not given now), sweep and outcomes as run.json and the
 * pictures there say. Axes that are given now extend the run (xl_sweep_extend): run.json is
 * replaced before anything is drawn. With dry_run nothing is changed, with share neither, after
 * xl_claims_open. With collects, cells that a process of a shared run failed at have failed; else
 * what such processes left is forgotten. A picture counts when it
 * decodes to its end and its record names a cell; one that is damaged is set aside as NAME.damaged.
 * Temporary files of a process that died are removed. Errors: XL_EINPUT no run.json or a damaged
 * one; XL_EDISK another process works on it, or several share it; those of xl_sweep_extend */
enum xl_status xl_run_dir_open(const char *dir, struct xl_settings *settings,
                               struct xl_sweep *sweep, struct xl_run_dir *out,
                               struct xl_err *err) XL_CHECKED;

/* The sweep has more cells than before: folders, outcomes and run.json (before anything of them is
 * drawn) follow. Errors: XL_EDISK, XL_ENOMEM */
enum xl_status xl_run_dir_extend(struct xl_run_dir *run, const struct xl_settings *settings,
                                 struct xl_sweep *sweep, struct xl_err *err) XL_CHECKED;

void xl_run_dir_close(struct xl_run_dir *run);

/* Whether what is left of the run can be drawn by going on with it: a cell that failed for what it
 * asks for fails again. */
bool xl_run_dir_can_go_on(const struct xl_run_dir *run);

/* Write run.json (whole or not at all). Errors: XL_EDISK */
enum xl_status xl_run_dir_write(const struct xl_run_dir *run, const struct xl_settings *settings,
                                const struct xl_sweep *sweep, struct xl_err *err) XL_CHECKED;

/* run_scan.c: fill in the outcomes of pictures that are there. Errors: XL_EDISK, XL_ENOMEM */
enum xl_status xl_run_dir_scan(struct xl_run_dir *run, const struct xl_sweep *sweep,
                               struct xl_err *err) XL_CHECKED;

/* run_scan.c: what differs between how pictures that are there were computed and how it is done now
 * ("isa AVX2, was AVX-512 with BF16"), malloc'd; NULL for nothing. now: as drawn_by of records; may
 * be NULL. */
char *xl_run_dir_differs(const struct xl_run_dir *run, const json_t *now);

/* run_scan.c: look for the picture of a cell in dir, among those whose names begin with stamp. out:
 * state XL_CELL_DONE with path and size, or XL_CELL_WAITING where it is not there.
 * Errors: XL_EDISK, XL_ENOMEM */
enum xl_status xl_run_dir_find(const char *dir, const char *stamp, const struct xl_cell *cell,
                               struct xl_outcome *out, struct xl_err *err) XL_CHECKED;

/* run_scan.c: remove temporary files that painters left when they died. For a run directory's own
 * process, when nobody draws any more. */
void xl_run_dir_tidy(const struct xl_run_dir *run, const struct xl_sweep *sweep);

#endif
