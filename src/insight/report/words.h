/* words.h - how a report says things, on the page and on a terminal. Texts go to out or are
 * constants. */
#ifndef XL_INSIGHT_REPORT_WORDS_H
#define XL_INSIGHT_REPORT_WORDS_H

#include "base/status.h"

#include <jansson.h>

enum { XL_WORDS_MAX = 320 };

/* A member of a row: its text, "" without one; its number, NAN without one. */
const char *xl_words_text(const json_t *row, const char *key);
double xl_words_number(const json_t *row, const char *key);

/* "2.0 %", "0.04 %", "-" where there is no number. Returns out. */
const char *xl_words_percent(double rate, char out[XL_WORDS_MAX]);
/* "3.1" and a multiplication sign */
const char *xl_words_times(double ratio, char out[XL_WORDS_MAX]);
/* "1.2-3.4 %" */
const char *xl_words_interval(const json_t *interval, char out[XL_WORDS_MAX]);

/* "400 of 20000 pictures are loved" */
const char *xl_words_total(const json_t *document, char out[XL_WORDS_MAX]);

/* "Steps" of "steps". */
const char *xl_words_column(const char *column);

/* Of the key of a verdict: "loved more". */
const char *xl_words_verdict(const char *key);

/* Why a claim is to be read with care, or more is to be said: "comes mostly with Watercolor (93
 * %)", "beyond its parts". False: nothing */
bool xl_words_why(const json_t *row, char out[XL_WORDS_MAX]);

/* "Half of what you love lies between 20 and 30, of all pictures between 20 and 40." False: the
 * column has no numbers, or nothing is loved */
bool xl_words_typical(const json_t *document, const char *column, char out[XL_WORDS_MAX]);

/* Instead of a table whose rows are all about too few pictures to say anything: "6000 values, none
 * of 5 pictures or more". False: the table says something */
bool xl_words_too_few(const json_t *document, const char *column, char out[XL_WORDS_MAX]);

/* Why there is no bundle. */
const char *xl_words_no_bundle(const json_t *document);

/* The i-th paragraph on how to read a report; NULL after the last. */
const char *xl_words_explanation(int i);

#endif
