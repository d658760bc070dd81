/* gpu_report.h - GPUs as people and scripts read them: a table, a line.
 */
#ifndef XL_CLI_GPU_REPORT_H
#define XL_CLI_GPU_REPORT_H

#include "jobs/gpu_look.h"

/* As a table on standard output, with colours on a terminal. Errors: XL_ENOMEM */
enum xl_status xl_gpu_print_table(const struct xl_gpu_report *reports, int n,
                                  struct xl_err *err) XL_CHECKED;

/* On a line of its own, behind a time. */
void xl_gpu_print_line(const char *when, const struct xl_gpu_report *report);

#endif
