/* plot.h - a rate and its interval as a line with a dot, in SVG. */
#ifndef XL_INSIGHT_REPORT_PLOT_H
#define XL_INSIGHT_REPORT_PLOT_H

#include "base/str.h"

#include <jansson.h>

/* What the plots of a table share: from 0 to `most`, with a mark at the average. */
struct xl_plot_scale {
    double most, average; /* average NAN: no mark */
};
struct xl_plot_scale xl_plot_scale_of(const json_t *document, const json_t *rows);
/* Make it wide enough for the whole interval of one more. */
void xl_plot_scale_add(struct xl_plot_scale *scale, const json_t *row);

/* row: with "rate" and "interval". verdict: the class of its colours. */
void xl_plot_interval(struct xl_str *out, const struct xl_plot_scale *scale, const json_t *row,
                      const char *verdict);

#endif
