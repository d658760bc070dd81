/* files.h - files below a folder, and nowhere else: whatever the path says, and whatever somebody
 * does to the folders while it is opened.
 *
 * The kernel does it (openat2 with RESOLVE_BENEATH): no step of the path leads out, not by "..",
 * not from the root, not by a link, and not through /proc. Where it cannot (before Linux 5.6, or in
 * containers that refuse the call) the path is walked folder by folder, and no link is followed at
 * all.
 */
#ifndef XL_HTTP_FILES_H
#define XL_HTTP_FILES_H

#include "base/status.h"

/* Open a regular file below the folder that `root` is, for reading. path: relative. *fd: the
 * caller's. A fifo, a device or a folder is no file. Errors: XL_EINVAL a path that no file has (an
 * empty one, from the root, with "..", with control characters); XL_EINPUT nothing is there, or it
 * lies outside; XL_EDISK it cannot be opened */
enum xl_status xl_file_below(int root, const char *path, int *fd, struct xl_err *err) XL_CHECKED;

/* The same by the folder's name, of an absolute path that lies in it: root "/a", path "/a/b/c.png".
 * Errors: and XL_EINPUT the path is not in the folder */
enum xl_status xl_file_in(const char *root, const char *path, int *fd,
                          struct xl_err *err) XL_CHECKED;

/* Open the folder that a path below root is in, made where it is missing; *name: the last part,
 * within path. No link is followed. Errors: as above; XL_EDISK */
enum xl_status xl_folder_below(int root, const char *path, bool is_made, int *fd, const char **name,
                               struct xl_err *err) XL_CHECKED;

/* For tests: walk always. */
void xl_files_walk_always(bool always);

#endif
