/* duel.h - choosing between two pictures over the network: the same marks as `sdxl-lab duel`. */
#ifndef XL_HTTP_API_DUEL_H
#define XL_HTTP_API_DUEL_H

#include "http/api/library.h"
#include "http/route.h"

/* Routes whose `user` is the library. */
struct xl_route_table xl_duel_table(struct xl_library *library);

#endif
