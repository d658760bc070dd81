/* favorites_in.c - reading lists of favourites. Keeps no state. */
#include "insight/marks/favorites_in.h"
#include "base/file.h"
#include "base/str.h"
#include "base/text_file.h"
#include "insight/marks/csv.h"
#include "insight/marks/marks.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

enum { MAX_LIST = 64 << 20, DEEPEST = 8 };

static enum xl_status add(struct xl_favorites_in *list, struct xl_favorite_in item,
                          struct xl_err *err) {
    if (list->n == list->capacity) {
        int capacity = list->capacity ? 2 * list->capacity : 64;
        struct xl_favorite_in *larger =
            xl_arena_alloc(&list->arena, (size_t)capacity * sizeof *larger);
        if (!larger) return xl_fail_nomem(err, "favourites", (size_t)capacity * sizeof *larger);
        if (list->n) memcpy(larger, list->items, (size_t)list->n * sizeof *larger);
        list->items = larger;
        list->capacity = capacity;
    }
    item.path = xl_arena_strdup(&list->arena, item.path);
    if (!item.path) return xl_fail_nomem(err, "a path", 0);
    list->items[list->n++] = item;
    return XL_OK;
}

enum xl_status xl_favorites_in_add(struct xl_favorites_in *list, const char *path, int rating,
                                   struct xl_err *err) {
    return add(list, (struct xl_favorite_in){.path = path, .rating = rating}, err);
}

void xl_favorites_in_deinit(struct xl_favorites_in *list) {
    xl_arena_deinit(&list->arena);
    *list = (struct xl_favorites_in){0};
}

/* --- Folders ---------------------------------------------------------------------------------- */

bool xl_is_picture_name(const char *name) {
    static const char *const ends[] = {".png", ".jpg", ".jpeg", ".webp"};
    size_t n = strlen(name);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        size_t n_end = strlen(ends[i]);
        if (n > n_end && !strcasecmp(name + n - n_end, ends[i])) return name[0] != '.';
    }
    return false;
}

static int not_hidden(const struct dirent *entry) {
    return entry->d_name[0] != '.';
}

static enum xl_status read_folder(struct xl_favorites_in *list, const char *dir, int depth,
                                  struct xl_err *err) {
    struct dirent **entries = NULL;
    enum xl_status status = XL_OK;
    int n = scandir(dir, &entries, not_hidden, alphasort);
    if (n < 0) return xl_fail(err, XL_EINPUT, "%s: cannot list: %s", dir, strerror(errno));
    for (int i = 0; i < n; i++) {
        struct stat st;
        char *path = status ? NULL : xl_path_join(dir, entries[i]->d_name);
        if (path && !lstat(path, &st) && S_ISDIR(st.st_mode)) {
            if (depth < DEEPEST) status = read_folder(list, path, depth + 1, err);
        } else if (path && xl_is_picture_name(entries[i]->d_name)) {
            status = xl_favorites_in_add(list, path, -1, err);
        } else if (!path && !status) {
            status = xl_fail_nomem(err, "a path", 0);
        }
        free(path);
        free(entries[i]);
    }
    free(entries);
    return status;
}

/* --- Files ------------------------------------------------------------------------------------ */

/* The path as it is said in a list: from here, or from where the list is. */
static const char *place_of(struct xl_favorites_in *list, const char *source, const char *path) {
    const char *slash = strrchr(source, '/');
    if (path[0] == '/' || !slash || xl_file_exists(path)) return path;
    const char *beside =
        xl_arena_printf(&list->arena, "%.*s/%s", (int)(slash - source), source, path);
    return beside && xl_file_exists(beside) ? beside : path;
}

static enum xl_status read_lines(struct xl_favorites_in *list, const char *source, const char *text,
                                 struct xl_err *err) {
    struct xl_text_line line = {.next = text};
    enum xl_status status = XL_OK;
    while (!status && xl_text_line_next(&line)) {
        while (line.n && strchr(" \t", line.at[line.n - 1])) line.n--;
        while (line.n && strchr(" \t", *line.at)) line.at++, line.n--;
        if (line.n >= 2 && *line.at == '"' && line.at[line.n - 1] == '"') line.at++, line.n -= 2;
        if (!line.n || *line.at == '#') continue;
        const char *path = xl_arena_strndup(&list->arena, line.at, line.n);
        if (!path) return xl_fail_nomem(err, "a path", line.n);
        status = add(list,
                     (struct xl_favorite_in){
                         .path = place_of(list, source, path), .rating = -1, .line = line.number},
                     err);
    }
    return status;
}

