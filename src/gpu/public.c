/* public.c - the two functions of sdxl/gpu.h: they open a source, ask, and close it. */
#include "gpu/idle.h"

#include <stdlib.h>

enum xl_status xl_gpu_list(struct xl_gpu *list, int capacity, int *n, struct xl_err *err) {
    struct xl_gpus *gpus = NULL;
    struct xl_gpu_list *all = malloc(sizeof *all);
    if (!all) return xl_fail_nomem(err, "readings of GPUs", sizeof *all);
    enum xl_status status = xl_gpus_open(false, &gpus, err);
    if (!status) status = xl_gpus_read(gpus, all, err);
    for (int i = 0; !status && i < all->n && i < capacity; i++) list[i] = all->item[i];
    if (!status) *n = all->n;
    xl_gpus_close(gpus);
    free(all);
    return status;
}

enum xl_status xl_gpu_find_idle(int threshold_mem_mb, int threshold_util_pct, int *indices,
                                int capacity, int *n, struct xl_err *err) {
    struct xl_idle_rule rule = xl_idle_rule_default();
    struct xl_gpus *gpus = NULL;
    struct xl_idle *idle = NULL;
    rule.memory_mib = threshold_mem_mb;
    rule.utilization = threshold_util_pct;
    enum xl_status status = xl_gpus_open(false, &gpus, err);
    if (!status) status = xl_idle_watch(gpus, &rule, &idle, err);
    if (!status) *n = 0;
    for (int i = 0; !status && i < idle->list.n; i++) {
        if (idle->busy[i][0]) continue;
        if (*n < capacity) indices[*n] = idle->list.item[i].index;
        ++*n;
    }
    free(idle);
    xl_gpus_close(gpus);
    return status;
}
