/* progress_line.c - parts of a line by their importance. Keeps no state. */
#include "cli/progress_line.h"

#include "base/text_width.h"

#include <stdio.h>
#include <string.h>

/* In the order in which they stand. */
enum part { PICTURE, BAR, COUNTS, LEFT, RUN_LEFT, RATE, WHAT, N_PARTS };

/* The most important first. */
static const enum part by_importance[] = {COUNTS, LEFT, PICTURE, RUN_LEFT, BAR, WHAT, RATE};

/* But before the first that is shown. */
static const char *const before[N_PARTS] = {
    [PICTURE] = " ",   [BAR] = " ",   [COUNTS] = " ", [LEFT] = ", ",
    [RUN_LEFT] = ", ", [RATE] = ", ", [WHAT] = "  ",
};

/* A bar's width hangs on that of the line alone: it stays where it is while numbers grow. */
enum { PART_MAX = 64, NARROW = 56, WIDE = 100, BAR_NARROW = 12, BAR_WIDE = 24, WHAT_LEAST = 20 };

struct parts {
    char text[N_PARTS][PART_MAX];
    bool is_shown[N_PARTS];
    int bar, what; /* columns */
};

/* --- Texts ------------------------------------------------------------------------------------ */

static void put_duration(char *out, size_t size, double seconds) {
    long long s = (long long)(seconds + 0.5);
    if (s < 60)
        snprintf(out, size, "%lld s", s);
    else if (s < 3600)
        snprintf(out, size, "%lld:%02lld", s / 60, s % 60);
    else
        snprintf(out, size, "%lld:%02lld:%02lld", s / 3600, s / 60 % 60, s % 60);
}

static const char *unit_of(enum xl_phase phase) {
    static const char *const units[] = {[XL_PHASE_LOAD] = "loading",
                                        [XL_PHASE_ENCODE] = "prompt",
                                        [XL_PHASE_SAMPLE] = "step",
                                        [XL_PHASE_DECODE] = "decoding"};
    return units[phase];
}

static void put_counts(const struct xl_progress_state *state, const char *of, char *out) {
    const char *unit = unit_of(state->phase);
    if (state->phase == XL_PHASE_LOAD)
        snprintf(out, PART_MAX, "%s %.2f%s%.2f GB", state->verb ? state->verb : unit,
                 (double)state->done / 1e9, of, (double)state->total / 1e9);
    else
        snprintf(out, PART_MAX, "%s %lld%s%lld", unit, (long long)state->done, of,
                 (long long)state->total);
}

/* Time left of the phase; "": not known. */
static void put_left(const struct xl_progress_state *state, char *out) {
    char duration[24];
    out[0] = 0;
    if (state->done <= 0 || state->done >= state->total) return;
    put_duration(duration, sizeof duration,
                 state->phase_s * (double)(state->total - state->done) / (double)state->done);
    snprintf(out, PART_MAX, "%s left", duration);
}

static void put_rate(const struct xl_progress_state *state, char *out) {
    out[0] = 0;
    if (state->done <= 0 || state->phase_s <= 0) return;
    double rate = (double)state->done / state->phase_s;
    if (state->phase == XL_PHASE_LOAD && state->verb)
        snprintf(out, PART_MAX, "%.1f MB/s", rate / 1e6);
    else if (state->phase == XL_PHASE_LOAD)
        snprintf(out, PART_MAX, "%.2f GB/s", rate / 1e9);
    else if (rate >= 1)
        snprintf(out, PART_MAX, "%.1f/s", rate);
    else
        snprintf(out, PART_MAX, "%.1f s each", 1 / rate);
}

static void put_run_left(const struct xl_progress_state *state, char *out) {
    char duration[24];
    out[0] = 0;
    if (state->n < 2 || state->run_left_s < 0) return;
    put_duration(duration, sizeof duration, state->run_left_s);
    snprintf(out, PART_MAX, "%s in all", duration);
}

/* --- A line ----------------------------------------------------------------------------------- */

/* The columns that a part needs, at least; 0: it has nothing to say. */
static int width_of(const struct parts *parts, const struct xl_progress_state *state,
                    enum part part) {
    int width = xl_text_width(parts->text[part]);
    if (part == BAR) width = parts->bar ? parts->bar + 2 : 0;
    if (part == WHAT) {
        width = xl_text_width(state->what);
        if (width > WHAT_LEAST) width = WHAT_LEAST;
    }
    return width ? width + (int)strlen(before[part]) : 0;
}

