/* inline_picture.h - pictures between lines of text, on terminals that can. */
#ifndef XL_CLI_INLINE_PICTURE_H
#define XL_CLI_INLINE_PICTURE_H

#include "base/status.h"

/* Show a picture's file, at most `side` pixels long, where standard output is a terminal that says
 * it can: by kitty's protocol (kitty, Ghostty) or iTerm2's (iTerm2, WezTerm). False: it cannot, or
 * the file cannot be read, and nothing was shown. */
bool xl_inline_picture(const char *path, int side);

#endif
