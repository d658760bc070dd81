/* location.c - the cache's folders, from the environment as huggingface_hub/constants.py reads it.
 */
#include "hub/location.h"
#include "base/path.h"
#include "base/str.h"

#include <stdlib.h>
#include <string.h>

/* An empty variable counts as one that is not set. */
static const char *variable(const char *name) {
    const char *value = getenv(name);
    return value && value[0] ? value : NULL;
}

static void append_home(struct xl_str *out) {
    const char *home = variable("HOME");
    char buffer[XL_USER_MAX];
    struct passwd entry;
    if (!home && xl_path_user(NULL, &entry, buffer)) home = entry.pw_dir;
    xl_str_puts(out, home ? home : "~");
}

/* The length of "NAME" or "{NAME}" at text, 0 when it is neither; *name and *n point at the name.
 */
static size_t variable_at(const char *text, const char **name, size_t *n) {
    static const char word[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
    bool braced = text[0] == '{';
    *name = text + braced;
    *n = braced ? strcspn(*name, "}") : strspn(*name, word);
    if (!*n || (braced && (*name)[*n] != '}')) return 0;
    return *n + (braced ? 2 : 0);
}

/* As os.path.expandvars(os.path.expanduser(text)), but for "~user"; unknown variables stay. */
static const char *expand(const char *text, struct xl_arena *arena) {
    struct xl_str out = {0};
    if (text[0] == '~' && (!text[1] || text[1] == '/')) {
        append_home(&out);
        text++;
    }
    while (*text) {
        const char *name;
        size_t n, len = *text == '$' ? variable_at(text + 1, &name, &n) : 0;
        char *key = len ? strndup(name, n) : NULL;
        const char *value = key ? getenv(key) : NULL;
        if (len && !key) out.failed = true;
        free(key);
        if (value) {
            xl_str_puts(&out, value);
            text += 1 + len;
        } else {
            xl_str_append(&out, text++, 1);
        }
    }
    char *expanded = xl_str_take(&out);
    const char *result = expanded ? xl_path_absolute(expanded, arena) : NULL;
    free(expanded);
    return result;
}

/* False when out of memory. Doubles are left out. */
static bool add_root(struct xl_hub_roots *roots, const char *dir) {
    if (!dir) return false;
    for (int i = 0; i < roots->n; i++)
        if (!strcmp(roots->dir[i], dir)) return true;
    roots->dir[roots->n++] = dir;
    return true;
}

const char *xl_hub_home(struct xl_arena *arena) {
    if (variable("HF_HOME")) return expand(variable("HF_HOME"), arena);
    const char *base = variable("XDG_CACHE_HOME");
    const char *text = xl_arena_printf(arena, "%s/huggingface", base ? base : "~/.cache");
    return text ? expand(text, arena) : NULL;
}

bool xl_hub_is_placed(void) {
    return variable("HF_HUB_CACHE") || variable("HUGGINGFACE_HUB_CACHE") || variable("HF_HOME");
}

enum xl_status xl_hub_path_in(const char *name, struct xl_arena *arena, const char **out,
                              struct xl_err *err) {
    const char *value = variable(name);
    *out = value ? expand(value, arena) : NULL;
    return value && !*out ? xl_fail_nomem(err, name, 0) : XL_OK;
}

enum xl_status xl_hub_roots(struct xl_arena *arena, struct xl_hub_roots *out, struct xl_err *err) {
    static const char *const direct[] = {"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"};
    struct xl_hub_roots roots = {0};
    bool ok = true;
    for (size_t i = 0; ok && i < sizeof direct / sizeof *direct; i++)
        if (variable(direct[i])) ok = add_root(&roots, expand(variable(direct[i]), arena));
    const char *home = ok ? xl_hub_home(arena) : NULL;
    ok = home && add_root(&roots, xl_arena_printf(arena, "%s/hub", home)) && add_root(&roots, home);
    if (!ok) return xl_fail_nomem(err, "the path of the cache", 0);
    *out = roots;
    return XL_OK;
}
