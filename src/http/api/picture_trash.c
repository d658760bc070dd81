/* picture_trash.c - to the trash and back, one picture or many.
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

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SAME_NAMES_MAX = 1000, MANY_MAX = 200 };

/* --- One picture ------------------------------------------------------------------------------ */

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
    out->trash = xl_arena_printf(&call->arena, XL_TRASH_DIR "/%s", out->here);
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

/* What is done to a picture of the index; refusals are the reply's. */
typedef enum xl_status act_fn(struct xl_call *call, struct xl_reply *reply, const json_t *picture,
                              struct xl_err *err);

static enum xl_status throw_away(struct xl_call *call, struct xl_reply *reply,
                                 const json_t *picture, struct xl_err *err) {
    static const struct xl_mark_change change = {-1, -1, -1, 1, 0};
    struct places places = {.root = -1};
    int fd = -1;
    enum xl_status status = find_places(call, reply, picture, &places, err);
    if (!status) status = xl_picture_open(call, reply, picture, &fd, err);
    if (!status) status = xl_picture_put_change(call->user, fd, places.path, &change, err);
    if (!status) status = move(&places, places.here, places.trash, true, err);
    if (fd >= 0) close(fd);
    if (places.root >= 0) close(places.root);
    return status;
}

/* It may never have been moved. */
static enum xl_status bring_back(const struct places *places, struct xl_reply *reply,
                                 struct xl_err *err) {
    static const struct xl_mark_change change = {-1, -1, -1, 0, 0};
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
    if (!status) status = xl_picture_put_change(places->library, fd, places->path, &change, err);
    if (fd >= 0) close(fd);
    return status;
}

static enum xl_status restore(struct xl_call *call, struct xl_reply *reply, const json_t *picture,
                              struct xl_err *err) {
    struct places places = {.root = -1};
    enum xl_status status = find_places(call, reply, picture, &places, err);
    if (!status) status = bring_back(&places, reply, err);
    if (places.root >= 0) close(places.root);
    return status;
}

static enum xl_status act_on_one(struct xl_call *call, struct xl_reply *reply, act_fn *act,
                                 struct xl_err *err) {
    json_t *picture = NULL;
    enum xl_status status = xl_picture_of_call(call, reply, &picture, err);
    if (!status) status = act(call, reply, picture, err);
    if (!status) xl_reply_empty(reply, 204);
    json_decref(picture);
    return status;
}

enum xl_status xl_picture_delete(struct xl_call *call, struct xl_reply *reply, struct xl_err *err) {
    return act_on_one(call, reply, throw_away, err);
}

enum xl_status xl_picture_restore(struct xl_call *call, struct xl_reply *reply,
                                  struct xl_err *err) {
    return act_on_one(call, reply, restore, err);
}

/* --- Many ------------------------------------------------------------------------------------- */

static enum xl_status read_ids(struct xl_call *call, struct xl_reply *reply,
                               const char *ids[MANY_MAX], struct xl_err *err) {
    const json_t *list = json_object_get(call->json, "pictures"), *id;
    size_t i;
    reply->field = "pictures";
    if (!json_is_array(list) || !json_array_size(list) || json_array_size(list) > MANY_MAX)
        return xl_fail(err, XL_EINVAL, "pictures: expected a list of 1 to %d ids", MANY_MAX);
    json_array_foreach(list, i, id) {
        ids[i] = json_is_integer(id)
                     ? xl_arena_printf(&call->arena, "%lld", (long long)json_integer_value(id))
                     : json_string_value(id);
        if (!ids[i])
            return xl_fail(err, XL_EINVAL, "pictures: the %zu. of the list is no id of a picture",
                           i + 1);
    }
    reply->field = NULL;
    if (json_object_size(call->json) == 1) return XL_OK;
    return xl_fail(err, XL_EINVAL, "expected {\"pictures\": [ID, ...]} and nothing else");
}

static void put_failure(json_t *failed, const char *id, const struct xl_err *why, bool *ok) {
    json_t *object = json_object();
    xl_json_put(object, "picture", json_string(id), ok);
    xl_json_put(object, "message", xl_json_text(why->text), ok);
    if (json_array_append_new(failed, object)) *ok = false;
}

/* What is done to many, and what became of it. */
struct many {
    const char *ids[MANY_MAX];
    json_t *pictures[MANY_MAX]; /* NULL: there is none */
    size_t n;
    json_int_t n_moved;
    json_t *failed;
    bool ok; /* false: out of memory */
};

/* All are looked up before the first is moved: whoever asks the index after a change waits until it
 * was brought up to date. */
static enum xl_status look_up(struct xl_call *call, struct many *many, struct xl_err *err) {
    struct xl_err why;
    for (size_t i = 0; i < many->n; i++) {
        struct xl_reply one = {0};
        enum xl_status status =
            xl_picture_of_id(call, &one, "pictures", many->ids[i], &many->pictures[i], &why);
        if (status && one.code != 404) return xl_fail(err, status, "%s", why.text);
        if (status) put_failure(many->failed, many->ids[i], &why, &many->ok);
    }
    return XL_OK;
}

/* What fails of one keeps none of the others. */
static void act_on_each(struct xl_call *call, struct many *many, act_fn *act) {
    struct xl_err why;
    for (size_t i = 0; i < many->n; i++) {
        struct xl_reply one = {0};
        if (!many->pictures[i]) continue;
        if (act(call, &one, many->pictures[i], &why))
            put_failure(many->failed, many->ids[i], &why, &many->ok);
        else
            many->n_moved++;
    }
}

static enum xl_status act_on_many(struct xl_call *call, struct xl_reply *reply, act_fn *act,
                                  struct xl_err *err) {
    struct many many = {.failed = json_array(), .ok = true};
    json_t *document = json_object();
    enum xl_status status = read_ids(call, reply, many.ids, err);
    if (!status) many.n = json_array_size(json_object_get(call->json, "pictures"));
    if (!status) status = look_up(call, &many, err);
    if (!status) act_on_each(call, &many, act);
    for (size_t i = 0; i < many.n; i++) json_decref(many.pictures[i]);
    xl_json_put(document, "moved", json_integer(many.n_moved), &many.ok);
    xl_json_put(document, "failed", many.failed, &many.ok);
    document = xl_json_finish(document, many.ok);
    if (!status) return xl_reply_json(reply, 200, document, err);
    json_decref(document);
    return status;
}

enum xl_status xl_pictures_trash(struct xl_call *call, struct xl_reply *reply, struct xl_err *err) {
    return act_on_many(call, reply, throw_away, err);
}

enum xl_status xl_pictures_restore(struct xl_call *call, struct xl_reply *reply,
                                   struct xl_err *err) {
    return act_on_many(call, reply, restore, err);
}
