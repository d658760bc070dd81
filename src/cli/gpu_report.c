/* gpu_report.c - what is known of a GPU as cells, words and members. */
#include "cli/gpu_report.h"

#include "base/json.h"
#include "base/str.h"
#include "cli/table.h"
#include "gpu/xid.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { CELL = 400 };

static bool is_idle(const struct xl_gpu_report *report) {
    return !report->busy[0] && !report->owner[0];
}

static void add(char out[CELL], const char *format, ...) XL_PRINTF(2, 3);
static void add(char out[CELL], const char *format, ...) {
    size_t n = strlen(out);
    va_list args;
    va_start(args, format);
    if (n) n += (size_t)snprintf(out + n, CELL - n, "; ");
    if (n < CELL) vsnprintf(out + n, CELL - n, format, args);
    va_end(args);
}

/* Idle or not, and what a person should know of its health. */
static void write_state(const struct xl_gpu_report *report, bool says_why, char out[CELL]) {
    const struct xl_gpu *gpu = report->gpu;
    bool is_closed = gpu->fault[0] || gpu->mig == 1 || gpu->compute_mode == 2;
    bool is_silent = gpu->used_bytes < 0; /* then the other columns do not say why */
    out[0] = 0;
    if (report->busy[0]) add(out, "%s", says_why || is_closed || is_silent ? report->busy : "busy");
    if (report->owner[0]) add(out, "locked by %s", report->owner);
    if (!out[0]) add(out, "idle");
    if (gpu->xid > 0 && !gpu->fault[0]) add(out, "Xid %d: %s", gpu->xid, xl_xid_text(gpu->xid));
    if (gpu->ecc == 0) add(out, "ECC off");
    if (gpu->ecc_errors > 0)
        add(out, "%lld memory %s", (long long)gpu->ecc_errors,
            xl_plural(gpu->ecc_errors, "error", "errors"));
    if (gpu->pending_repair == 1) add(out, "wants a reset to repair memory");
}

/* A number and its unit; "-" where it is not known. */
static void write_number(double value, const char *unit, char out[CELL]) {
    snprintf(out, CELL, value < 0 ? "-" : "%.0f%s", value, unit);
}

static void write_memory(const struct xl_gpu *gpu, char out[CELL]) {
    char used[CELL], all[CELL];
    write_number(gpu->used_bytes < 0 ? -1 : (double)(gpu->used_bytes >> 20), "", used);
    write_number(gpu->memory_bytes < 0 ? -1 : (double)(gpu->memory_bytes >> 20), " MiB", all);
    bool is_known = gpu->used_bytes >= 0 || gpu->memory_bytes >= 0;
    snprintf(out, CELL, is_known ? "%.20s of %.20s" : "-", used, all);
}

enum xl_status xl_gpu_print_table(const struct xl_gpu_report *reports, int n, struct xl_err *err) {
    struct xl_table table = {.n_columns = 8, .spared = {7, 5, 1}};
    static const char *const heading[] = {"GPU",       "name",        "memory in use", "busy",
                                          "processes", "temp, power", "state",         "UUID"};
    xl_table_add(&table, heading, XL_COLOR_BOLD);
    for (int i = 0; i < n; i++) {
        const struct xl_gpu *gpu = reports[i].gpu;
        char index[CELL], memory[CELL], use[CELL], processes[CELL], degrees[CELL], power[CELL];
        char state[CELL];
        snprintf(index, sizeof index, "%d", gpu->index);
        write_memory(gpu, memory);
        write_number(gpu->utilization, " %", use);
        write_number(gpu->n_processes, "", processes);
        write_number(gpu->temperature, " C", degrees);
        write_number(gpu->power_w, " W", power);
        snprintf(degrees + strlen(degrees), 40, ", %.30s", power);
        write_state(&reports[i], false, state);
        const char *const cells[] = {
            index, gpu->name[0] ? gpu->name : "-", memory, use, processes, degrees,
            state, gpu->uuid[0] ? gpu->uuid : "-"};
        xl_table_add(&table, cells,
                     is_idle(&reports[i]) ? XL_COLOR_GREEN
                     : gpu->fault[0]      ? XL_COLOR_YELLOW
                                          : XL_COLOR_NONE);
    }
    return xl_table_print(&table, 0, err);
}

void xl_gpu_print_line(const char *when, const struct xl_gpu_report *report) {
    const struct xl_gpu *gpu = report->gpu;
    char memory[CELL], use[CELL], degrees[CELL], power[CELL], state[CELL];
    write_memory(gpu, memory);
    write_number(gpu->utilization, " %", use);
    write_number(gpu->temperature, " C", degrees);
    write_number(gpu->power_w, " W", power);
    write_state(report, true, state);
    printf("%s  %d  %s  %s  %s  %s  %s  ", when, gpu->index, gpu->uuid[0] ? gpu->uuid : "-", memory,
           use, degrees, power);
    xl_print_text(state, XL_COLOR_NONE);
    putchar('\n');
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
    xl_json_put(object, "idle", json_boolean(is_idle(report)), &ok);
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
