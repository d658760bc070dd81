/* marks_read.c - the files of marks, and what was said last. */
#include "base/arena.h"
#include "base/file.h"
#include "base/json.h"
#include "base/moment.h"
#include "base/str.h"
#include "insight/marks/marks.h"
#include "lab/log/job_log.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A line, before it is known what came last. */
struct event {
    int64_t order; /* of reading */
    const char *at;
    enum { FAVORITE, DUEL, DUEL_UNDONE, FOLDER } kind;
    struct xl_marked one, two;
    int loved, rating, rejected, trashed; /* -1: not said */
};

struct xl_mark_list {
    struct xl_arena arena;
    struct event *events;
    int n_events, capacity;
    struct xl_mark *marks;
    struct xl_mark_duel *duels;
    const char **folders;
    int n_marks, n_duels, n_folders, n_files;
    int64_t n_damaged;
};

/* --- Files ------------------------------------------------------------------------------------ */

static int is_marks(const struct dirent *entry) {
    return !strncmp(entry->d_name, "marks", 5) && xl_ends_with(entry->d_name, ".jsonl");
}

static void free_entries(struct dirent **entries, int n) {
    for (int i = 0; i < n; i++) free(entries[i]);
    free(entries);
}

int64_t xl_marks_fingerprint(const char *dir) {
    struct dirent **entries = NULL;
    uint64_t sum = 1;
    int n = scandir(dir, &entries, is_marks, alphasort);
    for (int i = 0; i < n; i++) {
        struct stat st;
        char *path = xl_path_join(dir, entries[i]->d_name);
        if (path && !stat(path, &st)) {
            const uint64_t parts[] = {(uint64_t)st.st_ino, (uint64_t)st.st_size,
                                      (uint64_t)st.st_mtim.tv_sec, (uint64_t)st.st_mtim.tv_nsec};
            for (int k = 0; k < 4; k++) sum = (sum ^ parts[k]) * UINT64_C(0x100000001B3);
        }
        free(path);
    }
    free_entries(entries, n > 0 ? n : 0);
    return (int64_t)sum;
}

/* --- Lines ------------------------------------------------------------------------------------ */

static const char *text_in(struct xl_mark_list *list, const json_t *object, const char *key) {
    const char *text = json_string_value(json_object_get(object, key));
    return text ? xl_arena_strdup(&list->arena, text) : NULL;
}

static bool read_picture(struct xl_mark_list *list, const json_t *object, struct xl_marked *out) {
    *out = (struct xl_marked){.path = text_in(list, object, "path"),
                              .sha256 = text_in(list, object, "sha256"),
                              .cell = text_in(list, object, "cell"),
                              .bytes = json_integer_value(json_object_get(object, "bytes"))};
    return out->path && out->sha256;
}

static bool read_event(struct xl_mark_list *list, const json_t *object, struct event *event) {
    const char *kind = json_string_value(json_object_get(object, "kind"));
    const json_t *loved = json_object_get(object, "loved");
    const json_t *rating = json_object_get(object, "rating");
    event->at = text_in(list, object, "marked_at");
    event->loved = event->rating = event->rejected = event->trashed = -1;
    if (!kind || !event->at) return false;
    if (!strcmp(kind, "folder")) {
        event->kind = FOLDER;
        event->one.path = text_in(list, object, "path");
        event->loved = json_is_true(json_object_get(object, "counts"));
        return event->one.path != NULL;
    }
    if (!strcmp(kind, "duel") || !strcmp(kind, "duel_undone")) {
        event->kind = strcmp(kind, "duel") ? DUEL_UNDONE : DUEL;
        return read_picture(list, json_object_get(object, "winner"), &event->one) &&
               read_picture(list, json_object_get(object, "loser"), &event->two);
    }
    if (strcmp(kind, "favorite") != 0) return false;
    event->kind = FAVORITE;
    const json_t *rejected = json_object_get(object, "rejected");
    const json_t *trashed = json_object_get(object, "trashed");
    if (json_is_boolean(loved)) event->loved = json_is_true(loved);
    if (json_is_boolean(rejected)) event->rejected = json_is_true(rejected);
    if (json_is_boolean(trashed)) event->trashed = json_is_true(trashed);
    json_int_t number = json_integer_value(rating);
    if (json_is_integer(rating) && number >= 0 && number <= XL_RATING_MAX)
        event->rating = (int)number;
    return read_picture(list, object, &event->one);
}

static enum xl_status take_line(void *user, const json_t *object, int64_t line,
                                struct xl_err *err) {
    struct xl_mark_list *list = user;
    (void)line;
    if (list->n_events == list->capacity) {
        int capacity = list->capacity ? 2 * list->capacity : 256;
        struct event *larger = realloc(list->events, (size_t)capacity * sizeof *larger);
        if (!larger) return xl_fail_nomem(err, "marks", (size_t)capacity * sizeof *larger);
        list->events = larger;
        list->capacity = capacity;
    }
    struct event *event = &list->events[list->n_events];
    *event = (struct event){.order = list->n_events};
    if (read_event(list, object, event))
        list->n_events++;
    else
        list->n_damaged++;
    return XL_OK;
}

static enum xl_status read_files(struct xl_mark_list *list, const char *dir, struct xl_err *err) {
    struct dirent **entries = NULL;
    enum xl_status status = XL_OK;
    int n = scandir(dir, &entries, is_marks, alphasort);
    if (n < 0 && errno != ENOENT)
        return xl_fail(err, XL_EINPUT, "%s: cannot list: %s", dir, strerror(errno));
    for (int i = 0; i < n && !status; i++) {
        struct xl_job_counts counts = {0};
        char *path = xl_path_join(dir, entries[i]->d_name);
        status = path ? xl_job_log_read(path, take_line, list, &counts, err)
                      : xl_fail_nomem(err, "a path", 0);
        list->n_damaged += counts.n_damaged;
        list->n_files++;
        free(path);
    }
    free_entries(entries, n > 0 ? n : 0);
    return status;
}

