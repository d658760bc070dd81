/* test_compel.c - compel's syntax against what its own parser answers (tests/data/prompts, made by
 * tools/reference/topics/prompts.py), and what hostile texts do. */
#include "base/json.h"
#include "scratch.h"
#include "text/compel.h"

#include <stdlib.h>
#include <string.h>

static double number_at(const json_t *array, size_t i) {
    return json_number_value(json_array_get(array, i));
}

static void expect_pieces(const char *text, const struct xl_fragments *found,
                          const json_t *expected) {
    cr_expect_eq((size_t)found->n, json_array_size(expected), "%s: %d pieces", text, found->n);
    for (int i = 0; i < found->n && (size_t)i < json_array_size(expected); i++) {
        const json_t *piece = json_array_get(expected, (size_t)i);
        const char *wanted = json_string_value(json_array_get(piece, 0));
        cr_expect_str_eq(found->at[i].text, wanted, "%s: \"%s\", expected \"%s\"", text,
                         found->at[i].text, wanted);
        cr_expect_float_eq(found->at[i].weight, number_at(piece, 1), 1e-12, "%s: %.17g", text,
                           found->at[i].weight);
    }
}

/* expected: [text, has a swap, [[weight, is normalized, [[weight, [[text, weight], ...]], ...]]]]
 */
static void expect_case(const json_t *expected) {
    const char *text = json_string_value(json_array_get(expected, 0));
    const json_t *parts = json_array_get(expected, 2);
    struct xl_arena arena = {0};
    struct xl_compel found;
    struct xl_err err = {0};
    cr_assert_eq(xl_compel_parse(text, &arena, &found, &err), XL_OK, "%s: %s", text, err.text);
    cr_expect_eq(found.has_swap, json_is_true(json_array_get(expected, 1)), "%s", text);
    cr_assert_eq((size_t)found.n, json_array_size(parts), "%s: %d parts", text, found.n);
    for (int i = 0; i < found.n; i++) {
        const json_t *part = json_array_get(parts, (size_t)i), *blend = json_array_get(part, 2);
        cr_expect_eq(found.weights[i], number_at(part, 0), "%s", text);
        cr_expect_eq(found.blends[i].is_normalized, json_is_true(json_array_get(part, 1)), "%s",
                     text);
        cr_assert_eq((size_t)found.blends[i].n, json_array_size(blend), "%s", text);
        for (int k = 0; k < found.blends[i].n; k++) {
            const json_t *prompt = json_array_get(blend, (size_t)k);
            cr_expect_eq(found.blends[i].weights[k], number_at(prompt, 0), "%s", text);
            expect_pieces(text, &found.blends[i].prompts[k], json_array_get(prompt, 1));
        }
    }
    xl_arena_deinit(&arena);
}

Test(compel, equals_compel) {
    struct xl_err err = {0};
    json_t *root = NULL, *c;
    size_t i;
    cr_assert_eq(xl_json_load(XL_SOURCE_DIR "/tests/data/prompts/compel.json", &root, &err), XL_OK,
                 "%s", err.text);
    cr_assert_geq(json_array_size(json_object_get(root, "cases")), 50);
    json_array_foreach(json_object_get(root, "cases"), i, c) expect_case(c);
    json_decref(root);
}

static void expect_refused(const char *text, const char *words) {
    struct xl_arena arena = {0};
    struct xl_compel found;
    struct xl_err err = {0};
    cr_expect_eq(xl_compel_parse(text, &arena, &found, &err), XL_EINVAL, "%.40s", text);
    cr_expect_not_null(strstr(err.text, words), "%s", err.text);
    xl_arena_deinit(&arena);
}

Test(compel, weights_that_do_not_go_with_texts_are_refused) {
    expect_refused("(\"a\", \"b\").blend(1)", "2 texts in brackets and 1 weights");
    expect_refused("(\"a\", \"b\").and(1, 2, 3)", "2 texts in brackets and 3 weights");
}

Test(compel, hostile_texts) {
    enum { N = 100000 };
    static const char *const deep[] = {"(", "a.swap(", "(\"("};
    static const char *const flat[] = {"(a)+ ", "\"", ")", ".blend(", "a\\", "(a ", "+-"};
    char *text = malloc(N + 1);
    text[N] = 0;
    for (size_t p = 0; p < 2; p++) {
        for (size_t i = 0; i < N; i++) text[i] = deep[p][i % strlen(deep[p])];
        expect_refused(text, "within each other");
    }
    for (size_t p = 0; p < sizeof flat / sizeof *flat; p++) {
        struct xl_arena arena = {0};
        struct xl_compel found;
        for (size_t i = 0; i < N; i++) text[i] = flat[p][i % strlen(flat[p])];
        enum xl_status status = xl_compel_parse(text, &arena, &found, NULL);
        cr_expect(status == XL_OK || status == XL_EINVAL, "%s", flat[p]);
        xl_arena_deinit(&arena);
    }
    free(text);
}
