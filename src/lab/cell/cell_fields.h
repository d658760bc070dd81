/* cell_fields.h - the fields of a cell, declared once. The name of a cell, run.json, records, the
 * job log, the order of drawing, pages, contact sheets, dry runs and verifying go over this table;
 * no second list exists.
 */
#ifndef XL_LAB_CELL_FIELDS_H
#define XL_LAB_CELL_FIELDS_H

#include "lab/cell/cell.h"

enum xl_cell_type {
    XL_CELL_TEXT,
    XL_CELL_INT,
    XL_CELL_REAL,
    XL_CELL_SEED,   /* written as a text of digits */
    XL_CELL_CHOICE, /* written as the option of that key writes it */
};

/* What holds of a field (bits). */
enum {
    XL_CELL_DECIDES = 1,    /* pixels: it is in the id, unless it is 0 or NULL. So a field that is
                               added later, 0 where it does nothing, changes no name */
    XL_CELL_SHARED = 2,     /* it is equal in pictures that are drawn together */
    XL_CELL_NEEDED = 4,     /* an object without it is no cell */
    XL_CELL_PLACE = 8,      /* where the cell stands in its run, or files of it lie here: for
                               run.json alone */
    XL_CELL_FROM_INIT = 16, /* only where there is a picture to start from */
    XL_CELL_YIELDS = 32, /* to want of memory: records and log lines have what was drawn under its
                            key, and what was asked for as requested_KEY */
    XL_CELL_ALWAYS = 64, /* shown to people where it does not differ, too */
    XL_CELL_TITLE = 128, /* what a picture is called where nothing else tells it apart */
    XL_CELL_PLAIN = 256, /* says what it is without its caption: "Watercolor", "1024x768" */
    XL_CELL_LONG = 512,  /* sentences */
    XL_CELL_PATH = 2048, /* of a file here: what leaves this machine has its last part */
    XL_CELL_FOLLOWS = 1024,  /* from other fields: tells no pictures apart that they do not */
    XL_CELL_NOT_NONE = 8192, /* only where it is not 0 or NULL */
    XL_CELL_NAMES = 4096,    /* the name of a picture's file, or its folder, says it in any case */
};

struct xl_cell_field {
    const char *key;
    enum xl_cell_type type;
    size_t offset; /* in struct xl_cell */
    double min, max;
    unsigned bits;
    int order;           /* of drawing: 1 changes least; 0: the order does not depend on it */
    const char *log;     /* key in the job log; NULL: key */
    const char *caption; /* for people; NULL: they do not see it. Neighbours with the same caption
                            are shown as one: 1024x768 */
    const char
        *absent; /* shown where the cell has none of it, which is the default; NULL: "none" */
};

/* The i-th field, in the order in which people see them; NULL after the last. */
const struct xl_cell_field *xl_cell_field_at(int i);
enum { XL_CELL_MAX_FIELDS = 64 };

/* NULL: there is none of this key. */
const struct xl_cell_field *xl_cell_field_find(const char *key);

/* Whether the cell has it: not strength where no picture is started from, nor what is 0 or NULL
 * and would say nothing. */
bool xl_cell_has(const struct xl_cell *cell, const struct xl_cell_field *field);

/* The value as JSON, null for a text that is NULL. NULL: out of memory */
json_t *xl_cell_value(const struct xl_cell *cell, const struct xl_cell_field *field);

/* The same as it is told to others: of a path its last part. */
json_t *xl_cell_shared_value(const struct xl_cell *cell, const struct xl_cell_field *field);

/* -1, 0 or 1; texts by their bytes. */
int xl_cell_compare(const struct xl_cell *a, const struct xl_cell *b,
                    const struct xl_cell_field *field);

/* The key in a record or, with in_log, in a line of the job log. */
enum { XL_CELL_KEY_MAX = 64 };
const char *xl_cell_drawn_key(const struct xl_cell_field *field, bool in_log,
                              char out[XL_CELL_KEY_MAX]);

/* Read the value of a key of the object into the cell; an absent one leaves it as it is.
 * Errors: XL_EINPUT another type, or out of range; XL_ENOMEM */
enum xl_status xl_cell_read_field(const json_t *object, const char *name,
                                  const struct xl_cell_field *field, struct xl_arena *arena,
                                  struct xl_cell *cell, struct xl_err *err) XL_CHECKED;

#endif
