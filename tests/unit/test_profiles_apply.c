/* test_profiles_apply.c - what profiles make of a prompt and of a negative prompt. */
#include "lab/data/profiles.h"

#include "base/str.h"

#include <criterion/criterion.h>

enum { MAX_STACK = 24 };

/* Two texts a profile, prompt and negative; NULL ends. */
static struct xl_profiles_text apply(const char *const *words, const char *prompt,
                                     const char *negative, struct xl_arena *arena) {
    struct xl_profile profiles[MAX_STACK];
    const struct xl_profile *stack[MAX_STACK];
    struct xl_profiles_text given = {prompt, negative}, out = {"untouched", NULL};
    struct xl_err err = {0};
    int n = 0;
    for (; words[2 * n]; n++) {
        profiles[n] =
            (struct xl_profile){.name = "x", .prompt = words[2 * n], .negative = words[2 * n + 1]};
        stack[n] = &profiles[n];
    }
    cr_assert_eq(xl_profiles_apply(stack, n, &given, arena, &out, &err), XL_OK, "%s", err.text);
    return out;
}

static void expect_prompt(const char *const *words, const char *prompt, const char *expected) {
    struct xl_arena arena = {0};
    struct xl_profiles_text out = apply(words, prompt, NULL, &arena);
    cr_expect_str_eq(out.prompt, expected);
    xl_arena_deinit(&arena);
}
#define PROFILES(...) ((const char *const[]){__VA_ARGS__, NULL})

Test(profiles_apply, suffixes_are_joined_by_comma_and_blank) {
    expect_prompt(PROFILES("ink", ""), "a cat", "a cat, ink");
    expect_prompt(PROFILES("ink", "", "gold, red", ""), "a cat", "a cat, ink, gold, red");
    expect_prompt(PROFILES("ink", ""), "a cat, ", "a cat, ink");
    expect_prompt(PROFILES("ink", ""), "a cat,", "a cat, ink");
    expect_prompt(PROFILES("ink", ""), "", "ink");
    expect_prompt(PROFILES("ink", ""), " , ", "ink");
    expect_prompt(PROFILES("ink", "", "", "", "gold", ""), "a cat", "a cat, ink, gold");
}

Test(profiles_apply, a_template_wraps_what_came_before) {
    expect_prompt(PROFILES("a print of {prompt}, ink", ""), "a cat", "a print of a cat, ink");
    expect_prompt(PROFILES("gold", "", "a print of {prompt}", ""), "a cat",
                  "a print of a cat, gold");
    expect_prompt(PROFILES("a print of {prompt}", "", "gold", ""), "a cat",
                  "a print of a cat, gold");
    expect_prompt(PROFILES("[{prompt}]", "", "<{prompt}|{prompt}>", ""), "x", "<[x]|[x]>");
    expect_prompt(PROFILES("{prompt}", ""), "a cat", "a cat");
}

Test(profiles_apply, a_prompt_is_no_template) {
    expect_prompt(PROFILES("a {prompt} b", ""), "{prompt}", "a {prompt} b");
    expect_prompt(PROFILES("a {prompt} b", "", "c {prompt} d", ""), "{prompt}", "c a {prompt} b d");
    expect_prompt(PROFILES("100%s %n {prompt}", ""), "50%d", "100%s %n 50%d");
}

Test(profiles_apply, a_template_closes_up_around_an_empty_prompt) {
    expect_prompt(PROFILES("{prompt}, ink", ""), "", "ink");
    expect_prompt(PROFILES("ink, {prompt}", ""), "", "ink");
    expect_prompt(PROFILES("ink, {prompt}, gold", ""), "", "ink, gold");
    expect_prompt(PROFILES("a print of {prompt}, gold", ""), "", "a print of, gold");
    expect_prompt(PROFILES("{prompt}", ""), "", "");
}

Test(profiles_apply, no_profile_no_change) {
    struct xl_arena arena = {0};
    const char *prompt = " as , it is,, ", *negative = "a, A,, a ";
    struct xl_profiles_text out = apply(PROFILES("", ""), prompt, negative, &arena);
    cr_expect_eq(out.prompt, prompt, "not even copied");
    cr_expect_eq(out.negative, negative);
    out = apply(PROFILES("", ""), "", NULL, &arena);
    cr_expect_str_eq(out.prompt, "");
    cr_expect_null(out.negative);
    xl_arena_deinit(&arena);
}

static void expect_negative(const char *const *words, const char *negative, const char *expected) {
    struct xl_arena arena = {0};
    struct xl_profiles_text out = apply(words, "a cat", negative, &arena);
    if (expected)
        cr_expect_str_eq(out.negative ? out.negative : "(null)", expected);
    else
        cr_expect_null(out.negative);
    xl_arena_deinit(&arena);
}

