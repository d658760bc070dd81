/* store.h - a repository's folder in the cache, as the Python library lays it out:
 *   CACHEDIR.TAG
 *   .locks/models--org--name/DIGEST.lock         one download of a blob at a time
 *   .locks/models--org--name/DIGEST.XXXXXXXX.owner   who writes a partial
 *   models--org--name/blobs/DIGEST               what was downloaded, whole
 *   models--org--name/blobs/DIGEST.XXXXXXXX.incomplete   a partial
 *   models--org--name/snapshots/COMMIT/PATH      a link to it: ../../blobs/DIGEST
 *   models--org--name/refs/REVISION              the commit, without a line end
 * A ref is written last, when all that was wanted is there: until then the model that it named
 * before can be used.
 */
#ifndef XL_HUB_DOWNLOAD_STORE_H
#define XL_HUB_DOWNLOAD_STORE_H

#include "hub/download/listing.h"

struct xl_store {
    const char *root; /* of the cache */
    const char *dir;  /* root/models--org--name */
    const char *locks;
    bool no_links;
};

/* Where a repository lies or will lie: the folder of the cache that has it already, else the first.
 * Writes nothing. In the arena. Errors: XL_ENOMEM */
enum xl_status xl_store_find(const char *id, bool no_links, struct xl_arena *arena,
                             struct xl_store *out, struct xl_err *err) XL_CHECKED;

/* How a file of a commit is there. */
enum xl_file_state {
    XL_FILE_ABSENT,
    XL_FILE_UNLINKED, /* the blob is there, the commit does not have it yet */
    XL_FILE_THERE,
};
enum xl_file_state xl_store_state(const struct xl_store *store, const char *commit,
                                  const struct xl_repo_file *file);

/* Bytes that lie in partials of this blob, the longest of them. */
int64_t xl_store_partial_bytes(const struct xl_store *store, const struct xl_repo_file *file);

/* Make the folders that a download writes to, and the tag that tells backups to pass the cache
 * over. Errors: XL_EDISK */
enum xl_status xl_store_prepare(const struct xl_store *store, struct xl_err *err) XL_CHECKED;

/* Paths, in the arena; NULL: out of memory. */
const char *xl_store_blob_path(const struct xl_store *store, const char *blob,
                               struct xl_arena *arena);

/* Link a file of a commit to its blob, which is there; without links the blob is put in its place
 * (or, with keeps_blob, copied). Errors: XL_EDISK, XL_ENOMEM */
enum xl_status xl_store_link(const struct xl_store *store, const char *commit,
                             const struct xl_repo_file *file, bool keeps_blob,
                             struct xl_err *err) XL_CHECKED;

/* Let refs/REVISION name the commit, unless it does. Errors: XL_EDISK, XL_ENOMEM */
enum xl_status xl_store_set_ref(const struct xl_store *store, const char *revision,
                                const char *commit, struct xl_err *err) XL_CHECKED;

/* Bytes that may be written to where the repository lies; -1: not known. */
int64_t xl_store_free_bytes(const struct xl_store *store);

#endif
