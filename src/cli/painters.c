/* painters.c - painters by the settings of a run, with the part of threads and memory of each. */
#include "cli/painters.h"
#include "cli/interrupt.h"

#include "jobs/workers.h"
#include "lab/run/engine_painter.h"

#include <string.h>

static bool goes_on(void *user) {
    (void)user;
    return !xl_interrupted();
}

enum xl_status xl_painters_lock(const struct xl_settings *settings, struct xl_gpu_pool **gpus,
                                struct xl_err *err) {
    struct xl_gpus_said said = {.most = 0};
    *gpus = NULL;
    if (settings->gpus) {
        enum xl_status status = xl_gpus_text_read(settings->gpus, &said, err);
        if (status) return status;
    }
    if (!said.most) return XL_OK;
    if (strcmp(settings->device, "auto") != 0 && strcmp(settings->device, "cuda") != 0)
        return xl_fail(err, XL_EINVAL,
                       "--gpus takes GPUs, and --device is %s; leave one of them out",
                       settings->device);
    if (settings->workers)
        return xl_fail(err, XL_EINVAL,
                       "--gpus makes a worker for each GPU, and --workers says %d; leave one of "
                       "them out",
                       settings->workers);
    return xl_gpu_pool_open(settings, goes_on, NULL, gpus, err);
}

void xl_painters_close(struct xl_painters *painters) {
    for (int i = 0; i < painters->n; i++) painters->item[i]->close(painters->item[i]);
    painters->n = 0;
}

enum xl_status xl_painters_make(const struct xl_settings *settings, const struct xl_run_dir *dir,
                                const struct xl_gpu_pool *gpus, struct xl_painters *out,
                                struct xl_err *err) {
    int n = gpus ? xl_gpu_pool_count(gpus) : settings->workers;
    *out = (struct xl_painters){.settings = *settings};
    if (!n) {
        out->n = 1;
        enum xl_status status = xl_engine_painter_new(&out->settings, &out->item[0], err);
        if (status) out->n = 0;
        return status;
    }
    xl_workers_divide(&out->settings, n, gpus != NULL);
    enum xl_status status = XL_OK;
    while (!status && out->n < n) {
        const struct xl_worker_params params = {.settings = &out->settings,
                                                .number = out->n,
                                                .kept_open = xl_lock_descriptor(dir->lock),
                                                .gpu = gpus ? xl_gpu_pool_at(gpus, out->n) : NULL};
        status = xl_worker_painter_new(&params, &out->item[out->n], err);
        if (!status) out->n++;
    }
    if (status) xl_painters_close(out);
    return status;
}
