/* learned.h - what favourites taught, as a file that `learn_from` of a night and --learn-from of
 * prompts take.
 */
#ifndef XL_INSIGHT_REPORT_LEARNED_H
#define XL_INSIGHT_REPORT_LEARNED_H

#include "insight/observations.h"

#include "base/status.h"

#include <jansson.h>

/* {"format": 1, "weights": ..., "settings": ..., "lots": ...}. weights: factors of the entries of
 * these themes (weights.h); settings: of values that they may decide; lots: how much models,
 * profiles and sizes are loved, and how sure that is (prompts/learned.h), null where nothing is
 * loved. *out: the caller's. Errors: XL_EINPUT a theme; XL_ENOMEM */
enum xl_status xl_favourites_learn(const struct xl_observations *rows, const char *const *themes,
                                   int n_themes, json_t **out, struct xl_err *err) XL_CHECKED;

#endif
