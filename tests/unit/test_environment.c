/* test_environment.c - settings from environment variables: both spellings, conflicts, emptiness.
 */
#include "lab/settings/settings.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

static struct xl_arena arena;
static struct xl_err err;

static void clear(void) {
    unsetenv("SIZE");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) unsetenv(names[i]);
}

TestSuite(environment, .init = clear);

/* 1 or 0, or -1: HEADLESS is refused. */
static int is_headless(const char *value) {
    bool is = false;
    setenv("HEADLESS", value, 1);
    enum xl_status status = xl_environment_is_headless(&is, &err);
    cr_expect(status == XL_OK || status == XL_EINVAL);
    return status ? -1 : is;
}

static enum xl_status read_all(struct xl_settings *settings) {
    xl_settings_default(settings);
    settings->arena = &arena;
    return xl_settings_read_environment(settings, false, &err);
}

static const char *const yes[] = {"1", "true", "yes", "TRUE", "on", "On"};
static const char *const no[] = {"0", "false", "no", "False", "off", "NO"};
static const char *const neither[] = {"2", "maybe", "1 ", " 1", "y", "\"1\"", "'true'", "1\r"};
#define N_OF(list) (sizeof(list) / sizeof *(list))

Test(environment, headless_is_true_false_or_refused) {
    cr_expect_eq(is_headless(""), 0);
    for (size_t i = 0; i < N_OF(yes); i++) cr_expect_eq(is_headless(yes[i]), 1, "%s", yes[i]);
    for (size_t i = 0; i < N_OF(no); i++) cr_expect_eq(is_headless(no[i]), 0, "%s", no[i]);
    for (size_t i = 0; i < N_OF(neither); i++) {
        cr_expect_eq(is_headless(neither[i]), -1, "%s", neither[i]);
        cr_expect(strstr(err.text, "HEADLESS: "), "%s", err.text);
    }
    setenv("PROMPT", "a cat", 1);
    cr_expect_eq(is_headless("no"), 1);
    cr_expect_eq(is_headless("maybe"), -1);
}

Test(environment, every_switch_takes_the_same_words) {
    const struct xl_option *option;
    int n = 0;
    for (int i = 0; (option = xl_option_at(i)); i++) {
        char name[XL_ENVIRONMENT_NAME_MAX];
        struct xl_settings s;
        if (option->type != XL_OPTION_SWITCH || !xl_option_environment(option, 0, name)) continue;
        n++;
        for (size_t k = 0; k < N_OF(yes); k++) {
            setenv(name, yes[k], 1);
            cr_expect_eq(read_all(&s), XL_OK, "%s", err.text);
            cr_expect(*(const bool *)((const char *)&s + option->offset), "%s=%s", name, yes[k]);
            setenv(name, no[k], 1);
            cr_expect_eq(read_all(&s), XL_OK, "%s", err.text);
            cr_expect_not(*(const bool *)((const char *)&s + option->offset), "%s", name);
        }
        for (size_t k = 0; k < N_OF(neither); k++) {
            setenv(name, neither[k], 1);
            cr_expect_eq(read_all(&s), XL_EINVAL, "%s=%s", name, neither[k]);
        }
        unsetenv(name);
    }
    cr_expect_gt(n, 1);
}

Test(environment, the_case_of_a_word_that_is_chosen_does_not_matter) {
    struct xl_settings s;
    static const char *const words[] = {"Txt2Img", "txt2img", "TXT2IMG"};
    for (size_t i = 0; i < N_OF(words); i++) {
        setenv("MODE", words[i], 1);
        cr_expect_eq(read_all(&s), XL_OK, "%s", err.text);
        cr_expect_eq(s.mode, XL_MODE_TXT2IMG);
    }
    setenv("MODE", "txt2img ", 1);
    cr_expect_eq(read_all(&s), XL_EINVAL);
}

/* What docker --env-file makes of NAME="value": only a text may have meant it. */
Test(environment, quotes_are_refused_wherever_no_text_is_meant) {
    const struct xl_option *option;
    int n = 0;
    for (int i = 0; (option = xl_option_at(i)); i++) {
        char name[XL_ENVIRONMENT_NAME_MAX];
        struct xl_settings s;
        for (int k = 0; xl_option_environment(option, k, name); k++, n++) {
            setenv(name, "\"1\"", 1);
            enum xl_status status = read_all(&s);
            if (option->is_prose) {
                cr_expect_eq(status, XL_OK, "%s: %s", name, err.text);
                cr_expect_str_eq(xl_settings_text(&s, option), "\"1\"");
            } else {
                cr_expect_eq(status, XL_EINVAL, "%s", name);
                cr_expect(strstr(err.text, name) && strstr(err.text, "quotes"), "%s", err.text);
            }
            setenv(name, "1\r", 1);
            cr_expect_eq(read_all(&s), XL_EINVAL, "%s", name);
            cr_expect(strstr(err.text, name) && strstr(err.text, "carriage"), "%s", err.text);
            unsetenv(name);
        }
    }
    cr_expect_gt(n, 15);
}

Test(environment, what_the_environment_said_is_told_from_what_others_say) {
    struct xl_settings s;
    setenv("STEPS", "20", 1);
    setenv("SEED", "3", 1);
    cr_assert_eq(read_all(&s), XL_OK);
    xl_option_set steps = xl_option_bit(xl_option_find("steps"));
    xl_option_set seed = xl_option_bit(xl_option_find("seed"));
    cr_expect_eq(s.from_environment, steps | seed);
    cr_assert_eq(xl_settings_set(&s, xl_option_find("steps"), "--steps", "30", &err), XL_OK);
    cr_expect_eq(s.from_environment, seed);
    cr_expect_eq(s.given, steps | seed);
}

Test(environment, paths_are_filled_in) {
    struct xl_settings s;
    char here[4096], expected[5000];
    setenv("HOME", "/home/somebody/", 1);
    setenv("PICS", "pics", 1);
    setenv("OUTPUT_DIR", "~/$PICS/${PICS}2", 1);
    setenv("INIT_IMAGE_PATH", "./in.png", 1);
    setenv("MODEL", "$PICS/model", 1);
    cr_assert_eq(read_all(&s), XL_OK, "%s", err.text);
    cr_assert_not_null(getcwd(here, sizeof here));
    snprintf(expected, sizeof expected, "%s/in.png", here);
    cr_expect_str_eq(s.output_dir, "/home/somebody/pics/pics2");
    cr_expect_str_eq(s.init_image, expected);
    cr_expect_str_eq(s.model, "pics/model");
    setenv("MODEL", "org/na$me~", 1); /* no path: a name */
    setenv("OUTPUT_DIR", "$NOBODY_SET_THIS/x", 1);
    cr_expect_eq(read_all(&s), XL_EINVAL);
    cr_expect_str_eq(err.text,
                     "OUTPUT_DIR: \"$NOBODY_SET_THIS/x\": $NOBODY_SET_THIS is not set in the "
                     "environment; set it, or write $$ for a dollar sign");
    unsetenv("OUTPUT_DIR");
    cr_assert_eq(read_all(&s), XL_OK, "%s", err.text);
    cr_expect_str_eq(s.model, "org/na$me~");
    cr_expect_str_eq(s.output_dir, "output_images");
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
