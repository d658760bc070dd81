/* request.c - from cells to what the engine is asked. */
#include "lab/run/request.h"

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

double xl_need_flops(const struct xl_need *need, const struct xl_rung *rung, int n) {
    double decode = rung->vae_tile ? need->tiled_decode_flops : need->decode_flops;
    return need->n_evaluations * need->step_flops + n * decode + need->init_flops;
}
