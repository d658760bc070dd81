/* cache_bound.h - a folder of files that can be made again, kept below so many bytes: what was used
 * longest ago goes first. Keeps no state; any thread, and several processes at once.
 */
#ifndef XL_BASE_CACHE_BOUND_H
#define XL_BASE_CACHE_BOUND_H

#include "base/status.h"

#include <stdint.h>

/* An open file of such a folder was used now. It is said by its access time, which many mounts do
 * not keep by themselves. */
void xl_cache_used(int fd);

/* Delete files of the folder and of the folders in it, those used longest ago first, until at most
 * max_bytes are left; where that is so already, none. *left: bytes that are left. Whoever has a
 * file open can read on. Errors: XL_EDISK the folder cannot be listed; XL_ENOMEM */
enum xl_status xl_cache_trim(const char *dir, int64_t max_bytes, int64_t *left,
                             struct xl_err *err) XL_CHECKED;

#endif
