/* pages.h - large zeroed blocks straight from the system, in huge pages where it has them. */
#ifndef XL_BACKEND_CPU_PAGES_H
#define XL_BACKEND_CPU_PAGES_H

#include <stddef.h>

/* Zeroed, aligned to a page or better; NULL when out of memory. Caller: xl_pages_free(p, bytes) */
void *xl_pages_alloc(size_t bytes);
void xl_pages_free(void *pages, size_t bytes);
/* Addresses without memory behind them, for arithmetic only; freed in the same way. */
void *xl_pages_reserve(size_t bytes);

#endif
