/* fuzz_yaml.c - files that people write: any bytes become a bounded tree or a sentence, and what
 * became a tree is a tree of JSON. */
#include "fuzz.h"

#include "base/yaml.h"

#include <stdlib.h>
#include <string.h>

static void expect(bool promise) {
    if (!promise) abort();
}

/* Every value's line is known, unless the text was read as JSON. Returns how many nodes there are.
 */
static int walk(const struct xl_yaml_lines *lines, const json_t *node, int depth) {
    int n = 1;
    const char *key;
    json_t *value;
    size_t index;
    expect(depth <= XL_YAML_MAX_DEPTH);
    json_object_foreach((json_t *)node, key, value) {
        if (n < 8 && lines) expect(xl_yaml_line(lines, node, key, 0) > 0);
        n += walk(lines, value, depth + 1);
    }
    json_array_foreach(node, index, value) {
        if (n < 8 && lines) expect(xl_yaml_line(lines, node, NULL, index) > 0);
        n += walk(lines, value, depth + 1);
    }
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct xl_err err = {0};
    struct xl_yaml_lines lines = {0};
    json_t *root = NULL;
    enum xl_status status =
        xl_yaml_parse("profiles.yaml", (const char *)data, size, &lines, &root, &err);
    if (status) {
        expect(!root && !strncmp(err.text, "profiles.yaml:", 14) && !strchr(err.text, '\n'));
    } else {
        expect(walk(lines.newest ? &lines : NULL, root, 1) <= XL_YAML_MAX_NODES);
        char *text = json_dumps(root, JSON_ENCODE_ANY);
        expect(text != NULL);
        free(text);
    }
    json_decref(root);
    xl_yaml_lines_deinit(&lines);
    return 0;
}
