/* observe.c - the rows of a table are read as they lie in the index (observe_rows.c), get their
 * marks, and are put in order (observe_order.c); then values and prompts get their texts: each
 * once. */
#include "insight/index/observe.h"
#include "insight/index/observe_inner.h"

#include <stdlib.h>
#include <string.h>

/* --- Marks and choices ------------------------------------------------------------------------ */

/* The row of a picture while rows are in the order of ids; UINT32_MAX: it is not among them. */
static uint32_t row_of(const struct xl_observed_table *table, int64_t picture) {
    size_t low = 0, high = table->view.row_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (table->picture[middle] < picture)
            low = middle + 1;
        else
            high = middle;
    }
    return low < table->view.row_count && table->picture[low] == picture ? (uint32_t)low
                                                                         : UINT32_MAX;
}

static enum xl_status read_loves(struct xl_observed_table *table, struct xl_err *err) {
    struct xl_database *database = &table->index->database;
    sqlite3_stmt *loves = NULL;
    table->loved = calloc(table->view.row_count + 1, 1);
    table->rating = calloc(table->view.row_count + 1, 1);
    if (!table->loved || !table->rating) return xl_fail_nomem(err, "a table of pictures", 0);
    enum xl_status status =
        xl_database_prepare(database, "SELECT picture, loved, rating FROM loves", &loves, err);
    while (xl_database_row(database, loves, &status, err)) {
        uint32_t row = row_of(table, sqlite3_column_int64(loves, 0));
        if (row == UINT32_MAX) continue;
        table->loved[row] = (uint8_t)sqlite3_column_int(loves, 1);
        table->rating[row] = (uint8_t)sqlite3_column_int(loves, 2);
    }
    sqlite3_finalize(loves);
    return status;
}

static enum xl_status read_choices(struct xl_observed_table *table, struct xl_err *err) {
    struct xl_database *database = &table->index->database;
    sqlite3_stmt *duels = NULL;
    int64_t n = 0;
    enum xl_status status = xl_database_number(database, "SELECT count(*) FROM duels", 0, &n, err);
    if (status || !n) return status;
    table->choices = malloc((size_t)n * sizeof *table->choices);
    if (!table->choices) return xl_fail_nomem(err, "choices", 0);
    status = xl_database_prepare(database,
                                 "SELECT a.picture, b.picture FROM duels JOIN marks a ON a.id ="
                                 " winner JOIN marks b ON b.id = loser WHERE a.picture IS NOT"
                                 " NULL AND b.picture IS NOT NULL AND a.picture != b.picture"
                                 " ORDER BY duels.id",
                                 &duels, err);
    while (xl_database_row(database, duels, &status, err)) {
        struct xl_choice choice = {row_of(table, sqlite3_column_int64(duels, 0)),
                                   row_of(table, sqlite3_column_int64(duels, 1))};
        bool is_among = choice.winner != UINT32_MAX && choice.loser != UINT32_MAX;
        if (is_among) table->choices[table->view.choice_count++] = choice;
    }
    sqlite3_finalize(duels);
    return status;
}

/* --- Words ------------------------------------------------------------------------------------ */

static enum xl_status put_prompt(struct xl_observed_table *table, size_t prompt, sqlite3_stmt *text,
                                 struct xl_err *err) {
    struct xl_word_list found = {0};
    enum xl_status status = XL_OK;
    sqlite3_bind_int64(text, 1, (int64_t)table->prompts.levels.values[prompt][0]);
    if (xl_database_row(&table->index->database, text, &status, err))
        status =
            xl_words_of(&table->words, (const char *)sqlite3_column_text(text, 0), &found, err);
    sqlite3_reset(text);
    size_t capacity = table->word_capacity ? table->word_capacity : 4096;
    while (capacity < table->n_word_ids + found.n) capacity *= 2;
    if (!status && capacity != table->word_capacity) {
        if (!xl_observed_grow(&table->word_ids, capacity, sizeof *table->word_ids))
            return xl_fail_nomem(err, "words of prompts", capacity * sizeof *table->word_ids);
        table->word_capacity = capacity;
    }
    if (status) return status;
    if (found.n)
        memcpy(table->word_ids + table->n_word_ids, found.ids, found.n * sizeof *found.ids);
    table->n_word_ids += found.n;
    table->word_start[prompt + 1] = table->n_word_ids;
    return XL_OK;
}

static enum xl_status put_prompts(struct xl_observed_table *table, struct xl_err *err) {
    size_t n = table->prompts.levels.n;
    sqlite3_stmt *text = NULL;
    table->word_start = calloc(n + 1, sizeof *table->word_start);
    if (!table->word_start) return xl_fail_nomem(err, "prompts", n * sizeof *table->word_start);
    enum xl_status status = xl_database_prepare(&table->index->database,
                                                "SELECT text FROM texts WHERE id = ?", &text, err);
    for (size_t i = 0; i < n && !status; i++) status = put_prompt(table, i, text, err);
    sqlite3_finalize(text);
    return status;
}

