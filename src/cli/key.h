/* key.h - a key that is pressed on a terminal, without Enter. One thread. */
#ifndef XL_CLI_KEY_H
#define XL_CLI_KEY_H

#include <stdbool.h>

/* Whether a person sits there: standard input and output are a terminal. */
bool xl_key_can_be_read(void);

/* Wait for one of these keys (small letters and digits; the arrows left and right are '1' and '2')
 * and return it; 0: the input ended, or xl_interrupted(). The terminal is as it was when this
 * returns, and also when a signal ends or stops the program meanwhile. */
char xl_key_read(const char *keys);

#endif
