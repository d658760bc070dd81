/* test_yaml.c - YAML files: the core schema, the limits, and the line and column that every
 * sentence names. */
#include "base/yaml.h"

#include "base/str.h"
#include "unit/scratch.h"

#include <criterion/criterion.h>
#include <math.h>

static json_t *parse(const char *text) {
    json_t *root = NULL;
    struct xl_err err = {0};
    cr_assert_eq(xl_yaml_parse("t.yaml", text, strlen(text), NULL, &root, &err), XL_OK, "%s: %s",
                 text, err.text);
    return root;
}

/* What the text becomes, as JSON. */
static void expect(const char *text, const char *json) {
    json_t *root = parse(text);
    char *found = json_dumps(root, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(6));
    cr_expect_str_eq(found, json, "%s", text);
    free(found);
    json_decref(root);
}

static void refuse_n(const char *text, size_t n, const char *sentence) {
    json_t *root = (json_t *)1;
    struct xl_err err = {0};
    cr_expect_eq(xl_yaml_parse("t.yaml", text, n, NULL, &root, &err), XL_EINPUT, "%s", text);
    cr_expect_eq(root, (json_t *)1, "output touched");
    cr_expect_not_null(strstr(err.text, sentence), "\"%s\" is not in \"%s\"", sentence, err.text);
    cr_expect_null(strchr(err.text, '\n'));
}
static void refuse(const char *text, const char *sentence) {
    refuse_n(text, strlen(text), sentence);
}

Test(yaml, scalars_follow_the_core_schema) {
    expect("[null, ~, Null, NULL]", "[null,null,null,null]");
    expect("a:", "{\"a\":null}");
    expect("[true, True, TRUE, false, False, FALSE]", "[true,true,true,false,false,false]");
    expect("[yes, no, on, off, y, n, tRue]",
           "[\"yes\",\"no\",\"on\",\"off\",\"y\",\"n\",\"tRue\"]");
    expect("[0, -1, +7, 007, 0o17, 0xFf]", "[0,-1,7,7,15,255]");
    expect("[1.5, .5, 5., -2.5e3, 1e2]", "[1.5,0.5,5.0,-2500.0,100.0]");
    expect("[1_000, 1.2.3, 0b1, 0x, 1e, ., -, 12:30, 2026-11-24]",
           "[\"1_000\",\"1.2.3\",\"0b1\",\"0x\",\"1e\",\".\",\"-\",\"12:30\",\"2026-11-24\"]");
    expect("['1', \"true\", '~', ! 1, !!str 2]", "[\"1\",\"true\",\"~\",\"1\",\"2\"]");
}

Test(yaml, numbers_that_json_cannot_hold_stay_text) {
    expect("[.inf, -.inf, .nan, 1e999]", "[\".inf\",\"-.inf\",\".nan\",\"1e999\"]");
    expect("[9223372036854775807, 18446744073709551615]",
           "[9223372036854775807,\"18446744073709551615\"]");
}

Test(yaml, blocks_comments_and_json) {
    expect("# comment\nname: a b # more\nlist:\n  - 1\n  - {x: 2}\n",
           "{\"name\":\"a b\",\"list\":[1,{\"x\":2}]}");
    expect("t: >\n  one\n  two\nu: |\n  one\n  two\n",
           "{\"t\":\"one two\\n\",\"u\":\"one\\ntwo\\n\"}");
    expect("t: >-\n  one\n  two\n", "{\"t\":\"one two\"}");
    expect("{\"a\": [1, 2.5, \"x\\u00e9\"], \"b\": {}}", "{\"a\":[1,2.5,\"xé\"],\"b\":{}}");
    expect("\xEF\xBB\xBF"
           "a: 1",
           "{\"a\":1}");
    expect("--- \na: 1\n...\n", "{\"a\":1}");
    expect("", "null");
    expect("# nothing\n", "null");
}

Test(yaml, json_as_programs_write_it) {
    expect("{\"a\":\"\\ud83d\\ude00\",\"b\":[1,{\"c\":\"\\/\"}]}",
           "{\"a\":\"\xF0\x9F\x98\x80\",\"b\":[1,{\"c\":\"/\"}]}");
    refuse("{\"a\":\"\\ud83d\"}", "t.yaml:1:9: not valid YAML");
    refuse("{\"a\":\"\\ud83d\\ude00\", \"a\": 1}", "t.yaml:1:9:");
}

