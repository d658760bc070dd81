/* comparison_files.c - which files of two folders belong together. */
#include "lab/run/comparison.h"

#include "base/file.h"
#include "image/sheet.h"
#include "lab/cell/cell_record.h"
#include "lab/run/verify_list.h"

#include <stdlib.h>
#include <string.h>

enum { N_SIDES = 2, TIME = sizeof "20261129-165956" - 1, TIME_DASH = 8 };

/* A picture of a folder. */
struct file {
    const char *path;
    const char *shown; /* the path below the folder */
    const char *name;  /* what it is found by; NULL: by nothing */
};

struct side {
    const char *dir;
    struct xl_verify_list list;
    struct file *files; /* by name */
    int n;
};

/* Those that have none last. */
static int by_name(const void *a, const void *b) {
    const struct file *x = a, *y = b;
    if (!x->name || !y->name) return !x->name - !y->name;
    return strcmp(x->name, y->name);
}

/* The record of a picture of ours, malloc'd; NULL: none, and what cannot be read is told when it is
 * measured. *is_sheet: it is that of a contact sheet. Errors: XL_ENOMEM */
static enum xl_status read_record(const char *path, char **text, bool *is_sheet,
                                  struct xl_err *err) {
    struct xl_sheet_record sheet;
    struct xl_err why = {0};
    *text = NULL;
    enum xl_status status = xl_record_read(path, text, &why);
    *is_sheet = !status && xl_sheet_record_parse(*text, &sheet);
    return status == XL_ENOMEM ? xl_fail(err, status, "%s", why.text) : XL_OK;
}

static const char *below(const char *dir, const char *path) {
    size_t n = strlen(dir);
    path += n;
    while (*path == '/') path++;
    return path;
}

static enum xl_status read_side(struct side *side, const char *dir, struct xl_arena *arena,
                                struct xl_err *err) {
    side->dir = dir;
    side->list.takes_all = true;
    enum xl_status status = xl_verify_list_add(&side->list, dir, err);
    if (status) return status;
    side->files = xl_arena_alloc(arena, ((size_t)side->list.n + 1) * sizeof *side->files);
    if (!side->files) return xl_fail_nomem(err, "a comparison", 0);
    for (int i = 0; i < side->list.n; i++) {
        bool is_sheet;
        char *text;
        const char *path = side->list.items[i].path;
        status = read_record(path, &text, &is_sheet, err);
        if (status) return status;
        free(text);
        if (!is_sheet) side->files[side->n++] = (struct file){path, below(dir, path), NULL};
    }
    return side->n ? XL_OK : xl_fail(err, XL_EINPUT, "%s: there is no picture in it", dir);
}

static const struct file *find(const struct side *side, const char *name) {
    const struct file wanted = {.name = name};
    return bsearch(&wanted, side->files, (size_t)side->n, sizeof wanted, by_name);
}

static bool have_common(const struct side *sides) {
    for (int i = 0; i < sides[0].n; i++)
        if (sides[0].files[i].name && find(&sides[1], sides[0].files[i].name)) return true;
    return false;
}

/* --- What pictures are found by --------------------------------------------------------------- */

static enum xl_status by_path(const struct file *file, struct xl_arena *arena, const char **out,
                              struct xl_err *err) {
    (void)arena, (void)err;
    *out = file->shown;
    return XL_OK;
}

/* The id of the cell that a picture's record names; NULL: none. */
static enum xl_status by_cell(const struct file *file, struct xl_arena *arena, const char **out,
                              struct xl_err *err) {
    bool is_sheet;
    char *text;
    json_t *record = NULL;
    struct xl_err why = {0};
    *out = NULL;
    enum xl_status status = read_record(file->path, &text, &is_sheet, err);
    if (status || !text) return status;
    status = xl_record_parse(text, file->path, &record, &why);
    const char *cell = json_string_value(json_object_get(record, "cell"));
    if (cell) *out = xl_arena_strdup(arena, cell);
    bool is_lost = status == XL_ENOMEM || (cell && !*out);
    json_decref(record);
    free(text);
    return is_lost ? xl_fail_nomem(err, "a comparison", 0) : XL_OK;
}

/* Whether a text begins with a time as names of runs and pictures have it: 20261129-165956. */
static bool is_time(const char *text) {
    for (int i = 0; i < TIME; i++)
        if (i == TIME_DASH ? text[i] != '-' : text[i] < '0' || text[i] > '9') return false;
    return true;
}

/* The path without the times in it. */
static enum xl_status by_untimed(const struct file *file, struct xl_arena *arena, const char **out,
                                 struct xl_err *err) {
    char *name = xl_arena_strdup(arena, file->shown);
    if (!name) return xl_fail_nomem(err, "a comparison", 0);
    *out = name;
    for (const char *from = file->shown; *from;) {
        if (is_time(from))
            from += TIME;
        else
            *name++ = *from++;
    }
    *name = 0;
    return XL_OK;
}

typedef enum xl_status name_fn(const struct file *file, struct xl_arena *arena, const char **out,
                               struct xl_err *err);

static enum xl_status name_side(struct side *side, name_fn *name, struct xl_arena *arena,
                                struct xl_err *err) {
    enum xl_status status = XL_OK;
    for (int i = 0; !status && i < side->n; i++)
        status = name(&side->files[i], arena, &side->files[i].name, err);
    qsort(side->files, (size_t)side->n, sizeof *side->files, by_name);
    return status;
}

