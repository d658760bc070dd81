/* location.h - where the Hugging Face cache lies. Internal to this folder. */
#ifndef XL_HUB_LOCATION_H
#define XL_HUB_LOCATION_H

#include "base/arena.h"

enum { XL_HUB_MAX_ROOTS = 4 };

/* Folders that may hold "models--org--name", absolute, the most specific setting first. */
struct xl_hub_roots {
    const char *dir[XL_HUB_MAX_ROOTS];
    int n;
};

/* From the environment: HF_HUB_CACHE, HUGGINGFACE_HUB_CACHE, $HF_HOME/hub, $HF_HOME. The Python
 * library looks only in the first that is set; older tools of this project's users kept
 * repositories in another of them, so all are looked through. Errors: XL_ENOMEM */
enum xl_status xl_hub_roots(struct xl_arena *arena, struct xl_hub_roots *out,
                            struct xl_err *err) XL_CHECKED;

/* Whether a variable says where the cache is. */
bool xl_hub_is_placed(void);

/* HF_HOME, or its default. NULL: out of memory */
const char *xl_hub_home(struct xl_arena *arena);

/* The path that a variable holds, filled in and absolute; *out NULL where it is not set or empty.
 * Errors: XL_ENOMEM */
enum xl_status xl_hub_path_in(const char *name, struct xl_arena *arena, const char **out,
                              struct xl_err *err) XL_CHECKED;

#endif
