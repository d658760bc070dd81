/* files.c - listings by bytes, so that results do not depend on the locale or the file system, and
 * sentences for files that cannot be used. */
#include "hub/files.h"
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int is_visible(const struct dirent *entry) {
    return entry->d_name[0] != '.';
}

/* Not alphasort: that order depends on the locale. */
static int by_bytes(const struct dirent **a, const struct dirent **b) {
    return strcmp((*a)->d_name, (*b)->d_name);
}

enum xl_status xl_hub_list(const char *dir, struct xl_arena *arena, struct xl_hub_names *out,
                           struct xl_err *err) {
    struct dirent **entries = NULL;
    int n = scandir(dir, &entries, is_visible, by_bytes);
    if (n < 0 && errno == ENOMEM) return xl_fail_nomem(err, dir, 0);
    struct xl_hub_names names = {NULL, n < 0 ? 0 : n};
    names.name = xl_arena_alloc(arena, (size_t)(names.n + 1) * sizeof *names.name);
    bool failed = !names.name;
    for (int i = 0; i < names.n; i++) {
        if (!failed) failed = !(names.name[i] = xl_arena_strdup(arena, entries[i]->d_name));
        free(entries[i]);
    }
    free(entries);
    if (failed) return xl_fail_nomem(err, dir, 0);
    *out = names;
    return XL_OK;
}

bool xl_hub_is_absent(const char *path) {
    struct stat st;
    return lstat(path, &st) != 0;
}

const char *xl_hub_why_unusable(const char *path) {
    struct stat st;
    if (stat(path, &st)) {
        if (errno != ENOENT && errno != ENOTDIR) return strerror(errno);
        return xl_hub_is_absent(path) ? "missing" : "half-downloaded: the link leads to nothing";
    }
    if (!S_ISREG(st.st_mode)) return "not a file";
    if (access(path, R_OK)) return "not readable for this user";
    return st.st_size ? NULL : "empty";
}

enum xl_status xl_hub_load_json(const char *path, json_t **root, struct xl_err *err) {
    char *text;
    size_t n;
    struct xl_read_rule rule = {XL_HUB_MAX_JSON, XL_EMODEL, XL_EFORMAT};
    enum xl_status status = xl_file_read(path, rule, &text, &n, err);
    if (status) return status;
    status = xl_json_parse(path, text, n, root, err);
    free(text);
    return status;
}

void xl_hub_problems_add(struct xl_hub_problems *problems, struct xl_arena *arena,
                         enum xl_hub_trouble trouble, const char *file, const char *why) {
    struct xl_hub_problem *problem = xl_arena_alloc(arena, sizeof *problem);
    const char *file_copy = xl_arena_strdup(arena, file), *why_copy = xl_arena_strdup(arena, why);
    if (!problem || !file_copy || !why_copy) {
        problems->failed = true;
        return;
    }
    *problem = (struct xl_hub_problem){file_copy, why_copy, trouble, NULL};
    if (problems->last)
        problems->last->next = problem;
    else
        problems->first = problem;
    problems->last = problem;
}

void xl_hub_problems_append(struct xl_hub_problems *problems, struct xl_hub_problems *more) {
    problems->failed |= more->failed;
    if (!more->first) return;
    if (problems->last)
        problems->last->next = more->first;
    else
        problems->first = more->first;
    problems->last = more->last;
    *more = (struct xl_hub_problems){0};
}

bool xl_hub_problems_any(const struct xl_hub_problems *problems, enum xl_hub_trouble trouble) {
    for (const struct xl_hub_problem *p = problems->first; p; p = p->next)
        if (p->trouble == trouble) return true;
    return false;
}

char *xl_hub_problems_format(const struct xl_hub_problems *problems, char *out, size_t size) {
    size_t len = 0, n_left = 0;
    const size_t tail = sizeof " and 1000000 more";
    out[0] = 0;
    for (const struct xl_hub_problem *p = problems->first; p; p = p->next) {
        size_t bare = strlen(p->file) + sizeof ", ", full = bare + strlen(p->why) + sizeof " ()";
        const char *comma = len ? ", " : "";
        if (!n_left && len + full + tail <= size)
            len += (size_t)snprintf(out + len, size - len, "%s%s (%s)", comma, p->file, p->why);
        else if (!n_left && len + bare + tail <= size)
            len += (size_t)snprintf(out + len, size - len, "%s%s", comma, p->file);
        else
            n_left++;
    }
    if (n_left) snprintf(out + len, size - len, "%s%zu more", len ? " and " : "", n_left);
    return out;
}
