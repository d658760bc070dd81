/* fuzz_embedding.c - any bytes under the name of a textual inversion are refused with a sentence,
 * or it has as many vectors of finite numbers for each encoder. Inputs: see safetensors_input.h.
 */
#include "safetensors_input.h"

#include "weights/embedding.h"

#include <math.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char path[64];
    int fd = write_input(data, size, path);
    struct xl_arena arena = {0};
    struct xl_embedding_vectors vectors = {.n = 0};
    struct xl_err err = {0};
    if (xl_embedding_read(path, &arena, &vectors, &err)) {
        expect(!vectors.n && strstr(err.text, path));
    } else {
        expect(vectors.n > 0 && vectors.digest[0]);
        for (int e = 0; e < XL_EMBEDDING_N_ENCODERS; e++)
            for (int i = 0; i < vectors.n * vectors.width[e]; i++)
                expect(isfinite(vectors.at[e][i]));
    }
    xl_arena_deinit(&arena);
    close(fd);
    return 0;
}
