/* sent_picture.h - a picture that was drawn, as other programs' APIs send it: its file, or the
 * pixels in another format, as base64.
 */
#ifndef XL_HTTP_API_SENT_PICTURE_H
#define XL_HTTP_API_SENT_PICTURE_H

#include "base/str.h"

enum xl_sent_format { XL_SENT_PNG, XL_SENT_JPEG, XL_SENT_WEBP };

/* Append the base64 of the picture at path. PNG: the file as it is, with its record; JPEG and WebP:
 * written anew, quality 1 to 100, without one. Errors: XL_EDISK the file is gone; XL_EINPUT it is
 * no picture; XL_ENOMEM */
enum xl_status xl_sent_picture_put(struct xl_str *out, const char *path, enum xl_sent_format format,
                                   int quality, struct xl_err *err) XL_CHECKED;

#endif
