/* metadata.h - the texts in a picture's file: PNG text chunks, and of JPEG and WebP files the texts
 * of their EXIF block. What programs that draw pictures say of how they were made is in there.
 */
#ifndef XL_IMAGE_METADATA_H
#define XL_IMAGE_METADATA_H

#include "base/arena.h"

enum { XL_METADATA_MAX = 64 };

struct xl_metadata_text {
    const char *keyword; /* of a PNG; else "UserComment", "ImageDescription", "Make", "Model",
                            "Software", "MakerNote" */
    const char *text;    /* UTF-8 */
};

/* Texts live in the arena; NUL-terminated, and damaged ones are left out. */
struct xl_metadata {
    struct xl_metadata_text texts[XL_METADATA_MAX];
    int n;
    const char *kind; /* "PNG", "JPEG", "WebP"; NULL: something else */
    int n_damaged;    /* texts that are there and cannot be read */
    bool is_cut;      /* the file ends early, or there are more texts than are taken */
};

/* data: a whole file. Whatever is wrong with it, what can be read is. Errors: XL_ENOMEM */
enum xl_status xl_metadata_read(const char *name, const void *data, size_t n,
                                struct xl_arena *arena, struct xl_metadata *out,
                                struct xl_err *err) XL_CHECKED;

/* The first text of a keyword; NULL: none. */
const char *xl_metadata_find(const struct xl_metadata *metadata, const char *keyword);

#endif