Test(yaml, aliases_name_what_came_before) {
    expect("a: &x [1, 2]\nb: *x\nc: &y 5\nd: *y\n", "{\"a\":[1,2],\"b\":[1,2],\"c\":5,\"d\":5}");
    expect("[&x 1, &x 2, *x]", "[1,2,2]");
    refuse("a: *x\n", "t.yaml:1:4: *x: no &x before it");
    refuse("a: &x [*x]\n", "no &x before it");
    refuse("a: &x 1\n*x : 2\n", "expected a word");
}

Test(yaml, mistakes_are_named_with_their_place) {
    refuse("a: 1\nb: 2\na: 3\n", "t.yaml:3:1: the key \"a\" is there twice");
    refuse("{é: 1, 'ü': 2,\n é: 3}", "t.yaml:2:2: the key");
    refuse("{é: 1, \"é\": 3}", "t.yaml:1:8: the key");
    refuse("a:\n  \tb: 1\n c: x: y\n", "t.yaml:2:3: not");
    refuse("a:\n\tb: 1\n", "t.yaml:2:1: not valid YAML: the line begins with a tab");
    refuse("a: 1\n b: 2\n", "t.yaml:2:3: not valid YAML: mapping values are not allowed");
    refuse("a: [1, 2\nb: 3\n", "t.yaml:2:2: not valid YAML");
    refuse("a: 'open\n\n",
           "t.yaml:3:1: not valid YAML: found unexpected end of stream (while scanning a "
           "quoted scalar that began on line 1)");
    refuse("a: 1\nb: \xff\n", "t.yaml:2:4: not valid YAML: invalid");
    refuse("a: é\r\nb: é\xff\n", "t.yaml:2:5: not valid YAML: invalid");
    refuse("a: é\rb: é\xff\n", "t.yaml:2:5: not valid YAML: invalid");
    refuse("\xEF\xBB\xBF\x01", "t.yaml:1:1: not valid YAML: control characters");
    refuse("a: 1\nb: \x01\n", "t.yaml:2:4: not valid YAML: control characters");
    refuse("a: \"x\\0y\"\n", "t.yaml:1:4: a string holds the character NUL");
    refuse("\"x\\0y\": 1\n", "t.yaml:1:1: a string holds the character NUL");
    refuse("a: 1\n---\nb: 2\n", "t.yaml:2:1: a second document");
    refuse("a: !!python/object:os.system x\n", "t.yaml:1:4: the tag tag:yaml.org");
    refuse("a: !mine {}\n", "t.yaml:1:4: the tag !mine is not supported");
    refuse("? [1]\n: 2\n", "t.yaml:1:3: a key is a list, a map or an alias");
    refuse_n("a: \0", 4, "t.yaml:1:4: not valid YAML");
}

Test(yaml, depth_is_bounded_also_through_aliases) {
    char text[512];
    for (int depth = 63; depth <= 65; depth++) {
        memset(text, '[', (size_t)depth);
        memset(text + depth, ']', (size_t)depth);
        text[2 * depth] = 0;
        if (depth <= 64)
            json_decref(parse(text));
        else
            refuse(text, "t.yaml:1:65: nested deeper than 64 levels");
    }
    /* 40 levels below 40 levels. */
    memset(text, 0, sizeof text);
    strcpy(text, "a: &x ");
    memset(text + 6, '[', 40), memset(text + 46, ']', 40);
    strcat(text, "\nb: ");
    size_t n = strlen(text);
    memset(text + n, '[', 40), strcpy(text + n + 40, "*x"), memset(text + n + 42, ']', 40);
    refuse(text, "t.yaml:2:44: nested deeper than 64 levels");
}

Test(yaml, a_billion_laughs_are_not_told) {
    struct xl_str text = {0};
    xl_str_puts(&text, "a0: &a0 [1,1,1,1,1,1,1,1,1,1]\n");
    for (int i = 1; i < 10; i++) {
        xl_str_printf(&text, "a%d: &a%d [", i, i);
        for (int k = 0; k < 10; k++) xl_str_printf(&text, "*a%d,", i - 1);
        xl_str_puts(&text, "]\n");
    }
    refuse(text.text, "more than 200000 values");
    xl_str_deinit(&text);
}

Test(yaml, size_is_bounded) {
    size_t n = XL_YAML_MAX_BYTES + 1;
    char *text = malloc(n);
    memset(text, ' ', n);
    refuse_n(text, n, "t.yaml: 4194305 bytes of YAML; expected at most 4194304");
    free(text);
}

