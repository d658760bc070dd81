/* fake_nvml.c - a libnvidia-ml.so.1 for tests: devices, processes, errors and losses as a text file
 * says, which is looked at anew in each call, so that a test changes it while programs run.
 *
 * FAKE_NVML names the file. A line each:
 *   init N                    nvmlInit fails with N
 *   driver TEXT
 *   gpu UUID KEY=VALUE ...    in the order of the indices
 *   xid UUID NUMBER           an error, heard by those who listened when the line came
 * Keys, with what is taken where one is missing: name (with _ for blanks), total 81920, used 3,
 * reserved 500 (MiB), util 0, procs 0, draws 0 (of those processes, also in the list of graphics),
 * temp 30, power 60000 (mW), mig 0, ecc 1, errors 0, pending 0, mode 0, action 0, result 0 (of each
 * call of the device), handle 0 (of the call that finds it). -1 for what is not supported.
 *
 * Two libraries are made of it: with FAKE_OLD it has the symbols of a driver of 2012, and entries
 * of 16 bytes in its lists of processes.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define EXPORT __attribute__((visibility("default")))
#ifdef FAKE_OLD
#define NEWER(name, old) old
#else
#define NEWER(name, old) name
#endif

enum { MAX_GPUS = 64, MAX_XIDS = 64, UNSUPPORTED = 3, LOST = 15, TOO_SMALL = 7, TIMEOUT = 10 };

struct gpu {
    char uuid[80], name[64];
    long total, used, reserved, util, procs, draws, temp, power, mig, ecc, errors, pending, mode,
        action, result, handle;
};

static struct {
    struct gpu gpus[MAX_GPUS];
    int n, init;
    char driver[64];
    struct {
        char uuid[80];
        long number;
    } xids[MAX_XIDS];
    int n_xids;
} script;

/* --- The script ------------------------------------------------------------------------------- */

