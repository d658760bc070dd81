/* idle.c - the rule, and samples of it. Keeps no state. */
#include "gpu/idle.h"

#include "base/clock.h"
#include "base/str.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The memory: a program that only holds a context takes more (about 300 MiB on an A100, 500 on an
 * H100), a driver that keeps itself ready takes less. */
struct xl_idle_rule xl_idle_rule_default(void) {
    return (struct xl_idle_rule){
        .memory_mib = 256, .utilization = 5, .n_samples = 3, .interval_s = 0.5};
}

static void say(char out[XL_BUSY_MAX], const char *format, ...) XL_PRINTF(2, 3);
static void say(char out[XL_BUSY_MAX], const char *format, ...) {
    size_t n = strlen(out);
    va_list args;
    va_start(args, format);
    if (n) n += (size_t)snprintf(out + n, XL_BUSY_MAX - n, ", ");
    if (n < XL_BUSY_MAX) vsnprintf(out + n, XL_BUSY_MAX - n, format, args);
    va_end(args);
}

/* What makes it unusable for us, however little it does. */
static void judge_state(const struct xl_gpu *gpu, char out[XL_BUSY_MAX]) {
    if (gpu->fault[0])
        say(out, "%s", gpu->fault);
    else if (!gpu->uuid[0])
        say(out, "does not tell its UUID");
    if (gpu->mig == 1) say(out, "divided into instances (MIG mode)");
    if (gpu->compute_mode == 2) say(out, "closed to programs (compute mode prohibited)");
}

static void judge_use(const struct xl_gpu *gpu, const struct xl_idle_rule *rule,
                      char out[XL_BUSY_MAX]) {
    int64_t most = (int64_t)rule->memory_mib << 20;
    if (gpu->n_processes > 0 && !rule->allows_processes)
        say(out, "%d %s", gpu->n_processes, xl_plural(gpu->n_processes, "process", "processes"));
    if (gpu->used_bytes > most) {
        if (gpu->used_bytes >> 30)
            say(out, "%.1f GiB in use", (double)gpu->used_bytes / (1 << 30));
        else
            say(out, "%lld MiB in use", (long long)(gpu->used_bytes >> 20));
    }
    if (gpu->utilization > rule->utilization) say(out, "%d %% busy", gpu->utilization);
    /* One with the host's memory (GB10) does not tell how much it uses: then the rest must. */
    if (gpu->used_bytes < 0 && (gpu->n_processes < 0 || gpu->utilization < 0))
        say(out, "does not tell what it does");
}

bool xl_gpu_is_idle(const struct xl_gpu *gpu, const struct xl_idle_rule *rule,
                    char out[XL_BUSY_MAX]) {
    out[0] = 0;
    judge_state(gpu, out);
    if (!out[0]) judge_use(gpu, rule, out);
    return !out[0];
}

enum xl_status xl_idle_pause(const struct xl_idle_rule *rule, double seconds, struct xl_err *err) {
    static const double PIECE_S = 0.1;
    double until_s = xl_now_s() + seconds;
    for (;;) {
        if (rule->goes_on && !rule->goes_on(rule->user))
            return xl_fail(err, XL_ECANCELLED, "interrupted");
        double left_s = until_s - xl_now_s();
        if (left_s <= 0) return XL_OK;
        if (left_s > PIECE_S) left_s = PIECE_S;
        nanosleep(&(struct timespec){0, (long)(left_s * 1e9)}, NULL);
    }
}

enum xl_status xl_idle_watch(struct xl_gpus *gpus, const struct xl_idle_rule *rule,
                             struct xl_idle **out, struct xl_err *err) {
    struct xl_idle *idle = calloc(1, sizeof *idle), *next = calloc(1, sizeof *next);
    enum xl_status status = XL_OK;
    if (!idle || !next) status = xl_fail_nomem(err, "readings of GPUs", sizeof *idle);
    for (int k = 0; !status && k < rule->n_samples; k++) {
        if (k) status = xl_idle_pause(rule, rule->interval_s, err);
        if (!status) status = xl_gpus_read(gpus, &next->list, err);
        for (int i = 0; !status && i < next->list.n; i++) {
            const struct xl_gpu *gpu = &next->list.item[i];
            const struct xl_gpu *before = k ? xl_gpu_find(&idle->list, gpu->uuid) : NULL;
            const char *was = before ? idle->busy[before - idle->list.item] : "";
            if (was[0])
                memcpy(next->busy[i], was, XL_BUSY_MAX);
            else if (xl_gpu_is_idle(gpu, rule, next->busy[i]) && k && !before)
                say(next->busy[i], "has just come");
        }
        struct xl_idle *last = idle;
        idle = next;
        next = last;
    }
    free(next);
    if (status)
        free(idle);
    else
        *out = idle;
    return status;
}
