/* summary.h - what came of a run, on standard output. */
#ifndef XL_CLI_SUMMARY_H
#define XL_CLI_SUMMARY_H

#include "lab/run/run.h"

/* Whether the pictures of a sweep are measured against each other. */
bool xl_is_comparison(const struct xl_sweep *sweep);

/* Tell what came of a run, of a comparison also that. drawn: how drawing ended. Errors: those of
 * measuring, XL_ENOMEM */
enum xl_status xl_tell_run(const struct xl_settings *settings, const struct xl_sweep *sweep,
                           struct xl_run_dir *dir, const struct xl_run_counts *counts,
                           enum xl_status drawn, struct xl_err *err) XL_CHECKED;

#endif
