/* mark_rows.h - marks in the index: read from their files when those changed, and joined with the
 * pictures that they are of: by path where the file there is still that picture, by cell, by
 * content.
 */
#ifndef XL_INSIGHT_MARK_ROWS_H
#define XL_INSIGHT_MARK_ROWS_H

#include "insight/index/database.h"

/* Folders of other programs' pictures that the owner named. */
struct xl_folder_list {
    char **paths;
    int n;
    bool has_changed; /* since the index was written last */
};
void xl_folder_list_free(struct xl_folder_list *list);

/* Read the marks into their tables, unless their files are as they were. In the caller's
 * transaction. Errors: XL_EINPUT unreadable; as of the database */
enum xl_status xl_mark_rows_read(struct xl_database *database, const char *output_dir,
                                 struct xl_folder_list *named, struct xl_err *err) XL_CHECKED;

/* Find the pictures of marks that have none, or whose picture went. */
enum xl_status xl_mark_rows_join(struct xl_database *database, const char *output_dir,
                                 struct xl_err *err) XL_CHECKED;

enum xl_status xl_mark_rows_differ(struct xl_database *database, const char *output_dir,
                                   bool *differ, struct xl_err *err) XL_CHECKED;

#endif
