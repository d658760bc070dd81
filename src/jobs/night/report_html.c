/* report_html.c - a night's report as a page that needs nothing beside itself: style and thumbnails
 * are in it. It looks as the page of a run does (web/run/). No script.
 */
#include "jobs/night/report.h"

#include "base/base64.h"
#include "base/path.h"
#include "image/image.h"
#include "jobs/night/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const char xl_night_report_css[]; /* web/night/report.css */

enum { MOST_THUMBNAILS = 240, THUMBNAIL = 300, QUALITY = 78 };

/* --- Text ------------------------------------------------------------------------------------- */

static void put_escaped(struct xl_str *out, const char *text) {
    struct xl_str clean = {0};
    xl_str_append_utf8(&clean, text, strlen(text));
    for (const char *c = clean.text; c && *c; c++) {
        if (*c == '&')
            xl_str_puts(out, "&amp;");
        else if (*c == '<')
            xl_str_puts(out, "&lt;");
        else if (*c == '>')
            xl_str_puts(out, "&gt;");
        else if (*c == '"')
            xl_str_puts(out, "&quot;");
        else
            xl_str_append(out, c, 1);
    }
    out->failed |= clean.failed;
    xl_str_deinit(&clean);
}

/* A sentence for a page that others may get: without places that say whose they are. */
static void put_told(struct xl_str *out, const char *sentence) {
    char *text = xl_path_tell(sentence);
    put_escaped(out, text ? text : "");
    if (!text) out->failed = true;
    free(text);
}

/* A path below the folder as a link. */
static void put_link(struct xl_str *out, const struct xl_night_report *report, const char *path) {
    static const char PLAIN[] = "-_.~/";
    size_t n = strlen(report->dir);
    const char *rest = !strncmp(path, report->dir, n) && path[n] == '/' ? path + n + 1 : path;
    for (const unsigned char *c = (const unsigned char *)rest; *c; c++) {
        bool is_plain = (*c >= '0' && *c <= '9') || (*c >= 'a' && *c <= 'z') ||
                        (*c >= 'A' && *c <= 'Z') || strchr(PLAIN, *c);
        xl_str_printf(out, is_plain ? "%c" : "%%%02X", *c);
    }
}

static void put_clock(struct xl_str *out, time_t when, const char *format) {
    char text[40] = "";
    struct tm tm;
    if (localtime_r(&when, &tm)) strftime(text, sizeof text, format, &tm);
    put_escaped(out, text);
}

/* --- Parts ------------------------------------------------------------------------------------ */

static void put_tile(struct xl_str *out, const char *number, const char *what, bool is_bad) {
    xl_str_printf(out, "<div class=\"tile%s\"><b>", is_bad ? " bad" : "");
    put_escaped(out, number);
    xl_str_puts(out, "</b><span>");
    put_escaped(out, what);
    xl_str_puts(out, "</span></div>\n");
}

static void put_head(struct xl_str *out, const struct xl_night_report *report) {
    const char *slash = strrchr(report->dir, '/'), *state = xl_night_report_state(report);
    const char *why = report->state.why;
    xl_str_puts(out, "<header><div class=\"headline\"><h1>");
    if (report->first) {
        xl_str_puts(out, "The night of ");
        put_clock(out, report->first, "%-d %B %Y");
    } else {
        put_escaped(out, slash ? slash + 1 : report->dir);
    }
    bool is_bad = !strcmp(state, "killed") || !strcmp(state, "given up");
    xl_str_printf(out, "</h1><span class=\"pill%s\">%s</span></div>\n<p class=\"soft\">",
                  is_bad ? " bad" : "", state);
    if (report->first) {
        put_clock(out, report->first, "%H:%M");
        xl_str_puts(out, " to ");
        put_clock(out, report->last, "%H:%M");
        xl_str_puts(out, why ? "; " : "");
    }
    if (why) put_told(out, why);
    xl_str_puts(out, "</p></header>\n");
}

