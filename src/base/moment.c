/* moment.c - reading points in time. */
#include "base/moment.h"
#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* Read n digits; -1: they are none. */
static int digits(const char *text, int n) {
    int value = 0;
    for (int i = 0; i < n; i++) {
        if (text[i] < '0' || text[i] > '9') return -1;
        value = value * 10 + text[i] - '0';
    }
    return value;
}

/* Days from 1970-01-01 in the Gregorian calendar: years begin in March, so that a leap day is the
 * last of its year. */
static int64_t days_of(int year, int month, int day) {
    int64_t y = year - (month <= 2), m = (month + 9) % 12;
    return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468;
}

struct parts {
    int year, month, day, hour, minute, second;
};

static int64_t moment_of(struct parts at) {
    bool is_date = at.year >= 1971 && at.month >= 1 && at.month <= 12 && at.day >= 1 &&
                   at.day <= 31;
    bool is_time = at.hour >= 0 && at.hour < 24 && at.minute >= 0 && at.minute < 60 &&
                   at.second >= 0 && at.second <= 60;
    if (!is_date || !is_time) return 0;
    return days_of(at.year, at.month, at.day) * 86400 + at.hour * 3600 + at.minute * 60 + at.second;
}

static int64_t local_moment(struct parts at) {
    struct tm local = {.tm_year = at.year - 1900,
                       .tm_mon = at.month - 1,
                       .tm_mday = at.day,
                       .tm_hour = at.hour,
                       .tm_min = at.minute,
                       .tm_sec = at.second,
                       .tm_isdst = -1};
    time_t moment = moment_of(at) ? mktime(&local) : 0;
    return moment > 0 ? moment : 0;
}

int64_t xl_moment_of(const char *text) {
    size_t n = strlen(text);
    if (n >= 19 && text[4] == '-' && text[7] == '-' && (text[10] == 'T' || text[10] == ' '))
        return moment_of((struct parts){digits(text, 4), digits(text + 5, 2), digits(text + 8, 2),
                                        digits(text + 11, 2), digits(text + 14, 2),
                                        digits(text + 17, 2)});
    if (n != 15 || (text[8] != '-' && text[8] != '_')) return 0;
    struct parts at = {digits(text, 4),     digits(text + 4, 2),  digits(text + 6, 2),
                       digits(text + 9, 2), digits(text + 11, 2), digits(text + 13, 2)};
    return text[8] == '-' ? moment_of(at) : local_moment(at);
}

enum xl_status xl_moment_parse(const char *option, const char *text, bool is_end, int64_t *out,
                               struct xl_err *err) {
    double seconds;
    int64_t moment = xl_moment_of(text);
    if (!moment && strlen(text) == 10 && text[4] == '-' && text[7] == '-') {
        moment = moment_of((struct parts){
            .year = digits(text, 4), .month = digits(text + 5, 2), .day = digits(text + 8, 2)});
        if (moment && is_end) moment += 86399;
    }
    if (!moment && !xl_duration_read(text, &seconds, NULL) && seconds >= 0)
        moment = (int64_t)time(NULL) - (int64_t)seconds;
    if (!moment)
        return xl_fail(err, XL_EINVAL,
                       "%s: \"%.60s\" is no time; expected a day (2026-11-24), a time "
                       "(2026-11-24T03:15:00) or how long ago (12h, 7d)",
                       option, text);
    *out = moment;
    return XL_OK;
}

void xl_moment_write(int64_t moment, char out[32]) {
    time_t seconds = (time_t)moment;
    struct tm utc;
    out[0] = 0;
    if (gmtime_r(&seconds, &utc)) strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &utc);
}
