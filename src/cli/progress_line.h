/* progress_line.h - what is being done, as one line of any width, and as a sentence. */
#ifndef XL_CLI_PROGRESS_LINE_H
#define XL_CLI_PROGRESS_LINE_H

#include "base/str.h"

#include "sdxl/sdxl.h"

struct xl_progress_state {
    enum xl_phase phase;
    int64_t done, total;  /* of the phase; total 0: not known yet */
    double phase_s;       /* since it began */
    int i, n_together, n; /* pictures i..i + n_together - 1 (from 0) of n that are to be drawn */
    double run_left_s;    /* of all pictures; < 0: not known yet */
    const char *what;     /* what tells the pictures from others; any text */
    const char *verb;     /* of bytes that come: "downloading"; NULL: "loading" */
};

/* A line of at most so many columns, appended. What has no room is left out, the least important
 * first: the step and its time left stay, then which picture it is, the time left of all, a bar,
 * the rate, and what is drawn, which is cut to what is left. */
void xl_progress_put_line(struct xl_str *out, const struct xl_progress_state *state, int columns);

/* The same for logs: "step 12 of 30, 1:05 left; picture 3 of 56, 4:10:02 left in all". */
void xl_progress_put_sentence(struct xl_str *out, const struct xl_progress_state *state);

/* "picture 3 of 56", "pictures 3-6 of 56". */
void xl_progress_put_pictures(struct xl_str *out, const struct xl_progress_state *state);

#endif
