/* test_cell_axes.c - what made a grid is found in its cells, whatever it was. */
#include "lab/cell/cell_axes.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 4096 };

static struct xl_cell cells[MOST];
static const struct xl_cell *list[MOST];
static struct xl_arena arena;

static void open_cells(void) {
    for (int i = 0; i < MOST; i++) {
        cells[i] = (struct xl_cell){.profile = "None (raw)",
                                    .prompt = "a cat",
                                    .styled_prompt = "a cat",
                                    .width = 512,
                                    .height = 512,
                                    .seed = 7,
                                    .steps = 30,
                                    .guidance = 5,
                                    .scheduler = "default"};
        list[i] = &cells[i];
    }
}

static void close_cells(void) {
    xl_arena_deinit(&arena);
}

TestSuite(cell_axes, .init = open_cells, .fini = close_cells);

/* "prompt 3, seed 2": the axes and how many values each has. */
static const char *axes_of(int n, struct xl_cell_axes *axes) {
    static char text[256];
    struct xl_err err = {0};
    text[0] = 0;
    cr_assert_eq(xl_cell_axes_find(list, n, &arena, axes, &err), XL_OK, "%s", err.text);
    for (int k = 0; k < axes->n; k++) {
        struct xl_cell_column column;
        xl_cell_column_at(axes->axes[k].column, &column);
        size_t at = strlen(text);
        snprintf(text + at, sizeof text - at, "%s%s %d", k ? ", " : "", column.field->key,
                 axes->axes[k].n);
    }
    return text;
}

Test(cell_axes, one_cell_and_equal_cells_have_none) {
    struct xl_cell_axes axes;
    cr_expect_str_eq(axes_of(1, &axes), "");
    cr_expect(axes.is_grid);
    cr_expect_str_eq(axes_of(3, &axes), "");
    cr_expect_not(axes.is_grid, "nothing tells them apart");
}

Test(cell_axes, a_full_grid) {
    static const char *const prompts[] = {"a fox", "a cat", "a dog"};
    struct xl_cell_axes axes;
    for (int i = 0; i < 24; i++) {
        cells[i].prompt = cells[i].styled_prompt = prompts[i / 8];
        cells[i].seed = (uint64_t)(4 - i / 2 % 4);
        cells[i].steps = i % 2 ? 20 : 30;
    }
    cr_expect_str_eq(axes_of(24, &axes), "seed 4, prompt 3, steps 2");
    cr_expect(axes.is_grid);
    cr_expect(axes.axes[1].is_long);
    /* Values in the order of asking, not sorted. */
    cr_expect_eq(axes.axes[0].first[0], 0);
    cr_expect_eq(cells[axes.axes[0].first[1]].seed, 3);
    cr_expect_str_eq(cells[axes.axes[1].first[0]].prompt, "a fox");
    cr_expect_eq(axes.axes[0].value_of[23], 3);
    cr_expect_eq(axes.axes[2].value_of[23], 1);
}

/* What a profile decides is no axis: it is said beside the profile. */
Test(cell_axes, what_another_axis_decides_follows_it) {
    static const char *const profiles[] = {"A", "B", "C"}, *const schedulers[] = {"x", "y", "x"};
    struct xl_cell_axes axes;
    for (int i = 0; i < 6; i++) {
        cells[i].profile = profiles[i / 2];
        cells[i].scheduler = schedulers[i / 2];
        cells[i].guidance = i / 2 + 5;
        cells[i].seed = (uint64_t)(i % 2);
    }
    cr_expect_str_eq(axes_of(6, &axes), "profile 3, seed 2");
    struct xl_cell_column column;
    for (int i = 0; xl_cell_column_at(i, &column); i++) {
        bool is_followed = axes.axes[0].follows >> i & 1;
        bool expected = !strcmp(column.field->key, "guidance") ||
                        !strcmp(column.field->key, "scheduler");
        cr_expect_eq(is_followed, expected, "%s", column.field->key);
    }
}

Test(cell_axes, pictures_are_told_by_axes_alone) {
    static const char *const profiles[] = {"A", "B", "C"};
    xl_cell_columns told = 0, expected = 0;
    struct xl_cell_column column;
    for (int i = 0; i < 6; i++) {
        cells[i].profile = profiles[i / 2];
        cells[i].guidance = i / 2 + 5;
        cells[i].seed = (uint64_t)(i % 2);
    }
    cr_assert_eq(xl_cells_told_by(cells, 6, &told, NULL), XL_OK);
    for (int i = 0; xl_cell_column_at(i, &column); i++)
        if (!strcmp(column.field->key, "profile") || !strcmp(column.field->key, "seed"))
            expected |= UINT64_C(1) << i;
    cr_expect_eq(told, expected);
    cr_assert_eq(xl_cells_told_by(cells, 1, &told, NULL), XL_OK);
    cr_expect_eq(told, 0);
}

/* Each cell its own seed: the seed is no axis where something else tells them apart. */
Test(cell_axes, a_seed_of_its_own_for_each_cell) {
    struct xl_cell_axes axes;
    for (int i = 0; i < 6; i++) {
        cells[i].steps = 10 + i / 2;
        cells[i].guidance = i % 2;
        cells[i].seed = (uint64_t)i * 77;
    }
    cr_expect_str_eq(axes_of(6, &axes), "steps 3, guidance 2");
    cr_expect(axes.is_grid);
    for (int i = 0; i < 6; i++) cells[i].steps = 30, cells[i].guidance = 5;
    cr_expect_str_eq(axes_of(6, &axes), "seed 6");
}

Test(cell_axes, holes_are_fine_and_a_list_is_no_grid) {
    struct xl_cell_axes axes;
    for (int i = 0; i < 11; i++) {
        cells[i].steps = 10 + i / 4;
        cells[i].seed = (uint64_t)(i % 4);
    }
    cr_expect_str_eq(axes_of(11, &axes), "seed 4, steps 3");
    cr_expect(axes.is_grid, "one place of twelve is empty");
    for (int i = 0; i < 10; i++) {
        cells[i].steps = 10 + i;
        cells[i].guidance = i % 5;
        cells[i].seed = 7;
    }
    cells[9].steps = 18; /* no longer alone by its steps */
    axes_of(10, &axes);
    cr_expect_not(axes.is_grid, "45 places for 10 cells");
}

Test(cell_axes, thousands_of_cells) {
    struct xl_cell_axes axes;
    for (int i = 0; i < MOST; i++) {
        cells[i].seed = (uint64_t)(i / 2);
        cells[i].steps = 10 + i % 2;
    }
    cr_expect_str_eq(axes_of(MOST, &axes), "seed 2048, steps 2");
    cr_expect(axes.is_grid);
}
