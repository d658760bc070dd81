/* test_markup.c - forms of other tools in prompts are found; prose with brackets is left alone. */
#include "lab/run/markup.h"

#include "unit/config.h"

static const char *found(const char *text, int kind) {
    static char example[XL_MARKUP_MAX];
    return xl_markup_find(text, kind, example) ? example : NULL;
}

Test(markup, forms_of_other_tools) {
    static const struct {
        const char *text;
        int kind;
        const char *example;
    } cases[] = {
        {"a (red cat:1.2) here", 0, "(red cat:1.2)"},
        {"(cat: 0.8)", 0, "(cat: 0.8)"},
        {"((a:1.1) b:-.5)", 0, "((a:1.1) b:-.5)"},
        {"one (small) and (big:2)", 0, "(big:2)"},
        {"((masterpiece)), x", 1, "((masterpiece))"},
        {"[cat|dog]", 2, "[cat|dog]"},
        {"a [cat:dog:0.5]", 2, "[cat:dog:0.5]"},
        {"{red|blue} car", 3, "{red|blue}"},
        {"x <lora:add_detail:0.8>", 4, "<lora:add_detail:0.8>"},
        {"<hypernet:x:1>", 4, "<hypernet:x:1>"},
        {"a cat BREAK a dog", 5, "BREAK"},
        {"__animal__ in a hat", 6, "__animal__"},
        {"a __art/styles*__", 6, "__art/styles*__"},
        {"bad, embedding:easy-negative", 7, "embedding:easy-negative"},
        {"a (big cat)1.3 here", 8, "(big cat)1.3"},
        {"a (big cat)++", 8, "(big cat)++"},
        {"(\"a\", \"b\").blend(1, 0.5)", 8, "(\"a\", \"b\")"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *example = found(cases[i].text, cases[i].kind);
        cr_assert_not_null(example, "%s", cases[i].text);
        cr_expect_str_eq(example, cases[i].example);
    }
}

Test(markup, prose_is_left_alone) {
    static const char *const texts[] = {
        "a (small) house [by the sea]",
        "the ratio (3:2) of a frame",
        "smile :) and (: there",
        "\\(cat:1.2\\)",
        "a (cat: asleep)",
        "BREAKFAST at 7:30 (early)",
        "snake_case and __init",
        "a __very wide gap__",
        "an embedding of words",
        "<3 and <lora",
        "the (old) 2 houses, (new)- and (x)3d",
        "5 < 6, x > 2",
        "{one}",
        "[]()((",
        "(at 10:30)",
        "",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        for (int kind = 0; kind < XL_N_MARKUPS; kind++)
            cr_expect_null(found(texts[i], kind), "\"%s\", kind %d", texts[i], kind);
    cr_expect_null(found(NULL, 0));
}

/* Cut between characters. */
Test(markup, long_examples_are_cut) {
    char text[400] = "(";
    for (int i = 0; i < 60; i++) strcat(text, "ü");
    strcat(text, ":1.5)");
    const char *example = found(text, 0);
    cr_assert_not_null(example);
    cr_expect_lt(strlen(example), XL_MARKUP_MAX);
    cr_expect_str_eq(example + strlen(example) - 5, "ü...");
}

/* The built-in profiles are plain words. */
Test(markup, profiles_have_none, .init = config_open, .fini = scratch_close) {
    struct xl_profiles *profiles = NULL;
    struct xl_err err = {0};
    cr_assert_eq(xl_profiles_load(NULL, 0, &profiles, &err), XL_OK, "%s", err.text);
    for (int i = 0; i < xl_profiles_count(profiles); i++) {
        const struct xl_profile *profile = xl_profiles_at(profiles, i);
        for (int kind = 0; kind < XL_N_MARKUPS; kind++)
            cr_expect(!found(profile->prompt, kind) && !found(profile->negative, kind), "%s",
                      profile->name);
    }
    xl_profiles_free(profiles);
}
