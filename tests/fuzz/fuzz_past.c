/* fuzz_past.c - records of pictures: any bytes are a record of entries that are UTF-8 or are
 * refused with a sentence that names the file; graphs of nodes without a picture around them are
 * climbed. */
#include "fuzz.h"
#include "repair_png.h"

#include "base/str.h"
#include "lab/past/past.h"

#include <stdlib.h>
#include <string.h>

static void expect(bool promise) {
    if (!promise) abort();
}

static void look_at(const struct xl_past *past) {
    expect(past->source && past->n >= 0);
    for (int i = 0; i < past->n; i++) {
        const struct xl_past_entry *entry = &past->entries[i];
        expect(entry->key[0] && entry->value[0]);
        expect(xl_utf8_valid(entry->value, strlen(entry->value)));
    }
}

static void try_file(const uint8_t *data, size_t size) {
    struct xl_past past;
    struct xl_err err = {0};
    enum xl_status status = xl_past_read(&past, "in", data, size, &err);
    if (status)
        expect(status == XL_EINPUT && !strncmp(err.text, "in: ", 4));
    else
        look_at(&past);
    xl_past_deinit(&past);
}

static void try_graph(const uint8_t *data, size_t size) {
    struct xl_past past = {.n = 0};
    json_t *graph = json_loadb((const char *)data, size, 0, NULL);
    if (json_is_object(graph) && xl_past_read_comfy(&past, graph)) past.source = "ComfyUI";
    if (past.source) look_at(&past);
    json_decref(graph);
    xl_past_deinit(&past);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    try_file(data, size);
    try_graph(data, size);
    uint8_t *repaired = repair_png(data, size);
    try_file(repaired, size);
    free(repaired);
    return 0;
}
