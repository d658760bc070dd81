/* levels.c - numbering values by a hash table. */
#include "insight/index/levels.h"
#include "insight/index/hash.h"

#include <stdlib.h>

static const struct xl_factor_source sources[] = {
    {"model", "model_key", "model_key", NULL, false},
    {"profile", "profile", "profile", NULL, false},
    {"resolution", "size", "width", "height", false},
    {"steps", "steps", "steps", NULL, false},
    {"guidance", "guidance", "guidance", NULL, false},
    {"scheduler", "scheduler", "scheduler", NULL, false},
    {"seed", "seed", "seed", NULL, false},
    {"lora", "lora", "lora", NULL, true},
    {"run", "run_dir", "run_dir", NULL, false},
};
enum { N_SOURCES = sizeof sources / sizeof *sources };
_Static_assert((int)N_SOURCES <= (int)XL_FACTOR_SOURCES_MAX, "arrays of them are that long");

const struct xl_factor_source *xl_factor_source_at(int i) {
    return i >= 0 && i < N_SOURCES ? &sources[i] : NULL;
}

int xl_level_columns(const struct xl_factor_source *source) {
    return source->second ? 2 : 1;
}

void xl_levels_select(struct xl_str *out) {
    for (int i = 0; i < N_SOURCES; i++) {
        xl_str_printf(out, ", pictures.%s", sources[i].column);
        if (sources[i].second) xl_str_printf(out, ", pictures.%s", sources[i].second);
    }
}

/* The table holds numbers alone: of a million seeds it is small enough to be near. */
static size_t place_of(const struct xl_levels *levels, uint64_t first, uint64_t second) {
    size_t mask = levels->capacity - 1;
    size_t at = (size_t)xl_hash_fold(first ^ UINT64_C(0x9E3779B97F4A7C15),
                                     second ^ UINT64_C(0xD1B54A32D192ED03)) &
                mask;
    for (uint32_t number; (number = levels->table[at]); at = (at + 1) & mask) {
        const uint64_t *value = levels->values[number - 1];
        if (value[0] == first && value[1] == second) break;
    }
    return at;
}

static bool grow(struct xl_levels *levels) {
    size_t capacity = levels->capacity ? 2 * levels->capacity : 64;
    uint64_t(*values)[2] = realloc(levels->values, capacity / 2 * sizeof *values);
    if (values) levels->values = values;
    uint32_t *table = values ? calloc(capacity, sizeof *table) : NULL;
    if (!table) return false;
    free(levels->table);
    levels->table = table;
    levels->capacity = capacity;
    for (size_t i = 0; i < levels->n; i++)
        table[place_of(levels, values[i][0], values[i][1])] = (uint32_t)i + 1;
    return true;
}

uint32_t xl_levels_number(struct xl_levels *levels, uint64_t first, uint64_t second) {
    if (2 * (levels->n + 1) > levels->capacity && !grow(levels)) return UINT32_MAX;
    uint32_t *number = &levels->table[place_of(levels, first, second)];
    if (!*number) {
        levels->values[levels->n][0] = first;
        levels->values[levels->n++][1] = second;
        *number = (uint32_t)levels->n;
    }
    return *number - 1;
}

void xl_levels_deinit(struct xl_levels *levels) {
    free(levels->table);
    free(levels->values);
    *levels = (struct xl_levels){0};
}

bool xl_level_of_row(const struct xl_factor_source *source, sqlite3_stmt *row, int at,
                     uint64_t value[2]) {
    int type = sqlite3_column_type(row, at);
    value[0] = value[1] = 0;
    /* No LoRA is a choice, too. */
    if (type == SQLITE_NULL) return source->has_none;
    if (type == SQLITE_FLOAT) {
        double real = sqlite3_column_double(row, at);
        memcpy(&value[0], &real, sizeof real);
    } else {
        value[0] = (uint64_t)sqlite3_column_int64(row, at);
    }
    if (!source->second) return true;
    value[1] = (uint64_t)sqlite3_column_int64(row, at + 1);
    return value[1] != 0;
}

/* A value that every row may have another one of: printf takes its time. */
static void put_digits(struct xl_str *out, uint64_t value) {
    char digits[20];
    size_t at = sizeof digits;
    do digits[--at] = (char)('0' + value % 10);
    while (value /= 10);
    xl_str_append(out, digits + at, sizeof digits - at);
}

struct xl_level_writer xl_level_writer(struct xl_index *index,
                                       const struct xl_factor_source *source, sqlite3_stmt *name) {
    enum xl_column_type type = xl_columns()->at[xl_column_find(source->column)].type;
    return (struct xl_level_writer){index, source, type, name};
}

enum xl_status xl_level_text(const struct xl_level_writer *writer, const uint64_t value[2],
                             struct xl_str *out, struct xl_err *err) {
    sqlite3_stmt *name = writer->name;
    enum xl_status status = XL_OK;
    char number[XL_REAL_MAX];
    double real;
    if (writer->source->second) {
        xl_str_printf(out, "%llux%llu", (unsigned long long)value[0], (unsigned long long)value[1]);
    } else if (writer->type == XL_COLUMN_REAL) {
        memcpy(&real, &value[0], sizeof real);
        xl_real_text(real, number);
        xl_str_puts(out, number);
    } else if (writer->type != XL_COLUMN_NAME) {
        put_digits(out, value[0]);
    } else if (!value[0]) {
        xl_str_puts(out, "none");
    } else {
        sqlite3_bind_int64(name, 1, (int64_t)value[0]);
        if (xl_database_row(&writer->index->database, name, &status, err))
            xl_str_puts(out, (const char *)sqlite3_column_text(name, 0));
        sqlite3_reset(name);
    }
    return !status && out->failed ? xl_fail_nomem(err, "a value", 0) : status;
}
