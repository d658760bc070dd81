/* call.h - a request as handlers see it: parameters that were checked, a body that was read.
 * It belongs to the server and lives until the reply is sent; one thread at a time has it.
 */
#ifndef XL_HTTP_REQUEST_H
#define XL_HTTP_REQUEST_H

#include "base/arena.h"
#include "http/route.h"

/* Headers that somebody asks for; NULL where there is none. */
struct xl_headers {
    const char *host, *origin, *fetch_site, *fetch_mode, *authorization, *cookie;
    const char *content_type, *content_length, *transfer_encoding;
    const char *accept_encoding, *if_none_match, *range, *if_range;
    const char *last_event_id, *forwarded_prefix, *forwarded_proto, *forwarded_for;
    int n_hosts, n_lengths;
};

struct xl_pair {
    const char *name, *value;
};
enum { XL_PAIRS_MAX = 64, XL_SEGMENTS_MAX = 16 };

struct xl_form; /* form.h */
struct xl_server;

struct xl_call {
    const struct xl_route *route; /* NULL: none was found */
    void *user;                   /* of its table */
    struct xl_server *server;
    const char *method;
    const char *path;   /* as it was asked for, without the base path */
    const char *prefix; /* what comes before it as the client sees it: "", "/lab" */
    struct xl_headers headers;
    bool is_head;
    bool is_loopback; /* the client, or its proxy, is on this machine */
    char client[48];  /* its address */
    const char
        *asker; /* whose attempts to log in count: the client, or whom its proxy speaks for */
    const char *segments[XL_SEGMENTS_MAX]; /* of the path, decoded */
    int n_segments;
    bool hides_slash; /* some segment has a slash that was behind a percent sign */
    struct xl_pair pairs[XL_PAIRS_MAX]; /* of the query and of the path, decoded */
    int n_pairs;
    json_t *json;          /* the body; NULL: none */
    struct xl_form *form;  /* the body; NULL: none */
    struct xl_arena arena; /* for whatever lives as long as the request */
};

/* Split a path (as it was sent, from its first '/') and a query (NULL: none) into decoded segments
 * and pairs, in the request's arena. Percent signs are decoded once. Errors: XL_EINVAL a percent
 * sign without two digits, what is no UTF-8, a control character, a backslash that was hidden by a
 * percent sign, "." or "..", too many; XL_ENOMEM */
enum xl_status xl_call_split(struct xl_call *call, const char *path, const char *query,
                             struct xl_err *err) XL_CHECKED;

/* What is said of a separator behind a percent sign. Returns XL_EINVAL */
enum xl_status xl_call_fail_separator(struct xl_err *err);

/* Whether the segments match a route's pattern; the values of its {names} then come first among
 * the pairs. */
bool xl_route_matches(const struct xl_route *route, struct xl_call *call);

/* Check the pairs against the route's parameters. field: the wrong one's name.
 * Errors: XL_EINVAL an unknown one (what there is instead is listed), a value that is none, a
 * missing one */
enum xl_status xl_call_check(const struct xl_call *call, const char **field,
                             struct xl_err *err) XL_CHECKED;

/* The value of a parameter, checked; `otherwise` where it was not said. */
const char *xl_call_text(const struct xl_call *call, const char *name);
int64_t xl_call_int(const struct xl_call *call, const char *name, int64_t otherwise);
double xl_call_real(const struct xl_call *call, const char *name, double otherwise);
bool xl_call_switch(const struct xl_call *call, const char *name, bool otherwise);
/* The index of a choice. */
int xl_call_choice(const struct xl_call *call, const char *name, int otherwise);

#endif
