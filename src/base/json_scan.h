/* json_scan.h - reading JSON front to back without building a tree: the one lexer of the program.
 * A vocabulary is one object of 50,000 entries and a weight file's header may be hostile; as trees
 * they would take more time and memory than everything else that a program start does.
 *
 *     xl_scan_enter(scan, '{', "an object", err)
 *     while (xl_scan_more(scan, '}', "the object", &more, err) == XL_OK && more) {
 *         xl_scan_key(scan, &key, err); ...one value...
 *     }
 *
 * Strict (RFC 8259): what it steps over is valid JSON in valid UTF-8. Texts that are not yet known
 * to be JSON are cut by xl_scan_token instead. A scan belongs to one thread.
 */
#ifndef XL_BASE_JSON_SCAN_H
#define XL_BASE_JSON_SCAN_H

#include "base/arena.h"

#include <sys/types.h>

enum { XL_JSON_MAX_DEPTH = 64 }; /* of nesting, here and in json.h */

/* Bytes that somebody else owns; may contain NUL. */
struct xl_span {
    const char *at;
    size_t n;
};

bool xl_span_is(struct xl_span span, const char *text);

/* A text that is whole in memory comes from xl_scan_text. For one that comes in pieces set name,
 * part, refill, user, buffer and capacity (and before, where the text does not begin the file). */
struct xl_scan {
    const char *name; /* of the file, opens every sentence */
    const char *part; /* "safetensors header": sentences tell the byte; NULL: the line */
    const char *begin, *at, *end; /* bytes that are there, the next of them */
    int64_t before;               /* bytes of the file before `begin` */
    bool is_fresh;                /* just inside a bracket: no comma is due */
    struct xl_arena strings;      /* those that had escapes */
    char *buffer;                 /* pieces are read into it; the caller's */
    size_t capacity;              /* holds the longest string that is kept, as it is written */
    ssize_t (*refill)(void *user, char *to,
                      size_t n); /* read up to n bytes; 0: the end, -1: errno */
    void *user;
    int read_errno; /* why a piece could not be read, or 0 */
};

struct xl_scan xl_scan_text(const char *name, const char *text, size_t n);

/* Free the strings. */
void xl_scan_deinit(struct xl_scan *scan);

/* All functions with `err`: XL_EFORMAT with file, line or byte, what was found and expected, or why
 * it cannot be read; XL_ENOMEM. what: names the thing in the sentence, "a tensor's name". */

/* A sentence of the caller's about what was read last. */
enum xl_status xl_scan_fail(const struct xl_scan *scan, struct xl_err *err, const char *format, ...)
    XL_PRINTF(3, 4);

/* Take white space; the byte after it, which stays, or -1 at the end. */
int xl_scan_peek(struct xl_scan *scan);

/* Take this one byte. */
enum xl_status xl_scan_take(struct xl_scan *scan, char byte, const char *what,
                            struct xl_err *err) XL_CHECKED;

/* Step into an object ('{') or array ('['). */
enum xl_status xl_scan_enter(struct xl_scan *scan, char bracket, const char *what,
                             struct xl_err *err) XL_CHECKED;

/* Is there another member or element before `close`? Steps over the comma, or out of the bracket.
 * what: "the shape" */
enum xl_status xl_scan_more(struct xl_scan *scan, char close, const char *what, bool *more,
                            struct xl_err *err) XL_CHECKED;

/* A string that has, decoded, at most max bytes. It lives as long as text and scan, or, where the
 * text comes in pieces, until the next call. string NULL: step over it, whatever its length. */
enum xl_status xl_scan_string(struct xl_scan *scan, const char *what, size_t max,
                              struct xl_span *string, struct xl_err *err) XL_CHECKED;

/* An integer of 0 to 2^63 - 1, written without sign, fraction or exponent. */
enum xl_status xl_scan_int(struct xl_scan *scan, const char *what, int64_t *value,
                           struct xl_err *err) XL_CHECKED;

/* ---- Of texts that are whole in memory ---- */

/* A member's name and the colon. */
enum xl_status xl_scan_key(struct xl_scan *scan, struct xl_span *key,
                           struct xl_err *err) XL_CHECKED;

/* Step over any value, nested at most XL_JSON_MAX_DEPTH deep; *value is its text. */
enum xl_status xl_scan_value(struct xl_scan *scan, struct xl_span *value,
                             struct xl_err *err) XL_CHECKED;

/* Nothing but white space is left. */
enum xl_status xl_scan_end(struct xl_scan *scan, struct xl_err *err) XL_CHECKED;

/* Of any bytes: the next string with its quotes (which may lack the last), the next of {}[]:, or
 * the next word, which is whatever lies between those and white space. Empty: the end. */
struct xl_span xl_scan_token(struct xl_scan *scan);

/* Words that Python's json module writes and JSON does not have, or not with so many digits. */
enum xl_json_word {
    XL_WORD_PLAIN,
    XL_WORD_NAN,      /* NaN */
    XL_WORD_INFINITE, /* Infinity, -Infinity */
    XL_WORD_LARGE,    /* a whole number beyond 64 bits */
};
enum xl_json_word xl_json_word(struct xl_span word);

/* Why something in a string is no character. */
enum { XL_JSON_NO_UTF8 = -1, XL_JSON_HALF_PAIR = -2, XL_JSON_NO_HEX = -3, XL_JSON_NO_ESCAPE = -4 };

/* The character or escape that begins n > 0 bytes within a string: how many of them it takes, or
 * are stepped over when it is none. *code: the character, or XL_JSON_NO_... */
size_t xl_json_char(const char *text, size_t n, int32_t *code);

#endif
