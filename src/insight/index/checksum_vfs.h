/* checksum_vfs.h - a layer below SQLite that puts a checksum at the end of each page of a database
 * and refuses pages whose checksum is another. SQLite alone notices damage to its own structure,
 * and takes a flipped bit in a number for the number.
 */
#ifndef XL_INSIGHT_CHECKSUM_VFS_H
#define XL_INSIGHT_CHECKSUM_VFS_H

#include "base/status.h"

#include <sqlite3.h>

#define XL_CHECKSUM_VFS "sdxl-lab-checksum"
#define XL_CHECKSUM_VFS_NO_LOCKS "sdxl-lab-checksum-no-locks" /* where there are none to be had */
enum { XL_CHECKSUM_BYTES = 8 };                               /* that each page keeps free for it */

/* Make both known to SQLite, once a process; any thread. Errors: XL_ENOMEM */
enum xl_status xl_checksum_vfs_register(struct xl_err *err) XL_CHECKED;

/* Have a new database keep those bytes free; before anything is written to it.
 * Errors: XL_EINTERNAL this SQLite cannot */
enum xl_status xl_checksum_vfs_reserve(sqlite3 *db, struct xl_err *err) XL_CHECKED;

#endif
