/* job_log.h - the job log: one JSON object a line for everything that was drawn or failed.
 *
 * A log is jobs_<instance>.log in the output directory (jobs.log when the instance has no name).
 * Its lines have the keys that the earlier app wrote and more beside them, and the reader here
 * reads its lines and those of older formats. Seeds, which the earlier app wrote as numbers, are
 * texts of digits, as they are in every other file.
 *
 * A line is at most 64 KiB and one write(2) to a descriptor with O_APPEND, then synced: it is whole
 * or absent, whoever else writes. What a crash or a full disk has torn off is closed with a newline
 * before the next line, so that it swallows nothing.
 */
#ifndef XL_LAB_JOB_LOG_H
#define XL_LAB_JOB_LOG_H

#include "lab/cell/cell.h"

#include <jansson.h>

enum { XL_JOB_LINE_MAX = 64 << 10 }; /* with its newline */

struct xl_job_log; /* opaque; any thread may append */

/* Open the log of an instance in a directory (created if missing) for this process alone. While
 * another process has it, the names <instance>_2, <instance>_3, ... are tried; a warning says which
 * was taken. A process that died owns nothing. instance NULL: xl_instance_name decides.
 * On success *out is the caller's. The lock is kept by children of fork that do not exec.
 * Errors: XL_EDISK cannot be created or written, or 999 processes have the name */
enum xl_status xl_job_log_open(const char *dir, const char *instance, struct xl_job_log **out,
                               struct xl_err *err) XL_CHECKED;

/* Open a log that other processes append to as well. is_synced: whether a line is on the disk when
 * xl_job_log_append returns. Errors: XL_EDISK */
enum xl_status xl_job_log_open_shared(const char *path, bool is_synced, struct xl_job_log **out,
                                      struct xl_err *err) XL_CHECKED;

void xl_job_log_close(struct xl_job_log *log); /* NULL is fine */

const char *xl_job_log_path(const struct xl_job_log *log);
const char *xl_job_log_instance(const struct xl_job_log *log); /* with its suffix; "" for none */

/* A picture of a job. */
struct xl_job_picture {
    uint64_t seed;
    const char *path; /* NULL: was not written */
    const char *cell; /* id of the cell, may be NULL */
};

/* What to log of a job: pictures that were asked for together and differ in nothing but the seed.
 * Texts are borrowed, any bytes, NULL is written as null. Keys of the line are called as the fields
 * unless said. */
struct xl_job_entry {
    const char *job;            /* of a queue; NULL: the line has no such key */
    const char *timestamp;      /* the stamp in the names of the pictures; NULL: now */
    bool multi_profile;         /* part of a run over several profiles */
    const struct xl_cell *cell; /* the first; its fields under their keys for the log, and mode */
    const char *model_id, *revision, *weights; /* as the hub has it; weights: the model's digest */
    const json_t
        *variant; /* an object whose members the line gets: "loras", "vae_id"; NULL: none */
    int width, height, vae_tile; /* as drawn */
    const char *fallback;        /* what was given up for want of memory; NULL: nothing */
    int batch_size;
    const struct xl_job_picture *pictures; /* keys seeds, paths (of those written), cells */
    int n_pictures;
    const json_t *scheduler_config; /* of the records; NULL: nothing was drawn */
    const json_t *drawn_by; /* an object whose members the line gets; NULL: nothing was drawn */
    const char *run_dir;
    const char *worker;    /* who drew it, of several; NULL: the line has no such key */
    enum xl_status status; /* its name */
    const char *error;     /* the sentence of a failure; NULL: none */
    double encode_s, sample_s, decode_s, total_s, tflop; /* 0: null */
    bool (*is_wanted)(void *user); /* asked at the last moment before a line is written; false: it
                                      is not; NULL: it is */
    void *user;
};

/* Append the line of a job, with format, logged_at, instance_id and version (of the program). Long
 * texts are cut and then "truncated" is true; a job with so many pictures that their paths alone
 * fill a line becomes several lines ("part" of "n_parts"), each with its share of the pictures.
 * Errors: XL_EDISK (the log is as it was before, or has lines of the first pictures), XL_ENOMEM */
enum xl_status xl_job_log_append(struct xl_job_log *log, const struct xl_job_entry *entry,
                                 struct xl_err *err) XL_CHECKED;

/* What is special about the file system of this statfs type: its name ("NFS") when appending is not
 * atomic among several machines there, or NULL. */
const char *xl_job_log_unsafe_filesystem(int64_t type);

/* ---- Reading (job_read.c) ---- */

/* Called for each line that is a JSON object, in order. object is borrowed for the call and has
 * every key that the line had. Return another status than XL_OK to stop. */
typedef enum xl_status xl_job_line_fn(void *user, const json_t *object, int64_t line,
                                      struct xl_err *err);

struct xl_job_counts {
    int64_t n_entries;
    int64_t n_damaged;     /* lines that are no JSON object; blank lines count as nothing */
    int64_t first_damaged; /* its line number, 0 for none */
};

/* Read a log from front to end in little memory. Words that Python writes and JSON does not have
 * (NaN, Infinity) become null, integers beyond 64 bits strings, halves of surrogate pairs U+FFFD.
 * counts may be NULL. Errors: XL_EINPUT unreadable; what fn returned; XL_ENOMEM */
enum xl_status xl_job_log_read(const char *path, xl_job_line_fn *fn, void *user,
                               struct xl_job_counts *counts, struct xl_err *err) XL_CHECKED;

/* The logs in a directory (jobs*.log), sorted by name. None, also no such directory: n = 0.
 * Errors: XL_EINPUT unreadable; XL_ENOMEM */
struct xl_job_logs {
    char **paths;
    int n;
};
enum xl_status xl_job_log_list(const char *dir, struct xl_job_logs *out,
                               struct xl_err *err) XL_CHECKED;
void xl_job_logs_free(struct xl_job_logs *logs);

#endif
