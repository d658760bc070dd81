/* fuzz_smi.c - what nvidia-smi writes: any text is a list of GPUs or a sentence, and nothing in the
 * list is longer than it may be.
 */
#include "fuzz.h"

#include "gpu/idle.h"

#include <stdlib.h>
#include <string.h>

static void expect(bool promise) {
    if (!promise) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct xl_gpu_list list;
    struct xl_idle_rule rule = xl_idle_rule_default();
    struct xl_err err = {0};
    char *text = malloc(size + 1), busy[XL_BUSY_MAX];
    if (!text) return 0;
    memcpy(text, data, size);
    text[size] = 0;
    if (xl_smi_parse(text, &list, &err)) {
        expect(!list.n && err.text[0] && !strchr(err.text, '\n'));
    } else {
        expect(list.n >= 0 && list.n <= XL_GPUS_MAX);
        xl_smi_parse_processes(text, &list);
        for (int i = 0; i < list.n; i++) {
            const struct xl_gpu *gpu = &list.item[i];
            expect(gpu->index >= 0 && gpu->n_processes >= 0 && gpu->used_bytes >= -1);
            expect(strlen(gpu->uuid) < sizeof gpu->uuid && strlen(gpu->fault) < sizeof gpu->fault);
            expect(xl_gpu_is_idle(gpu, &rule, busy) == !busy[0]);
        }
    }
    free(text);
    return 0;
}
