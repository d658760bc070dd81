/* device.c - opening and closing a device, and the models that it holds. Owned by one thread at a
 * time; the models behind its residents may be shared with other threads. */
#include "engine/engine.h"

#include <stdlib.h>
#include <string.h>

void xl_device_params_default(struct xl_device_params *params) {
    *params = (struct xl_device_params){.name = "auto"};
}

static enum xl_status open_backend(struct xl_device *device, struct xl_err *err) {
    const char *name = device->params.name ? device->params.name : "auto";
    if (!strcmp(name, "auto") || !strcmp(name, "cpu"))
        return xl_backend_cpu(device->params.n_threads, &device->backend, err);
    if (!strcmp(name, "reference")) return xl_backend_reference(&device->backend, err);
    return xl_fail(err, XL_EINVAL, "device: \"%.40s\", expected auto, cpu or reference", name);
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
        .n_threads = xl_backend_n_threads(device->backend),
    };
    device->params.name = device->info.name; /* the caller's text may go away */
    *out = device;
    return XL_OK;
}

static void resident_free(struct xl_resident *resident) {
    for (struct xl_stage *stage = resident->stages, *next; stage; stage = next) {
        next = stage->next;
        xl_stage_free(stage);
    }
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
    free(device);
}

const struct xl_device_info *xl_device_info(const struct xl_device *device) {
    return &device->info;
}

enum xl_precision xl_device_precision(const struct xl_device *device, enum xl_precision asked) {
    if (asked != XL_PRECISION_AUTO) return asked;
    return xl_backend_is_native(device->backend, XL_DTYPE_BF16) ? XL_PRECISION_BF16
                                                                : XL_PRECISION_F32;
}

const char *xl_precision_name(enum xl_precision precision) {
    static const char *const names[] = {"AUTO", "F32", "BF16"};
    return names[precision];
}

enum xl_status xl_device_resident(struct xl_device *device, struct xl_model *model,
                                  struct xl_resident **out, struct xl_err *err) {
    for (struct xl_resident *resident = device->residents; resident; resident = resident->next)
        if (!strcmp(resident->model->info.digest, model->info.digest)) {
            *out = resident;
            return XL_OK;
        }
    struct xl_resident *resident = calloc(1, sizeof *resident);
    if (!resident) return xl_fail_nomem(err, "a model on a device", sizeof *resident);
    resident->model = xl_model_ref(model);
    for (int c = 0; c < XL_N_COMPONENTS; c++)
        resident->load_total += xl_weights_bytes(model->weights[c]);
    resident->next = device->residents;
    device->residents = resident;
    *out = resident;
    return XL_OK;
}

int64_t xl_device_work_bytes(const struct xl_device *device) {
    struct xl_memory memory;
    xl_backend_memory(device->backend, &memory);
    return memory.work_bytes;
}

int64_t xl_device_available(const struct xl_device *device) {
    struct xl_memory memory;
    xl_backend_memory(device->backend, &memory);
    int64_t available = memory.available + memory.work_bytes;
    int64_t budget = device->params.budget_bytes;
    if (!budget) return available;
    budget -= memory.weight_bytes;
    return budget < available ? budget : available;
}

static void release_from(struct xl_resident *resident, const struct xl_stage *keep) {
    for (struct xl_stage **at = &resident->stages; *at;) {
        struct xl_stage *stage = *at;
        if (stage == keep) {
            at = &stage->next;
            continue;
        }
        *at = stage->next;
        xl_stage_free(stage);
    }
}

void xl_device_release(struct xl_device *device, const struct xl_stage *keep) {
    for (struct xl_resident *resident = device->residents; resident; resident = resident->next)
        release_from(resident, keep);
}
