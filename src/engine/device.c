/* device.c - opening and closing a device, and the models that it holds: which one is at work,
 * which one is being made ready. */
#include "engine/engine.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

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

/* Waits on it end by a clock that nobody sets. */
static void init_mutex(struct xl_device *device) {
    pthread_condattr_t monotonic;
    pthread_mutex_init(&device->mutex, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&device->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

enum xl_status xl_device_open(const struct xl_device_params *params, struct xl_device **out,
                              struct xl_err *err) {
    struct xl_device *device = calloc(1, sizeof *device);
    if (!device) return xl_fail_nomem(err, "the device", sizeof *device);
    device->params = *params;
    init_mutex(device);
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
    device->prepares = xl_backend_compiles_aside(device->backend);
    *out = device;
    return XL_OK;
}

void xl_resident_release(struct xl_resident *resident) {
    for (struct xl_stage *stage; (stage = resident->stages);) {
        resident->stages = stage->next;
        xl_stage_free(stage);
    }
}

void xl_resident_free(struct xl_resident *resident) {
    xl_resident_release(resident);
    for (int i = 0; i < XL_N_ENCODED; i++) xl_encoded_deinit(&resident->encoded[i]);
    xl_model_close(resident->model);
    free(resident);
}

void xl_device_close(struct xl_device *device) {
    if (!device) return;
    for (struct xl_resident *resident = device->residents, *next; resident; resident = next) {
        next = resident->next;
        xl_resident_free(resident);
    }
    xl_backend_free(device->backend);
    pthread_cond_destroy(&device->changed);
    pthread_mutex_destroy(&device->mutex);
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

static const char *const precision_names[] = {"AUTO", "F32", "BF16", "F16", "F8"};

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
                                           [XL_PRECISION_F16] = XL_DTYPE_F16,
                                           [XL_PRECISION_F8] = XL_DTYPE_F16};
    enum xl_precision precision = xl_device_precision(device, asked);
    enum xl_dtype dtype = dtypes[precision];
    enum xl_status status = XL_OK;
    if (precision == XL_PRECISION_F8) status = xl_backend_check_f8(device->backend, err);
    if (!status) status = xl_backend_check_dtype(device->backend, dtype, err);
    if (!status) *out = dtype;
    return status;
}

enum xl_status xl_device_check_precision(const struct xl_device *device, enum xl_precision asked,
                                         struct xl_err *err) {
    enum xl_dtype act_dtype;
    return xl_device_act_dtype(device, asked, &act_dtype, err);
}

bool xl_device_prepares(const struct xl_device *device) {
    return device->prepares;
}

/* --- Models ----------------------------------------------------------------------------------- */

static struct xl_resident *find(const struct xl_device *device, const struct xl_model *model) {
    struct xl_resident *resident = device->residents;
    while (resident && strcmp(resident->model->info.digest, model->info.digest) != 0)
        resident = resident->next;
    return resident;
}

/* By the model's digest, so that a model that was closed and opened again is found. With the mutex
 * held. NULL: no memory */
static struct xl_resident *find_or_add(struct xl_device *device, struct xl_model *model) {
    struct xl_resident *resident = find(device, model);
    if (!resident) {
        resident = calloc(1, sizeof *resident);
        if (!resident) return NULL;
        resident->model = xl_model_ref(model);
        for (int c = 0; c < XL_N_COMPONENTS; c++)
            resident->load_total += xl_weights_bytes(model->weights[c]);
        resident->next = device->residents;
        device->residents = resident;
    }
    resident->last_used = xl_device_now(device);
    return resident;
}

uint64_t xl_device_now(struct xl_device *device) {
    return atomic_fetch_add(&device->clock, 1) + 1;
}

static int larger(int a, int b) {
    return a > b ? a : b;
}

static void widen(struct xl_part_key *key, const struct xl_part_key *by) {
    key->steps = larger(key->steps, by->steps);
    key->history = larger(key->history, by->history);
    key->noise = larger(key->noise, by->noise);
}

void xl_device_note_width(struct xl_device *device, const struct xl_part_key *key) {
    if (key->part != XL_PART_UNET) return;
    pthread_mutex_lock(&device->mutex);
    widen(&device->widest[0], key);
    pthread_mutex_unlock(&device->mutex);
}

void xl_device_widen(const struct xl_drawing *drawing, struct xl_part_key *key) {
    struct xl_device *device = drawing->device;
    if (!device->prepares || key->part != XL_PART_UNET) return;
    pthread_mutex_lock(&device->mutex);
    widen(key, &device->widest[0]);
    widen(key, &device->widest[1]);
    pthread_mutex_unlock(&device->mutex);
}

/* With the mutex held. */
static void put_to_work(struct xl_device *device, struct xl_resident *resident) {
    if (device->at_work == resident) return;
    device->at_work = resident;
    device->is_tight = false;
    device->widest[1] = device->widest[0];
    device->widest[0] = (struct xl_part_key){.steps = 0};
}

enum { ASK_MS = 50 };

void xl_device_wait_a_moment(struct xl_device *device) {
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += ASK_MS * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_cond_timedwait(&device->changed, &device->mutex, &until);
}

enum xl_status xl_device_put_to_work(struct xl_drawing *drawing, struct xl_err *err) {
    struct xl_device *device = drawing->device;
    bool goes_on = true;
    pthread_mutex_lock(&device->mutex);
    struct xl_resident *resident = find_or_add(device, drawing->model);
    while (resident && device->ahead == resident && goes_on) {
        xl_device_wait_a_moment(device);
        pthread_mutex_unlock(&device->mutex);
        goes_on = xl_drawing_progress(drawing, XL_PHASE_LOAD, atomic_load(&resident->load_done),
                                      resident->load_total);
        pthread_mutex_lock(&device->mutex);
    }
    if (resident && goes_on) {
        put_to_work(device, resident);
        drawing->resident = resident;
    }
    pthread_mutex_unlock(&device->mutex);
    if (!resident) return xl_fail_nomem(err, "a model on a device", sizeof *resident);
    return goes_on ? XL_OK : xl_fail(err, XL_ECANCELLED, "interrupted while loading");
}

enum xl_status xl_device_begin_ahead(struct xl_drawing *drawing, struct xl_err *err) {
    struct xl_device *device = drawing->device;
    pthread_mutex_lock(&device->mutex);
    struct xl_resident *resident = find_or_add(device, drawing->model);
    assert(!device->ahead);
    if (resident && resident != device->at_work) device->ahead = drawing->resident = resident;
    pthread_mutex_unlock(&device->mutex);
    return resident ? XL_OK : xl_fail_nomem(err, "a model on a device", sizeof *resident);
}

void xl_device_end_ahead(struct xl_device *device) {
    pthread_mutex_lock(&device->mutex);
    device->ahead = NULL;
    pthread_cond_broadcast(&device->changed);
    pthread_mutex_unlock(&device->mutex);
}
