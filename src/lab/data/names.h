/* names.h - finding things by what people type: whatever the case, blanks, accents and punctuation,
 * and what they may have meant.
 */
#ifndef XL_LAB_NAMES_H
#define XL_LAB_NAMES_H

#include "base/status.h"

enum { XL_NAME_MAX = 100 }; /* bytes */

/* Something that has a name. */
struct xl_named {
    const char *name;
    const char *const *aliases;
    int n_aliases;
};

/* Equal but for case, blanks, accents and punctuation: "H.R. Giger" and "hr giger". */
bool xl_name_matches(const char *a, const char *b);

/* The index of a name: written exactly, else a name that matches, else an alias that does; -1. */
int xl_named_find(const struct xl_named *list, int n, const char *name);

/* Up to three names (or names whose alias) are near: "\"A\", \"B\" or \"C\"" into out, the nearest
 * first, "" when none is. Returns out. */
char *xl_named_nearest(const struct xl_named *list, int n, const char *name, char *out,
                       size_t size);

#endif
