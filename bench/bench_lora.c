/* bench_lora.c - what a LoRA costs on a model that a device holds: opening its file, the first
 * picture with it, the way back, and the way to it again.
 * usage: bench_lora [--device NAME] [--dtype auto|f32|bf16|f16] [--threads N] MODEL LORA...
 *
 * Times are those of a picture of one step beyond the same picture drawn once more. The first
 * picture is the best of three scales, each of which packs the touched weights anew. Its floor: the
 * multiply-adds of the LoRA's products at the speed of f32 between registers, or reading the
 * touched weights and writing them packed at the speed of a copy, whichever takes longer. CPU: of
 * the first picture on all cores together, which other programs beside it leave as it is. */
#include "base/clock.h"
#include "peak.h"
#include "sdxl/sdxl.h"
#include "weights/lora.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>

enum { SIDE = 64, N_SCALES = 3 };

struct bench {
    const char *path; /* of the model */
    const char *device_name;
    struct xl_device *device;
    struct xl_model *model;
    enum xl_precision precision;
    double flops, bandwidth; /* of this machine */
};

static enum xl_status open_model(const struct bench *bench, const struct xl_lora *lora,
                                 struct xl_model **out, struct xl_err *err) {
    struct xl_model_params params;
    xl_model_params_default(&params);
    params.model = bench->path;
    params.loras = lora;
    params.n_loras = lora ? 1 : 0;
    return xl_model_open(&params, out, err);
}

/* On the clock, and of all cores together. */
struct span {
    double wall_s, cpu_s;
};

