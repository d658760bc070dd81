/* report.h - what came of a night: every number is counted in the job log's lines of its run
 * directory, and what no line says (how long it ran, what it took of energy, why it ended) is in
 * night.json. Looks at files only, whoever runs the night.
 */
#ifndef XL_JOBS_NIGHT_REPORT_H
#define XL_JOBS_NIGHT_REPORT_H

#include "base/arena.h"
#include "base/str.h"
#include "jobs/night/state.h"

#include <jansson.h>

/* A picture that is there. Texts are in the report's arena. */
struct xl_night_picture {
    const char *path, *cell, *prompt, *model, *profile, *worker;
    const char *seed;
    int width, height;
    time_t at; /* when its line was written; 0: not known */
    double seconds;
};

/* Failures with one sentence, of pictures that are not there. */
struct xl_night_failure {
    const char *error, *prompt; /* of the first */
    int n;
};

/* A worker that died, or a GPU that was lost or left to others; texts as night.json has them. */
struct xl_night_lost {
    const char *at, *worker, *name, *how, *error;
    int *pictures; /* [n] what it had in hand, by their place in the report */
    int n;
    int n_missing; /* and so many that are not there, or not yet */
};

/* Who drew. */
struct xl_night_worker {
    const char *label, *name; /* name: of the GPU, "" where it is not known */
    int n;
    double seconds;  /* of drawing, in all */
    double energy_j; /* 0: not known */
};

enum { XL_NIGHT_FAILURES = 32, XL_NIGHT_WORKERS = 128, XL_NIGHT_BARS = 96 };
struct xl_night_report {
    struct xl_arena arena;
    const char *dir;
    struct xl_night_state state;
    bool is_running;
    struct xl_night_picture *pictures; /* [n] in the order of the log */
    int n, capacity;
    struct xl_night_failure failures[XL_NIGHT_FAILURES];
    int n_failures, n_failed; /* n_failed: pictures; those that failed and came later are not */
    int n_retried;            /* lines of failures whose pictures came later */
    struct xl_night_worker workers[XL_NIGHT_WORKERS];
    int n_workers;
    struct xl_night_lost *losses; /* [n_losses] the last of state.n_losses */
    int n_losses;
    time_t first, last;      /* of the pictures; 0: none */
    int bars[XL_NIGHT_BARS]; /* pictures in each bar_s seconds from bars_from on */
    int n_bars, bar_s;
    time_t bars_from;
    double energy_j; /* of all GPUs; 0: not known */
};

/* Read a night. On success xl_night_report_deinit. Errors: XL_EINPUT no night, or a log that cannot
 * be read; XL_ENOMEM */
enum xl_status xl_night_report_read(const char *dir, struct xl_night_report *out,
                                    struct xl_err *err) XL_CHECKED;
void xl_night_report_deinit(struct xl_night_report *report);

/* Pictures an hour while it ran; 0: not known. */
double xl_night_report_rate(const struct xl_night_report *report);
/* "drawing", "done", "killed": what state the night is in, in a word. */
const char *xl_night_report_state(const struct xl_night_report *report);

/* report_text.c: as text, and as an object for programs. NULL from describe: out of memory. */
void xl_night_report_put_text(struct xl_str *out, const struct xl_night_report *report);
json_t *xl_night_report_describe(const struct xl_night_report *report);
/* "1 h 12 min", "42 s". Returns out. */
enum { XL_SPAN_TEXT = 32 };
const char *xl_span_text(double seconds, char out[XL_SPAN_TEXT]);
/* "320 J", "4.2 Wh", "1.25 kWh" */
enum { XL_ENERGY_TEXT = 32 };
const char *xl_energy_text(double joules, char out[XL_ENERGY_TEXT]);

/* report_html.c: a page that needs nothing beside itself: thumbnails are in it, up to 240 of them;
 * links lead to the pictures where the folder is. */
enum xl_status xl_night_report_put_html(struct xl_str *out, const struct xl_night_report *report,
                                        struct xl_err *err) XL_CHECKED;

/* Write report.txt and report.html into the night's folder. Errors: XL_EDISK, XL_ENOMEM */
enum xl_status xl_night_report_write(const struct xl_night_report *report,
                                     struct xl_err *err) XL_CHECKED;

#endif
