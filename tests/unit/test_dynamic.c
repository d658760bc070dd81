/* test_dynamic.c - templates of sd-dynamic-prompts against dynamicprompts (tests/data/dynamic),
 * what is otherwise here, and choices by chance that a seed decides. */
#include "prompts/dynamic.h"
#include "prompts/hashes.h"
#include "unit/scratch.h"

#include <jansson.h>

static struct xl_wildcards *wildcards;
static struct xl_str notices;
static struct xl_arena arena;

static void open_wildcards(void) {
    const char *folder = XL_SOURCE_DIR "/tests/data/dynamic/wildcards";
    struct xl_err err = {0};
    cr_assert_eq(xl_wildcards_open(&folder, 1, &notices, &wildcards, &err), XL_OK, "%s", err.text);
    cr_assert_eq(notices.len, 0, "%s", notices.text);
}

static void close_wildcards(void) {
    xl_wildcards_free(wildcards);
    xl_str_deinit(&notices);
    xl_arena_deinit(&arena);
}

TestSuite(dynamic, .init = open_wildcards, .fini = close_wildcards);

static enum xl_status all(const char *text, int most, const char *const **out, int *n, bool *is_all,
                          struct xl_err *err) {
    const struct xl_dynamic dynamic = {wildcards, 1, 0, &notices};
    return xl_dynamic_all(&dynamic, text, most, &arena, out, n, is_all, err);
}

static void check_case(const json_t *item, int limit) {
    const char *text = json_string_value(json_object_get(item, "template"));
    const json_t *texts = json_object_get(item, "texts");
    const char *const *made = NULL;
    int n = 0;
    bool is_all = false;
    struct xl_err err = {0};
    enum xl_status status = all(text, limit, &made, &n, &is_all, &err);
    if (json_is_null(texts)) {
        cr_expect_eq(status, XL_EINVAL, "%s is taken", text);
        cr_expect(err.text[0]);
        return;
    }
    cr_assert_eq(status, XL_OK, "%s: %s", text, err.text);
    cr_expect_eq((size_t)n, json_array_size(texts), "%s: %d texts, not %zu", text, n,
                 json_array_size(texts));
    for (int i = 0; i < n && i < (int)json_array_size(texts); i++) {
        const char *expected = json_string_value(json_array_get(texts, (size_t)i));
        cr_expect_str_eq(made[i], expected, "%s: text %d is \"%s\", not \"%s\"", text, i, made[i],
                         expected);
    }
}

Test(dynamic, every_text_is_that_of_dynamicprompts) {
    json_error_t error;
    json_t *root = json_load_file(XL_SOURCE_DIR "/tests/data/dynamic/cases.json", 0, &error);
    cr_assert_not_null(root, "%s", error.text);
    const json_t *cases = json_object_get(root, "cases");
    cr_assert_gt(json_array_size(cases), 140);
    for (size_t i = 0; i < json_array_size(cases); i++)
        check_case(json_array_get(cases, i),
                   (int)json_integer_value(json_object_get(root, "limit")));
    json_decref(root);
}

/* --- Otherwise here --------------------------------------------------------------------------- */

static void expect_all(const char *text, const char *joined) {
    const char *const *made = NULL;
    int n = 0;
    bool is_all;
    struct xl_err err = {0};
    struct xl_str found = {0};
    cr_assert_eq(all(text, 100, &made, &n, &is_all, &err), XL_OK, "%s: %s", text, err.text);
    for (int i = 0; i < n; i++) xl_str_printf(&found, "%s%s", i ? "/" : "", made[i]);
    cr_expect_str_eq(found.text ? found.text : "", joined, "%s makes %s", text, found.text);
    xl_str_deinit(&found);
}

Test(dynamic, signs_that_begin_nothing_are_signs) {
    expect_all("100% real, costs $5", "100% real, costs $5");
    expect_all("{50%|$b}", "50%/$b");
    expect_all("50 %", "50 %");
}

