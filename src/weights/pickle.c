/* pickle.c - the names of files that can run code. */
#include "weights/pickle.h"

#include <string.h>
#include <strings.h>

const char *const xl_pickle_endings[] = {".bin", ".ckpt", ".pt", ".pth", ".pkl", ".pickle", NULL};

bool xl_is_pickle_name(const char *path) {
    size_t n = strlen(path);
    for (const char *const *ending = xl_pickle_endings; *ending; ending++) {
        size_t n_end = strlen(*ending);
        if (n >= n_end && !strcasecmp(path + n - n_end, *ending)) return true;
    }
    return false;
}