/* --- What counts ------------------------------------------------------------------------------ */

static int by_time(const void *a, const void *b) {
    const struct event *x = a, *y = b;
    int order = strcmp(x->at, y->at);
    return order ? order : (x->order > y->order) - (x->order < y->order);
}

/* Marks by digest: positions + 1 in an open table of a power of two. */
struct table {
    int *at;
    size_t capacity;
};

static size_t hash_of(const char *text) {
    uint64_t hash = UINT64_C(0xCBF29CE484222325);
    for (; *text; text++) hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001B3);
    return (size_t)(hash ^ hash >> 29);
}

static int mark_of(struct xl_mark_list *list, struct table *table, const struct xl_marked *one) {
    size_t mask = table->capacity - 1, at = hash_of(one->sha256) & mask;
    for (; table->at[at]; at = (at + 1) & mask)
        if (!strcmp(list->marks[table->at[at] - 1].picture.sha256, one->sha256)) break;
    if (!table->at[at]) {
        list->marks[list->n_marks] = (struct xl_mark){.picture = *one};
        table->at[at] = ++list->n_marks;
    }
    struct xl_mark *mark = &list->marks[table->at[at] - 1];
    mark->picture = *one; /* where it was last */
    return table->at[at] - 1;
}

static void take_folder(struct xl_mark_list *list, const struct event *event) {
    int i = 0;
    while (i < list->n_folders && strcmp(list->folders[i], event->one.path) != 0) i++;
    if (event->loved && i == list->n_folders) list->folders[list->n_folders++] = event->one.path;
    if (!event->loved && i < list->n_folders) list->folders[i] = list->folders[--list->n_folders];
}

static void take_duel_back(struct xl_mark_list *list, int winner, int loser) {
    int i = list->n_duels - 1;
    while (i >= 0 && (list->duels[i].winner != winner || list->duels[i].loser != loser)) i--;
    if (i < 0) return;
    size_t n_later = (size_t)(list->n_duels - i - 1);
    memmove(&list->duels[i], &list->duels[i + 1], n_later * sizeof *list->duels);
    list->n_duels--;
}

static void take_event(struct xl_mark_list *list, struct table *table, const struct event *event) {
    if (event->kind == FOLDER) {
        take_folder(list, event);
        return;
    }
    int one = mark_of(list, table, &event->one);
    struct xl_mark *mark = &list->marks[one];
    if (event->kind == DUEL || event->kind == DUEL_UNDONE) {
        int two = mark_of(list, table, &event->two);
        if (event->kind == DUEL_UNDONE)
            take_duel_back(list, one, two);
        else if (one != two)
            list->duels[list->n_duels++] = (struct xl_mark_duel){.winner = one, .loser = two};
        return;
    }
    if (event->loved >= 0) mark->is_loved = event->loved;
    if (event->rating >= 0) mark->rating = event->rating;
    if (event->rejected >= 0) mark->is_rejected = event->rejected;
    if (event->trashed >= 0) mark->is_trashed = event->trashed;
    bool is_judged = event->loved >= 0 || event->rating >= 0 || event->rejected >= 0;
    if (is_judged) mark->marked_at = xl_moment_of(event->at);
}

static enum xl_status settle(struct xl_mark_list *list, struct xl_err *err) {
    size_t n = (size_t)list->n_events + 1;
    struct table table = {.capacity = 64};
    while (table.capacity < 4 * n) table.capacity *= 2;
    table.at = calloc(table.capacity, sizeof *table.at);
    list->marks = calloc(2 * n, sizeof *list->marks);
    list->duels = calloc(n, sizeof *list->duels);
    list->folders = calloc(n, sizeof *list->folders);
    if (!table.at || !list->marks || !list->duels || !list->folders) {
        free(table.at);
        return xl_fail_nomem(err, "marks", table.capacity * sizeof *table.at);
    }
    if (list->n_events) qsort(list->events, (size_t)list->n_events, sizeof *list->events, by_time);
    for (int i = 0; i < list->n_events; i++) take_event(list, &table, &list->events[i]);
    free(table.at);
    return XL_OK;
}

enum xl_status xl_marks_read(const char *dir, struct xl_mark_list **out, struct xl_err *err) {
    struct xl_mark_list *list = calloc(1, sizeof *list);
    if (!list) return xl_fail_nomem(err, "marks", sizeof *list);
    enum xl_status status = read_files(list, dir, err);
    if (!status) status = settle(list, err);
    if (status)
        xl_marks_free(list);
    else
        *out = list;
    return status;
}

void xl_marks_free(struct xl_mark_list *list) {
    if (!list) return;
    xl_arena_deinit(&list->arena);
    free(list->events);
    free(list->marks);
    free(list->duels);
    free(list->folders);
    free(list);
}

struct xl_mark_view xl_marks_view(const struct xl_mark_list *list) {
    return (struct xl_mark_view){.marks = list->marks,
                                 .n_marks = list->n_marks,
                                 .duels = list->duels,
                                 .n_duels = list->n_duels,
                                 .folders = list->folders,
                                 .n_folders = list->n_folders,
                                 .n_damaged = list->n_damaged,
                                 .n_files = list->n_files};
}
