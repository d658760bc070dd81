/* interrupt.h - signals that ask for the end. Any thread may ask whether one came. */
#ifndef XL_CLI_INTERRUPT_H
#define XL_CLI_INTERRUPT_H

#include "base/status.h"

/* Install handlers: the first SIGINT, SIGTERM or SIGHUP (unless it is ignored) asks for a stop, the
 * second ends at once; but not SIGHUP, which comes more than once. SIGUSR1 asks for an end without
 * interrupting anything. */
void xl_interrupt_install(void);
bool xl_interrupted(void);
/* Whether SIGUSR1 has asked to end with what is at hand. */
bool xl_interrupt_wants_end(void);
/* 130 after SIGINT, 143 after SIGTERM, 129 after SIGHUP. */
int xl_interrupt_exit_code(void);

#endif
