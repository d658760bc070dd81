/* preload.c - static imports of modules and their style sheets, followed. See preload.h. */
#include "http/preload.h"

#include "http/asset_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_MOST = 128 };

static int find(const char *path) {
    for (int i = 0; i < xl_n_asset_files; i++)
        if (!strcmp(xl_asset_files[i].path, path)) return i;
    return -1;
}

/* Whether a word stands right before a place of a text. */
static bool is_behind(const char *text, const char *at, const char *word) {
    size_t n = strlen(word);
    return (size_t)(at - text) >= n && !memcmp(at - n, word, n);
}

/* "app/draw/draw.js" and "../../lib/api.js" make "lib/api.js". */
static void resolve(const char *from, const char *relative, size_t n, char path[PATH_MOST]) {
    const char *end = strrchr(from, '/');
    int n_folder = end ? (int)(end - from) : 0;
    while (n > 3 && *relative == '.') {
        size_t n_part = relative[1] == '.' ? 3 : 2; /* "../" or "./" */
        while (n_part == 3 && n_folder && from[n_folder - 1] != '/') n_folder--;
        if (n_part == 3 && n_folder) n_folder--; /* the slash */
        relative += n_part;
        n -= n_part;
    }
    snprintf(path, PATH_MOST, "%.*s%s%.*s", n_folder, from, n_folder ? "/" : "", (int)n, relative);
}

/* Mark a file, and if it is a module what that imports: from './x.js', import './x.js', style('x').
 */
static void need(bool *is_needed, const char *path) {
    int i = find(path);
    if (i < 0 || is_needed[i]) return;
    is_needed[i] = true;
    if (!xl_ends_with(path, ".js")) return;
    const char *text = xl_asset_files[i].bytes;
    for (const char *at = text; (at = strchr(at, '\'')); at++) {
        char other[PATH_MOST];
        size_t n = strcspn(at + 1, "'\n");
        if (is_behind(text, at, "from ") || is_behind(text, at, "import "))
            resolve(path, at + 1, n, other);
        else if (is_behind(text, at, "style("))
            snprintf(other, sizeof other, "style/%.*s.css", (int)n, at + 1);
        else
            continue;
        need(is_needed, other);
    }
}

static void put_links(const bool *is_needed, const char *folder, const char *end, const char *rel,
                      struct xl_str *out) {
    for (int i = 0; i < xl_n_asset_files; i++)
        if (is_needed[i] && xl_ends_with(xl_asset_files[i].path, end))
            xl_str_printf(out, "<link rel=\"%s\" href=\"%s%s\">\n", rel, folder,
                          xl_asset_files[i].path);
}

void xl_preload_links(const char *view, const char *folder, struct xl_str *out) {
    bool *is_needed = calloc((size_t)xl_n_asset_files, sizeof *is_needed);
    char path[PATH_MOST];
    if (!is_needed) {
        out->failed = true;
        return;
    }
    need(is_needed, "app/app.js");
    snprintf(path, sizeof path, "app/%s.js", view);
    need(is_needed, path);
    put_links(is_needed, folder, ".css", "stylesheet", out);
    put_links(is_needed, folder, ".js", "modulepreload", out);
    free(is_needed);
}
