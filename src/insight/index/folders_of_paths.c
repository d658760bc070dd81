/* folders_of_paths.c - candidates for a folder, one after the other. Keeps no state. */
#include "insight/index/folders_of_paths.h"
#include "base/file.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* What follows the part `name` of a path; NULL: it has no such part. The last such part counts: a
 * home folder may be called as the output folder is. */
static const char *after_part(const char *path, const char *name) {
    size_t n = strlen(name);
    const char *found = NULL;
    for (const char *at = path; n && (at = strstr(at, name)); at++)
        if ((at == path || at[-1] == '/') && (at[n] == '/' || !at[n])) found = at + n;
    return found ? found + (*found == '/') : NULL;
}

static const char *join(const char *a, const char *b, struct xl_arena *arena) {
    if (!*b || !strcmp(b, ".")) return xl_arena_strdup(arena, a);
    return xl_arena_printf(arena, "%s/%s", a, b);
}

const char *xl_folder_of_path(const char *named, const char *output_dir, struct xl_arena *arena) {
    const char *slash = strrchr(output_dir, '/'), *rest = after_part(named, slash + 1);
    const char *above = xl_arena_strndup(arena, output_dir, (size_t)(slash - output_dir));
    bool is_absolute = named[0] == '/';
    const char *candidates[5];
    int n = 0;
    if (!above) return NULL;
    if (is_absolute) candidates[n++] = named;
    if (rest) candidates[n++] = join(output_dir, rest, arena);
    if (!is_absolute) {
        if (*named) candidates[n++] = join(above, named, arena);
        candidates[n++] = join(output_dir, named, arena);
        if (*named) candidates[n++] = named;
    }
    for (int i = 0; i < n; i++) {
        char real[PATH_MAX];
        if (!candidates[i]) return NULL;
        if (xl_dir_exists(candidates[i]) && realpath(candidates[i], real))
            return xl_arena_strdup(arena, real);
    }
    return candidates[0];
}
