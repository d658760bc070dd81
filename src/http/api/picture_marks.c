/* picture_marks.c - what is said of a picture, and the trash.
 *
 * The trash is OUTPUT/.trash, where a picture has the path that it had in OUTPUT. That it is there
 * is a mark like others, written before the file is moved; so whatever happens in between, the file
 * is in one of the two places, and bringing it back looks in both. One that lies in the trash
 * already under this path gets another name there first: nothing is ever written over.
 */
#include "base/json.h"
#include "base/str.h"
#include "http/api/pictures.h"
#include "http/files.h"
#include "insight/marks/marks.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SAME_NAMES_MAX = 1000 };

/* --- Marks ------------------------------------------------------------------------------------ */

/* Append a mark of the file of a descriptor, whose path is (or was, or will be) `path`. */
static enum xl_status put_mark(struct xl_library *library, int fd, const char *path,
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
    *out = (struct xl_mark_change){-1, -1, -1, -1};
    json_object_foreach(call->json, key, value) {
        json_int_t number = json_integer_value(value);
        bool is_rating = !strcmp(key, "rating");
        bool is_switch = !strcmp(key, "favorite") || !strcmp(key, "rejected");
        reply->field = xl_arena_strdup(&call->arena, key);
        if (!is_rating && !is_switch)
            return xl_fail(err, XL_EINVAL,
                           "there is no \"%.60s\" here; there are favorite, rating, rejected", key);
        if (is_rating && (!json_is_integer(value) || number < 0 || number > XL_RATING_MAX))
            return xl_fail(err, XL_EINVAL, "rating: expected a whole number from 0 (none) to %d",
                           XL_RATING_MAX);
        if (is_switch && !json_is_boolean(value))
            return xl_fail(err, XL_EINVAL, "%s: expected true or false", key);
        if (is_rating) out->rating = (int)number;
        if (!strcmp(key, "favorite")) out->loved = json_is_true(value);
        if (!strcmp(key, "rejected")) out->rejected = json_is_true(value);
    }
    reply->field = NULL;
    if (json_object_size(call->json)) return XL_OK;
    return xl_fail(err, XL_EINVAL, "the body says nothing; there are favorite, rating, rejected");
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
    enum xl_status status = read_change(call, reply, &change, err);
    if (!status) status = xl_picture_of_call(call, reply, &picture, err);
    if (!status) status = xl_picture_open(call, reply, picture, &fd, err);
    if (!status)
        status = put_mark(call->user, fd, json_string_value(json_object_get(picture, "path")),
                          &change, err);
    if (fd >= 0) close(fd);
    if (!status) status = xl_reply_json(reply, 200, describe(picture, &change), err);
    json_decref(picture);
    return status;
}

/* --- The trash -------------------------------------------------------------------------------- */

/* A picture's two places, relative to the output directory. */
struct places {
    struct xl_library *library;
    int root;
    const char *path;  /* from the root */
    const char *here;  /* "run/a.png" */
    const char *trash; /* ".trash/run/a.png" */
};

static enum xl_status find_places(struct xl_call *call, struct xl_reply *reply,
                                  const json_t *picture, struct places *out, struct xl_err *err) {
    const char *dir = xl_library_dir(call->user);
    const char *path = json_string_value(json_object_get(picture, "path"));
    size_t n = strlen(dir);
    *out = (struct places){.library = call->user, .root = -1, .path = path};
    bool is_inside = path && !strncmp(path, dir, n) && path[n] == '/' && path[n + 1] != '.';
    if (!is_inside)
        return xl_reply_refuse(reply, 409, err,
                               "%s lies outside of the output directory; only what is in it can be "
                               "moved to its trash",
                               path ? path : "the picture");
    out->here = path + n + 1;
    out->trash = xl_arena_printf(&call->arena, ".trash/%s", out->here);
    out->root = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (!out->trash) return xl_fail_nomem(err, "a path", 0);
    return out->root >= 0 ? XL_OK : xl_fail(err, XL_EDISK, "%s: %s", dir, strerror(errno));
}

