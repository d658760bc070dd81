/* axes.h - the axes of a sweep: --sweep KEY=VALUES becomes a list of values of one option.
 *
 * VALUES: comma-separated ("20,30"; a value in double quotes may hold commas), whole numbers
 * "1..4", steps "5:8:1" (both ends included), "@FILE" (one value a line; blank lines and lines that
 * begin with '#' are skipped), "all" (models or profiles), or a JSON list (["a, b", "c"]).
 */
#ifndef XL_LAB_AXES_H
#define XL_LAB_AXES_H

#include "base/arena.h"
#include "lab/settings/options.h"

struct xl_axis {
    const struct xl_option *option;
    const char *const *values; /* as text, each accepted by the option */
    int n;
    bool is_all; /* "all": the caller fills in values */
};

/* More cells than this are a slip, not a sweep. */
enum { XL_AXIS_MAX_VALUES = 10000 };

/* Read one axis; texts live in the arena. Errors: XL_EINVAL no such option, not for sweeping, a
 * value that the option refuses, none or too many values; XL_EINPUT FILE unreadable. What
 * is wrong with a line of FILE begins "FILE:LINE:1:" */
enum xl_status xl_axis_parse(const char *text, struct xl_arena *arena, struct xl_axis *out,
                             struct xl_err *err) XL_CHECKED;

#endif
