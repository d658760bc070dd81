/* blob_lock.h - one download at a time of a blob, among all programs that share a cache: the Python
 * library takes the same locks (flock of .locks/models--org--name/DIGEST.lock). Where a file system
 * has no such locks, a claim beside it does (base/lock.h), among our own processes.
 */
#ifndef XL_HUB_DOWNLOAD_BLOB_LOCK_H
#define XL_HUB_DOWNLOAD_BLOB_LOCK_H

#include "base/status.h"

struct xl_blob_lock; /* opaque */

/* Wait for the lock of `path`, whose folder is there; *waited: somebody else had it. goes_on is
 * asked while waiting. Errors: XL_EDISK cannot be made; XL_ECANCELLED; XL_ENOMEM */
enum xl_status xl_blob_lock_take(const char *path, bool (*goes_on)(void *user), void *user,
                                 struct xl_blob_lock **out, bool *waited,
                                 struct xl_err *err) XL_CHECKED;
/* NULL is fine. */
void xl_blob_lock_release(struct xl_blob_lock *lock);

#endif
