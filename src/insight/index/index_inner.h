/* index_inner.h - what an open index holds; for the files of this folder that ask it. */
#ifndef XL_INSIGHT_INDEX_INNER_H
#define XL_INSIGHT_INDEX_INNER_H

#include "insight/index/database.h"
#include "insight/index/index.h"

struct xl_index {
    struct xl_database database;
    struct xl_index_params params;
    char *output_dir; /* from the root, without links */
    char *index_dir;
    const char *rebuilt;
    int64_t n_new;
    double seconds;
};

/* Do something to the tables, alone and in one transaction; damage is mended and it is done again.
 * Errors: as of opening */
typedef enum xl_status xl_index_work(struct xl_index *index, void *user, struct xl_err *err);
enum xl_status xl_index_write(struct xl_index *index, xl_index_work *work, void *user,
                              struct xl_err *err) XL_CHECKED;

/* Whether a failure was one of damage and the index has been made anew: ask again, then. Writes
 * over err when it could not be. */
bool xl_index_mended(struct xl_index *index, enum xl_status status, struct xl_err *err);

#endif
