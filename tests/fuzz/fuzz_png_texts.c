/* fuzz_png_texts.c - text chunks and the "parameters" in them: any bytes are read as strings in
 * UTF-8 or refused with a sentence; what is no PNG file is itself tried as a "parameters" text. */
#include "fuzz.h"
#include "repair_png.h"

#include "base/str.h"
#include "image/image.h"
#include "image/infotext.h"

#include <stdlib.h>
#include <string.h>

static void expect(bool promise) {
    if (!promise) abort();
}

static void try_infotext(const char *text) {
    struct xl_arena arena = {0};
    struct xl_infotext info;
    struct xl_err err = {0};
    expect(!xl_infotext_parse(text, &arena, &info, &err));
    expect(strlen(info.prompt) + strlen(info.negative) <= strlen(text));
    for (int i = 0; i < info.n_pairs; i++)
        expect(info.pairs[i].key[0] && info.pairs[i].value && info.pairs[i].key[1]);
    char *again = xl_infotext_write(&info);
    expect(again);
    free(again);
    xl_arena_deinit(&arena);
}

static void try_texts(const uint8_t *data, size_t size) {
    struct xl_png_text *texts = NULL;
    int n = 0;
    struct xl_err err = {0};
    if (xl_png_texts("in.png", data, size, &texts, &n, &err)) {
        expect(!texts && !n && !strncmp(err.text, "in.png: ", 8));
        return;
    }
    expect(!err.text[0] && n >= 0 && n <= XL_PNG_MAX_TEXTS);
    for (int i = 0; i < n; i++) {
        expect(texts[i].keyword[0] && xl_utf8_valid(texts[i].keyword, strlen(texts[i].keyword)));
        expect(xl_utf8_valid(texts[i].text, strlen(texts[i].text)));
        try_infotext(texts[i].text);
    }
    free(texts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint8_t *repaired = repair_png(data, size);
    try_texts(repaired, size);
    free(repaired);
    if (size >= 1 && data[0] == 0x89) return 0;
    struct xl_str text = {0};
    xl_str_append(&text, (const char *)data, size);
    if (text.text) try_infotext(text.text);
    xl_str_deinit(&text);
    return 0;
}
