/* axes.h - the axes of a sweep: --sweep KEY=VALUES becomes a list of values of one option.
 *
 * VALUES: comma-separated ("20,30"; a value in double quotes may hold commas), whole numbers
 * "1..4", steps "5:8:1" (both ends included), "@FILE" (one value a line; blank lines and lines that
 * begin with '#' are skipped), "all" (models or profiles), or a JSON list (["a, b", null]; null
 * stands for what counts where there is no such axis).
 */
#ifndef XL_LAB_AXES_H
#define XL_LAB_AXES_H

#include "base/arena.h"
#include "lab/settings/options.h"

struct xl_axis {
    const struct xl_option *option;
    const char *const *values; /* [n] as text, each accepted by the option; NULL: JSON's null */
    const char *const *places; /* [n] where each was written, "FILE:LINE:COLUMN"; NULL: in argv */
    int n;
    bool is_all; /* "all": the caller fills in values */
};

/* Where an axis of a job file was written: as a whole, and the values of its list one by one. */
struct xl_axis_places {
    const char *whole;
    const char *const *items;
    int n;
};

/* More values than this are a slip, not an axis. */
enum { XL_AXIS_MAX_VALUES = 2000000 };

/* Read one axis; texts live in the arena. places: NULL where it is from argv; borrowed.
 * Errors: XL_EINVAL no such option, not for sweeping, a value that the option refuses, none or too
 * many values; XL_EINPUT FILE unreadable. Sentences begin with the place of what is wrong where it
 * has one */
enum xl_status xl_axis_parse(const char *text, const struct xl_axis_places *places,
                             struct xl_arena *arena, struct xl_axis *out,
                             struct xl_err *err) XL_CHECKED;

/* Put the axis before the sentence in err, and the place of value i where it has one. Returns
 * status. */
enum xl_status xl_axis_fail(const struct xl_axis *axis, int i, enum xl_status status,
                            struct xl_err *err);

/* The axis as a text that xl_axis_parse reads back whatever files are there: KEY=[...]. In the
 * arena; NULL: out of memory */
const char *xl_axis_text(const struct xl_axis *axis, struct xl_arena *arena);

#endif
