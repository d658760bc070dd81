/* test_profiles.c - the profiles of the program, those of the user, finding and stacking them. */
#include "lab/data/profiles.h"

#include "lab/data/names.h"
#include "unit/config.h"

TestSuite(profiles, .init = config_open, .fini = scratch_close);

static struct xl_profiles *load(const char *extra) {
    struct xl_profiles *profiles = NULL;
    struct xl_err err = {0};
    cr_assert_eq(xl_profiles_load(&extra, extra != NULL, &profiles, &err), XL_OK, "%s", err.text);
    return profiles;
}

static const struct xl_profile *find(const struct xl_profiles *profiles, const char *name) {
    const struct xl_profile *profile = NULL;
    struct xl_err err = {0};
    cr_assert_eq(xl_profiles_find(profiles, name, &profile, &err), XL_OK, "%s", err.text);
    return profile;
}

/* Sections 0 and 1.1 of the work plan, word for word. */
static const char *const plan[] = {
    "Photoreal",
    "Cinematic",
    "Anime / Vibrant",
    "Soft Illustration",
    "R-Rated",
    "Pencil Sketch",
    "Black & White",
    "35mm Film",
    "Rotoscoping",
    "Watercolor",
    "Hyper-Realistic Portrait",
    "ISOTOPIA Sci-Fi Blueprint",
    "Dark Fantasy / Grimdark",
    "Pixar-ish Soft CG",
    "Pixel Art / Isometric Game",
    "Low-Poly 3D / PS1",
    "Product Render / Industrial",
    "Isometric Tech Diagram",
    "Retro Comic / Halftone",
    "Vaporwave / Synthwave",
    "Children’s Book Illustration",
    "Ink & Screentone Manga",
    "Analog Horror / VHS",
    "Architectural Visualization",
    "Tim Burton",
    "Frank Frazetta",
    "Ralph Bakshi",
    "H.R. Giger",
};
enum { N_PLAN = sizeof plan / sizeof *plan };

Test(profiles, all_28_of_the_work_plan_in_its_order_and_the_raw_one_first) {
    struct xl_profiles *profiles = load(NULL);
    cr_assert_eq(N_PLAN, 28);
    cr_assert_eq(xl_profiles_count(profiles), 1 + N_PLAN);
    cr_expect_str_eq(xl_profiles_at(profiles, 0)->name, "None (raw)");
    for (int i = 0; i < N_PLAN; i++)
        cr_expect_str_eq(xl_profiles_at(profiles, i + 1)->name, plan[i]);
    cr_expect_null(xl_profiles_at(profiles, 1 + N_PLAN));
    cr_expect_null(xl_profiles_at(profiles, -1));
    xl_profiles_free(profiles);
}

Test(profiles, every_built_in_profile_is_whole) {
    struct xl_profiles *profiles = load(NULL);
    for (int i = 1; i < xl_profiles_count(profiles); i++) {
        const struct xl_profile *profile = xl_profiles_at(profiles, i);
        cr_expect(profile->prompt[0] && profile->negative[0] && profile->about[0], "%s",
                  profile->name);
        cr_expect_null(strstr(profile->prompt, "{prompt}"), "%s is a template", profile->name);
        cr_expect_lt(strlen(profile->prompt), 180, "%s leaves CLIP no room", profile->name);
        cr_expect_str_eq(profile->origin, "built-in");
        cr_expect_not(xl_profile_is_raw(profile));
        cr_expect_null(strpbrk(profile->prompt, "\n\t"));
    }
    xl_profiles_free(profiles);
}

/* No name and no alias leads to two profiles. */
Test(profiles, every_name_and_alias_is_unique) {
    struct xl_profiles *profiles = load(NULL);
    for (int i = 0; i < xl_profiles_count(profiles); i++) {
        const struct xl_profile *profile = xl_profiles_at(profiles, i);
        cr_expect_eq(find(profiles, profile->name), profile);
        for (int k = 0; k < profile->n_aliases; k++)
            cr_expect_eq(find(profiles, profile->aliases[k]), profile, "%s", profile->aliases[k]);
    }
    xl_profiles_free(profiles);
}

