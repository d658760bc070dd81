/* process_id.h - which process something belongs to, as a line of text that processes of other
 * containers and machines can read: for files that say who made them.
 */
#ifndef XL_BASE_PROCESS_ID_H
#define XL_BASE_PROCESS_ID_H

#include "base/status.h"

/* boot "-": not known. start: clock ticks since boot. */
struct xl_process_id {
    char host[80], boot[48];
    unsigned long long pid_namespace, start;
    int pid;
};

/* This process. */
struct xl_process_id xl_process_self(void);

/* "host HOST boot ID namespace N process PID start TICKS" and a newline. */
enum { XL_PROCESS_ID_MAX = 256 };
void xl_process_id_write(const struct xl_process_id *id, char out[XL_PROCESS_ID_MAX]);

/* The line that a text begins with. False: it is none, or not yet a whole one. */
bool xl_process_id_read(const char *text, struct xl_process_id *out);

/* Whether its number means the same here: this host, and this container of it. */
bool xl_process_is_here(const struct xl_process_id *id);

/* Whether the process has surely ended: its machine was started again, or its number is free or
 * another's. Of other machines and other containers nothing can be told: false. */
bool xl_process_has_ended(const struct xl_process_id *id);

#endif
