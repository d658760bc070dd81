/* downloads.c - a list under a mutex, and the thread that goes through it; the file that keeps it;
 * routes. An event is pushed, and the file written, without the mutex. */
#include "http/api/downloads.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "http/reply.h"
#include "lab/data/wanted.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum state { WAITING, RUNNING, DONE, FAILED, CANCELLED };
static const char *const states[] = {"waiting", "running", "done", "failed", "cancelled"};
enum { FORMAT = 1, MOST_BYTES = 1 << 20 }; /* of the file */
static const double tell_s = 0.25;         /* between two events about how far it is */

struct download {
    struct xl_downloads *downloads;
    int id;
    enum state state;
    struct xl_arena arena; /* of the texts */
    const char *name;
    struct xl_download_request request;
    struct xl_err err;
    int64_t bytes, there, there_at_start; /* of all files; of those that have come */
    double started_s, told_s;
    atomic_bool is_unwanted;
    struct download *next; /* the newest first */
};

struct xl_downloads {
    const struct xl_settings *settings;
    struct xl_events *events;
    char *path; /* of the file that keeps them */
    pthread_t thread;
    pthread_mutex_t saving; /* for the file, and number of the state that it has */
    int64_t saved;
    pthread_mutex_t mutex; /* guards what follows, and every download */
    pthread_cond_t changed;
    struct download *list, *at_work; /* at_work: the thread has it; NULL: none */
    int last_id;
    int64_t n_states; /* that were to be kept so far */
    bool is_over;
};

/* --- What is told ----------------------------------------------------------------------------- */

/* With the mutex. */
static json_t *describe(const struct download *download) {
    double seconds = xl_now_s() - download->started_s;
    double rate = download->state == RUNNING && seconds > 0
                      ? (double)(download->there - download->there_at_start) / seconds
                      : 0;
    json_t *object = json_object();
    bool ok = object != NULL;
    xl_json_put(object, "id", json_integer(download->id), &ok);
    xl_json_put(object, "model", xl_json_text(download->name), &ok);
    xl_json_put(object, "repository", xl_json_text(download->request.id), &ok);
    xl_json_put(object, "state", json_string(states[download->state]), &ok);
    xl_json_put(object, "bytes", download->bytes ? json_integer(download->bytes) : json_null(),
                &ok);
    xl_json_put(object, "bytes_there", json_integer(download->there), &ok);
    xl_json_put(object, "left_s",
                rate > 0 ? json_real((double)(download->bytes - download->there) / rate)
                         : json_null(),
                &ok);
    xl_json_put(object, "error",
                download->state == FAILED ? xl_json_text(download->err.text) : json_null(), &ok);
    return xl_json_finish(object, ok);
}

static void tell(struct download *download) {
    xl_json_watch();
    pthread_mutex_lock(&download->downloads->mutex);
    json_t *object = describe(download);
    pthread_mutex_unlock(&download->downloads->mutex);
    char *text = xl_json_take_text(object, object != NULL, JSON_COMPACT);
    if (text) xl_events_push(download->downloads->events, "download", text);
    free(text);
}

/* --- What is kept ----------------------------------------------------------------------------- */

static bool is_same(const char *a, const char *b) {
    return a == b || (a && b && !strcmp(a, b));
}

static bool is_same_request(const struct download *a, const struct download *b) {
    return is_same(a->request.id, b->request.id) && is_same(a->request.file, b->request.file);
}

/* What is through, or was asked for again, is of no use to the next server. With the mutex. */
static bool is_kept(const struct xl_downloads *downloads, const struct download *download) {
    if (download->state == DONE) return false;
    for (const struct download *newer = downloads->list; newer != download; newer = newer->next)
        if (is_same_request(newer, download)) return false;
    return true;
}

