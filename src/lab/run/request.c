/* request.c - from cells to what the engine is asked. */
#include "lab/run/request.h"

#include "base/json.h"

struct xl_request xl_cells_request(const struct xl_sweep *sweep, const int *list, int n,
                                   const struct xl_rung *rung, struct xl_picture *pictures) {
    struct xl_request request;
    for (int i = n - 1; i >= 0; i--) /* the first one's stays: they share the rest */
        xl_cell_request(&sweep->cells[list[i]], &request, &pictures[i]);
    request.n_pictures = n;
    request.width = rung->width;
    request.height = rung->height;
    request.vae_tile = rung->vae_tile;
    return request;
}

char *xl_cell_extra(const struct xl_sweep *sweep, const struct xl_cell *cell,
                    const char *fallback) {
    json_t *object = json_object();
    bool ok = object != NULL;
    xl_json_put(object, "cell", json_string(cell->id), &ok);
    xl_json_put(object, "model_key", xl_json_text(sweep->models[cell->model].key), &ok);
    xl_json_put(object, "profile", xl_json_text(cell->profile), &ok);
    xl_json_put(object, "asked_prompt", xl_json_text(cell->prompt), &ok);
    xl_json_put(object, "asked_negative", xl_json_text(cell->negative), &ok);
    xl_json_put(object, "requested_width", json_integer(cell->width), &ok);
    xl_json_put(object, "requested_height", json_integer(cell->height), &ok);
    xl_json_put(object, "requested_scheduler", xl_json_text(cell->scheduler), &ok);
    if (fallback[0]) xl_json_put(object, "fallback", xl_json_text(fallback), &ok);
    if (cell->init_image) {
        xl_json_put(object, "init_image", xl_json_text(cell->init_image), &ok);
        xl_json_put(object, "init_digest", xl_json_text(cell->init_digest), &ok);
    }
    object = xl_json_finish(object, ok);
    char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
    json_decref(object);
    return text;
}

double xl_need_flops(const struct xl_need *need, const struct xl_rung *rung, int n) {
    double decode = rung->vae_tile ? need->tiled_decode_flops : need->decode_flops;
    return need->n_evaluations * need->step_flops + n * decode + need->init_flops;
}
