/* lock.h - a file that one process at a time owns, on whatever file system it lies.
 *
 * Where the file system has locks it is an open-file-description lock on a descriptor that is open
 * for writing: local disks, NFS 3 and 4, SMB and Lustre have those among all their machines, and
 * the kernel lets go when the process ends, however it ends. (flock on NFS becomes such a lock and
 * then wants a descriptor open for writing; a lock of fcntl's older kind is lost when any other
 * descriptor of the file is closed.) Where it has none (NFS without its daemon, Lustre without
 * "flock"), a claim lies beside the file, FILE.owner, made with O_EXCL and naming host, boot,
 * process and start time; one whose process has ended on this host is taken over.
 *
 * A lock belongs to whoever took it; descriptors are inherited by fork, not by exec.
 */
#ifndef XL_BASE_LOCK_H
#define XL_BASE_LOCK_H

#include "base/status.h"

struct xl_lock; /* opaque */

/* Who has a lock that could not be had, for a sentence: "process 4711 on host a". */
enum { XL_LOCK_OWNER = 512 };

/* Take the lock of `path` (created when missing, never removed: two processes would lock two files
 * of one name) without waiting. *out: the caller's (xl_lock_release), or NULL with XL_OK when
 * somebody else has it; owner then tells who and, where nobody can tell whether that process still
 * runs, which file to remove if it does not.
 * Errors: XL_EDISK cannot be created or written (why), or no regular file; XL_ENOMEM */
enum xl_status xl_lock_take(const char *path, struct xl_lock **out, char owner[XL_LOCK_OWNER],
                            struct xl_err *err) XL_CHECKED;

/* Whether somebody has the lock, this process included; nothing is taken or made, and a file that
 * is not there is locked by nobody. Errors: XL_EDISK cannot be opened (why) */
enum xl_status xl_lock_look(const char *path, bool *is_taken, struct xl_err *err) XL_CHECKED;

/* The same by a claim alone, the file `path` itself, whatever locks the file system has or says
 * that it has: some let everybody have a lock. The claim goes when it is released. Errors: as above
 */
enum xl_status xl_claim_take(const char *path, struct xl_lock **out, char owner[XL_LOCK_OWNER],
                             struct xl_err *err) XL_CHECKED;

/* The descriptor that has the lock; who inherits it keeps the lock until it ends as well. -1: lock
 * is NULL. It stays the lock's. */
int xl_lock_descriptor(const struct xl_lock *lock);

/* NULL is fine. */
void xl_lock_release(struct xl_lock *lock);

#endif