static void put_tiles(struct xl_str *out, const struct xl_night_report *report) {
    const struct xl_night_state *state = &report->state;
    char text[64], span[XL_SPAN_TEXT];
    xl_str_puts(out, "<section class=\"tiles\">\n");
    snprintf(text, sizeof text, "%d", report->n);
    put_tile(out, text, xl_plural(report->n, "picture", "pictures"), false);
    snprintf(text, sizeof text, "%d", report->n_failed);
    put_tile(out, text, "failed for good", report->n_failed > 0);
    put_tile(out, xl_span_text(state->elapsed_s, span), "at work", false);
    snprintf(text, sizeof text, "%.0f", xl_night_report_rate(report));
    put_tile(out, text, "pictures an hour", false);
    if (report->energy_j > 0)
        put_tile(out, xl_energy_text(report->energy_j, text), "taken by the GPUs", false);
    put_tile(out, xl_size_text(state->bytes, text), "on the disk", false);
    xl_str_puts(out, "</section>\n");
}

/* Pictures over the night, a bar for each piece of time. */
static void put_bars(struct xl_str *out, const struct xl_night_report *report) {
    char span[XL_SPAN_TEXT];
    int most = 1;
    if (report->n_bars < 2) return;
    for (int i = 0; i < report->n_bars; i++)
        if (report->bars[i] > most) most = report->bars[i];
    xl_str_printf(out,
                  "<section><h2>Through the night</h2><p class=\"soft\">Pictures in each %s</p>\n",
                  xl_span_text(report->bar_s, span));
    xl_str_puts(out, "<div class=\"bars\">");
    for (int i = 0; i < report->n_bars; i++) {
        xl_str_printf(out, "<i style=\"height:%.1f%%\" title=\"", 100.0 * report->bars[i] / most);
        put_clock(out, report->bars_from + (time_t)i * report->bar_s, "%H:%M:%S");
        xl_str_printf(out, ": %d\"></i>", report->bars[i]);
    }
    xl_str_puts(out, "</div><div class=\"ends\"><span>");
    put_clock(out, report->bars_from, "%H:%M");
    xl_str_printf(out, "</span><span>%d at most</span><span>", most);
    put_clock(out, report->last, "%H:%M");
    xl_str_puts(out, "</span></div></section>\n");
}

/* A GPU by its name and the beginning of its UUID, a worker of the CPU by its label. */
static void put_who(struct xl_str *out, const char *name, const char *label) {
    bool is_gpu = !strncmp(label, "GPU-", 4);
    put_escaped(out, name[0] ? name : is_gpu ? "GPU" : label);
    if (name[0] || is_gpu) {
        char id[16];
        snprintf(id, sizeof id, "%.12s", label);
        xl_str_puts(out, " <small>");
        put_escaped(out, id);
        xl_str_puts(out, "</small>");
    } else if (!label[0]) {
        xl_str_puts(out, "found on the disk");
    }
}

static void put_worker(struct xl_str *out, const struct xl_night_worker *worker, int most) {
    char energy[XL_ENERGY_TEXT];
    xl_str_puts(out, "<tr><th>");
    put_who(out, worker->name, worker->label);
    xl_str_printf(out, "</th><td class=\"share\"><i style=\"width:%.1f%%\"></i></td><td>%d</td>",
                  100.0 * worker->n / most, worker->n);
    if (worker->seconds > 0)
        xl_str_printf(out, "<td>%.0f</td>", worker->n / worker->seconds * 3600);
    else
        xl_str_puts(out, "<td>–</td>");
    if (worker->energy_j > 0)
        xl_str_printf(out, "<td>%s</td></tr>\n",
                      xl_energy_text(worker->energy_j / worker->n, energy));
    else
        xl_str_puts(out, "<td>–</td></tr>\n");
}