/* By the first way that pairs any. */
static enum xl_status name_files(struct side *sides, struct xl_arena *arena, struct xl_err *err) {
    static name_fn *const ways[] = {by_path, by_cell, by_untimed};
    enum xl_status status = XL_OK;
    for (size_t k = 0; !status && k < sizeof ways / sizeof *ways; k++) {
        for (int i = 0; !status && i < N_SIDES; i++)
            status = name_side(&sides[i], ways[k], arena, err);
        if (!status && have_common(sides)) return XL_OK;
    }
    if (status) return status;
    return xl_fail(
        err, XL_EINPUT,
        "%s and %s have no picture in common: no name is in both, nor does a record name "
        "the request of one in the other",
        sides[0].dir, sides[1].dir);
}

/* --- Rows ------------------------------------------------------------------------------------- */

static enum xl_status begin(struct xl_comparison *out, const char *caption, const char *a,
                            const char *b, int n_rows, struct xl_err *err) {
    out->caption = caption;
    out->n_values = N_SIDES;
    out->values = xl_arena_alloc(&out->arena, N_SIDES * sizeof *out->values);
    out->rows = xl_arena_alloc(&out->arena, (size_t)n_rows * sizeof *out->rows);
    if (!out->values || !out->rows) return xl_fail_nomem(err, "a comparison", 0);
    out->values[0] = xl_arena_strdup(&out->arena, a);
    out->values[1] = xl_arena_strdup(&out->arena, b);
    return out->values[0] && out->values[1] ? XL_OK : xl_fail_nomem(err, "a comparison", 0);
}

/* a or b NULL: only the other folder has it. */
static enum xl_status add_row(struct xl_comparison *out, const char *name, const char *a,
                              const char *b, struct xl_err *err) {
    struct xl_comparison_row *row = &out->rows[out->n_rows];
    row->name = xl_arena_strdup(&out->arena, name);
    row->pictures = xl_arena_alloc(&out->arena, N_SIDES * sizeof *row->pictures);
    if (!row->name || !row->pictures) return xl_fail_nomem(err, "a comparison", 0);
    for (int v = 0; v < N_SIDES; v++) {
        const char *path = v ? b : a;
        const char *kept = path ? xl_arena_strdup(&out->arena, path)
                                : xl_arena_printf(&out->arena, "not in %s", out->values[v]);
        if (!kept) return xl_fail_nomem(err, "a comparison", 0);
        if (path)
            row->pictures[v].path = kept;
        else
            row->pictures[v].why = kept;
    }
    out->n_rows++;
    return XL_OK;
}

/* Rows of two sorted lists; a row is called as its first file is. */
static enum xl_status merge(struct xl_comparison *out, const struct side *sides,
                            struct xl_err *err) {
    const struct file *a = sides[0].files, *b = sides[1].files;
    const struct file *a_end = a + sides[0].n, *b_end = b + sides[1].n;
    enum xl_status status = XL_OK;
    while (!status && (a < a_end || b < b_end)) {
        int order = a == a_end ? 1 : b == b_end ? -1 : by_name(a, b);
        if (!order && !a->name) order = -1; /* neither is found by anything */
        status = add_row(out, order <= 0 ? a->shown : b->shown, order <= 0 ? a->path : NULL,
                         order >= 0 ? b->path : NULL, err);
        a += order <= 0;
        b += order >= 0;
    }
    return status;
}

static int by_row_name(const void *a, const void *b) {
    return strcmp(((const struct xl_comparison_row *)a)->name,
                  ((const struct xl_comparison_row *)b)->name);
}

static enum xl_status pair_folders(const char *a, const char *b, struct xl_comparison *out,
                                   struct xl_err *err) {
    struct side sides[N_SIDES] = {{0}};
    enum xl_status status = read_side(&sides[0], a, &out->arena, err);
    if (!status) status = read_side(&sides[1], b, &out->arena, err);
    if (!status) status = name_files(sides, &out->arena, err);
    if (!status) status = begin(out, "Folder", a, b, sides[0].n + sides[1].n, err);
    if (!status) status = merge(out, sides, err);
    if (!status) qsort(out->rows, (size_t)out->n_rows, sizeof *out->rows, by_row_name);
    for (int i = 0; i < N_SIDES; i++) xl_verify_list_deinit(&sides[i].list);
    return status;
}

/* A file that is no picture, or not there, is told of at once. */
static enum xl_status check_file(const char *path, struct xl_err *err) {
    struct xl_image image = {0};
    enum xl_status status = xl_image_load(path, &image, err);
    xl_image_free(&image);
    return status;
}

static const char *last_part(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

/* Two files are called as they are without their folders, where that tells them apart. */
static enum xl_status pair_files(const char *a, const char *b, struct xl_comparison *out,
                                 struct xl_err *err) {
    bool is_told = strcmp(last_part(a), last_part(b)) != 0;
    enum xl_status status =
        begin(out, "Picture", is_told ? last_part(a) : a, is_told ? last_part(b) : b, 1, err);
    return status ? status : add_row(out, last_part(b), a, b, err);
}

enum xl_status xl_comparison_of_files(const char *a, const char *b, struct xl_comparison *out,
                                      struct xl_err *err) {
    struct xl_comparison comparison = {.n_rows = 0};
    bool is_dir = xl_dir_exists(a);
    enum xl_status status = XL_OK;
    if (is_dir != xl_dir_exists(b))
        status = xl_fail(err, XL_EINPUT,
                         "%s is a folder, and %s is none; expected two pictures or two folders",
                         is_dir ? a : b, is_dir ? b : a);
    else if (is_dir)
        status = pair_folders(a, b, &comparison, err);
    else
        status = check_file(a, err);
    if (!status && !is_dir) status = check_file(b, err);
    if (!status && !is_dir) status = pair_files(a, b, &comparison, err);
    if (status)
        xl_comparison_deinit(&comparison);
    else
        *out = comparison;
    return status;
}
