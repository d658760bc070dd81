/* sweep_names.c - what the names of a sweep's pictures say beside time, profile, prompt and seed:
 * the axes of its cells, "steps20-negative-blurry". Keeps no state.
 */
#include "lab/run/sweep.h"

#include "lab/cell/cell_axes.h"
#include "lab/data/slug.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum {
    PART_MAX = 24,   /* bytes of one text */
    TAG_MAX = 80,    /* of all */
    PROMPT_SEEN = 60 /* bytes of a prompt that a name shows well enough */
};

/* --- Texts that begin alike ------------------------------------------------------------------- */

/* The values of a column of texts. */
struct texts {
    char **value;   /* by cell; malloc'd */
    size_t *common; /* by cell: bytes that another value begins with, too */
    int *order;     /* cells sorted by value */
    int n;
};

static void texts_deinit(struct texts *texts) {
    for (int c = 0; texts->value && c < texts->n; c++) free(texts->value[c]);
    free(texts->value);
    free(texts->common);
    free(texts->order);
}

static int by_value(const void *a, const void *b, void *user) {
    const struct texts *texts = user;
    return strcmp(texts->value[*(const int *)a], texts->value[*(const int *)b]);
}

static void compare(struct texts *texts, int c, int other) {
    if (!strcmp(texts->value[c], texts->value[other])) {
        if (texts->common[other] > texts->common[c]) texts->common[c] = texts->common[other];
        return;
    }
    size_t n = xl_common_beginning(texts->value[c], texts->value[other]);
    if (n > texts->common[c]) texts->common[c] = n;
}

/* Sorted neighbours have the most in common. */
static bool texts_init(struct texts *texts, const struct xl_sweep *sweep,
                       const struct xl_cell_column *column) {
    size_t n = (size_t)sweep->n_cells;
    *texts = (struct texts){calloc(n, sizeof(char *)), calloc(n, sizeof(size_t)),
                            malloc(n * sizeof(int)), sweep->n_cells};
    if (!texts->value || !texts->common || !texts->order) return false;
    for (int c = 0; c < texts->n; c++) {
        struct xl_str text = {0};
        xl_cell_put_value(&text, &sweep->cells[c], column);
        texts->order[c] = c;
        texts->value[c] = xl_str_take(&text);
        if (!texts->value[c]) return false;
    }
    qsort_r(texts->order, n, sizeof *texts->order, by_value, texts);
    for (int i = 1; i < texts->n; i++) compare(texts, texts->order[i], texts->order[i - 1]);
    for (int i = texts->n - 2; i >= 0; i--) compare(texts, texts->order[i], texts->order[i + 1]);
    return true;
}

/* --- Parts of a name -------------------------------------------------------------------------- */

static void put_caption(struct xl_str *part, const struct xl_cell_column *column) {
    char caption[PART_MAX + 1];
    if (column->field->bits & XL_CELL_PLAIN) return;
    xl_slug(column->field->caption, PART_MAX, caption);
    xl_str_puts(part, caption);
}

/* "steps20", "guidance-rescale0.7", "64x64", "torch-cuda", "prompt-syntax-a1111" */
static void put_value(struct xl_str *part, const struct xl_cell *cell,
                      const struct xl_cell_column *column) {
    struct xl_str value = {0};
    put_caption(part, column);
    if (part->len && column->field->type == XL_CELL_CHOICE) xl_str_puts(part, "-");
    xl_cell_put_value(&value, cell, column);
    for (const char *c = value.text; c && *c; c++)
        if (isalnum((unsigned char)*c) || strchr(".-", *c))
            xl_str_append(part, (char[]){(char)tolower((unsigned char)*c)}, 1);
    part->failed |= value.failed;
    xl_str_deinit(&value);
}

/* "negative-blurry", "init-image-fox", "euler", "no-negative" */
static void put_text(struct xl_str *part, const struct texts *texts, const struct xl_cell *cell,
                     const struct xl_cell_column *column) {
    const char *value = texts->value[cell->index];
    char slug[PART_MAX + 1];
    json_t *json = xl_cell_value(cell, column->field);
    bool is_none = json_is_null(json) || !value[0] || !xl_cell_has(cell, column->field);
    json_decref(json);
    if (is_none) xl_str_puts(part, "no-");
    put_caption(part, column);
    if (is_none) return;
    if (part->len) xl_str_puts(part, "-");
    bool is_path = column->field->bits & XL_CELL_PATH;
    const char *from = strlen(value) > PART_MAX || is_path ? value + texts->common[cell->index]
                                                           : value;
    const char *dot = is_path ? strrchr(from, '.') : NULL;
    char *shown = dot && dot > from ? strndup(from, (size_t)(dot - from)) : strdup(from);
    part->failed |= !shown;
    if (!shown) return;
    xl_slug(shown, PART_MAX, slug);
    xl_str_puts(part, slug);
    free(shown);
}

/* Add a part to a cell's tag, where it has room. */
static bool append(struct xl_sweep *sweep, struct xl_cell *cell, struct xl_str *part) {
    size_t used = cell->tag ? strlen(cell->tag) + 1 : 0;
    char *text = xl_str_take(part);
    if (text && text[0] && used + strlen(text) <= TAG_MAX) {
        const char *tag =
            xl_arena_printf(&sweep->arena, "%s%s%s", used ? cell->tag : "", used ? "-" : "", text);
        if (tag) cell->tag = tag;
        if (!tag) free(text), text = NULL;
    }
    free(text);
    return text != NULL;
}

/* A column that names have anyway says more only where long prompts begin alike. */
static bool is_seen(const struct texts *texts, int c, const struct xl_cell_column *column) {
    return column->field->bits & XL_CELL_NAMES && texts->common[c] < PROMPT_SEEN;
}

static bool name_column(struct xl_sweep *sweep, const struct xl_cell_column *column) {
    bool is_text = column->field->type == XL_CELL_TEXT, ok = true;
    bool is_long = column->field->bits & XL_CELL_LONG;
    if (column->field->bits & XL_CELL_NAMES && !is_long) return true;
    struct texts texts = {0};
    if (is_text) ok = texts_init(&texts, sweep, column);
    for (int c = 0; ok && c < sweep->n_cells; c++) {
        struct xl_cell *cell = &sweep->cells[c];
        struct xl_str part = {0};
        if (is_text && is_seen(&texts, c, column)) continue;
        if (is_text)
            put_text(&part, &texts, cell, column);
        else if (xl_cell_has(cell, column->field))
            put_value(&part, cell, column);
        ok = append(sweep, cell, &part);
    }
    texts_deinit(&texts);
    return ok;
}

enum xl_status xl_sweep_name_cells(struct xl_sweep *sweep, struct xl_err *err) {
    struct xl_cell_column column;
    xl_cell_columns told = 0;
    enum xl_status status = xl_cells_told_by(sweep->cells, sweep->n_cells, &told, err);
    for (int c = 0; c < sweep->n_cells; c++) sweep->cells[c].tag = NULL;
    for (int i = 0; !status && xl_cell_column_at(i, &column); i++)
        if (told >> i & 1 && !name_column(sweep, &column))
            status = xl_fail_nomem(err, "names of pictures", 0);
    return status;
}
