/* infotext.h - the "parameters" text of AUTOMATIC1111's web UI: prompt, negative prompt, and one
 * line of "Key: value" pairs that every SDXL tool reads.
 */
#ifndef XL_IMAGE_INFOTEXT_H
#define XL_IMAGE_INFOTEXT_H

#include "base/arena.h"

struct xl_info_pair {
    const char *key, *value; /* writing: a NULL value leaves the pair out */
};

struct xl_infotext {
    const char *prompt, *negative; /* negative: "" when there is none */
    const struct xl_info_pair *pairs;
    int n_pairs;
};

/* The text, malloc'd; values with a comma, colon or newline are quoted as JSON. The form cannot
 * hold every prompt (one with a line "Negative prompt: ..." is read back differently): what must
 * come back whole belongs into the JSON record beside it. NULL: out of memory */
char *xl_infotext_write(const struct xl_infotext *info);

/* Read any tool's text; never fails: what is no pair is prompt. The last line holds the pairs when
 * it has at least three. "WxH" values are left whole; pairs with an empty value are left out; of a
 * key that comes twice the last one counts. Lines "Template: ..." and "Negative Template: ..."
 * after the pairs (sd-dynamic-prompts writes them) are dropped. Everything lives in the arena. Only
 * tests call it: it is for whoever takes pictures that other tools drew.
 * Errors: XL_ENOMEM */
enum xl_status xl_infotext_parse(const char *text, struct xl_arena *arena, struct xl_infotext *out,
                                 struct xl_err *err);

#endif
