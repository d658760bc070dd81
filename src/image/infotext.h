/* infotext.h - the "parameters" text of AUTOMATIC1111's web UI: prompt, negative prompt, and one
 * line of "Key: value" pairs that every SDXL tool reads.
 */
#ifndef XL_IMAGE_INFOTEXT_H
#define XL_IMAGE_INFOTEXT_H

#include "base/arena.h"

struct xl_info_pair {
    const char *key, *value;
};

struct xl_infotext {
    const char *prompt, *negative; /* negative: "" when there is none */
    const struct xl_info_pair *pairs;
    int n_pairs;
};

/* The text, malloc'd; values with a comma, colon or newline are quoted as JSON. NULL: out of memory
 */
char *xl_infotext_write(const struct xl_infotext *info);

/* Read any tool's text; never fails: what is no pair is prompt. "WxH" values are left whole.
 * Everything lives in the arena. Errors: XL_ENOMEM */
enum xl_status xl_infotext_parse(const char *text, struct xl_arena *arena, struct xl_infotext *out,
                                 struct xl_err *err);

#endif
