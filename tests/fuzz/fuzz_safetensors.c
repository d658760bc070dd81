/* fuzz_safetensors.c - any bytes under the name of a weight file are refused with a sentence, or
 * every tensor that is handed out can be read to its last byte and found again by its name.
 * Inputs: see safetensors_input.h.
 */
#include "safetensors_input.h"

#include "weights/original.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* F8 is read as F16, with scales as F32; the input is small, and so is every tensor in it. */
static void read_tensors(const struct xl_weights *weights, size_t size) {
    int64_t total = 0;
    for (int i = 0; i < xl_weights_count(weights); i++) {
        const struct xl_tensor *tensor = xl_weights_at(weights, i);
        expect(xl_weights_find(weights, tensor->name) == tensor);
        expect(i == 0 || strcmp(xl_weights_at(weights, i - 1)->name, tensor->name) < 0);
        expect(tensor->shape.rank >= 0 && tensor->shape.rank <= XL_MAX_RANK);
        bool is_aligned = (uintptr_t)tensor->data % xl_dtype_size(tensor->dtype) == 0;
        expect(is_aligned || tensor->stored != XL_STORED_PLAIN);
        int64_t n = xl_shape_count(tensor->shape),
                bytes = n * (int64_t)xl_dtype_size(tensor->dtype);
        expect(n >= 0 && bytes <= 4 * (int64_t)size);
        void *read = malloc((size_t)bytes + 1);
        expect(read != NULL);
        xl_tensor_read(tensor, 0, n, read);
        free(read);
        xl_weights_drop(weights, tensor);
        total += bytes;
    }
    expect(xl_weights_bytes(weights) <= (int64_t)size && total <= 4 * (int64_t)size);
}

/* Whatever the names are taken for, tensors lie within the file. */
static void read_components(struct xl_weights *weights, size_t size) {
    for (enum xl_original which = XL_ORIGINAL_UNET; which <= XL_ORIGINAL_TEXT_2; which++) {
        struct xl_weights *part = NULL;
        struct xl_err err = {0};
        if (xl_original_select(weights, which, "part", &part, &err)) {
            expect(!part && err.text[0]);
            continue;
        }
        read_tensors(part, size);
        xl_weights_close(part);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char path[64];
    int fd = write_input(data, size, path);
    const char *files[] = {path};
    struct xl_weights *weights = NULL;
    struct xl_err err = {0};
    if (xl_weights_open("fuzz", files, 1, &weights, &err)) {
        expect(!weights && strstr(err.text, path));
    } else {
        expect(!xl_weights_verify(weights, &err));
        read_tensors(weights, size);
        read_components(weights, size);
        xl_weights_close(weights);
    }
    close(fd);
    return 0;
}
