/* fuzz_styles.c - styles of other programs: any bytes are rows or a sentence, and rows have the
 * texts that they promise. */
#include "fuzz.h"

#include "base/str.h"
#include "lab/data/profile_import.h"

#include <stdlib.h>
#include <string.h>

static void expect(bool promise) {
    if (!promise) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct xl_err err = {0};
    struct xl_import import = {.n = 0};
    if (xl_import_read("styles.csv", (const char *)data, size, &import, &err)) {
        expect(!import.n && !strncmp(err.text, "styles.csv:", 11) && !strchr(err.text, '\n'));
        return 0;
    }
    for (int i = 0; i < import.n; i++) {
        const char *const texts[] = {import.rows[i].name, import.rows[i].prompt,
                                     import.rows[i].negative};
        for (int t = 0; t < 3; t++) expect(!texts[t] || xl_utf8_valid(texts[t], strlen(texts[t])));
    }
    xl_import_deinit(&import);
    return 0;
}
