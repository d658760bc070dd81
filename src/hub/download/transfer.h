/* transfer.h - one blob, from the hub into the store: under its lock, from where an earlier
 * download stopped, its digest computed on the way.
 */
#ifndef XL_HUB_DOWNLOAD_TRANSFER_H
#define XL_HUB_DOWNLOAD_TRANSFER_H

#include "hub/download/ask.h"
#include "hub/download/store.h"

/* What is wanted, from where, and who is told. Functions are called on the thread of the transfer.
 */
struct xl_transfer {
    struct xl_http *http;
    const struct xl_endpoint *endpoint;
    const struct xl_store *store;
    const char *id, *commit;
    const struct xl_repo_file *file;
    /* Bytes of the file that are there now: falls when it has to begin again. */
    void (*progress)(void *user, int64_t bytes);
    bool (*goes_on)(void *user); /* false: stop; what is there stays */
    void *user;
};

/* XL_OK: the blob is there and has its digest; *was_there: another process brought it.
 * Errors: XL_ENETWORK, XL_EMODEL: those of ask.h, and bytes that have another digest twice in a row
 * (none of them is kept); XL_EDISK; XL_ECANCELLED; XL_ENOMEM */
enum xl_status xl_transfer_run(const struct xl_transfer *transfer, bool *was_there,
                               struct xl_err *err) XL_CHECKED;

#endif
