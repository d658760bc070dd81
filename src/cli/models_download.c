/* models_download.c - sdxl-lab models download: models from a hub into the cache. */
#include "cli/download.h"
#include "cli/models.h"

#include "base/log.h"
#include "base/str.h"
#include "hub/hub.h"
#include "lab/data/wanted.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* All that is to be downloaded. */
struct download {
    const struct xl_settings *settings;
    struct xl_catalogue *catalogue;
    struct xl_downloader *downloader;
    struct xl_arena arena;
    struct xl_download_item *items;
    int n;
};

static bool goes_on(void *user) {
    (void)user;
    return !xl_interrupted();
}

/* --- Which -------------------------------------------------------------------------------------
 */

static bool is_same(const char *a, const char *b) {
    return a == b || (a && b && !strcmp(a, b));
}

/* Add a model unless it is there: two names may mean the same. */
static void add(struct download *download, const struct xl_wanted *wanted) {
    const struct xl_download_request *request = &wanted->request;
    if (!request->id) {
        if (!download->settings->all)
            xl_note("%s is a folder of this machine: nothing to download", wanted->name);
        return;
    }
    for (int i = 0; i < download->n; i++) {
        const struct xl_download_request *other = &download->items[i].request;
        if (!strcmp(other->id, request->id) && is_same(other->file, request->file)) return;
    }
    download->items[download->n++] = (struct xl_download_item){
        .name = wanted->name, .entry = wanted->entry, .request = *request};
}

static enum xl_status add_named(struct download *download, const char *name, struct xl_err *err) {
    struct xl_wanted wanted;
    enum xl_status status = xl_wanted_find(download->catalogue, name, download->settings->revision,
                                           &download->arena, &wanted, err);
    if (!status) add(download, &wanted);
    return status;
}

static enum xl_status add_all(struct download *download, struct xl_err *err) {
    const struct xl_settings *settings = download->settings;
    int n_known = xl_catalogue_count(download->catalogue);
    size_t most = (size_t)(n_known + settings->n_arguments + 1);
    download->items = xl_arena_alloc(&download->arena, most * sizeof *download->items);
    if (!download->items) return xl_fail_nomem(err, "a list of models", 0);
    if (!settings->all && !settings->n_arguments)
        return xl_fail(err, XL_EINVAL,
                       "models download: expected a name of sdxl-lab models list, a repository "
                       "(org/name), or --all");
    if (settings->all && settings->revision)
        return xl_fail(err, XL_EINVAL, "--revision: is of one repository, not of --all");
    enum xl_status status = XL_OK;
    for (int i = 0; !status && i < settings->n_arguments; i++)
        status = add_named(download, settings->arguments[i], err);
    for (int i = 0; settings->all && i < n_known; i++) {
        const struct xl_wanted wanted =
            xl_wanted_entry(xl_catalogue_at(download->catalogue, i), settings->revision);
        add(download, &wanted);
    }
    return status;
}

/* --- Plans -------------------------------------------------------------------------------------
 */

/* A LoRA draws with another model. */
static enum xl_status look_for_base(struct download *download, struct xl_download_item *item,
                                    struct xl_err *err) {
    const struct xl_catalogue_model *entry = item->entry, *base;
    struct xl_catalogue_status state;
    if (!entry || entry->kind != XL_KIND_LORA || !entry->base) return XL_OK;
    base = xl_catalogue_find(download->catalogue, entry->base);
    for (int i = 0; base && i < download->n; i++)
        if (download->items[i].entry == base) return XL_OK; /* it comes along */
    enum xl_status status = base ? xl_catalogue_state(base, NULL, &download->arena, &state, err)
                                 : XL_OK;
    if (!status && (!base || state.state != XL_MODEL_READY)) item->needs = entry->base;
    return status;
}

/* A model that cannot be had does not keep the others from coming; what ends everything does. */
static bool ends_all(enum xl_status status) {
    return status == XL_ECANCELLED || status == XL_ENOMEM || status == XL_EDISK;
}

static enum xl_status plan_all(struct download *download, struct xl_err *err) {
    for (int i = 0; i < download->n; i++) {
        struct xl_download_item *item = &download->items[i];
        item->status = xl_download_plan(download->downloader, &item->request, &download->arena,
                                        &item->plan, &item->err);
        if (!item->status) item->status = look_for_base(download, item, &item->err);
        if (ends_all(item->status)) {
            if (err) *err = item->err;
            return item->status;
        }
        if (item->status && download->n > 1) xl_warn("%s", item->err.text);
    }
    return XL_OK;
}

static enum xl_status print_plans(const struct download *download, struct xl_err *err) {
    enum xl_status status = XL_OK;
    int64_t bytes = 0;
    int n = 0;
    char size[XL_BYTES_MAX];
    for (int i = 0; !status && i < download->n; i++) {
        if (download->items[i].status) continue;
        status = xl_print_download(&download->items[i], download->settings->verbose, err);
        bytes += download->items[i].plan.bytes_left;
        n++;
    }
    if (n > 1) printf("%d models, %s to download\n", n, xl_bytes_text(bytes, size));
    fflush(stdout);
    return status;
}

