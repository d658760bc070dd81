/* report_text.c - a night's report as text, and as an object for programs. */
#include "jobs/night/report.h"

#include "base/json.h"
#include "jobs/night/config.h"

#include <stdio.h>
#include <string.h>

const char *xl_span_text(double seconds, char out[XL_SPAN_TEXT]) {
    int64_t whole = (int64_t)(seconds + 0.5);
    if (whole < 60)
        snprintf(out, XL_SPAN_TEXT, "%.*f s", seconds < 10 && seconds != (double)whole, seconds);
    else if (whole < 3600)
        snprintf(out, XL_SPAN_TEXT, "%lld min %02lld s", (long long)(whole / 60),
                 (long long)(whole % 60));
    else
        snprintf(out, XL_SPAN_TEXT, "%lld h %02lld min", (long long)(whole / 3600),
                 (long long)(whole / 60 % 60));
    return out;
}

const char *xl_energy_text(double joules, char out[XL_ENERGY_TEXT]) {
    double watt_hours = joules / 3600;
    if (joules < 1000)
        snprintf(out, XL_ENERGY_TEXT, "%.0f J", joules);
    else if (watt_hours < 1000)
        snprintf(out, XL_ENERGY_TEXT, "%.1f Wh", watt_hours);
    else
        snprintf(out, XL_ENERGY_TEXT, "%.2f kWh", watt_hours / 1000);
    return out;
}

static double rate_of(const struct xl_night_worker *worker) {
    return worker->seconds > 0 ? worker->n / worker->seconds * 3600 : 0;
}

static void put_head(struct xl_str *out, const struct xl_night_report *report) {
    const struct xl_night_state *state = &report->state;
    char span[XL_SPAN_TEXT], size[XL_SIZE_TEXT], energy[XL_ENERGY_TEXT];
    const char *name = strrchr(report->dir, '/');
    xl_str_printf(out, "%s: %s", name ? name + 1 : report->dir, xl_night_report_state(report));
    if (state->why) xl_str_printf(out, ", %s", state->why);
    xl_str_printf(out, "\n\n%d %s drawn", report->n, xl_plural(report->n, "picture", "pictures"));
    if (report->n_failed) xl_str_printf(out, ", %d failed", report->n_failed);
    if (report->n_retried)
        xl_str_printf(out, ", %d failed at first and came later", report->n_retried);
    if (state->n_waiting) xl_str_printf(out, ", %d planned and not drawn", state->n_waiting);
    xl_str_printf(out, "\n%s; %s", xl_span_text(state->elapsed_s, span),
                  xl_size_text(state->bytes, size));
    if (report->n) xl_str_printf(out, "; %.1f pictures an hour", xl_night_report_rate(report));
    if (report->energy_j > 0) xl_str_printf(out, "; %s", xl_energy_text(report->energy_j, energy));
    xl_str_puts(out, "\n");
}

static void put_workers(struct xl_str *out, const struct xl_night_report *report) {
    char energy[XL_ENERGY_TEXT];
    for (int i = 0; i < report->n_workers; i++) {
        const struct xl_night_worker *worker = &report->workers[i];
        xl_str_printf(out, "%s  %s: %d %s, %.1f an hour while it drew", i ? "" : "\nwho drew\n",
                      worker->label[0] ? worker->label : "found on the disk", worker->n,
                      xl_plural(worker->n, "picture", "pictures"), rate_of(worker));
        if (worker->energy_j > 0)
            xl_str_printf(out, ", %s a picture",
                          xl_energy_text(worker->energy_j / worker->n, energy));
        xl_str_puts(out, worker->name[0] ? " (" : "");
        xl_str_printf(out, "%s%s\n", worker->name, worker->name[0] ? ")" : "");
    }
}

static void put_failures(struct xl_str *out, const struct xl_night_report *report) {
    for (int i = 0; i < report->n_failures; i++)
        xl_str_printf(out, "%s  %d %s: %s\n", i ? "" : "\nfailures\n", report->failures[i].n,
                      xl_plural(report->failures[i].n, "time", "times"), report->failures[i].error);
}

static void put_losses(struct xl_str *out, const struct xl_night_report *report) {
    enum { TOLD = 5 };
    for (int i = 0; i < report->n_losses; i++) {
        const struct xl_night_lost *lost = &report->losses[i];
        xl_str_printf(out, "%s  %s  %s: %s%s%s%s%s\n",
                      i ? "" : "\nworkers and GPUs that were lost\n", lost->at, lost->how,
                      lost->worker, lost->name[0] ? " (" : "", lost->name,
                      lost->name[0] ? "), " : ", ", lost->error);
        for (int k = 0; k < lost->n && k < TOLD; k++) {
            const struct xl_night_picture *picture = &report->pictures[lost->pictures[k]];
            xl_str_printf(out, "    then drawn by %s: %s, seed %s\n",
                          picture->worker[0] ? picture->worker : "nobody known", picture->prompt,
                          picture->seed);
        }
        if (lost->n > TOLD) xl_str_printf(out, "    and %d more\n", lost->n - TOLD);
        if (lost->n_missing) xl_str_printf(out, "    %d not drawn yet\n", lost->n_missing);
    }
    if (report->n_losses < report->state.n_losses)
        xl_str_printf(out, "  the last %d of %d\n", report->n_losses, report->state.n_losses);
}

static void put_events(struct xl_str *out, const struct xl_night_report *report) {
    size_t i;
    json_t *event;
    json_array_foreach(report->state.events, i, event) {
        const char *at = json_string_value(json_object_get(event, "at"));
        const char *text = json_string_value(json_object_get(event, "text"));
        xl_str_printf(out, "%s  %s  %s\n", i ? "" : "\nwhat happened\n", at ? at : "",
                      text ? text : "");
    }
}

