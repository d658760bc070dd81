/* test_residents.c - several models on one device: they draw what each draws alone, changing
 * between them reads no weight file, a budget lets the one go that was used longest ago, and what
 * was let go comes back with the same bytes. */
#include "engine/engine.h"
#include "engine_case.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const char repo[] = XL_SOURCE_DIR "/tests/data/models/repo";

enum { N_MODELS = 3, SIDE = 64, BYTES = SIDE * SIDE * 3 };

/* Copies of the repository whose UNets differ: the last convolution times `factor`. */
static void make_repo(const char *dir, float factor) {
    char command[512], path[512];
    snprintf(command, sizeof command, "mkdir -p %s && cp -r %s/. %s", dir, repo, dir);
    cr_assert_eq(system(command), 0);
    snprintf(path, sizeof path, "%s/unet/diffusion_pytorch_model.safetensors", dir);
    const char *files[] = {path};
    struct xl_weights *weights;
    struct xl_err err = {0};
    cr_assert_eq(xl_weights_open("unet", files, 1, &weights, &err), XL_OK, "%s", err.text);
    const struct xl_tensor *tensor = xl_weights_find(weights, "conv_out.weight");
    cr_assert_not_null(tensor);
    int64_t n = xl_shape_count(tensor->shape);
    size_t size_bytes = (size_t)n * xl_dtype_size(tensor->dtype);
    float *numbers = malloc((size_t)n * sizeof *numbers);
    char *changed = malloc(size_bytes);
    xl_convert(numbers, XL_DTYPE_F32, tensor->data, tensor->dtype, n);
    for (int64_t i = 0; i < n; i++) numbers[i] *= factor;
    xl_convert(changed, tensor->dtype, numbers, XL_DTYPE_F32, n);
    free(numbers);
    /* Where the tensor lies in the file: its distance from one page-aligned mapping of it. */
    int fd = open(path, O_RDWR);
    off_t size = lseek(fd, 0, SEEK_END), at = -1;
    char *bytes = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    cr_assert_neq(bytes, MAP_FAILED);
    char *found = memmem(bytes, (size_t)size, tensor->data, size_bytes);
    cr_assert_not_null(found);
    at = found - bytes;
    memcpy(bytes + at, changed, size_bytes);
    munmap(bytes, (size_t)size);
    close(fd);
    free(changed);
    xl_weights_close(weights);
}

struct models {
    char root[32];
    char dir[N_MODELS][64];
    struct xl_model *model[N_MODELS];
};

static void open_models(struct models *models) {
    strcpy(models->root, "/tmp/xl-test-residents-XXXXXX");
    cr_assert_not_null(mkdtemp(models->root));
    for (int m = 0; m < N_MODELS; m++) {
        snprintf(models->dir[m], sizeof models->dir[m], "%s/%d", models->root, m);
        make_repo(models->dir[m], 1 + 0.25f * (float)m);
        struct xl_model_params params = {.model = models->dir[m]};
        struct xl_err err = {0};
        cr_assert_eq(xl_model_open(&params, &models->model[m], &err), XL_OK, "%s", err.text);
    }
}

static void close_models(struct models *models) {
    char command[64];
    for (int m = 0; m < N_MODELS; m++) xl_model_close(models->model[m]);
    snprintf(command, sizeof command, "rm -rf %s", models->root);
    cr_assert_eq(system(command), 0);
}

static struct xl_device *open_device(int64_t budget_bytes) {
    struct xl_device_params params;
    struct xl_device *device;
    struct xl_err err = {0};
    xl_device_params_default(&params);
    params.name = "cpu";
    params.n_threads = 2;
    params.budget_bytes = budget_bytes;
    cr_assert_eq(xl_device_open(&params, &device, &err), XL_OK, "%s", err.text);
    return device;
}

static void draw(struct xl_device *device, struct xl_model *model, const char *prompt,
                 uint8_t out[BYTES]) {
    struct xl_picture picture = {.prompt = prompt, .seed = 11};
    struct xl_request request;
    xl_request_default(&request);
    request.pictures = &picture;
    request.width = request.height = SIDE;
    request.steps = 3;
    request.precision = XL_PRECISION_F32;
    struct xl_result result = engine_draw((struct engine_case){device, model}, &request);
    memcpy(out, result.pictures[0].image.pixels, BYTES);
    xl_result_free(&result);
}

static int64_t weights(const struct xl_device *device) {
    struct xl_memory memory;
    xl_backend_memory(device->backend, &memory);
    return memory.weight_bytes;
}

