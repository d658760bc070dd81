/* marks_write.c - appending marks, under a lock of the instance's file. */
#include "base/append.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/lock.h"
#include "base/moment.h"
#include "insight/marks/marks.h"
#include "lab/log/instance.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LOCK_WAIT_S = 60, LOCK_POLL_MS = 10, MARKS_FORMAT = 1 };

struct xl_marks {
    int fd;
    struct xl_lock *lock;
    char *path;
};

static enum xl_status take_lock(struct xl_marks *marks, const char *path, struct xl_err *err) {
    char owner[XL_LOCK_OWNER];
    double end = xl_now_s() + LOCK_WAIT_S;
    enum xl_status status;
    do {
        status = xl_lock_take(path, &marks->lock, owner, err);
        if (status || marks->lock) return status;
        nanosleep(&(struct timespec){.tv_nsec = LOCK_POLL_MS * 1000000}, NULL);
    } while (xl_now_s() < end);
    return xl_fail(err, XL_EDISK, "%s: %s has been writing marks for a minute", path, owner);
}

static char *name_in(const char *dir, const char *instance, bool is_lock) {
    char name[XL_INSTANCE_MAX + 32];
    snprintf(name, sizeof name, "%smarks%s%s.%s", is_lock ? "." : "", *instance ? "_" : "",
             instance, is_lock ? "lock" : "jsonl");
    return xl_path_join(dir, name);
}

enum xl_status xl_marks_open(const char *dir, const char *instance, struct xl_marks **out,
                             struct xl_err *err) {
    char name[XL_INSTANCE_MAX + 1];
    xl_instance_name(instance, name);
    struct xl_marks *marks = calloc(1, sizeof *marks);
    if (!marks) return xl_fail_nomem(err, "marks", sizeof *marks);
    marks->fd = -1;
    marks->path = name_in(dir, name, false);
    char *lock = name_in(dir, name, true);
    enum xl_status status = marks->path && lock ? take_lock(marks, lock, err)
                                                : xl_fail_nomem(err, "a path", 0);
    free(lock);
    if (!status) status = xl_append_open(marks->path, &marks->fd, err);
    if (status)
        (void)!xl_marks_close(marks, NULL);
    else
        *out = marks;
    return status;
}

enum xl_status xl_marks_close(struct xl_marks *marks, struct xl_err *err) {
    enum xl_status status = XL_OK;
    if (!marks) return XL_OK;
    if (marks->fd >= 0 && fdatasync(marks->fd) && errno != EINVAL && errno != EROFS)
        status = xl_fail(err, XL_EDISK, "%s: cannot write: %s", marks->path, strerror(errno));
    if (marks->fd >= 0) close(marks->fd);
    xl_lock_release(marks->lock);
    free(marks->path);
    free(marks);
    return status;
}

const char *xl_marks_path(const struct xl_marks *marks) {
    return marks->path;
}

/* Append an object, which is released; ok false or NULL: memory was out. at: 0: now. */
static enum xl_status append_at(struct xl_marks *marks, json_t *object, bool ok, int64_t at,
                                struct xl_err *err) {
    char when[32];
    xl_moment_write(at ? at : (int64_t)time(NULL), when);
    xl_json_put(object, "marked_at", json_string(when), &ok);
    xl_json_put(object, "format", json_integer(MARKS_FORMAT), &ok);
    char *text = xl_json_take_text(object, ok, JSON_COMPACT);
    size_t n = text ? strlen(text) : 0;
    char *room = text ? malloc(n + 2) : NULL;
    if (!room) {
        free(text);
        return xl_fail_nomem(err, "a mark", 0);
    }
    memcpy(room + 1, text, n);
    room[n + 1] = '\n';
    int why = xl_append_line(marks->fd, room, n + 1, false);
    free(text);
    free(room);
    if (why) return xl_fail(err, XL_EDISK, "%s: cannot write: %s", marks->path, strerror(why));
    return XL_OK;
}

static enum xl_status append(struct xl_marks *marks, json_t *object, bool ok, struct xl_err *err) {
    return append_at(marks, object, ok, 0, err);
}

static void put_picture(json_t *object, const struct xl_marked *picture, bool *ok) {
    xl_json_put(object, "path", xl_json_text(picture->path), ok);
    xl_json_put(object, "sha256", xl_json_text(picture->sha256), ok);
    if (picture->cell) xl_json_put(object, "cell", xl_json_text(picture->cell), ok);
    xl_json_put(object, "bytes", json_integer(picture->bytes), ok);
}

static json_t *begin(const char *kind, bool *ok) {
    xl_json_watch();
    json_t *object = json_object();
    *ok = object != NULL;
    xl_json_put(object, "kind", json_string(kind), ok);
    return object;
}

enum xl_status xl_marks_put_change(struct xl_marks *marks, const struct xl_marked *picture,
                                   const struct xl_mark_change *change, struct xl_err *err) {
    bool ok;
    json_t *object = begin("favorite", &ok);
    put_picture(object, picture, &ok);
    if (change->loved >= 0) xl_json_put(object, "loved", json_boolean(change->loved), &ok);
    if (change->rating >= 0) xl_json_put(object, "rating", json_integer(change->rating), &ok);
    if (change->rejected >= 0) xl_json_put(object, "rejected", json_boolean(change->rejected), &ok);
    if (change->trashed >= 0) xl_json_put(object, "trashed", json_boolean(change->trashed), &ok);
    return append_at(marks, object, ok, change->at, err);
}

enum xl_status xl_marks_put(struct xl_marks *marks, const struct xl_marked *picture, int loved,
                            int rating, struct xl_err *err) {
    const struct xl_mark_change change = {
        .loved = loved, .rating = rating, .rejected = -1, .trashed = -1};
    return xl_marks_put_change(marks, picture, &change, err);
}

static void put_side(json_t *object, const char *key, const struct xl_marked *picture, bool *ok) {
    json_t *side = json_object();
    *ok &= side != NULL;
    put_picture(side, picture, ok);
    xl_json_put(object, key, side, ok);
}

static enum xl_status put_pair(struct xl_marks *marks, const char *kind,
                               const struct xl_marked *winner, const struct xl_marked *loser,
                               struct xl_err *err) {
    bool ok;
    json_t *object = begin(kind, &ok);
    put_side(object, "winner", winner, &ok);
    put_side(object, "loser", loser, &ok);
    return append(marks, object, ok, err);
}

enum xl_status xl_marks_put_duel(struct xl_marks *marks, const struct xl_marked *winner,
                                 const struct xl_marked *loser, struct xl_err *err) {
    return put_pair(marks, "duel", winner, loser, err);
}

enum xl_status xl_marks_undo_duel(struct xl_marks *marks, const struct xl_marked *winner,
                                  const struct xl_marked *loser, struct xl_err *err) {
    return put_pair(marks, "duel_undone", winner, loser, err);
}

enum xl_status xl_marks_put_folder(struct xl_marks *marks, const char *path, bool counts,
                                   struct xl_err *err) {
    bool ok;
    json_t *object = begin("folder", &ok);
    xl_json_put(object, "path", xl_json_text(path), &ok);
    xl_json_put(object, "counts", json_boolean(counts), &ok);
    return append(marks, object, ok, err);
}