static void read_key(struct gpu *gpu, char *word) {
    char *value = strchr(word, '=');
    if (!value) return;
    *value++ = 0;
    if (!strcmp(word, "name")) {
        snprintf(gpu->name, sizeof gpu->name, "%s", value);
        for (char *c = gpu->name; *c; c++)
            if (*c == '_') *c = ' ';
    }
#define KEY(field)                                                                                 \
    if (!strcmp(word, #field)) gpu->field = atol(value)
    KEY(total);
    KEY(used);
    KEY(reserved);
    KEY(util);
    KEY(procs);
    KEY(draws);
    KEY(temp);
    KEY(power);
    KEY(mig);
    KEY(ecc);
    KEY(errors);
    KEY(pending);
    KEY(mode);
    KEY(action);
    KEY(result);
    KEY(handle);
}

static void read_gpu(char *rest) {
    if (script.n == MAX_GPUS) return;
    struct gpu *gpu = &script.gpus[script.n++];
    *gpu = (struct gpu){
        .total = 81920, .used = 3, .reserved = 500, .temp = 30, .power = 60000, .ecc = 1};
    snprintf(gpu->name, sizeof gpu->name, "NVIDIA Fake");
    char *save = NULL, *word = strtok_r(rest, " \n", &save);
    if (word) snprintf(gpu->uuid, sizeof gpu->uuid, "%s", word);
    while ((word = strtok_r(NULL, " \n", &save))) read_key(gpu, word);
}

static void look(void) {
    static struct stat seen;
    struct stat st;
    char line[1024];
    const char *path = getenv("FAKE_NVML");
    if (!path || stat(path, &st)) return;
    if (st.st_ino == seen.st_ino && st.st_size == seen.st_size &&
        !memcmp(&st.st_mtim, &seen.st_mtim, sizeof st.st_mtim))
        return;
    seen = st;
    FILE *file = fopen(path, "re");
    if (!file) return;
    memset(&script, 0, sizeof script);
    snprintf(script.driver, sizeof script.driver, "550.54.15");
    while (fgets(line, sizeof line, file)) {
        sscanf(line, "init %d", &script.init);
        sscanf(line, "driver %63s", script.driver);
        if (!strncmp(line, "gpu ", 4)) read_gpu(line + 4);
        if (script.n_xids < MAX_XIDS &&
            sscanf(line, "xid %79s %ld", script.xids[script.n_xids].uuid,
                   &script.xids[script.n_xids].number) == 2)
            script.n_xids++;
    }
    fclose(file);
}

/* A handle is a UUID that is kept: it stays what it was when the script loses the GPU. */
static char handles[MAX_GPUS][80];

static const struct gpu *gpu_of(const void *handle, int *result) {
    look();
    *result = LOST;
    for (int i = 0; i < script.n; i++) {
        if (strcmp(script.gpus[i].uuid, handle) != 0) continue;
        *result = (int)script.gpus[i].result;
        return *result ? NULL : &script.gpus[i];
    }
    return NULL;
}

/* --- Whole ------------------------------------------------------------------------------------ */

EXPORT int NEWER(nvmlInit_v2, nvmlInit)(void);
EXPORT int NEWER(nvmlInit_v2, nvmlInit)(void) {
    look();
    return script.init;
}
EXPORT int nvmlShutdown(void);
EXPORT int nvmlShutdown(void) {
    return 0;
}
EXPORT int nvmlSystemGetDriverVersion(char *out, unsigned n);
EXPORT int nvmlSystemGetDriverVersion(char *out, unsigned n) {
    look();
    snprintf(out, n, "%s", script.driver);
    return 0;
}
EXPORT int NEWER(nvmlDeviceGetCount_v2, nvmlDeviceGetCount)(unsigned *n);
EXPORT int NEWER(nvmlDeviceGetCount_v2, nvmlDeviceGetCount)(unsigned *n) {
    look();
    *n = (unsigned)script.n;
    return 0;
}
EXPORT int NEWER(nvmlDeviceGetHandleByIndex_v2, nvmlDeviceGetHandleByIndex)(unsigned i, void **out);
EXPORT int NEWER(nvmlDeviceGetHandleByIndex_v2, nvmlDeviceGetHandleByIndex)(unsigned i,
                                                                            void **out) {
    look();
    if (i >= (unsigned)script.n) return 2;
    if (script.gpus[i].handle) return (int)script.gpus[i].handle;
    int k = 0;
    while (k < MAX_GPUS - 1 && handles[k][0] && strcmp(handles[k], script.gpus[i].uuid) != 0) k++;
    memcpy(handles[k], script.gpus[i].uuid, sizeof handles[k]);
    *out = handles[k];
    return 0;
}

/* --- One device ------------------------------------------------------------------------------- */

/* A function of a device: its parameters behind the handle, and what it does with gpu. */
#define PARAMETERS(...) , __VA_ARGS__
#define CALL(symbol, parameters, body)                                                             \
    EXPORT int symbol(const void *handle PARAMETERS parameters);                                   \
    EXPORT int symbol(const void *handle PARAMETERS parameters) {                                  \
        int result;                                                                                \
        const struct gpu *gpu = gpu_of(handle, &result);                                           \
        if (!gpu) return result;                                                                   \
        body;                                                                                      \
        return 0;                                                                                  \
    }

CALL(nvmlDeviceGetUUID, (char *out, unsigned n), snprintf(out, n, "%s", gpu->uuid))
CALL(nvmlDeviceGetName, (char *out, unsigned n), snprintf(out, n, "%s", gpu->name))
CALL(nvmlDeviceGetPowerUsage, (unsigned *out), if (gpu->power < 0) return UNSUPPORTED;
     *out = (unsigned)gpu->power)
CALL(nvmlDeviceGetEnforcedPowerLimit, (unsigned *out), *out = 700000)
CALL(nvmlDeviceGetEccMode, (int *now, int *later), if (gpu->ecc < 0) return UNSUPPORTED;
     *now = *later = (int)gpu->ecc)
CALL(nvmlDeviceGetTotalEccErrors, (int kind, int counter, uint64_t *out),
     if (gpu->ecc < 0) return UNSUPPORTED;
     *out = (uint64_t)gpu->errors + 1000 * (kind != 1) + 10000 * (counter != 0))
CALL(nvmlDeviceGetComputeMode, (int *out), *out = (int)gpu->mode)
CALL(nvmlDeviceGetUtilizationRates, (unsigned out[2]), if (gpu->util < 0) return UNSUPPORTED;
     out[0] = (unsigned)gpu->util; out[1] = 0)
CALL(nvmlDeviceGetMemoryInfo, (uint64_t out[3]), out[0] = (uint64_t)gpu->total << 20;
     out[2] = (uint64_t)(gpu->used + gpu->reserved) << 20; out[1] = out[0] - out[2];
     if (gpu->used < 0) return UNSUPPORTED)

static int list(long first, long n, unsigned *count, char *out) {
    enum { BYTES = NEWER(24, 16) };
    unsigned room = *count;
    *count = (unsigned)n;
    if (room < (unsigned)n) return TOO_SMALL;
    for (long i = 0; i < n; i++) {
        uint32_t pid = (uint32_t)(4000 + first + i);
        memset(out + i * BYTES, 0xFF, BYTES);
        memcpy(out + i * BYTES, &pid, sizeof pid);
    }
    return 0;
}

#ifdef FAKE_OLD
CALL(nvmlDeviceGetTemperature, (int sensor, unsigned *out), *out = (unsigned)(gpu->temp + sensor))
CALL(nvmlDeviceGetPciInfo, (char out[36]), memset(out, 0, 36);
     snprintf(out, 16, "0000:%02X:00.0", (int)(gpu - script.gpus) + 1))
CALL(nvmlDeviceGetComputeRunningProcesses, (unsigned *count, char *out),
     return list(0, gpu->procs, count, out))
CALL(nvmlDeviceGetGraphicsRunningProcesses, (unsigned *count, char *out),
     return list(gpu->procs - gpu->draws, gpu->draws, count, out))
#else
CALL(nvmlDeviceGetTemperatureV, (int out[3]), if (out[0] != 0x100000C) return 25;
     out[2] = (int)gpu->temp + out[1])
CALL(nvmlDeviceGetPciInfo_v3, (char out[68]), memset(out, 0, 68);
     snprintf(out + 36, 32, "00000000:%02X:00.0", (int)(gpu - script.gpus) + 1))
CALL(nvmlDeviceGetMemoryInfo_v2, (uint64_t out[5]), if ((uint32_t)out[0] != 0x2000028) return 25;
     out[1] = (uint64_t)gpu->total << 20; out[2] = (uint64_t)gpu->reserved << 20;
     out[4] = (uint64_t)gpu->used << 20; out[3] = out[1] - out[2] - out[4];
     if (gpu->used < 0) return UNSUPPORTED)
CALL(nvmlDeviceGetComputeRunningProcesses_v3, (unsigned *count, char *out),
     return list(0, gpu->procs, count, out))
CALL(nvmlDeviceGetGraphicsRunningProcesses_v3, (unsigned *count, char *out),
     return list(gpu->procs - gpu->draws, gpu->draws, count, out))
CALL(nvmlDeviceGetMPSComputeRunningProcesses_v3, (unsigned *count, char *out),
     return list(0, 0, count, out))
CALL(nvmlDeviceGetMigMode, (unsigned *now, unsigned *later), *now = *later = (unsigned)gpu->mig;
     if (gpu->mig < 0) return UNSUPPORTED)
CALL(nvmlDeviceGetRemappedRows, (unsigned *a, unsigned *b, unsigned *pending, unsigned *failed),
     *a = *b = *failed = 0;
     *pending = (unsigned)gpu->pending)

struct field {
    uint32_t id, scope;
    int64_t timestamp, latency;
    int32_t type, result;
    uint64_t value;
};
CALL(nvmlDeviceGetFieldValues, (int n, struct field *fields), (void)n;
     fields[0].result = fields[0].id == 230 ? 0 : UNSUPPORTED;
     fields[0].value = (uint64_t)gpu->action)

/* --- Events ----------------------------------------------------------------------------------- */

struct event {
    const void *device;
    uint64_t type, data;
    uint32_t gpu, compute;
};

EXPORT int nvmlEventSetCreate(int **out);
EXPORT int nvmlEventSetCreate(int **out) {
    static int n_told;
    look();
    n_told = script.n_xids;
    *out = &n_told;
    return 0;
}
EXPORT int nvmlEventSetFree(int *set);
EXPORT int nvmlEventSetFree(int *set) {
    (void)set;
    return 0;
}
CALL(nvmlDeviceRegisterEvents, (uint64_t types, int *set), (void)gpu; (void)set;
     if (types != 8) return 2)
EXPORT int nvmlEventSetWait_v2(int *set, struct event *out, unsigned timeout_ms);
EXPORT int nvmlEventSetWait_v2(int *set, struct event *out, unsigned timeout_ms) {
    (void)timeout_ms;
    look();
    if (*set >= script.n_xids) return TIMEOUT;
    static char uuid[80];
    memcpy(uuid, script.xids[*set].uuid, sizeof uuid);
    *out = (struct event){.device = uuid, .type = 8, .data = (uint64_t)script.xids[*set].number};
    ++*set;
    return 0;
}
#endif
