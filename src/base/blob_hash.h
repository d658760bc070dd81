/* blob_hash.h - the digest that a file of a model hub is called by: SHA-256 of its bytes (64
 * hexadecimal digits: large files), or git's SHA-1 of a blob, over "blob SIZE" and a NUL and the
 * bytes (40 digits: small files). libcrypto computes them.
 */
#ifndef XL_BASE_BLOB_HASH_H
#define XL_BASE_BLOB_HASH_H

#include "base/status.h"

enum { XL_BLOB_HASH_HEX = 65 }; /* the longer of the two and a NUL */

/* Is this name such a digest, in small letters? */
bool xl_is_blob_name(const char *name);

/* Of the kind that the name has, of a file of `size` bytes. Out of memory and failures of libcrypto
 * are sticky, as in sha256.h: new may return NULL and add takes that; end reports it and frees. */
struct xl_blob_hash; /* opaque, used by one thread at a time */
struct xl_blob_hash *xl_blob_hash_new(const char *name, int64_t size);
void xl_blob_hash_add(struct xl_blob_hash *hash, const void *data, size_t n);
/* Errors: XL_ENOMEM */
enum xl_status xl_blob_hash_end(struct xl_blob_hash *hash, char hex[XL_BLOB_HASH_HEX],
                                struct xl_err *err) XL_CHECKED;
/* Without asking for the digest; NULL is fine. */
void xl_blob_hash_free(struct xl_blob_hash *hash);

#endif
