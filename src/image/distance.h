/* distance.h - how far one picture is from another, in three measures that need no weights.
 *
 * All look at luma, 0.299 R + 0.587 G + 0.114 B in 0..255, but PSNR, which takes the three
 * channels. Exact on equal pictures: PSNR infinite, SSIM 1, GMSD 0. Symmetric, and the same on
 * every machine to 9 digits.
 */
#ifndef XL_IMAGE_DISTANCE_H
#define XL_IMAGE_DISTANCE_H

#include "base/status.h"

struct xl_distance {
    double psnr; /* dB; infinity for equal pictures */
    double ssim; /* -1..1, 1 for equal pictures */
    double gmsd; /* 0 for equal pictures; about 0.1 is plain to see, 0.3 another picture */
};

/* psnr: of the squared errors of all bytes.
 * ssim: mean structural similarity, Wang et al. 2004: Gaussian window of 11x11, sigma 1.5, K 0.01
 * and 0.03, over the pixels whose window lies inside the picture. Of a side shorter than the window
 * every pixel counts, mirrored at its edges. gmsd: gradient magnitude similarity deviation, Xue et
 * al. 2014: of the picture at half its size, Prewitt's gradients, c = 170; the standard deviation
 * of their similarity. 0 where half the size is one pixel. Takes some 0.1 s for 1024x1024; memory
 * of two rows and of four half-size planes. Errors: XL_EINVAL another size ("768x768 and 1024x1024
 * cannot be compared..."); XL_ENOMEM */
enum xl_status xl_image_distance(const struct xl_image *a, const struct xl_image *b,
                                 struct xl_distance *out, struct xl_err *err) XL_CHECKED;

/* |a - b| of every byte, `gain` times and at most 255: what the eye does not find. Of equal sizes.
 * Errors: XL_EINVAL another size; XL_ENOMEM */
enum xl_status xl_image_difference(const struct xl_image *a, const struct xl_image *b, int gain,
                                   struct xl_image *out, struct xl_err *err) XL_CHECKED;

#endif
