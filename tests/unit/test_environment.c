/* test_environment.c - settings from environment variables: both spellings, conflicts, emptiness.
 */
#include "lab/settings/settings.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[] = {"HEADLESS",
                                    "PROMPT",
                                    "NEGATIVE_PROMPT",
                                    "MODEL_KEY",
                                    "MODEL",
                                    "GUIDANCE",
                                    "CFG_SCALE",
                                    "STYLE_PROFILE",
                                    "MODE",
                                    "WIDTH",
                                    "HEIGHT",
                                    "STEPS",
                                    "BATCH_SIZE",
                                    "SEED",
                                    "INIT_IMAGE_PATH",
                                    "SCHEDULER",
                                    "INSTANCE_ID",
                                    "IMG2IMG_STRENGTH",
                                    "RUN_ALL_PROFILES",
                                    "RUN_ALL_MODELS",
                                    "OUTPUT_DIR",
                                    "CONTAINER_NAME"};

static void clear(void) {
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) unsetenv(names[i]);
}

TestSuite(environment, .init = clear);

Test(environment, headless_words) {
    cr_expect_not(xl_environment_is_headless());
    const char *const yes[] = {"1", "true", "yes", "TRUE", "on"}, *const no[] = {"0", "false", "",
                                                                                 "no", "2"};
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++) {
        setenv("HEADLESS", yes[i], 1);
        cr_expect(xl_environment_is_headless(), "%s", yes[i]);
    }
    for (size_t i = 0; i < sizeof no / sizeof *no; i++) {
        setenv("HEADLESS", no[i], 1);
        cr_expect_not(xl_environment_is_headless(), "%s", no[i]);
    }
    setenv("PROMPT", "a cat", 1);
    cr_expect(xl_environment_is_headless());
}

Test(environment, every_variable_of_the_work_plan) {
    setenv("PROMPT", "a cat", 1);
    setenv("NEGATIVE_PROMPT", "blurry", 1);
    setenv("MODEL_KEY", "SDXL Base 1.0", 1);
    setenv("STYLE_PROFILE", "Photoreal", 1);
    setenv("MODE", "img2img", 1);
    setenv("WIDTH", "1024", 1);
    setenv("HEIGHT", "576", 1);
    setenv("STEPS", "26", 1);
    setenv("GUIDANCE", "7.5", 1);
    setenv("BATCH_SIZE", "4", 1);
    setenv("SEED", "-1", 1);
    setenv("INIT_IMAGE_PATH", "/app/input/some_image.png", 1);
    setenv("IMG2IMG_STRENGTH", "0.4", 1);
    setenv("RUN_ALL_PROFILES", "false", 1);
    setenv("RUN_ALL_MODELS", "True", 1);
    setenv("SCHEDULER", "UniPC", 1);
    struct xl_settings s;
    xl_settings_default(&s);
    cr_assert_eq(xl_settings_read_environment(&s, false, NULL), XL_OK);
    cr_expect_str_eq(s.prompt, "a cat");
    cr_expect_str_eq(s.negative, "blurry");
    cr_expect_str_eq(s.model, "SDXL Base 1.0");
    cr_expect_str_eq(s.profile, "Photoreal");
    cr_expect_str_eq(s.init_image, "/app/input/some_image.png");
    cr_expect_str_eq(s.scheduler, "UniPC");
    cr_expect(s.mode == XL_MODE_IMG2IMG && s.width == 1024 && s.height == 576 && s.steps == 26);
    cr_expect(s.guidance == 7.5 && s.batch == 4 && s.strength == 0.4 && !s.has_seed);
    cr_expect(!s.all_profiles && s.all_models);
    cr_expect(xl_settings_is_given(&s, "steps") && !xl_settings_is_given(&s, "dtype"));
}

Test(environment, the_earlier_spellings) {
    setenv("MODEL", "SDXL Turbo", 1);
    setenv("CFG_SCALE", "0", 1);
    struct xl_settings s;
    xl_settings_default(&s);
    cr_assert_eq(xl_settings_read_environment(&s, false, NULL), XL_OK);
    cr_expect_str_eq(s.model, "SDXL Turbo");
    cr_expect_eq(s.guidance, 0);
}

Test(environment, two_spellings_that_differ_are_refused) {
    struct xl_settings s;
    struct xl_err err = {0};
    xl_settings_default(&s);
    setenv("GUIDANCE", "7.5", 1);
    setenv("CFG_SCALE", "7.50", 1);
    cr_expect_eq(xl_settings_read_environment(&s, false, &err), XL_OK, "%s", err.text);
    setenv("CFG_SCALE", "5", 1);
    cr_expect_eq(xl_settings_read_environment(&s, false, &err), XL_EINVAL);
    cr_expect(strstr(err.text, "GUIDANCE") && strstr(err.text, "CFG_SCALE"), "%s", err.text);
}

Test(environment, empty_is_absent_and_nonsense_is_named) {
    struct xl_settings s;
    struct xl_err err = {0};
    xl_settings_default(&s);
    setenv("NEGATIVE_PROMPT", "", 1);
    setenv("STEPS", "", 1);
    cr_expect_eq(xl_settings_read_environment(&s, false, NULL), XL_OK);
    cr_expect_null(s.negative);
    cr_expect_eq(s.steps, 30);
    setenv("STEPS", "many", 1);
    cr_expect_eq(xl_settings_read_environment(&s, false, &err), XL_EINVAL);
    cr_expect(strstr(err.text, "STEPS: \"many\""), "%s", err.text);
    setenv("STEPS", "20", 1);
    setenv("RUN_ALL_MODELS", "maybe", 1);
    cr_expect_eq(xl_settings_read_environment(&s, false, &err), XL_EINVAL);
    cr_expect(strstr(err.text, "RUN_ALL_MODELS"), "%s", err.text);
}

Test(environment, places_count_for_typed_commands) {
    setenv("OUTPUT_DIR", "/pictures", 1);
    setenv("INSTANCE_ID", "night", 1);
    setenv("STEPS", "3", 1);
    struct xl_settings s;
    xl_settings_default(&s);
    cr_assert_eq(xl_settings_read_environment(&s, true, NULL), XL_OK);
    cr_expect_str_eq(s.output_dir, "/pictures");
    cr_expect_str_eq(s.instance, "night");
    cr_expect_eq(s.steps, 30);
}
