/* observe.c - one pass over the pictures fills the columns; then values get their texts. */
#include "insight/index/observe.h"
#include "insight/index/levels.h"
#include "insight/index/words.h"

#include <stdlib.h>
#include <string.h>

/* Words of a prompt that was seen: a part of the pool. */
struct prompt {
    size_t start, n;
};

struct table {
    struct xl_observations view; /* first: it is what callers get */
    struct xl_index *index;
    size_t capacity;
    uint32_t *level[XL_FACTOR_SOURCES_MAX];
    uint8_t *loved, *rating;
    int64_t *made_at, *picture;
    size_t *word_start;
    uint32_t *word_ids;
    size_t n_word_ids, word_capacity;
    struct xl_levels levels[XL_FACTOR_SOURCES_MAX];
    struct xl_observed_factor factors[XL_FACTOR_SOURCES_MAX];
    struct xl_words words;
    struct xl_levels prompts; /* ids of texts */
    struct prompt *of_prompt; /* by number of prompts */
    size_t prompt_capacity;
    const char **word_texts;
    struct xl_choice *choices;
    struct xl_arena arena;
};

/* --- Room ------------------------------------------------------------------------------------- */

/* pointer: to a pointer to whatever the array is of. */
static bool grow_one(void *pointer, size_t n, size_t size) {
    void *old, *larger;
    memcpy(&old, pointer, sizeof old);
    larger = realloc(old, n * size);
    if (larger) memcpy(pointer, &larger, sizeof larger);
    return larger != NULL;
}

static enum xl_status room_for_row(struct table *table, struct xl_err *err) {
    if (table->view.row_count < table->capacity) return XL_OK;
    size_t n = table->capacity ? 2 * table->capacity : 1024;
    bool ok = grow_one(&table->loved, n, 1) && grow_one(&table->rating, n, 1) &&
              grow_one(&table->made_at, n, sizeof *table->made_at) &&
              grow_one(&table->picture, n, sizeof *table->picture) &&
              grow_one(&table->word_start, n + 1, sizeof *table->word_start);
    for (int i = 0; ok && xl_factor_source_at(i); i++)
        ok = grow_one(&table->level[i], n, sizeof *table->level[i]);
    if (!ok) return xl_fail_nomem(err, "a table of pictures", n * 64);
    table->capacity = n;
    return XL_OK;
}

static enum xl_status room_for_words(struct table *table, size_t n, struct xl_err *err) {
    size_t capacity = table->word_capacity ? table->word_capacity : 4096;
    while (capacity < table->n_word_ids + n) capacity *= 2;
    if (capacity == table->word_capacity) return XL_OK;
    if (!grow_one(&table->word_ids, capacity, sizeof *table->word_ids))
        return xl_fail_nomem(err, "words of prompts", capacity * sizeof *table->word_ids);
    table->word_capacity = capacity;
    return XL_OK;
}

/* --- Words ------------------------------------------------------------------------------------ */

/* The words of a prompt that comes for the first time: found, and noted where they are. */
static enum xl_status find_words(struct table *table, struct prompt *prompt, int64_t text_id,
                                 sqlite3_stmt *text, struct xl_err *err) {
    struct xl_word_list found = {0};
    enum xl_status status = XL_OK;
    sqlite3_bind_int64(text, 1, text_id);
    if (xl_database_row(&table->index->database, text, &status, err))
        status =
            xl_words_of(&table->words, (const char *)sqlite3_column_text(text, 0), &found, err);
    sqlite3_reset(text);
    if (!status) status = room_for_words(table, found.n, err);
    if (status) return status;
    if (found.n)
        memcpy(table->word_ids + table->n_word_ids, found.ids, found.n * sizeof *found.ids);
    *prompt = (struct prompt){table->n_word_ids, found.n};
    table->n_word_ids += found.n;
    return XL_OK;
}

