/* test_progress_line.c - whatever the width of a terminal, the step and the time left are seen. */
#include "cli/progress_line.h"

#include "base/text_width.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static const struct xl_progress_state sweep = {.phase = XL_PHASE_SAMPLE,
                                               .done = 12,
                                               .total = 30,
                                               .phase_s = 24,
                                               .i = 2,
                                               .n_together = 1,
                                               .n = 56,
                                               .run_left_s = 15002,
                                               .what = "SDXL Base 1.0, Watercolor, seed 7"};

static char *line_of(const struct xl_progress_state *state, int columns) {
    struct xl_str line = {0};
    xl_progress_put_line(&line, state, columns);
    return xl_str_take(&line);
}

static void expect_line(const struct xl_progress_state *state, int columns, const char *expected) {
    char *line = line_of(state, columns);
    cr_expect_str_eq(line, expected, "%d columns: \"%s\"", columns, line);
    free(line);
}

Test(progress_line, layout_by_importance) {
    expect_line(&sweep, 119,
                "3/56 [#########...............] step 12/30, 36 s left, 4:10:02 in all, 2.0 s each"
                "  SDXL Base 1.0, Watercolor, seed 7");
    expect_line(&sweep, 79,
                "3/56 [####........] step 12/30, 36 s left, 4:10:02 in all  SDXL Base 1.0, Wa...");
    expect_line(&sweep, 59, "3/56 [####........] step 12/30, 36 s left, 4:10:02 in all");
    expect_line(&sweep, 39, "3/56 step 12/30, 36 s left");
    expect_line(&sweep, 24, "step 12/30, 36 s left");
    expect_line(&sweep, 10, "step 12/30");
}

Test(progress_line, every_width_has_the_step_and_none_is_exceeded) {
    struct xl_progress_state state = sweep;
    static const char *const names[] = {
        "",
        "x",
        "\xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E\xE3\x81\xAE\xE7\x8B\x90\xE6\x97\xA5\xE6\x9C\xAC",
        "\x1b[31mred\r\n",
        "\xFF\xFE broken",
        "a very long name of a model, and of a profile, and a prompt"};
    for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
        state.what = names[k];
        for (int columns = 1; columns < 200; columns++) {
            char *line = line_of(&state, columns);
            cr_assert_leq(xl_text_width(line), columns, "%d: %s", columns, line);
            cr_assert(columns < 10 || strstr(line, "step 12/30"), "%d: %s", columns, line);
            cr_assert(columns < 21 || strstr(line, "36 s left"), "%d: %s", columns, line);
            cr_assert(columns < 40 || strstr(line, "3/56"), "%d: %s", columns, line);
            cr_assert_null(strpbrk(line, "\x1b\r\n"));
            free(line);
        }
    }
}

Test(progress_line, a_picture_alone_and_pictures_together) {
    struct xl_progress_state state = sweep;
    state.n = 1;
    state.i = 0;
    state.run_left_s = -1;
    state.what = "";
    expect_line(&state, 79, "[####........] step 12/30, 36 s left, 2.0 s each");
    state.n = state.n_together = 4;
    state.phase = XL_PHASE_DECODE;
    state.done = 0;
    state.total = 4;
    expect_line(&state, 79, "1-4/4 [............] decoding 0/4");
    state.phase = XL_PHASE_LOAD;
    state.done = 1734000000;
    state.total = 6936000000;
    state.phase_s = 2;
    expect_line(&state, 79, "1-4/4 [###.........] loading 1.73/6.94 GB, 6 s left, 0.87 GB/s");
}

static void expect_sentence(const struct xl_progress_state *state, const char *expected) {
    struct xl_str text = {0};
    xl_progress_put_sentence(&text, state);
    cr_expect_str_eq(text.text, expected, "%s", text.text);
    xl_str_deinit(&text);
}

Test(progress_line, sentences) {
    struct xl_progress_state state = sweep;
    expect_sentence(&state, "step 12 of 30, 36 s left; picture 3 of 56, 4:10:02 left in all");
    state.n_together = 4;
    state.run_left_s = -1;
    expect_sentence(&state, "step 12 of 30, 36 s left; pictures 3-6 of 56");
    state.n = 1;
    state.phase_s = 240;
    expect_sentence(&state, "step 12 of 30, 6:00 left");
    state.phase = XL_PHASE_LOAD;
    state.done = 0;
    state.total = 6936000000;
    expect_sentence(&state, "loading 0.00 of 6.94 GB");
}
