/* rehash.h - is the content of cached files what their blobs are called by? Every name in a blob
 * store is a digest of the content. Files are read by several threads at once.
 */
#ifndef XL_HUB_REHASH_H
#define XL_HUB_REHASH_H

#include "base/blob_hash.h"
#include "hub/inventory.h"

enum xl_rehash_verdict {
    XL_REHASH_SAME,
    XL_REHASH_OTHER,      /* `found` is its digest */
    XL_REHASH_NO_DIGEST,  /* no link into a blob store: its header alone was checked */
    XL_REHASH_DANGLING,   /* the link leads to nothing */
    XL_REHASH_OUTSIDE,    /* the link leads out of the cache; the content is what it should be */
    XL_REHASH_DAMAGED,    /* a safetensors file whose header does not describe it; or unreadable */
    XL_REHASH_NOT_LOOKED, /* interrupted before */
};

struct xl_rehash_file {
    struct xl_hub_entry entry;
    enum xl_rehash_verdict verdict;
    char found[XL_BLOB_HASH_HEX];
    const char *why; /* DAMAGED: the sentence; in the arena */
};

/* done of total bytes were read. False ends the work. Called by any of the threads, one at a time.
 */
typedef bool xl_rehash_fn(void *user, int64_t done, int64_t total);

struct xl_rehash {
    struct xl_rehash_file *file; /* [n]: set entry of each, the rest is filled in */
    int n, n_threads;            /* n_threads 0: as many as there are cores, at most 8 */
    struct xl_arena *arena;
    xl_rehash_fn *progress; /* may be NULL */
    void *user;
};

/* Read them all. Errors: XL_ENOMEM, XL_ECANCELLED */
enum xl_status xl_hub_rehash(struct xl_rehash *rehash, struct xl_err *err) XL_CHECKED;

/* The file of that path, after xl_hub_rehash has sorted them; NULL: none. */
const struct xl_rehash_file *xl_rehash_find(const struct xl_rehash *rehash, const char *path);

#endif
