/* moment.h - points in time as logs and people write them. Keeps no state. */
#ifndef XL_BASE_MOMENT_H
#define XL_BASE_MOMENT_H

#include "base/status.h"

#include <stdint.h>

/* Seconds since 1970 in UTC of "2026-11-24T03:15:00Z" (or without the Z), "20261124-031500" (UTC),
 * "20261124_031500" (the local time of the earlier app); 0: none of these. */
int64_t xl_moment_of(const char *text);

/* What --since and --until take: those, a day "2026-11-24" (its beginning, or with is_end its last
 * second), or how long ago: "90m", "12h", "7d" (base/clock.h). Errors: XL_EINVAL; option opens the
 * sentence */
enum xl_status xl_moment_parse(const char *option, const char *text, bool is_end, int64_t *out,
                               struct xl_err *err) XL_CHECKED;

/* "2026-11-24T03:15:00Z" */
void xl_moment_write(int64_t moment, char out[32]);

#endif
