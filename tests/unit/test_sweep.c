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
    cr_expect(strstr(refusal(XL_EINVAL), "there is no --init-image"), "%s", err.text);
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

/* A model that somebody named is not left out in silence. */
Test(sweep, models_that_were_named_must_be_there) {
    give("sweep", "model=" REPO ",nobody/nothing");
    cr_expect(strstr(refusal(XL_EMODEL), "--sweep model: model nobody/nothing"), "%s", err.text);
    settings.sweep.n = 0;
    give("sweep", "model=" REPO ",SDXL Bsae 1.0");
    cr_expect(strstr(refusal(XL_EINVAL), "did you mean \"SDXL Base 1.0\"?"), "%s", err.text);
    settings.sweep.n = 0;
    give("sweep", "model=SDXL Turbo," REPO); /* known, and not in the cache */
    cr_expect(strstr(refusal(XL_EMODEL), "--sweep model: SDXL Turbo: "), "%s", err.text);
}

/* Ten models that nobody named are one line. */
Test(sweep, models_of_all_are_left_out_in_one_line) {
    settings.model = NULL;
    const char *path = scratch("own.yaml");
    scratch_puts(path, "Here: {folder: " REPO "}\nNot here: {repo: nobody/nothing}\n"
                       "Nor here: {repo: nobody/else}\n");
    give("models-file", path);
    give("sweep", "model=all");
    plan();
    cr_expect_eq(sweep.n_cells, 1);
    const char *line = strstr(sweep.notices.text, "models skipped: ");
    cr_assert_not_null(line, "%s", sweep.notices.text);
    cr_expect(strstr(line, "Not here, Nor here"), "%s", line);
    cr_expect(strstr(line, "not cached: "), "%s", line);
    cr_expect(!strchr(strchr(line, '\n') + 1, '\n'), "%s", line);
}

/* Of all models, one that cannot draw what is asked does not stop the others. */
Test(sweep, models_of_all_that_cannot_draw_it_are_left_out) {
    settings.model = NULL;
    const char *path = scratch("own.yaml");
    char command[2 * SCRATCH_PATH + 200];
    snprintf(command, sizeof command,
             "cp -r " REPO " %s && sed -i 's/\"epsilon\"/\"sample\"/' %s/scheduler/*.json",
             scratch("other"), scratch("other"));
    cr_assert_eq(system(command), 0);
    char models[2 * SCRATCH_PATH];
    snprintf(models, sizeof models, "Here: {folder: " REPO "}\nOther: {folder: %s}\n",
             scratch("other"));
    scratch_puts(path, models);
    give("models-file", path);
    give("scheduler", "euler-a");
    give("sweep", "model=all");
    plan();
    cr_expect_eq(sweep.n_cells, 1);
    cr_expect_str_eq(sweep.cells[0].model_key, "Here");
    cr_expect(strstr(sweep.notices.text, "cannot draw this: Other"), "%s", sweep.notices.text);
    xl_sweep_deinit(&sweep);
    settings.sweep.n = 0;
    snprintf(models, sizeof models, "model=" REPO ",%s", scratch("other"));
    give("sweep", models);
    cr_expect(strstr(refusal(XL_EFORMAT), "\"prediction_type\" is \"sample\""), "%s", err.text);
}