static void put_workers(struct xl_str *out, const struct xl_night_report *report) {
    int most = 1;
    if (!report->n_workers) return;
    for (int i = 0; i < report->n_workers; i++)
        if (report->workers[i].n > most) most = report->workers[i].n;
    xl_str_puts(out, "<section><h2>Who drew</h2><div class=\"scroll\"><table>\n<thead><tr><th></th>"
                     "<td class=\"share\"></td><td>pictures</td><td>an hour*</td>"
                     "<td>each</td></tr></thead>\n");
    for (int i = 0; i < report->n_workers; i++) put_worker(out, &report->workers[i], most);
    xl_str_puts(out, "</table></div><p class=\"soft\">* while it drew: what it waited is left out"
                     "</p></section>\n");
}

static void put_failures(struct xl_str *out, const struct xl_night_report *report) {
    if (!report->n_failures) return;
    xl_str_puts(out, "<section><h2>What failed</h2><ul class=\"failures\">\n");
    for (int i = 0; i < report->n_failures; i++) {
        const struct xl_night_failure *failure = &report->failures[i];
        xl_str_puts(out, "<li><b>");
        put_told(out, failure->error);
        xl_str_printf(out, "</b><span>%d %s", failure->n, xl_plural(failure->n, "time", "times"));
        if (failure->prompt[0]) {
            xl_str_puts(out, failure->n > 1 ? ", first: " : ": ");
            put_escaped(out, failure->prompt);
        }
        xl_str_puts(out, "</span></li>\n");
    }
    xl_str_puts(out, "</ul></section>\n");
}

/* What was in hand when a worker or a GPU was lost. */
static void put_lost_pictures(struct xl_str *out, const struct xl_night_report *report,
                              const struct xl_night_lost *lost) {
    if (lost->n) xl_str_puts(out, "<br>then drawn: ");
    for (int i = 0; i < lost->n; i++) {
        const struct xl_night_picture *picture = &report->pictures[lost->pictures[i]];
        xl_str_puts(out, i ? ", <a href=\"" : "<a href=\"");
        put_link(out, report, picture->path);
        xl_str_puts(out, "\">");
        put_escaped(out, picture->prompt);
        xl_str_puts(out, "</a>");
    }
    if (lost->n_missing) xl_str_printf(out, "<br>%d not drawn yet", lost->n_missing);
}

static void put_losses(struct xl_str *out, const struct xl_night_report *report) {
    if (!report->n_losses) return;
    xl_str_puts(out, "<section><h2>Workers and GPUs that were lost</h2><dl>\n");
    for (int i = 0; i < report->n_losses; i++) {
        const struct xl_night_lost *lost = &report->losses[i];
        xl_str_puts(out, "<dt>");
        put_escaped(out, lost->at);
        xl_str_puts(out, "</dt><dd><b>");
        put_escaped(out, lost->how);
        xl_str_puts(out, "</b> ");
        put_who(out, lost->name, lost->worker);
        xl_str_puts(out, ": ");
        put_told(out, lost->error);
        put_lost_pictures(out, report, lost);
        xl_str_puts(out, "</dd>\n");
    }
    xl_str_puts(out, "</dl>");
    if (report->n_losses < report->state.n_losses)
        xl_str_printf(out, "<p class=\"soft\">The last %d of %d.</p>", report->n_losses,
                      report->state.n_losses);
    xl_str_puts(out, "</section>\n");
}

static void put_events(struct xl_str *out, const struct xl_night_report *report) {
    size_t i;
    json_t *event;
    if (!json_array_size(report->state.events)) return;
    xl_str_puts(out, "<details><summary>What happened</summary><dl>\n");
    json_array_foreach(report->state.events, i, event) {
        const char *at = json_string_value(json_object_get(event, "at"));
        const char *text = json_string_value(json_object_get(event, "text"));
        xl_str_puts(out, "<dt>");
        put_escaped(out, at ? at : "");
        xl_str_puts(out, "</dt><dd>");
        put_told(out, text ? text : "");
        xl_str_puts(out, "</dd>\n");
    }
    xl_str_puts(out, "</dl></details>\n");
}

/* --- Thumbnails ------------------------------------------------------------------------------- */

