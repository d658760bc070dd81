/* observe_rows.c - the rows of a table as they lie in the index: one thread reads them, another one
 * numbers their values. A block of rows belongs to one of them at a time.
 */
#include "insight/index/observe_inner.h"

#include "base/handover.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK = 1024, BLOCKS = 3 }; /* one is read, one waits, one is numbered */

struct raw_row {
    int64_t picture, made_at, path_key, prompt;
    uint32_t has; /* bits: of these columns it has a value */
    uint64_t values[XL_FACTOR_SOURCES_MAX][2];
};

struct block {
    size_t n;
    struct raw_row rows[BLOCK];
};

struct numbering {
    struct xl_observed_table *table;
    enum xl_status status;
    struct xl_err err;
};

bool xl_observed_grow(void *pointer, size_t n, size_t size) {
    void *old, *larger;
    memcpy(&old, pointer, sizeof old);
    larger = realloc(old, n * size);
    if (larger) memcpy(pointer, &larger, sizeof larger);
    return larger != NULL;
}

/* --- Numbering -------------------------------------------------------------------------------- */

static bool room_for_rows(struct xl_observed_table *table, size_t more) {
    if (table->view.row_count + more <= table->capacity) return true;
    size_t n = table->capacity ? 2 * table->capacity : BLOCK;
    bool ok = xl_observed_grow(&table->made_at, n, sizeof *table->made_at) &&
              xl_observed_grow(&table->picture, n, sizeof *table->picture) &&
              xl_observed_grow(&table->path_key, n, sizeof *table->path_key) &&
              xl_observed_grow(&table->prompts.of_row, n, sizeof *table->prompts.of_row);
    for (int i = 0; ok && xl_factor_source_at(i); i++)
        ok = xl_observed_grow(&table->columns[i].of_row, n, sizeof *table->columns[i].of_row);
    if (ok) table->capacity = n;
    return ok;
}

static bool put_value(struct xl_observed_column *column, size_t row, const uint64_t value[2]) {
    if (!column->levels.n || memcmp(value, column->last, sizeof column->last)) {
        memcpy(column->last, value, sizeof column->last);
        column->last_level = xl_levels_number(&column->levels, value[0], value[1]);
    }
    column->of_row[row] = column->last_level;
    return column->last_level != UINT32_MAX;
}

/* A column after the other: its table of values stays near. */
static bool number_column(struct xl_observed_column *column, size_t first, int i,
                          const struct block *block) {
    bool ok = true;
    for (size_t k = 0; k < block->n && ok; k++) {
        if (block->rows[k].has >> i & 1)
            ok = put_value(column, first + k, block->rows[k].values[i]);
        else
            column->of_row[first + k] = XL_NO_LEVEL;
    }
    return ok;
}

static bool number_block(struct xl_observed_table *table, const struct block *block) {
    size_t first = table->view.row_count;
    bool ok = room_for_rows(table, block->n);
    for (size_t k = 0; k < block->n && ok; k++) {
        const struct raw_row *row = &block->rows[k];
        const uint64_t prompt[2] = {(uint64_t)row->prompt, 0};
        table->picture[first + k] = row->picture;
        table->made_at[first + k] = row->made_at;
        table->path_key[first + k] = row->path_key;
        table->prompts.of_row[first + k] = XL_NO_LEVEL;
        if (row->prompt) ok = put_value(&table->prompts, first + k, prompt); /* ids begin at 1 */
    }
    for (int i = 0; ok && xl_factor_source_at(i); i++)
        ok = number_column(&table->columns[i], first, i, block);
    if (ok) table->view.row_count += block->n;
    return ok;
}

static void number(void *user, void *item) {
    struct numbering *numbering = user;
    if (!numbering->status && !number_block(numbering->table, item))
        numbering->status = xl_fail_nomem(&numbering->err, "a table of pictures", 0);
}

/* --- Reading ---------------------------------------------------------------------------------- */

enum { AT_ID, AT_MADE, AT_PATH_KEY, AT_PROMPT, AT_LEVELS };

static void read_row(sqlite3_stmt *rows, struct raw_row *row) {
    const struct xl_factor_source *source;
    row->picture = sqlite3_column_int64(rows, AT_ID);
    row->made_at = sqlite3_column_int64(rows, AT_MADE);
    row->path_key = sqlite3_column_int64(rows, AT_PATH_KEY);
    row->prompt = sqlite3_column_int64(rows, AT_PROMPT);
    row->has = 0;
    int at = AT_LEVELS;
    for (int i = 0; (source = xl_factor_source_at(i)); at += xl_level_columns(source), i++)
        row->has |= (uint32_t)xl_level_of_row(source, rows, at, row->values[i]) << i;
}

static enum xl_status read_blocks(struct xl_database *database, sqlite3_stmt *rows,
                                  struct block blocks[BLOCKS], struct xl_handover *handover,
                                  struct xl_err *err) {
    enum xl_status status = XL_OK;
    int at = 0;
    blocks[at].n = 0;
    while (xl_database_row(database, rows, &status, err)) {
        read_row(rows, &blocks[at].rows[blocks[at].n++]);
        if (blocks[at].n < BLOCK) continue;
        xl_handover_put(handover, &blocks[at], 1);
        at = (at + 1) % BLOCKS;
        blocks[at].n = 0;
    }
    xl_handover_put(handover, &blocks[at], 1);
    return status;
}

/* By id: that is how they lie, and how marks are found. */
static enum xl_status prepare(struct xl_index *index, const struct xl_picture_filter *filter,
                              sqlite3_stmt **out, struct xl_err *err) {
    struct xl_str query = {0};
    xl_str_puts(&query, "SELECT pictures.id, made_at, path_key, prompt");
    xl_levels_select(&query);
    xl_str_puts(&query, " FROM pictures");
    enum xl_status status = xl_filter_sql(index, filter, &query, err);
    xl_str_puts(&query, " ORDER BY pictures.id");
    if (!status && query.failed) status = xl_fail_nomem(err, "a query", 0);
    if (!status) status = xl_database_prepare(&index->database, query.text, out, err);
    xl_str_deinit(&query);
    return status;
}

enum xl_status xl_observed_read(struct xl_observed_table *table,
                                const struct xl_picture_filter *filter, struct xl_err *err) {
    struct numbering numbering = {.table = table};
    struct xl_handover *handover = NULL;
    sqlite3_stmt *rows = NULL;
    struct block *blocks = malloc(BLOCKS * sizeof *blocks);
    if (!blocks) return xl_fail_nomem(err, "a table of pictures", BLOCKS * sizeof *blocks);
    enum xl_status status = prepare(table->index, filter, &rows, err);
    /* Two blocks are on their way at most. */
    if (!status) status = xl_handover_new(BLOCKS - 1, number, &numbering, &handover, err);
    if (!status) status = read_blocks(&table->index->database, rows, blocks, handover, err);
    xl_handover_finish(handover);
    sqlite3_finalize(rows);
    free(blocks);
    if (!status && numbering.status) {
        status = numbering.status;
        if (err) *err = numbering.err;
    }
    return status;
}
