/* wildcards.h - lists of values by name, from folders: DIR/color.txt is __color__, DIR/a/b.txt is
 * __a/b__; a .yaml, .yml or .json file has maps of lists, "a: {b: [...]}" is __a/b__ as well.
 *
 * Text files have a value a line, without empty lines and those that begin with '#'. A list's entry
 * is a text, perhaps with its weight ("2::red"), or {text: ..., weight: ...}. Values are templates
 * themselves. Files are read once; what cannot be read is noted. Read-only once it is open.
 */
#ifndef XL_PROMPTS_WILDCARDS_H
#define XL_PROMPTS_WILDCARDS_H

#include "base/str.h"

struct xl_wildcards; /* opaque */

struct xl_wildcard_value {
    const char *text;
    uint64_t weight; /* in millionths */
};

/* Read all files of n folders and the folders in them; of a name the last one counts. notices: what
 * was left out, one a line. Caller: xl_wildcards_free. Errors: XL_EINPUT a folder that is not
 * there, or too many names; XL_ENOMEM */
enum xl_status xl_wildcards_open(const char *const *folders, int n, struct xl_str *notices,
                                 struct xl_wildcards **out, struct xl_err *err) XL_CHECKED;
void xl_wildcards_free(struct xl_wildcards *wildcards);

/* How many names there are. */
int xl_wildcards_count(const struct xl_wildcards *wildcards);
/* The i-th, without underlines: "color". Good until xl_wildcards_free. */
const char *xl_wildcards_name(const struct xl_wildcards *wildcards, int i);

/* The values of all names that a pattern ("color", "sub/[a-c]*", "**") matches, '*' whatever there
 * is, in the order of their bytes, each once; where none does, those of names that end so. *n 0:
 * there are none. Caller: free(*out). Errors: XL_ENOMEM */
enum xl_status xl_wildcards_find(const struct xl_wildcards *wildcards, const char *pattern,
                                 struct xl_wildcard_value **out, int *n,
                                 struct xl_err *err) XL_CHECKED;

#endif
