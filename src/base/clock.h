/* clock.h - durations from the monotonic clock, stamps from the wall clock. */
#ifndef XL_BASE_CLOCK_H
#define XL_BASE_CLOCK_H

#include "base/status.h"

#include <stddef.h>

/* Seconds since an arbitrary moment; never goes backwards. */
double xl_now_s(void);

/* A length of time: "90" or "90s", "10m", "1h30m", "2d", "forever" (*seconds is -1 then).
 * Errors: XL_EINVAL */
enum xl_status xl_duration_read(const char *text, double *seconds, struct xl_err *err) XL_CHECKED;

/* The current UTC time as "20261124-031500" (for file names) into out[16]. */
void xl_stamp_utc(char out[16]);

/* The current UTC time as "2026-11-24T03:15:00Z" into out[21]. */
void xl_iso8601_utc(char out[21]);

#endif
