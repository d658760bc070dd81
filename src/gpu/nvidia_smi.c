/* nvidia_smi.c - readings by the program nvidia-smi, where NVML cannot be loaded: what it is asked,
 * and how its tables are read. A table has its columns' names in its first line, so it is read the
 * same whatever the driver's age; a column that an old one does not know is not asked for twice.
 */
#include "base/command.h"
#include "gpu/source.h"
#include "gpu/xid.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define OLD_COLUMNS                                                                                \
    "index,uuid,name,pci.bus_id,memory.total,memory.used,utilization.gpu,temperature.gpu,"         \
    "power.draw,power.limit,ecc.mode.current,ecc.errors.uncorrected.volatile.total,compute_mode"

enum { LIMIT_S = 30, MAX_COLUMNS = 32, CELL = 128 };

/* --- Cells ------------------------------------------------------------------------------------ */

enum kind { TEXT, NUMBER, MEBIBYTES, REAL, ON_OFF, MODE };

static const struct {
    const char *name;
    enum kind kind;
    size_t offset, size;
} columns[] = {
#define AT(field) offsetof(struct xl_gpu, field), sizeof(((struct xl_gpu *)0)->field)
    {"index", NUMBER, AT(index)},
    {"uuid", TEXT, AT(uuid)},
    {"name", TEXT, AT(name)},
    {"pci.bus_id", TEXT, AT(bus)},
    {"memory.total", MEBIBYTES, AT(memory_bytes)},
    {"memory.used", MEBIBYTES, AT(used_bytes)},
    {"utilization.gpu", NUMBER, AT(utilization)},
    {"temperature.gpu", NUMBER, AT(temperature)},
    {"power.draw", REAL, AT(power_w)},
    {"power.limit", REAL, AT(power_limit_w)},
    {"mig.mode.current", ON_OFF, AT(mig)},
    {"ecc.mode.current", ON_OFF, AT(ecc)},
    {"ecc.errors.uncorrected.volatile.total", NUMBER, AT(ecc_errors)},
    {"compute_mode", MODE, AT(compute_mode)},
#undef AT
};
enum { N_COLUMNS = sizeof columns / sizeof *columns };

/* "[GPU is lost]", "[Unknown Error]" instead of a value say that something is wrong with the GPU;
 * "[N/A]", "N/A", "[Not Supported]" and "[Insufficient Permissions]" only that it is not told. */
static void read_bracket(const char *cell, struct xl_gpu *gpu) {
    if (gpu->fault[0]) return;
    if (strcasestr(cell, "lost"))
        snprintf(gpu->fault, sizeof gpu->fault, "fell off the bus; the host has to be rebooted");
    else if (strcasestr(cell, "reset"))
        snprintf(gpu->fault, sizeof gpu->fault,
                 "has to be reset (nvidia-smi --gpu-reset, or a reboot)");
    else if (strcasestr(cell, "error"))
        snprintf(gpu->fault, sizeof gpu->fault, "does not answer (nvidia-smi: %.60s)", cell);
}

static void read_number(const char *cell, enum kind kind, void *at, size_t size) {
    char *end;
    double value = strtod(cell, &end);
    if (end == cell || value < 0) return;
    if (kind == MEBIBYTES) value *= 1 << 20;
    if (!(value < 9e18)) return; /* nor "nan" */
    if (kind == REAL)
        *(double *)at = value;
    else if (size == sizeof(int64_t))
        *(int64_t *)at = (int64_t)value;
    else if (value < 1 << 30)
        *(int *)at = (int)value;
}

static void read_cell(const char *cell, int column, struct xl_gpu *gpu) {
    char *at = (char *)gpu + columns[column].offset;
    switch (columns[column].kind) {
    case TEXT:
        if (cell[0] == '[') break;
        snprintf(at, columns[column].size, "%s", cell);
        return;
    case NUMBER:
    case MEBIBYTES:
    case REAL:
        read_number(cell, columns[column].kind, at, columns[column].size);
        break;
    case ON_OFF:
        if (!strcasecmp(cell, "Enabled")) *(int *)(void *)at = 1;
        if (!strcasecmp(cell, "Disabled")) *(int *)(void *)at = 0;
        break;
    case MODE:
        if (!strcasecmp(cell, "Default")) *(int *)(void *)at = 0;
        if (!strcasecmp(cell, "Prohibited")) *(int *)(void *)at = 2;
        if (!strncasecmp(cell, "Exclusive", 9)) *(int *)(void *)at = 3;
        break;
    }
    if (cell[0] == '[') read_bracket(cell, gpu);
}

/* --- Lines ------------------------------------------------------------------------------------ */

