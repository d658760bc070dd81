/* test_sweep.c - from settings to cells: axes multiplied, who decides what nobody said, order. */
#include "lab/run/sweep.h"

#include "unit/scratch.h"

#include <criterion/criterion.h>
#include <string.h>

#define REPO XL_SOURCE_DIR "/tests/data/models/repo"

static struct xl_settings settings;
static struct xl_sweep sweep;
static struct xl_err err;

static void begin(void) {
    setenv("XDG_CONFIG_HOME", "/nowhere", 1);
    scratch_open();
    xl_settings_default(&settings);
    settings.model = REPO;
    settings.prompt = "a cat";
    settings.threads = 1;
}

static void end(void) {
    xl_sweep_deinit(&sweep);
    scratch_close();
}

TestSuite(sweep, .init = begin, .fini = end);

static void give(const char *name, const char *text) {
    cr_assert_eq(xl_settings_set(&settings, xl_option_find(name), name, text, &err), XL_OK, "%s",
                 err.text);
}

static void plan(void) {
    cr_assert_eq(xl_sweep_plan(&settings, &sweep, &err), XL_OK, "%s", err.text);
}

/* The sentence of a plan that fails. */
static const char *refusal(enum xl_status expected) {
    cr_expect_eq(xl_sweep_plan(&settings, &sweep, &err), expected, "%s", err.text);
    return err.text;
}

Test(sweep, one_picture_is_one_cell) {
    give("seed", "7");
    plan();
    cr_assert_eq(sweep.n_cells, 1);
    const struct xl_cell *cell = &sweep.cells[0];
    cr_expect(!sweep.is_grid && !sweep.has_models);
    cr_expect_str_eq(cell->profile, "None (raw)");
    cr_expect_str_eq(cell->styled_prompt, "a cat");
    cr_expect_null(cell->effective_negative);
    cr_expect(cell->steps == 30 && cell->guidance == 5 && cell->seed == 7);
    cr_expect(cell->width > 0 && cell->width % 8 == 0);
    cr_expect_str_eq(cell->scheduler, "default");
    cr_expect_str_eq(sweep.models[0].key, "repo");
}

Test(sweep, a_random_seed_is_drawn_once) {
    give("sweep", "steps=1,2");
    give("batch", "2");
    plan();
    cr_assert_eq(sweep.n_cells, 4);
    uint64_t seed = sweep.cells[0].seed;
    for (int i = 0; i < 4; i++) cr_expect_eq(sweep.cells[i].seed, seed + (uint64_t)(i % 2));
}

Test(sweep, axes_multiply_in_the_order_of_asking) {
    give("sweep", "steps=1,2");
    give("sweep", "guidance=3:4:1");
    give("sweep", "seed=8..9");
    plan();
    cr_assert_eq(sweep.n_cells, 8);
    for (int i = 0; i < 8; i++) {
        const struct xl_cell *cell = &sweep.cells[i];
        cr_expect_eq(cell->index, i);
        cr_expect_eq(cell->steps, 1 + i / 4);
        cr_expect_eq(cell->guidance, 3 + i / 2 % 2);
        cr_expect_eq(cell->seed, (uint64_t)(8 + i % 2));
    }
    cr_expect(sweep.is_grid);
    cr_expect_eq(settings.steps, 30, "the settings are as they were");
}

Test(sweep, profiles_advise_where_nobody_said) {
    const char *path = scratch("own.yaml");
    FILE *file = fopen(path, "w");
    fputs("Mine: {prompt: \"in ink\", negative: \"colour\", steps: 12, guidance: 7,"
          " scheduler: euler-a}\n",
          file);
    fclose(file);
    give("profiles-file", path);
    give("profile", "mine");
    plan();
    const struct xl_cell *cell = &sweep.cells[0];
    cr_expect_str_eq(cell->profile, "Mine");
    cr_expect_str_eq(cell->styled_prompt, "a cat, in ink");
    cr_expect_str_eq(cell->effective_negative, "colour");
    cr_expect(cell->steps == 12 && cell->guidance == 7);
    cr_expect_str_eq(cell->scheduler, "euler-a");
    xl_sweep_deinit(&sweep);
    give("steps", "5");
    give("guidance", "2");
    give("scheduler", "heun");
    plan();
    cell = &sweep.cells[0];
    cr_expect(cell->steps == 5 && cell->guidance == 2);
    cr_expect_str_eq(cell->scheduler, "heun");
}

Test(sweep, cells_that_are_equal_are_one) {
    give("sweep", "guidance=3,3.0,4");
    plan();
    cr_expect_eq(sweep.n_cells, 2);
    cr_expect_eq(sweep.n_duplicates, 1);
    cr_expect(strstr(sweep.notices.text, "drawn once"), "%s", sweep.notices.text);
}

/* Shapes together, within them texts together, within them as asked. */
Test(sweep, order_of_drawing) {
    give("sweep", "seed=1..3");
    give("sweep", "profile=Watercolor,Cinematic");
    give("sweep", "size=64x64,128x64");
    plan();
    cr_assert_eq(sweep.n_cells, 12);
    int n_shapes = 1, n_texts = 1;
    for (int i = 1; i < 12; i++) {
        const struct xl_cell *a = &sweep.cells[sweep.order[i - 1]],
                             *b = &sweep.cells[sweep.order[i]];
        n_shapes += a->width != b->width;
        n_texts += strcmp(a->styled_prompt, b->styled_prompt) != 0;
        if (a->width == b->width && !strcmp(a->styled_prompt, b->styled_prompt))
            cr_expect_lt(a->index, b->index);
    }
    cr_expect_eq(n_shapes, 2);
    cr_expect_leq(n_texts, 4);
}

Test(sweep, contradictions_are_refused) {
    settings.all_models = settings.all_profiles = true;
    cr_expect(strstr(refusal(XL_EINVAL), "exclude each other"), "%s", err.text);
    settings.all_models = false;
    give("sweep", "profile=Watercolor");
    cr_expect(strstr(refusal(XL_EINVAL), "two axes of profile"), "%s", err.text);
    settings.all_profiles = false;
    settings.prompt = NULL;
    cr_expect(strstr(refusal(XL_EINVAL), "--prompt: missing"), "%s", err.text);
    settings.prompt = "x";
    settings.mode = XL_MODE_IMG2IMG;
    cr_expect(strstr(refusal(XL_EINVAL), "INIT_IMAGE_PATH"), "%s", err.text);
}

Test(sweep, a_million_cells_need_a_yes) {
    give("sweep", "seed=1..1000");
    give("sweep", "steps=1..1000");
    cr_expect(strstr(refusal(XL_EINVAL), "1000000 pictures; if that is meant, say --yes"), "%s",
              err.text);
    give("sweep", "guidance=1:10:1");
    settings.yes = true;
    cr_expect(strstr(refusal(XL_EINVAL), "at most 2000000"), "%s", err.text);
}

Test(sweep, models_that_are_not_there_are_skipped_with_the_reason) {
    give("sweep", "model=" REPO ",nobody/nothing");
    plan();
    cr_assert_eq(sweep.n_models, 2);
    cr_expect_null(sweep.models[0].skipped);
    cr_expect(strstr(sweep.models[1].skipped, "not in the Hugging Face cache"), "%s",
              sweep.models[1].skipped);
    cr_expect_eq(sweep.n_cells, 1);
    cr_expect(strstr(sweep.notices.text, "nobody/nothing is skipped"), "%s", sweep.notices.text);
}
