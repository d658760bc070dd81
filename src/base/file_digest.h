/* file_digest.h - the SHA-256 of a file's content, without reading a large file twice.
 *
 * What was found of files of XL_DIGEST_KEEP_BYTES and more is kept in "digests" of the folder of
 * what can be made again (xl_path_cache), a line a file: its device, inode, size and times, its
 * digest, and a check of the line. A file that was written to, or took another's place, has other
 * times or another inode, and is read. One that was written to in the last seconds is not kept:
 * clocks of file systems are coarse. That cache is not needed: where it is not there, damaged or
 * not to be written, files are read again. Any thread and any process may use it at any time.
 */
#ifndef XL_BASE_FILE_DIGEST_H
#define XL_BASE_FILE_DIGEST_H

#include "base/sha256.h"

enum {
    XL_DIGEST_KEEP_BYTES = 1 << 20,  /* smaller files are read in some milliseconds */
    XL_DIGEST_CACHE_BYTES = 1 << 20, /* of the cache: a larger one is begun anew */
};

/* Errors: as xl_sha256_file */
enum xl_status xl_file_digest(const char *path, char hex[XL_SHA256_HEX],
                              struct xl_err *err) XL_CHECKED;

#endif
