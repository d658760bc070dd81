/* duel.c - sdxl-lab duel: two pictures, a key, again. Choices go to the marks and feed a ranking.
 */
#include "cli/cli.h"
#include "cli/index_open.h"
#include "cli/inline_picture.h"
#include "cli/interrupt.h"
#include "cli/key.h"
#include "cli/table.h"

#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/str.h"
#include "image/image.h"
#include "image/sheet.h"
#include "insight/index/duel_pictures.h"
#include "insight/marks/marks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SHOWN = 1000 }; /* pixels that both take on a terminal that shows pictures */

struct duel {
    const struct xl_settings *settings;
    char **paths;
    int n;
    struct xl_marks *marks;
    int n_chosen;
};

/* --- Which pictures --------------------------------------------------------------------------- */

static enum xl_status add_path(struct duel *duel, const char *path, struct xl_err *err) {
    duel->paths[duel->n] = strdup(path);
    return duel->paths[duel->n] ? (duel->n++, XL_OK) : xl_fail_nomem(err, "a path", 0);
}

static enum xl_status add_newest(struct duel *duel, struct xl_err *err) {
    struct xl_index *index = NULL;
    json_t *pictures = NULL, *picture;
    size_t i;
    enum xl_status status = xl_index_open_for(duel->settings, XL_INDEX_UPDATE, &index, err);
    if (!status) status = xl_duel_pictures(index, (uint64_t)getpid(), &pictures, err);
    xl_index_close(index);
    json_array_foreach(pictures, i, picture) {
        const char *path = json_string_value(json_object_get(picture, "path"));
        if (!status) status = add_path(duel, path, err);
    }
    json_decref(pictures);
    return status;
}

static enum xl_status add_paths(struct duel *duel, struct xl_err *err) {
    const struct xl_settings *settings = duel->settings;
    size_t most = (size_t)(settings->n_arguments > XL_DUEL_PICTURES ? settings->n_arguments
                                                                    : XL_DUEL_PICTURES);
    enum xl_status status = XL_OK;
    duel->paths = calloc(most, sizeof *duel->paths);
    if (!duel->paths) return xl_fail_nomem(err, "paths", 0);
    for (int i = 0; i < settings->n_arguments && !status; i++)
        status = add_path(duel, settings->arguments[i], err);
    if (!settings->n_arguments) status = add_newest(duel, err);
    if (!status && duel->n < 2)
        status = xl_fail(err, XL_EINPUT, "duel: %d %s, and two have to be there", duel->n,
                         xl_plural(duel->n, "picture", "pictures"));
    return status;
}

/* --- One pair --------------------------------------------------------------------------------- */

/* Both side by side, for a viewer of pictures; where that fails, the paths have to do. */
static void write_sheet(const struct duel *duel, const struct xl_mark_file *pair) {
    struct xl_image images[2] = {{.width = 0}, {.width = 0}};
    struct xl_sheet *sheet = NULL;
    const char *names[2] = {"1", "2"};
    char *dir = xl_path_join(duel->settings->output_dir, ".index");
    enum xl_status status = dir ? xl_dir_create(dir, NULL) : XL_ENOMEM;
    for (int i = 0; i < 2 && !status; i++) status = xl_image_load(pair[i].path, &images[i], NULL);
    const struct xl_sheet_params params = {.dir = dir,
                                           .stem = "duel",
                                           .title = "Which one?",
                                           .n_labels = 1,
                                           .width = images[0].width,
                                           .height = images[0].height,
                                           .n_cells = 2,
                                           .columns = 2};
    if (!status) status = xl_sheet_new(&params, &sheet, NULL);
    for (int i = 0; i < 2 && !status; i++) {
        const struct xl_sheet_cell cell = {.image = &images[i], .labels = {names[i]}};
        status = xl_sheet_add(sheet, &cell, NULL);
    }
    if (!status) {
        status = xl_sheet_finish(sheet, NULL, NULL);
        char *path = status ? NULL : xl_path_join(dir, "duel_01.png");
        if (path && !xl_inline_picture(path, SHOWN))
            xl_print_lines(0, "   both: ", path, XL_COLOR_NONE);
        free(path);
    } else {
        xl_sheet_abandon(sheet);
    }
    for (int i = 0; i < 2; i++) xl_image_free(&images[i]);
    free(dir);
}

