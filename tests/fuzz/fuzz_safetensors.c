/* fuzz_safetensors.c - any bytes under the name of a weight file are refused with a sentence, or
 * every tensor that is handed out can be read to its last byte and found again by its name.
 *
 * An input that begins with '{' is a header up to its first NUL and data after it: the eight bytes
 * of length are put in front, so that mutations reach beyond them. Any other input is a whole file.
 */
#include "fuzz.h"

#include "weights/weights.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void expect(bool promise) {
    if (!promise) abort();
}

static void write_all(int fd, const void *bytes, size_t n) {
    expect(write(fd, bytes, n) == (ssize_t)n);
}

static void write_input(int fd, const uint8_t *data, size_t size) {
    if (!size || data[0] != '{') {
        write_all(fd, data, size);
        return;
    }
    const uint8_t *end = memchr(data, 0, size);
    size_t n = end ? (size_t)(end - data) : size;
    uint8_t length[8];
    for (int i = 0; i < 8; i++) length[i] = (uint8_t)((uint64_t)n >> 8 * i);
    write_all(fd, length, sizeof length);
    write_all(fd, data, n);
    if (end) write_all(fd, end + 1, size - n - 1);
}

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    expect(fd >= 0);
    write_input(fd, data, size);
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    const char *files[] = {path};
    struct xl_weights *weights = NULL;
    struct xl_err err = {0};
    if (xl_weights_open("fuzz", files, 1, &weights, &err)) {
        expect(!weights && strstr(err.text, path));
    } else {
        expect(!xl_weights_verify(weights, &err));
        read_tensors(weights, size);
        xl_weights_close(weights);
    }
    close(fd);
    return 0;
}