Test(profiles, the_four_artists_have_the_work_plans_words) {
    static const struct {
        const char *name, *prompt, *negative;
    } artists[] = {
        {"Tim Burton",
         "gothic fairytale, elongated silhouettes, pale faces, dark whimsical atmosphere, quirky "
         "characters, high contrast",
         "bright saturated colors, realistic proportions, sci-fi tech, modern clean design"},
        {"Frank Frazetta",
         "heroic fantasy, muscular warriors, dramatic poses, dynamic lighting, painterly "
         "brushwork, moody atmosphere",
         "flat composition, modern sci-fi, minimal detail, cartoon style"},
        {"Ralph Bakshi",
         "hand-drawn animation, gritty urban fantasy, exaggerated characters, 70s aesthetic, "
         "strong outlines",
         "hyperrealistic, sterile digital render, polished CGI"},
        {"H.R. Giger",
         "biomechanical surrealism, organic machinery, alien architecture, dark monochrome tones, "
         "intricate details",
         "bright cheerful colors, simple shapes, low detail, cartoon"},
    };
    struct xl_profiles *profiles = load(NULL);
    for (int i = 0; i < 4; i++) {
        const struct xl_profile *profile = find(profiles, artists[i].name);
        cr_expect_str_eq(profile->prompt, artists[i].prompt);
        cr_expect_str_eq(profile->negative, artists[i].negative);
    }
    xl_profiles_free(profiles);
}

