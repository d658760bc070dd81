/* cell_embeddings.c - the textual inversions of a cell from its texts to a list. Keeps no state. */
#include "lab/cell/cell.h"

#include <string.h>

/* The next piece of a text in front of a separator; NULL: there is none. */
static const char *take(const char **text, const char *separator, struct xl_arena *arena,
                        bool *failed) {
    if (!**text) return NULL;
    const char *end = strstr(*text, separator);
    size_t n = end ? (size_t)(end - *text) : strlen(*text);
    const char *piece = xl_arena_strndup(arena, *text, n);
    *failed |= !piece;
    *text = end ? end + strlen(separator) : *text + n;
    return piece;
}

enum xl_status xl_cell_settle_embeddings(struct xl_cell *cell, const char *name,
                                         struct xl_arena *arena, struct xl_err *err) {
    const char *words = cell->embedding, *digests = cell->embedding_digests;
    const char *files = cell->embedding_files;
    bool failed = false, is_uneven = false;
    int n = 0;
    cell->embeddings = NULL;
    cell->n_embeddings = 0;
    if (!words || !digests || !files) return XL_OK;
    struct xl_embedding *list = xl_arena_alloc(arena, XL_EMBEDDINGS_MAX * sizeof *list);
    while (list && !failed && n < XL_EMBEDDINGS_MAX && *words) {
        const char *word = take(&words, ", ", arena, &failed);
        const char *digest = take(&digests, ", ", arena, &failed);
        const char *file = take(&files, "\n", arena, &failed);
        is_uneven = !word || !digest || !file;
        if (is_uneven) break;
        list[n++] = (struct xl_embedding){file, word, digest};
    }
    if (failed || !list) return xl_fail_nomem(err, "embeddings", 0);
    if (is_uneven || *words || *digests || *files)
        return xl_fail(err, XL_EINPUT,
                       "%s: \"embedding\", \"embedding_digests\" and \"embedding_files\" of a "
                       "cell name different numbers of embeddings",
                       name);
    cell->embeddings = list;
    cell->n_embeddings = n;
    return XL_OK;
}
