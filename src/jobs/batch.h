/* batch.h - a planned run directory as a job of a cluster, whose tasks share it (lab/run/claims.h):
 * a job array of Slurm, or an Indexed Job of Kubernetes.
 */
#ifndef XL_JOBS_BATCH_H
#define XL_JOBS_BATCH_H

#include "base/str.h"
#include "lab/settings/settings.h"

struct xl_batch {
    const char *program;                          /* sdxl-lab, from the root */
    const char *run_dir;                          /* from the root */
    const char *name;                             /* of the job */
    int n_tasks, n_at_once;                       /* n_at_once 0: all */
    const char *gres;                             /* of a task, "gpu:1"; NULL: none */
    int n_cpus;                                   /* of a task; 0: what the cluster gives */
    const char *partition, *account, *qos, *time; /* NULL: the cluster's own */
    const struct xl_list *options;                /* words for sbatch beside these */
    const char *image;                            /* of a container */
    const struct xl_list *volumes;                /* "CLAIM:PATH" */
};

/* What settings say; run_dir, program and name are the caller's to fill in. Errors: XL_EINVAL
 * settings that contradict each other */
enum xl_status xl_batch_read(const struct xl_settings *settings, struct xl_batch *out,
                             struct xl_err *err) XL_CHECKED;

/* The job script for sbatch, in out. Errors: XL_EINVAL a text that no script can hold */
enum xl_status xl_slurm_script(const struct xl_batch *batch, struct xl_str *out,
                               struct xl_err *err) XL_CHECKED;

/* The manifest for kubectl apply, YAML, in out. Errors: XL_EINVAL no volume holds the run
 * directory, or one that is none */
enum xl_status xl_kubernetes_manifest(const struct xl_batch *batch, struct xl_str *out,
                                      struct xl_err *err) XL_CHECKED;

#endif
