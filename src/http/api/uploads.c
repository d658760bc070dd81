/* uploads.c - POST uploads and read. Keeps no state. */
#include "http/api/uploads.h"

#include "base/file.h"
#include "base/json.h"
#include "http/clean.h"
#include "http/form.h"
#include "http/reply.h"
#include "lab/past/past.h"

#include <stdio.h>
#include <string.h>

/* The sender's word for a file, for sentences: its last part, and no more than can be read. */
static const char *name_of(struct xl_call *call, const struct xl_form_part *part) {
    const char *name = part->file_name, *slash = strrchr(name, '/');
    if (slash) name = slash + 1;
    char *copy = xl_arena_printf(&call->arena, "%.80s", name[0] ? name : "the picture");
    for (char *c = copy; copy && *c; c++)
        if ((unsigned char)*c < 32 || *c == 127) *c = '?';
    /* The beginning of an option would be taken for one. */
    return copy && copy[0] != '-' ? copy : "the picture";
}

enum xl_status xl_upload_keep(struct xl_call *call, struct xl_library *library,
                              const struct xl_form_part *part, struct xl_clean_picture *picture,
                              const char **path, struct xl_err *err) {
    const char *dir = xl_library_uploads(library);
    const struct xl_clean_params params = {.fd = part->fd, .name = name_of(call, part), .dir = dir};
    enum xl_status status = xl_dir_create(dir, err);
    if (!status) status = xl_picture_clean(&params, picture, err);
    if (status) return status;
    *path = xl_arena_printf(&call->arena, "%s/%s.png", dir, picture->sha256);
    return *path ? XL_OK : xl_fail_nomem(err, "a path", 0);
}

static enum xl_status post_upload(struct xl_call *call, struct xl_reply *reply,
                                  struct xl_err *err) {
    struct xl_form_part *part = NULL;
    struct xl_clean_picture picture = {.width = 0};
    const char *path = NULL;
    enum xl_status status = xl_form_file(call->form, &part, err);
    if (!status) status = xl_upload_keep(call, call->user, part, &picture, &path, err);
    if (status) return xl_reply_about(reply, part ? "file" : NULL, status);
    json_t *object = json_object();
    bool ok = object != NULL;
    xl_json_put(object, "id", json_string(picture.sha256), &ok);
    xl_json_put(object, "init_image", xl_json_text(path), &ok);
    xl_json_put(object, "width", json_integer(picture.width), &ok);
    xl_json_put(object, "height", json_integer(picture.height), &ok);
    xl_json_put(object, "bytes", json_integer(picture.bytes), &ok);
    return xl_reply_json(reply, 201, xl_json_finish(object, ok), err);
}

/* A sentence that begins with the file's place here, which says nothing to whoever sent it. */
static const char *sentence_of(struct xl_call *call, const char *sentence, const char *path,
                               const char *name) {
    size_t n = strlen(path);
    if (strncmp(sentence, path, n) != 0) return sentence;
    const char *own = xl_arena_printf(&call->arena, "%s%s", name, sentence + n);
    return own ? own : "";
}

/* What a record began from, when it was sent here once: uploads are called by what is in them.
 * NULL: it was not. */
static const char *upload_of(struct xl_call *call, const json_t *record) {
    const char *digest = json_string_value(json_object_get(record, "init_digest"));
    if (!digest || strspn(digest, "0123456789abcdef") != XL_SHA256_HEX - 1) return NULL;
    const char *path =
        xl_arena_printf(&call->arena, "%s/%s.png", xl_library_uploads(call->user), digest);
    return path && xl_file_exists(path) ? path : NULL;
}

static void say(struct xl_settings *settings, const char *name) {
    settings->given |= xl_option_bit(xl_option_find(name));
}

/* The record as settings of a job. A model or an init image that is not here is left out and named:
 * everything else can be used with another one. */
