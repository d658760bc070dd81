/* cell_text.c - columns and their texts. Keeps no state. */
#include "lab/cell/cell_text.h"

#include "base/json.h"
#include "base/str.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* --- Columns ---------------------------------------------------------------------------------- */

bool xl_cell_column_at(int i, struct xl_cell_column *out) {
    const struct xl_cell_field *field;
    int n_columns = 0;
    const char *caption = NULL;
    *out = (struct xl_cell_column){NULL, 0};
    for (int f = 0; (field = xl_cell_field_at(f)); f++) {
        bool is_same = caption && field->caption && !strcmp(field->caption, caption);
        caption = field->caption;
        if (!caption) continue;
        if (!is_same) n_columns++;
        if (n_columns == i + 1 && !out->n++) out->field = field;
    }
    return out->n > 0;
}

int xl_cell_column_compare(const struct xl_cell *a, const struct xl_cell *b,
                           const struct xl_cell_column *column) {
    int order = xl_cell_has(a, column->field) - xl_cell_has(b, column->field);
    bool has = !order && xl_cell_has(a, column->field);
    for (int i = 0; has && !order && i < column->n; i++)
        order = xl_cell_compare(a, b, column->field + i);
    return order;
}

xl_cell_columns xl_cells_differ(const struct xl_cell *a, const struct xl_cell *b) {
    xl_cell_columns set = 0;
    struct xl_cell_column column;
    for (int i = 0; xl_cell_column_at(i, &column); i++)
        if (!(column.field->bits & XL_CELL_FOLLOWS) && xl_cell_column_compare(a, b, &column))
            set |= UINT64_C(1) << i;
    return set;
}

xl_cell_columns xl_cell_columns_with(unsigned bits) {
    xl_cell_columns set = 0;
    struct xl_cell_column column;
    for (int i = 0; xl_cell_column_at(i, &column); i++)
        if ((column.field->bits & bits) == bits) set |= UINT64_C(1) << i;
    return set;
}

/* --- Texts ------------------------------------------------------------------------------------ */

/* absent: what stands for a value that is none */
static void put_json(struct xl_str *out, json_t *value, const char *absent) {
    char number[XL_REAL_MAX];
    if (!value)
        out->failed = true;
    else if (json_is_null(value))
        xl_str_puts(out, absent ? absent : "none");
    else if (json_is_string(value))
        xl_str_append(out, json_string_value(value), json_string_length(value));
    else if (json_is_integer(value))
        xl_str_printf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else if (json_is_real(value) && xl_real_text(json_real_value(value), number))
        xl_str_puts(out, number);
    json_decref(value);
}

void xl_cell_put_value(struct xl_str *out, const struct xl_cell *cell,
                       const struct xl_cell_column *column) {
    bool has = xl_cell_has(cell, column->field);
    for (int i = 0; i < column->n; i++) {
        const struct xl_cell_field *field = column->field + i;
        if (i) xl_str_puts(out, "x");
        put_json(out, has ? xl_cell_shared_value(cell, field) : json_null(), field->absent);
    }
}

void xl_cell_put_label(struct xl_str *out, const struct xl_cell *cell,
                       const struct xl_cell_column *column) {
    if (!(column->field->bits & XL_CELL_PLAIN)) {
        const char *caption = column->field->caption;
        bool is_word = caption[1] != 0; /* not VAE, not LoRA */
        for (const char *c = caption + 1; *c; c++) is_word &= !isupper((unsigned char)*c);
        int first = (unsigned char)caption[0];
        xl_str_printf(out, "%c%s ", is_word ? tolower(first) : first, caption + 1);
    }
    xl_cell_put_value(out, cell, column);
}

const char *xl_cell_join_labels(const struct xl_cell *cell, xl_cell_columns set,
                                struct xl_arena *arena) {
    struct xl_str text = {0};
    struct xl_cell_column column;
    for (int i = 0; xl_cell_column_at(i, &column); i++) {
        if (!(set >> i & 1)) continue;
        if (text.len) xl_str_puts(&text, ", ");
        xl_cell_put_label(&text, cell, &column);
    }
    char *taken = xl_str_take(&text);
    const char *kept = taken ? xl_arena_strdup(arena, taken) : NULL;
    free(taken);
    return kept;
}