/* The places of a text that has been read. */
static struct xl_yaml_places places;
static json_t *parse_places(const char *text) {
    json_t *root = NULL;
    struct xl_err err = {0};
    places = (struct xl_yaml_places){0};
    cr_assert_eq(xl_yaml_parse("t", text, strlen(text), &places, &root, &err), XL_OK, "%s",
                 err.text);
    return root;
}
static void forget_places(json_t *root) {
    xl_yaml_places_deinit(&places);
    json_decref(root);
}

static void expect_place(struct xl_yaml_place place, int line, int column) {
    cr_expect(place.line == line && place.column == column, "%d:%d, expected %d:%d", place.line,
              place.column, line, column);
}
static void expect_value(const json_t *object, const char *key, int line, int column) {
    expect_place(xl_yaml_value_place(&places, object, key, 0), line, column);
}
static void expect_key(const json_t *object, const char *key, int line, int column) {
    expect_place(xl_yaml_key_place(&places, object, key), line, column);
}
static void expect_item(const json_t *array, size_t i, int line, int column) {
    expect_place(xl_yaml_value_place(&places, array, NULL, i), line, column);
}

Test(yaml, places_of_keys_and_values) {
    json_t *root = parse_places("# c\na: 1\nb:\n  - x\n  - {c: 2,\n     d: 3}\n\"é\" : 'é'  #\n"
                                "e: true\nf: true\ng:\n h: &x [é, y]\n i: *x\n");
    const json_t *list = json_object_get(root, "b"), *below = json_object_get(root, "g");
    expect_item(NULL, 0, 2, 1);
    expect_key(root, "a", 2, 1);
    expect_value(root, "a", 2, 4);
    expect_item(list, 0, 4, 5);
    expect_item(list, 1, 5, 5);
    expect_value(json_array_get(list, 1), "c", 5, 9);
    expect_key(json_array_get(list, 1), "d", 6, 6);
    expect_value(json_array_get(list, 1), "d", 6, 9);
    expect_key(root, "é", 7, 1);
    expect_value(root, "é", 7, 7);
    expect_value(root, "e", 8, 4);
    expect_value(root, "f", 9, 4);
    expect_value(root, "g", 11, 2);
    expect_value(below, "i", 12, 5);
    expect_item(json_object_get(below, "i"), 1, 11, 12);
    expect_value(root, "x", 0, 0);
    expect_key(root, "x", 0, 0);
    expect_item(list, 2, 0, 0);
    forget_places(root);
}

Test(yaml, places_in_json_that_is_no_yaml) {
    json_t *root = parse_places("\r\n {\"\\ud83d\\ude00\": \"é\\\"]\\\\\", \"é\" : [1.5,\n"
                                "true, [ ] ,{\"a\"\n:{}, \"b\":null} ], \"z\":\"\" }\n");
    const json_t *list = json_object_get(root, "é");
    expect_item(NULL, 0, 2, 2);
    expect_key(root, "\xF0\x9F\x98\x80", 2, 3);
    expect_value(root, "\xF0\x9F\x98\x80", 2, 19);
    expect_key(root, "é", 2, 29);
    expect_value(root, "é", 2, 35);
    expect_item(list, 0, 2, 36);
    expect_item(list, 1, 3, 1);
    expect_item(list, 2, 3, 7);
    expect_item(list, 3, 3, 12);
    expect_key(json_array_get(list, 3), "a", 3, 13);
    expect_value(json_array_get(list, 3), "a", 4, 2);
    expect_key(json_array_get(list, 3), "b", 4, 6);
    expect_value(json_array_get(list, 3), "b", 4, 10);
    expect_key(root, "z", 4, 19);
    expect_value(root, "z", 4, 23);
    forget_places(root);
}

Test(yaml, the_place_of_nothing_is_there) {
    json_t *root = parse_places("# nothing\n");
    cr_expect(xl_yaml_value_place(&places, NULL, NULL, 0).line > 0);
    forget_places(root);
}

Test(yaml, files, .init = scratch_open, .fini = scratch_close) {
    json_t *root = NULL;
    struct xl_err err = {0};
    scratch_puts(scratch("good.yaml"), "a: 1\n");
    cr_expect_eq(xl_yaml_load(scratch("good.yaml"), NULL, &root, &err), XL_OK);
    json_decref(root);
    cr_expect_eq(xl_yaml_load(scratch("none.yaml"), NULL, &root, &err), XL_EINPUT);
    cr_expect_not_null(strstr(err.text, "none.yaml: cannot open"));
    cr_expect_eq(xl_yaml_load(scratch_dir, NULL, &root, &err), XL_EINPUT);
    cr_expect_not_null(strstr(err.text, "not a regular file"));
}
