/* json_scan.h - reading JSON front to back without building a tree.
 * A vocabulary is one object of 50,000 entries; as a tree it would take longer to build than
 * everything else that a program start does. The reader is strict (RFC 8259): what it accepts is
 * valid JSON in valid UTF-8. It belongs to one thread.
 *
 *     xl_scan_enter(scan, '{', err)
 *     while (xl_scan_more(scan, '}', &more, err) == XL_OK && more) {
 *         xl_scan_key(scan, &key, err); ...one value...
 *     }
 */
#ifndef XL_TEXT_JSON_SCAN_H
#define XL_TEXT_JSON_SCAN_H

#include "base/arena.h"

/* Bytes that somebody else owns; may contain NUL. */
struct xl_span {
    const char *at;
    size_t n;
};

bool xl_span_is(struct xl_span span, const char *text);

struct xl_scan {
    const char *name;        /* of the file, opens every sentence */
    struct xl_span text;     /* must outlive the strings that are read from it */
    size_t at;               /* offset of the next byte */
    bool is_fresh;           /* just inside a bracket: no comma is due */
    struct xl_arena strings; /* those strings that had escapes */
};

/* All functions: XL_EFORMAT with file, line, what was found and what was expected; XL_ENOMEM. */

/* Step into an object ('{') or array ('['). */
enum xl_status xl_scan_enter(struct xl_scan *scan, char bracket, struct xl_err *err) XL_CHECKED;

/* Is there another member or element before `close`? Steps over the comma, or out of the bracket.
 */
enum xl_status xl_scan_more(struct xl_scan *scan, char close, bool *more,
                            struct xl_err *err) XL_CHECKED;

/* A member's name and the colon. Strings live as long as the text and the scan. */
enum xl_status xl_scan_key(struct xl_scan *scan, struct xl_span *key,
                           struct xl_err *err) XL_CHECKED;
enum xl_status xl_scan_string(struct xl_scan *scan, struct xl_span *string,
                              struct xl_err *err) XL_CHECKED;

/* An integer in 0..max, written without sign, fraction or exponent. */
enum xl_status xl_scan_int(struct xl_scan *scan, int32_t max, int32_t *value,
                           struct xl_err *err) XL_CHECKED;

/* Step over any value, nested at most 64 deep; *value is its text. */
enum xl_status xl_scan_value(struct xl_scan *scan, struct xl_span *value,
                             struct xl_err *err) XL_CHECKED;

/* The first byte of the next value, 0 at the end of the text. */
char xl_scan_peek(struct xl_scan *scan);

/* Nothing but white space is left. */
enum xl_status xl_scan_end(struct xl_scan *scan, struct xl_err *err) XL_CHECKED;

/* The line, from 1, that the reader is in. */
int xl_scan_line(const struct xl_scan *scan);

/* Free the strings. */
void xl_scan_deinit(struct xl_scan *scan);

#endif
