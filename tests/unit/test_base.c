/* test_base.c - the foundations: text, JSON with limits, arenas, threads, statuses. */
#include "base/arena.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/str.h"
#include "base/threads.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

Test(status, every_status_has_a_name_and_a_text) {
    cr_assert_str_eq(xl_status_name(XL_EMODEL), "XL_EMODEL");
    cr_assert_str_eq(xl_status_text(XL_EDISK), "cannot write");
    cr_assert_str_eq(xl_status_name((enum xl_status)99), "?");
    cr_assert_str_eq(xl_status_text((enum xl_status)99), "internal error");
}

Test(status, context_goes_in_front_and_control_characters_are_replaced) {
    struct xl_err err = {0};
    cr_assert_eq(xl_fail(&err, XL_EFORMAT, "a\nb\x1b[31m"), XL_EFORMAT);
    cr_assert_eq(xl_fail_context(&err, XL_EFORMAT, "load %s", "unet"), XL_EFORMAT);
    cr_assert_str_eq(err.text, "load unet: a?b?[31m");
    cr_assert_eq(xl_fail(NULL, XL_EINVAL, "nobody listens"), XL_EINVAL);
}

Test(status, a_long_context_never_overflows) {
    struct xl_err err = {0};
    char text[3000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = 0;
    xl_fail(&err, XL_EFORMAT, "%s", text);
    xl_fail_context(&err, XL_EFORMAT, "%s", text);
    cr_assert_eq(strlen(err.text), sizeof err.text - 1);
}

Test(str, a_word_is_one_word_for_a_shell) {
    static const char *const words[][2] = {{"a/b-c.png", "a/b-c.png"},
                                           {"a b", "'a b'"},
                                           {"it's", "'it'\\''s'"},
                                           {"$x", "'$x'"},
                                           {"~", "'~'"},
                                           {"", "''"}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        struct xl_str str = {0};
        xl_str_put_shell_word(&str, words[i][0]);
        cr_expect_str_eq(str.text, words[i][1]);
        xl_str_deinit(&str);
    }
}

Test(str, grows_and_hands_over) {
    struct xl_str str = {0};
    for (int i = 0; i < 1000; i++) xl_str_printf(&str, "%d,", i);
    xl_str_append(&str, "a\0b", 3);
    cr_assert_eq(str.len, 3893);
    char *text = xl_str_take(&str);
    cr_assert_eq(strncmp(text, "0,1,2,", 6), 0);
    cr_assert_null(str.text);
    free(text);
    text = xl_str_take(&str);
    cr_assert_str_eq(text, "");
    free(text);
}

Test(str, utf8_as_the_standard_defines_it) {
    static const struct {
        const char *text;
        int len;
    } cases[] = {
        {"a", 1},
        {"\xC3\xA9", 2},
        {"\xE2\x82\xAC", 3},
        {"\xF0\x9F\x99\x82", 4},
        {"\xC0\x80", 0},
        {"\xE0\x80\x80", 0},
        {"\xED\xA0\x80", 0},
        {"\xF4\x90\x80\x80", 0},
        {"\x80", 0},
        {"\xFF", 0},
        {"\xC3", 0},
        {"\xF0\x9F\x99", 0},
        {"\xC3\x28", 0},
        {"\xF0\x80\x80\x80", 0},
        {"\xF5\x80\x80\x80", 0},
        {"\xEF\xBF\xBD", 3},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_expect_eq(xl_utf8_len(cases[i].text, strlen(cases[i].text)), cases[i].len, "case %zu",
                     i);
    cr_assert(xl_utf8_valid("Z\xC3\xBCrich", 7));
    cr_assert_not(xl_utf8_valid("Z\xC3", 2));
}

Test(str, edit_distance) {
    static const struct {
        const char *a, *b;
        int max, distance;
    } cases[] = {
        {"ink", "ink", 3, 0},    {"ink", "inc", 3, 1},        {"ink", "nik", 3, 1},
        {"ink", "inks", 3, 1},   {"", "abc", 3, 3},           {"abc", "", 3, 3},
        {"abcd", "dcba", 9, 3},  {"kitten", "sitting", 3, 3}, {"kitten", "sitting", 2, 3},
        {"a", "abcdefgh", 2, 3},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_expect_eq(xl_edit_distance(cases[i].a, cases[i].b, cases[i].max), cases[i].distance,
                     "%s %s: %d", cases[i].a, cases[i].b,
                     xl_edit_distance(cases[i].a, cases[i].b, cases[i].max));
}

/* The limits of a character and of its encodings, there and back; and how much is no UTF-8. */
Test(str, utf8_is_taken_apart_and_put_together) {
    static const int32_t codes[] = {0,      0x7F,   0x80,   0x7FF,   0x800,
                                    0xD7FF, 0xE000, 0xFFFF, 0x10000, 0x10FFFF};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        char utf8[4];
        int32_t code = -1;
        int n = xl_utf8_put(codes[i], utf8);
        cr_expect_eq(xl_utf8_get(utf8, (size_t)n, &code), n);
        cr_expect_eq(code, codes[i]);
        if (n > 1) cr_expect_eq(xl_utf8_get(utf8, (size_t)n - 1, &code), 1 - n);
    }
    /* Table 3-8 of the Unicode Standard: one replacement for each maximal part. */
    struct xl_str clean = {0};
    static const char text[] = "a\xF1\x80\x80\xE1\x80\xC2"
                               "b\x80"
                               "c\x80\xBF"
                               "d\xED\xA0\x80";
    xl_str_append_utf8(&clean, text, sizeof text - 1);
    cr_expect_str_eq(clean.text, "a" XL_REPLACEMENT XL_REPLACEMENT XL_REPLACEMENT "b" XL_REPLACEMENT
                                 "c" XL_REPLACEMENT XL_REPLACEMENT
                                 "d" XL_REPLACEMENT XL_REPLACEMENT XL_REPLACEMENT);
    xl_str_deinit(&clean);
}

Test(arena, blocks_are_zeroed_aligned_and_survive_growth) {
    struct xl_arena arena = {0};
    char *first = xl_arena_strdup(&arena, "first");
    for (int i = 1; i < 3000; i++) {
        unsigned char *block = xl_arena_alloc(&arena, (size_t)i);
        cr_assert_eq((uintptr_t)block % 16, 0);
        for (int k = 0; k < i; k++) cr_assert_eq(block[k], 0);
        memset(block, 0xAA, (size_t)i);
    }
    cr_assert_str_eq(first, "first");
    cr_assert_str_eq(xl_arena_printf(&arena, "%d-%s", 7, "x"), "7-x");
    cr_assert_null(xl_arena_alloc(&arena, SIZE_MAX));
    xl_arena_deinit(&arena);
}

static enum xl_status parse(const char *text, json_t **root, struct xl_err *err) {
    return xl_json_parse("config.json", text, strlen(text), root, err);
}

Test(json, refuses_what_is_no_object_and_says_where) {
    static const char *const bad[] = {"", "[1]", "{\"a\":1,\"a\":2}", "{\"a\":}", "{\"a\":1} x"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct xl_err err = {0};
        json_t *root = NULL;
        cr_expect_eq(parse(bad[i], &root, &err), XL_EFORMAT, "%s", bad[i]);
        cr_expect_null(root);
        cr_expect_eq(strncmp(err.text, "config.json:", 12), 0, "%s", err.text);
    }
}

Test(json, refuses_deep_nesting_before_parsing) {
    enum { DEPTH = 200000 };
    char *text = malloc(DEPTH + 1);
    memset(text, '[', DEPTH);
    text[DEPTH] = 0;
    struct xl_err err = {0};
    json_t *root;
    cr_assert_eq(parse(text, &root, &err), XL_EFORMAT);
    cr_assert_not_null(strstr(err.text, "nested deeper"));
    free(text);
}

Test(json, getters_name_key_value_and_range) {
    struct xl_err err = {0};
    json_t *root;
    cr_assert_eq(
        parse("{\"n\":3,\"x\":0.5,\"b\":true,\"s\":\"t\",\"a\":[1,2],\"z\":null}", &root, &err),
        XL_OK);
    struct xl_json json = {root, "config.json"};
    int n = 7, list[4], count;
    double x = 0;
    bool b = false;
    const char *s = NULL;
    cr_assert_eq(xl_json_int(json, "n", 0, 9, &n, &err), XL_OK);
    cr_assert_eq(n, 3);
    cr_assert_eq(xl_json_int(json, "absent", 0, 9, &n, &err), XL_OK);
    cr_assert_eq(xl_json_int(json, "z", 0, 9, &n, &err), XL_OK);
    cr_assert_eq(n, 3);
    cr_assert_eq(xl_json_int(json, "n", 4, 9, &n, &err), XL_EFORMAT);
    cr_assert_str_eq(err.text, "config.json: \"n\" is 3, expected 4 to 9");
    cr_assert_eq(xl_json_int(json, "s", 0, 9, &n, &err), XL_EFORMAT);
    cr_assert_str_eq(err.text, "config.json: \"s\" is a string, expected an integer");
    cr_assert_eq(xl_json_double(json, "x", 0, 1, &x, &err), XL_OK);
    cr_assert_eq(xl_json_double(json, "n", 0, 1, &x, &err), XL_EFORMAT);
    cr_assert_eq(x, 0.5);
    cr_assert_eq(xl_json_bool(json, "b", &b, &err), XL_OK);
    cr_assert(b);
    cr_assert_eq(xl_json_string(json, "s", &s, &err), XL_OK);
    cr_assert_str_eq(s, "t");
    cr_assert_eq(xl_json_int_array(json, "a", 0, 9, list, 4, &count, &err), XL_OK);
    cr_assert_eq(count, 2);
    cr_assert_eq(xl_json_int_array(json, "a", 0, 9, list, 1, &count, &err), XL_EFORMAT);
    cr_assert_eq(xl_json_int_array(json, "n", 0, 9, list, 4, &count, &err), XL_OK);
    cr_assert_eq(count, 1);
    json_decref(root);
}

/* int(1e30) is what transformers writes for a length that nobody set. */
Test(json, words_for_no_limit_are_null_and_positions_stay) {
    struct xl_err err = {0};
    json_t *root;
    cr_assert_eq(parse("{\"n\": 1000000000000000019884624838656, \"i\":-Infinity, \"s\": "
                       "\"1000000000000000019884624838656 Infinity\","
                       "\"x\": 0.1000000000000000019884624838656, \"k\": 123456789012345678}",
                       &root, &err),
                 XL_OK, "%s", err.text);
    cr_assert(json_is_null(json_object_get(root, "n")));
    cr_assert(json_is_null(json_object_get(root, "i")));
    cr_assert_str_eq(json_string_value(json_object_get(root, "s")),
                     "1000000000000000019884624838656 Infinity");
    cr_assert_float_eq(json_real_value(json_object_get(root, "x")), 0.1, 1e-12);
    cr_assert_eq(json_integer_value(json_object_get(root, "k")), 123456789012345678);
    json_decref(root);
    cr_assert_eq(parse("{\"n\": 1000000000000000019884624838656 x}", &root, &err), XL_EFORMAT);
    cr_assert_not_null(strstr(err.text, "config.json:1:39"), "%s", err.text);
}

struct tally {
    atomic_int runs[257];
    atomic_int max_worker;
};

static void count_task(void *user, int64_t task, int worker) {
    struct tally *tally = user;
    atomic_fetch_add(&tally->runs[task], 1);
    int seen = atomic_load(&tally->max_worker);
    while (worker > seen && !atomic_compare_exchange_weak(&tally->max_worker, &seen, worker)) {
    }
}

Test(threads, every_task_runs_exactly_once_in_thousands_of_loops) {
    for (int n_threads = 1; n_threads <= 8; n_threads += 7) {
        struct xl_pool *pool;
        cr_assert_eq(xl_pool_new(n_threads, NULL, &pool, NULL), XL_OK);
        static struct tally tally;
        memset(&tally, 0, sizeof tally);
        enum { LOOPS = 3000 };
        int expected[257] = {0};
        for (int i = 0; i < LOOPS; i++) {
            int n = i % 258;
            xl_pool_run(pool, n, count_task, &tally);
            for (int t = 0; t < n; t++) expected[t]++;
        }
        for (int t = 0; t < 257; t++) cr_assert_eq(atomic_load(&tally.runs[t]), expected[t]);
        cr_assert_lt(atomic_load(&tally.max_worker), n_threads);
        cr_assert_eq(xl_pool_size(pool), n_threads);
        xl_pool_free(pool);
    }
}

Test(memory, there_is_some) {
    cr_assert_gt(xl_memory_available(), 1 << 20);
    cr_assert_geq(xl_memory_total(), xl_memory_available());
}

/* ---- Numbers ---- */

Test(base, a_number_is_the_shortest_text_that_reads_back) {
    static const struct {
        double value;
        const char *text;
    } cases[] = {
        {0.6, "0.6"},
        {0.1 + 0.2, "0.30000000000000004"},
        {7.5, "7.5"},
        {5, "5"},
        {0, "0"},
        {-0.25, "-0.25"},
        {100000, "100000"},
        {1234567, "1234567"},
        {1e16, "10000000000000000"},
        {1e22, "1e22"},
        {1e-4, "0.0001"},
        {1.5e-7, "1.5e-7"},
        {0.00085, "0.00085"},
        {2.2250738585072014e-308, "2.2250738585072014e-308"},
        {1.7976931348623157e308, "1.7976931348623157e308"},
    };
    char text[XL_REAL_MAX];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int n = xl_real_text(cases[i].value, text);
        cr_expect_str_eq(text, cases[i].text);
        cr_expect_eq((size_t)n, strlen(text));
    }
}

Test(base, any_number_reads_back) {
    uint64_t bits = 88172645463325252u;
    for (int i = 0; i < 20000; i++) {
        double value;
        char text[XL_REAL_MAX];
        bits ^= bits << 13, bits ^= bits >> 7, bits ^= bits << 17;
        memcpy(&value, &bits, sizeof value);
        if (i % 2) value = (double)(bits % 100000) / 1000; /* as people write them */
        if (!isfinite(value)) continue;
        xl_real_text(value, text);
        cr_assert_eq(strtod(text, NULL), value, "%s is not %.17g", text, value);
        cr_assert(i % 2 == 0 || strlen(text) <= 6, "%s", text);
    }
}

Test(base, json_has_short_numbers_and_strings_as_they_are) {
    json_t *value = json_pack("{s:f, s:f, s:i, s:[f,f,f], s:s}", "a", 0.6, "b 0.59999999999999998",
                              5.0, "b2", 17, "c", -0.00085, 1e22, 123456789.125, "d",
                              "0.59999999999999998 \" \\ 1e+22");
    char *text = xl_json_dump(value, JSON_COMPACT | JSON_SORT_KEYS);
    cr_expect_str_eq(
        text,
        "{\"a\":0.6,\"b 0.59999999999999998\":5.0,\"b2\":17,\"c\":[-0.00085,1e22,123456789.125],"
        "\"d\":\"0.59999999999999998 \\\" \\\\ 1e+22\"}");
    free(text);
    json_decref(value);
}

Test(base, lengths_of_time) {
    static const struct {
        const char *text;
        double seconds;
    } good[] = {{"90", 90},     {"0", 0},        {"90s", 90},    {"10m", 600},
                {"1.5h", 5400}, {"1h30m", 5400}, {"2d", 172800}, {"1d2h3m4s", 93784},
                {"1h30", 3630}, {"forever", -1}};
    static const char *const bad[] = {"",     "m",   "-5",   "10x", "1h2h", "30m1h", "1e3",
                                      "0x10", "nan", "10 m", "1..", "soon", "1h ",   "999999999d"};
    struct xl_err err;
    double seconds;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        cr_assert_eq(xl_duration_read(good[i].text, &seconds, &err), XL_OK, "%s", err.text);
        cr_expect_float_eq(seconds, good[i].seconds, 1e-9, "%s: %g", good[i].text, seconds);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_expect_eq(xl_duration_read(bad[i], &seconds, &err), XL_EINVAL, "%s", bad[i]);
}
