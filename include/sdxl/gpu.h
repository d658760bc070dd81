/* gpu.h - the NVIDIA GPUs of this host, and which of them nobody uses.
 *
 * Readings come from NVML (libnvidia-ml.so.1, loaded when it is asked for) or, where that is
 * missing, from nvidia-smi. Looking opens no device and leaves no process on one. Everything that
 * holds a GPU goes by its UUID: CUDA numbers them in another order than NVML does.
 */
#ifndef SDXL_GPU_H
#define SDXL_GPU_H

#include <sdxl/sdxl.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { XL_GPUS_MAX = 64, XL_GPU_UUID_MAX = 96 };

/* What could not be read is -1, or "". */
struct xl_gpu {
    int index;                        /* as NVML and nvidia-smi number them */
    char uuid[XL_GPU_UUID_MAX];       /* "GPU-..."; "": the GPU does not answer */
    char name[96], bus[32];           /* "NVIDIA H200", "00000000:3B:00.0" */
    int64_t memory_bytes, used_bytes; /* used: by programs, what the driver reserves left out where
                                         it says how much that is */
    int utilization;                  /* percent of the time that something ran */
    int n_processes; /* counted; from within a container those of others cannot be seen */
    int temperature; /* degrees Celsius */
    double power_w, power_limit_w;
    int mig;             /* 1: divided into instances (MIG) */
    int ecc;             /* 1: errors of the memory are corrected */
    int64_t ecc_errors;  /* that could not be corrected, since the driver was loaded */
    int pending_repair;  /* 1: memory is to be taken out of use at the next reset */
    int compute_mode;    /* 0 default, 2 prohibited, 3 one process */
    int recovery_action; /* what the driver asks for: 0 nothing, else a reset or a reboot */
    int xid; /* the last error that the driver reported while this program listened; 0: none */
    char fault[160]; /* why it cannot be used, half a sentence: "fell off the bus; ..."; "": it can
                      */
};

/* The GPUs of this host, by index (the plan's list_gpus). list: [capacity]; *n: how many there are,
 * of which at most capacity are in the list.
 * Errors: XL_EDEVICE no driver, or it does not answer */
enum xl_status xl_gpu_list(struct xl_gpu *list, int capacity, int *n, struct xl_err *err);

/* The indices of those that are idle (the plan's find_idle_gpus): in each of three samples, half a
 * second apart, no process is seen, at most threshold_mem_mb MiB are in use and at most
 * threshold_util_pct percent of the time something ran; and it is whole (no MIG) and has no fault.
 * That one is idle is a moment's reading: who wants to keep it locks it (sdxl-lab gpu pick, run).
 * Errors: as above; none is idle is no error */
enum xl_status xl_gpu_find_idle(int threshold_mem_mb, int threshold_util_pct, int *indices,
                                int capacity, int *n, struct xl_err *err);

#ifdef __cplusplus
}
#endif
#endif
