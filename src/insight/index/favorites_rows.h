/* favorites_rows.h - lists of favourites that people have (marks/favorites_in.h) as rows of the
 * index. */
#ifndef XL_INSIGHT_FAVORITES_ROWS_H
#define XL_INSIGHT_FAVORITES_ROWS_H

#include "insight/index/index.h"
#include "insight/marks/favorites_in.h"

/* ids: [list->n] of the rows; 0 where the index knows of none, or the item cannot be used
 * (item->why). By what is in the file; where that is gone, by its path. Errors: as of the index */
enum xl_status xl_favorites_rows(struct xl_index *index, const struct xl_favorites_in *list,
                                 int64_t *ids, struct xl_err *err) XL_CHECKED;

#endif