static int64_t held(const struct xl_device *device) {
    struct xl_memory memory;
    xl_backend_memory(device->backend, &memory);
    return memory.weight_bytes + memory.work_bytes;
}

/* Nobody may read a mapped weight file any more: who does is ended by the system. */
static int forbid_weights(void) {
    FILE *maps = fopen("/proc/self/maps", "re");
    char line[1024];
    int n = 0;
    while (maps && fgets(line, sizeof line, maps)) {
        unsigned long first, last;
        if (!strstr(line, ".safetensors") || sscanf(line, "%lx-%lx", &first, &last) != 2) continue;
        n += !mprotect((void *)first, last - first, PROT_NONE);
    }
    if (maps) fclose(maps);
    return n;
}

Test(residents, changing_between_models_reads_no_weight_file) {
    struct models models;
    static uint8_t first[N_MODELS][BYTES], again[BYTES];
    open_models(&models);
    struct xl_device *device = open_device(0);
    for (int m = 0; m < N_MODELS; m++) draw(device, models.model[m], "a cat", first[m]);
    cr_expect_neq(memcmp(first[0], first[1], BYTES), 0);
    cr_expect_neq(memcmp(first[1], first[2], BYTES), 0);
    cr_assert_gt(forbid_weights(), N_MODELS);
    for (int turn = 0; turn < 2 * N_MODELS; turn++) {
        int m = turn % N_MODELS;
        draw(device, models.model[m], "a cat", again);
        cr_expect_eq(memcmp(first[m], again, BYTES), 0, "turn %d", turn);
        draw(device, models.model[m], turn % 2 ? "a dog" : "a house", again);
        cr_expect_neq(memcmp(first[m], again, BYTES), 0);
    }
    xl_device_close(device);
    close_models(&models);
}

Test(residents, a_model_that_was_closed_is_found_again) {
    struct models models;
    static uint8_t first[BYTES], again[BYTES];
    open_models(&models);
    struct xl_device *device = open_device(0);
    draw(device, models.model[0], "a cat", first);
    int64_t before = held(device);
    xl_model_close(models.model[0]);
    struct xl_model_params params = {.model = models.dir[0]};
    cr_assert_eq(xl_model_open(&params, &models.model[0], NULL), XL_OK);
    cr_assert_gt(forbid_weights(), 1);
    draw(device, models.model[0], "a cat", again);
    cr_expect_eq(memcmp(first, again, BYTES), 0);
    cr_expect_eq(held(device), before);
    xl_device_close(device);
    close_models(&models);
}

/* Room for two of three: the third drives out the one that was used longest ago, with its weights:
 * half of what they take is too little, whatever work memory the kernels of this CPU need. */
Test(residents, a_budget_lets_the_oldest_go) {
    struct models models;
    static uint8_t alone[N_MODELS][BYTES], together[BYTES];
    int64_t n_held[N_MODELS],
        n_weights[N_MODELS]; /* after so many; they have all but the UNet in common */
    open_models(&models);
    struct xl_device *device = open_device(0);
    for (int m = 0; m < N_MODELS; m++) {
        draw(device, models.model[m], "a cat", alone[m]);
        n_held[m] = held(device);
        n_weights[m] = weights(device);
    }
    xl_device_close(device);
    int64_t budget = n_held[1] + (n_weights[2] - n_weights[1]) / 2;
    device = open_device(budget);
    for (int turn = 0; turn < 3 * N_MODELS; turn++) {
        int m = turn % N_MODELS;
        draw(device, models.model[m], "a cat", together);
        cr_expect_eq(memcmp(alone[m], together, BYTES), 0, "turn %d", turn);
        cr_expect_leq(held(device), budget, "turn %d: %lld of %lld", turn, (long long)held(device),
                      (long long)budget);
        if (turn >= 1) cr_expect_gt(held(device), n_held[0], "only one is resident");
    }
    /* The two that were used last are there; the other is not. */
    struct xl_need need;
    struct xl_picture picture = {.prompt = "a cat"};
    struct xl_request request;
    xl_request_default(&request);
    request.pictures = &picture;
    request.width = request.height = SIDE;
    request.precision = XL_PRECISION_F32;
    for (int m = 0; m < N_MODELS; m++) {
        cr_assert_eq(xl_model_need(device, models.model[m], &request, &need, NULL), XL_OK);
        cr_expect_eq(need.weight_bytes > 0, m == 0, "model %d: %lld bytes are missing", m,
                     (long long)need.weight_bytes);
        cr_expect_leq(need.weight_bytes + need.work_bytes, need.available_bytes, "model %d", m);
    }
    xl_device_close(device);
    close_models(&models);
}
