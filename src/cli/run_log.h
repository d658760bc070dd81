/* run_log.h - what a job wrote into its log: its last words, and where its run can be gone on with.
 */
#ifndef XL_CLI_RUN_LOG_H
#define XL_CLI_RUN_LOG_H

#include "base/arena.h"

#include <sys/types.h>

/* Open a log to append to. *end: where it ends now. Errors: XL_EDISK */
enum xl_status xl_run_log_open(const char *path, int *fd, off_t *end,
                               struct xl_err *err) XL_CHECKED;

/* A line that says what begins or ended, with the time. */
void xl_run_log_note(int fd, const char *format, ...) XL_PRINTF(2, 3);

/* Of what was written behind `from`: the last error's sentence, else the last line, and the run
 * directory that its summary tells to resume, or, after an end without a summary, that its last
 * picture is in; "" and NULL where there is none. output: where XL_CONTAINER_OUTPUT, which paths
 * may begin with, is on this host. In the arena. */
void xl_run_log_read(const char *path, off_t from, const char *output, struct xl_arena *arena,
                     const char **error, const char **run_dir);

#endif
