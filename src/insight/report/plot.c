/* plot.c - intervals as drawings. Widths are in percent, so that a drawing is as wide as there is
 * room. */
#include "insight/report/plot.h"

#include <math.h>

static double at(const json_t *array, size_t i) {
    return json_number_value(json_array_get(array, i));
}

/* Wide enough for every rate and the average, and for intervals unless they are much wider: one
 * that says nothing would make all others small. */
struct xl_plot_scale xl_plot_scale_of(const json_t *document, const json_t *rows) {
    const json_t *average = json_object_get(document, "rate"), *row;
    struct xl_plot_scale scale = {0, json_is_number(average) ? json_number_value(average) : NAN};
    double widest = 0;
    size_t i;
    if (isfinite(scale.average)) scale.most = scale.average * 1.5;
    json_array_foreach(rows, i, row) {
        const json_t *rate = json_object_get(row, "rate");
        if (json_is_number(rate)) scale.most = fmax(scale.most, json_number_value(rate) * 1.1);
        widest = fmax(widest, at(json_object_get(row, "interval"), 1));
    }
    scale.most = fmin(fmax(scale.most, fmin(widest * 1.02, scale.most * 1.8)), 1);
    if (scale.most <= 0) scale.most = 1;
    return scale;
}

void xl_plot_scale_add(struct xl_plot_scale *scale, const json_t *row) {
    scale->most = fmin(fmax(scale->most, at(json_object_get(row, "interval"), 1) * 1.02), 1);
}

static double percent(const struct xl_plot_scale *scale, double rate) {
    return fmin(fmax(rate / scale->most, 0), 1) * 100;
}

void xl_plot_interval(struct xl_str *out, const struct xl_plot_scale *scale, const json_t *row,
                      const char *verdict) {
    const json_t *interval = json_object_get(row, "interval"), *rate = json_object_get(row, "rate");
    xl_str_printf(out,
                  "<svg class=\"%s\" role=\"img\" aria-label=\"%.2f to %.2f percent\">"
                  "<line class=\"axis\" x1=\"0\" x2=\"100%%\" y1=\"9\" y2=\"9\"/>",
                  verdict, at(interval, 0) * 100, at(interval, 1) * 100);
    if (isfinite(scale->average))
        xl_str_printf(out,
                      "<line class=\"average\" x1=\"%.2f%%\" x2=\"%.2f%%\" y1=\"1\" y2=\"17\"/>",
                      percent(scale, scale->average), percent(scale, scale->average));
    xl_str_printf(out, "<line class=\"range\" x1=\"%.2f%%\" x2=\"%.2f%%\" y1=\"9\" y2=\"9\"/>",
                  percent(scale, at(interval, 0)), percent(scale, at(interval, 1)));
    if (json_is_number(rate))
        xl_str_printf(out, "<circle class=\"dot\" cx=\"%.2f%%\" cy=\"9\" r=\"4\"/>",
                      percent(scale, json_number_value(rate)));
    xl_str_puts(out, "</svg>");
}
