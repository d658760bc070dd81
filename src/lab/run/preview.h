/* preview.h - what a picture is going to look like, from its latents: colours are a linear map of
 * the channels, one pixel for each place of the latents.
 *
 * The map is fitted by least squares to each picture that was drawn (its last latents, and the
 * picture shrunk to their size), for each model on its own; before the first one it is that of
 * SDXL's own VAE. Latents of early steps are mostly noise, of a larger spread than the last ones
 * have: they are scaled down to it. Not thread-safe.
 */
#ifndef XL_LAB_PREVIEW_H
#define XL_LAB_PREVIEW_H

#include "base/sha256.h"
#include "base/status.h"

enum { XL_PREVIEW_CHANNELS = 4, XL_PREVIEW_MAPS = 8 };

/* Sums over pixels x (channels and 1) and colours y, the newest picture counting most. */
struct xl_preview_map {
    char digest[XL_SHA256_HEX]; /* of the model */
    double xx[XL_PREVIEW_CHANNELS + 1][XL_PREVIEW_CHANNELS + 1], xy[XL_PREVIEW_CHANNELS + 1][3];
    double weights[XL_PREVIEW_CHANNELS + 1]
                  [3]; /* colours, 0 to 255, of a channel, and a constant */
    double spread;     /* of last latents */
};

struct xl_preview_maps {
    struct xl_preview_map maps[XL_PREVIEW_MAPS]; /* the one that was used last comes first */
    int n;
};

/* The map of a model; the pointer is good until the next call. */
struct xl_preview_map *xl_preview_find(struct xl_preview_maps *maps, const char *digest);

/* Draw latents [height, width, 4]. Errors: XL_ENOMEM */
enum xl_status xl_preview_draw(const struct xl_preview_map *map, const float *latents, int width,
                               int height, struct xl_image *out, struct xl_err *err) XL_CHECKED;

/* Learn from a picture and its last latents [height, width, 4]; sides of the picture are whole
 * multiples of theirs, or nothing is learnt. */
void xl_preview_learn(struct xl_preview_map *map, const float *latents, int width, int height,
                      const struct xl_image *picture);

#endif