/* '1', '2', 's' or 'q': a key on a terminal, else the beginning of a line. */
static char ask(void) {
    char line[64];
    for (;;) {
        printf("1, 2, s (skip), q (quit)? ");
        fflush(stdout);
        if (xl_key_can_be_read()) {
            char key = xl_key_read("12sq");
            printf("%c\n", key ? key : ' ');
            return key ? key : 'q';
        }
        if (!fgets(line, sizeof line, stdin)) return 'q';
        char c = line[0] >= 'A' && line[0] <= 'Z' ? (char)(line[0] - 'A' + 'a') : line[0];
        if (c && strchr("12sq", c)) return c;
    }
}

static enum xl_status play(struct duel *duel, const char *one, const char *two, char *answer,
                           struct xl_err *err) {
    struct xl_mark_file *pair = calloc(2, sizeof *pair);
    if (!pair) return xl_fail_nomem(err, "two pictures", 0);
    enum xl_status status = xl_mark_file_read(one, &pair[0], err);
    if (!status) status = xl_mark_file_read(two, &pair[1], err);
    if (!status && !strcmp(pair[0].sha256, pair[1].sha256)) {
        xl_note("%s and %s are the same picture; they are left out", one, two);
        *answer = 's';
    } else if (!status) {
        xl_print_lines(0, "1: ", one, XL_COLOR_NONE);
        xl_print_lines(0, "2: ", two, XL_COLOR_NONE);
        write_sheet(duel, pair);
        *answer = ask();
        if (xl_interrupted()) status = xl_fail(err, XL_ECANCELLED, "interrupted");
        int winner = *answer == '2';
        if (!status && (*answer == '1' || *answer == '2')) {
            status = xl_marks_put_duel(duel->marks, &pair[winner].is, &pair[!winner].is, err);
            duel->n_chosen += !status;
        }
    }
    free(pair);
    return status;
}

/* --- All pairs -------------------------------------------------------------------------------- */

/* In an order that is another one each time; each picture meets the next. */
static void shuffle(struct duel *duel) {
    unsigned state = (unsigned)getpid() * 2654435761u;
    for (int i = duel->n - 1; i > 0; i--) {
        state = state * 1664525u + 1013904223u;
        int k = (int)((state >> 8) % (unsigned)(i + 1));
        char *other = duel->paths[i];
        duel->paths[i] = duel->paths[k];
        duel->paths[k] = other;
    }
}

static enum xl_status play_all(struct duel *duel, struct xl_err *err) {
    const struct xl_settings *settings = duel->settings;
    char answer = 's';
    if (duel->n > 2) shuffle(duel);
    enum xl_status status =
        xl_marks_open(settings->output_dir, settings->instance, &duel->marks, err);
    for (int i = 0; i + 1 < duel->n && answer != 'q' && !status; i += 2)
        status = play(duel, duel->paths[i], duel->paths[i + 1], &answer, err);
    enum xl_status closed = xl_marks_close(duel->marks, status ? NULL : err);
    if (!status) status = closed;
    if (!status) printf("%d %s\n", duel->n_chosen, xl_plural(duel->n_chosen, "choice", "choices"));
    return status;
}

static enum xl_status run(const struct xl_settings *settings, struct xl_err *err) {
    struct duel duel = {.settings = settings};
    enum xl_status status = add_paths(&duel, err);
    if (!status) status = play_all(&duel, err);
    for (int i = 0; i < duel.n; i++) free(duel.paths[i]);
    free(duel.paths);
    return status;
}

const struct xl_command xl_command_duel = {
    .name = "duel",
    .summary = "choose between two pictures, again and again",
    .usage = "[OPTIONS] [FILE...]",
    .positional = "[FILE...]",
    .words = XL_COMPLETE_FILE,
    .commands = XL_FOR_INDEX,
    .epilogue = "Two pictures at a time, of those that are named or of the 500 newest: their paths "
                "and both in one picture, on the terminal where it can show pictures (kitty, "
                "Ghostty, iTerm2, WezTerm), else in a file. The key 1 or 2 (or an arrow) takes "
                "one, s skips, q ends; where no terminal is, an answer is a line. Choices are kept "
                "in the marks of --output-dir and make a ranking.",
    .run = run,
};
