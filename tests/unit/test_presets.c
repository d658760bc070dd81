/* test_presets.c - sizes by name: what is built in, what a file adds, what is refused. */
#include "lab/data/presets.h"

#include "unit/config.h"

TestSuite(presets, .init = config_open, .fini = scratch_close);

static struct xl_presets *load(void) {
    struct xl_presets *presets = NULL;
    struct xl_err err = {0};
    cr_assert_eq(xl_presets_load(&presets, &err), XL_OK, "%s", err.text);
    return presets;
}

static void expect(const struct xl_presets *presets, const char *name, int width, int height) {
    int w = -1, h = -1;
    struct xl_err err = {0};
    cr_expect_eq(xl_presets_find(presets, name, &w, &h, &err), XL_OK, "%s", err.text);
    cr_expect(w == width && h == height, "%s is %dx%d", name, w, h);
}

static void refuse(const struct xl_presets *presets, const char *name, const char *sentence) {
    int w = -1, h = -1;
    struct xl_err err = {0};
    cr_expect_eq(xl_presets_find(presets, name, &w, &h, &err), XL_EINVAL, "%s", name);
    cr_expect(w == -1 && h == -1);
    cr_expect_not_null(strstr(err.text, sentence), "\"%s\" is not in \"%s\"", sentence, err.text);
}

Test(presets, by_name) {
    struct xl_presets *presets = load();
    expect(presets, "square", 1024, 1024);
    expect(presets, "portrait", 832, 1216);
    expect(presets, "landscape", 1216, 832);
    expect(presets, "16:9", 1344, 768);
    expect(presets, "sdxl-16:9", 1344, 768);
    expect(presets, "SDXL 16:9", 1344, 768);
    expect(presets, "9:16", 768, 1344);
    expect(presets, "2:3", 832, 1216);
    expect(presets, "21:9", 1536, 640);
    expect(presets, "1024x1024", 1024, 1024);
    expect(presets, "768-portrait", 640, 928);
    expect(presets, "768", 768, 768);
    expect(presets, "512", 512, 512);
    expect(presets, "512-16:9", 672, 384);
    xl_presets_free(presets);
}

Test(presets, any_size_in_pixels) {
    struct xl_presets *presets = load();
    expect(presets, "64x16384", 64, 16384);
    expect(presets, "1000X1000", 1000, 1000);
    expect(presets, "640*480", 640, 480);
    expect(presets,
           "640\xC3\x97"
           "480",
           640, 480);
    refuse(presets, "100x1024", "a side of 100; expected a multiple of 8, 64 to 16384");
    refuse(presets, "1024x0", "a side of 0");
    refuse(presets, "16x9", "did you mean 16:9?");
    refuse(presets, "9x16", "did you mean 9:16?");
    refuse(presets, "1000x562",
           "a side of 562; expected a multiple of 8, 64 to 16384; did you mean "
           "1000x560?");
    refuse(presets, "32x20000", "did you mean 64x16384?");
    refuse(presets, "1024x99999", "a side of 99999");
    refuse(presets, "1024x999999999999", "neither WIDTHxHEIGHT nor a name");
    refuse(presets, "1024x", "neither WIDTHxHEIGHT nor a name");
    refuse(presets, "-8x64", "neither WIDTHxHEIGHT nor a name");
    refuse(presets, "1024x1024x3", "neither WIDTHxHEIGHT nor a name");
    refuse(presets, "", "neither WIDTHxHEIGHT nor a name");
    refuse(presets, "portrat", "did you mean \"portrait\"");
    xl_presets_free(presets);
}

/* Sizes of the SDXL report, appendix I. */
Test(presets, every_training_bucket) {
    static const int buckets[][2] = {
        {512, 2048}, {512, 1984}, {512, 1920}, {512, 1856}, {576, 1792}, {576, 1728}, {576, 1664},
        {640, 1600}, {640, 1536}, {704, 1472}, {704, 1408}, {704, 1344}, {768, 1344}, {768, 1280},
        {832, 1216}, {832, 1152}, {896, 1152}, {896, 1088}, {960, 1088}, {960, 1024}, {1024, 1024}};
    struct xl_presets *presets = load();
    int n = 0;
    for (size_t i = 0; i < sizeof buckets / sizeof *buckets; i++) {
        for (int turn = 0; turn < 2; turn++) {
            int width = buckets[i][turn], height = buckets[i][!turn], found = 0;
            for (int k = 0; k < xl_presets_count(presets); k++) {
                const struct xl_preset *preset = xl_presets_at(presets, k);
                found += !strcmp(preset->group, "SDXL") && preset->width == width &&
                         preset->height == height;
            }
            cr_expect_eq(found, 1, "%dx%d", width, height);
        }
    }
    for (int k = 0; k < xl_presets_count(presets); k++)
        n += !strcmp(xl_presets_at(presets, k)->group, "SDXL");
    cr_expect_eq(n, 41);
    xl_presets_free(presets);
}

Test(presets, every_name_and_alias_leads_to_one_size) {
    struct xl_presets *presets = load();
    for (int i = 0; i < xl_presets_count(presets); i++) {
        const struct xl_preset *preset = xl_presets_at(presets, i);
        expect(presets, preset->name, preset->width, preset->height);
        for (int k = 0; k < preset->n_aliases; k++)
            expect(presets, preset->aliases[k], preset->width, preset->height);
        cr_expect(preset->width % 32 == 0 && preset->height % 32 == 0, "%s", preset->name);
    }
    xl_presets_free(presets);
}

Test(presets, own_ones_add_and_override) {
    scratch_puts(config_file("presets.yaml"), "wallpaper: {width: 1920, height: 1088}\n"
                                              "Square: {width: 512, height: 512}\n");
    struct xl_presets *presets = load();
    expect(presets, "wallpaper", 1920, 1088);
    expect(presets, "square", 512, 512);
    xl_presets_free(presets);
}

Test(presets, mistakes_are_named) {
    static const char *const cases[][2] = {
        {"a: {width: 1024}\n", "presets.yaml:1:1: a: width and height are missing"},
        {"a:\n  width: 100\n  height: 64\n",
         "presets.yaml:2:10: a: width: 100 is no multiple of 8"},
        {"a:\n  width: 64\n  height: 8\n", "presets.yaml:3:11: a: height: found 8, expected 64 to"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct xl_presets *presets = NULL;
        struct xl_err err = {0};
        scratch_puts(config_file("presets.yaml"), cases[i][0]);
        cr_expect_eq(xl_presets_load(&presets, &err), XL_EINPUT);
        cr_expect_not_null(strstr(err.text, cases[i][1]), "%s", err.text);
    }
}
