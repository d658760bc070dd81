/* clean_picture.c - sdxl-lab clean-picture: the confined process of the server that looks at what
 * strangers sent. */
#include "cli/cli.h"

#include "http/clean.h"

static enum xl_status clean_picture(const struct xl_settings *settings, struct xl_err *err) {
    return xl_picture_clean_here(settings->arguments[0], err);
}

const struct xl_command xl_command_clean_picture = {
    .name = "clean-picture",
    .summary = "a picture from standard input as a plain PNG on standard output",
    .usage = "",
    .positional = "NAME",
    .commands = XL_FOR_SERVE,
    .is_hidden = true,
    .run = clean_picture,
};
