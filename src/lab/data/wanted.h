/* wanted.h - a model that is to be downloaded, by its name.
 */
#ifndef XL_LAB_WANTED_H
#define XL_LAB_WANTED_H

#include "hub/download/download.h"
#include "lab/data/catalogue.h"

struct xl_wanted {
    const char *name;                       /* for people: a key, or as it was given */
    const struct xl_catalogue_model *entry; /* of the catalogue; NULL: it knows none */
    struct xl_download_request request;     /* id NULL: a folder of this machine, nothing to do */
};

/* revision NULL: the entry's. */
struct xl_wanted xl_wanted_entry(const struct xl_catalogue_model *entry, const char *revision);

/* KEY, ID ("org/name"), or either with :FILE behind it; name is borrowed. Errors: XL_EINVAL neither
 * (the nearest is suggested); XL_ENOMEM */
enum xl_status xl_wanted_find(const struct xl_catalogue *catalogue, const char *name,
                              const char *revision, struct xl_arena *arena, struct xl_wanted *out,
                              struct xl_err *err) XL_CHECKED;

#endif
