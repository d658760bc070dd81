/* fuzz_yaml.c - files that people write: any bytes become a bounded tree or a sentence, and what
 * became a tree is a tree of JSON. */
#include "fuzz.h"

#include "base/yaml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void expect(bool promise) {
    if (!promise) abort();
}

static void expect_place(struct xl_yaml_place place) {
    expect(place.line > 0 && place.column > 0);
}

/* Every value's place is known. Returns how many nodes there are. */
static int walk(const struct xl_yaml_places *places, const json_t *node, int depth) {
    int n = 1;
    const char *key;
    json_t *value;
    size_t index;
    expect(depth <= XL_YAML_MAX_DEPTH);
    json_object_foreach((json_t *)node, key, value) {
        if (n < 8) expect_place(xl_yaml_key_place(places, node, key));
        if (n < 8) expect_place(xl_yaml_value_place(places, node, key, 0));
        n += walk(places, value, depth + 1);
    }
    json_array_foreach(node, index, value) {
        if (n < 8) expect_place(xl_yaml_value_place(places, node, NULL, index));
        n += walk(places, value, depth + 1);
    }
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct xl_err err = {0};
    struct xl_yaml_places places = {0};
    json_t *root = NULL;
    enum xl_status status =
        xl_yaml_parse("profiles.yaml", (const char *)data, size, &places, &root, &err);
    if (status) {
        int line, column;
        expect(!root && !strchr(err.text, '\n'));
        expect(sscanf(err.text, "profiles.yaml:%d:%d: ", &line, &column) == 2);
        expect_place((struct xl_yaml_place){line, column});
    } else {
        expect_place(xl_yaml_value_place(&places, NULL, NULL, 0));
        expect(walk(&places, root, 1) <= XL_YAML_MAX_NODES);
        char *text = json_dumps(root, JSON_ENCODE_ANY);
        expect(text != NULL);
        free(text);
    }
    json_decref(root);
    xl_yaml_places_deinit(&places);
    return 0;
}
