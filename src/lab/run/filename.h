/* filename.h - the names of pictures: {stamp}_{profile}_{prompt slug}_seed{seed}_{nn}.png */
#ifndef XL_LAB_FILENAME_H
#define XL_LAB_FILENAME_H

#include "base/status.h"

enum { XL_SLUG_MAX = 80, XL_OUTPUT_NAME_MAX = 255 };

struct xl_output_name {
    const char *stamp;   /* xl_stamp_utc */
    const char *profile; /* NULL: no profile, "raw" in the name */
    const char *prompt;
    uint64_t seed;
    int index; /* 0, 1, ...: two digits or more */
};

/* The letters and digits of text in lower-case ASCII (accents fall off: "É" is "e"), whatever else
 * lies between them one '-', at most max characters, "untitled" when nothing is left. So a prompt
 * in another script than Latin is "untitled": names stay safe on every file system, in every shell
 * and in every log, and the prompt itself is in the picture. text: any bytes. out: [max + 1], max
 * at least 8 */
void xl_slug(const char *text, int max, char *out);

/* The name without a folder. Two different prompts may share one: the caller counts index up. */
void xl_output_name(const struct xl_output_name *parts, char out[XL_OUTPUT_NAME_MAX]);

#endif
