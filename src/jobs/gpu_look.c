/* gpu_look.c - readings and locks put together. Keeps no state. */
#include "jobs/gpu_look.h"

#include "base/json.h"

#include <stdlib.h>

bool xl_gpu_report_is_idle(const struct xl_gpu_report *report) {
    return !report->busy[0] && !report->owner[0];
}

enum xl_status xl_gpu_look_take(struct xl_gpus *gpus, const struct xl_card_wish *wish,
                                struct xl_gpu_look *look, struct xl_err *err) {
    const char *dir = xl_card_lock_dir(wish->lock_dir);
    xl_gpu_look_deinit(look);
    look->hidden = XL_OK;
    enum xl_status status = xl_idle_watch(gpus, &wish->rule, &look->idle, err);
    for (int i = 0; !status && i < look->idle->list.n; i++) {
        const struct xl_gpu *gpu = &look->idle->list.item[i];
        struct xl_err why = {0};
        enum xl_status seen = xl_card_look(dir, gpu->uuid, look->owners[i], &why);
        if (seen) {
            look->owners[i][0] = 0;
            look->hidden = xl_fail(&look->why_hidden, seen, "%s", why.text);
        }
        look->reports[i] = (struct xl_gpu_report){gpu, look->idle->busy[i], look->owners[i]};
    }
    return status;
}

void xl_gpu_look_deinit(struct xl_gpu_look *look) {
    free(look->idle);
    look->idle = NULL;
}

/* --- JSON ------------------------------------------------------------------------------------- */

/* Unknown is null. */
static json_t *number(int64_t value) {
    return value < 0 ? json_null() : json_integer(value);
}
static json_t *on_off(int value) {
    return value < 0 ? json_null() : json_boolean(value);
}
static json_t *real(double value) {
    return value < 0 ? json_null() : json_real(value);
}
static json_t *text(const char *value) {
    return xl_json_text(value[0] ? value : NULL);
}

json_t *xl_gpu_describe(const struct xl_gpu_report *report) {
    const struct xl_gpu *gpu = report->gpu;
    json_t *object = json_object();
    bool ok = object != NULL;
    xl_json_put(object, "index", json_integer(gpu->index), &ok);
    xl_json_put(object, "uuid", text(gpu->uuid), &ok);
    xl_json_put(object, "name", text(gpu->name), &ok);
    xl_json_put(object, "bus", text(gpu->bus), &ok);
    xl_json_put(object, "idle", json_boolean(xl_gpu_report_is_idle(report)), &ok);
    xl_json_put(object, "busy", text(report->busy), &ok);
    xl_json_put(object, "locked_by", text(report->owner), &ok);
    xl_json_put(object, "memory_bytes", number(gpu->memory_bytes), &ok);
    xl_json_put(object, "used_bytes", number(gpu->used_bytes), &ok);
    xl_json_put(object, "utilization", number(gpu->utilization), &ok);
    xl_json_put(object, "processes", number(gpu->n_processes), &ok);
    xl_json_put(object, "temperature", number(gpu->temperature), &ok);
    xl_json_put(object, "power_w", real(gpu->power_w), &ok);
    xl_json_put(object, "power_limit_w", real(gpu->power_limit_w), &ok);
    xl_json_put(object, "mig", on_off(gpu->mig), &ok);
    xl_json_put(object, "ecc", on_off(gpu->ecc), &ok);
    xl_json_put(object, "ecc_errors", number(gpu->ecc_errors), &ok);
    xl_json_put(object, "pending_repair", on_off(gpu->pending_repair), &ok);
    xl_json_put(object, "compute_mode", number(gpu->compute_mode), &ok);
    xl_json_put(object, "recovery_action", number(gpu->recovery_action), &ok);
    xl_json_put(object, "xid", number(gpu->xid), &ok);
    xl_json_put(object, "fault", text(gpu->fault), &ok);
    return xl_json_finish(object, ok);
}

json_t *xl_gpu_look_describe(const struct xl_gpus *gpus, const struct xl_gpu_look *look) {
    json_t *document = json_object(), *array = json_array();
    bool ok = document && array;
    for (int i = 0; i < look->idle->list.n; i++)
        ok &= !json_array_append_new(array, xl_gpu_describe(&look->reports[i]));
    xl_json_put(document, "source", json_string(xl_gpus_source(gpus)), &ok);
    xl_json_put(document, "gpus", array, &ok);
    return xl_json_finish(document, ok);
}
