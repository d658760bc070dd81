/* runner.h - drawing the cells of a sweep that are not there yet: models one after the other, the
 * next one read ahead, groups of pictures down the out-of-memory ladder, each group handed to the
 * writer's thread.
 *
 * One failing cell does not stop the rest; ten equal failures in a row do.
 */
#ifndef XL_LAB_RUNNER_H
#define XL_LAB_RUNNER_H

#include "lab/run/writer.h"

struct xl_run_counts {
    int n_done, n_there, n_failed, n_waiting; /* there: made by an earlier process */
    double encode_s, sample_s, decode_s, total_s;
    int n_evaluations;
    struct xl_str warnings; /* sentences of the engine, one a line, each once */
    char *log_path;         /* malloc'd */
};
void xl_run_counts_deinit(struct xl_run_counts *counts);

/* Draw what is waiting in run->outcomes, log it, keep the run's page and contact sheets. *counts is
 * filled in on failure as well (xl_run_counts_deinit).
 * Errors: XL_ECANCELLED, XL_EDISK, XL_ENOMEM for its own memory; XL_EPARTIAL some cells failed;
 * what failed, where it was the only picture asked for */
enum xl_status xl_run_draw(const struct xl_settings *settings, struct xl_sweep *sweep,
                           struct xl_run_dir *run, struct xl_run_counts *counts,
                           struct xl_err *err) XL_CHECKED;

/* The request of cells list[0..n) at a rung; pictures: [n], filled in. Strings are borrowed. */
struct xl_rung;
struct xl_request xl_cells_request(const struct xl_sweep *sweep, const int *list, int n,
                                   const struct xl_rung *rung, struct xl_picture *pictures);

/* Operations of drawing n pictures of a request of n pictures, at a rung. */
double xl_need_flops(const struct xl_need *need, const struct xl_rung *rung, int n);

#endif
