/* route.h - what the server answers: a route is one row of a table, with its handler and with the
 * words that describe it; routing, checks of parameters, the description for programs (OpenAPI) and
 * metrics are read off the rows.
 *
 * A handler runs on one of the server's threads. One that may wait (for a disk, for SQLite, for
 * planning) says XL_ROUTE_SLOW and runs on a thread of the slow pool, while its connection is put
 * aside; another one must not wait.
 */
#ifndef XL_HTTP_ROUTE_H
#define XL_HTTP_ROUTE_H

#include "base/status.h"

#include <jansson.h>

struct xl_call;  /* call.h */
struct xl_reply; /* reply.h */

enum {
    XL_ROUTE_SLOW = 1,      /* runs on the slow pool */
    XL_ROUTE_OPEN = 2,      /* needs no token */
    XL_ROUTE_JSON = 4,      /* takes an object of JSON */
    XL_ROUTE_FORM = 8,      /* takes multipart/form-data; with XL_ROUTE_JSON either */
    XL_ROUTE_ANY_TYPE = 16, /* what it is sent may say any type, or none (other programs' APIs) */
    XL_ROUTE_LAX = 32,      /* parameters of a query that it does not know are left alone */
    XL_ROUTE_EMPTY = 128,   /* may answer nothing, with 204 */
    XL_ROUTE_HIDDEN = 64,   /* is not described: pages, files of the page */
    XL_ROUTE_SLASHES = 256, /* its {name...} may have slashes that are behind percent signs */
};

enum xl_param_type {
    XL_PARAM_TEXT,
    XL_PARAM_INT,
    XL_PARAM_REAL,
    XL_PARAM_SWITCH, /* true, false, 1, 0, ...; without a value: true */
    XL_PARAM_CHOICE,
};

/* A parameter of the query or, where the pattern has {name}, of the path. Checked before the
 * handler runs. */
struct xl_param {
    const char *name; /* NULL: the end of the list */
    enum xl_param_type type;
    double min, max;            /* INT, REAL; TEXT: max is its longest, in bytes; 0: 4096 */
    const char *const *choices; /* CHOICE: NULL-terminated */
    bool is_required;           /* of the query; of the path all are */
    const char *help;
};

/* Fills in the reply and returns XL_OK; or fails, and the reply becomes an error object: its code
 * is reply->code where the handler has set one of 400 and more, else what the status stands for
 * (xl_status_code). */
typedef enum xl_status xl_route_fn(struct xl_call *call, struct xl_reply *reply,
                                   struct xl_err *err);

struct xl_route {
    const char *method;  /* "GET" answers HEAD as well */
    const char *pattern; /* "/api/v1/pictures/{id}"; "{path...}" at the end takes the rest */
    xl_route_fn *run;
    unsigned flags;
    size_t body_max;               /* bytes; 0: 1 MiB, and 300 MiB of a form */
    const struct xl_param *params; /* NULL: none */
    const char *summary;           /* what it does, for OpenAPI */
    const char *answer;            /* what it gives, a sentence */
    const char *answer_type;       /* blanks between several; NULL: JSON */
    json_t *(*body_schema)(void);  /* of the JSON or the form that it takes; NULL: any
                                      object, or a form of one file */
};

/* How the errors of a table are written: {"error": {...}} of docs/SERVER.md, or another program's
 * way. field: NULL where it is about none. NULL: out of memory */
struct xl_problem {
    int code;         /* of HTTP */
    const char *name; /* "XL_EINVAL", "NOT_FOUND" */
    const char *sentence, *field;
};
typedef json_t *xl_problem_fn(const struct xl_problem *problem);

/* Routes that belong together. Everything lives as long as the server. */
struct xl_route_table {
    const struct xl_route *rows;
    int n;
    void *user;             /* call->user of their handlers */
    const char *prefix;     /* paths that begin so have this table's errors, "/api/v1/" */
    xl_problem_fn *problem; /* NULL: ours */
    int field_code;         /* where a field is wrong, in the place of 422; 0: 422 */
};

enum { XL_TABLES_MAX = 16, XL_ROUTES_MAX = 256 };

#endif
