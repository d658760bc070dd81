/* preview.c - sums of a least-squares fit, its solution, and its use. */
#include "lab/run/preview.h"

#include "image/image.h"

#include <math.h>
#include <string.h>

enum { CHANNELS = XL_PREVIEW_CHANNELS, TERMS = CHANNELS + 1 };

/* Sums of the pictures before count half as much with each new one. */
static const double FADE = 0.5;

/* For each channel the red, green and blue that a unit of it adds, -1 to 1: a linear fit to SDXL's
 * own VAE that is widely used for such previews. */
static const double SDXL[CHANNELS][3] = {{0.3920, 0.4054, 0.4549},
                                         {-0.2634, -0.0196, 0.0653},
                                         {0.0568, 0.1687, -0.0755},
                                         {-0.3112, -0.2359, -0.2076}};

static void set_default(struct xl_preview_map *map, const char *digest) {
    memset(map, 0, sizeof *map);
    memcpy(map->digest, digest, strnlen(digest, sizeof map->digest - 1));
    for (int k = 0; k < 3; k++) {
        for (int c = 0; c < CHANNELS; c++) map->weights[c][k] = SDXL[c][k] * 127.5;
        map->weights[CHANNELS][k] = 127.5;
    }
    map->spread = 1;
}

struct xl_preview_map *xl_preview_find(struct xl_preview_maps *maps, const char *digest) {
    struct xl_preview_map found;
    int i = 0;
    while (i < maps->n && strcmp(maps->maps[i].digest, digest) != 0) i++;
    if (i < maps->n) {
        found = maps->maps[i];
    } else {
        set_default(&found, digest);
        if (maps->n < XL_PREVIEW_MAPS) maps->n++;
        i = maps->n - 1;
    }
    memmove(maps->maps + 1, maps->maps, (size_t)i * sizeof *maps->maps);
    maps->maps[0] = found;
    return &maps->maps[0];
}

/* --- Drawing ---------------------------------------------------------------------------------- */

/* How far values lie from zero, as a root of the mean square. */
static double spread_of(const float *latents, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += (double)latents[i] * latents[i];
    return n ? sqrt(sum / (double)n) : 0;
}

static uint8_t to_byte(double value) {
    return value > 255 ? 255 : value > 0 ? (uint8_t)(value + 0.5) : 0; /* not a number: 0 */
}

enum xl_status xl_preview_draw(const struct xl_preview_map *map, const float *latents, int width,
                               int height, struct xl_image *out, struct xl_err *err) {
    size_t n = (size_t)width * (size_t)height;
    double spread = spread_of(latents, n * CHANNELS);
    double scale = spread > map->spread ? map->spread / spread : 1;
    enum xl_status status = xl_image_new(width, height, out, err);
    for (size_t i = 0; !status && i < n; i++)
        for (int k = 0; k < 3; k++) {
            double value = map->weights[CHANNELS][k];
            for (int c = 0; c < CHANNELS; c++)
                value += map->weights[c][k] * scale * latents[i * CHANNELS + (size_t)c];
            out->pixels[i * 3 + (size_t)k] = to_byte(value);
        }
    return status;
}

/* --- Learning --------------------------------------------------------------------------------- */

/* The mean colour of the pixels of a picture that one place of the latents stands for. */
static void mean_colour(const struct xl_image *picture, int x, int y, int side, double out[3]) {
    out[0] = out[1] = out[2] = 0;
    for (int row = y * side; row < (y + 1) * side; row++) {
        const uint8_t *pixel = picture->pixels +
                               ((size_t)row * (size_t)picture->width + (size_t)(x * side)) * 3;
        for (int i = 0; i < side; i++, pixel += 3)
            for (int k = 0; k < 3; k++) out[k] += pixel[k];
    }
    for (int k = 0; k < 3; k++) out[k] /= (double)side * side;
}

static void add(struct xl_preview_map *map, const float *latent, const double colour[3]) {
    double x[TERMS] = {[CHANNELS] = 1};
    for (int c = 0; c < CHANNELS; c++) x[c] = latent[c];
    for (int a = 0; a < TERMS; a++) {
        for (int b = 0; b < TERMS; b++) map->xx[a][b] += x[a] * x[b];
        for (int k = 0; k < 3; k++) map->xy[a][k] += x[a] * colour[k];
    }
}

/* Solve xx weights = xy by elimination. The matrix is positive definite but for channels that
 * hardly vary, which a little on its diagonal keeps small. false: it is not */
static bool solve(const struct xl_preview_map *map, double weights[TERMS][3]) {
    double a[TERMS][TERMS + 3];
    for (int i = 0; i < TERMS; i++) {
        for (int j = 0; j < TERMS; j++) a[i][j] = map->xx[i][j];
        for (int k = 0; k < 3; k++) a[i][TERMS + k] = map->xy[i][k];
        a[i][i] += 1e-6 * map->xx[CHANNELS][CHANNELS];
    }
    for (int i = 0; i < TERMS; i++) {
        if (!(a[i][i] > 0)) return false;
        for (int row = 0; row < TERMS; row++) {
            double factor = a[row][i] / a[i][i];
            for (int j = i; row != i && j < TERMS + 3; j++) a[row][j] -= factor * a[i][j];
        }
    }
    for (int i = 0; i < TERMS; i++)
        for (int k = 0; k < 3; k++) weights[i][k] = a[i][TERMS + k] / a[i][i];
    return true;
}

void xl_preview_learn(struct xl_preview_map *map, const float *latents, int width, int height,
                      const struct xl_image *picture) {
    size_t n = (size_t)width * (size_t)height;
    int side = width ? picture->width / width : 0;
    double spread = spread_of(latents, n * CHANNELS), weights[TERMS][3];
    if (side < 1 || picture->width != side * width || picture->height != side * height) return;
    if (!isfinite(spread) || spread <= 0) return;
    for (int a = 0; a < TERMS; a++) {
        for (int b = 0; b < TERMS; b++) map->xx[a][b] *= FADE;
        for (int k = 0; k < 3; k++) map->xy[a][k] *= FADE;
    }
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            double colour[3];
            mean_colour(picture, x, y, side, colour);
            add(map, latents + ((size_t)y * (size_t)width + (size_t)x) * CHANNELS, colour);
        }
    if (!solve(map, weights)) return;
    memcpy(map->weights, weights, sizeof weights);
    map->spread = spread;
}
