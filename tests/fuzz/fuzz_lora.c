/* fuzz_lora.c - any bytes under the name of a LoRA are refused with a sentence, or every module of
 * it is whole: its factors go together, and its numbers are finite. Inputs: see
 * safetensors_input.h.
 */
#include "safetensors_input.h"

#include "backend/plan.h"
#include "weights/lora.h"

#include <math.h>

static void check_factor(const struct xl_lora_module *module, enum xl_lora_slot up,
                         enum xl_lora_slot mid, enum xl_lora_slot down) {
    struct xl_factor factor = {module->slot[up], module->slot[mid], module->slot[down]};
    expect(factor.up && factor.down && xl_factor_size(&factor).rows > 0);
}

static void check_module(const struct xl_lora_module *module) {
    expect(module->name && module->first && isfinite(module->scale));
    if (module->form == XL_LORA_PRODUCT)
        check_factor(module, XL_LORA_UP, XL_LORA_MID, XL_LORA_DOWN);
    if (module->form == XL_LORA_HADAMARD) {
        check_factor(module, XL_LORA_HADA_W1_A, XL_LORA_HADA_T1, XL_LORA_HADA_W1_B);
        check_factor(module, XL_LORA_HADA_W2_A, XL_LORA_HADA_T2, XL_LORA_HADA_W2_B);
    }
    if (module->form == XL_LORA_KRONECKER && !module->slot[XL_LORA_LOKR_W2])
        check_factor(module, XL_LORA_LOKR_W2_A, XL_LORA_LOKR_T2, XL_LORA_LOKR_W2_B);
    for (int slot = 0; slot < XL_LORA_N_SLOTS; slot++) {
        const struct xl_tensor *tensor = module->slot[slot];
        float plain[2], number;
        if (!tensor) continue;
        xl_tensor_read(tensor, xl_shape_count(tensor->shape) - 1, 1, plain);
        xl_convert(&number, XL_DTYPE_F32, plain, tensor->dtype, 1);
        expect(isfinite(number));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char path[64];
    int fd = write_input(data, size, path);
    struct xl_lora_file *lora = NULL;
    struct xl_err err = {0};
    if (xl_lora_file_open(path, &lora, &err)) {
        expect(!lora && strstr(err.text, path));
    } else {
        for (int i = 0; i < xl_lora_file_count(lora); i++) check_module(xl_lora_file_at(lora, i));
        xl_lora_file_close(lora);
    }
    close(fd);
    return 0;
}