/* All of them, the oldest first. With the mutex. */
static json_t *write_all(const struct xl_downloads *downloads) {
    json_t *document = json_object(), *list = json_array();
    bool ok = document && list;
    for (const struct download *one = downloads->list; one && ok; one = one->next) {
        if (!is_kept(downloads, one)) continue;
        json_t *row = json_object();
        xl_json_put(row, "model", xl_json_text(one->name), &ok);
        xl_json_put(row, "state", json_string(states[one->state]), &ok);
        xl_json_put(row, "error", xl_json_text(one->err.text), &ok);
        ok = ok && !json_array_insert_new(list, 0, row);
    }
    xl_json_put(document, "format", json_integer(FORMAT), &ok);
    xl_json_put(document, "last_id", json_integer(downloads->last_id), &ok);
    xl_json_put(document, "downloads", list, &ok);
    return xl_json_finish(document, ok);
}

/* Write them down as they are now. At the end they stay as they were: under way. */
static void keep(struct xl_downloads *downloads) {
    struct xl_err why = {0};
    xl_json_watch();
    pthread_mutex_lock(&downloads->mutex);
    int64_t number = ++downloads->n_states;
    json_t *document = downloads->is_over ? NULL : write_all(downloads);
    pthread_mutex_unlock(&downloads->mutex);
    char *text = document ? xl_json_take_text(document, true, JSON_COMPACT) : NULL;
    pthread_mutex_lock(&downloads->saving);
    bool is_news = text && number > downloads->saved;
    if (is_news && xl_file_replace(downloads->path, text, strlen(text), &why))
        xl_info("downloads are not remembered: %s", why.text);
    if (is_news) downloads->saved = number;
    pthread_mutex_unlock(&downloads->saving);
    free(text);
}

/* --- The thread ------------------------------------------------------------------------------- */

static bool goes_on(void *user) {
    return !atomic_load(&((struct download *)user)->is_unwanted);
}

static void on_progress(void *user, int64_t bytes) {
    struct download *download = user;
    double now_s = xl_now_s();
    pthread_mutex_lock(&download->downloads->mutex);
    download->there = bytes;
    bool is_due = now_s - download->told_s >= tell_s;
    if (is_due) download->told_s = now_s;
    pthread_mutex_unlock(&download->downloads->mutex);
    if (is_due) tell(download);
}

static void on_begin(void *user, const struct xl_download_file *file) {
    (void)user, (void)file;
}
static void on_end(void *user, const struct xl_download_file *file, double seconds,
                   bool was_there) {
    (void)user, (void)file, (void)seconds, (void)was_there;
}

static void begin(struct download *download, const struct xl_download_plan *plan) {
    pthread_mutex_lock(&download->downloads->mutex);
    download->bytes = plan->bytes;
    download->there = download->there_at_start = plan->bytes - plan->bytes_left;
    download->started_s = xl_now_s();
    pthread_mutex_unlock(&download->downloads->mutex);
    tell(download);
}

static enum xl_status run(struct download *download, struct xl_err *err) {
    const struct xl_download_watcher watcher = {on_begin, on_end, on_progress, download};
    struct xl_downloader *downloader = NULL;
    struct xl_download_plan plan;
    struct xl_arena arena = {0};
    int64_t need, left;
    enum xl_status status = xl_downloader_new(goes_on, download, &downloader, err);
    if (!status) status = xl_download_plan(downloader, &download->request, &arena, &plan, err);
    if (!status && !xl_download_fits(&plan, 1, &need, &left))
        status = xl_fail(err, XL_EDISK, "%lld bytes are to be downloaded and %lld are free",
                         (long long)need, (long long)left);
    if (!status) begin(download, &plan);
    if (!status) status = xl_download_run(downloader, &plan, &watcher, err);
    xl_downloader_free(downloader);
    xl_arena_deinit(&arena);
    return status;
}

/* The oldest that waits. With the mutex. */
static struct download *first_waiting(struct xl_downloads *downloads) {
    struct download *found = NULL;
    for (struct download *one = downloads->list; one; one = one->next)
        if (one->state == WAITING) found = one;
    return found;
}

