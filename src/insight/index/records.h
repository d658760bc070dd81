/* records.h - pictures that no log names: those of the output directory whose log is gone, those of
 * them that are in the trash, and those of folders that the owner named, whatever program drew
 * them. What they say of themselves is read once and kept until the file changes; a folder is
 * listed again when something in it came or went.
 */
#ifndef XL_INSIGHT_RECORDS_H
#define XL_INSIGHT_RECORDS_H

#include "base/threads.h"
#include "insight/index/rows.h"

struct xl_records_params {
    const char *output_dir;
    const char *const *named; /* [n_named] folders of the owner's, from the root */
    int n_named;
    bool look_everywhere; /* a log was lost, or a folder named anew: list every folder */
};

/* Bring the tables up to the folders. n_pictures: how many came in. In the caller's transaction.
 * Folders that cannot be read are warned of. Errors: as of the database */
enum xl_status xl_records_update(struct xl_database *database,
                                 const struct xl_records_params *params, struct xl_pool *pool,
                                 struct xl_row_writer *rows, int64_t *n_pictures,
                                 struct xl_err *err) XL_CHECKED;

/* Whether a folder that was looked through has changed since; or, unless for_sure, may have: clocks
 * of file systems are coarse. */
enum xl_status xl_records_differ(struct xl_database *database, bool for_sure, bool *differ,
                                 struct xl_err *err) XL_CHECKED;

#endif
