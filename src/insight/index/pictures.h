/* pictures.h - pictures of the index, page by page, one by one, and how many there are of each
 * kind. What comes back is JSON, for whoever shows it: {"path", "made_at", "cell", "loved",
 * "rating", "rejected" and "trashed" where it is, and every column that the picture has}; seeds are
 * texts of digits.
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

/* One picture by its id, with "marked_at" where it was judged, and "record": its line of the log or
 * the record in its file, null where that is gone. Errors: XL_EINPUT there is none; as of the index
 */
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

/* All pictures of a filter in its order, in short: for a view that scrolls over all of them.
 * Caller: free(out->at). Errors: XL_EINVAL as above; XL_ENOMEM; as of the index */
struct xl_picture_short {
    int64_t id;
    int width, height; /* 0: not known */
};
struct xl_picture_order {
    struct xl_picture_short *at; /* [n] */
    size_t n;
};
enum xl_status xl_pictures_order(struct xl_index *index, const struct xl_picture_filter *filter,
                                 struct xl_picture_order *out, struct xl_err *err) XL_CHECKED;

/* The id of the picture that has this cell (32 hexadecimal digits). 0: none. Errors: as of the
 * index
 */
enum xl_status xl_picture_of_cell(struct xl_index *index, const char *cell, int64_t *id,
                                  struct xl_err *err) XL_CHECKED;

#endif
