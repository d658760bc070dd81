/* base64.h - bytes as text, by RFC 4648. Keeps nothing; any thread. */
#ifndef XL_BASE_BASE64_H
#define XL_BASE_BASE64_H

#include "base/str.h"

void xl_base64_put(struct xl_str *out, const void *bytes, size_t n);

/* The bytes of a text, malloc'd. false: it is none, or memory is out */
bool xl_base64_read(const char *text, void **bytes, size_t *n);

#endif
