/* test_random_repo.c - the repositories of the demo and the benchmarks: SDXL's own sizes, whole
 * files, the same bytes for the same seed. */
#include "repo.h"

#include "base/file.h"
#include "base/json.h"

#include <criterion/criterion.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum component { TEXT, TEXT_2, UNET, VAE };

static struct xl_repo_tensors tensors_of(const char *size_name, enum component component) {
    const struct xl_repo_size *size = xl_repo_size_find(size_name);
    struct xl_repo_tensors list = {0};
    if (component == UNET)
        xl_repo_unet_tensors(&list, size);
    else if (component == VAE)
        xl_repo_vae_tensors(&list, size);
    else
        xl_repo_text_tensors(&list, size, component == TEXT_2);
    cr_assert(!list.failed);
    return list;
}

/* Parameters and tensors of SDXL base 1.0's components, counted in diffusers' modules. */
Test(random_repo, full_is_sdxl_base) {
    static const struct {
        enum component component;
        int n_tensors;
        int64_t parameters;
    } expected[] = {
        {TEXT, 196, 123060480},
        {TEXT_2, 517, 694659840},
        {UNET, 1680, 2567463684},
        {VAE, 248, 83653863},
    };
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        struct xl_repo_tensors list = tensors_of("full", expected[i].component);
        cr_expect_eq(list.n, expected[i].n_tensors);
        cr_expect_eq(xl_repo_tensors_count(&list), expected[i].parameters);
        xl_repo_tensors_deinit(&list);
    }
    cr_expect_null(xl_repo_size_find("medium"));
}

/* A product for each of the 722, 72 and 192 modules that kohya's trainer names in SDXL. */
Test(random_repo, a_lora_is_of_every_module) {
    struct xl_repo_tensors list = {0};
    xl_repo_lora_tensors(&list, xl_repo_size_find("full"), 16);
    cr_assert(!list.failed);
    cr_expect_eq(list.n, 2 * (722 + 72 + 192));
    cr_expect_str_eq(list.items[0].name,
                     "lora_te1_text_model_encoder_layers_0_self_attn_q_proj.lora_down.weight");
    cr_expect(xl_shape_equal(list.items[0].shape, XL_SHAPE(16, 768)));
    cr_expect_str_eq(list.items[list.n - 1].name,
                     "lora_unet_up_blocks_1_attentions_2_proj_out.lora_up.weight");
    cr_expect(xl_shape_equal(list.items[list.n - 1].shape, XL_SHAPE(640, 16)));
    xl_repo_tensors_deinit(&list);
}

/* The tiny VAE as a file of this dtype and seed, made with this many threads; unlinked again. */
static char *written(enum xl_dtype dtype, uint64_t seed, int n_threads, size_t *n) {
    char dir[] = "/tmp/xl-random-repo-XXXXXX", path[64];
    cr_assert_not_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/vae.safetensors", dir);
    struct xl_repo_tensors list = tensors_of("tiny", VAE);
    struct xl_repo_params params = {xl_repo_size_find("tiny"), dtype, seed, false};
    struct xl_pool *pool = NULL;
    struct xl_err err = {0};
    char *bytes = NULL;
    cr_assert_eq(xl_pool_new(n_threads, NULL, &pool, &err), XL_OK);
    cr_assert_eq(xl_repo_write_weights(path, &list, &params, pool, &err), XL_OK, "%s", err.text);
    struct xl_read_rule rule = {1 << 26, XL_EINPUT, XL_EINPUT};
    cr_assert_eq(xl_file_read(path, rule, &bytes, n, &err), XL_OK, "%s", err.text);
    xl_pool_free(pool);
    xl_repo_tensors_deinit(&list);
    unlink(path);
    rmdir(dir);
    return bytes;
}

