/* logs.h - the job logs of an output directory and how far each was read. A log is known again by
 * its inode and by digests of its beginning and of what was read last: one that grew is read on,
 * one that was renamed (rotated) keeps its pictures, one that was replaced, cut or removed loses
 * them.
 */
#ifndef XL_INSIGHT_LOGS_H
#define XL_INSIGHT_LOGS_H

#include "insight/index/load.h"

struct xl_logs_change {
    int64_t n_pictures, n_lines; /* that came in */
    bool has_lost;               /* pictures went away: records may have to stand in for a log */
};

/* Bring the tables up to the logs of output_dir: jobs*.log, and with an end after that (jobs.log.1,
 * jobs.log-20260101) what a rotation leaves. In the caller's transaction. Errors: XL_EINPUT the
 * folder or a log is unreadable; as of the database */
enum xl_status xl_logs_update(struct xl_database *database, const char *output_dir,
                              struct xl_pool *pool, struct xl_row_writer *rows,
                              struct xl_logs_change *change, struct xl_err *err) XL_CHECKED;

/* Packed logs there (jobs.log.2.gz), which are not read: how many. */
int xl_logs_packed(const char *output_dir);

/* Whether anything has to be read: a look at names, sizes and inodes alone. */
enum xl_status xl_logs_differ(struct xl_database *database, const char *output_dir, bool *differ,
                              struct xl_err *err) XL_CHECKED;

#endif
