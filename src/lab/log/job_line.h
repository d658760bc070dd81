/* job_line.h - the text of the lines of a job; for job_log.c and its tests. Keeps no state. */
#ifndef XL_LAB_JOB_LINE_H
#define XL_LAB_JOB_LINE_H

#include "lab/log/job_log.h"

/* Which pictures of a job a line holds. */
struct xl_job_part {
    int first, n;    /* pictures */
    int part, parts; /* 1 .. parts */
};

/* The part that begins with picture `first`: as many pictures as fit beside cut texts. `part` and
 * `parts` are left 0. */
struct xl_job_part xl_job_part_at(const struct xl_job_entry *entry, int first);

/* The line of a part with its newline, at most XL_JOB_LINE_MAX bytes. *text is malloc'd, the
 * caller's. Errors: XL_ENOMEM */
enum xl_status xl_job_line(const struct xl_job_entry *entry, const char *instance,
                           struct xl_job_part part, char **text, size_t *n,
                           struct xl_err *err) XL_CHECKED;

#endif