Test(profiles, are_found_by_what_people_type) {
    static const struct {
        const char *typed, *name;
    } cases[] = {
        {"Photoreal", "Photoreal"},
        {"photoreal", "Photoreal"},
        {"anime", "Anime / Vibrant"},
        {"Anime/Vibrant", "Anime / Vibrant"},
        {"Children's Book Illustration", "Children’s Book Illustration"},
        {"Childrens Book Illustration", "Children’s Book Illustration"},
        {"hr giger", "H.R. Giger"},
        {"GIGER", "H.R. Giger"},
        {"black and white", "Black & White"},
        {"low-poly-3d-ps1", "Low-Poly 3D / PS1"},
        {"35MM film", "35mm Film"},
        {"none", "None (raw)"},
        {"None (raw)", "None (raw)"},
        {"", "None (raw)"},
    };
    struct xl_profiles *profiles = load(NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_expect_str_eq(find(profiles, cases[i].typed)->name, cases[i].name, "%s", cases[i].typed);
    xl_profiles_free(profiles);
}

static void expect_unknown(const struct xl_profiles *profiles, const char *name,
                           const char *sentence) {
    const struct xl_profile *profile = NULL;
    struct xl_err err = {0};
    cr_expect_eq(xl_profiles_find(profiles, name, &profile, &err), XL_EINVAL, "%s", name);
    cr_expect_null(profile);
    cr_expect_not_null(strstr(err.text, sentence), "\"%s\" is not in \"%s\"", sentence, err.text);
}

Test(profiles, an_unknown_one_is_answered_with_the_nearest) {
    struct xl_profiles *profiles = load(NULL);
    expect_unknown(profiles, "Watercolr", "did you mean \"Watercolor\"?");
    expect_unknown(profiles, "Frazeta", "did you mean \"Frank Frazetta\"?");
    expect_unknown(profiles, "xyzzy", "sdxl-lab profiles list");
    expect_unknown(profiles, "\033[31mred", "?[31mred");
    xl_profiles_free(profiles);
}

/* ---- Stacks ---- */

static void expect_stack(const struct xl_profiles *profiles, const char *text,
                         const char *const *names, int n_names) {
    const struct xl_profile *stack[8];
    struct xl_err err = {0};
    int n = 0;
    cr_assert_eq(xl_profiles_parse_stack(profiles, text, stack, 8, &n, &err), XL_OK, "%s",
                 err.text);
    cr_assert_eq(n, n_names, "%s: %d", text, n);
    for (int i = 0; i < n; i++) cr_expect_str_eq(stack[i]->name, names[i]);
}

static void refuse_stack(const struct xl_profiles *profiles, const char *text,
                         const char *sentence) {
    const struct xl_profile *stack[3];
    struct xl_err err = {0};
    int n = -1;
    cr_expect_eq(xl_profiles_parse_stack(profiles, text, stack, 3, &n, &err), XL_EINVAL, "%s",
                 text);
    cr_expect_eq(n, -1);
    cr_expect_not_null(strstr(err.text, sentence), "\"%s\" is not in \"%s\"", sentence, err.text);
}

Test(profiles, stacks) {
    scratch_puts(config_file("profiles.yaml"), "Ink + Wash: {prompt: ink and wash}\n"
                                               "Ink: {prompt: ink}\nWash: {prompt: wash}\n"
                                               "Wash + Ink + Wash: {prompt: www}\n");
    struct xl_profiles *profiles = load(NULL);
    expect_stack(profiles, "Watercolor", (const char *[]){"Watercolor"}, 1);
    expect_stack(profiles, "watercolor + tim burton", (const char *[]){"Watercolor", "Tim Burton"},
                 2);
    expect_stack(profiles, "  Tim Burton  +   anime ",
                 (const char *[]){"Tim Burton", "Anime / Vibrant"}, 2);
    expect_stack(profiles, "", (const char *[]){"None (raw)"}, 1);
    expect_stack(profiles, "  ", (const char *[]){"None (raw)"}, 1);
    /* A name that has the sign in it, where it is written exactly. */
    expect_stack(profiles, "Ink + Wash", (const char *[]){"Ink + Wash"}, 1);
    expect_stack(profiles, "ink + wash", (const char *[]){"Ink", "Wash"}, 2);
    expect_stack(profiles, "Ink + Wash + Giger", (const char *[]){"Ink + Wash", "H.R. Giger"}, 2);
    expect_stack(profiles, "Giger + Ink + Wash", (const char *[]){"H.R. Giger", "Ink + Wash"}, 2);
    expect_stack(profiles, "Wash + Ink + Wash", (const char *[]){"Wash + Ink + Wash"}, 1);
    expect_stack(profiles, "Wash + Ink + Giger", (const char *[]){"Wash", "Ink", "H.R. Giger"}, 3);
    refuse_stack(profiles, "Watercolor + ", "a name is missing");
    refuse_stack(profiles, "Watercolor +  + Giger", "a name is missing");
    refuse_stack(profiles, " + ", "a name is missing");
    refuse_stack(profiles, "Watercolor + watercolour", "\"Watercolor\" is there twice");
    refuse_stack(profiles, "Watercolor + Gigr", "did you mean \"H.R. Giger\"?");
    refuse_stack(profiles, "Wash + Giger + Anime + Film", "more than 3 profiles");
    xl_profiles_free(profiles);
}

/* ---- The user's files ---- */

Test(profiles, later_files_override_whole_entries_or_add) {
    scratch_puts(config_file("profiles.yaml"), "Watercolor: {prompt: one, steps: 11}\n"
                                               "Mine: {prompt: one}\nAlso Mine: {prompt: one}\n");
    scratch_puts(config_file("profiles.d/20-b.yaml"), "Mine: {prompt: three}\n");
    scratch_puts(config_file("profiles.d/10-a.yml"), "Mine: {prompt: two}\nwatercolor:\n"
                                                     "  prompt: two\n");
    scratch_puts(config_file("profiles.d/note.txt"), "this: [is no: yaml\n");
    scratch_puts(config_file("profiles.d/.hidden.yaml"), "this: [is no: yaml\n");
    scratch_puts(scratch("extra.yaml"), "Also Mine: {guidance: 7.5, scheduler: euler-a}\n");
    struct xl_profiles *profiles = load(scratch("extra.yaml"));
    cr_expect_eq(xl_profiles_count(profiles), 29 + 2);
    const struct xl_profile *watercolor = find(profiles, "Watercolor");
    cr_expect_str_eq(watercolor->prompt, "two");
    cr_expect_str_eq(watercolor->negative, "", "the entry is replaced as a whole");
    cr_expect_eq(watercolor->steps, 0);
    cr_expect_str_eq(xl_profiles_at(profiles, 10)->prompt, "two", "it keeps its place");
    cr_expect_not_null(strstr(watercolor->origin, "profiles.d/10-a.yml"));
    cr_expect_str_eq(find(profiles, "Mine")->prompt, "three");
    cr_expect_str_eq(find(profiles, "Mine")->group, "Own");
    cr_expect_eq(find(profiles, "Also Mine")->guidance, 7.5);
    cr_expect_str_eq(find(profiles, "Also Mine")->scheduler, "euler-a");
    cr_expect_str_eq(find(profiles, "Also Mine")->prompt, "");
    cr_expect_not(xl_profile_is_raw(find(profiles, "Also Mine")));
    xl_profiles_free(profiles);
}

Test(profiles, null_removes_and_empty_files_do_nothing) {
    scratch_puts(config_file("profiles.yaml"), "# nothing here\n");
    scratch_puts(config_file("profiles.d/a.yaml"), "Cinematic: null\nR-Rated:\nNowhere: ~\n");
    struct xl_profiles *profiles = load(NULL);
    cr_expect_eq(xl_profiles_count(profiles), 27);
    expect_unknown(profiles, "Cinematic", "there is none");
    xl_profiles_free(profiles);
}

Test(profiles, xdg_config_home_comes_before_home) {
    scratch_puts(config_file("profiles.yaml"), "From Home: {prompt: x}\n");
    scratch_puts(scratch("xdg/sdxl-lab/profiles.yaml"), "From XDG: {prompt: x}\n");
    setenv("XDG_CONFIG_HOME", scratch("xdg"), 1);
    struct xl_profiles *profiles = load(NULL);
    expect_unknown(profiles, "From Home", "there is none");
    cr_expect_str_eq(find(profiles, "From XDG")->prompt, "x");
    xl_profiles_free(profiles);
    setenv("XDG_CONFIG_HOME", "relative/paths/are/ignored", 1);
    profiles = load(NULL);
    find(profiles, "From Home");
    xl_profiles_free(profiles);
}

static void refuse_file(const char *text, const char *sentence) {
    struct xl_profiles *profiles = NULL;
    struct xl_err err = {0};
    const char *path = scratch("bad.yaml");
    scratch_puts(path, text);
    cr_expect_eq(xl_profiles_load(&path, 1, &profiles, &err), XL_EINPUT, "%s", text);
    cr_expect_null(profiles);
    cr_expect_not_null(strstr(err.text, sentence), "\"%s\" is not in \"%s\"", sentence, err.text);
    for (const char *c = err.text; *c; c++) cr_expect((unsigned char)*c >= 32);
}

Test(profiles, mistakes_in_a_file_are_named_with_their_place) {
    refuse_file("A: {prompt: x}\nB:\n  promt: x\n",
                "bad.yaml:3:3: B: promt: no such field; did you mean prompt?");
    refuse_file("A:\n  colour: x\n", "bad.yaml:2:3: A: colour: no such field; there are aliases,");
    refuse_file("A:\n  steps: many\n",
                "bad.yaml:2:10: A: steps: found a text, expected a whole number");
    refuse_file("A:\n  steps: 2.5\n", "bad.yaml:2:10: A: steps: found a number");
    refuse_file("A:\n  prompt: x\n  steps: 0\n",
                "bad.yaml:3:10: A: steps: found 0, expected 1 to 1000");
    refuse_file("A:\n  guidance: -1\n", "bad.yaml:2:13: A: guidance: found -1");
    refuse_file("A:\n  guidance: .nan\n", "bad.yaml:2:13: A: guidance: found a text");
    refuse_file("A:\n  prompt: 35\n",
                "bad.yaml:2:11: A: prompt: found a whole number, expected a text");
    refuse_file("A:\n  prompt: true\n", "found true or false, expected a text");
    refuse_file("A:\n  prompt: [x, y]\n", "found a list, expected a text");
    refuse_file("A:\n  scheduler: eulr\n", "\"eulr\" is not one of: default, euler");
    refuse_file("A:\n  aliases: [é, 1]\n",
                "bad.yaml:2:16: A: aliases: found a whole number, expected a text (numbers need "
                "quotes)");
    refuse_file("A:\n  aliases:\n  - x\n  - ''\n", "bad.yaml:4:5: A: aliases: an empty name");
    refuse_file("A: some words\n", "bad.yaml:1:4: A: expected fields below the name");
    refuse_file("# c\n- A\n- B\n", "bad.yaml:2:1: expected names with fields below them");
    refuse_file("A: {prompt: x}\nA: {prompt: y}\n", "bad.yaml:2:1: the key \"A\" is there twice");
    refuse_file("Ink: {prompt: x}\nINK: {prompt: y}\n", "bad.yaml:2:1: INK: this file has \"Ink\"");
    refuse_file("none (raw): {prompt: x}\n", "the profile that changes nothing keeps its name");
    refuse_file("raw: {prompt: x}\n", "the profile that changes nothing keeps its name");
    refuse_file("A:\n\tprompt: x\n", "bad.yaml:2:1: not valid YAML: the line begins with a tab");
    refuse_file("A: {prompt: x\n", "not valid YAML");
    refuse_file("\"\": {prompt: x}\n", "a name has 1 to 100 bytes, found 0");
    refuse_file("' A': {prompt: x}\n", "bad.yaml:1:1:  A: the name begins or ends with a blank");
}

Test(profiles, texts_that_steer_terminals_are_refused) {
    refuse_file("A:\n  prompt: \"\\e[31mred\"\n", "bad.yaml:2:11: A: prompt: the text holds the "
                                                  "character U+001B");
    refuse_file("A:\n  about: \"bell\\a\"\n", "U+0007");
    refuse_file("A:\n  about: \"csi\\u009b31m\"\n", "U+009B");
    refuse_file("A:\n  about: \"\\u202Eevil\"\n", "U+202E");
    refuse_file("\"A\\eB\": {prompt: x}\n", "the name holds the character U+001B");
    refuse_file("\"A\\nB\": {prompt: x}\n", "the name holds the character U+000A");
}

Test(profiles, a_block_of_lines_is_one_line) {
    scratch_puts(config_file("profiles.yaml"),
                 "A:\n  prompt: |\n    one,\n    two\n  about: ' x '\n");
    struct xl_profiles *profiles = load(NULL);
    cr_expect_str_eq(find(profiles, "A")->prompt, "one, two");
    cr_expect_str_eq(find(profiles, "A")->about, "x");
    xl_profiles_free(profiles);
}

Test(profiles, a_file_that_was_asked_for_must_be_there) {
    struct xl_profiles *profiles = NULL;
    struct xl_err err = {0};
    const char *path = scratch("nowhere.yaml");
    cr_expect_eq(xl_profiles_load(&path, 1, &profiles, &err), XL_EINPUT);
    cr_expect_not_null(strstr(err.text, "nowhere.yaml: cannot open"));
}
