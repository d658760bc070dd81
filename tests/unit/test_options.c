/* test_options.c - the option table: every row sound, values read strictly, slips suggested. */
#include "lab/settings/settings.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <string.h>

static enum xl_status set(struct xl_settings *settings, const char *name, const char *text,
                          struct xl_err *err) {
    return xl_settings_set(settings, xl_option_find(name), name, text, err);
}

Test(options, rows_are_sound_and_names_unique) {
    const struct xl_option *option;
    for (int i = 0; (option = xl_option_at(i)); i++) {
        cr_expect_eq(xl_option_find(option->name), option, "%s is there twice", option->name);
        cr_expect_neq(option->commands, 0, "%s", option->name);
        cr_expect_eq(option->argument == NULL, option->type == XL_OPTION_SWITCH, "%s",
                     option->name);
        cr_expect_eq(option->choices != NULL, option->type == XL_OPTION_CHOICE, "%s", option->name);
        cr_expect(option->help[0] && option->group[0], "%s", option->name);
    }
}

Test(options, what_completes_to_a_path_is_one) {
    const struct xl_option *option;
    for (int i = 0; (option = xl_option_at(i)); i++) {
        bool is_path =
            option->completion == XL_COMPLETE_FILE || option->completion == XL_COMPLETE_DIR ||
            option->completion == XL_COMPLETE_MODEL || option->completion == XL_COMPLETE_LORA ||
            option->completion == XL_COMPLETE_EMBEDDING || option->completion == XL_COMPLETE_VAE;
        cr_expect_eq(option->path != XL_PATH_NONE, is_path, "%s", option->name);
        cr_expect(option->path != XL_PATH_SHOWN || !option->is_axis, "%s", option->name);
    }
}

Test(options, shown_defaults_are_the_defaults) {
    struct xl_settings defaults, shown;
    xl_settings_default(&defaults);
    xl_settings_default(&shown);
    const struct xl_option *option;
    for (int i = 0; (option = xl_option_at(i)); i++) {
        if (!option->fallback || option->type == XL_OPTION_STRING) continue;
        cr_expect_eq(xl_settings_set(&shown, option, option->name, option->fallback, NULL), XL_OK);
    }
    shown.given = 0;
    cr_assert_eq(memcmp(&defaults, &shown, sizeof defaults), 0);
}