Test(dynamic, what_is_not_there_stays_once_and_is_told_once) {
    expect_all("a __missing__ {x|y}", "a __missing__ x/a __missing__ y");
    expect_all("__COLOR__", "__COLOR__");
    expect_all("a___color__", "a___color__");
    expect_all("__../color__", "__../color__");
    expect_all("__missing__", "__missing__");
    cr_expect_not_null(strstr(notices.text, "there is no wildcard __missing__"));
    const char *first = strstr(notices.text, "__missing__");
    cr_expect_null(strstr(first + 1, "__missing__"), "%s", notices.text);
}

Test(dynamic, what_is_only_cyclical_ends) {
    expect_all("{@a|b}", "a/b");
    expect_all("{@a|b} {@1|2}", "a 1");
}

Test(dynamic, more_than_is_wanted_is_cut_and_told) {
    const char *const *made;
    int n;
    bool is_all;
    cr_assert_eq(all("{a|b|c}{a|b|c}{a|b|c}", 10, &made, &n, &is_all, NULL), XL_OK);
    cr_expect(n == 10 && !is_all);
    cr_expect_str_eq(made[9], "baa");
    cr_assert_eq(all("{a|b|c}{a|b|c}{a|b|c}", 27, &made, &n, &is_all, NULL), XL_OK);
    cr_expect(n == 27 && is_all);
    cr_assert_eq(all("{9$$a|b|c|d|e|f|g|h|i|j|k|l}", 50, &made, &n, &is_all, NULL), XL_OK);
    cr_expect(n == 50 && !is_all);
}

