/* clock.c - the time, as numbers for durations and as text for names and records. Keeps nothing;
 * any thread. */
#include "base/clock.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

double xl_now_s(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Seconds of a unit; 0: it is none. */
static double unit_of(char letter) {
    switch (letter) {
    case 's':
        return 1;
    case 'm':
        return 60;
    case 'h':
        return 3600;
    case 'd':
        return 86400;
    default:
        return 0;
    }
}

enum xl_status xl_duration_read(const char *text, double *seconds, struct xl_err *err) {
    static const double MOST = 1e9;
    double sum = 0, last = 0;
    const char *at = text;
    if (!strcmp(text, "forever")) {
        *seconds = -1;
        return XL_OK;
    }
    do { /* units become smaller: 1h30m, and not 30m1h */
        size_t n = strspn(at, "0123456789.");
        char *end;
        double value = strtod(at, &end), unit = 1;
        if (!n || end != at + n) value = -1; /* nor "-5", "0x10", "1e3", "nan" */
        bool has_unit = value >= 0 && *end;
        if (has_unit) unit = unit_of(*end);
        sum += value * unit;
        if (value < 0 || unit == 0 || (last > 0 && unit >= last) || !(sum <= MOST))
            return xl_fail(err, XL_EINVAL,
                           "\"%.40s\" is no length of time; expected one like 90s, 10m, 1h30m, 2d "
                           "or forever",
                           text);
        last = unit;
        at = end + has_unit;
    } while (*at);
    *seconds = sum;
    return XL_OK;
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