Test(profiles_apply, negatives_join_without_repeats) {
    expect_negative(PROFILES("x", "blurry, text"), "ugly", "ugly, blurry, text");
    expect_negative(PROFILES("x", "blurry, text"), "Text", "Text, blurry");
    expect_negative(PROFILES("x", "blurry", "y", "BLURRY, noise"), NULL, "blurry, noise");
    expect_negative(PROFILES("x", "low  detail"), "Low Detail,", "Low Detail");
    expect_negative(PROFILES("x", "a"), " , b ,, c\nd, ", "b, c, d, a");
    expect_negative(PROFILES("x", "ÉCLAIR, straße"), "éclair, STRASSE", "éclair, STRASSE");
    expect_negative(PROFILES("x", "blur"), "blurry", "blurry, blur");
}

Test(profiles_apply, an_omitted_negative_stays_omitted_where_no_profile_has_one) {
    expect_negative(PROFILES("x", ""), NULL, NULL);
    expect_negative(PROFILES("x", ""), "", "");
    expect_negative(PROFILES("x", "", "y", "a"), NULL, "a");
    expect_negative(PROFILES("x", "a"), "", "a");
    expect_negative(PROFILES("x", ""), "b, B", "b, B");
}

Test(profiles_apply, brackets_hold_a_term_together) {
    expect_negative(PROFILES("x", "(a, b:1.2), c"), "b", "b, (a, b:1.2), c");
    expect_negative(PROFILES("x", "(a, b:1.2)"), "(A, B:1.2)", "(A, B:1.2)");
    expect_negative(PROFILES("x", "[a, {b, c}], <d, e>"), NULL, "[a, {b, c}], <d, e>");
    expect_negative(PROFILES("x", "smile \\(face, a"), NULL, "smile \\(face, a");
    expect_negative(PROFILES("x", "b, a"), "(a, b", "(a, b, b, a");
    expect_negative(PROFILES("x", "b, a"), "a), b", "a), b, a");
    expect_negative(PROFILES("x", "end\\"), NULL, "end\\");
}

/* AUTOMATIC1111's negative templates. */
Test(profiles_apply, a_place_for_the_users_negative_is_not_a_term) {
    expect_negative(PROFILES("x", "{prompt}, a"), "b", "b, a");
    expect_negative(PROFILES("x", "a, {prompt}"), "b", "a, b");
    expect_negative(PROFILES("x", "bad {prompt}, grey"), "ugly", "bad ugly, grey");
    expect_negative(PROFILES("x", "bad {prompt}, grey"), "ugly, b", "bad ugly, b, grey");
    expect_negative(PROFILES("x", "bad {prompt}, grey"), "", "bad, grey");
    expect_negative(PROFILES("x", "bad {prompt}, grey"), NULL, "bad, grey");
    expect_negative(PROFILES("x", "a", "y", "[{prompt}]", "z", "c"), "b", "[b, a], c");
    expect_negative(PROFILES("x", "{prompt} or {prompt}"), "b", "b or b");
    expect_negative(PROFILES("x", "a {prompt}"), "{prompt}", "a {prompt}"); /* the user's own */
    expect_negative(PROFILES("x", "a, {prompt}, b"), "b, B", "a, b");
    expect_negative(PROFILES("x", "{prompt}"), NULL, "");
}

Test(profiles_apply, bytes_that_are_no_utf8_pass) {
    expect_negative(PROFILES("x", "a"), "\xff\xfe, \xff\xfe", "\xff\xfe, a");
    expect_prompt(PROFILES("ink", ""), "\xff", "\xff, ink");
}

Test(profiles_apply, nested_templates_do_not_explode) {
    const char *const twice = "{prompt} {prompt} {prompt} {prompt}";
    struct xl_profile profile = {.name = "four", .prompt = twice, .negative = ""};
    const struct xl_profile *stack[MAX_STACK];
    for (int i = 0; i < MAX_STACK; i++) stack[i] = &profile;
    struct xl_profiles_text given = {"abcdefgh", NULL}, out = {"untouched", NULL};
    struct xl_arena arena = {0};
    struct xl_err err = {0};
    cr_assert_eq(xl_profiles_apply(stack, MAX_STACK, &given, &arena, &out, &err), XL_EINVAL);
    cr_expect_str_eq(out.prompt, "untouched");
    cr_expect_not_null(strstr(err.text, "profile \"four\": the prompt would have"));
    xl_arena_deinit(&arena);
}
