/* fields.h - the fields of OpenAI's image calls, each a row: what it may be, and which calls have
 * it.
 */
#ifndef XL_HTTP_OPENAI_FIELDS_H
#define XL_HTTP_OPENAI_FIELDS_H

#include "base/status.h"

#include <jansson.h>

enum xl_openai_field {
    XL_OPENAI_PROMPT,
    XL_OPENAI_MODEL,
    XL_OPENAI_N,
    XL_OPENAI_SIZE,
    XL_OPENAI_RESPONSE_FORMAT,
    XL_OPENAI_OUTPUT_FORMAT,
    XL_OPENAI_OUTPUT_COMPRESSION,
    XL_OPENAI_STREAM,
    XL_OPENAI_PARTIAL_IMAGES,
    XL_OPENAI_QUALITY,
    XL_OPENAI_BACKGROUND,
    XL_OPENAI_STYLE,
    XL_OPENAI_INPUT_FIDELITY,
    XL_OPENAI_MODERATION,
    XL_OPENAI_USER,
    XL_OPENAI_SAFETY_IDENTIFIER,
    XL_OPENAI_N_FIELDS,
};

/* Values of XL_OPENAI_RESPONSE_FORMAT. */
enum { XL_OPENAI_URL, XL_OPENAI_B64_JSON };

/* What a field was said to be; text and choice are of the document or live for ever. */
struct xl_openai_value {
    bool is_said;
    const char *text; /* TEXT, CHOICE */
    int number;       /* INT; of a choice its index; of a switch 0 or 1 */
};

/* The name of a field, as their API has it. */
const char *xl_openai_field_name(enum xl_openai_field field);
/* -1: a call of this kind has no field of that name */
int xl_openai_field_find(const char *name, bool is_edit);

/* Check a value, which a form has as a text; null is a field that was not said. Errors: XL_EINVAL
 */
enum xl_status xl_openai_field_read(enum xl_openai_field field, const json_t *value,
                                    struct xl_openai_value *out, struct xl_err *err) XL_CHECKED;

/* {NAME: schema} of the calls' fields; NULL: out of memory. */
json_t *xl_openai_fields_schema(bool is_edit);

#endif
