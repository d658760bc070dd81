/* sha256.h - SHA-256 digests, as 64 lower-case hexadecimal digits.
 * libcrypto computes them (with the CPU's SHA instructions where there are any).
 */
#ifndef XL_BASE_SHA256_H
#define XL_BASE_SHA256_H

#include "base/status.h"

enum { XL_SHA256_HEX = 65 }; /* 64 digits and a NUL */

/* Of n bytes. Errors: XL_ENOMEM */
enum xl_status xl_sha256(const void *data, size_t n, char hex[XL_SHA256_HEX],
                         struct xl_err *err) XL_CHECKED;

/* Of the content of a regular file, which is read in pieces and may be larger than memory.
 * Errors: XL_EINPUT cannot be read; XL_ENOMEM */
enum xl_status xl_sha256_file(const char *path, char hex[XL_SHA256_HEX],
                              struct xl_err *err) XL_CHECKED;

/* Piece by piece: new, add as often as needed, end. Out of memory and failures of libcrypto are
 * sticky: xl_sha256_new may return NULL and the other two take that; xl_sha256_end reports it.
 * end frees. Errors of end: XL_ENOMEM */
struct xl_sha256; /* opaque, used by one thread at a time */
struct xl_sha256 *xl_sha256_new(void);
void xl_sha256_add(struct xl_sha256 *sha, const void *data, size_t n);
enum xl_status xl_sha256_end(struct xl_sha256 *sha, char hex[XL_SHA256_HEX],
                             struct xl_err *err) XL_CHECKED;

#endif
