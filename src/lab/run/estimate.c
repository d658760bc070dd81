/* estimate.c - operations and bytes from the plans, speed from what was logged here before. */
#include "lab/run/estimate.h"

#include "base/memory.h"
#include "base/threads.h"
#include "lab/log/job_log.h"
#include "lab/run/request.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

/* A PNG of a photograph takes about two bytes a pixel. */
enum { BYTES_PER_PIXEL = 2, MAX_LINES = 64 };

/* Where nothing was logged yet: the order of magnitude of a present-day core, and of a GPU. */
static const double ASSUMED_TFLOP_PER_S_CORE[] = {[XL_PRECISION_F32] = 0.1,
                                                  [XL_PRECISION_BF16] = 0.3,
                                                  [XL_PRECISION_F16] = 0.1,
                                                  [XL_PRECISION_F8] = 0.1};
static const double ASSUMED_TFLOP_PER_S_GPU[] = {[XL_PRECISION_F32] = 20,
                                                 [XL_PRECISION_BF16] = 100,
                                                 [XL_PRECISION_F16] = 100,
                                                 [XL_PRECISION_F8] = 150};

enum { N_PRECISIONS = sizeof ASSUMED_TFLOP_PER_S_GPU / sizeof *ASSUMED_TFLOP_PER_S_GPU };

/* --- Speed ------------------------------------------------------------------------------------ */

/* Speeds of the newest lines that were drawn with this device and precision. */
struct speeds {
    const char *device, *precision;
    double at[MAX_LINES];
    int n;
};

static bool says(const json_t *line, const char *key, const char *text) {
    const char *value = json_string_value(json_object_get(line, key));
    return value && text && !strcmp(value, text);
}