/* The next cell of a line, without blanks around it; *at is moved behind its comma. False: none */
static bool next_cell(const char **at, const char *end, char out[CELL]) {
    if (!*at || *at > end) return false;
    const char *comma = memchr(*at, ',', (size_t)(end - *at));
    const char *from = *at, *to = comma ? comma : end;
    *at = comma ? comma + 1 : NULL;
    while (from < to && strchr(" \t", *from)) from++;
    while (to > from && strchr(" \t\r", to[-1])) to--;
    snprintf(out, CELL, "%.*s", (int)(to - from), from);
    return true;
}

static const char *line_end(const char *line) {
    return line + strcspn(line, "\n");
}

/* Which of our columns each column of the table is; -1: none of them. "memory.total [MiB]" */
static int read_header(const char *line, int which[MAX_COLUMNS]) {
    char cell[CELL];
    const char *end = line_end(line);
    int n = 0;
    for (const char *at = line; n < MAX_COLUMNS && next_cell(&at, end, cell); n++) {
        cell[strcspn(cell, " [")] = 0;
        which[n] = -1;
        for (int i = 0; i < N_COLUMNS; i++)
            if (!strcmp(cell, columns[i].name)) which[n] = i;
    }
    return n;
}

static bool begins_table(const char *line) {
    return !strncmp(line, "index,", 6) || !strncmp(line, "uuid,", 5) || !strncmp(line, "name,", 5);
}

enum xl_status xl_smi_parse(const char *table, struct xl_gpu_list *out, struct xl_err *err) {
    int which[MAX_COLUMNS], n = 0;
    char cell[CELL];
    const char *line = table;
    out->n = 0;
    while (*line && !begins_table(line)) line = line_end(line) + (*line_end(line) == '\n');
    if (*line) n = read_header(line, which);
    if (!n)
        return xl_fail(err, XL_EDEVICE, "nvidia-smi lists no GPUs: \"%.*s\"",
                       (int)strcspn(table, "\r\n") < 200 ? (int)strcspn(table, "\r\n") : 200,
                       table);
    for (line = line_end(line); *line && out->n < XL_GPUS_MAX; line = line_end(line)) {
        const char *at = line + 1, *end = line_end(at);
        struct xl_gpu *gpu = &out->item[out->n];
        xl_gpu_init(gpu, -1);
        line = at;
        for (int i = 0; i < n && next_cell(&at, end, cell); i++)
            if (which[i] >= 0) read_cell(cell, which[i], gpu);
        if (gpu->index < 0) continue; /* a remark between the lines */
        xl_xid_judge(gpu);
        out->n++;
    }
    return XL_OK;
}

void xl_smi_parse_processes(const char *lines, struct xl_gpu_list *list) {
    char uuid[CELL];
    for (int i = 0; i < list->n; i++) list->item[i].n_processes = 0;
    for (const char *line = lines; *line; line = line_end(line) + (*line_end(line) == '\n')) {
        const char *at = line;
        if (!next_cell(&at, line_end(line), uuid)) continue;
        for (int i = 0; i < list->n; i++)
            if (uuid[0] && !strcmp(list->item[i].uuid, uuid)) list->item[i].n_processes++;
    }
}

/* --- Asking ----------------------------------------------------------------------------------- */

static enum xl_status ask(const char *what, struct xl_str *said, int *code, struct xl_err *err) {
    const char *const argv[] = {"nvidia-smi", what, "--format=csv,nounits", NULL};
    xl_str_deinit(said);
    return xl_command_read(argv, LIMIT_S, said, NULL, code, err);
}

enum xl_status xl_smi_read(struct xl_gpu_list *out, struct xl_err *err) {
    struct xl_str said = {0};
    int code = 0;
    enum xl_status status = ask("--query-gpu=" OLD_COLUMNS ",mig.mode.current", &said, &code, err);
    if (!status && said.text && strstr(said.text, "not a valid field"))
        status = ask("--query-gpu=" OLD_COLUMNS, &said, &code, err);
    if (!status && code == 127)
        status = xl_fail(err, XL_EDEVICE, "there is no nvidia-smi");
    else if (!status && code < 0)
        status = xl_fail(err, XL_EDEVICE,
                         "nvidia-smi did not answer within %d s; a GPU may hang, see the kernel's "
                         "log",
                         LIMIT_S);
    else if (!status)
        status = xl_smi_parse(said.text ? said.text : "", out, err);
    if (!status) status = ask("--query-compute-apps=gpu_uuid,pid", &said, &code, err);
    if (!status && !code) xl_smi_parse_processes(said.text ? said.text : "", out);
    xl_str_deinit(&said);
    return status;
}
