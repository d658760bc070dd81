/* clock.c - the time, as numbers for durations and as text for names and records. Keeps nothing;
 * any thread. */
#include "base/clock.h"

#include <time.h>

double xl_now_s(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void format_utc(char *out, size_t size, const char *format) {
    time_t now = time(NULL);
    struct tm tm;
    gmtime_r(&now, &tm);
    if (!strftime(out, size, format, &tm)) out[0] = 0;
}

void xl_stamp_utc(char out[16]) {
    format_utc(out, 16, "%Y%m%d-%H%M%S");
}
void xl_iso8601_utc(char out[21]) {
    format_utc(out, 21, "%Y-%m-%dT%H:%M:%SZ");
}
