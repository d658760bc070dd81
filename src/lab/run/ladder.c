/* ladder.c - the rungs of the out-of-memory ladder. */
#include "lab/run/ladder.h"

#include <stdio.h>
#include <string.h>

enum { LEAST_SIDE = 256, TILE = 512, LEAST_TILE_UNITS = 8 };

void xl_ladder_init(struct xl_ladder *ladder, struct xl_rung asked, int unit) {
    *ladder = (struct xl_ladder){.asked = asked, .now = asked, .unit = unit};
}

static int larger(int a, int b) {
    return a > b ? a : b;
}
static int smaller(int a, int b) {
    return a < b ? a : b;
}

/* The tile for pictures of this size: 512, or half of a smaller picture; 0 where it saves nothing.
 */
static int tile_for(const struct xl_ladder *ladder) {
    int side = larger(ladder->now.width, ladder->now.height);
    int tile = side > TILE ? TILE : side / 2 / ladder->unit * ladder->unit;
    return tile >= LEAST_TILE_UNITS * ladder->unit && tile < side ? tile : 0;
}

static bool lower_tiles(struct xl_ladder *ladder) {
    int tile = ladder->now.vae_tile ? 0 : tile_for(ladder);
    if (tile) ladder->now.vae_tile = tile;
    return tile > 0;
}

static bool lower_group(struct xl_ladder *ladder) {
    if (ladder->now.group <= 1) return false;
    ladder->now.group = (ladder->now.group + 1) / 2;
    return true;
}

/* A side at `num` / `den` of what was asked. Sides below the floor stay as they are. */
static int cut_side(const struct xl_ladder *ladder, int side, int num, int den) {
    int cut = (int)((long long)side * num / den / ladder->unit * ladder->unit);
    return smaller(side,
                   larger(cut, (LEAST_SIDE + ladder->unit - 1) / ladder->unit * ladder->unit));
}

static bool lower_size(struct xl_ladder *ladder) {
    static const int part[][2] = {{1, 1}, {3, 4}, {2, 3}};
    enum { N_PARTS = sizeof part / sizeof *part };
    for (int cut = ladder->n_cuts + 1; cut < N_PARTS; cut++) {
        int width = cut_side(ladder, ladder->asked.width, part[cut][0], part[cut][1]);
        int height = cut_side(ladder, ladder->asked.height, part[cut][0], part[cut][1]);
        if (width == ladder->now.width && height == ladder->now.height) continue;
        ladder->n_cuts = cut;
        ladder->now.width = width;
        ladder->now.height = height;
        return true;
    }
    return false;
}

bool xl_ladder_lower(struct xl_ladder *ladder) {
    return lower_tiles(ladder) || lower_group(ladder) || lower_size(ladder);
}

void xl_ladder_describe(const struct xl_ladder *ladder, char out[XL_LADDER_TEXT]) {
    const struct xl_rung *asked = &ladder->asked, *now = &ladder->now;
    char tiles[48] = "", group[40] = "", size[64] = "";
    if (now->vae_tile != asked->vae_tile)
        snprintf(tiles, sizeof tiles, "VAE in tiles of %d", now->vae_tile);
    if (now->group != asked->group)
        snprintf(group, sizeof group, "%d instead of %d together", now->group, asked->group);
    if (now->width != asked->width || now->height != asked->height)
        snprintf(size, sizeof size, "%dx%d instead of %dx%d", now->width, now->height, asked->width,
                 asked->height);
    snprintf(out, XL_LADDER_TEXT, "%s%s%s%s%s", tiles, tiles[0] && group[0] ? ", " : "", group,
             (tiles[0] || group[0]) && size[0] ? ", " : "", size);
}

void xl_rung_describe(const struct xl_rung *rung, char out[XL_LADDER_TEXT]) {
    char group[32] = "", tile[40] = "";
    if (rung->group > 1) snprintf(group, sizeof group, ", %d together", rung->group);
    if (rung->vae_tile) snprintf(tile, sizeof tile, ", VAE in tiles of %d", rung->vae_tile);
    snprintf(out, XL_LADDER_TEXT, "%dx%d%s%s", rung->width, rung->height, group, tile);
}
