/* filename.h - the names of pictures: {stamp}_{profile}_{prompt slug}_seed{seed}_{nn}.png; in a
 * sweep that varies something else, what it is stands before the seed.
 */
#ifndef XL_LAB_FILENAME_H
#define XL_LAB_FILENAME_H

#include "base/status.h"
#include "lab/data/slug.h"

enum {
    XL_OUTPUT_NAME_MAX = 255,
    XL_OUTPUT_NAME_LEAST = 52, /* bytes that no name of a picture can do without */
    XL_OUTPUT_NAME_ASIDE = 12  /* bytes that a name grows by when the picture is set aside:
                                  ".damaged_999" */
};

struct xl_output_name {
    const char *stamp;   /* xl_stamp_utc */
    const char *profile; /* NULL: no profile, "raw" in the name */
    const char *prompt;
    const char *tag; /* what else differs, as it stands in the name; NULL: nothing */
    uint64_t seed;
    int index; /* 0, 1, ...: two digits or more */
    int max;   /* bytes, XL_OUTPUT_NAME_LEAST at least; 0: as many as there are */
};

/* The name without a folder. Where it would be longer than max, the prompt is cut and, if need be,
 * the profile and what else differs; time, seed and index stay. Two different prompts may share a
 * name: the caller counts index up. */
void xl_output_name(const struct xl_output_name *parts, char out[XL_OUTPUT_NAME_MAX]);

/* How long the name of a picture in dir may be: what the file system allows, without what setting
 * it aside adds. Errors: XL_EDISK less than XL_OUTPUT_NAME_LEAST */
enum xl_status xl_output_name_room(const char *dir, int *max, struct xl_err *err) XL_CHECKED;

#endif
