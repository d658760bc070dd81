/* words.c - cutting prompts into words. One thread at a time. */
#include "insight/index/words.h"
#include "base/str.h"
#include "insight/index/hash.h"

#include <stdlib.h>
#include <utf8proc.h>

enum { LONGEST = 64 }; /* bytes of a word; what is longer is cut there */

static bool is_letter(int32_t code) {
    if (code < 128)
        return (code >= 'a' && code <= 'z') || (code >= 'A' && code <= 'Z') ||
               (code >= '0' && code <= '9');
    utf8proc_category_t category = utf8proc_category(code);
    return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_NO;
}

static bool joins(int32_t code) {
    return code == '-' || code == '\'' || code == 0x2019;
}

/* The next word of *text in small letters; its length, 0: there is none. */
static size_t next_word(const char **text, size_t *left, char out[LONGEST + 4], bool *is_number) {
    size_t n = 0, kept = 0; /* kept: without what joins nothing at the end */
    *is_number = true;
    while (*left) {
        int32_t code;
        int length = xl_utf8_get(*text, *left, &code);
        if (length <= 0) code = 0, length = length ? -length : 1;
        bool is = is_letter(code);
        if (!is && (!n || !joins(code))) {
            if (n) break;
        } else if (n < LONGEST) {
            n += (size_t)xl_utf8_put(code < 128 && !is ? code : utf8proc_tolower(code), out + n);
            if (is) kept = n;
            if (is && (code < '0' || code > '9')) *is_number = false;
        }
        *text += length;
        *left -= (size_t)length;
    }
    return kept;
}

/* Words that say how others go together, and nothing about the picture. In the order of strcmp. */
static const char *const joints[] = {"a",   "an",   "and",  "are",  "as",    "at",   "be",  "by",
                                     "for", "from", "in",   "into", "is",    "it",   "its", "of",
                                     "on",  "or",   "that", "the",  "their", "this", "to",  "with"};

static int compare(const void *word, const void *joint) {
    return strcmp(word, *(const char *const *)joint);
}

static bool is_joint(const char *word) {
    return bsearch(word, joints, sizeof joints / sizeof *joints, sizeof *joints, compare);
}

static enum xl_status keep(struct xl_words *words, size_t *n, uint32_t id, struct xl_err *err) {
    for (size_t i = 0; i < *n; i++)
        if (words->found[i] == id) return XL_OK;
    if (*n == words->capacity) {
        size_t capacity = words->capacity ? 2 * words->capacity : 64;
        uint32_t *larger = realloc(words->found, capacity * sizeof *larger);
        if (!larger) return xl_fail_nomem(err, "words", capacity * sizeof *larger);
        words->found = larger;
        words->capacity = capacity;
    }
    words->found[(*n)++] = id;
    return XL_OK;
}

enum xl_status xl_words_of(struct xl_words *words, const char *text, struct xl_word_list *out,
                           struct xl_err *err) {
    char word[LONGEST + 4];
    size_t left = strlen(text), n = 0, length;
    bool is_number;
    enum xl_status status = XL_OK;
    while (!status && (length = next_word(&text, &left, word, &is_number))) {
        word[length] = 0;
        if (is_number || length < 2 || is_joint(word)) continue;
        uint64_t hash = xl_hash64(word, length, 0);
        int64_t id = xl_intern_find(&words->table, word, length, hash);
        if (!id) {
            id = (int64_t)++words->n;
            status = xl_intern_add(&words->table, word, length, hash, id, err);
        }
        if (!status) status = keep(words, &n, (uint32_t)(id - 1), err);
    }
    *out = (struct xl_word_list){words->found, n};
    return status;
}

void xl_words_deinit(struct xl_words *words) {
    xl_intern_deinit(&words->table);
    free(words->found);
    *words = (struct xl_words){0};
}
