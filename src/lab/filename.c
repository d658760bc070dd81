/* filename.c - slugs, and the names of pictures. */
#include "lab/filename.h"

#include <stdio.h>

void xl_slug(const char *text, int max, char *out) {
    int n = 0;
    bool gap = false;
    for (const char *c = text; *c && n < max; c++) {
        bool upper = *c >= 'A' && *c <= 'Z';
        bool kept = upper || (*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9');
        if (!kept) {
            gap = n > 0;
            continue;
        }
        if (gap && n + 1 >= max) break; /* never ends in '-' */
        if (gap) out[n++] = '-';
        gap = false;
        out[n++] = (char)(upper ? *c + 32 : *c);
    }
    out[n] = 0;
    if (!n) snprintf(out, (size_t)max + 1, "untitled");
}

void xl_output_name(const struct xl_output_name *parts, char out[XL_OUTPUT_NAME_MAX]) {
    enum { PROFILE_MAX = 40 };
    char profile[PROFILE_MAX + 1], prompt[XL_SLUG_MAX + 1];
    xl_slug(parts->profile ? parts->profile : "raw", PROFILE_MAX, profile);
    xl_slug(parts->prompt, XL_SLUG_MAX, prompt);
    snprintf(out, XL_OUTPUT_NAME_MAX, "%s_%s_%s_seed%llu_%02d.png", parts->stamp, profile, prompt,
             (unsigned long long)parts->seed, parts->index);
}
