/* filename.c - the parts of a name, each made safe and cut to its length. */
#include "lab/run/filename.h"

#include <stdio.h>

void xl_output_name(const struct xl_output_name *parts, char out[XL_OUTPUT_NAME_MAX]) {
    enum { PROFILE_MAX = 40 };
    char profile[PROFILE_MAX + 1], prompt[XL_SLUG_MAX + 1];
    xl_slug(parts->profile ? parts->profile : "raw", PROFILE_MAX, profile);
    xl_slug(parts->prompt, XL_SLUG_MAX, prompt);
    snprintf(out, XL_OUTPUT_NAME_MAX, "%s_%s_%s_seed%llu_%02d.png", parts->stamp, profile, prompt,
             (unsigned long long)parts->seed, parts->index);
}
