/* idle.h - when a GPU counts as idle, and why it does not.
 *
 * One with a process is busy, whatever that uses, and so is one whose memory is in use although no
 * process is seen: from within a container those of others are invisible. A moment between two
 * steps of somebody's work looks idle, so several samples have to agree.
 */
#ifndef XL_GPU_IDLE_H
#define XL_GPU_IDLE_H

#include "gpu/gpus.h"

struct xl_idle_rule {
    int memory_mib, utilization; /* at most this much in use, and percent of the time */
    bool allows_processes;
    int n_samples;
    double interval_s; /* between two samples */
    /* Asked between samples whether to go on; NULL: always. */
    bool (*goes_on)(void *user);
    void *user;
};
struct xl_idle_rule xl_idle_rule_default(void);

/* Why a GPU is not idle, as half a sentence ("2 processes, 30.1 GiB in use"), into out; "": it is.
 * Returns whether it is. */
enum { XL_BUSY_MAX = 200 };
bool xl_gpu_is_idle(const struct xl_gpu *gpu, const struct xl_idle_rule *rule,
                    char out[XL_BUSY_MAX]);

/* Every GPU as the last sample has it, and why one was not idle in the first sample in which it was
 * not; "": idle in all. */
struct xl_idle {
    struct xl_gpu_list list;
    char busy[XL_GPUS_MAX][XL_BUSY_MAX];
};

/* Take the samples. *out: free with free. Errors: those of xl_gpus_read, XL_ECANCELLED */
enum xl_status xl_idle_watch(struct xl_gpus *gpus, const struct xl_idle_rule *rule,
                             struct xl_idle **out, struct xl_err *err) XL_CHECKED;

/* Sleep, in pieces, for seconds. Errors: XL_ECANCELLED goes_on said no */
enum xl_status xl_idle_pause(const struct xl_idle_rule *rule, double seconds,
                             struct xl_err *err) XL_CHECKED;

#endif
