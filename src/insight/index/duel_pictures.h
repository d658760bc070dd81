/* duel_pictures.h - the pictures between which somebody chooses. */
#ifndef XL_INSIGHT_DUEL_PICTURES_H
#define XL_INSIGHT_DUEL_PICTURES_H

#include "insight/index/index.h"

#include <jansson.h>

enum { XL_DUEL_PICTURES = 500 };

/* The newest pictures whose files are there, at most XL_DUEL_PICTURES, without those that were
 * rejected or are in the trash, in an order by chance: an array as pictures.h has them, of which
 * each two are a pair, never of a picture and its copy, between which nobody can choose. The same
 * seed gives the same order. Caller: json_decref. Errors: XL_ENOMEM; as of the index */
enum xl_status xl_duel_pictures(struct xl_index *index, uint64_t seed, json_t **out,
                                struct xl_err *err) XL_CHECKED;

#endif
