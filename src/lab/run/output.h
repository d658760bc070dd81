/* output.h - what the writer's thread writes: output.c the pictures of a group, output_log.c lines
 * of the job log, output_page.c the run's page, contact_sheet.c sheets. For writer.c and resuming.
 */
#ifndef XL_LAB_OUTPUT_H
#define XL_LAB_OUTPUT_H

#include "lab/log/job_log.h"
#include "lab/run/run.h"
#include "lab/run/work.h"

struct xl_writer_params {
    const struct xl_settings *settings;
    const struct xl_sweep *sweep;
    struct xl_run_dir *run; /* its outcomes belong to the writer until xl_writer_finish */
    struct xl_job_log *log;
    const char *job;          /* of a queue; NULL: none */
    struct xl_claims *claims; /* NULL: nobody else draws this run; else page and sheets wait */
    struct xl_hooks hooks;
    struct xl_work *work;
    struct xl_run_counts *counts; /* times and warnings are added up here */
    int n_painters;
    bool has_no_sheets; /* they are made later */
};

/* Save the pictures of a group, log its jobs, tell the page. A failed group is logged as well. Of a
 * group that was lost with its painter, the pictures that are on disk all the same are logged, the
 * others go back to the work, or fail when they lost a painter before. *n_settled: cells of which
 * it is known what became of them. Errors: XL_EDISK, XL_ENOMEM */
enum xl_status xl_output_group(const struct xl_writer_params *params, struct xl_drawn *drawn,
                               int *n_settled, struct xl_err *err) XL_CHECKED;

/* Make the contact sheet of a model from the pictures on disk; nothing for a run without a
 * directory of its own. Errors: XL_EDISK, XL_ENOMEM */
enum xl_status xl_output_sheet(const struct xl_writer_params *params, int model,
                               struct xl_err *err) XL_CHECKED;

/* Whether the pages of that sheet are on disk, whole, and show what there is now. A model without a
 * picture needs none. Errors: XL_ENOMEM */
enum xl_status xl_output_sheet_is_current(const struct xl_writer_params *params, int model,
                                          bool *is_current, struct xl_err *err) XL_CHECKED;

/* Log pictures that are there and that no log of the output directory knows: a process died between
 * a picture and its line. Errors: XL_EDISK, XL_ENOMEM */
enum xl_status xl_output_log_missing(const struct xl_writer_params *params,
                                     struct xl_err *err) XL_CHECKED;

/* Log a request that was refused before there was a cell, with its sentence. Only where somebody
 * will look: in an output directory that is there already, or after a run that nobody watches.
 * Errors: XL_EDISK, XL_ENOMEM */
enum xl_status xl_output_log_refusal(const struct xl_settings *settings, enum xl_status how,
                                     const char *message, struct xl_err *err) XL_CHECKED;

/* The run's page: all cells as they are now; and the end of the run. status, message: how it ended.
 * Nothing for a run without a directory of its own. Errors: XL_EDISK, XL_ENOMEM */
enum xl_status xl_output_page_begin(const struct xl_writer_params *params,
                                    struct xl_err *err) XL_CHECKED;
enum xl_status xl_output_page_end(const struct xl_writer_params *params, enum xl_status how,
                                  const char *message, struct xl_err *err) XL_CHECKED;

/* --- What output.c writes of a group beside its pictures (output_log.c, output_page.c) -----------
 */

/* Log some cells of a group, which holds cells of a job side by side: a line for each job. Of a
 * shared run only what is ours, and said so to the others job by job. drawn: NULL for pictures that
 * were found. Errors: XL_EDISK, XL_ENOMEM */
enum xl_status xl_output_log(const struct xl_writer_params *params, const int *cells, int n,
                             const struct xl_drawn *drawn, struct xl_err *err) XL_CHECKED;

/* Say to those who share the run what became of cells. Errors: XL_EDISK */
enum xl_status xl_output_settle(const struct xl_writer_params *params, const int *cells, int n,
                                struct xl_err *err) XL_CHECKED;

/* Bring some cells of the page up to date; nothing for a run without a directory of its own, and
 * for a shared one, whose page waits until it is collected. Errors: XL_EDISK, XL_ENOMEM */
enum xl_status xl_output_page_update(const struct xl_writer_params *params, const int *cells, int n,
                                     struct xl_err *err) XL_CHECKED;

#endif
