/* pictures.h - every picture that was made, over the network: lists, files, thumbnails, marks,
 * trash.
 */
#ifndef XL_HTTP_API_PICTURES_H
#define XL_HTTP_API_PICTURES_H

#include "http/api/library.h"
#include "http/reply.h"
#include "insight/marks/marks.h"

/* Routes whose `user` is the library. */
/* How long ago a mark may have been said: a year. */
enum { XL_MARK_AGE_MAX_S = 31536000 };

struct xl_route_table xl_pictures_table(struct xl_library *library);

/* For the handlers of this folder: the picture that the call's {id} means, a number of the index or
 * the id of its cell. *out: {"path", "loved", ...} of the index, with its record; the caller's.
 * Errors: XL_EINVAL with 404; as of the index */
enum xl_status xl_picture_of_call(struct xl_call *call, struct xl_reply *reply, json_t **out,
                                  struct xl_err *err) XL_CHECKED;
/* The same of an id that stands elsewhere, in what `field` names (static). */
enum xl_status xl_picture_of_id(struct xl_call *call, struct xl_reply *reply, const char *field,
                                const char *id, json_t **out, struct xl_err *err) XL_CHECKED;

/* Open its file. Errors: 404 where it is gone, 410 where it is in the trash; XL_EDISK */
enum xl_status xl_picture_open(struct xl_call *call, struct xl_reply *reply, const json_t *picture,
                               int *fd, struct xl_err *err) XL_CHECKED;

/* Append a mark of the file of a descriptor, whose path is (or was, or will be) `path`. Errors:
 * XL_EINPUT no picture; XL_EDISK; XL_ENOMEM */
enum xl_status xl_picture_put_change(struct xl_library *library, int fd, const char *path,
                                     const struct xl_mark_change *change,
                                     struct xl_err *err) XL_CHECKED;

/* picture_files.c, picture_marks.c, picture_trash.c */
xl_route_fn xl_picture_get_file, xl_picture_get_thumbnail, xl_picture_put_mark;
xl_route_fn xl_picture_delete, xl_picture_restore, xl_pictures_trash, xl_pictures_restore;

#endif
