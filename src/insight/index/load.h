/* load.h - reading a log into the index: blocks of it are taken apart by all threads while one of
 * them puts the block before into the tables.
 */
#ifndef XL_INSIGHT_LOAD_H
#define XL_INSIGHT_LOAD_H

#include "base/threads.h"
#include "insight/index/rows.h"

/* Read the open file `fd` from byte `offset`, where a line begins, to its end; *end: how far whole
 * lines reach. A last line without its newline is taken when it is a whole object, and left for the
 * next time when it is not. Memory is that of two blocks, whatever the file's size.
 * Errors: XL_EINPUT cannot be read; as of the database */
enum xl_status xl_load_log(const char *path, int fd, int64_t offset, struct xl_pool *pool,
                           struct xl_row_writer *rows, int64_t *end, struct xl_err *err) XL_CHECKED;

#endif
