/* memory.h - how much memory this process may still take. */
#ifndef XL_BASE_MEMORY_H
#define XL_BASE_MEMORY_H

#include <stdint.h>

/* More than any machine has, and what is held may be added to it. */
#define XL_MEMORY_UNKNOWN (INT64_MAX / 2)

/* Bytes of memory that this process may ever take: the smaller of what the system has and the
 * control group allows. XL_MEMORY_UNKNOWN when neither can be read. */
int64_t xl_memory_total(void);

/* Bytes that can be had without swapping: the smaller of what the system and the control group
 * leave. XL_MEMORY_UNKNOWN when neither can be read. */
int64_t xl_memory_available(void);

#endif
