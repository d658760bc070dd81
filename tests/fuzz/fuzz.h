/* fuzz.h - what a fuzz target defines; the names are libFuzzer's. */
#ifndef XL_TESTS_FUZZ_FUZZ_H
#define XL_TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* Try one input. Whatever the bytes are, it returns 0; finding a defect means to abort. The bytes
 * lie in a block of exactly `size` bytes, so that a sanitizer sees the first byte read beyond. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
