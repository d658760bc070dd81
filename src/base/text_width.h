/* text_width.h - how wide a text is on a terminal. Any bytes may be asked about: what steers a
 * terminal or is no UTF-8 counts, and is printed, as one '?'.
 */
#ifndef XL_BASE_TEXT_WIDTH_H
#define XL_BASE_TEXT_WIDTH_H

#include "base/status.h"

/* The character that text (not "") begins with: the bytes it takes and the columns it has: 2 for
 * wide ones, 0 for marks above others. `is_shown`: false where a '?' stands for it. */
struct xl_text_char {
    int n_bytes, n_columns;
    bool is_shown;
};
struct xl_text_char xl_text_next(const char *text);

/* The columns of a text. */
int xl_text_width(const char *text);

/* Bytes of the longest beginning that has at most so many columns; marks stay with the letter that
 * they stand above. */
size_t xl_text_fit(const char *text, int columns);

/* Cut a text in place to so many columns: what is cut ends in "...", where that has room. */
void xl_text_cut(char *text, int columns);

/* Put a '?' in the place of each that is not shown, for what is printed as it is. */
void xl_text_tame(char *text);

#endif
