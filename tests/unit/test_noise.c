/* test_noise.c - random normal numbers against torch.randn (tools/reference/topics/noise.py). */
#include "base/json.h"
#include "tensor/noise.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* PyTorch's own logarithm, sine and cosine differ in the last place from one processor to the next;
 * numbers reach 6, where that place is 5e-7. Those of a GPU are further off, 1.4e-6 at most. */
static const double tolerance = 2e-6;

static const char *text_of(const json_t *object, const char *key) {
    return json_string_value(json_object_get(object, key));
}

static int64_t number_of(const json_t *object, const char *key) {
    return json_integer_value(json_object_get(object, key));
}

static void expect_call(struct xl_noise *noise, const char *label, const json_t *call) {
    int64_t n = number_of(call, "n");
    float *numbers = malloc((size_t)(n + 1) * sizeof *numbers);
    cr_assert_not_null(numbers);
    numbers[n] = 77;
    xl_noise_normal(noise, numbers, n);
    size_t i;
    json_t *pair;
    json_array_foreach(json_object_get(call, "numbers"), i, pair) {
        json_int_t at = json_integer_value(json_array_get(pair, 0));
        double wanted = json_number_value(json_array_get(pair, 1));
        if (!(fabs(numbers[at] - wanted) <= tolerance))
            cr_assert_fail("%s: number %lld of %lld is %.9g, expected %.9g", label, (long long)at,
                           (long long)n, numbers[at], wanted);
    }
    cr_assert_gt(i, 0);
    cr_expect_eq(numbers[n], 77, "%s: written beyond %lld numbers", label, (long long)n);
    free(numbers);
}

static void expect_cases(const char *name, enum xl_rng rng, int n_wanted) {
    struct xl_err err = {0};
    json_t *root = NULL, *c;
    const char *path = XL_SOURCE_DIR "/tests/data/noise/noise.json";
    cr_assert_eq(xl_json_load(path, &root, &err), XL_OK, "%s", err.text);
    size_t i;
    int n = 0;
    json_array_foreach(json_object_get(root, "cases"), i, c) {
        if (strcmp(text_of(c, "rng"), name)) continue;
        struct xl_noise noise;
        char label[64];
        snprintf(label, sizeof label, "%s seed %s", name, text_of(c, "seed"));
        xl_noise_seed(&noise, rng, strtoull(text_of(c, "seed"), NULL, 10));
        size_t k;
        json_t *call;
        json_array_foreach(json_object_get(c, "calls"), k, call) {
            expect_call(&noise, label, call);
        }
        n++;
    }
    cr_expect_eq(n, n_wanted);
    json_decref(root);
}

Test(noise, equals_torch_on_the_cpu) {
    expect_cases("torch-cpu", XL_RNG_TORCH_CPU, 36);
}

Test(noise, equals_torch_on_a_gpu) {
    expect_cases("torch-cuda", XL_RNG_TORCH_CUDA, 6);
}

Test(noise, seeding_forgets_what_was_drawn) {
    static const enum xl_rng rngs[] = {XL_RNG_TORCH_CPU, XL_RNG_TORCH_CUDA};
    for (int r = 0; r < 2; r++) {
        struct xl_noise noise;
        float first[3], again[3];
        xl_noise_seed(&noise, rngs[r], 9);
        xl_noise_normal(&noise, first, 3); /* the CPU keeps the fourth number */
        xl_noise_seed(&noise, rngs[r], 9);
        xl_noise_normal(&noise, again, 3);
        cr_expect_arr_eq(first, again, sizeof first);
    }
}

Test(noise, nothing_is_drawn_for_no_numbers) {
    static const enum xl_rng rngs[] = {XL_RNG_TORCH_CPU, XL_RNG_TORCH_CUDA};
    for (int r = 0; r < 2; r++) {
        struct xl_noise noise;
        float plain[20], other[20];
        xl_noise_seed(&noise, rngs[r], 5);
        xl_noise_normal(&noise, plain, 20);
        xl_noise_seed(&noise, rngs[r], 5);
        xl_noise_normal(&noise, NULL, 0);
        xl_noise_normal(&noise, other, 20);
        cr_expect_arr_eq(plain, other, sizeof plain);
    }
}