Test(options, values_are_read_strictly) {
    static const struct {
        const char *name, *text;
        enum xl_status status;
    } cases[] = {
        {"steps", "20", XL_OK},
        {"steps", "0", XL_EINVAL},
        {"steps", "-3", XL_EINVAL},
        {"steps", "2x", XL_EINVAL},
        {"steps", "", XL_EINVAL},
        {"steps", "1e3", XL_EINVAL},
        {"steps", " 20", XL_EINVAL},
        {"steps", "20 ", XL_EINVAL},
        {"guidance", " 7", XL_EINVAL},
        {"guidance", "7 ", XL_EINVAL},
        {"guidance", "7,5", XL_EINVAL},
        {"seed", " 7", XL_EINVAL},
        {"rng", "Torch-CUDA", XL_OK},
        {"dtype", "BF16", XL_OK},
        {"oom", "Fail", XL_OK},
        {"device", "CPU", XL_OK},
        {"device", "cpu ", XL_EINVAL},
        {"steps", "1001", XL_EINVAL},
        {"steps", "99999999999999999999", XL_EINVAL},
        {"guidance", "nan", XL_EINVAL},
        {"guidance", "inf", XL_EINVAL},
        {"guidance", "7.5", XL_OK},
        {"guidance", "-1", XL_EINVAL},
        {"strength", "-0.1", XL_EINVAL},
        {"strength", "1.1", XL_EINVAL},
        {"strength", "1", XL_OK},
        {"seed", "-1", XL_OK},
        {"seed", "-2", XL_EINVAL},
        {"seed", "18446744073709551615", XL_OK},
        {"seed", "18446744073709551616", XL_EINVAL},
        {"seed", "", XL_EINVAL},
        {"rng", "torch-cuda", XL_OK},
        {"rng", "mt", XL_EINVAL},
        {"dtype", "bf16", XL_OK},
        {"dtype", "fp4", XL_EINVAL},
        {"width", "999999", XL_EINVAL},
        {"batch", "0", XL_EINVAL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct xl_settings settings;
        struct xl_err err = {0};
        xl_settings_default(&settings);
        enum xl_status status = set(&settings, cases[i].name, cases[i].text, &err);
        cr_expect_eq(status, cases[i].status, "%s %s: %s", cases[i].name, cases[i].text, err.text);
        if (status)
            cr_expect_eq(strncmp(err.text, cases[i].name, strlen(cases[i].name)), 0, "%s",
                         err.text);
    }
}

Test(options, a_seed_keeps_all_its_bits) {
    struct xl_settings settings;
    xl_settings_default(&settings);
    cr_assert_not(settings.has_seed);
    set(&settings, "seed", "18446744073709551615", NULL);
    cr_assert(settings.has_seed);
    cr_assert_eq(settings.seed, UINT64_MAX);
}

Test(options, a_slip_is_suggested_and_nonsense_is_not) {
    cr_assert_str_eq(xl_option_nearest("promt", XL_FOR_GENERATE)->name, "prompt");
    cr_assert_str_eq(xl_option_nearest("wdith", XL_FOR_GENERATE)->name, "width");
    cr_assert_null(xl_option_nearest("xyzzyplugh", XL_FOR_GENERATE));
    cr_assert_null(xl_option_nearest("count", XL_FOR_MODEL));
}

Test(options, names_of_other_programs_are_suggested) {
    static const char *const cases[][2] = {
        {"cfg-scale", "guidance"},
        {"cfg_scale", "guidance"},
        {"guidance_scale", "guidance"},
        {"CFG", "guidance"},
        {"sampler", "scheduler"},
        {"sampler_name", "scheduler"},
        {"p", "prompt"},
        {"n", "negative"},
        {"negative-prompt", "negative"},
        {"n-iter", "batch"},
        {"n_samples", "batch"},
        {"num-images-per-prompt", "batch"},
        {"W", "width"},
        {"H", "height"},
        {"num-inference-steps", "steps"},
        {"denoising-strength", "strength"},
        {"init-img", "init-image"},
        {"outdir", "output-dir"},
        {"o", "output-dir"},
        {"ckpt", "model"},
        {"style", "profile"},
        {"MODEL_KEY", "model"},
        {"style_profile", "profile"},
        {"INIT_IMAGE_PATH", "init-image"},
        {"Prompt", "prompt"},
        {"STEPS", "steps"},
        {"img2img-strength", "strength"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct xl_option *near = xl_option_nearest(cases[i][0], XL_FOR_GENERATE);
        cr_expect_str_eq(near ? near->name : "nothing", cases[i][1], "%s", cases[i][0]);
    }
    cr_expect_null(xl_option_nearest("cfg-scale", XL_FOR_VERIFY), "no option of that command");
    cr_expect_null(xl_option_nearest("x", XL_FOR_GENERATE));
}

/* No row of the table is idle: it names an option, and no name of it is an option or is there
 * twice. */
Test(options, other_names_are_of_options_and_are_none) {
    const char *option, *names, *second, *others;
    for (int i = 0; (names = xl_option_other_names(i, &option)); i++) {
        cr_expect_not_null(xl_option_find(option), "%s", option);
        for (; *names; names += *names == ' ') {
            char name[64], spaced[80];
            size_t n = strcspn(names, " ");
            snprintf(name, sizeof name, "%.*s", (int)n, names);
            snprintf(spaced, sizeof spaced, " %s ", name);
            cr_expect_null(xl_option_find(name), "%s is an option", name);
            names += n;
            for (int k = i + 1; (others = xl_option_other_names(k, &second)); k++) {
                char all[512];
                snprintf(all, sizeof all, " %s ", others);
                cr_expect_null(strstr(all, spaced), "%s is %s and %s", name, option, second);
            }
        }
    }
}

Test(options, every_command_takes_one_of_its_own) {
    for (xl_command_set bit = 1; bit & XL_FOR_ALL; bit <<= 1) {
        const struct xl_option *option;
        int n = 0;
        for (int i = 0; (option = xl_option_at(i)); i++) n += (option->commands & bit) != 0;
        cr_expect_gt(n, 0, "no option is for command bit %" PRIu64, bit);
    }
    const struct xl_option *option;
    for (int i = 0; (option = xl_option_at(i)); i++)
        cr_expect_eq(option->commands & ~(XL_FOR_ALL | XL_FOR_API), 0, "%s", option->name);
}

Test(options, no_two_share_a_variable_and_no_two_write_one_field) {
    const struct xl_option *a, *b;
    char first[XL_ENVIRONMENT_NAME_MAX], second[XL_ENVIRONMENT_NAME_MAX];
    for (int i = 0; (a = xl_option_at(i)); i++)
        for (int k = i; (b = xl_option_at(k)); k++) {
            cr_expect(i == k || a->offset != b->offset, "%s and %s", a->name, b->name);
            for (int n = 0; xl_option_environment(a, n, first); n++)
                for (int m = i == k ? n + 1 : 0; xl_option_environment(b, m, second); m++)
                    cr_expect_str_neq(first, second, "%s and %s", a->name, b->name);
        }
}

Test(options, every_variable_of_the_plan_sets_its_option) {
    static const struct {
        const char *variable, *option;
    } cases[] = {
        {"PROMPT", "prompt"},
        {"NEGATIVE_PROMPT", "negative"},
        {"MODEL_KEY", "model"},
        {"STYLE_PROFILE", "profile"},
        {"MODE", "mode"},
        {"WIDTH", "width"},
        {"HEIGHT", "height"},
        {"STEPS", "steps"},
        {"GUIDANCE", "guidance"},
        {"BATCH_SIZE", "batch"},
        {"SEED", "seed"},
        {"INIT_IMAGE_PATH", "init-image"},
        {"IMG2IMG_STRENGTH", "strength"},
        {"RUN_ALL_PROFILES", "all-profiles"},
        {"RUN_ALL_MODELS", "all-models"},
        {"MODEL", "model"}, /* the earlier app's */
        {"CFG_SCALE", "guidance"},
        {"SCHEDULER", "scheduler"},
        {"OUTPUT_DIR", "output-dir"},
        {"INSTANCE_ID", "instance"},
        {"GRADIO_PORT", "port"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct xl_option *option = xl_option_find(cases[i].option);
        char name[XL_ENVIRONMENT_NAME_MAX];
        bool found = false;
        cr_assert_not_null(option, "%s", cases[i].option);
        for (int k = 0; xl_option_environment(option, k, name); k++)
            found |= !strcmp(name, cases[i].variable);
        cr_expect(found, "--%s is not set by %s", cases[i].option, cases[i].variable);
    }
}

Test(options, what_the_environment_or_an_axis_sets_generate_or_the_server_takes) {
    const struct xl_option *option;
    for (int i = 0; (option = xl_option_at(i)); i++) {
        bool is_request = option->environment || option->is_axis;
        cr_expect(!is_request || option->commands & (XL_FOR_GENERATE | XL_FOR_SERVE), "%s",
                  option->name);
        bool can_vary = option->type != XL_OPTION_LIST || option->is_replaced;
        cr_expect(!option->is_axis || (can_vary && option->type != XL_OPTION_SWITCH), "%s",
                  option->name);
    }
}

Test(options, groups_are_together) {
    const struct xl_option *option, *other;
    for (int i = 1; (option = xl_option_at(i)); i++) {
        if (!strcmp(option->group, xl_option_at(i - 1)->group)) continue;
        for (int k = 0; k < i; k++) {
            other = xl_option_at(k);
            cr_expect_str_neq(option->group, other->group, "%s is apart from %s", option->name,
                              other->name);
        }
    }
}
