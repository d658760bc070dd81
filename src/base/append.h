/* append.h - lines at the end of a file that others append to as well: each is one write(2) to a
 * descriptor with O_APPEND, so it is whole or absent. What a crash or a full disk has torn off is
 * closed with a newline before the next line, so that it swallows nothing.
 */
#ifndef XL_BASE_APPEND_H
#define XL_BASE_APPEND_H

#include "base/status.h"

#include <stddef.h>

/* Open a file for appending, created when it is missing: a regular one, never what a link points
 * to. *fd: the caller's. Errors: XL_EDISK */
enum xl_status xl_append_open(const char *path, int *fd, struct xl_err *err) XL_CHECKED;

/* Append n bytes, the last of them a newline, behind room[0], which is the function's to use. A
 * line that did not fit is taken back, unless somebody wrote behind it. is_synced: it is on the
 * disk when this returns. 0, or an errno. */
int xl_append_line(int fd, char *room, size_t n, bool is_synced);

#endif