void xl_night_report_put_text(struct xl_str *out, const struct xl_night_report *report) {
    put_head(out, report);
    put_workers(out, report);
    put_failures(out, report);
    put_losses(out, report);
    put_events(out, report);
    xl_str_printf(out, "\nthe pictures: %s/index.html\n", report->dir);
}

static json_t *describe_workers(const struct xl_night_report *report) {
    json_t *list = json_array();
    bool ok = list != NULL;
    for (int i = 0; ok && i < report->n_workers; i++) {
        const struct xl_night_worker *worker = &report->workers[i];
        json_t *object = json_object();
        xl_json_put(object, "worker", xl_json_text(worker->label), &ok);
        xl_json_put(object, "name", xl_json_text(worker->name), &ok);
        xl_json_put(object, "pictures", json_integer(worker->n), &ok);
        xl_json_put(object, "drawing_s", json_real(worker->seconds), &ok);
        xl_json_put(object, "pictures_an_hour", json_real(rate_of(worker)), &ok);
        xl_json_put(object, "energy_j",
                    worker->energy_j > 0 ? json_real(worker->energy_j) : json_null(), &ok);
        ok = !json_array_append_new(list, object) && ok;
    }
    return xl_json_finish(list, ok);
}

/* Pictures in each part of the night: {"from" (seconds since 1970), "seconds" (of a part), "n"}. */
static json_t *describe_bars(const struct xl_night_report *report) {
    json_t *object = json_object(), *counts = json_array();
    bool ok = object && counts;
    for (int i = 0; ok && i < report->n_bars; i++)
        ok = !json_array_append_new(counts, json_integer(report->bars[i]));
    xl_json_put(object, "from", json_integer((json_int_t)report->bars_from), &ok);
    xl_json_put(object, "seconds", json_integer(report->bar_s), &ok);
    xl_json_put(object, "n", counts, &ok);
    return xl_json_finish(object, ok);
}

static json_t *describe_failures(const struct xl_night_report *report) {
    json_t *list = json_array();
    bool ok = list != NULL;
    for (int i = 0; ok && i < report->n_failures; i++) {
        json_t *object = json_object();
        xl_json_put(object, "error", xl_json_text(report->failures[i].error), &ok);
        xl_json_put(object, "prompt", xl_json_text(report->failures[i].prompt), &ok);
        xl_json_put(object, "times", json_integer(report->failures[i].n), &ok);
        ok = !json_array_append_new(list, object) && ok;
    }
    return xl_json_finish(list, ok);
}

/* A loss with the pictures that were drawn again, by their cells. */
static json_t *describe_loss(const struct xl_night_report *report,
                             const struct xl_night_lost *lost) {
    json_t *object = json_object(), *again = json_array();
    bool ok = object && again;
    for (int i = 0; ok && i < lost->n; i++) {
        const struct xl_night_picture *picture = &report->pictures[lost->pictures[i]];
        json_t *one = json_object();
        xl_json_put(one, "cell", json_string(picture->cell), &ok);
        xl_json_put(one, "path", xl_json_text(picture->path), &ok);
        xl_json_put(one, "worker", xl_json_text(picture->worker), &ok);
        ok = !json_array_append_new(again, one) && ok;
    }
    xl_json_put(object, "at", json_string(lost->at), &ok);
    xl_json_put(object, "how", xl_json_text(lost->how), &ok);
    xl_json_put(object, "worker", xl_json_text(lost->worker), &ok);
    xl_json_put(object, "name", xl_json_text(lost->name), &ok);
    xl_json_put(object, "error", xl_json_text(lost->error), &ok);
    xl_json_put(object, "then_drawn", again, &ok);
    xl_json_put(object, "not_drawn", json_integer(lost->n_missing), &ok);
    return xl_json_finish(object, ok);
}

static json_t *describe_losses(const struct xl_night_report *report) {
    json_t *list = json_array();
    bool ok = list != NULL;
    for (int i = 0; ok && i < report->n_losses; i++)
        ok = !json_array_append_new(list, describe_loss(report, &report->losses[i]));
    return xl_json_finish(list, ok);
}

json_t *xl_night_report_describe(const struct xl_night_report *report) {
    const struct xl_night_state *state = &report->state;
    json_t *object = json_object();
    bool ok = object != NULL;
    xl_json_put(object, "dir", xl_json_text(report->dir), &ok);
    xl_json_put(object, "state", json_string(xl_night_report_state(report)), &ok);
    xl_json_put(object, "why", xl_json_text(state->why), &ok);
    xl_json_put(object, "begun", json_string(state->begun), &ok);
    xl_json_put(object, "ran_s", json_real(state->elapsed_s), &ok);
    xl_json_put(object, "drawn", json_integer(report->n), &ok);
    xl_json_put(object, "failed", json_integer(report->n_failed), &ok);
    xl_json_put(object, "retried", json_integer(report->n_retried), &ok);
    xl_json_put(object, "waiting", json_integer(state->n_waiting), &ok);
    xl_json_put(object, "bytes", json_integer(state->bytes), &ok);
    xl_json_put(object, "pictures_an_hour", json_real(xl_night_report_rate(report)), &ok);
    xl_json_put(object, "energy_j",
                report->energy_j > 0 ? json_real(report->energy_j) : json_null(), &ok);
    xl_json_put(object, "bars", describe_bars(report), &ok);
    xl_json_put(object, "workers", describe_workers(report), &ok);
    xl_json_put(object, "failures", describe_failures(report), &ok);
    xl_json_put(object, "n_losses", json_integer(state->n_losses), &ok);
    xl_json_put(object, "losses", describe_losses(report), &ok);
    xl_json_put(object, "events", json_incref(state->events), &ok);
    return xl_json_finish(object, ok);
}
