/* command.h - run a program and read what it writes.
 */
#ifndef XL_BASE_COMMAND_H
#define XL_BASE_COMMAND_H

#include "base/str.h"

/* Run argv[0] (looked for in PATH) with standard input from nowhere, and append what it writes to
 * out and what it complains of to complaint (NULL: nowhere). After limit_s seconds it is killed:
 * nvidia-smi hangs where a GPU does, a scheduler's command where the network does.
 * *code: its exit code, 127 where there is no such program, -1 after a signal or the limit.
 * Errors: XL_ENOMEM, also for what else the system lacks */
enum xl_status xl_command_read(const char *const *argv, double limit_s, struct xl_str *out,
                               struct xl_str *complaint, int *code, struct xl_err *err) XL_CHECKED;

#endif