/* Another name for what has this one: a.png~1, a.png~2, ... */
static bool step_aside(int folder, const char *name) {
    char other[NAME_MAX + 1];
    for (int i = 1; i < SAME_NAMES_MAX; i++) {
        int n = snprintf(other, sizeof other, "%s~%d", name, i);
        if (n < 0 || (size_t)n >= sizeof other) return false;
        if (!renameat2(folder, name, folder, other, RENAME_NOREPLACE)) return true;
        if (errno != EEXIST) return false;
    }
    return false;
}

static enum xl_status move(const struct places *places, const char *from, const char *to,
                           bool may_step_aside, struct xl_err *err) {
    int from_dir = -1, to_dir = -1;
    const char *from_name, *to_name;
    enum xl_status status = xl_folder_below(places->root, from, false, &from_dir, &from_name, err);
    if (!status) status = xl_folder_below(places->root, to, true, &to_dir, &to_name, err);
    bool is_moved = false;
    for (int i = 0; i < 2 && !status && !is_moved; i++) {
        is_moved = !renameat2(from_dir, from_name, to_dir, to_name, RENAME_NOREPLACE);
        bool is_taken = !is_moved && errno == EEXIST;
        if (!is_moved && !(is_taken && may_step_aside && !i && step_aside(to_dir, to_name)))
            status = xl_fail(err, is_taken ? XL_EINVAL : XL_EDISK, "%s: cannot be moved to %s: %s",
                             from, to, strerror(errno));
    }
    if (!status) {
        fsync(to_dir);
        fsync(from_dir);
    }
    if (from_dir >= 0) close(from_dir);
    if (to_dir >= 0) close(to_dir);
    return status;
}

enum xl_status xl_picture_delete(struct xl_call *call, struct xl_reply *reply, struct xl_err *err) {
    static const struct xl_mark_change change = {-1, -1, -1, 1};
    struct places places = {.root = -1};
    json_t *picture = NULL;
    int fd = -1;
    enum xl_status status = xl_picture_of_call(call, reply, &picture, err);
    if (!status) status = find_places(call, reply, picture, &places, err);
    if (!status) status = xl_picture_open(call, reply, picture, &fd, err);
    if (!status) status = put_mark(call->user, fd, places.path, &change, err);
    if (!status) status = move(&places, places.here, places.trash, true, err);
    if (fd >= 0) close(fd);
    if (places.root >= 0) close(places.root);
    if (!status) xl_reply_empty(reply, 204);
    json_decref(picture);
    return status;
}

/* It may never have been moved. */
static enum xl_status bring_back(const struct places *places, struct xl_reply *reply,
                                 struct xl_err *err) {
    static const struct xl_mark_change change = {-1, -1, -1, 0};
    struct xl_err why = {0};
    int fd = -1;
    bool is_here = false;
    enum xl_status status = xl_file_below(places->root, places->trash, &fd, &why);
    if (status == XL_EINPUT) {
        is_here = true;
        status = xl_file_below(places->root, places->here, &fd, err);
        if (status == XL_EINPUT) reply->code = 404;
    } else if (status) {
        return xl_fail(err, status, "%s", why.text);
    }
    if (!status && !is_here) status = move(places, places->trash, places->here, false, err);
    if (status == XL_EINVAL) reply->code = 409;
    if (!status) status = put_mark(places->library, fd, places->path, &change, err);
    if (fd >= 0) close(fd);
    return status;
}

enum xl_status xl_picture_restore(struct xl_call *call, struct xl_reply *reply,
                                  struct xl_err *err) {
    struct places places = {.root = -1};
    json_t *picture = NULL;
    enum xl_status status = xl_picture_of_call(call, reply, &picture, err);
    if (!status) status = find_places(call, reply, picture, &places, err);
    if (!status) status = bring_back(&places, reply, err);
    if (places.root >= 0) close(places.root);
    if (!status) xl_reply_empty(reply, 204);
    json_decref(picture);
    return status;
}
