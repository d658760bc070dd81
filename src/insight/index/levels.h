/* levels.h - the different values of a column among the pictures that a filter means, counted or
 * numbered: what facets and statistics are made of. */
#ifndef XL_INSIGHT_LEVELS_H
#define XL_INSIGHT_LEVELS_H

#include "insight/index/columns.h"
#include "insight/index/filter_sql.h"

/* A thing that pictures are told apart by: a column, or several as one (size). */
struct xl_factor_source {
    const char *name;            /* "model" */
    const char *facet;           /* "model_key": what JSON calls it */
    const char *column, *second; /* second: NULL but of size */
    bool has_none;               /* to have none of it is a value, too */
};

/* The i-th, NULL after the last. */
const struct xl_factor_source *xl_factor_source_at(int i);
enum { XL_FACTOR_SOURCES_MAX = 16 };

/* The values of one source. A value is up to two numbers: an id of a name, a whole number, or the
 * bits of a real one. */
struct xl_levels {
    uint32_t *table;       /* [capacity] numbers + 1; 0: free */
    uint64_t (*values)[2]; /* [n] */
    size_t n, capacity;
};

/* The number of a value, new or not; UINT32_MAX: out of memory. */
uint32_t xl_levels_number(struct xl_levels *levels, uint64_t first, uint64_t second);
void xl_levels_deinit(struct xl_levels *levels);

/* The value of a row: columns `at` (and the next, of a size) of a statement; false: it has none. */
bool xl_level_of_row(const struct xl_factor_source *source, sqlite3_stmt *row, int at,
                     uint64_t value[2]);

/* Writes the values of one source. */
struct xl_level_writer {
    struct xl_index *index;
    const struct xl_factor_source *source;
    enum xl_column_type type; /* of its column */
    sqlite3_stmt *name;
};

/* name: a statement that gives the text of a name's id, which stays the caller's. */
struct xl_level_writer xl_level_writer(struct xl_index *index,
                                       const struct xl_factor_source *source, sqlite3_stmt *name);

/* A value as people write it, appended. Errors: XL_ENOMEM, as of the index */
enum xl_status xl_level_text(const struct xl_level_writer *writer, const uint64_t value[2],
                             struct xl_str *out, struct xl_err *err) XL_CHECKED;

/* Append the columns of all sources, each with a comma before it. */
void xl_levels_select(struct xl_str *out);
/* How many columns a source takes there. */
int xl_level_columns(const struct xl_factor_source *source);

#endif