Test(dynamic, what_is_wrong_is_said) {
    static const struct {
        const char *text, *sentence;
    } cases[] = {
        {"a {b|c", "character 3, \"{b|c\": a { that is not closed"},
        {"\xC3\xA9 {b$$c}", "character 5, \"$$c}\": $$ needs a number before it"},
        {"a __ b", "character 3, \"__ b\": a wildcard that does not end in two underscores"},
        {"____", "a wildcard without a name"},
        {"${}", "character 1, \"${}\": expected ${name}"},
        {"${x=a|b}", "alternatives in it need braces"},
        {"{${x=1}|b}", "a variable is set outside of braces only"},
        {"${y}", "the variable y is not set"},
        {"%{a}", "expected %{words around ... $$ what goes in}"},
        {"${a=${a}}${a}", "endless: a wildcard or a variable leads back to itself"},
        {"__color(x)__", "expected name=value"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct xl_dynamic dynamic = {wildcards, 1, 0, NULL};
        const char *made;
        struct xl_err err = {0};
        cr_expect_eq(xl_dynamic_draw(&dynamic, cases[i].text, &arena, &made, &err), XL_EINVAL, "%s",
                     cases[i].text);
        cr_expect_not_null(strstr(err.text, cases[i].sentence), "%s: %s", cases[i].text, err.text);
    }
    char *deep = malloc(4001);
    memset(deep, '{', 4000);
    deep[4000] = 0;
    const char *const *made;
    int n;
    bool is_all;
    cr_expect_eq(all(deep, 10, &made, &n, &is_all, NULL), XL_EINVAL);
    free(deep);
}

/* --- By chance -------------------------------------------------------------------------------- */

static const char *draw(const char *text, uint64_t seed) {
    const struct xl_dynamic dynamic = {wildcards, seed, 0, &notices};
    const char *made = NULL;
    struct xl_err err = {0};
    cr_assert_eq(xl_dynamic_draw(&dynamic, text, &arena, &made, &err), XL_OK, "%s: %s", text,
                 err.text);
    return made;
}

Test(dynamic, a_seed_chooses_the_same_on_every_machine) {
    static const char text[] = "${c=!__color__}a {2::big|small|{odd|old}} ${c} __sub/*__, "
                               "{1-3$$ and $$x|y|z|__mood__}, %{(...:1.2)$$${c}}";
    static const char *const expected[] = {
        "a big green dog, z and y, (green:1.2)",
        "a big green elm, x and y and calm, (green:1.2)",
        "a big red cat, y and calm, (red:1.2)",
        "a old green oak, z and y, (green:1.2)",
    };
    for (uint64_t seed = 0; seed < 4; seed++) {
        cr_expect_str_eq(draw(text, seed), draw(text, seed));
        cr_expect_str_eq(draw(text, seed), expected[seed], "seed %d: %s", (int)seed,
                         draw(text, seed));
    }
}

Test(dynamic, what_chance_makes_is_among_all_that_there_is) {
    static const char *const texts[] = {
        "{a|b} __color__",          "{1-2$$a|b|c}",   "{0-1$$ x}y",        "__deep__ {__mood__|z}",
        "${c={red|blue}}${c} ${c}", "{2$$__color__}", "%{a ... b$${1|2}}", "__named(what={A|B})__",
        "  plain // text  "};
    for (size_t t = 0; t < sizeof texts / sizeof *texts; t++) {
        const char *const *made;
        int n;
        bool is_all;
        cr_assert_eq(all(texts[t], 200, &made, &n, &is_all, NULL), XL_OK);
        cr_assert(is_all);
        char *seen = calloc((size_t)n, 1);
        for (uint64_t seed = 0; seed < 300; seed++) {
            const char *one = draw(texts[t], seed);
            int i = 0;
            while (i < n && strcmp(made[i], one) != 0) i++;
            cr_assert_lt(i, n, "%s makes \"%s\" by chance alone", texts[t], one);
            seen[i] = 1;
        }
        for (int i = 0; i < n; i++) cr_expect(seen[i], "%s never makes \"%s\"", texts[t], made[i]);
        free(seen);
    }
}

Test(dynamic, weights_count_by_chance) {
    int a = 0, eel = 0;
    enum { N = 20000 };
    for (uint64_t seed = 0; seed < N; seed++) {
        a += draw("{3::a|b|0::c}", seed)[0] == 'a';
        eel += draw("__sea/fish__", seed)[0] == 'e';
        if (seed % 500 == 0) xl_arena_deinit(&arena);
    }
    /* Six standard deviations. */
    cr_expect_float_eq((double)a / N, 0.75, 0.019);
    cr_expect_float_eq((double)eel / N, 1.5 / 3.5, 0.022);
}

Test(dynamic, seeds_that_follow_each_other_go_round) {
    for (uint64_t seed = 0; seed < 9; seed++) {
        cr_expect_eq(draw("{@a|b|c}", seed)[0], "abc"[seed % 3]);
        cr_expect_str_eq(draw("__@color__", seed), draw("{@blue|green|red}", seed));
    }
}

/* --- Wildcards -------------------------------------------------------------------------------- */

Test(wildcards, what_cannot_be_read_is_noted, .init = scratch_open, .fini = scratch_close) {
    struct xl_wildcards *opened = NULL;
    struct xl_wildcard_value *values;
    int n;
    struct xl_str told = {0};
    scratch_puts(scratch("w/bad.yaml"), "a: [1\n");
    scratch_puts(scratch("w/odd.yaml"), "a: [x, [y], {weight: 2}]\nb: 7\nc: {d: z}\n");
    scratch_write(scratch("w/latin.txt"), "caf\xE9\n", 5);
    scratch_puts(scratch("w/.hidden.txt"), "no\n");
    scratch_puts(scratch("w/crlf.txt"), "\xEF\xBB\xBFone\r\ntwo\r\n");
    const char *folders[] = {scratch("w")};
    cr_assert_eq(xl_wildcards_open(folders, 1, &told, &opened, NULL), XL_OK);
    cr_expect_not_null(strstr(told.text, "bad.yaml:"), "%s", told.text);
    cr_expect_not_null(strstr(told.text, "latin.txt"), "%s", told.text);
    cr_expect_not_null(
        strstr(told.text, "odd.yaml: left out: 3 entries that are no text, the first in a\n"), "%s",
        told.text);
    cr_assert_eq(xl_wildcards_find(opened, "crlf", &values, &n, NULL), XL_OK);
    cr_expect(n == 2 && !strcmp(values[0].text, "one") && !strcmp(values[1].text, "two"));
    free(values);
    cr_assert_eq(xl_wildcards_find(opened, "c/d", &values, &n, NULL), XL_OK);
    cr_expect(n == 1 && !strcmp(values[0].text, "z"));
    free(values);
    xl_wildcards_free(opened);
    xl_str_deinit(&told);
    struct xl_err err = {0};
    folders[0] = scratch("none");
    cr_expect_eq(xl_wildcards_open(folders, 1, &told, &opened, &err), XL_EINPUT);
    cr_expect_not_null(strstr(err.text, "no such folder of wildcards"));
}
