/* gpu_wish.c - from settings to rules; keeps no state. */
#include "cli/gpu_wish.h"
#include "cli/interrupt.h"

#include "base/clock.h"

static bool goes_on(void *user) {
    (void)user;
    return !xl_interrupted();
}

struct xl_idle_rule xl_gpu_rule(const struct xl_settings *settings) {
    struct xl_idle_rule rule = xl_idle_rule_default();
    rule.memory_mib = settings->idle_memory;
    rule.utilization = settings->idle_utilization;
    rule.allows_processes = settings->allow_processes;
    rule.goes_on = goes_on;
    return rule;
}

/* The text was checked when it was set. */
struct xl_card_wait xl_gpu_wait(const struct xl_settings *settings) {
    struct xl_card_wait wait = {.poll_s = settings->interval};
    if (settings->wait && xl_duration_read(settings->wait, &wait.wait_s, NULL)) wait.wait_s = 0;
    return wait;
}
