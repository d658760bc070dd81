/* hours.h - times of day and dates as people write them, and what they mean on this host's clock.
 * Keeps nothing; any thread.
 */
#ifndef XL_JOBS_NIGHT_HOURS_H
#define XL_JOBS_NIGHT_HOURS_H

#include "base/status.h"

#include <time.h>

enum { XL_DAY_MINUTES = 24 * 60 };

/* A part of each day: minutes since midnight; one that begins later than it ends lies over
 * midnight. */
struct xl_hours {
    int begin, end;
};

/* "22:00-06:30". Errors: XL_EINVAL another text, or a part without length */
enum xl_status xl_hours_read(const char *text, struct xl_hours *out, struct xl_err *err) XL_CHECKED;

/* Whether a minute of the day (0 .. 1439) lies in one of n parts; whether each does. */
bool xl_hours_hold(const struct xl_hours *hours, int n, int minute);
bool xl_hours_hold_all(const struct xl_hours *hours, int n);

/* The minute of the day of a moment, as this host's clock has it. */
int xl_hours_minute(time_t when);

/* When "07:00" is next, seen from `now`, or the moment of "2026-12-24 07:00".
 * Errors: XL_EINVAL another text, or no such day */
enum xl_status xl_moment_read(const char *text, time_t now, time_t *out,
                              struct xl_err *err) XL_CHECKED;

/* "07:00" today, else "Thu 07:00" within a week, else with its date. Returns out. */
enum { XL_MOMENT_MAX = 40 };
const char *xl_moment_text(time_t when, time_t now, char out[XL_MOMENT_MAX]);

#endif
