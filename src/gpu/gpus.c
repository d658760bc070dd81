/* gpus.c - which source there is, and finding a GPU in a list. */
#include "gpu/gpus.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct xl_gpus {
    pthread_mutex_t mutex; /* for readings */
    struct xl_nvml *nvml;  /* NULL: nvidia-smi */
    char source[96];
};

void xl_gpu_init(struct xl_gpu *gpu, int index) {
    *gpu = (struct xl_gpu){
        .index = index,
        .memory_bytes = -1,
        .used_bytes = -1,
        .utilization = -1,
        .n_processes = -1,
        .temperature = -1,
        .power_w = -1,
        .power_limit_w = -1,
        .mig = -1,
        .ecc = -1,
        .ecc_errors = -1,
        .pending_repair = -1,
        .compute_mode = -1,
        .recovery_action = -1,
        .xid = -1,
    };
}

const struct xl_gpu *xl_gpu_find(const struct xl_gpu_list *list, const char *uuid) {
    const struct xl_gpu *found = NULL;
    size_t n = strlen(uuid);
    if (!n) return NULL;
    for (int i = 0; i < list->n; i++) {
        if (!strcmp(list->item[i].uuid, uuid)) return &list->item[i];
        if (strncmp(list->item[i].uuid, uuid, n)) continue;
        if (found) return NULL;
        found = &list->item[i];
    }
    return found;
}

enum xl_status xl_gpus_open(bool listens, struct xl_gpus **out, struct xl_err *err) {
    struct xl_gpus *gpus = calloc(1, sizeof *gpus);
    struct xl_gpu_list *list = malloc(sizeof *list);
    struct xl_err why = {0};
    enum xl_status status = XL_OK;
    if (!gpus || !list) status = xl_fail_nomem(err, "readings of GPUs", sizeof *list);
    if (!status) status = xl_nvml_open(listens, &gpus->nvml, err);
    if (!status && gpus->nvml) {
        snprintf(gpus->source, sizeof gpus->source, "NVML ");
        xl_nvml_driver(gpus->nvml, gpus->source + 5, sizeof gpus->source - 5);
    } else if (!status) {
        snprintf(gpus->source, sizeof gpus->source, "nvidia-smi");
        status = xl_smi_read(list, &why);
        if (status)
            xl_fail(err, status,
                    "there is no NVIDIA driver here (no libnvidia-ml.so.1, and %s); install one, "
                    "or in a container start it with --gpus",
                    why.text);
    }
    free(list);
    if (status) {
        free(gpus);
        return status;
    }
    pthread_mutex_init(&gpus->mutex, NULL);
    *out = gpus;
    return XL_OK;
}

void xl_gpus_close(struct xl_gpus *gpus) {
    if (!gpus) return;
    xl_nvml_close(gpus->nvml);
    pthread_mutex_destroy(&gpus->mutex);
    free(gpus);
}

enum xl_status xl_gpus_read_one(struct xl_gpus *gpus, const char *uuid, struct xl_gpu_list *out,
                                struct xl_err *err) {
    pthread_mutex_lock(&gpus->mutex);
    enum xl_status status = gpus->nvml ? xl_nvml_read(gpus->nvml, uuid, out, err)
                                       : xl_smi_read(out, err);
    pthread_mutex_unlock(&gpus->mutex);
    return status;
}

enum xl_status xl_gpus_read(struct xl_gpus *gpus, struct xl_gpu_list *out, struct xl_err *err) {
    return xl_gpus_read_one(gpus, NULL, out, err);
}

bool xl_gpus_is_slow(const struct xl_gpus *gpus) {
    return !gpus->nvml;
}

const char *xl_gpus_source(const struct xl_gpus *gpus) {
    return gpus->source;
}