/* Which parts have room; what is left of it goes to the names. */
static void choose(struct parts *parts, const struct xl_progress_state *state, int columns) {
    int left = columns + 1; /* the first part has no blank before it */
    parts->bar = columns < NARROW ? 0 : columns < WIDE ? BAR_NARROW : BAR_WIDE;
    bool is_full = false; /* nothing that matters less takes the place of what had none */
    for (int k = 0; k < N_PARTS; k++) {
        enum part part = by_importance[k];
        int width = width_of(parts, state, part);
        is_full |= width > left && part != COUNTS;
        parts->is_shown[part] = width && !is_full;
        if (parts->is_shown[part]) left -= width;
    }
    parts->what = WHAT_LEAST + (left > 0 ? left : 0);
}

static void put_bar(struct xl_str *line, const struct xl_progress_state *state, int width) {
    double part = state->total > 0 ? (double)state->done / (double)state->total : 0;
    int filled = (int)(part * width);
    xl_str_puts(line, "[");
    for (int i = 0; i < width; i++) xl_str_puts(line, i < filled ? "#" : ".");
    xl_str_puts(line, "]");
}

/* Text of any kind, cut to some columns. */
static void put_text(struct xl_str *line, const char *text, int columns) {
    int dots = columns < 3 ? columns : 3;
    size_t n = xl_text_fit(text, columns);
    bool is_cut = text[n] != 0;
    if (is_cut) n = xl_text_fit(text, columns - dots);
    for (const char *end = text + n; text < end;) {
        struct xl_text_char c = xl_text_next(text);
        xl_str_append(line, c.is_shown ? text : "?", c.is_shown ? (size_t)c.n_bytes : 1);
        text += c.n_bytes;
    }
    if (is_cut) xl_str_append(line, "...", (size_t)dots);
}

void xl_progress_put_line(struct xl_str *out, const struct xl_progress_state *state, int columns) {
    struct parts parts = {.bar = 0};
    struct xl_str line = {0};
    if (state->n > 1 || state->n_together > 1) {
        int last = state->i + state->n_together;
        if (state->n_together > 1)
            snprintf(parts.text[PICTURE], PART_MAX, "%d-%d/%d", state->i + 1, last, state->n);
        else
            snprintf(parts.text[PICTURE], PART_MAX, "%d/%d", last, state->n);
    }
    put_counts(state, "/", parts.text[COUNTS]);
    put_left(state, parts.text[LEFT]);
    put_run_left(state, parts.text[RUN_LEFT]);
    put_rate(state, parts.text[RATE]);
    choose(&parts, state, columns);
    for (int part = 0; part < N_PARTS; part++) {
        if (!parts.is_shown[part]) continue;
        if (line.len) xl_str_puts(&line, before[part]);
        if (part == BAR)
            put_bar(&line, state, parts.bar);
        else
            put_text(&line, part == WHAT ? state->what : parts.text[part],
                     part == WHAT ? parts.what : PART_MAX);
    }
    if (line.text) put_text(out, line.text, columns);
    out->failed |= line.failed;
    xl_str_deinit(&line);
}

/* --- A sentence ------------------------------------------------------------------------------- */

void xl_progress_put_pictures(struct xl_str *out, const struct xl_progress_state *state) {
    if (state->n_together > 1)
        xl_str_printf(out, "pictures %d-%d of %d", state->i + 1, state->i + state->n_together,
                      state->n);
    else
        xl_str_printf(out, "picture %d of %d", state->i + 1, state->n);
}

void xl_progress_put_sentence(struct xl_str *out, const struct xl_progress_state *state) {
    char part[PART_MAX];
    put_counts(state, " of ", part);
    xl_str_puts(out, part);
    put_left(state, part);
    if (part[0]) xl_str_printf(out, ", %s", part);
    if (state->n < 2) return;
    xl_str_puts(out, "; ");
    xl_progress_put_pictures(out, state);
    if (state->run_left_s < 0) return;
    put_duration(part, sizeof part, state->run_left_s);
    xl_str_printf(out, ", %s left in all", part);
}