static enum xl_status put_words(struct table *table, int64_t text_id, sqlite3_stmt *text,
                                struct xl_err *err) {
    size_t known = table->prompts.n;
    uint32_t number = xl_levels_number(&table->prompts, (uint64_t)text_id, 0);
    if (number == UINT32_MAX) return xl_fail_nomem(err, "prompts", 0);
    if (number >= table->prompt_capacity) {
        size_t n = table->prompt_capacity ? 2 * table->prompt_capacity : 1024;
        if (!grow_one(&table->of_prompt, n, sizeof *table->of_prompt))
            return xl_fail_nomem(err, "prompts", n * sizeof *table->of_prompt);
        table->prompt_capacity = n;
    }
    if (table->prompts.n > known)
        return find_words(table, &table->of_prompt[number], text_id, text, err);
    const struct prompt *prompt = &table->of_prompt[number];
    enum xl_status status = room_for_words(table, prompt->n, err);
    if (status) return status;
    memmove(table->word_ids + table->n_word_ids, table->word_ids + prompt->start,
            prompt->n * sizeof *table->word_ids);
    table->n_word_ids += prompt->n;
    return XL_OK;
}

/* --- Rows ------------------------------------------------------------------------------------- */

enum { AT_ID, AT_MADE, AT_LOVED, AT_RATING, AT_PROMPT, AT_LEVELS };

static enum xl_status put_row(struct table *table, sqlite3_stmt *rows, sqlite3_stmt *text,
                              struct xl_err *err) {
    const struct xl_factor_source *source;
    size_t row = table->view.row_count;
    enum xl_status status = room_for_row(table, err);
    if (status) return status;
    table->picture[row] = sqlite3_column_int64(rows, AT_ID);
    table->made_at[row] = sqlite3_column_int64(rows, AT_MADE);
    table->loved[row] = (uint8_t)sqlite3_column_int(rows, AT_LOVED);
    table->rating[row] = (uint8_t)sqlite3_column_int(rows, AT_RATING);
    int at = AT_LEVELS;
    for (int i = 0; (source = xl_factor_source_at(i)); at += xl_level_columns(source), i++) {
        uint64_t value[2];
        bool has = xl_level_of_row(source, rows, at, value);
        table->level[i][row] = has ? xl_levels_number(&table->levels[i], value[0], value[1])
                                   : XL_NO_LEVEL;
        if (has && table->level[i][row] == UINT32_MAX)
            return xl_fail_nomem(err, "a table of pictures", 0);
    }
    table->word_start[row] = table->n_word_ids;
    if (sqlite3_column_type(rows, AT_PROMPT) != SQLITE_NULL)
        status = put_words(table, sqlite3_column_int64(rows, AT_PROMPT), text, err);
    table->word_start[row + 1] = table->n_word_ids;
    table->view.row_count += !status;
    return status;
}

static enum xl_status read_rows(struct table *table, const struct xl_picture_filter *filter,
                                struct xl_err *err) {
    struct xl_database *database = &table->index->database;
    struct xl_str query = {0};
    sqlite3_stmt *rows = NULL, *text = NULL;
    xl_str_puts(&query, "SELECT pictures.id, made_at, ifnull(loved, 0), ifnull(rating, 0), prompt");
    xl_levels_select(&query);
    xl_str_puts(&query, " FROM pictures LEFT JOIN loves ON loves.picture = pictures.id");
    enum xl_status status = xl_filter_sql(table->index, filter, &query, err);
    xl_str_puts(&query, " ORDER BY made_at, path_key");
    if (!status && query.failed) status = xl_fail_nomem(err, "a query", 0);
    if (!status) status = xl_database_prepare(database, query.text, &rows, err);
    if (!status)
        status = xl_database_prepare(database, "SELECT text FROM texts WHERE id = ?", &text, err);
    while (xl_database_row(database, rows, &status, err)) status = put_row(table, rows, text, err);
    sqlite3_finalize(rows);
    sqlite3_finalize(text);
    xl_str_deinit(&query);
    return status;
}

/* --- Texts of values -------------------------------------------------------------------------- */

static enum xl_status put_factor(struct table *table, int i, sqlite3_stmt *name,
                                 struct xl_err *err) {
    const struct xl_factor_source *source = xl_factor_source_at(i);
    const struct xl_levels *levels = &table->levels[i];
    const char **texts = xl_arena_alloc(&table->arena, (levels->n + 1) * sizeof *texts);
    enum xl_status status = texts ? XL_OK : xl_fail_nomem(err, "values", levels->n * sizeof *texts);
    for (size_t k = 0; k < levels->n && !status; k++) {
        struct xl_str text = {0};
        status = xl_level_text(table->index, source, levels->values[k], name, &text, err);
        if (!status) texts[k] = xl_arena_strdup(&table->arena, text.text ? text.text : "");
        if (!status && !texts[k]) status = xl_fail_nomem(err, "values", 0);
        xl_str_deinit(&text);
    }
    table->factors[i] = (struct xl_observed_factor){source->name, levels->n, texts};
    return status;
}

