/* past_take.h - taking a record over into settings: what past_settings.c shares with the two kinds
 * of records, this program's (past_ours.c) and other programs' (past_others.c). Internal to this
 * folder.
 */
#ifndef XL_LAB_PAST_TAKE_H
#define XL_LAB_PAST_TAKE_H

#include "lab/past/past.h"

#include "lab/data/catalogue.h"

/* What is being taken over. */
struct xl_take {
    const char *path;
    const struct xl_past *past;
    const struct xl_settings *first; /* comes before it */
    struct xl_settings *settings;
    struct xl_catalogue *catalogue;
    struct xl_err *err;
};

/* Whether somebody gave the option, or sweeps it. */
bool xl_take_is_said(const struct xl_take *take, const char *name);

/* Set an option to a text of the record; text NULL, or somebody gave it: as it is. Errors:
 * XL_EINVAL a value that is out of range; XL_ENOMEM */
enum xl_status xl_take_set(struct xl_take *take, const char *name, const char *text) XL_CHECKED;

/* Everything that a record says. Errors: those of xl_past_settings */
enum xl_status xl_take_ours(struct xl_take *take) XL_CHECKED;
enum xl_status xl_take_others(struct xl_take *take) XL_CHECKED;

#endif
