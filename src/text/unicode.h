/* unicode.h - what the tokenizer asks of Unicode: decoding, the normalisation of CLIP, and the
 * classes of characters that its pattern names.
 * The tables are utf8proc's. The Python tokenizer's tables are of other Unicode versions;
 * characters that one of the two does not know yet may be cut into other words (docs of
 * xl_char_class).
 */
#ifndef XL_TEXT_UNICODE_H
#define XL_TEXT_UNICODE_H

#include "text/ints.h"

/* Append the code points of n bytes. What is not UTF-8 becomes U+FFFD, one for each maximal part of
 * a sequence, as Python's bytes.decode(errors="replace") and the Unicode Standard (3.9, best
 * practice) have it. */
void xl_utf8_decode(const char *bytes, size_t n, struct xl_ints *out);

/* Append CLIP's normal form of n code points: NFC, each run of white space one space, lower case by
 * the full mapping without context (Rust's char::to_lowercase). */
void xl_clip_normalize(const int32_t *text, size_t n, struct xl_ints *out);

/* The classes \s, \p{L}, \p{N} of a regular expression, and everything else. Letters that the
 * distribution's utf8proc does not know (Unicode 14 in Ubuntu 22.04, 15 in Debian 12) are OTHER. */
enum xl_char_class { XL_CHAR_SPACE, XL_CHAR_LETTER, XL_CHAR_NUMBER, XL_CHAR_OTHER };
enum xl_char_class xl_char_class(int32_t c);

/* \w: part of a word, where an added token must stand alone. */
bool xl_char_is_word(int32_t c);

#endif
