/* workers.c - GPUs or the CPU, and a painter for each place. */
#include "jobs/workers.h"

#include "base/log.h"
#include "base/threads.h"

#include <string.h>

static bool is_cpu(const struct xl_settings *settings) {
    return !strcmp(settings->device, "cpu") || !strcmp(settings->device, "reference") ||
           (settings->gpus && !strcmp(settings->gpus, "none")) ||
           (!settings->gpus && settings->workers);
}

/* The GPUs of this host; nobody having asked for any, a host that has none draws on its CPU. */
static enum xl_status open_pool(const struct xl_workers_params *params, struct xl_gpu_pool **pool,
                                struct xl_err *err) {
    struct xl_settings settings = *params->settings;
    struct xl_err why = {0};
    bool is_asked = settings.gpus || !strcmp(settings.device, "cuda");
    if (is_cpu(&settings)) return XL_OK;
    if (!settings.gpus) settings.gpus = "all";
    if (!xl_settings_is_given(&settings, "on-foreign-process"))
        settings.on_foreign_process = XL_FOREIGN_YIELD;
    enum xl_status status =
        xl_gpu_pool_open_empty(&settings, params->goes_on, params->user, pool, &why);
    if (status == XL_EDEVICE && !is_asked) {
        xl_info("no GPU: %s", why.text);
        return XL_OK;
    }
    return status ? xl_fail(err, status, "%s", why.text) : XL_OK;
}

void xl_workers_divide(struct xl_settings *settings, int n, bool is_on_gpus) {
    int threads = settings->threads ? settings->threads : xl_cpu_count();
    settings->threads = threads > n ? threads / n : 1;
    if (!is_on_gpus) settings->max_memory /= n;
}

static enum xl_status add_painters(struct xl_workers *workers, const char *program,
                                   struct xl_err *err) {
    struct xl_gpu_pool *pool = workers->pool;
    struct xl_settings *settings = &workers->settings;
    int n = pool ? xl_gpu_pool_count(pool) : settings->workers ? settings->workers : 1;
    xl_workers_divide(settings, n, pool != NULL);
    enum xl_status status = XL_OK;
    while (!status && workers->n < n) {
        const struct xl_worker_params params = {.settings = settings,
                                                .program = program,
                                                .kept_open = -1,
                                                .gpu = pool ? xl_gpu_pool_at(pool, workers->n)
                                                            : NULL,
                                                .number = workers->n};
        struct xl_painter **painter = &workers->painters[workers->n];
        status = xl_worker_painter_new(&params, painter, err);
        if (status) break;
        (*painter)->has_left = pool != NULL; /* until its place has a GPU */
        workers->n++;
    }
    return status;
}

enum xl_status xl_workers_open(const struct xl_workers_params *params, struct xl_workers *out,
                               struct xl_err *err) {
    *out = (struct xl_workers){.settings = *params->settings};
    enum xl_status status = open_pool(params, &out->pool, err);
    if (!status) status = add_painters(out, params->program, err);
    if (status) xl_workers_close(out);
    return status;
}

void xl_workers_close(struct xl_workers *workers) {
    for (int i = 0; i < workers->n; i++) workers->painters[i]->close(workers->painters[i]);
    xl_gpu_pool_close(workers->pool);
    workers->n = 0;
    workers->pool = NULL;
}
