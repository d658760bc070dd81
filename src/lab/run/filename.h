/* filename.h - the names of pictures: {stamp}_{profile}_{prompt slug}_seed{seed}_{nn}.png */
#ifndef XL_LAB_FILENAME_H
#define XL_LAB_FILENAME_H

#include "base/status.h"
#include "lab/data/slug.h"

enum { XL_OUTPUT_NAME_MAX = 255 };

struct xl_output_name {
    const char *stamp;   /* xl_stamp_utc */
    const char *profile; /* NULL: no profile, "raw" in the name */
    const char *prompt;
    uint64_t seed;
    int index; /* 0, 1, ...: two digits or more */
};

/* The name without a folder. Two different prompts may share one: the caller counts index up. */
void xl_output_name(const struct xl_output_name *parts, char out[XL_OUTPUT_NAME_MAX]);

#endif
