/* prompt_words.c - looks through the newest prompts; what fits what is typed is counted. */
#include "insight/index/prompt_words.h"

#include "base/json.h"
#include "insight/index/hash.h"
#include "insight/index/index_inner.h"
#include "insight/index/intern.h"

#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

struct found {
    int64_t id; /* in the table */
    int64_t n_pictures, last_text;
    bool is_phrase;
};

struct search {
    const struct xl_prompt_words_wish *wish;
    struct xl_intern table;
    struct found *found; /* by id - 1 */
    size_t n, capacity;
    int64_t text, n_pictures; /* of the prompt at hand */
};

static bool is_between(char c) {
    return strchr(",\n()[]{}|<>", c) != NULL;
}

static bool is_of_word(char c) {
    return isalnum((unsigned char)c) || (unsigned char)c >= 0x80 || c == '-' || c == '\'';
}

static bool begins_so(const char *text, size_t n, const char *beginning) {
    size_t n_typed = beginning ? strlen(beginning) : 0;
    return n_typed && n > n_typed && !strncasecmp(text, beginning, n_typed);
}

/* Count one, whatever its case: the encoders see small letters. */
static enum xl_status count(struct search *search, const char *text, size_t n, bool is_phrase,
                            struct xl_err *err) {
    char key[XL_PROMPT_WORDS_LONGEST];
    for (size_t i = 0; i < n; i++) key[i] = (char)tolower((unsigned char)text[i]);
    uint64_t hash = xl_hash64(key, n, 0);
    int64_t id = xl_intern_find(&search->table, key, n, hash);
    if (!id) {
        if (search->n == search->capacity) {
            size_t capacity = search->capacity ? 2 * search->capacity : 64;
            struct found *larger = realloc(search->found, capacity * sizeof *larger);
            if (!larger) return xl_fail_nomem(err, "words", capacity * sizeof *larger);
            search->found = larger;
            search->capacity = capacity;
        }
        id = (int64_t)++search->n;
        search->found[id - 1] = (struct found){.id = id, .is_phrase = is_phrase};
        enum xl_status status = xl_intern_add(&search->table, key, n, hash, id, err);
        if (status) return status;
    }
    struct found *found = &search->found[id - 1];
    if (found->last_text != search->text) found->n_pictures += search->n_pictures;
    found->last_text = search->text;
    return XL_OK;
}

/* A weight behind a phrase is none of its words: "(old oak:1.2)". */
static size_t without_weight(const char *text, size_t n) {
    size_t end = n;
    while (end && (isdigit((unsigned char)text[end - 1]) || text[end - 1] == '.')) end--;
    return end && end < n && text[end - 1] == ':' ? end - 1 : n;
}

static enum xl_status look_at_phrase(struct search *search, const char *text, size_t n,
                                     struct xl_err *err) {
    while (n && isspace((unsigned char)*text)) text++, n--;
    n = without_weight(text, n);
    while (n && isspace((unsigned char)text[n - 1])) n--;
    enum xl_status status = XL_OK;
    if (n <= XL_PROMPT_WORDS_LONGEST && begins_so(text, n, search->wish->phrase))
        status = count(search, text, n, true, err);
    for (size_t i = 0; i < n && !status;) {
        size_t length = 0;
        while (i + length < n && is_of_word(text[i + length])) length++;
        if (length && length <= XL_PROMPT_WORDS_LONGEST &&
            begins_so(text + i, length, search->wish->word))
            status = count(search, text + i, length, false, err);
        i += length ? length : 1;
    }
    return status;
}

static enum xl_status look_at_text(struct search *search, const char *text, struct xl_err *err) {
    enum xl_status status = XL_OK;
    while (*text && !status) {
        size_t n = 0;
        while (text[n] && !is_between(text[n])) n++;
        status = look_at_phrase(search, text, n, err);
        text += n + (text[n] != 0);
    }
    return status;
}

static int by_use(const void *a, const void *b) {
    const struct found *one = a, *two = b;
    if (one->n_pictures != two->n_pictures) return one->n_pictures > two->n_pictures ? -1 : 1;
    return one->id < two->id ? -1 : 1;
}

static enum xl_status write(struct search *search, json_t **out, struct xl_err *err) {
    json_t *list = json_array();
    bool ok = list != NULL;
    if (search->n) qsort(search->found, search->n, sizeof *search->found, by_use);
    for (size_t i = 0; i < search->n && i < (size_t)search->wish->most; i++) {
        const struct found *found = &search->found[i];
        json_t *item = json_object();
        xl_json_put(item, "text", xl_json_text(xl_intern_text(&search->table, found->id)), &ok);
        xl_json_put(item, "pictures", json_integer(found->n_pictures), &ok);
        xl_json_put(item, "is_phrase", json_boolean(found->is_phrase), &ok);
        ok = item && !json_array_append_new(list, item) && ok;
    }
    *out = xl_json_finish(list, ok);
    return *out ? XL_OK : xl_fail_nomem(err, "words", 0);
}

enum xl_status xl_prompt_words(struct xl_index *index, const struct xl_prompt_words_wish *wish,
                               json_t **out, struct xl_err *err) {
    struct search search = {.wish = wish};
    sqlite3_stmt *rows = NULL;
    enum xl_status status = xl_database_prepare(
        &index->database,
        "SELECT texts.id, texts.text, used.n FROM (SELECT prompt, count(*) n, max(id) last FROM"
        " (SELECT id, prompt FROM pictures ORDER BY id DESC LIMIT ?) GROUP BY prompt) used"
        " JOIN texts ON texts.id = used.prompt ORDER BY used.last DESC",
        &rows, err);
    if (!status) sqlite3_bind_int(rows, 1, XL_PROMPT_WORDS_LOOKED);
    while (!status && xl_database_row(&index->database, rows, &status, err)) {
        search.text = sqlite3_column_int64(rows, 0);
        search.n_pictures = sqlite3_column_int64(rows, 2);
        status = look_at_text(&search, (const char *)sqlite3_column_text(rows, 1), err);
    }
    sqlite3_finalize(rows);
    if (!status) status = write(&search, out, err);
    free(search.found);
    xl_intern_deinit(&search.table);
    return status;
}
