/* progress.h - signs of life of a run on standard error: on a terminal one line that is redrawn;
 * elsewhere (a log, a pipe) a line when a model begins to load and when pictures begin, then one a
 * minute; nothing when quiet. Any thread.
 */
#ifndef XL_CLI_PROGRESS_H
#define XL_CLI_PROGRESS_H

#include "base/status.h"

#include "sdxl/sdxl.h"

struct xl_progress {
    enum { XL_PROGRESS_NONE, XL_PROGRESS_LINE, XL_PROGRESS_LOG } kind;
    bool is_held;   /* nothing is said before the run is some seconds old */
    int n_painters; /* set by the caller before the run */
    int phase;      /* enum xl_phase; -1: none */
    int i, n_together, n, n_saved;
    double start_s, phase_start_s, run_start_s, run_left_s, shown_s;
    char what[256], model[128];
    const char *verb; /* see struct xl_progress_state */
};

/* Where there is no terminal, a run that is soon over says nothing; unless is_held is set false. */
void xl_progress_init(struct xl_progress *progress, bool is_quiet);

/* An xl_progress_fn, user: a struct xl_progress. False after a signal that asks for the end. */
bool xl_progress_update(void *user, enum xl_phase phase, int64_t done, int64_t total);

/* A model begins to load. */
void xl_progress_model(struct xl_progress *progress, const char *name);

/* Pictures i..i + n_together - 1 (from 0) of n begin; what: what tells them from the others. */
void xl_progress_begin(struct xl_progress *progress, const char *what, int i, int n_together,
                       int n);

/* What is under way, where it is no picture: behind the numbers of the line. */
void xl_progress_name(struct xl_progress *progress, const char *what);

/* A picture is on disk. */
void xl_progress_saved(struct xl_progress *progress);

/* A line of text on standard output, above the line that is redrawn. */
void xl_progress_print(struct xl_progress *progress, const char *text);

/* Remove the line. */
void xl_progress_end(struct xl_progress *progress);

#endif
