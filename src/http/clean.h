/* clean.h - a picture that a stranger sent becomes a clean PNG: decoded and written anew by a
 * process that can do nothing else (confine.h), so whatever else was in the file is gone.
 *
 * PNG, JPEG and WebP, told by their first bytes; dimensions are looked at before anything is
 * decoded: at most 64 megapixels, files of at most 256 MiB (image/image.h).
 */
#ifndef XL_HTTP_CLEAN_H
#define XL_HTTP_CLEAN_H

#include "base/sha256.h"

struct xl_clean_params {
    const char *program; /* this program, whose hidden command is called; NULL: /proc/self/exe */
    int fd;              /* the file, at its beginning */
    const char *name;    /* the sender's word for it, for sentences */
    const char *dir;     /* where it goes: dir/SHA256.png; there already */
};

struct xl_clean_picture {
    char sha256[XL_SHA256_HEX];
    int width, height;
    int64_t bytes;
};

/* Errors: XL_EINPUT no picture, damaged, too large; XL_EDISK; XL_ENOMEM; XL_EWORKER the process
 * took too long or died */
enum xl_status xl_picture_clean(const struct xl_clean_params *params, struct xl_clean_picture *out,
                                struct xl_err *err) XL_CHECKED;

/* The hidden command's work: confine this process, read a file from standard input and write the
 * PNG to standard output. name: opens sentences. Errors: XL_EINPUT, XL_ENOMEM, XL_EDISK */
enum xl_status xl_picture_clean_here(const char *name, struct xl_err *err) XL_CHECKED;

#endif
