/* writer.h - the thread that puts what was drawn on disk while the next pictures are drawn: PNG,
 * job log line, the run's page, and a contact sheet when a model is through.
 *
 * The runner puts groups in, the writer takes them out in order. A picture is on the disk before
 * its log line is written. When the disk refuses, the writer stops writing: xl_writer_status tells,
 * and what was not written stays to be made.
 */
#ifndef XL_LAB_WRITER_H
#define XL_LAB_WRITER_H

#include "lab/log/job_log.h"
#include "lab/run/run_dir.h"

/* A group of cells that was drawn, or failed, together. */
struct xl_drawn {
    int n;
    int cells[XL_LIST_MAX];  /* indices into the sweep */
    enum xl_status status;   /* XL_OK: result has n pictures */
    char *error;             /* malloc'd sentence; NULL when XL_OK */
    struct xl_result result; /* the writer frees it */
    int width, height, vae_tile;
    char *fallback; /* malloc'd: what was given up for memory; NULL: nothing */
    double total_s, tflop;
};

struct xl_writer_params {
    const struct xl_settings *settings;
    const struct xl_sweep *sweep;
    struct xl_run_dir *run; /* its outcomes belong to the writer until xl_writer_finish */
    struct xl_job_log *log;
};

struct xl_writer; /* opaque */

/* Start the thread. Errors: XL_ENOMEM */
enum xl_status xl_writer_new(const struct xl_writer_params *params, struct xl_writer **out,
                             struct xl_err *err) XL_CHECKED;

/* Hand over a group; waits while two are on their way. drawn is emptied. */
void xl_writer_put(struct xl_writer *writer, struct xl_drawn *drawn);

/* No more cells of this model will come: its contact sheet is made. */
void xl_writer_end_model(struct xl_writer *writer, int model);

/* Whether the writer had to stop. Any thread. */
enum xl_status xl_writer_status(struct xl_writer *writer);

/* Write all that is on its way, end the thread and free the writer. Errors: the first failure of
 * writing: XL_EDISK, XL_ENOMEM */
enum xl_status xl_writer_finish(struct xl_writer *writer, struct xl_err *err);

void xl_drawn_deinit(struct xl_drawn *drawn);

#endif
