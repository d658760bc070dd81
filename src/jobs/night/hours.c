/* hours.c - reading times of day and dates. */
#include "jobs/night/hours.h"

#include <stdio.h>
#include <string.h>

/* "H:MM" or "HH:MM" at the beginning of a text: minutes since midnight, *n: its length; -1: none.
 * 24:00 is the end of a day. */
static int read_minute(const char *text, int *n) {
    int hour = 0, minute = 0, digits = 0;
    for (; digits < 2 && text[digits] >= '0' && text[digits] <= '9'; digits++)
        hour = 10 * hour + text[digits] - '0';
    const char *rest = text + digits;
    if (!digits || rest[0] != ':') return -1;
    for (int i = 1; i <= 2; i++) {
        if (rest[i] < '0' || rest[i] > '9') return -1;
        minute = 10 * minute + rest[i] - '0';
    }
    *n = digits + 3;
    int all = 60 * hour + minute;
    return minute > 59 || all > XL_DAY_MINUTES ? -1 : all;
}

enum xl_status xl_hours_read(const char *text, struct xl_hours *out, struct xl_err *err) {
    int n = 0, n_end = 0, end = -1, begin = read_minute(text, &n);
    if (begin >= 0 && text[n] == '-') end = read_minute(text + n + 1, &n_end);
    if (end < 0 || text[n + 1 + n_end])
        return xl_fail(err, XL_EINVAL,
                       "\"%.40s\" are no hours of a day; expected two times, like 22:00-06:00",
                       text);
    if (begin == end)
        return xl_fail(err, XL_EINVAL,
                       "\"%.40s\" begins when it ends; expected two times that "
                       "differ",
                       text);
    *out = (struct xl_hours){begin, end};
    return XL_OK;
}

static bool holds(struct xl_hours hours, int minute) {
    bool is_after = minute >= hours.begin, is_before = minute < hours.end;
    return hours.begin < hours.end ? is_after && is_before : is_after || is_before;
}

bool xl_hours_hold(const struct xl_hours *hours, int n, int minute) {
    for (int i = 0; i < n; i++)
        if (holds(hours[i], minute)) return true;
    return false;
}

bool xl_hours_hold_all(const struct xl_hours *hours, int n) {
    for (int minute = 0; minute < XL_DAY_MINUTES; minute++)
        if (!xl_hours_hold(hours, n, minute)) return false;
    return true;
}

int xl_hours_minute(time_t when) {
    struct tm tm;
    return localtime_r(&when, &tm) ? 60 * tm.tm_hour + tm.tm_min : 0;
}

/* A moment of a day of the calendar; false: the calendar has no such day. */
static bool moment_of(struct tm tm, int minute, time_t *out) {
    int day = tm.tm_mday, month = tm.tm_mon;
    tm.tm_hour = minute / 60;
    tm.tm_min = minute % 60;
    tm.tm_sec = 0;
    tm.tm_isdst = -1;
    *out = mktime(&tm);
    return *out != (time_t)-1 &&
           (minute == XL_DAY_MINUTES || (tm.tm_mday == day && tm.tm_mon == month));
}

static bool read_date(const char *text, time_t *out) {
    int year, month, day, n = 0, n_time = 0;
    if (sscanf(text, "%4d-%2d-%2d%n", &year, &month, &day, &n) != 3 || n != 10) return false;
    if (text[n] != ' ' && text[n] != 'T') return false;
    int minute = read_minute(text + n + 1, &n_time);
    struct tm tm = {.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day};
    if (minute < 0 || text[n + 1 + n_time] || month < 1 || month > 12) return false;
    return moment_of(tm, minute, out);
}

enum xl_status xl_moment_read(const char *text, time_t now, time_t *out, struct xl_err *err) {
    int n = 0, minute = read_minute(text, &n);
    struct tm tm;
    if (minute >= 0 && !text[n] && localtime_r(&now, &tm)) {
        if (moment_of(tm, minute, out) && *out > now) return XL_OK;
        localtime_r(&now, &tm);
        tm.tm_mday++;
        tm.tm_hour = 12; /* the day after this, whatever it is called */
        tm.tm_isdst = -1;
        mktime(&tm);
        if (moment_of(tm, minute, out)) return XL_OK;
    }
    if (minute < 0 && read_date(text, out)) return XL_OK;
    return xl_fail(err, XL_EINVAL,
                   "\"%.40s\" is no time; expected one of the day, like 07:00, or with its date, "
                   "like 2026-12-24 07:00",
                   text);
}

const char *xl_moment_text(time_t when, time_t now, char out[XL_MOMENT_MAX]) {
    enum { DAY_S = 24 * 3600 };
    struct tm then, today;
    out[0] = 0;
    if (!localtime_r(&when, &then) || !localtime_r(&now, &today)) return out;
    bool is_today = then.tm_yday == today.tm_yday && then.tm_year == today.tm_year;
    bool is_near = when - now < 6 * DAY_S && now - when < 6 * DAY_S;
    const char *format = is_today ? "%H:%M" : is_near ? "%a %H:%M" : "%Y-%m-%d %H:%M";
    if (!strftime(out, XL_MOMENT_MAX, format, &then)) out[0] = 0;
    return out;
}
