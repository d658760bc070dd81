/* duel.c - pairs, choices, and taking one back. Keeps no state. */
#include "http/api/duel.h"

#include "base/json.h"
#include "http/api/pictures.h"
#include "insight/index/duel_pictures.h"
#include "insight/marks/marks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PAIRS = 10, PAIRS_MAX = XL_DUEL_PICTURES / 2 };

/* --- Pairs ------------------------------------------------------------------------------------ */

static json_t *pairs_of(const json_t *pictures, size_t most) {
    json_t *pairs = json_array();
    bool ok = pairs != NULL;
    for (size_t i = 0; ok && i + 1 < json_array_size(pictures) && i / 2 < most; i += 2) {
        json_t *pair = json_array();
        ok = pair && !json_array_append(pair, json_array_get(pictures, i)) &&
             !json_array_append(pair, json_array_get(pictures, i + 1));
        ok = ok ? !json_array_append_new(pairs, pair) : (json_decref(pair), false);
    }
    return xl_json_finish(pairs, ok);
}

static enum xl_status get_pairs(struct xl_call *call, struct xl_reply *reply, struct xl_err *err) {
    struct xl_index *index = NULL;
    struct xl_index_report report;
    json_t *pictures = NULL, *object;
    bool ok = true;
    enum xl_status status = xl_library_take(call->user, &index, err);
    if (!status)
        status = xl_duel_pictures(index, (uint64_t)xl_call_int(call, "seed", 1), &pictures, err);
    if (!status) status = xl_index_tell(index, &report, err);
    xl_library_give(call->user, index);
    if (status) {
        json_decref(pictures);
        return status;
    }
    xl_json_watch();
    object = json_object();
    xl_json_put(object, "pairs", pairs_of(pictures, (size_t)xl_call_int(call, "limit", PAIRS)),
                &ok);
    xl_json_put(object, "pictures", json_integer((json_int_t)json_array_size(pictures)), &ok);
    xl_json_put(object, "choices", json_integer(report.n_duels), &ok);
    json_decref(pictures);
    return xl_reply_json(reply, 200, xl_json_finish(object, ok), err);
}

/* --- Choices ---------------------------------------------------------------------------------- */

enum { WINNER, LOSER, SIDES };
static const char *const sides[] = {[WINNER] = "winner", [LOSER] = "loser"};

/* {"winner": ID, "loser": ID}; an ID is a number, or a text as addresses have it. */
static enum xl_status read_ids(struct xl_call *call, struct xl_reply *reply, const char *ids[SIDES],
                               struct xl_err *err) {
    for (int i = 0; i < SIDES; i++) {
        const json_t *id = json_object_get(call->json, sides[i]);
        ids[i] = json_is_integer(id)
                     ? xl_arena_printf(&call->arena, "%lld", (long long)json_integer_value(id))
                     : json_string_value(id);
        if (!ids[i])
            return xl_reply_about(
                reply, sides[i],
                xl_fail(err, XL_EINVAL, "%s: expected the id of a picture", sides[i]));
    }
    if (json_object_size(call->json) == SIDES) return XL_OK;
    return xl_fail(err, XL_EINVAL, "expected {\"winner\": ID, \"loser\": ID} and nothing else");
}

/* What marks say of a picture. */
static enum xl_status read_side(struct xl_call *call, struct xl_reply *reply, int side,
                                const char *id, struct xl_mark_file *out, struct xl_err *err) {
    json_t *picture = NULL;
    char place[64];
    int fd = -1;
    enum xl_status status = xl_picture_of_id(call, reply, sides[side], id, &picture, err);
    if (!status) status = xl_picture_open(call, reply, picture, &fd, err);
    if (!status) {
        snprintf(place, sizeof place, "/proc/self/fd/%d", fd);
        status = xl_mark_file_read(place, out, err);
    }
    if (fd >= 0) close(fd);
    const char *path = json_string_value(json_object_get(picture, "path"));
    if (!status) {
        out->is.path = xl_arena_strdup(&call->arena, path);
        if (!out->is.path) status = xl_fail_nomem(err, "a path", 0);
    }
    json_decref(picture);
    return status;
}

static enum xl_status put(struct xl_call *call, struct xl_reply *reply, bool is_undone,
                          struct xl_err *err) {
    const struct xl_settings *settings = xl_library_settings(call->user);
    const char *ids[SIDES];
    struct xl_marks *marks = NULL;
    struct xl_mark_file *files = calloc(SIDES, sizeof *files);
    enum xl_status status = files ? read_ids(call, reply, ids, err)
                                  : xl_fail_nomem(err, "two pictures", SIDES * sizeof *files);
    for (int i = 0; i < SIDES && !status; i++)
        status = read_side(call, reply, i, ids[i], &files[i], err);
    if (!status && !strcmp(files[WINNER].sha256, files[LOSER].sha256))
        status = xl_reply_about(reply, "loser",
                                xl_fail(err, XL_EINVAL, "loser: it is the same picture as winner"));
    if (!status)
        status = xl_marks_open(xl_library_dir(call->user), settings->instance, &marks, err);
    if (!status)
        status = (is_undone ? xl_marks_undo_duel : xl_marks_put_duel)(marks, &files[WINNER].is,
                                                                      &files[LOSER].is, err);
    enum xl_status closed = xl_marks_close(marks, status ? NULL : err);
    free(files);
    xl_library_touch(call->user);
    if (!status) status = closed;
    if (!status) xl_reply_empty(reply, 204);
    return status;
}

static enum xl_status post_choice(struct xl_call *call, struct xl_reply *reply,
                                  struct xl_err *err) {
    return put(call, reply, false, err);
}

static enum xl_status post_undo(struct xl_call *call, struct xl_reply *reply, struct xl_err *err) {
    return put(call, reply, true, err);
}

/* --- Rows ------------------------------------------------------------------------------------- */

static const struct xl_param of_pairs[] = {
    {.name = "limit", .type = XL_PARAM_INT, .min = 1, .max = PAIRS_MAX, .help = "of pairs; 10"},
    {.name = "seed",
     .type = XL_PARAM_INT,
     .max = 9e15,
     .help = "another one gives other pairs, the same one the same"},
    {.name = NULL}};
static const struct xl_route rows[] = {
    {.method = "GET",
     .pattern = "/api/v1/duel",
     .run = get_pairs,
     .flags = XL_ROUTE_SLOW,
     .params = of_pairs,
     .summary = "Pairs of pictures to choose between, of the newest ones",
     .answer = "pairs of pictures, pictures: how many there are, choices: how many were made"},
    {.method = "POST",
     .pattern = "/api/v1/duel",
     .run = post_choice,
     .flags = XL_ROUTE_SLOW | XL_ROUTE_JSON,
     .summary = "Say which of two pictures is the better one: {\"winner\": ID, \"loser\": ID}",
     .answer = "nothing"},
    {.method = "POST",
     .pattern = "/api/v1/duel/undo",
     .run = post_undo,
     .flags = XL_ROUTE_SLOW | XL_ROUTE_JSON,
     .summary = "Take the newest such choice back: {\"winner\": ID, \"loser\": ID}",
     .answer = "nothing"},
};

struct xl_route_table xl_duel_table(struct xl_library *library) {
    return (struct xl_route_table){
        .rows = rows, .n = sizeof rows / sizeof *rows, .user = library, .prefix = "/api/v1/"};
}