/* Whatever the option, a value is told with its axis before anything is planned. */
Test(sweep, every_value_of_every_axis_is_checked) {
    static const struct {
        const char *axis, *sentence;
        enum xl_status status;
    } cases[] = {
        {"profile=Watercolor,Watercolr", "--sweep profile: profile \"Watercolr\"", XL_EINVAL},
        {"profile=Watercolor,Watercolr", "did you mean \"Watercolor\"?", XL_EINVAL},
        {"size=64x64,65x64", "--sweep size: size 65x64: a side of 65", XL_EINVAL},
        {"size=64x64,portrit", "did you mean", XL_EINVAL},
        {"width=64,68", "--sweep width: a side of 68; expected a multiple of 8", XL_EINVAL},
        {"height=64,68", "--sweep height: a side of 68; expected a multiple of 8", XL_EINVAL},
        {"steps=1,2000", "\"2000\" is not a whole number from 1 to 1000", XL_EINVAL},
        {"guidance=1,-1", "\"-1\" is not a number from 0", XL_EINVAL},
        {"guidance-rescale=0,2", "\"2\" is not a number from 0 to 1", XL_EINVAL},
        {"scheduler=euler,qqqqq", "\"qqqqq\" is unknown; choose default, euler", XL_EINVAL},
        {"scheduler=DPM++ 2M Karras,eulr", "--sweep scheduler: scheduler \"eulr\"", XL_EINVAL},
        {"scheduler=euler,eulr", "did you mean \"euler\"?", XL_EINVAL},
        {"rng=torch-cpu,mt", "\"mt\" is not one of", XL_EINVAL},
        {"seed=1,x", "\"x\" is not a seed", XL_EINVAL},
        {"init-image=/nowhere/a.png", "--sweep init-image: /nowhere/a.png", XL_EINPUT},
        {"init-image=" XL_SOURCE_DIR "/README.md", "--sweep init-image: ", XL_EINPUT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        settings.sweep.n = 0;
        give("sweep", cases[i].axis);
        cr_expect(strstr(refusal(cases[i].status), cases[i].sentence), "%s: %s", cases[i].axis,
                  err.text);
    }
}

/* The place of a value that only planning can judge: in a list of a job file, in a file of values.
 */
Test(sweep, a_wrong_value_is_told_with_its_place) {
    struct xl_arena arena = {0};
    const char *path = scratch("job.yaml");
    scratch_puts(path, "prompt: x\nsweep:\n  profile:\n    - Watercolor\n    - Watercolr\n");
    cr_assert_eq(xl_settings_read_file(&settings, path, &arena, &err), XL_OK, "%s", err.text);
    settings.model = REPO;
    cr_expect(strstr(refusal(XL_EINVAL), "job.yaml:5:7: --sweep profile: "), "%s", err.text);
    settings.sweep.n = 0;
    scratch_puts(path, "sweep: {size: [64x64, 9x9]}\n");
    cr_assert_eq(xl_settings_read_file(&settings, path, &arena, &err), XL_OK, "%s", err.text);
    cr_expect(strstr(refusal(XL_EINVAL), "job.yaml:1:23: --sweep size: "), "%s", err.text);
    settings.sweep.n = 0;
    scratch_puts(scratch("models.txt"), "# models\n" REPO "\nnobody/nothing\n");
    char axis[SCRATCH_PATH + 16];
    snprintf(axis, sizeof axis, "model=@%s", scratch("models.txt"));
    settings.sweep_places[0] = NULL;
    give("sweep", axis);
    cr_expect(strstr(refusal(XL_EMODEL), "models.txt:3:1: --sweep model: model nobody/nothing"),
              "%s", err.text);
    xl_arena_deinit(&arena);
}

/* --- Contradictions ----------------------------------------------------------------------------
 */

Test(sweep, one_choice_beside_all_is_refused) {
    settings.reads_environment = true;
    give("model", REPO);
    settings.all_models = true;
    cr_expect(strstr(refusal(XL_EINVAL), "--all-models (RUN_ALL_MODELS) draws every model, and "
                                         "--model (MODEL_KEY) names one"),
              "%s", err.text);
    settings.all_models = false;
    settings.all_profiles = true;
    give("profile", "Watercolor");
    cr_expect(strstr(refusal(XL_EINVAL), "--all-profiles (RUN_ALL_PROFILES) draws every profile, "
                                         "and --profile (STYLE_PROFILE) names one"),
              "%s", err.text);
    settings.reads_environment = false;
    cr_expect(strstr(refusal(XL_EINVAL), "--all-profiles draws every profile, and --profile names"),
              "%s", err.text);
    settings.all_profiles = false;
    give("sweep", "profile=all");
    cr_expect(strstr(refusal(XL_EINVAL), "--sweep profile=all draws every profile"), "%s",
              err.text);
    give("profile", "none"); /* what containers pass on */
    plan();
}

Test(sweep, what_is_swept_counts_and_is_said) {
    give("steps", "5");
    give("width", "128");
    give("sweep", "steps=1,2");
    give("sweep", "size=64x64,64x128");
    plan();
    cr_assert_eq(sweep.n_cells, 4);
    cr_expect(sweep.cells[0].steps == 1 && sweep.cells[3].steps == 2);
    for (int i = 0; i < 4; i++) cr_expect_eq(sweep.cells[i].width, 64);
    cr_expect(strstr(sweep.notices.text, "--sweep steps counts, and --steps does not\n"), "%s",
              sweep.notices.text);
    cr_expect(strstr(sweep.notices.text, "--sweep size counts, and --width does not\n"), "%s",
              sweep.notices.text);
}

Test(sweep, an_axis_that_changes_nothing_is_refused) {
    give("sweep", "strength=0.3,0.6");
    cr_expect(strstr(refusal(XL_EINVAL), "changes nothing without --init-image"), "%s", err.text);
    give("init-image", XL_SOURCE_DIR "/tests/data/images/rgb.png");
    settings.mode = XL_MODE_TXT2IMG;
    cr_expect(strstr(refusal(XL_EINVAL), "changes nothing with --mode txt2img"), "%s", err.text);
    settings.sweep.n = 0;
    give("sweep", "size=64x64,128x64");
    give("sweep", "width=64,128");
    cr_expect(strstr(refusal(XL_EINVAL), "--sweep size and --sweep width exclude each other"), "%s",
              err.text);
}

/* --- Names -------------------------------------------------------------------------------------
 */

/* The tags of all cells joined by '|'; "-" where there is none. */
static const char *tags(void) {
    static char out[2048];
    plan();
    out[0] = 0;
    for (int c = 0; c < sweep.n_cells; c++) {
        if (c) strcat(out, "|");
        strcat(out, sweep.cells[c].tag ? sweep.cells[c].tag : "-");
    }
    xl_sweep_deinit(&sweep);
    settings.sweep.n = 0;
    return out;
}

Test(sweep, names_of_files_say_what_differs) {
    static const struct {
        const char *axis, *other, *tags;
    } cases[] = {
        {"seed=1,2", NULL, "-|-"}, /* a name has it anyway */
        {"prompt=a,b", "profile=Watercolor,Cinematic", "-|-|-|-"},
        {"steps=1,2", "guidance=3,4.5",
         "steps1-guidance3|steps1-guidance4.5|steps2-guidance3|"
         "steps2-guidance4.5"},
        {"guidance-rescale=0,0.7", NULL, "guidance-rescale0|guidance-rescale0.7"},
        {"rng=torch-cpu,torch-cuda", NULL, "torch-cpu|torch-cuda"},
        {"scheduler=euler,dpmpp-2m-karras", NULL, "euler|dpmpp-2m-karras"},
        {"size=64x64,128x64", NULL, "64x64|128x64"},
        {"negative=[null,\"\",\"Blurry, bad\"]", NULL,
         "no-negative|no-negative|negative-blurry-bad"},
        /* Of texts that begin alike: where they differ. */
        {"negative=[\"blurry, low quality, many fingers\",\"blurry, low quality, cropped\"]", NULL,
         "negative-many-fingers|negative-cropped"},
        {"prompt=[\"a very long prompt that goes on and on for more than sixty bytes and ends in "
         "red\",\"a very long prompt that goes on and on for more than sixty bytes and ends in "
         "blue\",\"b\"]",
         NULL, "red|blue|-"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        give("sweep", cases[i].axis);
        if (cases[i].other) give("sweep", cases[i].other);
        cr_expect_str_eq(tags(), cases[i].tags, "%s: %s", cases[i].axis, cases[i].tags);
    }
    const char *images = XL_SOURCE_DIR "/tests/data/images/";
    char axis[1024];
    give("size", "64x64");
    snprintf(axis, sizeof axis, "init-image=[\"\",\"%srgb-8.png\",\"%srgba-8.png\"]", images,
             images);
    give("sweep", axis);
    give("sweep", "strength=0.5,1");
    cr_expect_str_eq(tags(),
                     "no-init-image|init-image-rgb-8-strength0.5|init-image-rgb-8-strength1|"
                     "init-image-rgba-8-strength0.5|init-image-rgba-8-strength1");
}

/* --- Seeds -------------------------------------------------------------------------------------
 */

Test(sweep, each_minus_one_is_a_seed_of_its_own) {
    give("sweep", "seed=-1,7,-1,-1");
    give("seed", "7");
    plan();
    cr_assert_eq(sweep.n_cells, 4);
    cr_expect_eq(sweep.cells[1].seed, 7);
    for (int i = 0; i < 4; i++)
        for (int k = 0; k < i; k++) cr_expect_neq(sweep.cells[i].seed, sweep.cells[k].seed);
    cr_expect_eq(sweep.n_random, 3);
    /* The request says them: who reads it draws the same. */
    char wanted[128];
    snprintf(wanted, sizeof wanted, "seed=[\"%llu\",\"7\",\"%llu\",\"%llu\"]",
             (unsigned long long)sweep.cells[0].seed, (unsigned long long)sweep.cells[2].seed,
             (unsigned long long)sweep.cells[3].seed);
    cr_expect_str_eq(settings.sweep.item[0], wanted);
}

Test(sweep, seeds_of_the_largest_numbers) {
    give("sweep", "seed=18446744073709551614..18446744073709551615");
    plan();
    cr_assert_eq(sweep.n_cells, 2);
    cr_expect_eq(sweep.cells[0].seed, UINT64_MAX - 1);
    cr_expect_eq(sweep.cells[1].seed, UINT64_MAX);
}

Test(sweep, null_is_what_counts_without_the_axis) {
    give("negative", "blurry");
    give("sweep", "negative=[null,\"\",\"red\"]");
    plan();
    cr_assert_eq(sweep.n_cells, 3);
    cr_expect_str_eq(sweep.cells[0].negative, "blurry");
    cr_expect_str_eq(sweep.cells[1].negative, "");
    cr_expect_str_eq(sweep.cells[2].negative, "red");
}

/* All profiles have the raw one, first: what the styles are judged by. */
Test(sweep, all_profiles_begin_with_none) {
    settings.all_profiles = true;
    plan();
    cr_assert_eq(sweep.n_cells, 29);
    cr_expect_str_eq(sweep.cells[0].profile, XL_PROFILE_RAW);
    for (int i = 1; i < 29; i++) cr_expect_str_neq(sweep.cells[i].profile, XL_PROFILE_RAW);
}
