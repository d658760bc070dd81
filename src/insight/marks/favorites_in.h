/* favorites_in.h - lists of favourites that people have: a folder of pictures or of links to them,
 * a text file with a path a line, a CSV file with a column of paths and perhaps one of ratings.
 */
#ifndef XL_INSIGHT_FAVORITES_IN_H
#define XL_INSIGHT_FAVORITES_IN_H

#include "base/arena.h"

struct xl_favorite_in {
    const char *path;
    int rating;      /* 1..5, 0: taken away, -1: none is said */
    int line;        /* in its file; 0: from a folder */
    const char *why; /* it cannot be used; NULL: it can */
};

/* Zero-initialise; everything lives in the arena. */
struct xl_favorites_in {
    struct xl_arena arena;
    struct xl_favorite_in *items;
    int n, capacity;
};

/* Add what a source lists. Paths that are not from the root are looked for here, then beside the
 * list. A cell of a CSV file is text, whatever it begins with. Errors: XL_EINPUT unreadable, or a
 * CSV file without a column of paths; XL_ENOMEM */
enum xl_status xl_favorites_in_read(struct xl_favorites_in *list, const char *source,
                                    struct xl_err *err) XL_CHECKED;

/* Add one path. Errors: XL_ENOMEM */
enum xl_status xl_favorites_in_add(struct xl_favorites_in *list, const char *path, int rating,
                                   struct xl_err *err) XL_CHECKED;
void xl_favorites_in_deinit(struct xl_favorites_in *list);

/* Whether a file's name, which is not hidden, ends as that of a picture. */
bool xl_is_picture_name(const char *name);

#endif
