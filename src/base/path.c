/* path.c - what "~" and "$" in a path stand for. No state: any thread. */
#include "base/path.h"
#include "base/str.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *xl_path_absolute(const char *path, struct xl_arena *arena) {
    char cwd[PATH_MAX];
    if (path[0] == '/' || !getcwd(cwd, sizeof cwd)) return xl_arena_strdup(arena, path);
    while (!strncmp(path, "./", 2)) path += 2 + strspn(path + 2, "/");
    if (!path[0] || !strcmp(path, ".")) return xl_arena_strdup(arena, cwd);
    return xl_arena_printf(arena, "%s%s%s", cwd, strcmp(cwd, "/") ? "/" : "", path);
}

/* Append without the slashes at its end: one follows, or nothing. */
static void append_folder(struct xl_str *out, const char *folder) {
    size_t n = strlen(folder);
    while (n && folder[n - 1] == '/') n--;
    xl_str_append(out, folder, n);
}

bool xl_path_user(const char *name, struct passwd *out, char buffer[XL_USER_MAX]) {
    FILE *file = fopen("/etc/passwd", "re");
    struct passwd *found = NULL;
    while (file && !fgetpwent_r(file, out, buffer, XL_USER_MAX, &found)) {
        if (name ? !strcmp(out->pw_name, name) : out->pw_uid == getuid()) break;
        found = NULL;
    }
    if (file) fclose(file);
    return found != NULL;
}

/* *text: at "~"; moves behind the name. */
static enum xl_status append_home(const char **text, struct xl_str *out, struct xl_err *err) {
    const char *whole = *text, *name = whole + 1, *home = getenv("HOME");
    size_t n = strcspn(name, "/");
    char user[256], buffer[XL_USER_MAX];
    struct passwd entry;
    bool is_found = false;
    *text = name + n;
    if (n >= sizeof user)
        return xl_fail(err, XL_EINVAL, "\"%.60s\": there is no user of that name", whole);
    memcpy(user, name, n);
    user[n] = 0;
    if (n || !home || !home[0]) is_found = xl_path_user(n ? user : NULL, &entry, buffer);
    if (is_found) home = entry.pw_dir;
    if (n && !is_found)
        return xl_fail(err, XL_EINVAL,
                       "\"%.60s\": there is no user \"%s\"; a file whose name begins with ~ is "
                       "written ./~",
                       whole, user);
    if (!home || !home[0])
        return xl_fail(err, XL_EINVAL, "\"%.60s\": no home folder is known; set HOME", whole);
    append_folder(out, home);
    if (!**text && !out->len) xl_str_puts(out, "/");
    return XL_OK;
}

/* *text: at "$"; moves behind what it stands for. */
static enum xl_status append_variable(const char *whole, const char **text, struct xl_str *out,
                                      struct xl_err *err) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
    const char *name = *text + 1;
    bool is_braced = name[0] == '{';
    name += is_braced;
    size_t n = strspn(name, letters);
    bool is_name = n && strspn(name, "0123456789") == 0 && (!is_braced || name[n] == '}');
    if (is_braced && !is_name)
        return xl_fail(
            err, XL_EINVAL,
            "\"%.60s\": expected the name of a variable between ${ and }; $$ is a dollar "
            "sign",
            whole);
    if (!is_name) {
        bool is_dollar = name[0] == '$';
        xl_str_puts(out, "$");
        *text += is_dollar ? 2 : 1;
        return XL_OK;
    }
    char key[256] = "";
    if (n < sizeof key) memcpy(key, name, n);
    const char *value = getenv(key);
    if (!value || !value[0])
        return xl_fail(err, XL_EINVAL,
                       "\"%.60s\": $%.*s is not set in the environment; set it, or write $$ for a "
                       "dollar sign",
                       whole, n < 60 ? (int)n : 60, name);
    xl_str_puts(out, value);
    *text = name + n + is_braced;
    return XL_OK;
}

enum xl_status xl_path_expand(const char *text, struct xl_arena *arena, const char **out,
                              struct xl_err *err) {
    struct xl_str path = {0};
    const char *at = text;
    enum xl_status status = *at == '~' ? append_home(&at, &path, err) : XL_OK;
    while (!status && *at) {
        size_t n = strcspn(at, "$");
        xl_str_append(&path, at, n);
        at += n;
        if (*at) status = append_variable(text, &at, &path, err);
    }
    char *whole = xl_str_take(&path);
    const char *kept = whole && !status ? xl_arena_strdup(arena, whole) : NULL;
    free(whole);
    if (status) return status;
    if (!kept) return xl_fail_nomem(err, "a path", strlen(text));
    *out = kept;
    return XL_OK;
}

/* Whether a path is a folder or lies in it. "" and "/" are no folder of anybody. */
static bool lies_in(const char *path, const char *folder) {
    size_t n = folder ? strlen(folder) : 0;
    while (n && folder[n - 1] == '/') n--;
    return n && !strncmp(path, folder, n) && (!path[n] || path[n] == '/');
}

static bool has_part(const char *path, const char *part) {
    size_t n = part ? strlen(part) : 0;
    for (const char *at = path; n && (at = strstr(at, part)); at++)
        if (at > path && at[-1] == '/' && (!at[n] || at[n] == '/')) return true;
    return false;
}

bool xl_path_is_personal(const char *path) {
    static const char *const homes[] = {"/home", "/Users", "/root"};
    char buffer[XL_USER_MAX];
    struct passwd entry;
    const struct passwd *user = xl_path_user(NULL, &entry, buffer) ? &entry : NULL;
    for (size_t i = 0; i < sizeof homes / sizeof *homes; i++)
        if (lies_in(path, homes[i])) return true;
    if (lies_in(path, getenv("HOME")) || (user && lies_in(path, user->pw_dir))) return true;
    return has_part(path, getenv("USER")) || has_part(path, getenv("LOGNAME")) ||
           (user && has_part(path, user->pw_name));
}

/* Bytes of the path that a sentence goes on with: up to a blank, a quote, a bracket, or a mark that
 * ends a part of the sentence. */
static size_t path_length(const char *text) {
    size_t n = strcspn(text, " \t\r\n\"'()<>|,;");
    while (n > 1 && strchr(":.", text[n - 1])) n--;
    return n;
}

char *xl_path_tell(const char *sentence) {
    struct xl_str out = {0};
    for (const char *at = sentence; *at;) {
        bool may_begin = *at == '/' && (at == sentence || strchr(" \"'(=", at[-1]));
        size_t n = may_begin ? path_length(at) : 1;
        char path[PATH_MAX];
        snprintf(path, sizeof path, "%.*s", n < sizeof path ? (int)n : 0, at);
        const char *last = may_begin && xl_path_is_personal(path) ? strrchr(path, '/') : NULL;
        if (last && last[1])
            xl_str_puts(&out, last + 1);
        else
            xl_str_append(&out, at, n);
        at += n;
    }
    return xl_str_take(&out);
}

char *xl_path_cache(const char *name) {
    struct xl_arena arena = {0};
    const char *base = getenv("XDG_CACHE_HOME"), *folder = NULL;
    bool is_set = base && *base == '/'; /* the standard has relative ones ignored */
    char *path = NULL;
    if (is_set)
        folder = base;
    else if (xl_path_expand("~/.cache", &arena, &folder, NULL))
        folder = NULL;
    if (folder && asprintf(&path, "%s/sdxl-lab/%s", folder, name) < 0) path = NULL;
    xl_arena_deinit(&arena);
    return path;
}
