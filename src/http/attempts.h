/* attempts.h - wrong tokens are counted by the address that shows them: who has shown too many
 * lately has to wait before another one is looked at.
 *
 * An address may be wrong XL_ATTEMPTS times at once, and once more every XL_ATTEMPT_S seconds. Of
 * IPv6 a network of 64 bits counts as one address. So many are remembered as fit into a table of a
 * fixed size; those that have been wrong least make room.
 */
#ifndef XL_HTTP_ATTEMPTS_H
#define XL_HTTP_ATTEMPTS_H

#include "base/status.h"

enum { XL_ATTEMPTS = 10, XL_ATTEMPT_S = 6 };

struct xl_attempts; /* opaque; any thread */

/* Errors: XL_ENOMEM */
enum xl_status xl_attempts_new(struct xl_attempts **out, struct xl_err *err) XL_CHECKED;
void xl_attempts_free(struct xl_attempts *attempts); /* NULL is fine */

/* Seconds until the address may try again; 0: it may. address: in numbers; what is none counts as
 * one that all share. */
int xl_attempts_wait(struct xl_attempts *attempts, const char *address);
/* It has shown a wrong one. */
void xl_attempts_note(struct xl_attempts *attempts, const char *address);

#endif
