/* gpu_wish.c - from settings to rules; keeps no state. */
#include "jobs/gpu_wish.h"

#include "base/clock.h"

enum xl_status xl_gpu_wish_read(const struct xl_settings *settings, bool (*goes_on)(void *user),
                                void *user, struct xl_gpu_wish *out, struct xl_err *err) {
    const char *gpus = settings->gpus ? settings->gpus : "auto";
    enum xl_status status = xl_gpus_text_read(gpus, &out->said, err);
    out->wait = (struct xl_card_wait){.poll_s = settings->interval};
    if (!status && settings->wait)
        status = xl_duration_read(settings->wait, &out->wait.wait_s, err);
    for (int i = 0; i < out->said.n_uuids; i++) out->uuids[i] = out->said.uuids[i];
    out->wish = (struct xl_card_wish){.rule = xl_idle_rule_default(),
                                      .lock_dir = settings->gpu_lock_dir,
                                      .uuids = out->uuids,
                                      .n_uuids = out->said.n_uuids,
                                      .most = out->said.most};
    struct xl_idle_rule *rule = &out->wish.rule;
    rule->memory_mib = settings->idle_memory;
    rule->utilization = settings->idle_utilization;
    rule->allows_processes = settings->allow_processes;
    rule->goes_on = goes_on;
    rule->user = user;
    return status;
}
