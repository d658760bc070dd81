/* nvml.c - readings by NVML: the library is looked for when it is asked for, and each function by
 * its newest symbol. What a driver does not know is left unknown; a GPU that is lost stands in the
 * list with its fault.
 */
#include "gpu/nvml_abi.h"
#include "gpu/source.h"
#include "gpu/xid.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME = 80, MAX_LISTED = 256 };

struct functions {
#define X(field, arguments, symbols) int(*field) arguments;
    XL_NVML_SYMBOLS(X)
#undef X
};

/* The last Xid of a GPU, which is known by its UUID: indices change when one falls off the bus. */
struct heard {
    char uuid[XL_GPU_UUID_MAX];
    int xid;
};

struct xl_nvml {
    void *library;
    struct functions call;
    bool is_begun;
    xl_nvml_events events; /* NULL: nobody listens */
    struct heard heard[XL_GPUS_MAX];
    int n_heard;
    char uuids[XL_GPUS_MAX][XL_GPU_UUID_MAX]; /* by index, as they were when there was one */
};

#define CALL(nvml, field, ...)                                                                     \
    ((nvml)->call.field ? (nvml)->call.field(__VA_ARGS__) : XL_NVML_MISSING)

/* --- Opening ---------------------------------------------------------------------------------- */

/* The first of these symbols that the library has. */
static void *find(void *library, const char *symbols) {
    char name[NAME];
    void *found = NULL;
    while (!found && *symbols) {
        size_t n = strcspn(symbols, " ");
        snprintf(name, sizeof name, "%.*s", (int)n, symbols);
        found = dlsym(library, name);
        symbols += n + (symbols[n] == ' ');
    }
    return found;
}

static void load(struct xl_nvml *nvml) {
    static const char *const symbols[] = {
#define X(field, arguments, names) names,
        XL_NVML_SYMBOLS(X)
#undef X
    };
    _Static_assert(sizeof nvml->call == sizeof symbols, "one pointer a symbol");
    char *at = (char *)&nvml->call;
    for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++) {
        void *found = find(nvml->library, symbols[i]);
        memcpy(at + i * sizeof found, &found, sizeof found);
    }
}

static enum xl_status fail_init(int result, struct xl_err *err) {
    const char *why = "it may be broken; nvidia-smi says more";
    if (result == XL_NVML_DRIVER_NOT_LOADED)
        why = "the kernel's module is not loaded; load it (modprobe nvidia) or install the driver";
    else if (result == XL_NVML_VERSION_MISMATCH)
        why = "it was updated while the old one ran; reboot, or load its kernel module again";
    else if (result == XL_NVML_NO_PERMISSION)
        why = "you may not open /dev/nvidiactl; in a container, start it with --gpus";
    return xl_fail(err, XL_EDEVICE, "the NVIDIA driver does not answer (NVML error %d): %s", result,
                   why);
}

static void listen_to(struct xl_nvml *nvml) {
    uint32_t n = 0;
    if (CALL(nvml, events_new, &nvml->events)) {
        nvml->events = NULL;
        return;
    }
    CALL(nvml, count, &n);
    for (uint32_t i = 0; i < n; i++) {
        xl_nvml_device device;
        if (!CALL(nvml, device, i, &device))
            CALL(nvml, events_add, device, XL_NVML_EVENT_XID, nvml->events);
    }
}

enum xl_status xl_nvml_open(bool listens, struct xl_nvml **out, struct xl_err *err) {
    *out = NULL;
    void *library = dlopen("libnvidia-ml.so.1", RTLD_NOW | RTLD_LOCAL);
    if (!library) return XL_OK;
    struct xl_nvml *nvml = calloc(1, sizeof *nvml);
    if (!nvml) {
        dlclose(library);
        return xl_fail_nomem(err, "readings of GPUs", sizeof *nvml);
    }
    nvml->library = library;
    load(nvml);
    int result = CALL(nvml, init);
    if (!result && (!nvml->call.count || !nvml->call.device)) result = XL_NVML_MISSING;
    nvml->is_begun = !result;
    if (result) {
        xl_nvml_close(nvml);
        return fail_init(result, err);
    }
    if (listens) listen_to(nvml);
    *out = nvml;
    return XL_OK;
}

void xl_nvml_close(struct xl_nvml *nvml) {
    if (!nvml) return;
    if (nvml->events) CALL(nvml, events_free, nvml->events);
    if (nvml->is_begun) CALL(nvml, shutdown);
    dlclose(nvml->library);
    free(nvml);
}

void xl_nvml_driver(struct xl_nvml *nvml, char *out, size_t size) {
    char version[NAME] = "";
    if (CALL(nvml, driver_version, version, sizeof version)) version[0] = 0;
    snprintf(out, size, "%s", version);
}

