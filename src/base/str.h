/* str.h - a growing string, and what else is asked of text. Out of memory is sticky: appends become
 * no-ops and `failed` is set. */
#ifndef XL_BASE_STR_H
#define XL_BASE_STR_H

#include "base/status.h"

struct xl_str {
    char *text; /* NUL-terminated once anything was appended; NULL before */
    size_t len, capacity;
    bool failed;
};

void xl_str_append(struct xl_str *str, const char *bytes, size_t n);
void xl_str_puts(struct xl_str *str, const char *text);
/* What is no UTF-8 becomes U+FFFD, one for each maximal part (see xl_utf8_get). */
void xl_str_append_utf8(struct xl_str *str, const char *bytes, size_t n);
void xl_str_printf(struct xl_str *str, const char *format, ...) XL_PRINTF(2, 3);

/* Hand the text to the caller (free with free) and reset. NULL when an append failed;
 * "" when nothing was appended. */
char *xl_str_take(struct xl_str *str);
void xl_str_deinit(struct xl_str *str);

/* A number as people write it: the shortest text that reads back as the same number, "0.6" and not
 * "0.59999999999999998". Its length. */
enum { XL_REAL_MAX = 32 };
int xl_real_text(double value, char out[XL_REAL_MAX]);

#define XL_REPLACEMENT "\xEF\xBF\xBD" /* U+FFFD */

/* The character that n bytes begin with: its length (1..4), *code set; or minus the length of what
 * is no UTF-8: of the maximal part of a sequence (Unicode Standard 3.9, best practice: one U+FFFD
 * stands for each), at least one byte. 0: n is. Overlong forms, surrogates and values above
 * U+10FFFF are not UTF-8. */
int xl_utf8_get(const char *text, size_t n, int32_t *code);

/* Write a character that UTF-8 has; its length. */
int xl_utf8_put(int32_t code, char out[4]);

/* Length of the valid sequence at text, or 0. */
int xl_utf8_len(const char *text, size_t n);
bool xl_utf8_valid(const char *text, size_t n);

/* A noun, or what goes with it, as n of it are spoken of: xl_plural(n, "picture", "pictures"). */
const char *xl_plural(int64_t n, const char *one, const char *many);

bool xl_ends_with(const char *text, const char *end);

/* Bytes that two texts begin with: up to the beginning of a word or of a path's part, or of a
 * character where no word begins for long. */
size_t xl_common_beginning(const char *a, const char *b);

/* How many letters to add, drop, replace or swap (with the neighbour) to make b of a; at most max
 * + 1 is told, and so it is of words of more than XL_EDIT_MAX bytes. */
enum { XL_EDIT_MAX = 300 };
int xl_edit_distance(const char *a, const char *b, int max);

/* Append a word as a shell takes it for one: quoted where it has to be. */
void xl_str_put_shell_word(struct xl_str *str, const char *word);

#endif
