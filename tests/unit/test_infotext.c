/* test_infotext.c - the "parameters" text: reading as the web UI reads (data written by
 * tools/reference/topics/images.py), writing, and coming back. */
#include "base/json.h"
#include "image/infotext.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define DATA XL_SOURCE_DIR "/tests/data/images/"
#define ok(call) cr_assert_eq((call), XL_OK, "%s", err.text)

static const char *string(const json_t *object, const char *key) {
    return json_string_value(json_object_get(object, key));
}

static void check(const json_t *expected) {
    const char *text = string(expected, "text");
    struct xl_arena arena = {0};
    struct xl_infotext info;
    struct xl_err err = {0};
    ok(xl_infotext_parse(text, &arena, &info, &err));
    cr_expect_str_eq(info.prompt, string(expected, "prompt"), "of: %s", text);
    cr_expect_str_eq(info.negative, string(expected, "negative"), "of: %s", text);
    const json_t *pairs = json_object_get(expected, "pairs");
    cr_assert_eq(info.n_pairs, (int)json_array_size(pairs), "%d pairs of: %s", info.n_pairs, text);
    for (int i = 0; i < info.n_pairs; i++) {
        const json_t *pair = json_array_get(pairs, (size_t)i);
        cr_expect_str_eq(info.pairs[i].key, json_string_value(json_array_get(pair, 0)));
        cr_expect_str_eq(info.pairs[i].value, json_string_value(json_array_get(pair, 1)));
    }
    xl_arena_deinit(&arena);
}

Test(infotext, reads_what_the_web_ui_reads) {
    struct xl_err err = {0};
    json_t *root = NULL, *expected;
    ok(xl_json_load(DATA "infotext.json", &root, &err));
    size_t i;
    json_array_foreach(json_object_get(root, "cases"), i, expected) check(expected);
    cr_assert_geq(i, 30);
    json_decref(root);
}

static void expect_text(const struct xl_infotext *info, const char *expected) {
    char *text = xl_infotext_write(info);
    cr_expect_str_eq(text, expected);
    free(text);
}

Test(infotext, writes_the_form) {
    static const struct xl_info_pair pairs[] = {{"Steps", "26"},
                                                {"Absent", NULL},
                                                {"Size", "8x8"},
                                                {"Note", "a, \"b\": \\c\n\x01\xC3\xA9"},
                                                {"Tiling", "Tiling"}};
    expect_text(&(struct xl_infotext){"a castle", "blurry", pairs, 5},
                "a castle\nNegative prompt: blurry\nSteps: 26, Size: 8x8, "
                "Note: \"a, \\\"b\\\": \\\\c\\n\\u0001\xC3\xA9\", Tiling");
    expect_text(&(struct xl_infotext){"a castle", "", pairs, 1}, "a castle\nSteps: 26");
    expect_text(&(struct xl_infotext){"", "", pairs, 1}, "Steps: 26");
    expect_text(&(struct xl_infotext){"", "x", pairs, 1}, "Negative prompt: x\nSteps: 26");
    expect_text(&(struct xl_infotext){" a ", "", NULL, 0}, "a");
    expect_text(&(struct xl_infotext){"", "", NULL, 0}, "");
}

Test(infotext, values_come_back_whatever_they_hold) {
    static const char *const values[] = {
        "plain", "1, 2",    "a: b", "\"", "\"quoted\"",
        "\\",    "a\nb\tc", "x,",   ":",  "\xF0\x9F\x98\x80, \xC3\xA9",
        "\x1f,", "\\\","};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        struct xl_info_pair pairs[] = {{"Steps", "1"}, {"Note", values[i]}, {"Last", "z"}};
        char *text = xl_infotext_write(&(struct xl_infotext){"p\nq", "n", pairs, 3});
        struct xl_arena arena = {0};
        struct xl_infotext back;
        struct xl_err err = {0};
        ok(xl_infotext_parse(text, &arena, &back, &err));
        cr_expect_str_eq(back.prompt, "p\nq");
        cr_expect_str_eq(back.negative, "n");
        cr_assert_eq(back.n_pairs, 3, "%s", text);
        /* A value in quotes that needs none is the one that the form loses: its quotes go. */
        cr_expect_str_eq(back.pairs[1].value,
                         strcmp(values[i], "\"quoted\"") ? values[i] : "quoted");
        cr_expect_str_eq(back.pairs[2].value, "z");
        xl_arena_deinit(&arena);
        free(text);
    }
}

/* A megabyte of what a careless reader takes quadratic time, or a stack, for: with such a reader
 * this test does not end. */
Test(infotext, long_hostile_texts_are_read) {
    static const char *const units[] = {
        "a",   "a ", "ab:",  "ab:\"",  "ab:\"\\",     "\n",
        "a\n", " ",  "\xFF", "ab: 1,", "Template:\n", "ab:c,de:f,gh:i\nTemplate:\n"};
    for (size_t u = 0; u < sizeof units / sizeof *units; u++) {
        size_t n_unit = strlen(units[u]), n = (1 << 20) / n_unit * n_unit;
        char *text = malloc(n + 1);
        for (size_t i = 0; i < n; i++) text[i] = units[u][i % n_unit];
        text[n] = 0;
        struct xl_arena arena = {0};
        struct xl_infotext info;
        struct xl_err err = {0};
        ok(xl_infotext_parse(text, &arena, &info, &err));
        xl_arena_deinit(&arena);
        free(text);
    }
}
