/* guard.c - verdicts. Keeps no state. */
#include "jobs/night/guard.h"

#include <stdio.h>

static void say_time(double seconds, char out[32]) {
    int whole = (int)(seconds + 0.5);
    if (whole < 120)
        snprintf(out, 32, "%d s", whole);
    else if (whole < 120 * 60)
        snprintf(out, 32, "%d min", whole / 60);
    else
        snprintf(out, 32, "%d h %02d min", whole / 3600, whole / 60 % 60);
}

/* What ends it. */
static bool is_over(const struct xl_night_config *config, const struct xl_night_facts *facts,
                    char why[XL_NIGHT_WHY]) {
    char text[XL_MOMENT_MAX], size[XL_SIZE_TEXT], time[32];
    if (facts->until && facts->now >= facts->until) {
        snprintf(why, XL_NIGHT_WHY, "it is %s", xl_moment_text(facts->until, facts->until, text));
        return true;
    }
    if (facts->bound_s > 0 && facts->elapsed_s >= facts->bound_s) {
        say_time(facts->bound_s, time);
        snprintf(why, XL_NIGHT_WHY,
                 "the %s until its end are over; the clock was set back meanwhile", time);
        return true;
    }
    if (config->time_limit_s > 0 && facts->elapsed_s >= config->time_limit_s) {
        say_time(config->time_limit_s, time);
        snprintf(why, XL_NIGHT_WHY, "its time of %s is over", time);
        return true;
    }
    if (config->disk_budget && facts->bytes >= config->disk_budget) {
        snprintf(why, XL_NIGHT_WHY, "its pictures take the %s that it may fill",
                 xl_size_text(config->disk_budget, size));
        return true;
    }
    return false;
}

/* The part of the day that is quiet now. */
static const char *quiet_part(const struct xl_night_config *config, time_t now) {
    for (int i = 0; i < config->n_quiet; i++)
        if (xl_hours_hold(&config->quiet[i], 1, xl_hours_minute(now)))
            return config->quiet_texts.item[i];
    return NULL;
}

enum xl_night_verdict xl_night_judge(const struct xl_night_config *config,
                                     const struct xl_night_facts *facts, char why[XL_NIGHT_WHY]) {
    char free_text[XL_SIZE_TEXT], least[XL_SIZE_TEXT], time[32];
    why[0] = 0;
    if (is_over(config, facts, why)) return XL_NIGHT_ENDS;
    const char *quiet = quiet_part(config, facts->now);
    if (quiet) {
        snprintf(why, XL_NIGHT_WHY, "quiet hours (%s)", quiet);
        return XL_NIGHT_RESTS;
    }
    if (facts->free_bytes >= 0 && facts->free_bytes < config->min_free) {
        snprintf(why, XL_NIGHT_WHY, "the disk has %s left, and %s are to stay free",
                 xl_size_text(facts->free_bytes, free_text), xl_size_text(config->min_free, least));
        return XL_NIGHT_WAITS;
    }
    if (facts->pause_s > 0) {
        say_time(facts->pause_s, time);
        snprintf(why, XL_NIGHT_WHY, "after failures it goes on in %s; the last one: %.250s", time,
                 facts->pause_why ? facts->pause_why : "");
        return XL_NIGHT_WAITS;
    }
    return XL_NIGHT_MAY_DRAW;
}

/* --- One GPU ---------------------------------------------------------------------------------- */

bool xl_night_is_hot(const struct xl_night_config *config, bool was_hot, int temperature) {
    enum { COOLER = 5 };
    if (!config->max_temperature || temperature < 0) return false;
    return temperature > config->max_temperature - (was_hot ? COOLER : 0);
}

int xl_night_share_power(const struct xl_night_config *config, int n_drawing, int n,
                         double power_w) {
    if (config->max_power_w <= 0 || power_w < 0) return n;
    if (power_w > config->max_power_w) return n_drawing > 1 ? n_drawing - 1 : 1;
    double with_one_more = n_drawing ? power_w * (n_drawing + 1) / n_drawing : 0;
    return n_drawing < n && with_one_more <= config->max_power_w ? n_drawing + 1 : n_drawing;
}
