/* prepare.c - a model made ready on the device while another one draws: the public
 * xl_model_prepare. */
#include "engine/engine.h"

/* The parts that a drawing runs, as far as there is room. */
static enum xl_status prepare(struct xl_drawing *drawing, bool *is_ready, struct xl_err *err) {
    enum xl_status status = XL_OK;
    *is_ready = true;
    for (enum xl_part part = 0; !status && *is_ready && part < XL_N_PARTS; part++) {
        struct xl_part_key key = xl_drawing_part(drawing, part);
        if (part == XL_PART_VAE_ENCODER && !drawing->request->init) continue;
        if (part == XL_PART_VAE_DECODER && !xl_drawing_is_whole(drawing)) continue;
        if (!xl_drawing_progress(drawing, XL_PHASE_LOAD, -1, -1))
            return xl_fail(err, XL_ECANCELLED, "interrupted while loading");
        status = xl_stage_try(drawing, &key, is_ready, err);
    }
    return status;
}

enum xl_status xl_model_prepare(struct xl_device *device, struct xl_model *model,
                                const struct xl_request *request, bool *is_ready,
                                struct xl_err *err) {
    *is_ready = false;
    if (!device->prepares) return XL_OK;
    struct xl_drawing drawing;
    enum xl_status status = xl_drawing_init_ahead(device, model, request, &drawing, err);
    if (!status && drawing.resident) status = prepare(&drawing, is_ready, err);
    if (status) *is_ready = false;
    if (drawing.resident) xl_device_end_ahead(device);
    xl_drawing_deinit(&drawing);
    return status;
}
