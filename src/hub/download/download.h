/* download.h - models from a hub into the Hugging Face cache: a plan of what a model needs, then
 * the transfers, several at a time. What it writes is what the Python library writes, so that
 * either goes on with what the other began. In offline mode nothing here opens a socket.
 */
#ifndef XL_HUB_DOWNLOAD_DOWNLOAD_H
#define XL_HUB_DOWNLOAD_DOWNLOAD_H

#include "base/arena.h"
#include "hub/download/select.h"
#include "hub/download/store.h"

struct xl_downloader; /* opaque */

/* What a download is asked for with. */
struct xl_download_request {
    const char *id;       /* "org/name" */
    const char *revision; /* NULL: main */
    const char *file;     /* one file of it; NULL: what the lab needs */
};

struct xl_download_file {
    struct xl_repo_file file;
    enum xl_file_state state;
    int64_t partial; /* bytes of it that an earlier download left */
};

/* Strings live in the arena that the plan was made with. */
struct xl_download_plan {
    const char *id, *revision, *commit;
    const char *licence; /* as the repository's card says; "": nothing */
    bool is_gated;
    enum xl_repo_kind kind;
    struct xl_store store;
    const char *dir;                /* of the snapshot */
    struct xl_download_file *files; /* n of them, the largest first */
    int n, n_absent;                /* n_absent: that are to be transferred */
    int64_t bytes, bytes_left;      /* of all; still to be transferred */
};

/* Reads the environment (endpoint.h). goes_on: asked often, on any thread; false: stop.
 * Errors: XL_ENETWORK offline mode, or built without libcurl; XL_EINVAL; XL_ENOMEM */
enum xl_status xl_downloader_new(bool (*goes_on)(void *user), void *user,
                                 struct xl_downloader **out, struct xl_err *err) XL_CHECKED;
void xl_downloader_free(struct xl_downloader *downloader);
/* The address of the hub. */
const char *xl_downloader_endpoint(const struct xl_downloader *downloader);

/* Ask the hub what a model has, choose, and look what is there. Writes nothing.
 * Errors: XL_EINVAL no id or revision, or those of xl_hub_select; XL_EMODEL there is no such thing;
 * XL_EFORMAT; XL_ENETWORK; XL_ECANCELLED; XL_ENOMEM */
enum xl_status xl_download_plan(struct xl_downloader *downloader,
                                const struct xl_download_request *request, struct xl_arena *arena,
                                struct xl_download_plan *out, struct xl_err *err) XL_CHECKED;

/* Is there room for all of them? *free_bytes: of the first disk that is too small, and *need what
 * was wanted there. */
bool xl_download_fits(const struct xl_download_plan *plans, int n, int64_t *need,
                      int64_t *free_bytes);

/* Who is told. Functions are called on the threads of transfers, several at a time. */
struct xl_download_watcher {
    /* A file's transfer begins, or has ended (seconds). */
    void (*begin)(void *user, const struct xl_download_file *file);
    void (*end)(void *user, const struct xl_download_file *file, double seconds, bool was_there);
    /* Bytes of the plan's files that are there now. */
    void (*progress)(void *user, int64_t bytes);
    void *user;
};

/* Transfer what is missing, link it into the snapshot, and let the ref name the commit. A plan with
 * nothing to do writes nothing. After a failure or a stop the other transfers are stopped, too, and
 * what is there stays and is gone on with.
 * Errors: those of xl_transfer_run; XL_EDISK */
enum { XL_DOWNLOAD_PARALLEL = 4 };
enum xl_status xl_download_run(struct xl_downloader *downloader, struct xl_download_plan *plan,
                               const struct xl_download_watcher *watcher,
                               struct xl_err *err) XL_CHECKED;

#endif
