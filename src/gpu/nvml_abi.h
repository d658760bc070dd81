/* nvml_abi.h - as much of NVML's binary interface as is asked for, by name. Facts from NVIDIA's
 * documentation of NVML; its header need not be there, and neither does the library.
 *
 * A function has had several symbols in the course of the years; the list has them newest first.
 */
#ifndef XL_GPU_NVML_ABI_H
#define XL_GPU_NVML_ABI_H

#include <stdint.h>

enum xl_nvml_result {
    XL_NVML_OK = 0,
    XL_NVML_NOT_SUPPORTED = 3,
    XL_NVML_NO_PERMISSION = 4,
    XL_NVML_NOT_FOUND = 6,
    XL_NVML_INSUFFICIENT_SIZE = 7,
    XL_NVML_DRIVER_NOT_LOADED = 9,
    XL_NVML_GPU_IS_LOST = 15,
    XL_NVML_RESET_REQUIRED = 16,
    XL_NVML_VERSION_MISMATCH = 18, /* of the library and the kernel's module */
    XL_NVML_MISSING = -1,          /* ours: the library has no such symbol */
};

typedef struct xl_nvml_device_handle *xl_nvml_device;
typedef struct xl_nvml_events_handle *xl_nvml_events;

struct xl_nvml_memory {
    uint64_t total, free, used; /* bytes; used has what the driver reserves */
};
struct xl_nvml_memory_2 {
    uint32_t version;
    uint64_t total, reserved, free, used;
};
enum { XL_NVML_MEMORY_2 = 2 << 24 | 40 }; /* version, and the size of the struct */

struct xl_nvml_temperature {
    uint32_t version;
    int32_t sensor, degrees;
};
enum { XL_NVML_TEMPERATURE_1 = 1 << 24 | 12 };

struct xl_nvml_utilization {
    uint32_t gpu, memory; /* percent */
};

/* Of every generation: the bus's name is the first 16 bytes in the older ones. */
struct xl_nvml_pci {
    char bus_old[16];
    uint32_t domain, bus_number, device, device_id, subsystem;
    char bus[32]; /* from the third on; before, 16 bytes that are reserved */
};

struct xl_nvml_field {
    uint32_t id, scope;
    int64_t timestamp, latency_us;
    int32_t type, result;
    union {
        uint32_t u32;
        uint64_t u64;
        double f64;
    } value;
};
enum { XL_NVML_FIELD_RECOVERY_ACTION = 230 };

struct xl_nvml_event {
    xl_nvml_device device;
    uint64_t type, data; /* data: the number of the Xid */
    uint32_t gpu_instance, compute_instance;
};
enum { XL_NVML_EVENT_XID = 8 };

enum { XL_NVML_TEMPERATURE_GPU = 0, XL_NVML_UNCORRECTED = 1, XL_NVML_VOLATILE = 0 };

/* X(field, type of its arguments, symbols) */
#define XL_NVML_SYMBOLS(X)                                                                         \
    X(init, (void), "nvmlInit_v2 nvmlInit")                                                        \
    X(shutdown, (void), "nvmlShutdown")                                                            \
    X(driver_version, (char *, uint32_t), "nvmlSystemGetDriverVersion")                            \
    X(count, (uint32_t *), "nvmlDeviceGetCount_v2 nvmlDeviceGetCount")                             \
    X(device, (uint32_t, xl_nvml_device *),                                                        \
      "nvmlDeviceGetHandleByIndex_v2 nvmlDeviceGetHandleByIndex")                                  \
    X(uuid, (xl_nvml_device, char *, uint32_t), "nvmlDeviceGetUUID")                               \
    X(name, (xl_nvml_device, char *, uint32_t), "nvmlDeviceGetName")                               \
    X(pci_3, (xl_nvml_device, struct xl_nvml_pci *), "nvmlDeviceGetPciInfo_v3")                    \
    X(pci, (xl_nvml_device, struct xl_nvml_pci *), "nvmlDeviceGetPciInfo_v2 nvmlDeviceGetPciInfo") \
    X(memory_2, (xl_nvml_device, struct xl_nvml_memory_2 *), "nvmlDeviceGetMemoryInfo_v2")         \
    X(memory, (xl_nvml_device, struct xl_nvml_memory *), "nvmlDeviceGetMemoryInfo")                \
    X(utilization, (xl_nvml_device, struct xl_nvml_utilization *),                                 \
      "nvmlDeviceGetUtilizationRates")                                                             \
    X(compute_3, (xl_nvml_device, uint32_t *, void *),                                             \
      "nvmlDeviceGetComputeRunningProcesses_v3 nvmlDeviceGetComputeRunningProcesses_v2")           \
    X(compute, (xl_nvml_device, uint32_t *, void *), "nvmlDeviceGetComputeRunningProcesses")       \
    X(graphics_3, (xl_nvml_device, uint32_t *, void *),                                            \
      "nvmlDeviceGetGraphicsRunningProcesses_v3 nvmlDeviceGetGraphicsRunningProcesses_v2")         \
    X(graphics, (xl_nvml_device, uint32_t *, void *), "nvmlDeviceGetGraphicsRunningProcesses")     \
    X(mps_3, (xl_nvml_device, uint32_t *, void *),                                                 \
      "nvmlDeviceGetMPSComputeRunningProcesses_v3 nvmlDeviceGetMPSComputeRunningProcesses_v2")     \
    X(temperature_v, (xl_nvml_device, struct xl_nvml_temperature *), "nvmlDeviceGetTemperatureV")  \
    X(temperature, (xl_nvml_device, int, uint32_t *), "nvmlDeviceGetTemperature")                  \
    X(power, (xl_nvml_device, uint32_t *), "nvmlDeviceGetPowerUsage")                              \
    X(power_limit, (xl_nvml_device, uint32_t *),                                                   \
      "nvmlDeviceGetEnforcedPowerLimit nvmlDeviceGetPowerManagementLimit")                         \
    X(mig, (xl_nvml_device, uint32_t *, uint32_t *), "nvmlDeviceGetMigMode")                       \
    X(ecc, (xl_nvml_device, int *, int *), "nvmlDeviceGetEccMode")                                 \
    X(ecc_errors, (xl_nvml_device, int, int, uint64_t *), "nvmlDeviceGetTotalEccErrors")           \
    X(rows, (xl_nvml_device, uint32_t *, uint32_t *, uint32_t *, uint32_t *),                      \
      "nvmlDeviceGetRemappedRows")                                                                 \
    X(pages, (xl_nvml_device, int *), "nvmlDeviceGetRetiredPagesPendingStatus")                    \
    X(compute_mode, (xl_nvml_device, int *), "nvmlDeviceGetComputeMode")                           \
    X(fields, (xl_nvml_device, int, struct xl_nvml_field *), "nvmlDeviceGetFieldValues")           \
    X(events_new, (xl_nvml_events *), "nvmlEventSetCreate")                                        \
    X(events_add, (xl_nvml_device, uint64_t, xl_nvml_events), "nvmlDeviceRegisterEvents")          \
    X(events_wait, (xl_nvml_events, struct xl_nvml_event *, uint32_t),                             \
      "nvmlEventSetWait_v2 nvmlEventSetWait")                                                      \
    X(events_free, (xl_nvml_events), "nvmlEventSetFree")

#endif
