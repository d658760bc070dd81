/* log_line.h - what the index wants of a line of a job log. Most of a line is stepped over without
 * being taken apart; one that is not as this program and the earlier app write it is parsed as the
 * log's reader does, so that both agree on what is damaged.
 */
#ifndef XL_INSIGHT_LOG_LINE_H
#define XL_INSIGHT_LOG_LINE_H

#include "base/arena.h"
#include "base/json_scan.h"
#include "insight/index/columns.h"

struct xl_log_line_value {
    struct xl_span text; /* JSON, as it stands in the line; empty: absent, null or of no use */
    union {
        uint64_t hash; /* NAME, TEXT: of the bytes between the quotes */
        int64_t integer;
        double real;
        uint64_t seed;
    } is;
};

enum xl_log_line_state { XL_LINE_BLANK, XL_LINE_DAMAGED, XL_LINE_ENTRY };

struct xl_log_line {
    int64_t offset; /* in its log */
    enum xl_log_line_state state;
    struct xl_log_line_value value[XL_COLUMNS_MAX + XL_LINE_KEYS];
};

/* Where the keys of the lines before stood; most logs have one order. Zero-initialise. */
enum { XL_LINE_ORDER_MAX = 128 };
struct xl_log_line_order {
    struct {
        uint64_t hash; /* of the key */
        int key;       /* of xl_log_line_key_at, or -1: not wanted */
    } at[XL_LINE_ORDER_MAX];
};

/* Read a line of n bytes, without its newline. Its values are in the text or, of lines that were
 * parsed, in the arena. Errors: XL_ENOMEM */
enum xl_status xl_log_line_read(const char *text, size_t n, struct xl_log_line_order *order,
                                struct xl_arena *arena, struct xl_log_line *out,
                                struct xl_err *err) XL_CHECKED;

/* The same of an object with a log line's keys. Texts are in the arena. Errors: XL_ENOMEM */
enum xl_status xl_log_line_from_object(const json_t *object, struct xl_arena *arena,
                                       struct xl_log_line *out, struct xl_err *err) XL_CHECKED;

/* The value of a key of enum xl_log_line_key. */
const struct xl_log_line_value *xl_log_line_other(const struct xl_log_line *line,
                                                  enum xl_log_line_key key);

/* The next element of an array, whose text is read from *at on; false: there is no more. Set *at to
 * the array's text. */
bool xl_log_line_element(struct xl_span *at, struct xl_span *element);

/* A JSON string of the line as text, in the arena, with what is no UTF-8 and NUL as U+FFFD; "" when
 * it is no string. NULL: out of memory */
const char *xl_log_line_text(struct xl_span json, struct xl_arena *arena, size_t *n);

/* A seed: digits, with quotes or without. */
bool xl_log_line_seed(struct xl_span json, uint64_t *seed);

#endif
