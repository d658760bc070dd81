/* fuzz_dynamic.c - any text as a template of prompts: it is refused with a sentence, or read alike
 * every time, by chance and for all its texts. */
#include "fuzz.h"

#include "prompts/dynamic.h"

#include <stdlib.h>
#include <string.h>

static void expect(bool promise) {
    if (!promise) abort();
}

static const struct xl_wildcards *wildcards(void) {
    static struct xl_wildcards *opened; /* once, kept */
    static const char *const folder = XL_SOURCE_DIR "/tests/data/dynamic/wildcards";
    struct xl_str notices = {0};
    if (!opened) expect(!xl_wildcards_open(&folder, 1, &notices, &opened, NULL));
    return opened;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    enum { MOST = 50 };
    struct xl_arena arena = {0};
    struct xl_err err = {0};
    const struct xl_dynamic dynamic = {wildcards(), size, 0, NULL};
    const struct xl_dynamic_node *node;
    const char *text = xl_arena_strndup(&arena, (const char *)data, size), *one = NULL;
    expect(text != NULL);
    enum xl_status parsed = xl_dynamic_parse(text, &arena, &node, &err);
    expect(!parsed || (parsed == XL_EINVAL && err.text[0]));
    err.text[0] = 0;
    enum xl_status drawn = xl_dynamic_draw(&dynamic, text, &arena, &one, &err);
    expect(!drawn || (drawn == XL_EINVAL && err.text[0]));
    expect(!parsed || drawn);
    const char *again = NULL;
    expect(drawn == xl_dynamic_draw(&dynamic, text, &arena, &again, NULL));
    expect(drawn || !strcmp(one, again));
    const char *const *all;
    int n = 0;
    bool is_all;
    err.text[0] = 0;
    enum xl_status listed = xl_dynamic_all(&dynamic, text, MOST, &arena, &all, &n, &is_all, &err);
    expect(!listed || (listed == XL_EINVAL && err.text[0]));
    expect(listed || (n >= 0 && n <= MOST));
    for (int i = 0; !listed && i < n; i++) expect(all[i] != NULL);
    xl_arena_deinit(&arena);
    return 0;
}
