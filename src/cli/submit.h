/* submit.h - a run that a cluster draws: planned here, submitted, and drawn by tasks that share it.
 */
#ifndef XL_CLI_SUBMIT_H
#define XL_CLI_SUBMIT_H

#include "lab/run/run_dir.h"

/* The folder in a run directory with the script, the logs of the tasks, and the numbers of jobs. */
#define XL_SLURM_DIR "slurm"

/* Before anything is made: what --on asks for is possible here. Errors: XL_EINVAL; XL_ESCHEDULER */
enum xl_status xl_submit_check(const struct xl_settings *settings, struct xl_err *err) XL_CHECKED;

/* Hand a planned run over, and tell; or print what would be handed over. The lock of the run
 * directory is released: its tasks come. Errors: XL_EDISK, XL_ESCHEDULER, XL_EINVAL */
enum xl_status xl_submit(const struct xl_settings *settings, const struct xl_sweep *sweep,
                         struct xl_run_dir *dir, struct xl_err *err) XL_CHECKED;

#endif
