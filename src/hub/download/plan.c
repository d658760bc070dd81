/* plan.c - what a download will do: the commit, the files, and which of them are there. Used by one
 * thread at a time. */
#include "base/file.h"
#include "hub/download/downloader.h"
#include "hub/hub.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_PAGES = 1000, MOST_PAUSES = 3 };

struct asking {
    struct xl_downloader *downloader;
    struct xl_question question;
    struct xl_retry retry;
    struct xl_arena *arena;
};

static enum xl_status nomem(struct xl_err *err) {
    return xl_fail_nomem(err, "the plan of a download", 0);
}

static enum xl_status ask_info(struct asking *asking, struct xl_repo_info *info,
                               struct xl_err *err) {
    const struct xl_question *q = &asking->question;
    const char *url = xl_endpoint_info_url(q->endpoint, q->id, q->revision, asking->arena);
    struct xl_http_answer answer;
    char *text = NULL;
    size_t n;
    if (!url) return nomem(err);
    enum xl_status status =
        xl_ask_text(asking->downloader->http, q, url, &asking->retry, &text, &n, &answer, err);
    if (!status) status = xl_repo_info_read(url, text, n, asking->arena, info, err);
    free(text);
    return status;
}

/* A page's link leads to the same hub, or the token would go elsewhere. */
static bool is_of_hub(const struct xl_endpoint *endpoint, const char *url) {
    size_t n = strlen(endpoint->url);
    return !strncmp(url, endpoint->url, n) && url[n] == '/';
}

static enum xl_status ask_listing(struct asking *asking, const char *commit,
                                  struct xl_repo_listing *listing, struct xl_err *err) {
    const struct xl_question *q = &asking->question;
    const char *url = xl_endpoint_tree_url(q->endpoint, q->id, commit, asking->arena);
    enum xl_status status = url ? XL_OK : nomem(err);
    for (int page = 0; !status && url; page++) {
        struct xl_http_answer answer;
        char *text = NULL;
        size_t n;
        asking->retry.n = 0;
        status =
            xl_ask_text(asking->downloader->http, q, url, &asking->retry, &text, &n, &answer, err);
        if (!status) status = xl_repo_listing_add(listing, url, text, n, asking->arena, err);
        free(text);
        if (status || !answer.next[0]) break;
        url = NULL;
        if (answer.next[0] == '/')
            url = xl_arena_printf(asking->arena, "%s%s", q->endpoint->url, answer.next);
        else if (is_of_hub(q->endpoint, answer.next))
            url = xl_arena_strdup(asking->arena, answer.next);
        if (!url || page == MAX_PAGES)
            status = xl_fail(err, XL_ENETWORK,
                             "model %s: the list of files goes on where it should not", q->id);
    }
    return status;
}

/* --- What is there -----------------------------------------------------------------------------
 */

static int largest_first(const void *a, const void *b) {
    const struct xl_download_file *x = a, *y = b;
    if (x->file.size != y->file.size) return x->file.size > y->file.size ? -1 : 1;
    return strcmp(x->file.path, y->file.path);
}

/* Blobs that several files share are counted, and transferred, once. */
static bool is_again(const struct xl_download_plan *plan, int i) {
    for (int k = 0; k < i; k++)
        if (!strcmp(plan->files[k].file.blob, plan->files[i].file.blob)) return true;
    return false;
}

static enum xl_status choose(const struct xl_download_request *request,
                             const struct xl_repo_listing *listing, struct xl_arena *arena,
                             struct xl_download_plan *plan, struct xl_err *err) {
    struct xl_selection selection;
    bool *is_there = xl_arena_alloc(arena, (size_t)listing->n + 1);
    if (!is_there) return nomem(err);
    for (int i = 0; i < listing->n; i++)
        is_there[i] = xl_store_state(&plan->store, plan->commit, &listing->file[i]) !=
                      XL_FILE_ABSENT;
    enum xl_status status =
        xl_hub_select(listing, request->id, request->file, is_there, arena, &selection, err);
    if (status) return status;
    plan->kind = selection.kind;
    plan->files = xl_arena_alloc(arena, (size_t)(listing->n + 1) * sizeof *plan->files);
    if (!plan->files) return nomem(err);
    for (int i = 0; i < listing->n; i++)
        if (selection.wanted[i]) plan->files[plan->n++].file = listing->file[i];
    qsort(plan->files, (size_t)plan->n, sizeof *plan->files, largest_first);
    for (int i = 0; i < plan->n; i++) {
        struct xl_download_file *file = &plan->files[i];
        file->state = xl_store_state(&plan->store, plan->commit, &file->file);
        if (is_again(plan, i)) continue;
        plan->bytes += file->file.size;
        if (file->state != XL_FILE_ABSENT) continue;
        file->partial = xl_store_partial_bytes(&plan->store, &file->file);
        plan->bytes_left += file->file.size - file->partial;
        plan->n_absent++;
    }
    return XL_OK;
}

enum xl_status xl_download_plan(struct xl_downloader *downloader,
                                const struct xl_download_request *request, struct xl_arena *arena,
                                struct xl_download_plan *out, struct xl_err *err) {
    struct xl_download_plan plan = {.id = request->id};
    struct xl_repo_info info;
    struct xl_repo_listing listing = {0};
    plan.revision = request->revision ? request->revision : "main";
    struct asking asking = {
        .downloader = downloader,
        .question = {&downloader->endpoint, request->id, plan.revision, NULL},
        .retry = {.most = MOST_PAUSES, .goes_on = downloader->goes_on, .user = downloader->user},
        .arena = arena};
    enum xl_status status = xl_hub_check_id(request->id, request->revision, err);
    if (!status)
        status = xl_store_find(request->id, downloader->endpoint.no_links, arena, &plan.store, err);
    if (!status) status = ask_info(&asking, &info, err);
    if (!status) status = ask_listing(&asking, info.commit, &listing, err);
    if (status) return status;
    plan.commit = info.commit;
    plan.licence = info.licence;
    plan.is_gated = info.is_gated;
    plan.dir = xl_arena_printf(arena, "%s/snapshots/%s", plan.store.dir, plan.commit);
    if (!plan.dir) return nomem(err);
    status = choose(request, &listing, arena, &plan, err);
    if (!status) *out = plan;
    return status;
}

bool xl_download_fits(const struct xl_download_plan *plans, int n, int64_t *need,
                      int64_t *free_bytes) {
    for (int i = 0; i < n; i++) {
        *need = 0;
        for (int k = 0; k < n; k++)
            if (!strcmp(plans[k].store.root, plans[i].store.root)) *need += plans[k].bytes_left;
        *free_bytes = xl_store_free_bytes(&plans[i].store);
        if (*need && *free_bytes >= 0 && *need > *free_bytes) return false;
    }
    return true;
}
