/* gpu_report.c - what is known of a GPU as cells, words and members. */
#include "cli/gpu_report.h"

#include "base/str.h"
#include "cli/table.h"
#include "gpu/xid.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { CELL = 400 };

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
                     xl_gpu_report_is_idle(&reports[i]) ? XL_COLOR_GREEN
                     : gpu->fault[0]                    ? XL_COLOR_YELLOW
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