/* --- Xids ------------------------------------------------------------------------------------- */

static struct heard *heard_of(struct xl_nvml *nvml, const char *uuid) {
    for (int i = 0; i < nvml->n_heard; i++)
        if (!strcmp(nvml->heard[i].uuid, uuid)) return &nvml->heard[i];
    if (nvml->n_heard == XL_GPUS_MAX) return NULL;
    struct heard *heard = &nvml->heard[nvml->n_heard++];
    snprintf(heard->uuid, sizeof heard->uuid, "%s", uuid);
    return heard;
}

/* What was reported since the last time. Of several errors, one after which the GPU cannot be used
 * is remembered. */
static void hear(struct xl_nvml *nvml) {
    enum { MOST = 1000 }; /* a GPU that reports without end shall not hold us */
    struct xl_nvml_event event;
    for (int i = 0; nvml->events && i < MOST; i++) {
        char uuid[XL_GPU_UUID_MAX] = "";
        memset(&event, 0, sizeof event);
        if (CALL(nvml, events_wait, nvml->events, &event, 0)) return;
        if (!(event.type & XL_NVML_EVENT_XID)) continue;
        if (CALL(nvml, uuid, event.device, uuid, sizeof uuid)) continue;
        struct heard *heard = heard_of(nvml, uuid);
        if (heard && !xl_xid_is_fatal(heard->xid)) heard->xid = (int)event.data;
    }
}

/* --- Reading ---------------------------------------------------------------------------------- */

static void read_memory(struct xl_nvml *nvml, xl_nvml_device device, struct xl_gpu *gpu) {
    struct xl_nvml_memory_2 memory_2 = {.version = XL_NVML_MEMORY_2};
    struct xl_nvml_memory memory;
    if (!CALL(nvml, memory_2, device, &memory_2)) {
        gpu->memory_bytes = (int64_t)memory_2.total;
        gpu->used_bytes = (int64_t)memory_2.used;
    } else if (!CALL(nvml, memory, device, &memory)) {
        gpu->memory_bytes = (int64_t)memory.total;
        gpu->used_bytes = (int64_t)memory.used;
    }
}

/* Processes by their numbers, each once: one that computes and draws stands in two lists. Numbers
 * of other containers may be 0; those are several. */
struct processes {
    uint32_t pids[MAX_LISTED];
    int n;
    bool is_known;
};

typedef int list_fn(xl_nvml_device, uint32_t *, void *);

static void add_processes(list_fn *list, size_t stride, xl_nvml_device device,
                          struct processes *all) {
    enum { STRIDE_MAX = 24 };
    static _Thread_local unsigned char entries[MAX_LISTED * STRIDE_MAX];
    uint32_t n = MAX_LISTED;
    int result = list ? list(device, &n, entries) : XL_NVML_MISSING;
    if (result && result != XL_NVML_INSUFFICIENT_SIZE) return;
    all->is_known = true;
    for (uint32_t i = 0; i < n && i < MAX_LISTED && all->n < MAX_LISTED; i++) {
        uint32_t pid = 0;
        bool is_there = false;
        if (!result) memcpy(&pid, entries + i * stride, sizeof pid);
        for (int k = 0; pid && k < all->n; k++) is_there |= all->pids[k] == pid;
        if (!is_there) all->pids[all->n++] = pid;
    }
}

static int count_processes(struct xl_nvml *nvml, xl_nvml_device device) {
    enum { OLD = 16, NEW = 24 }; /* bytes of an entry; the number comes first */
    const struct functions *call = &nvml->call;
    struct processes all = {.n = 0};
    if (call->compute_3)
        add_processes(call->compute_3, NEW, device, &all);
    else
        add_processes(call->compute, OLD, device, &all);
    if (call->graphics_3)
        add_processes(call->graphics_3, NEW, device, &all);
    else
        add_processes(call->graphics, OLD, device, &all);
    add_processes(call->mps_3, NEW, device, &all);
    return all.is_known ? all.n : -1;
}

/* A result that says that the GPU is gone or stuck, as its fault. */
static bool read_fault(int result, struct xl_gpu *gpu) {
    if (result == XL_NVML_GPU_IS_LOST)
        snprintf(gpu->fault, sizeof gpu->fault, "fell off the bus; the host has to be rebooted");
    else if (result == XL_NVML_RESET_REQUIRED)
        snprintf(gpu->fault, sizeof gpu->fault,
                 "has to be reset (nvidia-smi --gpu-reset, or a reboot)");
    return gpu->fault[0] != 0;
}