static void put_settings(struct xl_call *call, json_t *object, const struct xl_past *past,
                         const char *path, const char *name, bool *ok) {
    const struct xl_settings *mine = xl_library_settings(call->user);
    struct xl_settings first, settings;
    struct xl_err why = {0};
    enum xl_status status = XL_EMODEL;
    xl_settings_default(&first);
    first.arena = &call->arena;
    first.model_files = mine->model_files;
    first.init_image = upload_of(call, past->record);
    if (first.init_image) say(&first, "init-image");
    for (int i = 0; i < 3 && (status == XL_EMODEL || status == XL_EINPUT); i++) {
        xl_settings_default(&settings);
        settings.arena = &call->arena;
        status = xl_past_settings(path, &first, &settings, why.text[0] ? NULL : &why);
        if (status == XL_EMODEL) say(&first, "model"); /* as if somebody had said one */
        if (status != XL_EINPUT) continue;
        first.mode = XL_MODE_TXT2IMG;
        say(&first, "mode");
    }
    settings.init_image = first.init_image;
    if (first.init_image) say(&settings, "init-image");
    const char *sentence = why.text[0] ? sentence_of(call, why.text, path, name) : NULL;
    xl_json_put(object, "settings", status ? json_null() : xl_settings_write_object(&settings), ok);
    xl_json_put(object, "why", xl_json_text(sentence), ok);
}

static json_t *entries_of(const struct xl_past *past) {
    json_t *list = json_array();
    bool ok = list != NULL;
    for (int i = 0; i < past->n && ok; i++) {
        json_t *entry = json_object();
        xl_json_put(entry, "key", xl_json_text(past->entries[i].key), &ok);
        xl_json_put(entry, "value", xl_json_text(past->entries[i].value), &ok);
        ok = !json_array_append_new(list, entry) && ok;
    }
    return xl_json_finish(list, ok);
}

static enum xl_status post_read(struct xl_call *call, struct xl_reply *reply, struct xl_err *err) {
    struct xl_form_part *part = NULL;
    struct xl_past past = {.n = 0};
    char path[64];
    enum xl_status status = xl_form_file(call->form, &part, err);
    if (status) return status;
    snprintf(path, sizeof path, "/proc/self/fd/%d", part->fd);
    status = xl_past_load(&past, path, err);
    if (!status) {
        json_t *object = json_object();
        bool ok = object != NULL;
        xl_json_put(object, "source", json_string(past.source), &ok);
        xl_json_put(object, "entries", entries_of(&past), &ok);
        xl_json_put(object, "record", past.record ? json_incref(past.record) : json_null(), &ok);
        put_settings(call, object, &past, path, name_of(call, part), &ok);
        status = xl_reply_json(reply, 200, xl_json_finish(object, ok), err);
    } else {
        const char *sentence = err ? sentence_of(call, err->text, path, name_of(call, part)) : "";
        const char *copy = xl_arena_strdup(&call->arena, sentence);
        if (copy) xl_fail(err, status, "%s", copy);
        xl_reply_about(reply, "file", status);
    }
    xl_past_deinit(&past);
    return status;
}

static const struct xl_route rows[] = {
    {.method = "POST",
     .pattern = "/api/v1/uploads",
     .run = post_upload,
     .flags = XL_ROUTE_SLOW | XL_ROUTE_FORM,
     .summary = "Send a picture to begin from, as the only file of a form",
     .answer = "id, width, height, bytes, and what a job's init_image is"},
    {.method = "POST",
     .pattern = "/api/v1/read",
     .run = post_read,
     .flags = XL_ROUTE_SLOW | XL_ROUTE_FORM,
     .summary = "Read how a picture was made, whatever program made it",
     .answer =
         "source, entries, record, settings of a job, and why something of them cannot be taken "
         "over"},
};

struct xl_route_table xl_uploads_table(struct xl_library *library) {
    return (struct xl_route_table){
        .rows = rows, .n = sizeof rows / sizeof *rows, .user = library, .prefix = "/api/v1/"};
}
