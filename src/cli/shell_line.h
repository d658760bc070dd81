/* shell_line.h - a command line as bash sees it: its words without their quotes, and a completed
 * word as bash wants to insert it.
 */
#ifndef XL_CLI_SHELL_LINE_H
#define XL_CLI_SHELL_LINE_H

#include "base/arena.h"

enum { XL_SHELL_WORDS_MAX = 512 };

struct xl_shell_line {
    struct xl_arena arena;
    const char *words[XL_SHELL_WORDS_MAX]; /* the last one is at the cursor, may be "" */
    int n;
    char quote;   /* that is open at the cursor: '"', '\'' or 0 */
    size_t fixed; /* bytes of the last word that stand before what bash replaces */
};

/* Read a line up to the cursor. breaks: COMP_WORDBREAKS; bash replaces the word at the cursor only
 * from the last of them on, or from the quote that is open. false: out of memory */
bool xl_shell_line_read(const char *line, const char *breaks, struct xl_shell_line *out);

/* What bash must insert so that the word at the cursor becomes `word`: its end, quoted as the line
 * is there. In the arena. NULL: it cannot become that (or out of memory) */
const char *xl_shell_line_insert(struct xl_shell_line *line, const char *word);

void xl_shell_line_deinit(struct xl_shell_line *line);

#endif
