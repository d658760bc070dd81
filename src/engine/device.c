/* device.c - opening and closing a device, and the models that it holds. Owned by one thread at a
 * time; the models behind its residents may be shared with other threads. */
#include "engine/engine.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void xl_device_params_default(struct xl_device_params *params) {
    *params = (struct xl_device_params){.name = "auto"};
}

/* N of "cuda:N", 0 of "cuda"; -1: another name. */
static int cuda_index(const char *name) {
    if (strncasecmp(name, "cuda", 4)) return -1;
    if (!name[4]) return 0;
    if (name[4] != ':' || !isdigit((unsigned char)name[5])) return -1;
    char *end;
    long index = strtol(name + 5, &end, 10);
    return *end || index >= XL_CUDA_DEVICES_MAX ? -1 : (int)index;
}

enum xl_status xl_device_check_name(const char *name, struct xl_err *err) {
    static const char *const names[] = {"auto", "cpu", "reference"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcasecmp(name, names[i])) return XL_OK;
    if (cuda_index(name) >= 0) return XL_OK;
    return xl_fail(
        err, XL_EINVAL,
        "there is no device \"%.40s\"; expected auto, cpu, cuda, cuda:N (a GPU's number, "
        "from 0) or reference",
        name);
}

/* The first GPU if it can be used. Where one may be expected and cannot, *notice says why. */
static enum xl_status open_first_gpu(struct xl_device *device, struct xl_err *err) {
    struct xl_err why = {0};
    if (!xl_cuda_is_expected() || !xl_backend_cuda(0, &device->backend, &why)) return XL_OK;
    if (asprintf(&device->notice, "computed on the CPU: %s", why.text) >= 0) return XL_OK;
    device->notice = NULL;
    return xl_fail_nomem(err, "the device", sizeof why.text);
}

static enum xl_status open_backend(struct xl_device *device, struct xl_err *err) {
    const char *name = device->params.name ? device->params.name : "auto";
    enum xl_status status = xl_device_check_name(name, err);
    if (status) return status;
    if (!strcasecmp(name, "reference")) return xl_backend_reference(&device->backend, err);
    if (cuda_index(name) >= 0) return xl_backend_cuda(cuda_index(name), &device->backend, err);
    if (!strcasecmp(name, "auto")) status = open_first_gpu(device, err);
    if (status || device->backend) return status;
    return xl_backend_cpu(device->params.n_threads, &device->backend, err);
}

enum xl_status xl_device_open(const struct xl_device_params *params, struct xl_device **out,
                              struct xl_err *err) {
    struct xl_device *device = calloc(1, sizeof *device);
    if (!device) return xl_fail_nomem(err, "the device", sizeof *device);
    device->params = *params;
    enum xl_status status = open_backend(device, err);
    if (status) {
        xl_device_close(device);
        return status;
    }
    device->info = (struct xl_device_info){
        .name = xl_backend_name(device->backend),
        .isa = xl_backend_isa(device->backend),
        .libraries = xl_backend_libraries(device->backend),
        .n_threads = xl_backend_n_threads(device->backend),
    };
    device->params.name = device->info.name; /* the caller's text may go away */
    *out = device;
    return XL_OK;
}

static void release_stages(struct xl_resident *resident) {
    for (struct xl_stage *stage; (stage = resident->stages);) {
        resident->stages = stage->next;
        xl_stage_free(stage);
    }
}

static void resident_free(struct xl_resident *resident) {
    release_stages(resident);
    for (int i = 0; i < XL_N_ENCODED; i++) xl_encoded_deinit(&resident->encoded[i]);
    xl_model_close(resident->model);
    free(resident);
}

void xl_device_close(struct xl_device *device) {
    if (!device) return;
    for (struct xl_resident *resident = device->residents, *next; resident; resident = next) {
        next = resident->next;
        resident_free(resident);
    }
    xl_backend_free(device->backend);
    free(device->notice);
    free(device);
}

const struct xl_device_info *xl_device_info(const struct xl_device *device) {
    return &device->info;
}

enum xl_precision xl_device_precision(const struct xl_device *device, enum xl_precision asked) {
    if (asked != XL_PRECISION_AUTO) return asked;
    if (xl_backend_is_native(device->backend, XL_DTYPE_F16)) return XL_PRECISION_F16;
    return xl_backend_is_native(device->backend, XL_DTYPE_BF16) ? XL_PRECISION_BF16
                                                                : XL_PRECISION_F32;
}

static const char *const precision_names[] = {"AUTO", "F32", "BF16", "F16"};

const char *xl_precision_name(enum xl_precision precision) {
    return precision_names[precision];
}

enum xl_precision xl_precision_of_name(const char *name) {
    for (int i = 0; i < (int)(sizeof precision_names / sizeof *precision_names); i++)
        if (!strcasecmp(name, precision_names[i])) return (enum xl_precision)i;
    return XL_PRECISION_AUTO;
}

