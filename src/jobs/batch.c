/* batch.c - settings as a job of a cluster. */
#include "jobs/batch.h"

#include <strings.h>

/* What says where to draw belongs to the cluster then. */
static enum xl_status check_ours(const struct xl_settings *settings, struct xl_err *err) {
    static const char *const ours[] = {"gpus", "workers", "share", "device"};
    const char *on = xl_option_find("on")->choices[settings->on];
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (xl_settings_is_given(settings, ours[i]) &&
            !(settings->from_environment & xl_option_bit(xl_option_find(ours[i]))))
            return xl_fail(err, XL_EINVAL,
                           "--%s says how this machine draws, and --on %s leaves that to the "
                           "cluster; leave one of them out",
                           ours[i], on);
    return XL_OK;
}

enum xl_status xl_batch_read(const struct xl_settings *settings, struct xl_batch *out,
                             struct xl_err *err) {
    enum xl_status status = check_ours(settings, err);
    if (status) return status;
    if (settings->at_once > settings->tasks)
        return xl_fail(err, XL_EINVAL, "--at-once %d: there are only %d tasks (--tasks)",
                       settings->at_once, settings->tasks);
    bool has_gres = settings->gres[0] && strcasecmp(settings->gres, "none") != 0;
    *out = (struct xl_batch){.n_tasks = settings->tasks,
                             .n_at_once = settings->at_once,
                             .gres = has_gres ? settings->gres : NULL,
                             .n_cpus = settings->threads,
                             .partition = settings->partition,
                             .account = settings->account,
                             .qos = settings->qos,
                             .time = settings->time_limit,
                             .options = &settings->sbatch,
                             .image = settings->container_image,
                             .volumes = &settings->volumes};
    return XL_OK;
}