static void read_state(struct xl_nvml *nvml, xl_nvml_device device, struct xl_gpu *gpu) {
    struct xl_nvml_utilization utilization;
    struct xl_nvml_temperature degrees = {.version = XL_NVML_TEMPERATURE_1,
                                          .sensor = XL_NVML_TEMPERATURE_GPU};
    uint32_t value, pending;
    int result = CALL(nvml, utilization, device, &utilization);
    if (!result) gpu->utilization = (int)utilization.gpu;
    read_fault(result, gpu); /* this asks the device itself, so it is told of a loss */
    if (!CALL(nvml, temperature_v, device, &degrees))
        gpu->temperature = degrees.degrees;
    else if (!CALL(nvml, temperature, device, XL_NVML_TEMPERATURE_GPU, &value))
        gpu->temperature = (int)value;
    if (!CALL(nvml, power, device, &value)) gpu->power_w = value / 1000.0;
    if (!CALL(nvml, power_limit, device, &value)) gpu->power_limit_w = value / 1000.0;
    if (!CALL(nvml, mig, device, &value, &pending)) gpu->mig = value != 0;
}

static void read_health(struct xl_nvml *nvml, xl_nvml_device device, struct xl_gpu *gpu) {
    uint32_t corrected, uncorrected, is_pending, has_failed;
    uint64_t errors;
    int now, later;
    if (!CALL(nvml, ecc, device, &now, &later)) gpu->ecc = now != 0;
    if (!CALL(nvml, ecc_errors, device, XL_NVML_UNCORRECTED, XL_NVML_VOLATILE, &errors))
        gpu->ecc_errors = (int64_t)errors;
    if (!CALL(nvml, rows, device, &corrected, &uncorrected, &is_pending, &has_failed))
        gpu->pending_repair = is_pending || has_failed;
    else if (!CALL(nvml, pages, device, &now))
        gpu->pending_repair = now != 0;
    if (!CALL(nvml, compute_mode, device, &now)) gpu->compute_mode = now;
    struct xl_nvml_field field = {.id = XL_NVML_FIELD_RECOVERY_ACTION};
    if (!CALL(nvml, fields, device, 1, &field) && !field.result)
        gpu->recovery_action = (int)field.value.u32;
}

static void read_bus(struct xl_nvml *nvml, xl_nvml_device device, struct xl_gpu *gpu) {
    struct xl_nvml_pci pci;
    memset(&pci, 0, sizeof pci);
    if (!CALL(nvml, pci_3, device, &pci))
        snprintf(gpu->bus, sizeof gpu->bus, "%.31s", pci.bus);
    else if (!CALL(nvml, pci, device, &pci))
        snprintf(gpu->bus, sizeof gpu->bus, "%.15s", pci.bus_old);
}

/* False: it is not ours to see, or not the one that is wanted. */
static bool read_one(struct xl_nvml *nvml, uint32_t index, const char *only, struct xl_gpu *gpu) {
    xl_nvml_device device;
    xl_gpu_init(gpu, (int)index);
    int result = CALL(nvml, device, index, &device);
    if (result == XL_NVML_NO_PERMISSION) return false;
    if (!result) result = CALL(nvml, uuid, device, gpu->uuid, sizeof gpu->uuid);
    if (!result && index < XL_GPUS_MAX) memcpy(nvml->uuids[index], gpu->uuid, sizeof gpu->uuid);
    if (result) gpu->uuid[0] = 0;
    if (read_fault(result, gpu)) { /* which one it was is known if it was seen before */
        if (index < XL_GPUS_MAX) memcpy(gpu->uuid, nvml->uuids[index], sizeof gpu->uuid);
        return !only || !strcmp(gpu->uuid, only);
    }
    if (only && strcmp(gpu->uuid, only) != 0) return false;
    if (result) {
        snprintf(gpu->fault, sizeof gpu->fault, "does not answer (NVML error %d)", result);
        return true;
    }
    if (CALL(nvml, name, device, gpu->name, sizeof gpu->name)) gpu->name[0] = 0;
    read_bus(nvml, device, gpu);
    read_memory(nvml, device, gpu);
    gpu->n_processes = count_processes(nvml, device);
    read_state(nvml, device, gpu);
    read_health(nvml, device, gpu);
    if (nvml->events) {
        const struct heard *heard = heard_of(nvml, gpu->uuid);
        gpu->xid = heard ? heard->xid : 0;
    }
    xl_xid_judge(gpu);
    return true;
}

enum xl_status xl_nvml_read(struct xl_nvml *nvml, const char *only, struct xl_gpu_list *out,
                            struct xl_err *err) {
    uint32_t n = 0;
    int result = nvml->call.count(&n);
    if (result) return fail_init(result, err);
    hear(nvml);
    out->n = 0;
    for (uint32_t i = 0; i < n && out->n < XL_GPUS_MAX; i++)
        out->n += read_one(nvml, i, only, &out->item[out->n]);
    return XL_OK;
}
