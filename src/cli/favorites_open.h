/* favorites_open.h - what is loved of the pictures that a command's options mean. */
#ifndef XL_CLI_FAVORITES_OPEN_H
#define XL_CLI_FAVORITES_OPEN_H

#include "insight/index/index.h"
#include "insight/observations.h"
#include "lab/settings/settings.h"

#include <jansson.h>

/* Zero-initialise; xl_favorites_close whatever comes back. */
struct xl_favorites {
    struct xl_index *index;
    struct xl_observations *filled; /* the index's own */
    struct xl_observations rows;    /* with the marks that count */
    uint8_t *loved, *rating;        /* where lists were given */
    json_t *
        given; /* {"listed", "found", "not_found": [PATH, ...]} where lists were given, else NULL */
};

/* The index of --output-dir, brought up to date, under the filters. With arguments, the pictures
 * that these lists name are what is loved, and nothing else. Errors: as of the index; XL_EINPUT a
 * list that cannot be read */
enum xl_status xl_favorites_open(const struct xl_settings *settings, struct xl_favorites *out,
                                 struct xl_err *err) XL_CHECKED;
void xl_favorites_close(struct xl_favorites *favorites);

/* favorites_tell.c: the report on standard output, from its document. Errors: XL_ENOMEM */
enum xl_status xl_favorites_tell(const json_t *document, struct xl_err *err) XL_CHECKED;

#endif
