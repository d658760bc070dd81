/* lora_case.h - LoRA files for tests, tensor by tensor. */
#ifndef XL_TESTS_UNIT_LORA_CASE_H
#define XL_TESTS_UNIT_LORA_CASE_H

#include "tensor/tensor.h"
#include "unit/scratch.h"

enum { LORA_CASE_HEADER = 1 << 16, LORA_CASE_NUMBERS = 1 << 18 };

struct lora_case {
    char header[LORA_CASE_HEADER]; /* with ' for " */
    int n_header;
    float numbers[LORA_CASE_NUMBERS];
    int n_numbers;
};

static inline void lora_case_begin(struct lora_case *c) {
    c->n_header = snprintf(c->header, sizeof c->header, "{'__metadata__':{'format':'pt'}");
    c->n_numbers = 0;
}

/* A tensor in F32. numbers NULL: some that differ. */
static inline void lora_case_add(struct lora_case *c, const char *name, struct xl_shape shape,
                                 const float *numbers) {
    int64_t n = xl_shape_count(shape);
    char text[XL_SHAPE_TEXT];
    cr_assert_leq(c->n_numbers + n, LORA_CASE_NUMBERS);
    for (int64_t i = 0; i < n; i++)
        c->numbers[c->n_numbers + i] = numbers ? numbers[i]
                                               : (float)((i * 37 + c->n_numbers) % 101 - 50) / 400;
    c->n_header += snprintf(c->header + c->n_header, sizeof c->header - (size_t)c->n_header,
                            ",'%s':{'dtype':'F32','shape':%s,'data_offsets':[%d,%d]}", name,
                            xl_shape_format(shape, text), 4 * c->n_numbers,
                            4 * (c->n_numbers + (int)n));
    cr_assert_lt(c->n_header, LORA_CASE_HEADER - 2);
    c->n_numbers += (int)n;
}

/* "MODULE.lora_down.weight" and its other half, by any ends. */
static inline void lora_case_pair(struct lora_case *c, const char *module, const char *ends[2],
                                  struct xl_shape down, struct xl_shape up) {
    char name[256];
    snprintf(name, sizeof name, "%s%s", module, ends[0]);
    lora_case_add(c, name, down, NULL);
    snprintf(name, sizeof name, "%s%s", module, ends[1]);
    lora_case_add(c, name, up, NULL);
}

static inline void lora_case_write(struct lora_case *c, const char *path) {
    char *json = scratch_quotes(c->header);
    size_t n = strlen(json) + 1, n_padded = (n + 7) / 8 * 8, n_data = 4 * (size_t)c->n_numbers;
    uint8_t *bytes = calloc(1, 8 + n_padded + n_data);
    cr_assert_not_null(bytes);
    for (int i = 0; i < 8; i++) bytes[i] = (uint8_t)((uint64_t)n_padded >> 8 * i);
    memset(bytes + 8, ' ', n_padded);
    memcpy(bytes + 8, json, n - 1);
    bytes[8 + n - 1] = '}';
    memcpy(bytes + 8 + n_padded, c->numbers, n_data);
    scratch_write(path, bytes, 8 + n_padded + n_data);
    free(bytes);
    free(json);
}

#endif
