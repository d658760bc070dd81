/* gpu_report.h - GPUs as people and scripts read them: a table, a line, a document.
 */
#ifndef XL_CLI_GPU_REPORT_H
#define XL_CLI_GPU_REPORT_H

#include "base/lock.h"
#include "gpu/idle.h"

#include <jansson.h>

/* A GPU, why it is not idle, and who has locked it. */
struct xl_gpu_report {
    const struct xl_gpu *gpu;
    const char *busy;  /* "": idle */
    const char *owner; /* of its lock; "": nobody */
};

/* As a table on standard output, with colours on a terminal. Errors: XL_ENOMEM */
enum xl_status xl_gpu_print_table(const struct xl_gpu_report *reports, int n,
                                  struct xl_err *err) XL_CHECKED;

/* On a line of its own, behind a time. */
void xl_gpu_print_line(const char *when, const struct xl_gpu_report *report);

/* NULL: out of memory. Caller: json_decref */
json_t *xl_gpu_describe(const struct xl_gpu_report *report);

#endif
