/* partial.h - the part of a blob that was downloaded so far, in a file of its own name that one
 * process at a time writes: blobs/DIGEST.XXXXXXXX.incomplete, owned by a claim (base/lock.h) beside
 * the blob's lock. What a process left that has ended is gone on with, whoever that was; what
 * another program left without a claim, when nobody has written to it for a minute. Whether it is
 * right is told by the digest of the whole.
 */
#ifndef XL_HUB_DOWNLOAD_PARTIAL_H
#define XL_HUB_DOWNLOAD_PARTIAL_H

#include "base/lock.h"
#include "hub/download/store.h"

struct xl_partial {
    int fd;
    char *path;
    struct xl_lock *claim;
    int64_t size; /* bytes in it */
    bool is_new;  /* this process made it */
};

/* Take the longest partial of the blob that may be gone on with, or begin one. The caller has the
 * blob's lock. Caller: xl_partial_close. Errors: XL_EDISK, XL_ENOMEM */
enum xl_status xl_partial_open(const struct xl_store *store, const struct xl_repo_file *file,
                               struct xl_partial *out, struct xl_err *err) XL_CHECKED;

/* Begin again from nothing. Errors: XL_EDISK */
enum xl_status xl_partial_restart(struct xl_partial *partial, struct xl_err *err) XL_CHECKED;

/* Append. Errors: XL_EDISK, with what is left on the disk when that is full */
enum xl_status xl_partial_write(struct xl_partial *partial, const void *bytes, size_t n,
                                struct xl_err *err) XL_CHECKED;

/* Make it the blob: on the disk, with the rights that a new file gets, under its name. Other
 * partials of the blob that nobody writes are removed. Errors: XL_EDISK */
enum xl_status xl_partial_finish(struct xl_partial *partial, const struct xl_store *store,
                                 const struct xl_repo_file *file, struct xl_err *err) XL_CHECKED;

/* Give up the claim; the file stays to be gone on with, unless there is nothing in it. */
void xl_partial_close(struct xl_partial *partial);

#endif
