/* runner.h - drawing the cells of a sweep that are not there yet, with any number of painters: each
 * takes one share after the other, down the out-of-memory ladder if it must, and hands what it drew
 * to the writer's thread; the next model is read ahead.
 *
 * One failing cell does not stop the rest; ten equal failures in a row do. A painter that is lost
 * (a worker process that was killed) costs the groups that it had in hand, which are drawn again; a
 * group that loses two painters fails.
 */
#ifndef XL_LAB_RUNNER_H
#define XL_LAB_RUNNER_H

#include "lab/run/run.h"

/* Draw what is waiting in run->dir->outcomes, log it, keep the run's page and contact sheets.
 * *counts is filled in on failure as well (xl_run_counts_deinit).
 * Errors: XL_ECANCELLED, XL_EDISK, XL_ENOMEM for its own memory; XL_EPARTIAL some cells failed;
 * what failed, where it was the only picture asked for */
enum xl_status xl_run_draw(const struct xl_run *run, struct xl_run_counts *counts,
                           struct xl_err *err) XL_CHECKED;

/* Draw nothing: bring logs, page and sheets to what is there, after others have drawn (claims.h).
 * Of run, painters are not used. Errors: XL_EPARTIAL pictures are missing, or failed; XL_EDISK,
 * XL_ENOMEM */
enum xl_status xl_run_collect(const struct xl_run *run, struct xl_run_counts *counts,
                              struct xl_err *err) XL_CHECKED;

/* The page of a run that others will draw. Errors: XL_EDISK, XL_ENOMEM */
enum xl_status xl_run_announce(const struct xl_run *run, struct xl_err *err) XL_CHECKED;

#endif
