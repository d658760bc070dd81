/* request.h - cells as a request to the engine. */
#ifndef XL_LAB_REQUEST_H
#define XL_LAB_REQUEST_H

#include "lab/run/ladder.h"
#include "lab/run/sweep.h"

/* The request of cells list[0..n) at a rung; pictures: [n], filled in. Strings are borrowed. The
 * init image is the caller's to add. */
struct xl_request xl_cells_request(const struct xl_sweep *sweep, const int *list, int n,
                                   const struct xl_rung *rung, struct xl_picture *pictures);

/* Operations of drawing n pictures of a request whose batch was n, at a rung. */
double xl_need_flops(const struct xl_need *need, const struct xl_rung *rung, int n);

#endif
