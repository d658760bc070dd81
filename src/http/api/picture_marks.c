/* picture_marks.c - what is said of a picture. */
#include "base/json.h"
#include "base/moment.h"
#include "http/api/pictures.h"
#include "insight/marks/marks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Marks that are said within so many seconds may come in another order than they were said in. */
enum { GRACE_S = 1 };

/* --- Marks ------------------------------------------------------------------------------------ */

enum xl_status xl_picture_put_change(struct xl_library *library, int fd, const char *path,
                                     const struct xl_mark_change *change, struct xl_err *err) {
    const struct xl_settings *settings = xl_library_settings(library);
    struct xl_marks *marks = NULL;
    char place[64];
    struct xl_mark_file *file = calloc(1, sizeof *file);
    if (!file) return xl_fail_nomem(err, "a mark", sizeof *file);
    snprintf(place, sizeof place, "/proc/self/fd/%d", fd);
    enum xl_status status = xl_mark_file_read(place, file, err);
    if (!status) file->is.path = path;
    if (!status) status = xl_marks_open(xl_library_dir(library), settings->instance, &marks, err);
    if (!status) status = xl_marks_put_change(marks, &file->is, change, err);
    enum xl_status closed = xl_marks_close(marks, status ? NULL : err);
    free(file);
    xl_library_touch(library);
    return status ? status : closed;
}

/* Read what the body says; -1 where it says nothing. */
static enum xl_status read_change(struct xl_call *call, struct xl_reply *reply,
                                  struct xl_mark_change *out, struct xl_err *err) {
    const char *key;
    json_t *value;
    *out = (struct xl_mark_change){-1, -1, -1, -1, 0};
    json_object_foreach(call->json, key, value) {
        json_int_t number = json_integer_value(value);
        bool is_rating = !strcmp(key, "rating"), is_age = !strcmp(key, "age_s");
        bool is_switch = !strcmp(key, "favorite") || !strcmp(key, "rejected");
        reply->field = xl_arena_strdup(&call->arena, key);
        if (!is_rating && !is_switch && !is_age)
            return xl_fail(
                err, XL_EINVAL,
                "there is no \"%.60s\" here; there are favorite, rating, rejected, age_s", key);
        if (is_rating && (!json_is_integer(value) || number < 0 || number > XL_RATING_MAX))
            return xl_fail(err, XL_EINVAL, "rating: expected a whole number from 0 (none) to %d",
                           XL_RATING_MAX);
        if (is_switch && !json_is_boolean(value))
            return xl_fail(err, XL_EINVAL, "%s: expected true or false", key);
        double age = json_number_value(value);
        if (is_age && (!json_is_number(value) || age < 0 || age > XL_MARK_AGE_MAX_S))
            return xl_fail(err, XL_EINVAL, "age_s: expected seconds from 0 to %d",
                           XL_MARK_AGE_MAX_S);
        if (is_age) out->at = (int64_t)time(NULL) - (int64_t)age;
        if (is_rating) out->rating = (int)number;
        if (!strcmp(key, "favorite")) out->loved = json_is_true(value);
        if (!strcmp(key, "rejected")) out->rejected = json_is_true(value);
    }
    reply->field = NULL;
    bool is_said = out->loved >= 0 || out->rating >= 0 || out->rejected >= 0;
    if (is_said) return XL_OK;
    return xl_fail(err, XL_EINVAL, "the body says nothing; there are favorite, rating, rejected");
}

/* Of one that comes with its age: has the picture a newer mark, and would it change anything? */
static enum xl_status settle(struct xl_reply *reply, const json_t *picture,
                             struct xl_mark_change *change, bool *is_new, struct xl_err *err) {
    const char *text = json_string_value(json_object_get(picture, "marked_at"));
    int64_t marked_at = text ? xl_moment_of(text) : 0;
    bool loved = json_is_true(json_object_get(picture, "loved"));
    bool rejected = json_is_true(json_object_get(picture, "rejected"));
    json_int_t rating = json_integer_value(json_object_get(picture, "rating"));
    bool is_same = (change->loved < 0 || change->loved == loved) &&
                   (change->rating < 0 || change->rating == rating) &&
                   (change->rejected < 0 || change->rejected == rejected);
    *is_new = !change->at || !is_same;
    if (!change->at || is_same) return XL_OK;
    if (marked_at > change->at + GRACE_S)
        return xl_reply_refuse(reply, 409, err,
                               "this picture has a newer mark, of %s; that one is kept", text);
    if (marked_at > change->at) change->at = marked_at;
    return XL_OK;
}

static json_t *describe(const json_t *picture, const struct xl_mark_change *change) {
    bool loved = change->loved >= 0 ? change->loved
                                    : json_is_true(json_object_get(picture, "loved"));
    bool rejected = change->rejected >= 0 ? change->rejected
                                          : json_is_true(json_object_get(picture, "rejected"));
    json_int_t rating = change->rating >= 0
                            ? change->rating
                            : json_integer_value(json_object_get(picture, "rating"));
    json_t *object = json_object();
    bool ok = object != NULL;
    xl_json_put(object, "id", json_incref(json_object_get(picture, "id")), &ok);
    xl_json_put(object, "favorite", json_boolean(loved), &ok);
    xl_json_put(object, "rating", json_integer(rating), &ok);
    xl_json_put(object, "rejected", json_boolean(rejected), &ok);
    return xl_json_finish(object, ok);
}

enum xl_status xl_picture_put_mark(struct xl_call *call, struct xl_reply *reply,
                                   struct xl_err *err) {
    struct xl_mark_change change;
    json_t *picture = NULL;
    int fd = -1;
    bool is_new = true;
    enum xl_status status = read_change(call, reply, &change, err);
    if (!status) status = xl_picture_of_call(call, reply, &picture, err);
    if (!status) status = xl_picture_open(call, reply, picture, &fd, err);
    if (!status) status = settle(reply, picture, &change, &is_new, err);
    if (!status && is_new)
        status = xl_picture_put_change(
            call->user, fd, json_string_value(json_object_get(picture, "path")), &change, err);
    if (fd >= 0) close(fd);
    if (!status) status = xl_reply_json(reply, 200, describe(picture, &change), err);
    json_decref(picture);
    return status;
}
