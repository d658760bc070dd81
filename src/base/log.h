/* log.h - the program's one logger: lines on stderr, safe for terminals.
 * Any thread may log; a line is one write(2). A mutable global, as are only jansson's reserve
 * (json_memory.c) and what cli/ keeps of the terminal and of signals.
 */
#ifndef XL_BASE_LOG_H
#define XL_BASE_LOG_H

#include "base/status.h"

enum xl_log_level { XL_LOG_ERROR, XL_LOG_WARN, XL_LOG_NOTE, XL_LOG_INFO };

/* Lines above this level are dropped. Default XL_LOG_NOTE. */
void xl_log_set_level(enum xl_log_level level);

/* Called before and after each line when a progress bar owns the terminal's last line; NULL: none.
 */
void xl_log_set_hook(void (*around)(bool before));

void xl_log(enum xl_log_level level, const char *format, ...) XL_PRINTF(2, 3);

#define xl_warn(...) xl_log(XL_LOG_WARN, __VA_ARGS__)
#define xl_note(...) xl_log(XL_LOG_NOTE, __VA_ARGS__)
#define xl_info(...) xl_log(XL_LOG_INFO, __VA_ARGS__)

#endif
