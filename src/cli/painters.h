/* painters.h - who draws a run: the engine in this process, worker processes, or a worker for each
 * GPU that the run has locked.
 */
#ifndef XL_CLI_PAINTERS_H
#define XL_CLI_PAINTERS_H

#include "lab/run/painter.h"
#include "lab/run/run_dir.h"
#include "lab/settings/settings.h"

struct xl_gpu_pool;

struct xl_painters {
    struct xl_settings settings; /* of one of them: its part of threads and memory */
    struct xl_painter *item[XL_WORKERS_MAX];
    int n;
};

/* The GPUs that the settings ask for, ours from here on. *gpus NULL: none are asked for. Caller:
 * xl_gpu_pool_close. Errors: XL_EINVAL settings that exclude each other; those of xl_gpu_pool_open
 */
enum xl_status xl_painters_lock(const struct xl_settings *settings, struct xl_gpu_pool **gpus,
                                struct xl_err *err) XL_CHECKED;

/* gpus NULL: as settings say. It has to live longer than the painters. Errors: those of making one
 */
enum xl_status xl_painters_make(const struct xl_settings *settings, const struct xl_run_dir *dir,
                                const struct xl_gpu_pool *gpus, struct xl_painters *out,
                                struct xl_err *err) XL_CHECKED;
void xl_painters_close(struct xl_painters *painters);

#endif
