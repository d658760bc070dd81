/* run.c - a downloader, and the transfers of a plan on some threads. What the threads share is in
 * struct run, behind its mutex. */
#include "base/clock.h"
#include "hub/download/downloader.h"
#include "hub/download/transfer.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* --- Downloader --------------------------------------------------------------------------------
 */

enum xl_status xl_downloader_new(bool (*goes_on)(void *user), void *user,
                                 struct xl_downloader **out, struct xl_err *err) {
    const char *offline = xl_hub_offline();
    if (offline)
        return xl_fail(err, XL_ENETWORK,
                       "offline mode: %s is set, so nothing is downloaded; unset it to download",
                       offline);
    struct xl_downloader *downloader = calloc(1, sizeof *downloader);
    if (!downloader) return xl_fail_nomem(err, "a download", 0);
    downloader->goes_on = goes_on;
    downloader->user = user;
    enum xl_status status = xl_endpoint_read(&downloader->arena, &downloader->endpoint, err);
    if (!status) status = xl_http_new(&downloader->http, err);
    if (status)
        xl_downloader_free(downloader);
    else
        *out = downloader;
    return status;
}

void xl_downloader_free(struct xl_downloader *downloader) {
    if (!downloader) return;
    xl_http_free(downloader->http);
    xl_arena_deinit(&downloader->arena);
    free(downloader);
}

const char *xl_downloader_endpoint(const struct xl_downloader *downloader) {
    return downloader->endpoint.url;
}

/* --- Transfers ---------------------------------------------------------------------------------
 */

struct run {
    struct xl_downloader *downloader;
    struct xl_download_plan *plan;
    const struct xl_download_watcher *watcher;
    atomic_bool is_over; /* one failed: the others stop */
    atomic_llong bytes;  /* there now */
    pthread_mutex_t mutex;
    /* Behind the mutex: */
    int next;
    enum xl_status status;
    struct xl_err err;
};

/* One file on one thread. */
struct job {
    struct run *run;
    int64_t bytes; /* of it that are counted */
};

static void on_progress(void *user, int64_t bytes) {
    struct job *job = user;
    struct run *run = job->run;
    long long before = atomic_fetch_add(&run->bytes, bytes - job->bytes);
    run->watcher->progress(run->watcher->user, before + bytes - job->bytes);
    job->bytes = bytes;
}

static bool goes_on(void *user) {
    const struct job *job = user;
    return !atomic_load(&job->run->is_over) &&
           job->run->downloader->goes_on(job->run->downloader->user);
}

/* Link all files of the plan that have this blob. */
static enum xl_status link_all(const struct run *run, const char *blob, struct xl_err *err) {
    const struct xl_download_plan *plan = run->plan;
    int n_left = 0;
    for (int i = 0; i < plan->n; i++) n_left += !strcmp(plan->files[i].file.blob, blob);
    enum xl_status status = XL_OK;
    for (int i = 0; !status && i < plan->n; i++) {
        struct xl_download_file *file = &plan->files[i];
        if (strcmp(file->file.blob, blob)) continue;
        n_left--;
        if (xl_store_state(&plan->store, plan->commit, &file->file) == XL_FILE_THERE) continue;
        status = xl_store_link(&plan->store, plan->commit, &file->file, n_left > 0, err);
    }
    return status;
}

static enum xl_status fetch(struct run *run, struct xl_http *http, struct xl_download_file *file,
                            struct xl_err *err) {
    struct job job = {run, file->partial};
    const struct xl_transfer transfer = {.http = http,
                                         .endpoint = &run->downloader->endpoint,
                                         .store = &run->plan->store,
                                         .id = run->plan->id,
                                         .commit = run->plan->commit,
                                         .file = &file->file,
                                         .progress = on_progress,
                                         .goes_on = goes_on,
                                         .user = &job};
    const struct xl_download_watcher *watcher = run->watcher;
    double start = xl_now_s();
    bool was_there = file->state != XL_FILE_ABSENT;
    enum xl_status status = XL_OK;
    if (!was_there) {
        watcher->begin(watcher->user, file);
        status = xl_transfer_run(&transfer, &was_there, err);
        if (!status) on_progress(&job, file->file.size);
    }
    if (!status) status = link_all(run, file->file.blob, err);
    if (!status && file->state == XL_FILE_ABSENT)
        watcher->end(watcher->user, file, xl_now_s() - start, was_there);
    return status;
}

/* The next file whose blob no file before it has; NULL: none is left. */
static struct xl_download_file *next_file(struct run *run) {
    struct xl_download_plan *plan = run->plan;
    struct xl_download_file *file = NULL;
    pthread_mutex_lock(&run->mutex);
    while (!file && run->next < plan->n) {
        file = &plan->files[run->next++];
        if (file->state == XL_FILE_THERE) file = NULL;
        for (const struct xl_download_file *other = plan->files; file && other < file; other++)
            if (!strcmp(other->file.blob, file->file.blob) && other->state != XL_FILE_THERE)
                file = NULL;
    }
    pthread_mutex_unlock(&run->mutex);
    return file;
}

/* The first failure counts: the others are stopped because of it. */
static void note(struct run *run, enum xl_status status, const struct xl_err *err) {
    pthread_mutex_lock(&run->mutex);
    if (!run->status || (run->status == XL_ECANCELLED && status != XL_ECANCELLED)) {
        run->status = status;
        run->err = *err;
    }
    pthread_mutex_unlock(&run->mutex);
    atomic_store(&run->is_over, true);
}

static void *work(void *user) {
    struct run *run = user;
    struct xl_http *http = NULL;
    struct xl_err err = {0};
    struct xl_download_file *file;
    enum xl_status status = xl_http_new(&http, &err);
    while (!status && !atomic_load(&run->is_over) && (file = next_file(run)))
        status = fetch(run, http, file, &err);
    if (status) note(run, status, &err);
    xl_http_free(http);
    return NULL;
}

static void work_on_threads(struct run *run) {
    pthread_t threads[XL_DOWNLOAD_PARALLEL];
    int n = 0, most = run->plan->n_absent;
    if (most > XL_DOWNLOAD_PARALLEL) most = XL_DOWNLOAD_PARALLEL;
    while (n < most - 1 && !pthread_create(&threads[n], NULL, work, run)) n++;
    work(run);
    for (int i = 0; i < n; i++) pthread_join(threads[i], NULL);
}

static bool is_all_there(const struct xl_download_plan *plan) {
    for (int i = 0; i < plan->n; i++)
        if (plan->files[i].state != XL_FILE_THERE) return false;
    return true;
}

enum xl_status xl_download_run(struct xl_downloader *downloader, struct xl_download_plan *plan,
                               const struct xl_download_watcher *watcher, struct xl_err *err) {
    struct run run = {.downloader = downloader,
                      .plan = plan,
                      .watcher = watcher,
                      .mutex = PTHREAD_MUTEX_INITIALIZER};
    atomic_init(&run.bytes, plan->bytes - plan->bytes_left);
    bool is_there = is_all_there(plan);
    enum xl_status status = is_there ? XL_OK : xl_store_prepare(&plan->store, err);
    if (!status && !is_there) {
        work_on_threads(&run);
        status = run.status;
        if (status && err) *err = run.err;
    }
    pthread_mutex_destroy(&run.mutex);
    if (status) return status;
    status = xl_store_set_ref(&plan->store, plan->revision, plan->commit, err);
    /* A cache that is all there may be one that cannot be written to. */
    return is_there && status == XL_EDISK ? XL_OK : status;
}
