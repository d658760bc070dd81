/* ladder.h - what to give up, in which order, when memory is short: first memory that costs nothing
 * to see (the VAE in tiles), then pictures drawn together, then size. A ladder ends: it has three
 * sizes at most, and none below 256 pixels a side.
 */
#ifndef XL_LAB_LADDER_H
#define XL_LAB_LADDER_H

#include "base/status.h"

/* How a group of pictures is drawn. */
struct xl_rung {
    int vae_tile; /* pixels; 0: whole */
    int group;    /* pictures drawn together */
    int width, height;
};

struct xl_ladder {
    struct xl_rung asked, now;
    int unit;   /* sides are multiples of this */
    int n_cuts; /* of the size: 0 whole, 1 three quarters, 2 two thirds */
};

void xl_ladder_init(struct xl_ladder *ladder, struct xl_rung asked, int unit);

/* Go down one rung: tiles, half the group (down to one picture), 75 % of the size, two thirds of
 * it (768 x 768: 576, 512). Returns false, and changes nothing, when there is none left. */
bool xl_ladder_lower(struct xl_ladder *ladder);

/* What was given up against `asked`, "VAE in tiles of 512, 1 instead of 2 together, 576x576 instead
 * of 768x768", or "" for nothing. */
enum { XL_LADDER_TEXT = 160 };
void xl_ladder_describe(const struct xl_ladder *ladder, char out[XL_LADDER_TEXT]);

/* "1024x1024, 4 together, VAE in tiles of 512" */
void xl_rung_describe(const struct xl_rung *rung, char out[XL_LADDER_TEXT]);

#endif
