/* test_attention.c - A1111's weights and schedules against what its own parser answers
 * (tests/data/prompts, made by tools/reference/topics/prompts.py), and what hostile texts do. */
#include "base/json.h"
#include "scratch.h"
#include "text/attention.h"
#include "text/prompt_steps.h"

#include <stdlib.h>
#include <string.h>

static json_t *load(const char *name) {
    char path[512];
    struct xl_err err = {0};
    json_t *root = NULL;
    snprintf(path, sizeof path, XL_SOURCE_DIR "/tests/data/prompts/%s", name);
    cr_assert_eq(xl_json_load(path, &root, &err), XL_OK, "%s", err.text);
    return root;
}

/* --- Weights --- */

/* expected: [[text, weight], ...], "BREAK" with -1 for a break */
static void expect_fragments(const char *text, const json_t *expected) {
    struct xl_arena arena = {0};
    struct xl_fragments found;
    struct xl_err err = {0};
    cr_assert_eq(xl_attention_parse(text, &arena, &found, &err), XL_OK, "%s", err.text);
    cr_assert_eq(found.n, (int)json_array_size(expected), "%s: %d pieces", text, found.n);
    for (int i = 0; i < found.n; i++) {
        const json_t *pair = json_array_get(expected, (size_t)i);
        double weight = json_number_value(json_array_get(pair, 1));
        cr_expect_str_eq(found.at[i].text, json_string_value(json_array_get(pair, 0)), "%s", text);
        cr_expect_eq(found.at[i].weight, weight, "%s: %.17g, expected %.17g", text,
                     found.at[i].weight, weight);
        cr_expect_eq(found.at[i].is_break, weight == -1 && !strcmp(found.at[i].text, "BREAK"));
    }
    xl_arena_deinit(&arena);
}

Test(attention, equals_a1111) {
    json_t *root = load("attention.json"), *cases = json_object_get(root, "cases"), *c;
    size_t i;
    cr_assert_geq(json_array_size(cases), 26);
    json_array_foreach(cases, i, c)
        expect_fragments(json_string_value(json_array_get(c, 0)), json_array_get(c, 1));
    json_decref(root);
}

static void expect_one(const char *text, const char *wanted, double weight) {
    json_t *expected = json_pack("[[sf]]", wanted, weight);
    expect_fragments(text, expected);
    json_decref(expected);
}

Test(attention, what_is_no_number_is_text) {
    expect_one("(a:1.2.3)", "a:1.2.3", 1.1);
    expect_one("(a:.)", "a:.", 1.1);
    expect_one("(a:+)", "a:+", 1.1);
    expect_one("(a:1e3)", "a:1e3", 1.1);
    expect_one("(a:00000000000000000000000000000000000000000000001)",
               "a:00000000000000000000000000000000000000000000001", 1.1);
}

Test(attention, a_break_in_brackets_is_one_and_a_longer_word_is_none) {
    struct xl_arena arena = {0};
    struct xl_fragments found;
    cr_assert_eq(xl_attention_parse("(a BREAK b:1.3) BREAKFAST", &arena, &found, NULL), XL_OK);
    cr_assert_eq(found.n, 4);
    cr_expect(found.at[1].is_break);
    cr_expect_eq(found.at[1].weight, -1);
    cr_expect_eq(found.at[2].weight, 1.3);
    cr_expect_str_eq(found.at[3].text, " BREAKFAST");
    xl_arena_deinit(&arena);
}

Test(attention, deep_nesting_is_refused_and_long_texts_are_not) {
    enum { N = 100000 };
    struct xl_arena arena = {0};
    struct xl_fragments found;
    struct xl_err err = {0};
    char *text = malloc(N + 1);
    memset(text, '(', N);
    text[N] = 0;
    cr_expect_eq(xl_attention_parse(text, &arena, &found, &err), XL_EINVAL);
    cr_expect_not_null(strstr(err.text, "within each other"), "%s", err.text);
    for (int i = 0; i < N; i++) text[i] = "(a)]"[i % 4];
    cr_expect_eq(xl_attention_parse(text, &arena, &found, &err), XL_OK);
    free(text);
    xl_arena_deinit(&arena);
}

/* --- Schedules --- */

/* expected: [[last step, text], ...]; neighbours of one text are one part here. */
static void expect_parts(const char *text, int n_steps, const json_t *expected) {
    struct xl_arena arena = {0};
    struct xl_prompt_parts found;
    struct xl_err err = {0};
    cr_assert_eq(xl_prompt_steps(text, n_steps, &arena, &found, &err), XL_OK, "%s", err.text);
    size_t k = 0, n = json_array_size(expected);
    int i = 0;
    for (int step = 1; step <= n_steps; step++) {
        while (k < n && json_integer_value(json_array_get(json_array_get(expected, k), 0)) < step)
            k++;
        while (i < found.n && found.at[i].last < step) i++;
        cr_assert_lt(i, found.n, "%s: nothing for step %d", text, step);
        const char *wanted = json_string_value(json_array_get(json_array_get(expected, k), 1));
        cr_expect_str_eq(found.at[i].text, wanted, "%s, step %d: \"%s\", expected \"%s\"", text,
                         step, found.at[i].text, wanted);
    }
    cr_expect_eq(found.at[found.n - 1].last, n_steps);
    for (i = 1; i < found.n; i++)
        cr_expect(strcmp(found.at[i - 1].text, found.at[i].text) != 0, "%s", text);
    xl_arena_deinit(&arena);
}

Test(prompt_steps, equals_a1111) {
    json_t *root = load("steps.json"), *cases = json_object_get(root, "cases"), *c;
    size_t i;
    cr_assert_geq(json_array_size(cases), 60);
    json_array_foreach(cases, i, c)
        expect_parts(json_string_value(json_array_get(c, 0)),
                     (int)json_integer_value(json_array_get(c, 1)), json_array_get(c, 2));
    json_decref(root);
}

Test(prompt_steps, hostile_texts) {
    enum { N = 100000 };
    static const char *const patterns[] = {"[", "[a:", "[a|b", "(]", "[a:1]", "[a|b]", "\\["};
    char *text = malloc(N + 1);
    for (size_t p = 0; p < sizeof patterns / sizeof *patterns; p++) {
        struct xl_arena arena = {0};
        struct xl_prompt_parts found;
        struct xl_err err = {0};
        size_t n = strlen(patterns[p]);
        for (size_t i = 0; i < N; i++) text[i] = patterns[p][i % n];
        text[N] = 0;
        cr_expect_eq(xl_prompt_steps(text, 30, &arena, &found, &err), XL_OK, "%s", err.text);
        cr_expect_geq(found.n, 1);
        xl_arena_deinit(&arena);
    }
    free(text);
}
