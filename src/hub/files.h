/* files.h - what this folder needs to know of files: a sorted listing, why one is unusable, and the
 * list of such findings. Internal to this folder. Everything lives in the caller's arena.
 */
#ifndef XL_HUB_FILES_H
#define XL_HUB_FILES_H

#include "base/arena.h"
#include "base/json.h"

enum { XL_HUB_MAX_JSON = 16 << 20 }; /* bytes; the index of a UNet has 150 thousand */

struct xl_hub_names {
    const char **name;
    int n;
};

/* The names in a directory in the order of their bytes, hidden ones left out; none when it is not
 * there. Errors: XL_ENOMEM */
enum xl_status xl_hub_list(const char *dir, struct xl_arena *arena, struct xl_hub_names *out,
                           struct xl_err *err) XL_CHECKED;

/* NULL for a file that can be opened; else why not: "missing", "empty". */
const char *xl_hub_why_unusable(const char *path);

/* There is not even a link of that name. */
bool xl_hub_is_absent(const char *path);

/* As xl_json_load, with the smaller limit above. */
enum xl_status xl_hub_load_json(const char *path, json_t **root, struct xl_err *err) XL_CHECKED;

enum xl_hub_trouble { XL_HUB_MISSING, XL_HUB_DAMAGED, XL_HUB_PICKLE };

struct xl_hub_problem {
    const char *file; /* relative to the snapshot */
    const char *why;
    enum xl_hub_trouble trouble;
    struct xl_hub_problem *next;
};

/* Zero-initialise. Out of memory is sticky, as in xl_str. */
struct xl_hub_problems {
    struct xl_hub_problem *first, *last;
    bool failed;
};

void xl_hub_problems_add(struct xl_hub_problems *problems, struct xl_arena *arena,
                         enum xl_hub_trouble trouble, const char *file, const char *why);

/* Put the findings of `more` behind those of `problems`; `more` is used up. */
void xl_hub_problems_append(struct xl_hub_problems *problems, struct xl_hub_problems *more);

bool xl_hub_problems_any(const struct xl_hub_problems *problems, enum xl_hub_trouble trouble);

/* "a (missing), b (missing)" into out[size]; where the room runs out first the reasons are left
 * out, then the rest is counted. Returns out. */
char *xl_hub_problems_format(const struct xl_hub_problems *problems, char *out, size_t size);

#endif