/* --- Labels ----------------------------------------------------------------------------------- */

/* The first column of a set that is in the other set, too; -1: none. */
static int first_in(xl_cell_columns set, xl_cell_columns other) {
    return set & other ? __builtin_ctzll(set & other) : -1;
}

/* The column that stands first: what the cells differ in, best what says what it is; else what a
 * picture is called. */
static int find_title(xl_cell_columns varying) {
    int title = first_in(varying, xl_cell_columns_with(XL_CELL_PLAIN));
    if (title < 0) title = first_in(varying, UINT64_MAX);
    return title >= 0 ? title : first_in(xl_cell_columns_with(XL_CELL_TITLE), UINT64_MAX);
}

static void append_label(struct xl_str *line, const struct xl_cell *cell, int column) {
    struct xl_cell_column shown;
    if (!xl_cell_column_at(column, &shown)) return;
    if (line->len) xl_str_puts(line, ", ");
    xl_cell_put_label(line, cell, &shown);
}

void xl_cell_put_labels(struct xl_str *lines, int n, int length, const struct xl_cell *cell,
                        xl_cell_columns varying) {
    int title = find_title(varying), at = 1;
    append_label(&lines[0], cell, title);
    varying &= ~(UINT64_C(1) << title);
    xl_cell_columns texts = varying & xl_cell_columns_with(XL_CELL_LONG);
    for (; texts && at < n - 1; texts &= texts - 1, at++)
        append_label(&lines[at], cell, first_in(texts, UINT64_MAX));
    xl_cell_columns rest = varying & ~xl_cell_columns_with(XL_CELL_LONG);
    for (; rest; rest &= rest - 1) {
        struct xl_str label = {0};
        append_label(&label, cell, first_in(rest, UINT64_MAX));
        bool is_full = lines[at].len && lines[at].len + label.len + 2 > (size_t)length;
        if (is_full && at < n - 1) at++;
        if (label.text) xl_str_printf(&lines[at], "%s%s", lines[at].len ? ", " : "", label.text);
        lines[at].failed |= label.failed;
        xl_str_deinit(&label);
    }
}

/* --- The page --------------------------------------------------------------------------------- */

json_t *xl_cell_write_shown(const struct xl_cell *cell) {
    const struct xl_cell_field *field;
    json_t *object = json_object();
    bool ok = object != NULL;
    xl_json_put(object, "id", json_string(cell->id), &ok);
    for (int i = 0; (field = xl_cell_field_at(i)); i++)
        if (field->caption && xl_cell_has(cell, field))
            xl_json_put(object, field->key, xl_cell_shared_value(cell, field), &ok);
    return xl_json_finish(object, ok);
}

static json_t *describe_column(const struct xl_cell_column *column) {
    static const struct {
        unsigned bit;
        const char *key;
    } flags[] = {
        {XL_CELL_PLAIN, "is_plain"}, {XL_CELL_LONG, "is_long"},    {XL_CELL_ALWAYS, "is_always"},
        {XL_CELL_TITLE, "is_title"}, {XL_CELL_FOLLOWS, "follows"},
    };
    json_t *object = json_object(), *keys = json_array();
    bool ok = object && keys;
    for (int i = 0; i < column->n; i++)
        ok &= !json_array_append_new(keys, json_string(column->field[i].key));
    xl_json_put(object, "keys", keys, &ok);
    xl_json_put(object, "caption", json_string(column->field->caption), &ok);
    if (column->field->absent)
        xl_json_put(object, "absent", json_string(column->field->absent), &ok);
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (column->field->bits & flags[i].bit) xl_json_put(object, flags[i].key, json_true(), &ok);
    return xl_json_finish(object, ok);
}

json_t *xl_cell_describe_columns(void) {
    json_t *array = json_array();
    bool ok = array != NULL;
    struct xl_cell_column column;
    for (int i = 0; xl_cell_column_at(i, &column); i++)
        ok &= !json_array_append_new(array, describe_column(&column));
    return xl_json_finish(array, ok);
}