static enum xl_status put_word_texts(struct xl_observed_table *table, struct xl_err *err) {
    table->word_texts = malloc((table->words.n + 1) * sizeof *table->word_texts);
    if (!table->word_texts) return xl_fail_nomem(err, "words", 0);
    for (size_t i = 0; i < table->words.n; i++)
        table->word_texts[i] = xl_intern_text(&table->words.table, (int64_t)i + 1);
    return XL_OK;
}

/* --- Texts of values -------------------------------------------------------------------------- */

static enum xl_status put_factor(struct xl_observed_table *table, int i, sqlite3_stmt *name,
                                 struct xl_err *err) {
    const struct xl_factor_source *source = xl_factor_source_at(i);
    const struct xl_level_writer writer = xl_level_writer(table->index, source, name);
    const struct xl_levels *levels = &table->columns[i].levels;
    const char **texts = xl_arena_alloc(&table->arena, (levels->n + 1) * sizeof *texts);
    enum xl_status status = texts ? XL_OK : xl_fail_nomem(err, "values", levels->n * sizeof *texts);
    struct xl_str text = {0};
    for (size_t k = 0; k < levels->n && !status; k++) {
        text.len = 0;
        status = xl_level_text(&writer, levels->values[k], &text, err);
        if (!status)
            texts[k] = xl_arena_strndup(&table->arena, text.text ? text.text : "", text.len);
        if (!status && !texts[k]) status = xl_fail_nomem(err, "values", 0);
    }
    xl_str_deinit(&text);
    table->factors[i] = (struct xl_observed_factor){source->name, levels->n, texts};
    return status;
}

static enum xl_status put_factors(struct xl_observed_table *table, struct xl_err *err) {
    sqlite3_stmt *name = NULL;
    int n = 0;
    enum xl_status status = xl_database_prepare(&table->index->database,
                                                "SELECT text FROM names WHERE id = ?", &name, err);
    for (; xl_factor_source_at(n) && !status; n++) status = put_factor(table, n, name, err);
    sqlite3_finalize(name);
    table->view.factor_count = (size_t)n;
    return status;
}

/* --- All of it -------------------------------------------------------------------------------- */

static void set_view(struct xl_observed_table *table) {
    struct xl_observations *view = &table->view;
    view->factors = table->factors;
    for (int i = 0; xl_factor_source_at(i); i++) table->level[i] = table->columns[i].of_row;
    view->level = table->level;
    view->loved = table->loved;
    view->rating = table->rating;
    view->made_at = table->made_at;
    view->picture = table->picture;
    view->prompt_count = table->prompts.levels.n;
    view->prompt = view->prompt_count ? table->prompts.of_row : NULL;
    view->word_count = table->words.n;
    view->words = table->word_texts;
    view->word_start = view->prompt_count ? table->word_start : NULL;
    view->word_ids = table->word_ids;
    view->choices = table->choices;
}

static enum xl_status try_observe(struct xl_index *index, const struct xl_picture_filter *filter,
                                  struct xl_observations **out, struct xl_err *err) {
    struct xl_observed_table *table = calloc(1, sizeof *table);
    if (!table) return xl_fail_nomem(err, "a table of pictures", sizeof *table);
    table->index = index;
    enum xl_status status = xl_observed_read(table, filter, err);
    if (!status) status = read_loves(table, err);
    if (!status) status = read_choices(table, err);
    if (!status) status = xl_observed_order(table, err);
    if (!status) status = put_factors(table, err);
    if (!status) status = put_prompts(table, err);
    if (!status) status = put_word_texts(table, err);
    set_view(table);
    for (int i = 0; i < XL_FACTOR_SOURCES_MAX; i++) xl_levels_deinit(&table->columns[i].levels);
    xl_levels_deinit(&table->prompts.levels);
    free(table->path_key);
    table->path_key = NULL;
    if (status)
        xl_observe_free(&table->view);
    else
        *out = &table->view;
    return status;
}

enum xl_status xl_observe(struct xl_index *index, const struct xl_picture_filter *filter,
                          struct xl_observations **out, struct xl_err *err) {
    enum xl_status status = try_observe(index, filter, out, err);
    return xl_index_mended(index, status, err) ? try_observe(index, filter, out, err) : status;
}

void xl_observe_free(struct xl_observations *observations) {
    struct xl_observed_table *table = (struct xl_observed_table *)observations;
    if (!table) return;
    for (int i = 0; i < XL_FACTOR_SOURCES_MAX; i++) free(table->columns[i].of_row);
    free(table->prompts.of_row);
    free(table->loved);
    free(table->rating);
    free(table->made_at);
    free(table->picture);
    free(table->word_start);
    free(table->word_ids);
    free(table->word_texts);
    free(table->choices);
    xl_words_deinit(&table->words);
    xl_arena_deinit(&table->arena);
    free(table);
}
