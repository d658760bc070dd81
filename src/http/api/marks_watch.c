/* marks_watch.c - what has changed between two looks at all marks. */
#include "http/api/marks_watch.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "insight/index/loves.h"
#include "insight/marks/marks.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

/* Files are looked at once a second, at once after a change that this server has made. */
enum { POLL_MS = 200, LOOK_S = 1, EVENT_PICTURES = 400, MOST_PICTURES = 2000 };

struct xl_marks_watch {
    struct xl_library *library;
    struct xl_events *events;
    pthread_t thread;
    atomic_bool is_over;
    /* Of the thread: */
    struct xl_love_list known;
    int64_t fingerprint; /* of the files that `known` was read from */
    long long change;    /* of the library at the last look */
    double looked_at;
    bool is_known;
};

static bool is_same(const struct xl_love *a, const struct xl_love *b) {
    return a->is_loved == b->is_loved && a->rating == b->rating && a->is_rejected == b->is_rejected;
}

/* Those of `now` that are not so in `before`, and those that are only there, as judged no more.
 * Caller: free(out->at). */
static enum xl_status differ(const struct xl_love_list *before, const struct xl_love_list *now,
                             struct xl_love_list *out, struct xl_err *err) {
    size_t i = 0, k = 0;
    out->at = malloc((before->n + now->n + 1) * sizeof *out->at);
    out->n = 0;
    if (!out->at) return xl_fail_nomem(err, "marks", 0);
    while (i < before->n || k < now->n) {
        const struct xl_love none = {.picture = i < before->n ? before->at[i].picture : INT64_MAX};
        bool is_gone = k == now->n || none.picture < now->at[k].picture;
        const struct xl_love *is = is_gone ? &none : &now->at[k];
        const struct xl_love unjudged = {.picture = is->picture};
        bool was_there = i < before->n && before->at[i].picture == is->picture;
        if (!is_same(is, was_there ? &before->at[i] : &unjudged)) out->at[out->n++] = *is;
        i += was_there;
        k += !is_gone;
    }
    return XL_OK;
}

static void push(struct xl_events *events, const struct xl_love *at, size_t n) {
    xl_json_watch();
    json_t *object = json_object(), *list = json_array();
    bool ok = object && list;
    for (size_t i = 0; i < n && ok; i++) {
        json_t *one = json_object();
        xl_json_put(one, "id", json_integer(at[i].picture), &ok);
        xl_json_put(one, "favorite", json_boolean(at[i].is_loved), &ok);
        xl_json_put(one, "rating", json_integer(at[i].rating), &ok);
        xl_json_put(one, "rejected", json_boolean(at[i].is_rejected), &ok);
        ok &= !json_array_append_new(list, one);
    }
    xl_json_put(object, "pictures", list, &ok);
    char *text = xl_json_take_text(object, ok, JSON_COMPACT);
    xl_events_push(events, "marks", text ? text : "{\"all\":true}");
    free(text);
}

static enum xl_status read_now(struct xl_library *library, struct xl_love_list *out,
                               struct xl_err *err) {
    struct xl_index *index = NULL;
    xl_library_touch(library); /* an index that is fresh enough for others may be older */
    enum xl_status status = xl_library_take(library, &index, err);
    if (!status) status = xl_loves_read(index, out, err);
    xl_library_give(library, index);
    return status;
}

static enum xl_status look(struct xl_marks_watch *watch, struct xl_err *err) {
    struct xl_love_list now = {0}, changed = {0};
    int64_t fingerprint = xl_marks_fingerprint(xl_library_dir(watch->library));
    if (watch->is_known && fingerprint == watch->fingerprint) return XL_OK;
    enum xl_status status = read_now(watch->library, &now, err);
    if (!status && watch->is_known) status = differ(&watch->known, &now, &changed, err);
    if (!status && changed.n > MOST_PICTURES) {
        xl_events_push(watch->events, "marks", "{\"all\":true}");
        changed.n = 0;
    }
    for (size_t i = 0; i < changed.n && !status; i += EVENT_PICTURES)
        push(watch->events, &changed.at[i],
             changed.n - i < EVENT_PICTURES ? changed.n - i : EVENT_PICTURES);
    free(changed.at);
    if (status) {
        free(now.at);
        return status;
    }
    free(watch->known.at);
    watch->known = now;
    watch->fingerprint = fingerprint;
    watch->is_known = true;
    return XL_OK;
}

static void *run(void *user) {
    struct xl_marks_watch *watch = user;
    while (!atomic_load(&watch->is_over)) {
        struct xl_err err;
        nanosleep(&(struct timespec){.tv_nsec = POLL_MS * 1000000}, NULL);
        if (!xl_events_count(watch->events).n_clients) continue;
        long long change = xl_library_change(watch->library);
        if (change == watch->change && xl_now_s() - watch->looked_at < LOOK_S) continue;
        if (look(watch, &err)) xl_warn("marks: %s", err.text);
        watch->change = xl_library_change(watch->library);
        watch->looked_at = xl_now_s();
    }
    return NULL;
}

enum xl_status xl_marks_watch_start(struct xl_library *library, struct xl_events *events,
                                    struct xl_marks_watch **out, struct xl_err *err) {
    struct xl_marks_watch *watch = calloc(1, sizeof *watch);
    if (!watch) return xl_fail_nomem(err, "a look at marks", sizeof *watch);
    watch->library = library;
    watch->events = events;
    if (pthread_create(&watch->thread, NULL, run, watch)) {
        free(watch);
        return xl_fail_nomem(err, "a thread for marks", 0);
    }
    *out = watch;
    return XL_OK;
}

void xl_marks_watch_stop(struct xl_marks_watch *watch) {
    if (!watch) return;
    atomic_store(&watch->is_over, true);
    pthread_join(watch->thread, NULL);
    free(watch->known.at);
    free(watch);
}