static int column_called(const struct xl_csv_row *row, const char *words) {
    for (int i = 0; i < row->n; i++) {
        char wanted[64];
        if (!row->cells[i][0] || strlen(row->cells[i]) > 40) continue;
        snprintf(wanted, sizeof wanted, " %s ", row->cells[i]);
        if (strcasestr(words, wanted)) return i;
    }
    return -1;
}

/* "4", "4.0", "" for none, "*****"; -2: none of these. */
static int rating_of(const char *text) {
    char *end;
    size_t stars = strspn(text, "*");
    if (!text[0]) return -1;
    if (stars == strlen(text) && stars <= XL_RATING_MAX) return (int)stars;
    double value = strtod(text, &end);
    bool is_whole = end != text && !*end && value >= 0 && value <= XL_RATING_MAX &&
                    (double)(int)value == value;
    return is_whole ? (int)value : -2;
}

static enum xl_status read_rows(struct xl_favorites_in *list, const char *source,
                                struct xl_csv *csv, int paths, int ratings, struct xl_err *err) {
    struct xl_csv_row row;
    enum xl_status status = XL_OK;
    while (!status && xl_csv_next(csv, &row, &status, err)) {
        const char *path = paths < row.n ? row.cells[paths] : "";
        if (!path[0]) continue;
        struct xl_favorite_in item = {
            .path = place_of(list, source, path), .rating = -1, .line = row.line};
        if (ratings >= 0 && ratings < row.n) item.rating = rating_of(row.cells[ratings]);
        if (item.rating == -2) item.why = "its rating is no whole number from 1 to 5";
        status = add(list, item, err);
    }
    return status;
}

/* What a first row has, for a sentence. */
static enum xl_status no_paths(const char *source, const struct xl_csv_row *row,
                               struct xl_err *err) {
    struct xl_str found = {0};
    for (int i = 0; i < row->n && i < 8; i++)
        xl_str_printf(&found, "%s\"%.30s\"", i ? ", " : "", row->cells[i]);
    xl_fail(err, XL_EINPUT,
            "%s: no column of paths among %s; expected one called path, file, filename, image or "
            "picture, and, if you like, rating",
            source, found.text ? found.text : "nothing");
    xl_str_deinit(&found);
    return XL_EINPUT;
}

static enum xl_status read_csv(struct xl_favorites_in *list, const char *source, const char *text,
                               size_t n, struct xl_err *err) {
    struct xl_csv csv = {.name = source, .text = text, .n = n, .arena = &list->arena};
    struct xl_csv_row row = {.n = 0};
    enum xl_status status = XL_OK;
    if (!xl_csv_next(&csv, &row, &status, err)) return status;
    int paths = column_called(&row, " path paths file files filename file_name image picture ");
    int ratings = column_called(&row, " rating ratings stars score ");
    if (paths < 0 && row.n == 1 && strpbrk(row.cells[0], "/.")) { /* no heading */
        csv.at = 0;
        csv.line = 0;
        return read_rows(list, source, &csv, 0, -1, err);
    }
    if (paths < 0) return no_paths(source, &row, err);
    return read_rows(list, source, &csv, paths, ratings, err);
}

enum xl_status xl_favorites_in_read(struct xl_favorites_in *list, const char *source,
                                    struct xl_err *err) {
    char *text = NULL;
    size_t n = 0;
    if (xl_dir_exists(source)) return read_folder(list, source, 0, err);
    enum xl_status status = xl_text_file_read(source, MAX_LIST, &text, &n, err);
    if (status) return status;
    size_t length = strlen(source);
    bool is_csv = length > 4 && (!strcasecmp(source + length - 4, ".csv") ||
                                 !strcasecmp(source + length - 4, ".tsv"));
    status = is_csv ? read_csv(list, source, text, n, err) : read_lines(list, source, text, err);
    free(text);
    return status;
}
