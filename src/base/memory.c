/* memory.c - /proc/meminfo, and the limit of a version 2 control group. */
#include "base/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* The number after `name` in /proc/meminfo, in bytes. */
static int64_t system_bytes(const char *name) {
    FILE *file = fopen("/proc/meminfo", "re");
    if (!file) return XL_MEMORY_UNKNOWN;
    char line[128];
    int64_t kib, result = XL_MEMORY_UNKNOWN;
    while (fgets(line, sizeof line, file))
        if (!strncmp(line, name, strlen(name)) &&
            sscanf(line + strlen(name), ": %" SCNd64 " kB", &kib) == 1)
            result = kib * 1024;
    fclose(file);
    return result;
}

/* The number in a file of the control group; -1 when there is none ("max", or no such file). */
static int64_t group_number(const char *name) {
    char path[96];
    snprintf(path, sizeof path, "/sys/fs/cgroup/%s", name);
    FILE *file = fopen(path, "re");
    if (!file) return -1;
    int64_t value;
    if (fscanf(file, "%" SCNd64, &value) != 1) value = -1;
    fclose(file);
    return value;
}

int64_t xl_memory_total(void) {
    int64_t total = system_bytes("MemTotal"), limit = group_number("memory.max");
    return limit >= 0 && limit < total ? limit : total;
}

int64_t xl_memory_available(void) {
    int64_t available = system_bytes("MemAvailable");
    int64_t limit = group_number("memory.max"), used = group_number("memory.current");
    if (limit >= 0 && used >= 0 && limit - used < available) available = limit - used;
    return available > 0 ? available : 0;
}
