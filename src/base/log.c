/* log.c - lines on stderr, one write each, control characters replaced. */
#include "base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static atomic_int max_level = XL_LOG_NOTE;
static _Atomic(void (*)(bool)) hook;

void xl_log_set_level(enum xl_log_level level) {
    max_level = (int)level;
}
void xl_log_set_hook(void (*around)(bool before)) {
    hook = around;
}

void xl_log(enum xl_log_level level, const char *format, ...) {
    static const char *const prefix[] = {"error: ", "warning: ", "", ""};
    if ((int)level > max_level) return;
    char line[2048];
    int n = snprintf(line, sizeof line, "sdxl-lab: %s", prefix[level]);
    va_list args;
    va_start(args, format);
    int m = vsnprintf(line + n, sizeof line - (size_t)n - 1, format, args);
    va_end(args);
    n += m < 0 ? 0 : m;
    if ((size_t)n > sizeof line - 2) n = (int)sizeof line - 2;
    for (int i = 0; i < n; i++)
        if ((unsigned char)line[i] < 32 || line[i] == 127) line[i] = '?';
    line[n++] = '\n';
    void (*around)(bool) = hook;
    if (around) around(true);
    ssize_t written = write(STDERR_FILENO, line, (size_t)n);
    (void)written; /* nowhere left to report it */
    if (around) around(false);
}
