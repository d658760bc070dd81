/* text_search.c - prompts that have some words: asked of SQLite's full-text index where it has one
 * and the index can be written, else by looking at every prompt. The full-text index is made when
 * it is first asked for and grows with the texts: who never searches does not pay for it.
 */
#include "insight/index/filter_sql.h"

#include <stdio.h>
#include <string.h>

/* The words as a query of SQLite's: each in quotes, its end open, so that "cast" finds "castle". */
static void put_match(struct xl_str *out, const char *words) {
    while (*words) {
        size_t n = strcspn(words, " \t\n");
        if (n) {
            xl_str_puts(out, out->len ? " \"" : "\"");
            for (size_t i = 0; i < n; i++) {
                if (words[i] == '"') xl_str_puts(out, "\"");
                xl_str_append(out, words + i, 1);
            }
            xl_str_puts(out, "\"*");
        }
        words += n + (words[n] != 0);
    }
}

/* Bring the full-text index up to the texts. False: it cannot be. */
static bool catch_up(struct xl_index *index) {
    static const char update[] =
        "CREATE VIRTUAL TABLE IF NOT EXISTS prompts USING fts5(text, content='',"
        " tokenize='unicode61 remove_diacritics 2');"
        "BEGIN IMMEDIATE;"
        "INSERT INTO prompts(rowid, text) SELECT id, text FROM texts WHERE id > (SELECT"
        " ifnull(max(value), 0) FROM meta WHERE key = 'searched') AND id IN (SELECT prompt FROM"
        " pictures);"
        "INSERT OR REPLACE INTO meta SELECT 'searched', ifnull(max(id), 0) FROM texts;"
        "COMMIT";
    int64_t searched = -1, newest = 0;
    struct xl_database *database = &index->database;
    if (sqlite3_db_readonly(database->sql, "main")) return false;
    if (xl_database_number(database, "SELECT value FROM meta WHERE key = 'searched'", 0, &searched,
                           NULL) ||
        xl_database_number(database, "SELECT ifnull(max(id), 0) FROM texts", 0, &newest, NULL))
        return false;
    if (searched == newest) return true;
    if (sqlite3_exec(database->sql, update, NULL, NULL, NULL) == SQLITE_OK) return true;
    sqlite3_exec(database->sql, "ROLLBACK", NULL, NULL, NULL);
    return false;
}

static enum xl_status put_ids(struct xl_index *index, sqlite3_stmt *rows, struct xl_str *out,
                              struct xl_err *err) {
    enum xl_status status = XL_OK;
    bool is_first = true;
    while (xl_database_row(&index->database, rows, &status, err)) {
        xl_str_printf(out, "%s%lld", is_first ? "" : ",", (long long)sqlite3_column_int64(rows, 0));
        is_first = false;
    }
    return status;
}

static bool has_words(const char *text, const char *words) {
    while (*words) {
        char word[128];
        size_t n = strcspn(words, " \t\n");
        snprintf(word, sizeof word, "%.*s", (int)n, words);
        if (n && !strcasestr(text, word)) return false;
        words += n + (words[n] != 0);
    }
    return true;
}

static enum xl_status look_at_all(struct xl_index *index, const char *words, struct xl_str *out,
                                  struct xl_err *err) {
    sqlite3_stmt *rows = NULL;
    bool is_first = true;
    enum xl_status status = xl_database_prepare(
        &index->database,
        "SELECT id, text FROM texts WHERE id IN (SELECT DISTINCT prompt FROM pictures)", &rows,
        err);
    while (xl_database_row(&index->database, rows, &status, err)) {
        if (!has_words((const char *)sqlite3_column_text(rows, 1), words)) continue;
        xl_str_printf(out, "%s%lld", is_first ? "" : ",", (long long)sqlite3_column_int64(rows, 0));
        is_first = false;
    }
    sqlite3_finalize(rows);
    return status;
}

enum xl_status xl_text_search(struct xl_index *index, const char *words, struct xl_str *out,
                              struct xl_err *err) {
    sqlite3_stmt *rows = NULL;
    struct xl_str match = {0};
    put_match(&match, words);
    enum xl_status status = match.failed ? xl_fail_nomem(err, "a query", 0) : XL_OK;
    bool is_fast = !status && match.len && catch_up(index) &&
                   !xl_database_prepare(&index->database,
                                        "SELECT rowid FROM prompts WHERE prompts MATCH ?", &rows,
                                        NULL);
    if (is_fast) {
        sqlite3_bind_text(rows, 1, match.text, -1, SQLITE_STATIC);
        status = put_ids(index, rows, out, err);
    } else if (!status) {
        status = look_at_all(index, words, out, err);
    }
    sqlite3_finalize(rows);
    xl_str_deinit(&match);
    return status;
}
