/* blame.c - what differs between two records. Keeps no state. */
#include "lab/run/blame.h"

#include "base/json.h"
#include "base/str.h"

#include <stdlib.h>
#include <string.h>

static const char *text_at(const json_t *object, const char *key) {
    return json_string_value(json_object_get(object, key));
}

static void begin_sentence(struct xl_str *out) {
    if (out->len) xl_str_puts(out, "; ");
}

static void put_value(struct xl_str *out, const json_t *value) {
    if (json_is_string(value)) {
        const char *text = json_string_value(value);
        xl_str_puts(out, text[0] ? text : "none");
        return;
    }
    char *text = xl_json_dump(value, JSON_ENCODE_ANY | JSON_COMPACT);
    if (!text) out->failed = true;
    xl_str_puts(out, text ? text : "");
    free(text);
}

void xl_blame_members(struct xl_str *out, const json_t *then, const json_t *now, const char *of) {
    const char *key;
    json_t *is;
    json_object_foreach((json_t *)now, key, is) {
        const json_t *was = json_object_get(then, key);
        if (!was || json_equal(was, is)) continue;
        begin_sentence(out);
        xl_str_printf(out, "%s%s ", key, of ? of : "");
        put_value(out, is);
        xl_str_puts(out, ", was ");
        put_value(out, was);
    }
}

/* --- The model's files ------------------------------------------------------------------------ */

/* The k-th file of a role; NULL: there is none. A component may have several files. */
static const json_t *file_of(const json_t *files, const char *role, int k) {
    size_t i;
    json_t *file;
    json_array_foreach((json_t *)files, i, file) {
        const char *its = text_at(file, "role");
        if (its && !strcmp(its, role) && !k--) return file;
    }
    return NULL;
}

/* Fingerprints of another length were made in another way. */
static bool is_changed(const json_t *then, const json_t *now) {
    static const char *const keys[] = {"digest", "fingerprint"};
    for (int i = 0; i < 2; i++) {
        const char *was = text_at(then, keys[i]), *is = text_at(now, keys[i]);
        if (was && is && strlen(was) == strlen(is)) return strcmp(was, is) != 0;
    }
    return false;
}

/* "weights of unet", "unet/config.json". The scheduler's file is left to what was read from it. */
static void blame_files(struct xl_str *out, const json_t *then, const json_t *now) {
    size_t i;
    json_t *file;
    const char *last = "";
    int k = 0;
    bool is_told = false;
    json_array_foreach((json_t *)now, i, file) {
        const char *role = text_at(file, "role");
        if (!role || !strcmp(role, "scheduler")) continue;
        bool is_next = !strcmp(role, last);
        k = is_next ? k + 1 : 0;
        is_told = is_told && is_next;
        last = role;
        const json_t *was = file_of(then, role, k);
        if (is_told || !was || !is_changed(was, file)) continue;
        begin_sentence(out);
        xl_str_printf(out, "%s%s", strchr(role, '/') ? "" : "weights of ", role);
        is_told = true;
    }
}

/* ---------------------------------------------------------------------------------------------- */

static void blame_request(struct xl_str *out, const json_t *then, const json_t *now) {
    static const char ZEROS[] = "force_zeros_for_empty_prompt";
    const json_t *model_then = json_object_get(then, "model");
    const json_t *model_now = json_object_get(now, "model");
    const json_t *was = json_object_get(model_then, ZEROS), *is = json_object_get(model_now, ZEROS);
    blame_files(out, json_object_get(model_then, "files"), json_object_get(model_now, "files"));
    if (was && is && !json_equal(was, is)) {
        begin_sentence(out);
        xl_str_printf(out, "%s %s", ZEROS,
                      json_is_true(is) ? "true, was false" : "false, was true");
    }
    const char *pixels_then = text_at(then, "init_pixels"),
               *pixels_now = text_at(now, "init_pixels");
    if (pixels_then && pixels_now && strcmp(pixels_then, pixels_now) != 0) {
        begin_sentence(out);
        xl_str_puts(out, "pixels of the init image");
    }
    xl_blame_members(out, json_object_get(then, "scheduler_config"),
                     json_object_get(now, "scheduler_config"), " of the scheduler");
}

enum xl_status xl_blame(const json_t *then, const json_t *now, struct xl_blame *out,
                        struct xl_err *err) {
    struct xl_str text = {0};
    xl_json_watch();
    blame_request(&text, then, now);
    *out = (struct xl_blame){.is_of_request = text.len > 0};
    xl_blame_members(&text, json_object_get(then, "drawn_by"), json_object_get(now, "drawn_by"),
                     NULL);
    bool says = text.len > 0;
    char *taken = xl_str_take(&text);
    if (!taken || xl_json_ran_out()) {
        free(taken);
        return xl_fail_nomem(err, "a comparison", 0);
    }
    if (says)
        out->text = taken;
    else
        free(taken);
    return XL_OK;
}