/* A picture whose longer side is at most THUMBNAIL. One that is not there any more has none. */
static enum xl_status put_thumbnail(struct xl_str *out, const char *path, struct xl_err *err) {
    struct xl_image image = {0}, small = {0};
    struct xl_err why;
    void *data = NULL;
    size_t n = 0;
    if (xl_image_load(path, &image, &why)) return XL_OK;
    int longer = image.width > image.height ? image.width : image.height;
    int width = image.width * THUMBNAIL / longer, height = image.height * THUMBNAIL / longer;
    bool is_small = longer <= THUMBNAIL;
    enum xl_status status = is_small ? XL_OK
                                     : xl_image_resize_lanczos(&image, width ? width : 1,
                                                               height ? height : 1, &small, err);
    if (!status) status = xl_jpeg_encode(is_small ? &image : &small, QUALITY, &data, &n, err);
    if (!status) {
        xl_str_puts(out, "data:image/jpeg;base64,");
        xl_base64_put(out, data, n);
    }
    free(data);
    xl_image_free(&small);
    xl_image_free(&image);
    return status;
}

static enum xl_status put_picture(struct xl_str *out, const struct xl_night_report *report,
                                  const struct xl_night_picture *picture, struct xl_err *err) {
    xl_str_puts(out, "<a class=\"cell\" href=\"");
    put_link(out, report, picture->path);
    xl_str_printf(out, "\"><img loading=\"lazy\" width=\"%d\" height=\"%d\" alt=\"", picture->width,
                  picture->height);
    put_escaped(out, picture->prompt);
    xl_str_puts(out, "\" src=\"");
    enum xl_status status = put_thumbnail(out, picture->path, err);
    xl_str_puts(out, "\"><span class=\"label\"><b>");
    put_escaped(out, picture->prompt);
    xl_str_puts(out, "</b><span>");
    put_escaped(out, picture->profile);
    xl_str_puts(out, " · ");
    put_escaped(out, picture->seed);
    xl_str_puts(out, "</span></span></a>\n");
    return status;
}

/* All of them, or as many as a page may hold, from the whole night. */
static enum xl_status put_pictures(struct xl_str *out, const struct xl_night_report *report,
                                   struct xl_err *err) {
    int n = report->n < MOST_THUMBNAILS ? report->n : MOST_THUMBNAILS;
    enum xl_status status = XL_OK;
    if (!n) return XL_OK;
    xl_str_puts(out, "<section><h2>Pictures</h2><p class=\"soft\">");
    if (n < report->n) xl_str_printf(out, "%d of %d, from the whole night. ", n, report->n);
    xl_str_puts(out, "<a href=\"index.html\">All of them, with what they were asked for</a></p>\n"
                     "<div class=\"gallery\">\n");
    for (int i = 0; !status && i < n; i++)
        status = put_picture(out, report, &report->pictures[(int64_t)i * report->n / n], err);
    xl_str_puts(out, "</div></section>\n");
    return status;
}

/* ---------------------------------------------------------------------------------------------- */

enum xl_status xl_night_report_put_html(struct xl_str *out, const struct xl_night_report *report,
                                        struct xl_err *err) {
    const char *slash = strrchr(report->dir, '/');
    xl_str_puts(out, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
                     "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                     "<meta name=\"color-scheme\" content=\"light dark\">\n<title>");
    put_escaped(out, slash ? slash + 1 : report->dir);
    xl_str_puts(out, "</title><style>\n");
    xl_str_puts(out, xl_night_report_css);
    xl_str_puts(out, "</style></head><body>\n");
    put_head(out, report);
    xl_str_puts(out, "<main>\n");
    put_tiles(out, report);
    put_failures(out, report);
    put_losses(out, report);
    put_bars(out, report);
    put_workers(out, report);
    enum xl_status status = put_pictures(out, report, err);
    put_events(out, report);
    xl_str_puts(out,
                "</main><footer>sdxl-lab " XL_VERSION ", night report</footer></body></html>\n");
    if (!status && out->failed) status = xl_fail_nomem(err, "a report", 0);
    return status;
}
