/* locate.h - from what the user calls a model or a VAE to the folder or file that holds it.
 * Internal to this folder.
 */
#ifndef XL_HUB_LOCATE_H
#define XL_HUB_LOCATE_H

#include "hub/hub.h"

/* What is looked for. */
struct xl_hub_want {
    const char *marks[3]; /* files at the root of a folder that is one; the rest is NULL */
    /* Of a folder without marks: set snapshot->file (and notice) to the one file of the folder that
     * is one. A folder that holds nothing of the kind stays as it is: XL_OK.
     * Errors: XL_EINVAL several, XL_EFORMAT something else, XL_EMODEL half-downloaded, XL_ENOMEM */
    enum xl_status (*settle)(struct xl_snapshot *snapshot, struct xl_arena *arena,
                             struct xl_err *err);
    bool (*is_complete)(const struct xl_snapshot *snapshot); /* once settled */
    bool is_lenient; /* a repository of something else is found all the same: xl_hub_pipeline tells
                      */
};

/* As xl_hub_resolve. */
enum xl_status xl_hub_locate(const char *text, const char *revision, const struct xl_hub_want *want,
                             struct xl_arena *arena, struct xl_snapshot *out,
                             struct xl_err *err) XL_CHECKED;

/* XL_EFORMAT for a file that can run code, which is not read; XL_OK for another name. */
enum xl_status xl_hub_check_pickle(const char *path, struct xl_err *err) XL_CHECKED;

/* single.c: settle of a model. */
enum xl_status xl_hub_settle_model(struct xl_snapshot *snapshot, struct xl_arena *arena,
                                   struct xl_err *err) XL_CHECKED;

#endif
