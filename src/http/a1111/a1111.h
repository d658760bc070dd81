/* a1111.h - the API of AUTOMATIC1111's web UI, /sdapi/v1, for programs that speak it: pictures are
 * drawn by the queue like any other job, and a call waits for its own. docs/SERVER.md has what is
 * taken, what is close, and what is refused.
 */
#ifndef XL_HTTP_A1111_H
#define XL_HTTP_A1111_H

#include "http/api/library.h"
#include "http/api/system.h"
#include "http/api/wait.h"
#include "http/route.h"

struct xl_a1111; /* opaque; any thread. Which model is selected, and the calls that wait */

struct xl_a1111_params {
    struct xl_queue *queue;
    struct xl_waits *waits;
    struct xl_library *library; /* and its settings */
    struct xl_system *system;
};

/* params is copied, what it names is borrowed. Errors: XL_ENOMEM */
enum xl_status xl_a1111_new(const struct xl_a1111_params *params, struct xl_a1111 **out,
                            struct xl_err *err) XL_CHECKED;
/* After the calls that wait have ended. NULL is fine. */
void xl_a1111_free(struct xl_a1111 *a1111);

/* Lives as long as a1111. */
struct xl_route_table xl_a1111_table(struct xl_a1111 *a1111);

#endif
