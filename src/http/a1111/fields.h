/* fields.h - members of a request as rows of a table: their types, what they are where nobody says
 * them, and whether they mean something here. Checked as FastAPI checks them in that program.
 */
#ifndef XL_HTTP_A1111_FIELDS_H
#define XL_HTTP_A1111_FIELDS_H

#include "http/reply.h"

enum xl_field_type {
    XL_FIELD_TEXT,
    XL_FIELD_INT,
    XL_FIELD_REAL,
    XL_FIELD_SWITCH,
    XL_FIELD_LIST,
    XL_FIELD_OBJECT,
};

enum xl_field_use {
    XL_FIELD_TAKEN,
    XL_FIELD_LEFT,  /* changes no picture: it may be anything of its type */
    XL_FIELD_LACKS, /* would change the picture, and this program has nothing like it: refused
                       unless it is off */
};

struct xl_field {
    const char *name;
    enum xl_field_type type;
    enum xl_field_use use;
    const char *otherwise; /* JSON: where it is not said */
    const char *off;       /* of LACKS, beside null, false, 0 and what is empty: JSON; NULL: none */
};

struct xl_field_table {
    const struct xl_field *rows;
    int n;
    bool is_closed; /* members that it has not are refused; else they are left alone */
};

/* The members of an object, each in its type, those that are not said as the table has them; of
 * several tables the rows of all. said: NULL is an empty one. *out: the caller's.
 * Errors: XL_EINVAL a member of another type, or one that is lacking here, with reply's field and
 * name; XL_ENOMEM */
enum xl_status xl_fields_read(const struct xl_field_table *table, const json_t *said,
                              struct xl_call *call, struct xl_reply *reply, json_t **out,
                              struct xl_err *err) XL_CHECKED;

/* The table as a schema of OpenAPI. NULL: out of memory */
json_t *xl_fields_schema(const struct xl_field_table *table);

/* Fail about a field: 422, as FastAPI says what is wrong with a value. Returns XL_EINVAL. */
enum xl_status xl_field_refuse(struct xl_reply *reply, const char *field, struct xl_err *err,
                               const char *format, ...) XL_PRINTF(4, 5);
/* Fail with a code and a sentence, as HTTPException does there. Returns XL_EINVAL. */
enum xl_status xl_a1111_refuse(struct xl_reply *reply, int code, struct xl_err *err,
                               const char *format, ...) XL_PRINTF(4, 5);
#define XL_A1111_EXCEPTION "HTTPException"

/* Members of what xl_fields_read gave; "" and 0 where they are null. */
const char *xl_field_text(const json_t *fields, const char *name);
int64_t xl_field_int(const json_t *fields, const char *name);
double xl_field_real(const json_t *fields, const char *name);
bool xl_field_switch(const json_t *fields, const char *name);

#endif
