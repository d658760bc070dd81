/* launch.h - begin a night, or go on with one, in a process of its own that outlives this one: what
 * `sdxl-lab night CONFIG` and `sdxl-lab night resume DIR` do in a terminal.
 */
#ifndef XL_JOBS_NIGHT_LAUNCH_H
#define XL_JOBS_NIGHT_LAUNCH_H

#include "base/status.h"

struct xl_night_launch {
    const char *program;    /* NULL: this one */
    const char *output_dir; /* where its folder will be */
    const char *config;     /* its file, for a new night */
    const char *dir;        /* the folder of one to go on with; NULL: a new one */
    const char *log;        /* the file that its messages are appended to */
};

/* Returns when a process works on the night, or after half a minute: *dir (malloc'd) is its folder,
 * or NULL where it still plans. Errors: the sentence of a night that ended before it began, as
 * XL_EINPUT; XL_EDISK the log; XL_ENOMEM no process */
enum xl_status xl_night_launch(const struct xl_night_launch *launch, char **dir,
                               struct xl_err *err) XL_CHECKED;

#endif