Test(random_repo, bytes_depend_on_the_seed_alone) {
    size_t n, n_other;
    char *one = written(XL_DTYPE_F16, 7, 1, &n);
    char *three = written(XL_DTYPE_F16, 7, 3, &n_other);
    cr_expect(n == n_other && !memcmp(one, three, n));
    char *eight = written(XL_DTYPE_F16, 8, 1, &n_other);
    cr_expect(n == n_other && memcmp(one, eight, n));
    free(one);
    free(three);
    free(eight);
}

/* Header and data agree, and the numbers have the deviation that the list says. */
Test(random_repo, file_is_whole_and_scaled) {
    size_t n;
    char *bytes = written(XL_DTYPE_F32, 1, 2, &n);
    uint64_t n_header = 0;
    for (int i = 0; i < 8; i++) n_header |= (uint64_t)(uint8_t)bytes[i] << 8 * i;
    cr_assert_eq(n_header % 8, 0);
    json_t *header;
    struct xl_err err = {0};
    cr_assert_eq(xl_json_parse("header", bytes + 8, n_header, &header, &err), XL_OK, "%s",
                 err.text);
    struct xl_repo_tensors list = tensors_of("tiny", VAE);
    cr_expect_eq(json_object_size(header), (size_t)list.n + 1);
    cr_expect_eq(8 + n_header + 4 * (size_t)xl_repo_tensors_count(&list), n);
    for (int i = 0; i < list.n; i++) {
        const struct xl_repo_tensor *tensor = &list.items[i];
        const json_t *entry = json_object_get(header, tensor->name);
        const json_t *offsets = json_object_get(entry, "data_offsets");
        int64_t from = json_integer_value(json_array_get(offsets, 0));
        int64_t count = xl_shape_count(tensor->shape);
        cr_assert_eq(json_integer_value(json_array_get(offsets, 1)) - from, 4 * count);
        double sum = 0, squares = 0;
        for (int64_t k = 0; k < count; k++) {
            float x;
            memcpy(&x, bytes + 8 + n_header + (size_t)(from + 4 * k), sizeof x);
            sum += x;
            squares += (double)x * x;
        }
        if (tensor->fill == XL_FILL_ONES) {
            cr_expect_eq(sum, (double)count);
        } else if (count > 10000) { /* of 10 000 draws mean and deviation are known to 1 % */
            double mean = sum / (double)count, deviation = sqrt(squares / (double)count);
            cr_expect(fabs(mean / (double)tensor->deviation) < 0.05, "%s", tensor->name);
            cr_expect(fabs(deviation / (double)tensor->deviation - 1) < 0.05, "%s", tensor->name);
        }
    }
    xl_repo_tensors_deinit(&list);
    json_decref(header);
    free(bytes);
}

Test(random_repo, unwritable_is_a_sentence) {
    struct xl_repo_tensors list = tensors_of("tiny", TEXT);
    struct xl_repo_params params = {.size = xl_repo_size_find("tiny"), .dtype = XL_DTYPE_F16};
    struct xl_pool *pool = NULL;
    struct xl_err err = {0};
    cr_assert_eq(xl_pool_new(1, NULL, &pool, &err), XL_OK);
    cr_expect_eq(xl_repo_write_weights("/nonexistent/x", &list, &params, pool, &err), XL_EDISK);
    cr_expect_not_null(strstr(err.text, "/nonexistent/x"));
    /* As on a full disk, a write fails half-way: nothing is left under the name. */
    char dir[] = "/tmp/xl-random-repo-XXXXXX", path[64];
    cr_assert_not_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/model.safetensors", dir);
    signal(SIGXFSZ, SIG_IGN);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &(struct rlimit){20000, 20000}), 0);
    cr_expect_eq(xl_repo_write_weights(path, &list, &params, pool, &err), XL_EDISK);
    cr_expect_not_null(strstr(err.text, path));
    cr_expect_not(xl_file_exists(path));
    rmdir(dir);
    xl_pool_free(pool);
    xl_repo_tensors_deinit(&list);
}
