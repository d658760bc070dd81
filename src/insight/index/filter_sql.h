/* filter_sql.h - a filter as the conditions of a query; for the files of this folder. */
#ifndef XL_INSIGHT_FILTER_SQL_H
#define XL_INSIGHT_FILTER_SQL_H

#include "base/str.h"
#include "insight/index/filter.h"
#include "insight/index/index_inner.h"

/* Append " WHERE ..." for the table pictures ("" where every picture is meant). Values are looked
 * up and written as numbers: no text of the caller's is in it. Errors: XL_EINVAL a column that is
 * none, or a value that its column cannot have; as of the database */
enum xl_status xl_filter_sql(struct xl_index *index, const struct xl_picture_filter *filter,
                             struct xl_str *out, struct xl_err *err) XL_CHECKED;

/* text_search.c: append the ids of the texts that are prompts with these words: "1,2,3". */
enum xl_status xl_text_search(struct xl_index *index, const char *words, struct xl_str *out,
                              struct xl_err *err) XL_CHECKED;

#endif