static struct span now(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    double cpu_us = (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
    return (struct span){xl_now_s(),
                         (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) + cpu_us / 1e6};
}

static struct span minus(struct span a, struct span b) {
    return (struct span){a.wall_s - b.wall_s, a.cpu_s - b.cpu_s};
}

/* How long a picture takes. */
static enum xl_status draw(const struct bench *bench, struct xl_model *model, struct span *took,
                           struct xl_err *err) {
    struct xl_picture picture = {.prompt = "a lighthouse"};
    struct xl_result result;
    struct xl_request request;
    xl_request_default(&request);
    request.pictures = &picture;
    request.width = request.height = SIDE;
    request.steps = 1;
    request.precision = bench->precision;
    struct span start = now();
    enum xl_status status = xl_generate(bench->device, model, &request, &result, err);
    if (!status) xl_result_free(&result);
    *took = minus(now(), start);
    return status;
}

/* How much longer a picture takes the first time than when nothing has to be done for it. */
static enum xl_status switch_to(const struct bench *bench, struct xl_model *model,
                                struct span *took, struct xl_err *err) {
    struct span first, next;
    enum xl_status status = draw(bench, model, &first, err);
    if (!status) status = draw(bench, model, &next, err);
    if (!status) *took = minus(first, next);
    return status;
}

struct times {
    double open_s;
    struct span first, back, again;
};

static enum xl_status measure(const struct bench *bench, const struct xl_lora *lora,
                              struct times *times, struct xl_err *err) {
    struct xl_model *model = NULL;
    double start_s = xl_now_s();
    enum xl_status status = open_model(bench, lora, &model, err);
    times->open_s = xl_now_s() - start_s;
    if (!status) status = switch_to(bench, model, &times->first, err);
    if (!status) status = switch_to(bench, bench->model, &times->back, err);
    if (!status) status = switch_to(bench, model, &times->again, err);
    xl_model_close(model);
    return status;
}

/* What a LoRA of products touches. */
struct work {
    int64_t rank; /* of the first module */
    double numbers, flops;
};

static enum xl_status look(const char *path, struct work *work, struct xl_err *err) {
    struct xl_lora_file *file;
    enum xl_status status = xl_lora_file_open(path, &file, err);
    if (status) return status;
    for (int i = 0; i < xl_lora_file_count(file); i++) {
        const struct xl_lora_module *module = xl_lora_file_at(file, i);
        const struct xl_tensor *up = module->slot[XL_LORA_UP], *down = module->slot[XL_LORA_DOWN];
        if (module->form != XL_LORA_PRODUCT) continue;
        int64_t rank = down->shape.dim[0], rows = up->shape.dim[0];
        double numbers = (double)(rows * (xl_shape_count(down->shape) / rank));
        if (work->numbers == 0) work->rank = rank;
        work->numbers += numbers;
        work->flops += 2 * numbers * (double)rank;
    }
    xl_lora_file_close(file);
    return XL_OK;
}

static double floor_of(const struct bench *bench, const struct work *work) {
    enum xl_precision precision = xl_device_precision(bench->device, bench->precision);
    bool is_wide = !strcasecmp(xl_model_info(bench->model)->components[0].dtype, "f32");
    double bytes = work->numbers * ((is_wide ? 4 : 2) + (precision == XL_PRECISION_F32 ? 4 : 2));
    double products_s = work->flops / bench->flops, copy_s = bytes / bench->bandwidth;
    return products_s > copy_s ? products_s : copy_s;
}

static enum xl_status bench_lora(const struct bench *bench, const char *path, struct xl_err *err) {
    struct work work = {0};
    struct times best = {.first = {1e9, 1e9}}, times;
    enum xl_status status = look(path, &work, err);
    for (int i = 0; !status && i < N_SCALES; i++) {
        struct xl_lora lora = {path, 1 + 0.25 * i, 1 + 0.25 * i};
        status = measure(bench, &lora, &times, err);
        if (status || times.first.wall_s > best.first.wall_s) continue;
        best = times;
    }
    if (status) return status;
    double floor_s = floor_of(bench, &work);
    printf("rank %-5lld %6.2f G %6.0f GFLOP %7.2f s %7.2f s %7.2f s %6.2f s %4.0f %% %7.2f s %7.2f "
           "s\n",
           (long long)work.rank, work.numbers / 1e9, work.flops / 1e9, best.open_s,
           best.first.wall_s, best.first.cpu_s, floor_s, 100 * floor_s / best.first.wall_s,
           best.back.wall_s, best.again.wall_s);
    return XL_OK;
}

static enum xl_status run(struct bench *bench, int n_threads, char **loras, int n,
                          struct xl_err *err) {
    struct xl_device_params params;
    struct xl_pool *pool = NULL;
    xl_device_params_default(&params);
    params.name = bench->device_name;
    params.n_threads = n_threads;
    struct span load;
    enum xl_status status = xl_pool_new(n_threads, NULL, &pool, err);
    if (status) return status;
    bench->flops = peak_flops(pool, XL_DTYPE_F32);
    bench->bandwidth = peak_bandwidth(pool);
    xl_pool_free(pool);
    status = xl_device_open(&params, &bench->device, err);
    if (!status) status = open_model(bench, NULL, &bench->model, err);
    if (!status) status = switch_to(bench, bench->model, &load, err);
    if (!status) {
        const struct xl_device_info *info = xl_device_info(bench->device);
        printf("%s, %d threads, %s; peak %.1f GFLOP/s in f32, copy %.1f GB/s; the model %.2f s\n",
               info->isa, info->n_threads,
               xl_precision_name(xl_device_precision(bench->device, bench->precision)),
               bench->flops / 1e9, bench->bandwidth / 1e9, load.wall_s);
        printf("%-10s %8s %12s %9s %9s %9s %8s %6s %9s %9s\n", "LoRA", "weights", "products",
               "opening", "first", "CPU", "floor", "", "back", "again");
    }
    for (int i = 0; !status && i < n; i++) status = bench_lora(bench, loras[i], err);
    xl_model_close(bench->model);
    xl_device_close(bench->device);
    return status;
}

int main(int argc, char **argv) {
    struct bench bench = {0};
    int n_threads = 0, i = 1;
    bool is_wrong = false;
    for (; i + 1 < argc && argv[i][0] == '-'; i += 2) {
        const char *value = argv[i + 1];
        if (!strcmp(argv[i], "--threads"))
            n_threads = atoi(value);
        else if (!strcmp(argv[i], "--device"))
            bench.device_name = value;
        else if (!strcmp(argv[i], "--dtype"))
            bench.precision = xl_precision_of_name(value);
        else
            is_wrong = true;
    }
    if (is_wrong || argc < i + 2) {
        fprintf(stderr,
                "usage: bench_lora [--device NAME] [--dtype auto|f32|bf16|f16] [--threads N] "
                "MODEL LORA...\n");
        return 2;
    }
    bench.path = argv[i];
    struct xl_err err = {0};
    setvbuf(stdout, NULL, _IOLBF, 0);
    enum xl_status status = run(&bench, n_threads, argv + i + 1, argc - i - 1, &err);
    if (status) fprintf(stderr, "bench_lora: %s\n", err.text);
    return status ? 1 : 0;
}
