/* instance.h - the name that tells this running program from others that write to the same folder.
 */
#ifndef XL_LAB_INSTANCE_H
#define XL_LAB_INSTANCE_H

#include "base/status.h"

enum { XL_INSTANCE_MAX = 64 };

/* A name that is safe as a part of a file name, from any bytes: ASCII letters, digits, '.', '_' and
 * '-' stay, every other character becomes '-', and so do dots at the beginning; at most
 * XL_INSTANCE_MAX characters. text NULL or "": "" */
void xl_instance_sanitize(const char *text, char out[XL_INSTANCE_MAX + 1]);

/* The sanitised name of this instance: the first that is there of `id` (may be NULL), INSTANCE_ID,
 * CONTAINER_NAME and HOSTNAME of the environment, and the name of the machine. "" when there is
 * none. */
void xl_instance_name(const char *id, char out[XL_INSTANCE_MAX + 1]);

#endif
