/* blame.h - two records of one request: what differs between then and now. */
#ifndef XL_LAB_BLAME_H
#define XL_LAB_BLAME_H

#include "base/status.h"

#include <jansson.h>

struct xl_blame {
    char *text;         /* malloc'd: "weights of unet; beta_end of the scheduler 0.02, was 0.012";
                           NULL: nothing differs */
    bool is_of_request; /* something that the picture is asked of: it is another request */
};

/* Compare records in the present format. What one of them does not say is not blamed.
 * Errors: XL_ENOMEM */
enum xl_status xl_blame(const json_t *then, const json_t *now, struct xl_blame *out,
                        struct xl_err *err) XL_CHECKED;

/* Append the members in which two objects differ, each as "isa AVX2, was AVX-512"; what follows a
 * key may be NULL. */
struct xl_str;
void xl_blame_members(struct xl_str *out, const json_t *then, const json_t *now, const char *of);

#endif
