/* confine.h - a process that looks at what strangers sent: it can compute, read and write what it
 * has open, and nothing else.
 */
#ifndef XL_HTTP_CONFINE_H
#define XL_HTTP_CONFINE_H

#include "base/status.h"

struct xl_confinement {
    size_t memory_bytes; /* of addresses; 0, and under sanitizers, which want terabytes: no limit */
    int cpu_s;
    size_t file_bytes; /* that it may write into one file */
};

/* For this process, from now on, and for good: limits; no new files, sockets, programs or processes
 * (a filter of system calls, on x86-64 and ARM64; elsewhere the limits alone). Errors: XL_EINTERNAL
 * the kernel refuses */
enum xl_status xl_confine(const struct xl_confinement *confinement, struct xl_err *err) XL_CHECKED;

#endif