static void *work(void *user) {
    struct xl_downloads *downloads = user;
    pthread_mutex_lock(&downloads->mutex);
    while (!downloads->is_over) {
        struct download *download = first_waiting(downloads);
        if (!download) {
            pthread_cond_wait(&downloads->changed, &downloads->mutex);
            continue;
        }
        download->state = RUNNING;
        downloads->at_work = download;
        pthread_mutex_unlock(&downloads->mutex);
        struct xl_err err = {0};
        tell(download);
        enum xl_status status = run(download, &err);
        pthread_mutex_lock(&downloads->mutex);
        download->err = err;
        download->state = !status ? DONE : atomic_load(&download->is_unwanted) ? CANCELLED : FAILED;
        if (!status) download->there = download->bytes;
        pthread_mutex_unlock(&downloads->mutex);
        keep(downloads);
        tell(download);
        pthread_mutex_lock(&downloads->mutex);
        downloads->at_work = NULL;
    }
    pthread_mutex_unlock(&downloads->mutex);
    return NULL;
}

/* --- The list --------------------------------------------------------------------------------- */

static void free_download(struct download *download) {
    xl_arena_deinit(&download->arena);
    free(download);
}

static bool is_open(const struct download *download) {
    return download->state == WAITING || download->state == RUNNING;
}

/* One of the same files that has not ended, and how many there are. With the mutex. */
static struct download *find_same(const struct xl_downloads *downloads,
                                  const struct download *download, int *n_open) {
    struct download *found = NULL;
    *n_open = 0;
    for (struct download *one = downloads->list; one; one = one->next) {
        if (!is_open(one)) continue;
        ++*n_open;
        if (is_same_request(one, download)) found = one;
    }
    return found;
}

/* With the mutex. */
static void forget_old(struct xl_downloads *downloads) {
    int n = 0;
    for (struct download **at = &downloads->list; *at;) {
        struct download *one = *at;
        if (is_open(one) || one == downloads->at_work || ++n <= XL_DOWNLOADS_ENDED) {
            at = &one->next;
        } else {
            *at = one->next;
            free_download(one);
        }
    }
}

/* --- Handlers --------------------------------------------------------------------------------- */

static enum xl_status get_downloads(struct xl_call *call, struct xl_reply *reply,
                                    struct xl_err *err) {
    struct xl_downloads *downloads = call->user;
    xl_json_watch();
    json_t *list = json_array(), *document = json_object();
    bool ok = list && document;
    pthread_mutex_lock(&downloads->mutex);
    for (struct download *one = downloads->list; one && ok; one = one->next)
        ok = !json_array_append_new(list, describe(one));
    pthread_mutex_unlock(&downloads->mutex);
    xl_json_put(document, "downloads", list, &ok);
    return xl_reply_json(reply, 200, xl_json_finish(document, ok), err);
}

/* What a name means, with texts that live as long as the download. */
static enum xl_status read_wanted(struct xl_downloads *downloads, struct download *download,
                                  const char *model, struct xl_err *err) {
    const struct xl_list *files = &downloads->settings->model_files;
    struct xl_catalogue *catalogue = NULL;
    struct xl_wanted wanted = {.name = NULL};
    enum xl_status status = xl_catalogue_load(files->item, files->n, &catalogue, err);
    if (!status) status = xl_wanted_find(catalogue, model, NULL, &download->arena, &wanted, err);
    if (!status && !wanted.request.id)
        status = xl_fail(err, XL_EINVAL,
                         "model \"%.100s\" is a folder of this machine: nothing to download",
                         model);
    if (!status) {
        const struct xl_download_request *request = &wanted.request;
        struct xl_arena *arena = &download->arena;
        download->name = xl_arena_strdup(arena, wanted.name);
        download->request.id = xl_arena_strdup(arena, request->id);
        if (request->revision)
            download->request.revision = xl_arena_strdup(arena, request->revision);
        if (request->file) download->request.file = xl_arena_strdup(arena, request->file);
        if (!download->name || !download->request.id) status = xl_fail_nomem(err, "a download", 0);
    }
    xl_catalogue_free(catalogue);
    return status;
}

