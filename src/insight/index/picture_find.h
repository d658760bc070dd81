/* picture_find.h - which row of the index a file is, wherever it lies now. */
#ifndef XL_INSIGHT_PICTURE_FIND_H
#define XL_INSIGHT_PICTURE_FIND_H

#include "insight/index/database.h"
#include "insight/marks/marks.h"

/* The statements of a search; one thread. Zero-initialise, then prepare. */
struct xl_picture_find {
    struct xl_database *database;
    const char *output_dir;
    sqlite3_stmt *by_path, *by_cell, *by_size, *put_digest, *get_digest;
    bool has_sizes; /* of pictures without a cell, all are known */
};
enum xl_status xl_picture_find_prepare(struct xl_picture_find *find, struct xl_database *database,
                                       const char *output_dir, struct xl_err *err) XL_CHECKED;
void xl_picture_find_deinit(struct xl_picture_find *find);

/* Its row's id; 0: the index knows of none. Errors: as of the database */
enum xl_status xl_picture_find(struct xl_picture_find *find, const struct xl_marked *picture,
                               int64_t *id, struct xl_err *err) XL_CHECKED;

#endif
