/* unicode.c - code points for the tokenizer: Normalization Form C, lower case and classes as the
 * Python tokenizer has them, over utf8proc's tables. No state: any thread. */
#include "text/unicode.h"
#include "base/str.h"

#include <stdlib.h>
#include <utf8proc.h>

enum {
    REPLACEMENT = 0xFFFD,
    CAPITAL_I_WITH_DOT = 0x130, /* the one character whose lower case is two: i, dot above */
    COMBINING_DOT_ABOVE = 0x307,
};

void xl_utf8_decode(const char *bytes, size_t n, struct xl_ints *out) {
    for (size_t i = 0; i < n;) {
        int32_t c;
        int length = xl_utf8_get(bytes + i, n - i, &c);
        xl_ints_push(out, length > 0 ? c : REPLACEMENT);
        i += (size_t)abs(length);
    }
}

static int combining_class(int32_t c) {
    return c < 0x300 ? 0 : utf8proc_get_property(c)->combining_class;
}

static int compare_keys(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Sort a run of combining marks by class, keeping the order of equals. A key is class, position and
 * character; so the time stays n log n when somebody sends a megabyte of marks. */
static bool sort_marks(int32_t *marks, size_t n) {
    uint64_t *keys = malloc(n * sizeof *keys);
    if (!keys) return false;
    for (size_t i = 0; i < n; i++)
        keys[i] = (uint64_t)combining_class(marks[i]) << 56 | (uint64_t)i << 21 |
                  (uint64_t)marks[i];
    qsort(keys, n, sizeof *keys, compare_keys);
    for (size_t i = 0; i < n; i++) marks[i] = (int32_t)(keys[i] & 0x1FFFFF);
    free(keys);
    return true;
}

/* Normalization Form D (Unicode Standard Annex 15). */
static void decompose(const int32_t *text, size_t n, struct xl_ints *out) {
    for (size_t i = 0; i < n; i++) {
        int32_t parts[8]; /* the longest canonical decomposition has four */
        utf8proc_ssize_t n_parts =
            utf8proc_decompose_char(text[i], parts, 8, UTF8PROC_DECOMPOSE, NULL);
        if (n_parts > 0) xl_ints_append(out, parts, (size_t)n_parts);
    }
    for (size_t start = 0, end; start < out->n && !out->failed; start = end + 1) {
        for (end = start; end < out->n && combining_class(out->at[end]); end++) continue;
        if (end - start > 1 && !sort_marks(out->at + start, end - start)) out->failed = true;
    }
}

static bool is_space(int32_t c) {
    return (c >= 0x09 && c <= 0x0D) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F ||
           c == 0x205F || c == 0x3000; /* the property White_Space */
}

void xl_clip_normalize(const int32_t *text, size_t n, struct xl_ints *out) {
    struct xl_ints nfc = {0};
    decompose(text, n, &nfc);
    utf8proc_ssize_t composed = 0;
    if (nfc.failed)
        out->failed = true;
    else if (nfc.n)
        composed = utf8proc_normalize_utf32(nfc.at, (utf8proc_ssize_t)nfc.n,
                                            UTF8PROC_COMPOSE | UTF8PROC_STABLE);
    for (utf8proc_ssize_t i = 0; i < composed; i++) {
        int32_t c = nfc.at[i];
        if (is_space(c)) {
            if (i == 0 || !is_space(nfc.at[i - 1])) xl_ints_push(out, ' ');
        } else if (c == CAPITAL_I_WITH_DOT) {
            xl_ints_push(out, 'i');
            xl_ints_push(out, COMBINING_DOT_ABOVE);
        } else {
            xl_ints_push(out, utf8proc_tolower(c));
        }
    }
    xl_ints_deinit(&nfc);
}

enum xl_char_class xl_char_class(int32_t c) {
    if (is_space(c)) return XL_CHAR_SPACE;
    switch (utf8proc_category(c)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
        return XL_CHAR_LETTER;
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO:
        return XL_CHAR_NUMBER;
    default:
        return XL_CHAR_OTHER;
    }
}

/* Circled and squared letters: signs by their category that have the property Alphabetic. */
static bool is_enclosed_letter(int32_t c) {
    return (c >= 0x24B6 && c <= 0x24E9) || (c >= 0x1F130 && c <= 0x1F149) ||
           (c >= 0x1F150 && c <= 0x1F169) || (c >= 0x1F170 && c <= 0x1F189);
}

bool xl_char_is_word(int32_t c) {
    switch (utf8proc_category(c)) {
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_PC:
        return true;
    default:
        return xl_char_class(c) == XL_CHAR_LETTER || c == 0x200C || c == 0x200D ||
               is_enclosed_letter(c);
    }
}