static enum xl_status read_speed(void *user, const json_t *line, int64_t number,
                                 struct xl_err *err) {
    struct speeds *speeds = user;
    (void)number, (void)err;
    double tflop = json_number_value(json_object_get(line, "tflop"));
    double seconds = json_number_value(json_object_get(line, "sample_s")) +
                     json_number_value(json_object_get(line, "decode_s"));
    if (tflop > 0 && seconds > 0 && says(line, "device", speeds->device) &&
        says(line, "precision", speeds->precision))
        speeds->at[speeds->n++ % MAX_LINES] = tflop / seconds;
    return XL_OK;
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* The median of what was logged; false when nothing was. */
static bool measured_speed(const char *output_dir, struct speeds *speeds, double *tflop_per_s) {
    struct xl_job_logs logs = {0};
    if (xl_job_log_list(output_dir, &logs, NULL)) return false;
    for (int i = 0; i < logs.n; i++)
        if (xl_job_log_read(logs.paths[i], read_speed, speeds, NULL, NULL)) continue;
    xl_job_logs_free(&logs);
    int n = speeds->n < MAX_LINES ? speeds->n : MAX_LINES;
    if (!n) return false;
    qsort(speeds->at, (size_t)n, sizeof *speeds->at, ascending);
    *tflop_per_s = speeds->at[n / 2];
    return true;
}

/* --- Work ------------------------------------------------------------------------------------- */

/* What the work is asked of. */
struct work {
    const struct xl_settings *settings;
    const struct xl_sweep *sweep;
    struct xl_device *device;
    double tflop_per_s[N_PRECISIONS]; /* 0: not looked up yet */
    bool is_guess;                    /* a speed that no log tells */
};

/* How fast a precision that is asked for is drawn with here. */
static double speed_of(struct work *work, enum xl_precision asked) {
    enum xl_precision precision = xl_device_precision(work->device, asked);
    double *speed = &work->tflop_per_s[precision];
    struct speeds speeds = {.device = xl_device_info(work->device)->name,
                            .precision = xl_precision_name(precision)};
    if (*speed > 0 || measured_speed(work->settings->output_dir, &speeds, speed)) return *speed;
    work->is_guess = true;
    *speed = strcmp(speeds.device, "cuda") ? xl_cpu_count() * ASSUMED_TFLOP_PER_S_CORE[precision]
                                           : ASSUMED_TFLOP_PER_S_GPU[precision];
    return *speed;
}

/* Add what cells order[first..last) of one shape take. */
static enum xl_status add_shape(struct work *work, struct xl_model *model, int first, int last,
                                struct xl_estimate *estimate, struct xl_err *err) {
    const struct xl_sweep *sweep = work->sweep;
    const struct xl_cell *cell = &sweep->cells[sweep->order[first]];
    struct xl_picture picture;
    struct xl_rung rung = {cell->vae_tile, 1, cell->width, cell->height};
    struct xl_request request = xl_cells_request(sweep, &sweep->order[first], 1, &rung, &picture);
    struct xl_image blank = {cell->width, cell->height, NULL};
    if (cell->init_image) request.init = &blank;
    struct xl_need need;
    enum xl_status status = xl_model_need(work->device, model, &request, &need, err);
    if (status) return status;
    int n = last - first;
    double tflop = n * xl_need_flops(&need, &rung, 1) / 1e12;
    estimate->tflop += tflop;
    estimate->seconds += tflop / speed_of(work, cell->precision);
    int64_t bytes = need.weight_bytes + need.work_bytes;
    if (bytes > estimate->memory_bytes) estimate->memory_bytes = bytes;
    estimate->memory_free = need.available_bytes;
    estimate->disk_bytes += (int64_t)n * cell->width * cell->height * BYTES_PER_PIXEL;
    return XL_OK;
}

static enum xl_status add_model(struct work *work, int first, int last,
                                struct xl_estimate *estimate, struct xl_err *err) {
    const struct xl_sweep *sweep = work->sweep;
    const struct xl_sweep_model *planned = &sweep->models[sweep->cells[sweep->order[first]].model];
    struct xl_model *model = NULL;
    enum xl_status status = xl_sweep_model_open(planned, &model, err);
    for (int i = first, next; !status && i < last; i = next) {
        for (next = i + 1; next < last && xl_cell_fits(&sweep->cells[sweep->order[i]],
                                                       &sweep->cells[sweep->order[next]]);)
            next++;
        status = add_shape(work, model, i, next, estimate, err);
    }
    xl_model_close(model);
    return status;
}

/* Free bytes where dir is, or where it will be made. */
static int64_t disk_free(const char *dir) {
    char path[4096];
    struct statvfs about;
    snprintf(path, sizeof path, "%s", dir);
    while (statvfs(path, &about)) {
        char *slash = strrchr(path, '/');
        if (!slash) {
            if (errno != ENOENT || !strcmp(path, ".")) return -1;
            strcpy(path, ".");
        } else {
            slash[slash == path] = 0;
        }
    }
    return (int64_t)about.f_bavail * (int64_t)about.f_frsize;
}

enum xl_status xl_estimate(const struct xl_settings *settings, const struct xl_sweep *sweep,
                           struct xl_estimate *out, struct xl_err *err) {
    struct xl_estimate estimate = {.memory_free = xl_memory_available(), /* of no picture */
                                   .disk_free = disk_free(settings->output_dir)};
    struct work work = {.settings = settings, .sweep = sweep};
    struct xl_device_params params = xl_settings_device(settings);
    enum xl_status status = xl_device_open(&params, &work.device, err);
    for (int i = 0, next; !status && i < sweep->n_cells; i = next) {
        int model = sweep->cells[sweep->order[i]].model;
        for (next = i + 1;
             next < sweep->n_cells && sweep->cells[sweep->order[next]].model == model;)
            next++;
        status = add_model(&work, i, next, &estimate, err);
    }
    if (!status)
        estimate.tflop_per_s = estimate.seconds > 0 ? estimate.tflop / estimate.seconds
                                                    : speed_of(&work, settings->precision);
    xl_device_close(work.device);
    if (status) return status;
    estimate.is_measured = !work.is_guess;
    *out = estimate;
    return XL_OK;
}
