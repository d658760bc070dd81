/* pictures.h - pictures of the index, page by page, one by one, and how many there are of each
 * kind. What comes back is JSON, for whoever shows it: {"path", "made_at", "cell", "loved",
 * "rating", and every column that the picture has}; seeds are texts of digits.
 */
#ifndef XL_INSIGHT_PICTURES_H
#define XL_INSIGHT_PICTURES_H

#include "insight/index/filter.h"
#include "insight/marks/marks.h"

#include <jansson.h>

/* The next n pictures behind `after`, which is "next" of the page before (NULL: from the first):
 * {"pictures": [...], "next": text or null}. Pictures that come in while somebody turns pages move
 * nothing. Caller: json_decref. Errors: XL_EINVAL a filter that says nothing, or `after` is no
 * page's; as of the index */
enum xl_status xl_pictures_page(struct xl_index *index, const struct xl_picture_filter *filter,
                                int n, const char *after, json_t **out,
                                struct xl_err *err) XL_CHECKED;

/* One picture by its id, and "record": its line of the log or the record in its file, null where
 * that is gone. Errors: XL_EINPUT there is none; as of the index */
enum xl_status xl_picture_get(struct xl_index *index, int64_t id, json_t **out,
                              struct xl_err *err) XL_CHECKED;

/* The id of a picture's row: of a file, wherever it was copied to. 0: none. Errors: XL_EINPUT no
 * picture's file; as of the index */
enum xl_status xl_picture_of_file(struct xl_index *index, const char *path, int64_t *id,
                                  struct xl_err *err) XL_CHECKED;

/* The same of a picture as a mark names it. */
enum xl_status xl_picture_of_mark(struct xl_index *index, const struct xl_marked *mark, int64_t *id,
                                  struct xl_err *err) XL_CHECKED;

/* How many pictures have which value: {"total", "loved", "facets": {COLUMN: [{"value", "pictures",
 * "loved"}, ...], ...}}, the most frequent first, for model_key, profile, size, scheduler, steps,
 * guidance, lora and run_dir. */
enum xl_status xl_pictures_facets(struct xl_index *index, const struct xl_picture_filter *filter,
                                  json_t **out, struct xl_err *err) XL_CHECKED;

#endif