/* Put it into the list, or find it there. NULL: too many wait. *code: 201 or 200 */
static json_t *accept(struct xl_downloads *downloads, struct download **download, int *code) {
    int n_open;
    json_t *object = NULL;
    pthread_mutex_lock(&downloads->mutex);
    struct download *same = find_same(downloads, *download, &n_open);
    *code = same ? 200 : 201;
    if (same) {
        object = describe(same);
    } else if (n_open < XL_DOWNLOADS_WAITING) {
        (*download)->id = ++downloads->last_id;
        (*download)->next = downloads->list;
        downloads->list = *download;
        object = describe(*download);
        *download = NULL;
        forget_old(downloads);
        pthread_cond_signal(&downloads->changed);
    }
    pthread_mutex_unlock(&downloads->mutex);
    return object;
}

static enum xl_status post_download(struct xl_call *call, struct xl_reply *reply,
                                    struct xl_err *err) {
    const char *model = json_string_value(json_object_get(call->json, "model"));
    if (!model || json_object_size(call->json) != 1)
        return xl_reply_about(
            reply, "model", xl_fail(err, XL_EINVAL, "expected {\"model\": NAME} and nothing else"));
    struct download *download = calloc(1, sizeof *download);
    if (!download) return xl_fail_nomem(err, "a download", sizeof *download);
    download->downloads = call->user;
    int code = 0;
    enum xl_status status = read_wanted(call->user, download, model, err);
    if (status) {
        free_download(download);
        return xl_reply_about(reply, "model", status);
    }
    xl_json_watch();
    json_t *object = accept(call->user, &download, &code);
    if (download)
        free_download(download);
    else
        keep(call->user);
    if (!object && !xl_json_ran_out())
        return xl_reply_refuse(reply, 429, err, "%d downloads wait already, as many as may",
                               XL_DOWNLOADS_WAITING);
    return xl_reply_json(reply, code, object, err);
}

static enum xl_status cancel_download(struct xl_call *call, struct xl_reply *reply,
                                      struct xl_err *err) {
    struct xl_downloads *downloads = call->user;
    int64_t id = xl_call_int(call, "id", 0);
    json_t *object = NULL, *told = NULL;
    xl_json_watch();
    pthread_mutex_lock(&downloads->mutex);
    for (struct download *one = downloads->list; one; one = one->next) {
        if (one->id != id) continue;
        atomic_store(&one->is_unwanted, true);
        if (one->state == WAITING) {
            one->state = CANCELLED;
            told = describe(one);
        }
        object = describe(one);
    }
    pthread_mutex_unlock(&downloads->mutex);
    char *text = told ? xl_json_take_text(told, true, JSON_COMPACT) : NULL;
    if (text) keep(downloads);
    if (text) xl_events_push(downloads->events, "download", text);
    free(text);
    if (!object && !xl_json_ran_out())
        return xl_reply_refuse(reply, 404, err, "there is no download %lld", (long long)id);
    return xl_reply_json(reply, 200, object, err);
}

/* --- Rows ------------------------------------------------------------------------------------- */

static json_t *download_schema(void) {
    return json_pack("{s:s, s:{s:{s:s}}, s:[s], s:b}", "type", "object", "properties", "model",
                     "type", "string", "required", "model", "additionalProperties", 0);
}

static const struct xl_param of_download[] = {
    {.name = "id", .type = XL_PARAM_INT, .min = 1, .max = 2e9, .help = "of the download"},
    {.name = NULL}};
static const struct xl_route rows[] = {
    {.method = "GET",
     .pattern = "/api/v1/downloads",
     .run = get_downloads,
     .summary = "Models that are being downloaded, and the last ones that were",
     .answer = "downloads, the newest first: id, model, repository, state, bytes, bytes_there, "
               "left_s, error"},
    {.method = "POST",
     .pattern = "/api/v1/downloads",
     .run = post_download,
     .flags = XL_ROUTE_SLOW | XL_ROUTE_JSON,
     .summary = "Download a model into the cache, from where an earlier download stopped",
     .answer = "the download",
     .body_schema = download_schema},
    {.method = "DELETE",
     .pattern = "/api/v1/downloads/{id}",
     .run = cancel_download,
     .params = of_download,
     .summary = "Stop a download; what has come stays",
     .answer = "the download"},
};

