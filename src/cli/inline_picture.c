/* inline_picture.c - escape sequences that carry pictures. Which a terminal knows is told by the
 * variables that it sets; asking it would have to wait for an answer that most never give.
 * Sources: sw.kovidgoyal.net/kitty/graphics-protocol, iterm2.com/documentation-images.html */
#include "cli/inline_picture.h"

#include "base/str.h"
#include "insight/report/thumbnail.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CHUNK = 4096 }; /* of base64, at most, in one sequence of kitty's */

static enum { NO_PICTURES, KITTY, ITERM } what_it_can(void) {
    const char *term = getenv("TERM"), *program = getenv("TERM_PROGRAM");
    if (!isatty(STDOUT_FILENO) || !term) return NO_PICTURES;
    /* They lie between and keep what they do not know for themselves. */
    if (getenv("TMUX") || !strncmp(term, "screen", 6) || !strncmp(term, "tmux", 4))
        return NO_PICTURES;
    if (program && (!strcmp(program, "iTerm.app") || !strcmp(program, "WezTerm"))) return ITERM;
    if (getenv("KITTY_WINDOW_ID") || strstr(term, "kitty") || strstr(term, "ghostty")) return KITTY;
    return NO_PICTURES;
}

bool xl_inline_picture(const char *path, int side) {
    struct xl_str text = {0};
    int can = what_it_can();
    if (can == NO_PICTURES) return false;
    bool ok = !xl_thumbnail(path, side, &text, NULL) && !text.failed && text.text;
    const char *data = ok ? strchr(text.text, ',') : NULL; /* behind "data:...;base64" */
    if (data) {
        data++;
        size_t left = strlen(data), n;
        if (can == ITERM) printf("\033]1337;File=inline=1:%s\a", data);
        for (bool is_first = true; can == KITTY && left; is_first = false, data += n, left -= n) {
            n = left > CHUNK ? CHUNK : left;
            printf("\033_G%sm=%d;%.*s\033\\", is_first ? "a=T,f=100,q=2," : "", left > n, (int)n,
                   data);
        }
        printf("\n");
    }
    xl_str_deinit(&text);
    return data != NULL;
}
