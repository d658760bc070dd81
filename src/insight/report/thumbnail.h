/* thumbnail.h - a picture, small, inside a page. */
#ifndef XL_INSIGHT_REPORT_THUMBNAIL_H
#define XL_INSIGHT_REPORT_THUMBNAIL_H

#include "base/str.h"

/* Append "data:image/png;base64,..." of a picture's file, whose longer side becomes `side` at most.
 * Nothing is appended on failure. Errors: XL_EINPUT it cannot be read; XL_ENOMEM */
enum xl_status xl_thumbnail(const char *path, int side, struct xl_str *out,
                            struct xl_err *err) XL_CHECKED;

#endif
