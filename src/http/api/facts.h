/* facts.h - what the page and programs ask first: which server this is, what may be set, and the
 * lists of models, profiles, sizes, samplers, LoRAs and textual inversions.
 */
#ifndef XL_HTTP_API_FACTS_H
#define XL_HTTP_API_FACTS_H

#include "http/route.h"
#include "lab/settings/settings.h"

struct xl_facts {
    const struct xl_settings *settings; /* of the server; borrowed */
    double started_at;                  /* as xl_now_s says */
};

/* Lives as long as facts. */
struct xl_route_table xl_facts_table(const struct xl_facts *facts);

/* One row of the option table that the network may set, as JSON; NULL: out of memory. */
json_t *xl_option_object(const struct xl_option *option);

#endif
