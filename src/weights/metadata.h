/* metadata.h - the texts that a safetensors header carries beside its tensors ("__metadata__").
 * Whoever wrote the file put them there: they are hints for people, never proof of anything.
 */
#ifndef XL_WEIGHTS_METADATA_H
#define XL_WEIGHTS_METADATA_H

#include "base/arena.h"

#include <stddef.h>

enum {
    XL_ST_MAX_METADATA_TEXT = 1 << 20, /* bytes of a text that is kept; longer ones are left out */
};

struct xl_st_metadata {
    struct xl_st_text {
        const char *key, *value; /* UTF-8; cut at a NUL */
    } * text;
    int n;
};

/* Read the metadata of a file whose header xl_safetensors_read has accepted; its position is not
 * used. path: for messages. In the arena; *out is empty where the file has none.
 * Errors: XL_EFORMAT, XL_ENOMEM */
enum xl_status xl_safetensors_metadata(const char *path, int fd, struct xl_arena *arena,
                                       struct xl_st_metadata *out, struct xl_err *err) XL_CHECKED;

/* The text under that key, or NULL. */
const char *xl_st_metadata_find(const struct xl_st_metadata *metadata, const char *key);

#endif
