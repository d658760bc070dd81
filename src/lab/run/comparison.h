/* comparison.h - pictures beside what they are measured against: the same requests under several
 * values of one setting, or files beside files. Which picture belongs to which, how far they are
 * apart, what that comes to, and a sheet to look at.
 */
#ifndef XL_LAB_COMPARISON_H
#define XL_LAB_COMPARISON_H

#include "base/arena.h"
#include "image/distance.h"
#include "lab/run/run_dir.h"

enum {
    XL_COMPARISON_MAX_VALUES = 8, /* what a sheet has columns for */
    XL_COMPARISON_GAIN = 8,       /* by which a sheet shows differences */
};

/* One picture of a row. */
struct xl_compared {
    const char *path;            /* NULL: it is not there */
    double seconds;              /* that drawing it took; 0: not known */
    const char *why;             /* it has no distance; NULL: it has */
    struct xl_distance distance; /* from the row's first picture; of that itself: none */
};

struct xl_comparison_row {
    const char *name;
    struct xl_compared *pictures; /* [n_values] */
};

/* Everything lives in the arena. */
struct xl_comparison {
    struct xl_arena arena;
    const char *caption; /* of what is compared: "Arithmetic" */
    const char *about;   /* what is true of all pictures; NULL: nothing is known */
    const char **values; /* [n_values] the first one is the reference */
    int n_values;
    struct xl_comparison_row *rows;
    int n_rows;
};
void xl_comparison_deinit(struct xl_comparison *comparison);

/* comparison_run.c: whether an option can be compared along: pictures of two seeds or sizes have
 * nothing to be measured by. */
bool xl_comparison_suits(const struct xl_option *option);

/* comparison_run.c: whether a sweep that is planned can be compared, before it is drawn.
 * Errors: XL_EINPUT it has no axis that suits, or all its values mean the same; XL_ENOMEM */
enum xl_status xl_comparison_check(const struct xl_settings *request, const struct xl_sweep *sweep,
                                   struct xl_err *err) XL_CHECKED;

/* comparison_run.c: the pictures of a run along its first axis that suits. The reference is the
 * value that was asked for first; of dtypes, wherever it stands, the most exact one. Nothing is
 * measured yet. Errors: XL_EINPUT the run has no such axis, or too many values; XL_ENOMEM */
enum xl_status xl_comparison_of_run(const struct xl_settings *request, const struct xl_sweep *sweep,
                                    const struct xl_run_dir *run, struct xl_comparison *out,
                                    struct xl_err *err) XL_CHECKED;

/* comparison_files.c: two files, or what lies in two folders under the same names; where no name is
 * in both, the pictures whose records name the same cell; where there are none either, those whose
 * names differ in times alone. The first is the reference. What only one folder has is a row, too.
 * Errors: XL_EINPUT unreadable, nothing in common, a folder and a file; XL_ENOMEM */
enum xl_status xl_comparison_of_files(const char *a, const char *b, struct xl_comparison *out,
                                      struct xl_err *err) XL_CHECKED;

/* Measure every row and, with dir, put a sheet there: compare_01.png, ...: a row a row; the
 * reference, then each value and its difference from the reference, amplified. A picture that
 * cannot be read or has another size is told of in its place. *n_pages: of the sheet. go_on (NULL:
 * do): asked before each row. Errors: XL_ECANCELLED, XL_EDISK, XL_ENOMEM */
enum xl_status xl_comparison_measure(struct xl_comparison *comparison, const char *dir,
                                     int *n_pages, bool (*go_on)(void),
                                     struct xl_err *err) XL_CHECKED;

/* What the pictures of value v come to. Medians are of the pictures that were measured; worst is
 * the furthest in each measure. */
struct xl_comparison_sum {
    int n, n_equal; /* measured; of these without any difference */
    struct xl_distance median, worst;
    double seconds; /* median of a picture; 0: not known */
    int n_timed;    /* whose seconds are known */
};
struct xl_comparison_sum xl_comparison_sum(const struct xl_comparison *comparison, int v);

/* Bars in dB, as docs/COMPARE.md has them: from the first one on nobody tells pictures apart side
 * by side, from the second only fine texture differs, from the third details do, below it shapes
 * and colours. */
#define XL_PSNR_UNSEEN 40.0
#define XL_PSNR_TEXTURE 32.0
#define XL_PSNR_STRUCTURE 26.0

/* A sentence on value v in plain words, in the arena. NULL: out of memory */
const char *xl_comparison_verdict(struct xl_comparison *comparison, int v);

#endif
