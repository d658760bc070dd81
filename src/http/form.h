/* form.h - the parts of a multipart/form-data body as handlers get them: short texts in memory,
 * files in files without a name, which are gone when they are closed.
 */
#ifndef XL_HTTP_FORM_H
#define XL_HTTP_FORM_H

#include "http/multipart.h"

enum {
    XL_FORM_PARTS = 32,
    XL_FORM_TEXT_BYTES = 256 << 10, /* of a part that is no file */
};

struct xl_form_part {
    char *name, *file_name; /* file_name NULL: a text */
    char *text;             /* NUL-terminated; NULL: a file */
    int fd;                 /* a file, at its beginning once the form is whole; -1 */
    size_t n;               /* bytes */
};

struct xl_form {
    struct xl_multipart *reader;
    const char *dir; /* where files without a name may be */
    struct xl_form_part parts[XL_FORM_PARTS];
    int n;
    size_t file_max;
};

/* dir: a folder on the disk that files go to, or NULL: memory. file_max: bytes of a file; total: of
 * all. On success *out is the caller's. Errors: XL_EINVAL the content type; XL_ENOMEM */
enum xl_status xl_form_new(const char *content_type, const char *dir, size_t file_max, size_t total,
                           struct xl_form **out, struct xl_err *err) XL_CHECKED;
void xl_form_free(struct xl_form *form); /* NULL is fine */

/* Errors: those of xl_multipart_push; XL_EDISK */
enum xl_status xl_form_push(struct xl_form *form, const char *bytes, size_t n,
                            struct xl_err *err) XL_CHECKED;
enum xl_status xl_form_end(struct xl_form *form, struct xl_err *err) XL_CHECKED;
bool xl_form_is_too_large(const struct xl_form *form);

/* The first part of this name; NULL: none. */
struct xl_form_part *xl_form_find(struct xl_form *form, const char *name);
/* The only file. Errors: XL_EINVAL there is none, or more than one */
enum xl_status xl_form_file(struct xl_form *form, struct xl_form_part **out,
                            struct xl_err *err) XL_CHECKED;

#endif