static enum xl_status check_room(const struct download *download, struct xl_err *err) {
    struct xl_download_plan *plans = calloc((size_t)download->n + 1, sizeof *plans);
    int64_t need = 0, left = 0;
    char wanted[XL_BYTES_MAX], there[XL_BYTES_MAX];
    int n = 0;
    if (!plans) return xl_fail_nomem(err, "a list of models", 0);
    for (int i = 0; i < download->n; i++)
        if (!download->items[i].status) plans[n++] = download->items[i].plan;
    bool fits = xl_download_fits(plans, n, &need, &left);
    const char *root = n ? plans[0].store.root : "";
    free(plans);
    if (fits) return XL_OK;
    return xl_fail(
        err, XL_EDISK,
        "%s: %s are to be downloaded and %s are free; make room, or let HF_HUB_CACHE name "
        "a folder on another disk",
        root, xl_bytes_text(need, wanted), xl_bytes_text(left, there));
}

/* --- Transfers ---------------------------------------------------------------------------------
 */

/* What came is what was wanted; whether it is a model that can be drawn with is told by its files.
 */
static void look_at(const struct download *download, struct xl_download_item *item) {
    const struct xl_download_plan *plan = &item->plan;
    struct xl_arena scratch = {0};
    const struct xl_snapshot snapshot = {.dir = plan->dir, .id = plan->id, .commit = plan->commit};
    struct xl_pipeline_files files;
    struct xl_err why = {0};
    if (plan->kind == XL_REPO_PIPELINE && xl_hub_pipeline(&snapshot, NULL, &scratch, &files, &why))
        xl_warn("%s", why.text);
    else if (!download->settings->json)
        printf("%s: ready, in %s\n", item->name, plan->dir);
    fflush(stdout);
    xl_arena_deinit(&scratch);
}

static enum xl_status run_all(struct download *download, struct xl_err *err) {
    enum xl_status status = XL_OK;
    struct xl_download_progress *progress =
        xl_download_progress_new(download->items, download->n, download->settings->quiet);
    for (int i = 0; i < download->n; i++) {
        struct xl_download_item *item = &download->items[i];
        if (item->status) continue;
        const struct xl_download_watcher watcher = xl_download_watch(progress, &item->plan);
        item->status = xl_download_run(download->downloader, &item->plan, &watcher, &item->err);
        item->is_done = !item->status;
        if (!ends_all(item->status)) {
            if (item->status && download->n > 1) xl_warn("%s", item->err.text);
            continue;
        }
        status = item->status;
        if (err) *err = item->err;
        break;
    }
    xl_download_progress_free(progress);
    for (int i = 0; i < download->n; i++)
        if (download->items[i].is_done) look_at(download, &download->items[i]);
    if (status == XL_ECANCELLED)
        xl_note("what has come stays; the same command goes on from there");
    return status;
}

/* The first failure, or how many there are. */
static enum xl_status judge(const struct download *download, struct xl_err *err) {
    int n = 0, first = -1;
    for (int i = 0; i < download->n; i++) {
        if (!download->items[i].status) continue;
        if (first < 0) first = i;
        n++;
    }
    if (!n) return XL_OK;
    const struct xl_download_item *item = &download->items[first];
    if (download->n > 1)
        return xl_fail(err, item->status, "%d of %d models could not be downloaded", n,
                       download->n);
    if (err) *err = item->err;
    return item->status;
}

static enum xl_status work(struct download *download, struct xl_err *err) {
    const struct xl_settings *settings = download->settings;
    enum xl_status status = plan_all(download, err);
    if (status) return status;
    if (!settings->json) status = print_plans(download, err);
    if (!status) status = check_room(download, err);
    if (!status && !settings->dry_run) status = run_all(download, err);
    if (settings->json && status != XL_ENOMEM) {
        enum xl_status printed = xl_print_downloads_json(download->items, download->n, err);
        if (!status) status = printed;
    }
    return status ? status : judge(download, err);
}

static enum xl_status run(const struct xl_settings *settings, struct xl_err *err) {
    struct download download = {.settings = settings};
    enum xl_status status = xl_catalogue_load(settings->model_files.item, settings->model_files.n,
                                              &download.catalogue, err);
    if (!status) status = add_all(&download, err);
    if (!status && download.n) {
        status = xl_downloader_new(goes_on, NULL, &download.downloader, err);
        if (!status) status = work(&download, err);
    }
    xl_downloader_free(download.downloader);
    xl_catalogue_free(download.catalogue);
    xl_arena_deinit(&download.arena);
    return status;
}

const struct xl_command xl_command_models_download = {
    .name = "models download",
    .summary = "models from Hugging Face into the cache: what the lab needs of them",
    .usage = "[OPTIONS] KEY|ID|ID:FILE...",
    .positional = "[KEY|ID...]",
    .words = XL_COMPLETE_MODEL,
    .commands = XL_FOR_DOWNLOAD,
    .epilogue =
        "Of each model configurations, tokenizers and one set of safetensors files: fp16 where "
        "there "
        "is such a set, about 7 GB. ID:FILE takes one file of a repository.\n"
        "A download that was interrupted is gone on with; every file is checked against its "
        "digest. "
        "The cache is the one of the Hugging Face tools, and either may go on with what the other "
        "began.\n"
        "HF_TOKEN, HF_ENDPOINT, HF_HUB_OFFLINE and the variables of proxies count; "
        "docs/DOWNLOAD.md "
        "says how.",
    .run = run,
};
