/* multipart.h - reading multipart/form-data (RFC 7578) piece by piece, as it comes: parts are
 * handed on while they are read, nothing of a file is kept.
 *
 * Any way to cut the bytes into pieces gives the same parts. Headers of parts are bounded; lines
 * end with CR LF and nothing else; what is no such form is refused, never guessed at.
 */
#ifndef XL_HTTP_MULTIPART_H
#define XL_HTTP_MULTIPART_H

#include "base/status.h"

#include <stddef.h>

enum {
    XL_MULTIPART_BOUNDARY_MAX = 70,  /* RFC 2046 */
    XL_MULTIPART_HEADERS_MAX = 4096, /* bytes of the headers of a part */
    XL_MULTIPART_NAME_MAX = 255,
};

struct xl_part_head {
    const char *name;      /* of the field */
    const char *file_name; /* the sender's word, for people; NULL: no file */
    const char *type;      /* Content-Type; NULL: none was said */
};

/* What is done with parts. A failure of one of them ends the reading with it. */
struct xl_multipart_sink {
    enum xl_status (*begin)(void *user, const struct xl_part_head *part, struct xl_err *err);
    enum xl_status (*data)(void *user, const char *bytes, size_t n, struct xl_err *err);
    enum xl_status (*end)(void *user, struct xl_err *err);
    void *user;
};

struct xl_multipart_limits {
    int parts;
    size_t part_bytes, total_bytes; /* of content */
};

struct xl_multipart; /* opaque; one thread at a time */

/* content_type: the header with the boundary. Errors: XL_EINVAL another type, or no boundary that
 * may be one; XL_ENOMEM */
enum xl_status xl_multipart_new(const char *content_type, const struct xl_multipart_limits *limits,
                                const struct xl_multipart_sink *sink, struct xl_multipart **out,
                                struct xl_err *err) XL_CHECKED;
void xl_multipart_free(struct xl_multipart *multipart); /* NULL is fine */

/* Errors: XL_EINVAL this is no form of parts; more than a limit (is_too_large then); those of the
 * sink. After one, only free */
enum xl_status xl_multipart_push(struct xl_multipart *multipart, const char *bytes, size_t n,
                                 struct xl_err *err) XL_CHECKED;
/* There is no more. Errors: XL_EINVAL it ends early */
enum xl_status xl_multipart_end(struct xl_multipart *multipart, struct xl_err *err) XL_CHECKED;

bool xl_multipart_is_too_large(const struct xl_multipart *multipart);

#endif
