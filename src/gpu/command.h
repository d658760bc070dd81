/* command.h - run a program and read what it writes.
 */
#ifndef XL_GPU_COMMAND_H
#define XL_GPU_COMMAND_H

#include "base/str.h"

/* Run argv[0] (looked for in PATH) with standard input and error from and to nowhere, and append
 * what it writes to out. After limit_s seconds it is killed: nvidia-smi hangs where a GPU does.
 * *code: its exit code, 127 where there is no such program, -1 after a signal or the limit.
 * Errors: XL_ENOMEM, also for what else the system lacks */
enum xl_status xl_command_read(const char *const *argv, double limit_s, struct xl_str *out,
                               int *code, struct xl_err *err) XL_CHECKED;

#endif