static enum xl_status put_factors(struct table *table, struct xl_err *err) {
    sqlite3_stmt *name = NULL;
    int n = 0;
    enum xl_status status = xl_database_prepare(&table->index->database,
                                                "SELECT text FROM names WHERE id = ?", &name, err);
    for (; xl_factor_source_at(n) && !status; n++) status = put_factor(table, n, name, err);
    sqlite3_finalize(name);
    table->view.factor_count = (size_t)n;
    return status;
}

static enum xl_status put_word_texts(struct table *table, struct xl_err *err) {
    table->word_texts = malloc((table->words.n + 1) * sizeof *table->word_texts);
    if (!table->word_texts) return xl_fail_nomem(err, "words", 0);
    for (size_t i = 0; i < table->words.n; i++)
        table->word_texts[i] = xl_intern_text(&table->words.table, (int64_t)i + 1);
    return XL_OK;
}

/* --- Choices ---------------------------------------------------------------------------------- */

static enum xl_status read_choices(struct table *table, struct xl_err *err) {
    struct xl_database *database = &table->index->database;
    struct xl_levels rows = {0}; /* ids of pictures: their numbers are rows */
    sqlite3_stmt *duels = NULL;
    int64_t n = 0;
    enum xl_status status = xl_database_number(database, "SELECT count(*) FROM duels", 0, &n, err);
    if (status || !n) return status;
    table->choices = malloc((size_t)n * sizeof *table->choices);
    if (!table->choices) return xl_fail_nomem(err, "choices", 0);
    for (size_t i = 0; i < table->view.row_count && !status; i++)
        if (xl_levels_number(&rows, (uint64_t)table->picture[i], 0) == UINT32_MAX)
            status = xl_fail_nomem(err, "choices", 0);
    if (!status)
        status = xl_database_prepare(database,
                                     "SELECT a.picture, b.picture FROM duels JOIN marks a ON a.id ="
                                     " winner JOIN marks b ON b.id = loser WHERE a.picture IS NOT"
                                     " NULL AND b.picture IS NOT NULL AND a.picture != b.picture"
                                     " ORDER BY duels.id",
                                     &duels, err);
    while (xl_database_row(database, duels, &status, err)) {
        uint32_t of[2];
        for (int i = 0; i < 2; i++)
            of[i] = xl_levels_number(&rows, (uint64_t)sqlite3_column_int64(duels, i), 0);
        bool is_among = of[0] < table->view.row_count && of[1] < table->view.row_count;
        if (is_among) table->choices[table->view.choice_count++] = (struct xl_choice){of[0], of[1]};
    }
    sqlite3_finalize(duels);
    xl_levels_deinit(&rows);
    return status;
}

/* --- All of it -------------------------------------------------------------------------------- */

static void set_view(struct table *table) {
    struct xl_observations *view = &table->view;
    view->factors = table->factors;
    view->level = table->level;
    view->loved = table->loved;
    view->rating = table->rating;
    view->made_at = table->made_at;
    view->picture = table->picture;
    view->word_count = table->words.n;
    view->words = table->word_texts;
    view->word_start = table->words.n ? table->word_start : NULL;
    view->word_ids = table->word_ids;
    view->choices = table->choices;
}

static enum xl_status try_observe(struct xl_index *index, const struct xl_picture_filter *filter,
                                  struct xl_observations **out, struct xl_err *err) {
    struct table *table = calloc(1, sizeof *table);
    if (!table) return xl_fail_nomem(err, "a table of pictures", sizeof *table);
    table->index = index;
    enum xl_status status = read_rows(table, filter, err);
    if (!status) status = put_factors(table, err);
    if (!status) status = put_word_texts(table, err);
    if (!status) status = read_choices(table, err);
    for (int i = 0; i < XL_FACTOR_SOURCES_MAX; i++) xl_levels_deinit(&table->levels[i]);
    xl_levels_deinit(&table->prompts);
    free(table->of_prompt);
    table->of_prompt = NULL;
    set_view(table);
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
    struct table *table = (struct table *)observations;
    if (!table) return;
    for (int i = 0; i < XL_FACTOR_SOURCES_MAX; i++) free(table->level[i]);
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
