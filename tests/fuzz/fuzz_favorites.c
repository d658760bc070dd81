/* fuzz_favorites.c - CSV files of favourites: any bytes are rows or a sentence. A row has a path,
 * and a rating from 0 to 5, none, or the reason why it is not taken. */
#include "fuzz.h"
#include "one_file.h"

#include "insight/marks/favorites_in.h"

#include <string.h>

static void expect(bool promise) {
    if (!promise) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct xl_favorites_in list = {.n = 0};
    struct xl_err err = {.text = ""};
    const char *path = one_file("list.csv", data, size);
    if (xl_favorites_in_read(&list, path, &err)) expect(!strncmp(err.text, path, strlen(path)));
    int line = 0;
    for (int i = 0; i < list.n; i++) {
        const struct xl_favorite_in *item = &list.items[i];
        expect(item->path[0] && item->line > line && item->line <= (int)size + 1);
        expect((item->rating >= -1 && item->rating <= 5) || item->why);
        line = item->line;
    }
    xl_favorites_in_deinit(&list);
    return 0;
}
