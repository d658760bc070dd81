/* tap_maps.h - linear maps of the nine taps of a 3x3 kernel, applied to weights while they are
 * packed: for products that need other taps, or several sets of them. */
#ifndef XL_BACKEND_CPU_TAP_MAPS_H
#define XL_BACKEND_CPU_TAP_MAPS_H

enum xl_tap_map {
    XL_TAPS_AS_THEY_ARE,
    /* The quarters of an enlarged picture (product.c) as 2x2 kernels: even rows and even columns,
     * even and odd, odd and even, odd and odd. */
    XL_TAPS_QUARTER,
    XL_TAPS_QUARTER_LAST = XL_TAPS_QUARTER + 3,
    XL_TAPS_WINOGRAD,        /* 16 sets of one tap */
    XL_TAPS_WINOGRAD_SPARSE, /* the nine that count in an enlarged picture */
};

/* [rows, 9]; NULL for XL_TAPS_AS_THEY_ARE */
const float *xl_tap_map(enum xl_tap_map map);
/* Products that the mapped weights are for: each takes rows / sets taps. */
int xl_tap_map_sets(enum xl_tap_map map);

#endif
