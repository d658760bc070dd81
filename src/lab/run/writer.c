/* writer.c - the writer's thread. What is written is in output.c. */
#include "lab/run/writer.h"

#include "base/handover.h"

#include <stdlib.h>

/* Of a painter, drawn and not written: a device is not to wait for a contact sheet. */
enum { MOST_PICTURES = 16 };

struct xl_writer {
    struct xl_writer_params params;
    struct xl_handover *handover;
    enum xl_status status; /* the first failure; the thread's until it ended */
    struct xl_err err;
};

/* Whether nothing waits of a model and its variants. */
static bool is_through(const struct xl_writer_params *params, int base) {
    const struct xl_sweep *sweep = params->sweep;
    for (int c = 0; c < sweep->n_cells; c++)
        if (sweep->models[sweep->cells[c].model].base == base &&
            params->run->outcomes[c].state == XL_CELL_WAITING)
            return false;
    return true;
}

/* What becomes of a group is known: its model may be through. */
static enum xl_status write_group(struct xl_writer *writer, struct xl_drawn *drawn,
                                  struct xl_err *err) {
    const struct xl_writer_params *params = &writer->params;
    int model = params->sweep->cells[drawn->group.cells[0]].model, n_settled = 0;
    enum xl_status status = xl_output_group(params, drawn, &n_settled, err);
    int base = params->sweep->models[model].base;
    bool is_last = !status && xl_work_settle(params->work, drawn->who, model, n_settled) &&
                   !params->claims && is_through(params, base);
    if (is_last && !params->has_no_sheets) status = xl_output_sheet(params, base, err);
    return status;
}

static void handle(void *user, void *item) {
    struct xl_writer *writer = user;
    struct xl_err err = {0};
    if (!writer->status) { /* the disk refused otherwise: nothing more is tried */
        enum xl_status status = write_group(writer, item, &err);
        if (status) {
            writer->status = status;
            writer->err = err;
            xl_work_stop(writer->params.work, XL_OK, ""); /* its own sentence comes at the end */
        }
    }
    xl_drawn_free(item);
}

enum xl_status xl_writer_new(const struct xl_writer_params *params, struct xl_writer **out,
                             struct xl_err *err) {
    struct xl_writer *writer = calloc(1, sizeof *writer);
    if (!writer) return xl_fail_nomem(err, "the writer", sizeof *writer);
    writer->params = *params;
    enum xl_status status =
        xl_handover_new(MOST_PICTURES * params->n_painters, handle, writer, &writer->handover, err);
    if (status)
        free(writer);
    else
        *out = writer;
    return status;
}

void xl_writer_put(struct xl_writer *writer, struct xl_drawn *drawn) {
    xl_handover_put(writer->handover, drawn, drawn->group.n);
}

enum xl_status xl_writer_finish(struct xl_writer *writer, struct xl_err *err) {
    if (!writer) return XL_OK;
    xl_handover_finish(writer->handover);
    enum xl_status status = writer->status;
    if (status) xl_fail(err, status, "%s", writer->err.text);
    free(writer);
    return status;
}
