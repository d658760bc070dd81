/* source.h - where readings of GPUs come from: NVML, or the program nvidia-smi. A source belongs to
 * one thread at a time.
 */
#ifndef XL_GPU_SOURCE_H
#define XL_GPU_SOURCE_H

#include "base/status.h"

#include "sdxl/gpu.h"

struct xl_gpu_list {
    struct xl_gpu item[XL_GPUS_MAX];
    int n;
};

/* A GPU of which nothing is known but its index. */
void xl_gpu_init(struct xl_gpu *gpu, int index);

/* What is known of one is not what is wanted: NULL where no GPU of the list has this UUID. A
 * beginning of one will do where only one begins so, as CUDA_VISIBLE_DEVICES takes it. */
const struct xl_gpu *xl_gpu_find(const struct xl_gpu_list *list, const char *uuid);

/* --- NVML (nvml.c) --- */

struct xl_nvml; /* opaque */

/* listens: from here on Xids are heard. *out NULL with XL_OK: there is no such library.
 * Errors: XL_EDEVICE it does not work, and why; XL_ENOMEM */
enum xl_status xl_nvml_open(bool listens, struct xl_nvml **out, struct xl_err *err) XL_CHECKED;
/* only: the UUID of the one that is wanted; NULL: all. */
enum xl_status xl_nvml_read(struct xl_nvml *nvml, const char *only, struct xl_gpu_list *out,
                            struct xl_err *err) XL_CHECKED;
void xl_nvml_driver(struct xl_nvml *nvml, char *out, size_t size); /* "550.54.15" */
void xl_nvml_close(struct xl_nvml *nvml);

/* --- nvidia-smi (nvidia_smi.c) --- */

/* Errors: XL_EDEVICE there is no such program, or what it says instead of a list; XL_ENOMEM */
enum xl_status xl_smi_read(struct xl_gpu_list *out, struct xl_err *err) XL_CHECKED;

/* What `nvidia-smi --query-gpu=... --format=csv` wrote, with or without units, columns in any
 * order; and --query-compute-apps=gpu_uuid,pid --format=csv,noheader, which counts processes.
 * Errors: XL_EDEVICE no such table */
enum xl_status xl_smi_parse(const char *table, struct xl_gpu_list *out,
                            struct xl_err *err) XL_CHECKED;
void xl_smi_parse_processes(const char *lines, struct xl_gpu_list *list);

#endif
