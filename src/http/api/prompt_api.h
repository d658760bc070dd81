/* prompt_api.h - what somebody who types a prompt wants to know at once: how many tokens it has and
 * where it is cut, and what there is that begins so.
 *
 * Lists of names and a model's tokenizers are kept for some seconds, under one mutex.
 */
#ifndef XL_HTTP_API_PROMPT_API_H
#define XL_HTTP_API_PROMPT_API_H

#include "http/api/library.h"
#include "http/route.h"
#include "jobs/queue/queue.h"

struct xl_prompt_api; /* opaque; any thread */

/* settings of the server, queue and library are borrowed. Errors: XL_ENOMEM */
enum xl_status xl_prompt_api_new(const struct xl_settings *settings, struct xl_queue *queue,
                                 struct xl_library *library, struct xl_prompt_api **out,
                                 struct xl_err *err) XL_CHECKED;
void xl_prompt_api_free(struct xl_prompt_api *api); /* NULL is fine */

/* Lives as long as api. */
struct xl_route_table xl_prompt_table(struct xl_prompt_api *api);

#endif
