/* process_id.c - processes by host, boot, container, number and start. Keeps no state. */
#include "base/process_id.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The 22nd field of /proc/PID/stat; 0: no such process, or one that has ended and that nobody has
 * asked about yet (in a container nobody may ever). The second may hold blanks and brackets. */
static unsigned long long start_of(int pid) {
    char path[40], text[1024];
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *file = fopen(path, "re");
    if (!file) return 0;
    size_t n = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[n] = 0;
    char *at = strrchr(text, ')');
    if (at && strspn(at, ") ") == 2 && strchr("ZX", at[2])) return 0;
    for (int field = 2; at && field < 22; field++) at = strchr(at + 1, ' ');
    return at ? strtoull(at, NULL, 10) : 0;
}

struct xl_process_id xl_process_self(void) {
    struct xl_process_id id = {.boot = "-", .pid = getpid()};
    if (gethostname(id.host, sizeof id.host - 1) || !id.host[0]) strcpy(id.host, "-");
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
    if (file && fscanf(file, "%47s", id.boot) != 1) strcpy(id.boot, "-");
    if (file) fclose(file);
    struct stat st;
    if (!stat("/proc/self/ns/pid", &st)) id.pid_namespace = st.st_ino;
    id.start = start_of(id.pid);
    return id;
}

void xl_process_id_write(const struct xl_process_id *id, char out[XL_PROCESS_ID_MAX]) {
    snprintf(out, XL_PROCESS_ID_MAX, "host %s boot %s namespace %llu process %d start %llu\n",
             id->host, id->boot, id->pid_namespace, id->pid, id->start);
}

bool xl_process_id_read(const char *text, struct xl_process_id *id) {
    return sscanf(text, "host %79s boot %47s namespace %llu process %d start %llu", id->host,
                  id->boot, &id->pid_namespace, &id->pid, &id->start) == 5;
}

bool xl_process_is_here(const struct xl_process_id *id) {
    struct xl_process_id me = xl_process_self();
    return !strcmp(id->host, me.host) && id->pid_namespace == me.pid_namespace;
}

bool xl_process_has_ended(const struct xl_process_id *id) {
    struct xl_process_id me = xl_process_self();
    if (strcmp(id->host, me.host) != 0 || !strcmp(me.boot, "-")) return false;
    if (strcmp(id->boot, me.boot) != 0) return true;
    if (id->pid_namespace != me.pid_namespace) return false;
    if (kill(id->pid, 0) && errno == ESRCH) return true;
    return start_of(id->pid) != id->start;
}
