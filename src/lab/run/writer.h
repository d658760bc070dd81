/* writer.h - the thread that puts what was drawn on disk while the next pictures are drawn: PNG,
 * job log line, the run's page, and a contact sheet when a model is through.
 *
 * Easels put groups in, the writer takes them out in order. A picture is on the disk before its log
 * line is written. When the disk refuses, the writer stops the run: what was not written stays to
 * be made.
 */
#ifndef XL_LAB_WRITER_H
#define XL_LAB_WRITER_H

#include "lab/run/output.h"

struct xl_writer; /* opaque */

/* Start the thread. Errors: XL_ENOMEM */
enum xl_status xl_writer_new(const struct xl_writer_params *params, struct xl_writer **out,
                             struct xl_err *err) XL_CHECKED;

/* Hand over a group, which the writer frees; waits while enough are on their way. Any thread. */
void xl_writer_put(struct xl_writer *writer, struct xl_drawn *drawn);

/* Write all that is on its way, end the thread and free the writer. NULL is fine. Errors: the first
 * failure of writing: XL_EDISK, XL_ENOMEM */
enum xl_status xl_writer_finish(struct xl_writer *writer, struct xl_err *err);

#endif
