/* inbox.h - what others ask of a night that runs, here or on another machine: files in its
 * directory. Keeps nothing. */
#ifndef XL_JOBS_NIGHT_INBOX_H
#define XL_JOBS_NIGHT_INBOX_H

#include "base/status.h"

#include <jansson.h>

/* --- Asking ----------------------------------------------------------------------------------- */

/* Stop it: after the pictures at hand, or at once. Errors: XL_EDISK */
enum xl_status xl_night_ask_stop(const char *dir, bool at_once, struct xl_err *err) XL_CHECKED;

/* Give a job a seed by chance, where neither it nor its sweep has one: that makes it one job
 * however often it is read. False: out of memory */
bool xl_night_seed_job(json_t *job);

/* Add jobs: objects of settings, each with a seed, which makes it one job however often it is
 * read. They are drawn next. Errors: XL_EDISK, XL_ENOMEM */
enum xl_status xl_night_ask_add(const char *dir, const json_t *jobs, struct xl_err *err) XL_CHECKED;

/* --- Being asked ------------------------------------------------------------------------------ */

enum xl_night_wish { XL_NIGHT_GOES_ON, XL_NIGHT_STOP_AFTER, XL_NIGHT_STOP_NOW };
enum xl_night_wish xl_night_asked_stop(const char *dir);
/* What was asked of an earlier process is not asked of this one. */
void xl_night_forget_stop(const char *dir);

/* Whether jobs are waiting in the inbox. */
bool xl_night_has_added(const char *dir);

/* The jobs of the inbox, oldest file first: *jobs an array, the caller's; *files the paths that
 * they came from, to be dropped when the jobs are on the disk elsewhere. A file that is no list of
 * jobs is renamed and told to refused. Errors: XL_EDISK, XL_ENOMEM */
enum xl_status xl_night_added(const char *dir, json_t **jobs, json_t **files,
                              struct xl_err *err) XL_CHECKED;
void xl_night_drop(const json_t *files);

#endif
