/* slurm.h - Slurm by its own commands: sinfo, sbatch, squeue, scancel. What they complain of is
 * told in the sentence.
 */
#ifndef XL_JOBS_SLURM_H
#define XL_JOBS_SLURM_H

#include "base/arena.h"

/* Whether Slurm answers, and has this partition (NULL: none is asked for). Errors: XL_ESCHEDULER it
 * is not there or does not answer; XL_EINVAL no such partition */
enum xl_status xl_slurm_check(const char *partition, struct xl_err *err) XL_CHECKED;

/* Submit a script. *job: its number, in the arena. Errors: XL_ESCHEDULER refused */
enum xl_status xl_slurm_submit(const char *script, struct xl_arena *arena, const char **job,
                               struct xl_err *err) XL_CHECKED;

struct xl_slurm_task {
    const char *id, *state, *node, *reason; /* "17_3", "RUNNING", "n1", "None" */
};

/* The tasks of jobs (numbers, commas between) that Slurm still knows. tasks: [*n], in the arena.
 * Errors: XL_ESCHEDULER */
enum xl_status xl_slurm_tasks(const char *jobs, struct xl_arena *arena,
                              const struct xl_slurm_task **tasks, int *n,
                              struct xl_err *err) XL_CHECKED;

/* Whether a task in this state waits, or is at work. */
bool xl_slurm_waits(const char *state);
bool xl_slurm_works(const char *state);

/* Errors: XL_ESCHEDULER */
enum xl_status xl_slurm_cancel(const char *jobs, struct xl_err *err) XL_CHECKED;

#endif
