/* listing.h - what a repository of the hub holds, as the hub tells it: the commit, the licence, the
 * files with their sizes and digests. Reads answers that were fetched; opens nothing.
 */
#ifndef XL_HUB_DOWNLOAD_LISTING_H
#define XL_HUB_DOWNLOAD_LISTING_H

#include "base/arena.h"

struct xl_repo_file {
    const char *path; /* "unet/config.json": relative, nothing in it leads out of the snapshot */
    int64_t size;     /* bytes */
    const char *blob; /* what the file is called in blobs/: its digest, see base/blob_hash.h */
};

/* Zero-initialise. Files in the order in which the hub tells them. In the arena. */
struct xl_repo_listing {
    struct xl_repo_file *file;
    int n, capacity;
};

/* Add one page of GET /api/models/ID/tree/COMMIT?recursive=true; name: of the page, opens every
 * sentence. Folders are passed over.
 * Errors: XL_ENETWORK not what a hub answers (a path that leads out of the snapshot, a size or a
 * digest that is none), or more files than are supported; XL_ENOMEM */
enum xl_status xl_repo_listing_add(struct xl_repo_listing *listing, const char *name,
                                   const char *text, size_t n, struct xl_arena *arena,
                                   struct xl_err *err) XL_CHECKED;

/* The file of this path, or NULL. */
const struct xl_repo_file *xl_repo_listing_find(const struct xl_repo_listing *listing,
                                                const char *path);

struct xl_repo_info {
    const char *commit;  /* 40 digits */
    const char *licence; /* as the card says: "openrail++"; "": nothing is said */
    bool is_gated;       /* its owner wants to know who downloads it */
};

/* Read GET /api/models/ID/revision/REVISION. Errors: as above */
enum xl_status xl_repo_info_read(const char *name, const char *text, size_t n,
                                 struct xl_arena *arena, struct xl_repo_info *out,
                                 struct xl_err *err) XL_CHECKED;

#endif