struct xl_route_table xl_downloads_table(struct xl_downloads *downloads) {
    return (struct xl_route_table){
        .rows = rows, .n = sizeof rows / sizeof *rows, .user = downloads, .prefix = "/api/v1/"};
}

/* --- Beginning and end ------------------------------------------------------------------------ */

/* One that the server before had not finished: it waits again, or it had ended. */
static void take_row(struct xl_downloads *downloads, const json_t *row) {
    const char *name = json_string_value(json_object_get(row, "model"));
    const char *state = json_string_value(json_object_get(row, "state"));
    const char *error = json_string_value(json_object_get(row, "error"));
    struct download *download = name && state ? calloc(1, sizeof *download) : NULL;
    struct xl_err why = {0};
    if (!download) return;
    download->downloads = downloads;
    if (read_wanted(downloads, download, name, &why)) {
        xl_info("a download is not gone on with: %s", why.text);
        free_download(download);
        return;
    }
    download->state = !strcmp(state, states[FAILED])      ? FAILED
                      : !strcmp(state, states[CANCELLED]) ? CANCELLED
                                                          : WAITING;
    snprintf(download->err.text, sizeof download->err.text, "%s", error ? error : "");
    download->id = ++downloads->last_id;
    download->next = downloads->list;
    downloads->list = download;
}

/* What cannot be read is as if it were not there. */
static void recall(struct xl_downloads *downloads) {
    const struct xl_read_rule rule = {MOST_BYTES, XL_EINPUT, XL_EINPUT};
    json_t *document = NULL, *row;
    char *text = NULL;
    size_t n = 0, i;
    if (!xl_file_read(downloads->path, rule, &text, &n, NULL) &&
        !xl_json_parse(downloads->path, text, n, &document, NULL) &&
        json_integer_value(json_object_get(document, "format")) == FORMAT) {
        downloads->last_id = (int)json_integer_value(json_object_get(document, "last_id"));
        json_array_foreach(json_object_get(document, "downloads"), i, row) take_row(downloads, row);
    }
    json_decref(document);
    free(text);
}

static void free_all(struct xl_downloads *downloads) {
    while (downloads->list) {
        struct download *one = downloads->list;
        downloads->list = one->next;
        free_download(one);
    }
    pthread_cond_destroy(&downloads->changed);
    pthread_mutex_destroy(&downloads->mutex);
    pthread_mutex_destroy(&downloads->saving);
    free(downloads->path);
    free(downloads);
}

enum xl_status xl_downloads_new(const struct xl_settings *settings, const struct xl_queue *queue,
                                struct xl_events *events, struct xl_downloads **out,
                                struct xl_err *err) {
    struct xl_downloads *downloads = calloc(1, sizeof *downloads);
    if (!downloads) return xl_fail_nomem(err, "downloads", sizeof *downloads);
    downloads->settings = settings;
    downloads->events = events;
    pthread_mutex_init(&downloads->saving, NULL);
    pthread_mutex_init(&downloads->mutex, NULL);
    pthread_cond_init(&downloads->changed, NULL);
    downloads->path = xl_queue_file(queue, "downloads.json");
    if (downloads->path) recall(downloads);
    if (!downloads->path || pthread_create(&downloads->thread, NULL, work, downloads)) {
        free_all(downloads);
        return xl_fail_nomem(err, "a thread for downloads", 0);
    }
    *out = downloads;
    return XL_OK;
}

void xl_downloads_free(struct xl_downloads *downloads) {
    if (!downloads) return;
    pthread_mutex_lock(&downloads->mutex);
    downloads->is_over = true;
    for (struct download *one = downloads->list; one; one = one->next)
        atomic_store(&one->is_unwanted, true);
    pthread_cond_signal(&downloads->changed);
    pthread_mutex_unlock(&downloads->mutex);
    pthread_join(downloads->thread, NULL);
    free_all(downloads);
}
