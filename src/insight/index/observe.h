/* observe.h - the pictures that a filter means as the table that statistics read. */
#ifndef XL_INSIGHT_OBSERVE_H
#define XL_INSIGHT_OBSERVE_H

#include "insight/index/filter.h"
#include "insight/observations.h"

/* Columns: model, profile, resolution, steps, guidance, scheduler, seed, lora, run; the words of
 * prompts as they were asked for, in small letters, those of two letters and more. Rows are in the
 * order of time. A picture is loved that is a favourite. filter: sort is of no meaning here.
 * *out: the caller's (xl_observe_free). Errors: as of the index; XL_ENOMEM */
enum xl_status xl_observe(struct xl_index *index, const struct xl_picture_filter *filter,
                          struct xl_observations **out, struct xl_err *err) XL_CHECKED;
void xl_observe_free(struct xl_observations *observations); /* NULL is fine */

#endif
