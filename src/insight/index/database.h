/* database.h - the index's SQLite file: where it lies, how it is opened, its tables, and what
 * failures of SQLite are for people.
 *
 * A whole index is a file index-N.sqlite in its folder; the one with the highest N counts. A new
 * one is built under another name and then renamed, so readers of the old one are never disturbed,
 * and what lies beside a database (its write-ahead log) never meets another database.
 */
#ifndef XL_INSIGHT_DATABASE_H
#define XL_INSIGHT_DATABASE_H

#include "insight/index/checksum_vfs.h"

#include <stdint.h>

/* In its folder: the file whose lock (base/lock.h) a process has that writes. */
#define XL_DATABASE_LOCK ".lock"

struct xl_database {
    sqlite3 *sql;
    char *dir, *path; /* malloc'd */
    int64_t generation;
    const char *network; /* the file system's name where it is one of a network, which has no
                            write-ahead log; NULL: it is local */
    bool has_no_locks;   /* the file system has none: nothing is written in place, see below */
    bool is_damaged;     /* a failure was one of damage: build it anew */
};

/* Open the newest in dir. XL_OK with sql NULL: there is none. Errors: XL_EINPUT damaged, or made by
 * another version (is_damaged is set); XL_EDISK; XL_ENOMEM */
enum xl_status xl_database_open(const char *dir, bool is_rollback, struct xl_database *out,
                                struct xl_err *err) XL_CHECKED;

/* Begin one that nobody sees yet; fast to fill, and lost when the machine stops.
 * Errors: XL_EDISK, XL_ENOMEM */
enum xl_status xl_database_create(const char *dir, bool is_rollback, struct xl_database *out,
                                  struct xl_err *err) XL_CHECKED;

/* Begin one as xl_database_create does, with all that another one has. Where there are no locks an
 * update is made so, and readers keep what they have open. Errors: as above */
enum xl_status xl_database_copy(const struct xl_database *from, struct xl_database *out,
                                struct xl_err *err) XL_CHECKED;

/* Make the indices of a new one, when the logs are in it. */
enum xl_status xl_database_index(struct xl_database *database, struct xl_err *err) XL_CHECKED;

/* Put it in the place of all others and open it as they were. Errors: as above */
enum xl_status xl_database_finish(struct xl_database *database, struct xl_err *err) XL_CHECKED;

/* Close; one that was not finished is removed. */
void xl_database_close(struct xl_database *database);

/* Write the last failure of SQLite as a sentence. */
enum xl_status xl_database_fail(struct xl_database *database, struct xl_err *err);

/* Run statements that give no rows. */
enum xl_status xl_database_run(struct xl_database *database, const char *statements,
                               struct xl_err *err) XL_CHECKED;

/* Prepare a statement; *out: the caller's (sqlite3_finalize). */
enum xl_status xl_database_prepare(struct xl_database *database, const char *text,
                                   sqlite3_stmt **out, struct xl_err *err) XL_CHECKED;

/* Step through a statement that gives no rows and reset it. */
enum xl_status xl_database_step(struct xl_database *database, sqlite3_stmt *statement,
                                struct xl_err *err) XL_CHECKED;

/* Step to the next row; false at the end and after a failure, which *status has then. */
bool xl_database_row(struct xl_database *database, sqlite3_stmt *statement, enum xl_status *status,
                     struct xl_err *err);

/* The number that a query gives, or `otherwise` where it gives none; binds `with` to ?1 when it has
 * one. */
enum xl_status xl_database_number(struct xl_database *database, const char *query, int64_t with,
                                  int64_t *out, struct xl_err *err) XL_CHECKED;

#endif
