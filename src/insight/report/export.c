/* export.c - the files of an analysis. */
#include "insight/report/export.h"

#include "base/file.h"
#include "base/json.h"
#include "base/str.h"
#include "insight/report/csv.h"
#include "insight/report/html.h"
#include "insight/report/plan.h"

#include <stdio.h>
#include <stdlib.h>

/* Write and free a text. */
static enum xl_status write_text(const char *dir, const char *name, struct xl_str *text,
                                 struct xl_err *err) {
    size_t n = text->len;
    char *taken = xl_str_take(text), *path = xl_path_join(dir, name);
    enum xl_status status = taken && path ? xl_file_replace(path, taken, n, err)
                                          : xl_fail_nomem(err, name, n);
    free(taken);
    free(path);
    return status;
}

static enum xl_status write_json(const char *dir, const json_t *document, struct xl_err *err) {
    struct xl_str text = {0};
    char *json = xl_json_dump(document, JSON_INDENT(2));
    if (!json) return xl_fail_nomem(err, "report.json", 0);
    xl_str_puts(&text, json);
    xl_str_puts(&text, "\n");
    free(json);
    return write_text(dir, "report.json", &text, err);
}

/* A comment: a line, whatever stands in it. */
static void put_comment(struct xl_str *out, const char *text) {
    xl_str_puts(out, "# ");
    for (; text && *text; text++) {
        bool steers = (unsigned char)*text < 0x20 || *text == 0x7f;
        xl_str_append(out, steers ? " " : text, 1);
    }
    xl_str_puts(out, "\n");
}

static void put_yaml(struct xl_str *out, const json_t *job) {
    char *yaml = job ? xl_plan_yaml(job, 0) : NULL;
    if (yaml)
        xl_str_puts(out, yaml);
    else
        out->failed = true;
    free(yaml);
}

static enum xl_status write_bundles(const char *dir, const json_t *document, struct xl_err *err) {
    enum xl_status status = XL_OK;
    size_t i;
    json_t *bundle;
    json_array_foreach(json_object_get(document, "bundles"), i, bundle) {
        struct xl_str text = {0};
        char name[32];
        json_t *job = xl_plan_job(json_object_get(bundle, "settings"), 0);
        put_comment(&text, json_string_value(json_object_get(bundle, "name")));
        put_comment(&text, json_string_value(json_object_get(bundle, "text")));
        snprintf(name, sizeof name, "bundle_%zu.yaml", i + 1);
        xl_str_printf(&text, "# sdxl-lab generate --job %s --prompt \"...\"\n", name);
        put_yaml(&text, job);
        json_decref(job);
        status = write_text(dir, name, &text, err);
        if (status) break;
    }
    return status;
}

/* What a night may draw: the values of each column that it knows, in its words. */
static void put_night(struct xl_str *out, const json_t *axes) {
    static const char *const keys[][2] = {
        {"model", "models"}, {"profile", "profiles"}, {"resolution", "sizes"}};
    json_t *night = json_object();
    bool ok = night != NULL;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        json_t *values = json_object_get(axes, keys[i][0]);
        if (values) xl_json_put(night, keys[i][1], json_deep_copy(values), &ok);
    }
    night = xl_json_finish(night, ok);
    put_yaml(out, night);
    json_decref(night);
}

static enum xl_status write_next(const char *dir, const json_t *document, struct xl_err *err) {
    const json_t *next = json_object_get(document, "next");
    struct xl_str job = {0}, night = {0};
    if (!json_is_object(next)) return XL_OK;
    put_comment(
        &job,
        "What would tell most about what you love. sdxl-lab generate --job next.yaml --prompt "
        "\"...\"");
    put_yaml(&job, json_object_get(next, "job"));
    put_comment(&night,
                "What would tell most about what you love, for a night: add themes of prompts.");
    xl_str_puts(&night, "# prompts: [moody-portrait, fantasy-city]\n");
    put_comment(&night, "and, to draw by lot what is loved more often: learn_from: favourites");
    put_night(&night, json_object_get(next, "axes"));
    enum xl_status status = write_text(dir, "next.yaml", &job, err);
    if (!status) status = write_text(dir, "night.yaml", &night, err);
    xl_str_deinit(&night);
    return status;
}

enum xl_status xl_report_export(const char *dir, const struct xl_taste *taste,
                                const json_t *document, const struct xl_report_pictures *pictures,
                                struct xl_err *err) {
    struct xl_str html = {0}, csv = {0};
    enum xl_status status = xl_dir_create(dir, err);
    if (!status) status = write_json(dir, document, err);
    if (!status) {
        xl_report_csv(document, &csv);
        status = write_text(dir, "report.csv", &csv, err);
    }
    if (!status) {
        xl_report_html(document, &html);
        status = write_text(dir, "report.html", &html, err);
    }
    if (!status) status = write_bundles(dir, document, err);
    if (!status) status = write_next(dir, document, err);
    if (!status && pictures) status = xl_report_sheet(dir, taste, pictures, err);
    return status;
}
