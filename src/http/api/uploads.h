/* uploads.h - what is sent: pictures to begin from, and pictures whose settings are asked for.
 */
#ifndef XL_HTTP_API_UPLOADS_H
#define XL_HTTP_API_UPLOADS_H

#include "http/api/library.h"
#include "http/clean.h"
#include "http/form.h"
#include "http/route.h"

/* Routes whose `user` is the library. */
struct xl_route_table xl_uploads_table(struct xl_library *library);

/* Keep the picture that a part of a form is: a job may begin from it. *path: what its init_image
 * is, in the call's arena. Errors: those of xl_picture_clean */
enum xl_status xl_upload_keep(struct xl_call *call, struct xl_library *library,
                              const struct xl_form_part *part, struct xl_clean_picture *picture,
                              const char **path, struct xl_err *err) XL_CHECKED;

#endif
