/* index.h - the index of an output directory: every picture that was drawn there, by what it was
 * made with, and the marks of its owner. It is made from files (job logs, records in pictures,
 * marks) and can be deleted at any time; opening it brings it up to date, or makes it anew when it
 * is missing, damaged or of another version.
 *
 * One process at a time writes it (a lock); readers see what was there before until it is done.
 */
#ifndef XL_INSIGHT_INDEX_H
#define XL_INSIGHT_INDEX_H

#include "base/status.h"

#include <stdint.h>

struct xl_index; /* opaque; one thread at a time */

struct xl_index_params {
    const char *output_dir;
    const char *index_dir; /* where it lies; NULL: .index in the output directory */
    int threads;           /* 0: every core */
    bool is_rollback;      /* as on network storage, for tests: no write-ahead log */
};

enum xl_index_how {
    XL_INDEX_UPDATE,  /* bring it up to date */
    XL_INDEX_REBUILD, /* make it anew */
    XL_INDEX_LOOK,    /* as it is; XL_EINPUT where there is none */
};

/* Open it. On success *out is the caller's. Errors: XL_EINPUT no output directory, or a log that
 * cannot be read; XL_EDISK the index cannot be written, or another process writes it for minutes;
 * XL_ENOMEM */
enum xl_status xl_index_open(const struct xl_index_params *params, enum xl_index_how how,
                             struct xl_index **out, struct xl_err *err) XL_CHECKED;
void xl_index_close(struct xl_index *index); /* NULL is fine */

/* What is in it and what opening it did. Texts are the index's. */
struct xl_index_report {
    const char *path;    /* of the database */
    int64_t bytes;       /* of the database */
    const char *network; /* the file system's name where it has no write-ahead log; NULL: it has */
    const char *rebuilt; /* why it was made anew ("there was none"); NULL: it was not */
    bool is_current;     /* all files are as they were when it was read */
    int64_t n_pictures, n_from_logs, n_from_records;
    int64_t n_logs, n_lines, n_damaged, n_failed;
    int64_t n_folders, n_named_folders;
    int64_t n_without_record; /* files of pictures that say nothing of themselves */
    int64_t n_disagree; /* pictures whose records say otherwise than their logs, when they were
                           checked last (check.h) */
    int64_t n_loved, n_rated, n_duels, n_unknown; /* unknown: marks of what is not in the index */
    int64_t n_new;                                /* pictures that came in */
    int n_packed;                                 /* logs that are packed and were not read */
    double seconds;
};
enum xl_status xl_index_tell(struct xl_index *index, struct xl_index_report *out,
                             struct xl_err *err) XL_CHECKED;

#endif