enum xl_status xl_device_act_dtype(const struct xl_device *device, enum xl_precision asked,
                                   enum xl_dtype *out, struct xl_err *err) {
    static const enum xl_dtype dtypes[] = {[XL_PRECISION_F32] = XL_DTYPE_F32,
                                           [XL_PRECISION_BF16] = XL_DTYPE_BF16,
                                           [XL_PRECISION_F16] = XL_DTYPE_F16};
    enum xl_dtype dtype = dtypes[xl_device_precision(device, asked)];
    enum xl_status status = xl_backend_check_dtype(device->backend, dtype, err);
    if (!status) *out = dtype;
    return status;
}

enum xl_status xl_device_check_precision(const struct xl_device *device, enum xl_precision asked,
                                         struct xl_err *err) {
    enum xl_dtype act_dtype;
    return xl_device_act_dtype(device, asked, &act_dtype, err);
}

enum xl_status xl_device_resident(struct xl_device *device, struct xl_model *model,
                                  struct xl_resident **out, struct xl_err *err) {
    for (struct xl_resident *resident = device->residents; resident; resident = resident->next)
        if (!strcmp(resident->model->info.digest, model->info.digest)) {
            resident->last_used = ++device->clock;
            *out = resident;
            return XL_OK;
        }
    struct xl_resident *resident = calloc(1, sizeof *resident);
    if (!resident) return xl_fail_nomem(err, "a model on a device", sizeof *resident);
    resident->model = xl_model_ref(model);
    for (int c = 0; c < XL_N_COMPONENTS; c++)
        resident->load_total += xl_weights_bytes(model->weights[c]);
    resident->last_used = ++device->clock;
    resident->next = device->residents;
    device->residents = resident;
    *out = resident;
    return XL_OK;
}

/* --- Memory ---------------------------------------------------------------------------------- */

static struct xl_memory memory_of(const struct xl_device *device) {
    struct xl_memory memory;
    xl_backend_memory(device->backend, &memory);
    return memory;
}

static int64_t smaller(int64_t a, int64_t b) {
    return a < b ? a : b;
}

int64_t xl_device_available(const struct xl_device *device, int64_t held_bytes) {
    struct xl_memory memory = memory_of(device);
    int64_t available = memory.available + memory.work_bytes + memory.weight_bytes - held_bytes;
    int64_t budget = device->params.budget_bytes;
    return budget ? smaller(available, budget - held_bytes) : available;
}

/* Bytes that can be taken without giving anything up. Without a budget a tenth of what is free is
 * left to others. */
static int64_t free_bytes(const struct xl_device *device) {
    struct xl_memory memory = memory_of(device);
    int64_t budget = device->params.budget_bytes;
    if (!budget) return memory.available - memory.available / 10;
    return smaller(memory.available, budget - memory.weight_bytes - memory.work_bytes);
}

/* The same for what is kept of models that are not at work. Without a budget they may take three
 * quarters of the memory: files that are read are to find some, too. */
static int64_t idle_bytes(const struct xl_device *device) {
    struct xl_memory memory = memory_of(device);
    if (device->params.budget_bytes) return free_bytes(device);
    int64_t most = memory.total - memory.total / 4;
    return smaller(free_bytes(device), most - memory.weight_bytes - memory.work_bytes);
}

/* The resident that was used longest ago, but for one; NULL: there is no other. */
static struct xl_resident **oldest(struct xl_device *device, const struct xl_resident *but) {
    struct xl_resident **found = NULL;
    for (struct xl_resident **at = &device->residents; *at; at = &(*at)->next)
        if (*at != but && (!found || (*at)->last_used < (*found)->last_used)) found = at;
    return found;
}

/* Weights that no stage uses, but about so many bytes of those that were used last. */
static void release_idle(struct xl_device *device, int64_t wanted, int64_t but) {
    int64_t idle = memory_of(device).idle_weight_bytes - but;
    if (wanted > 0 && idle > 0) xl_backend_release(device->backend, (size_t)smaller(wanted, idle));
}

void xl_device_make_room(struct xl_device *device, struct xl_resident *at_work, int64_t bytes,
                         int64_t held_bytes) {
    release_idle(device, bytes - idle_bytes(device), held_bytes);
    for (struct xl_resident **at; idle_bytes(device) < bytes && (at = oldest(device, at_work));) {
        struct xl_resident *resident = *at;
        *at = resident->next;
        resident_free(resident);
        release_idle(device, bytes - idle_bytes(device), held_bytes);
    }
    if (free_bytes(device) < bytes) release_stages(at_work);
    release_idle(device, bytes - free_bytes(device), held_bytes);
    release_idle(device, bytes - free_bytes(device), 0);
}

void xl_device_release(struct xl_device *device) {
    for (struct xl_resident *resident = device->residents; resident; resident = resident->next)
        release_stages(resident);
}
